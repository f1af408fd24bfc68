/* SPDX-License-Identifier: Apache-2.0 */
/* Mails as clients write them, in the charsets and forms that they write them in. */
#include "providers/email/mime.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD \
	"From: Ada <ada@example.com>\r\nTo: agent@example.org\r\nMessage-ID: " \
	"<m@x.org>\r\n"

static struct mime_reading reading = {
	.domain = "example.org",
	.own_address = "agent@example.org",
	.trust = {.authserv_id = "mx.example.org"},
	.max_file = 1000,
};

static struct mail read_length(const char *text, size_t length)
{
	struct mail mail = {.file_count = 0};

	mime_library_init();
	CU_ASSERT_EQUAL_FATAL(mime_read(text, length, &reading, &mail, NULL), CG_OK);
	return mail;
}

static struct mail read_text(const char *text)
{
	return read_length(text, strlen(text));
}

static void check_text(const char *raw, const char *wanted)
{
	struct mail mail = read_text(raw);

	if (strcmp(mail.text, wanted) != 0)
		fprintf(stderr, "[%s]\n", mail.text);
	CU_ASSERT_STRING_EQUAL(mail.text, wanted);
	CU_ASSERT_STRING_EQUAL(mail.from, "ada@example.com");
	mail_finish(&mail);
}

static void charsets_become_utf8(void)
{
	check_text(HEAD "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
			"\x1B$B$3$s$K$A$O\x1B(B\r\n",
		"こんにちは");
	check_text(HEAD "Content-Type: text/plain; charset=koi8-r\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n",
		"Привет");
	check_text(HEAD "Content-Type: text/plain; charset=windows-1252\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			"=8420 =80=93 caf=E9=\r\n !\r\n",
		"„20 €“ café !");
	check_text(HEAD "Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xC3\xBC\xC3\x9F"
			"e \xF0\x9F\x98\x80\r\n",
		"Grüße 😀");
	check_text(HEAD "\r\nplain\r\n", "plain");
	check_text(HEAD
		"Content-Type: text/plain; charset=no-such-thing\r\n\r\nascii\r\n",
		"ascii");
}

static void broken_bytes_are_repaired(void)
{
	struct mail mail =
		read_text(HEAD "Content-Type: text/plain; charset=utf-8\r\n\r\na\xFF"
			       "b\r\n");

	CU_ASSERT_PTR_NOT_NULL(strchr(mail.text, 'a'));
	CU_ASSERT_PTR_NULL(strchr(mail.text, '\xFF'));
	mail_finish(&mail);
}

static void headers_are_decoded(void)
{
	struct mail mail = read_text(
		"From: =?iso-2022-jp?B?GyRCO0VFRBsoQg==?= <ada@example.com>\r\n"
		"Message-ID: <m@x.org>\r\n"
		"Subject: =?koi8-r?Q?=F0=D2=C9=D7=C5=D4?= =?utf-8?b?w6k=?=\r\n\r\nx");

	CU_ASSERT_STRING_EQUAL(mail.name, "仕田");
	CU_ASSERT_STRING_EQUAL(mail.subject, "Приветé");
	CU_ASSERT_STRING_EQUAL(mail.id, "m@x.org");
	mail_finish(&mail);
}

#define MIXED \
	HEAD "Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n" \
	     "Content-Type: multipart/related; boundary=R\r\n\r\n--R\r\n" \
	     "Content-Type: multipart/alternative; boundary=A\r\n\r\n" \
	     "--A\r\nContent-Type: text/plain\r\n\r\nplain text\r\n" \
	     "--A\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--A--\r\n" \
	     "--R\r\nContent-Type: image/png; name=logo.png\r\n" \
	     "Content-Disposition: inline\r\nContent-Transfer-Encoding: " \
	     "base64\r\n\r\niVBORw==\r\n" \
	     "--R--\r\n--B\r\nContent-Type: application/pdf; " \
	     "name*=utf-8''%e2%82%ac.pdf\r\n" \
	     "Content-Disposition: attachment\r\nContent-Transfer-Encoding: " \
	     "base64\r\n\r\nQUJD\r\n" \
	     "--B\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n" \
	     "Content-Transfer-Encoding: base64\r\n\r\neJ8+Ig==\r\n" \
	     "--B\r\nContent-Type: message/rfc822\r\n\r\nSubject: " \
	     "in\r\n\r\ninner\r\n--B--\r\n"

