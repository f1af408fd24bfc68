/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/mail.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define ADA "ada@mail.example.com"

static void only_an_aligned_pass_counts(void)
{
	static const struct {
		const char *value;
		bool passes;
	} rows[] = {
		{"mx.example.org; dkim=pass header.d=mail.example.com", true},
		{"mx.example.org; dkim=pass header.d=example.com", true},
		{"MX.example.org ; DKIM=Pass header.i=@Example.com header.s=x", true},
		{"mx.example.org; spf=fail; dmarc=pass (p=none) "
		 "header.from=mail.example.com",
			true},
		{"mx.example.org 1; dkim=fail header.d=a.b; dkim=pass "
		 "header.d=example.com",
			true},
		{"mx.example.org; dkim=pass header.d=com", false},
		{"mx.example.org; dkim=pass header.d=ample.com", false},
		{"mx.example.org; dkim=pass header.d=x.mail.example.com", false},
		{"mx.example.org; dkim=fail header.d=example.com", false},
		{"mx.example.org; dkim=neutral (dkim=pass header.d=example.com)", false},
		{"mx.example.org; x=\"; dkim=pass header.d=example.com\"", false},
		{"mx.example.org; dmarc=pass header.from=example.com", false},
		{"mx.example.org; spf=pass smtp.mailfrom=ada@mail.example.com", false},
		{"mx.example.org.evil.net; dkim=pass header.d=example.com", false},
		{"evil.net; mx.example.org; dkim=pass header.d=example.com", false},
		{"mx.example.org; none", false},
		{"", false},
	};
	const struct mail_trust trust = {.authserv_id = "mx.example.org"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool passes = mail_results_pass(rows[i].value, &trust, ADA);

		if (passes != rows[i].passes)
			fprintf(stderr, "%s\n", rows[i].value);
		CU_ASSERT_EQUAL(passes, rows[i].passes);
	}
}

static void a_relay_is_believed_without_a_name(void)
{
	const struct mail_trust any = {.any = true}, none = {.any = false};

	CU_ASSERT_TRUE(mail_results_pass("dkim=pass header.d=example.com", &any, ADA));
	CU_ASSERT_TRUE(mail_results_pass("a; dkim=pass header.d=example.com", &any, ADA));
	CU_ASSERT_FALSE(
		mail_results_pass("a; dkim=pass header.d=example.com", &none, ADA));
}

static void threads_are_found(void)
{
	struct mail mail = {.id = "own@example.com"};
	char key[EMAIL_KEY], ours[EMAIL_ID], header[2 * EMAIL_ID];

	mail_find_thread(&mail, NULL, NULL, "example.org");
	email_thread_key("own@example.com", key);
	CU_ASSERT_STRING_EQUAL(mail.thread, key);
	mail_find_thread(&mail, "<root@example.com> <b@c>", "<b@c>", "example.org");
	email_thread_key("root@example.com", key);
	CU_ASSERT_STRING_EQUAL(mail.thread, key);
	CU_ASSERT_STRING_EQUAL(mail.root, "root@example.com");
	email_id_make(key, "d", "example.org", ours);
	snprintf(header, sizeof(header), "<%s>", ours);
	mail_find_thread(&mail, NULL, header, "example.org");
	CU_ASSERT_STRING_EQUAL(mail.thread, key);
	mail_find_thread(&mail, "junk", "more junk", "example.org");
	CU_ASSERT_STRING_EQUAL(mail.root, "own@example.com");
}

static void file_names_are_tame(void)
{
	char name[MAIL_FILENAME], longest[600];

	mail_filename("../../etc/passwd", name);
	CU_ASSERT_STRING_EQUAL(name, "passwd");
	mail_filename("C:\\x\\a\tb.txt", name);
	CU_ASSERT_STRING_EQUAL(name, "ab.txt");
	mail_filename("..", name);
	CU_ASSERT_STRING_EQUAL(name, "attachment");
	mail_filename(NULL, name);
	CU_ASSERT_STRING_EQUAL(name, "attachment");
	mail_filename("a\xE2\x80\xAEgpj.exe", name);
	CU_ASSERT_STRING_EQUAL(name, "agpj.exe");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	mail_filename(longest, name);
	CU_ASSERT_EQUAL(strlen(name), MAIL_FILENAME - 1);
}

UNIT_SUITE(email_mail, UNIT_TEST(only_an_aligned_pass_counts),
	UNIT_TEST(a_relay_is_believed_without_a_name), UNIT_TEST(threads_are_found),
	UNIT_TEST(file_names_are_tame));