static void parts_find_their_place(void)
{
	static const char *const names[] = {
		"logo.png", "€.pdf", "winmail.dat", "message.eml"};
	struct mail mail = read_text(MIXED);

	CU_ASSERT_STRING_EQUAL(mail.text, "plain text");
	CU_ASSERT_EQUAL_FATAL(mail.file_count, 4);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_STRING_EQUAL(mail.files[i].filename, names[i]);
	CU_ASSERT_STRING_EQUAL(mail.files[1].bytes, "ABC");
	CU_ASSERT_EQUAL(mail.files[1].length, 3);
	CU_ASSERT_STRING_EQUAL(mail.files[1].mime_type, "application/pdf");
	CU_ASSERT_EQUAL(mail.left_out, 0);
	mail_finish(&mail);

	reading.truncated = true;
	mail = read_text(MIXED);
	CU_ASSERT_EQUAL(mail.file_count, 0);
	CU_ASSERT_EQUAL(mail.left_out, 4);
	mail_finish(&mail);
	reading.truncated = false;
}

static void html_alone_is_readable(void)
{
	check_text(HEAD
		"Content-Type: text/html; charset=utf-8\r\n\r\n"
		"<p>Yes, please.</p><div class=\"gmail_quote\"><div>On Mon, 1 Jan 2024 "
		"at 10:00, "
		"Agent &lt;<a "
		"href=\"mailto:agent@example.org\">agent@example.org</a>&gt; wrote:"
		"<br></div><blockquote>old</blockquote></div>\r\n",
		"Yes, please.");
}

static void caps_hold(void)
{
	char *raw = malloc(200000);
	struct mail mail;
	size_t used;

	CU_ASSERT_PTR_NOT_NULL_FATAL(raw);
	/* A file at its limit, and one byte more. */
	for (int extra = 0; extra < 2; extra++) {
		used = (size_t)snprintf(raw, 200000, "%s",
			HEAD "Content-Type: application/x\r\nContent-Disposition: "
			     "attachment\r\n\r\n");
		memset(raw + used, 'x', 1000u + (unsigned)extra);
		used += 1000u + (unsigned)extra;
		mail = read_length(raw, used);
		CU_ASSERT_EQUAL(mail.file_count, extra == 0);
		CU_ASSERT_EQUAL(mail.left_out, extra == 1);
		mail_finish(&mail);
	}
	/* More files than are kept. */
	used = (size_t)snprintf(raw, 200000, "%s",
		HEAD "Content-Type: multipart/mixed; boundary=B\r\n\r\n");
	for (int i = 0; i < MAIL_FILES + 2; i++)
		used += (size_t)snprintf(raw + used, 200000 - used,
			"--B\r\nContent-Disposition: attachment; "
			"filename=f%d\r\n\r\nx\r\n",
			i);
	mail = read_length(raw, used);
	CU_ASSERT_EQUAL(mail.file_count, MAIL_FILES);
	CU_ASSERT_EQUAL(mail.left_out, 2);
	mail_finish(&mail);
	/* Containers in containers. */
	for (int count = MIME_PARTS; count <= MIME_PARTS + 1; count++) {
		used = (size_t)snprintf(raw, 200000, "%s", HEAD);
		for (int i = 0; i < count; i++)
			used += (size_t)snprintf(raw + used, 200000 - used,
				"Content-Type: multipart/mixed; "
				"boundary=B%d\r\n\r\n--B%d\r\n",
				i, i);
		mail = (struct mail){.file_count = 0};
		CU_ASSERT_EQUAL(mime_read(raw, used, &reading, &mail, NULL),
			count == MIME_PARTS ? CG_OK : CG_INVALID);
		mail_finish(&mail);
	}
	CU_ASSERT_EQUAL(mime_read(raw, 0, &reading, &mail, NULL), CG_INVALID);
	CU_ASSERT_EQUAL(
		mime_read(raw, MIME_MESSAGE_MAX + 1, &reading, &mail, NULL), CG_LIMIT);
	free(raw);
}

static void check_from(const char *headers, const char *from, bool authenticated)
{
	struct mail mail = read_text(headers);

	CU_ASSERT_STRING_EQUAL(mail.from, from);
	CU_ASSERT_EQUAL(mail.authenticated, authenticated);
	mail_finish(&mail);
}

static void senders_are_judged(void)
{
	static const char good[] = "Authentication-Results: mx.example.org; dkim=pass "
				   "header.d=example.com\r\n";
	char raw[1024];

	check_from("From: ada@example.com\r\n\r\nx", "ada@example.com", false);
	snprintf(raw, sizeof(raw), "%sFrom: ada@example.com\r\n\r\nx", good);
	check_from(raw, "ada@example.com", true);
	/* What stands below was there before the trusted host saw it. */
	snprintf(raw, sizeof(raw),
		"Authentication-Results: mx.example.org; dkim=fail\r\n%sFrom: "
		"ada@example.com\r\n\r\nx",
		good);
	check_from(raw, "ada@example.com", false);
	snprintf(raw, sizeof(raw), "%sFrom: ada@example.com, eve@evil.example\r\n\r\nx",
		good);
	check_from(raw, "", false);
	snprintf(raw, sizeof(raw),
		"%sFrom: ada@example.com\r\nFrom: eve@evil.example\r\n\r\nx", good);
	check_from(raw, "", false);
	snprintf(raw, sizeof(raw),
		"%sFrom: \"ada@example.com\" <eve@evil.example>\r\n\r\nx", good);
	check_from(raw, "eve@evil.example", false);
	check_from("Subject: x\r\n\r\nx", "", false);
}

static void check_automatic(const char *header, bool automatic)
{
	char raw[1024];
	struct mail mail;

	snprintf(raw, sizeof(raw), HEAD "%s\r\n\r\nx", header);
	mail = read_text(raw);
	if ((mail.automatic != NULL) != automatic)
		fprintf(stderr, "%s\n", header);
	CU_ASSERT_EQUAL(mail.automatic != NULL, automatic);
	mail_finish(&mail);
}

static void machines_are_told(void)
{
	check_automatic("Auto-Submitted: auto-replied", true);
	check_automatic("Auto-Submitted: auto-generated (x)", true);
	check_automatic("Auto-Submitted: no", false);
	check_automatic("Precedence: Bulk", true);
	check_automatic("Precedence: first-class", false);
	check_automatic("List-Id: <x.example.com>", true);
	check_automatic("List-Unsubscribe: <mailto:x@y.org>", true);
	check_automatic("X-Auto-Response-Suppress: OOF", true);
	check_automatic("X-Auto-Response-Suppress: none", false);
	check_automatic("X-Loop: me", true);
	check_automatic("Return-Path: <>", true);
	check_automatic("Return-Path: <ada@example.com>", false);
	check_automatic("Content-Type: multipart/report; boundary=x", true);
	check_automatic("Subject: Auto-Submitted: auto-replied", false);
}

/* ---- Out ---- */

static struct mime_draft draft(void)
{
	return (struct mime_draft){.from = "agent@example.org",
		.to = "ada@example.com",
		.subject = "Plan",
		.id = "i@example.org",
		.at_ms = INT64_C(1700000000000),
		.text = "text",
		.fd = -1};
}

static char *written(const struct mime_draft *it)
{
	struct cg_buffer bytes;
	char *text;

	mime_library_init();
	cg_buffer_init(&bytes, 1u << 20);
	CU_ASSERT_EQUAL_FATAL(mime_write(it, &bytes, NULL), CG_OK);
	text = cg_buffer_take(&bytes, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	return text;
}

/* Headers named @name before the body. */
static int count_headers(const char *text, const char *name)
{
	const char *end = strstr(text, "\r\n\r\n");
	size_t length = strlen(name);
	int count = strncmp(text, name, length) == 0;

	for (const char *at = text; at < end; at++)
		count +=
			strncmp(at, "\r\n", 2) == 0 && strncmp(at + 2, name, length) == 0;
	return count;
}

static void no_text_becomes_a_header(void)
{
	struct mime_draft it = draft();
	char *text;

	it.subject = "x\r\nBcc: eve@evil.example\r\n\r\nbody";
	it.from_name = "n\r\nBcc: eve@evil.example";
	it.in_reply_to = "a@b>\r\nBcc: <eve@evil.example";
	it.references[0] = "a@b\r\nBcc:c@d";
	text = written(&it);
	CU_ASSERT_EQUAL(count_headers(text, "Bcc:"), 0);
	CU_ASSERT_EQUAL(count_headers(text, "Subject:"), 1);
	CU_ASSERT_EQUAL(count_headers(text, "From:"), 1);
	free(text);
}

static void what_is_written_can_be_read(void)
{
	struct mime_draft it = draft();
	char path[] = "/tmp/cowgate-mime-XXXXXX";
	int fd = mkstemp(path);
	struct mail mail;
	char *text;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "\0\1\2bytes", 8), 8);
	unlink(path);
	lseek(fd, 0, SEEK_SET);
	it.from = "ada@example.com";
	it.from_name = "Adá \"Q\" Löwe";
	it.subject =
		"Re: Pläne für 😀, sehr sehr lange Zeilen, die gefaltet werden müssen";
	it.text = "Zeile\n.Punkt\nFrom here\n\nEnde \xF0\x9F\x98\x80";
	it.html = "<p>x</p>";
	it.references[0] = "root@x.org";
	it.references[1] = it.in_reply_to = "parent@x.org";
	it.fd = fd;
	it.filename = "Übersicht.bin";
	it.mime_type = "application/x-thing";
	text = written(&it);
	for (const char *line = text; (line = strstr(line, "\r\n")) != NULL; line += 2)
		CU_ASSERT_TRUE(strcspn(line + 2, "\r") < 998);
	CU_ASSERT_EQUAL(strcspn(text, "\n"), strcspn(text, "\r") + 1);
	mail = read_text(text);
	CU_ASSERT_STRING_EQUAL(mail.name, it.from_name);
	CU_ASSERT_STRING_EQUAL(mail.subject, it.subject);
	CU_ASSERT_STRING_EQUAL(mail.text, it.text);
	CU_ASSERT_STRING_EQUAL(mail.root, "root@x.org");
	CU_ASSERT_PTR_NOT_NULL(mail.automatic); /* nobody's machine answers it */
	CU_ASSERT_EQUAL_FATAL(mail.file_count, 1);
	CU_ASSERT_STRING_EQUAL(mail.files[0].filename, it.filename);
	CU_ASSERT_STRING_EQUAL(mail.files[0].mime_type, it.mime_type);
	CU_ASSERT_EQUAL(mail.files[0].length, 8);
	mail_finish(&mail);
	free(text);
	close(fd);
}

static void a_strange_type_is_bytes(void)
{
	struct mime_draft it = draft();
	char *text;

	it.fd = open("/dev/null", O_RDONLY);
	it.filename = NULL;
	it.mime_type = "text/plain\r\nX: y";
	text = written(&it);
	CU_ASSERT_PTR_NULL(strstr(text, "\r\nX: y"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "application/octet-stream"));
	free(text);
	close(it.fd);
}

UNIT_SUITE(email_mime, UNIT_TEST(charsets_become_utf8),
	UNIT_TEST(broken_bytes_are_repaired), UNIT_TEST(headers_are_decoded),
	UNIT_TEST(parts_find_their_place), UNIT_TEST(html_alone_is_readable),
	UNIT_TEST(caps_hold), UNIT_TEST(senders_are_judged), UNIT_TEST(machines_are_told),
	UNIT_TEST(no_text_becomes_a_header), UNIT_TEST(what_is_written_can_be_read),
	UNIT_TEST(a_strange_type_is_bytes));
