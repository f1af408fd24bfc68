/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/options.h"
#include "tests/support/settings_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/error.h>
#include <string.h>

static struct settings_pair pairs[12];
static struct settings_fake fake;

static void set(const char *name, const char *value)
{
	size_t at = 0;

	while (pairs[at].name != NULL && strcmp(pairs[at].name, name) != 0)
		at++;
	pairs[at] = (struct settings_pair){name, value};
}

/* What a mailbox by webhook needs, and no more. */
static void begin(void)
{
	memset(pairs, 0, sizeof(pairs));
	set("from", "agent@example.org");
	set("smtpHost", "smtp.example.org");
	set("inboundSecret", "inbound-pass");
}

static enum cg_status take(struct email_settings *ret, struct cg_error *err)
{
	enum cg_status status;

	settings_fake_init(&fake, "email", email_options, EMAIL_OPTIONS, pairs);
	status = email_settings_init(ret, &fake.settings, err);
	CU_ASSERT_FALSE(settings_fake_leaks(&fake, err->text));
	return status;
}

/* One setting that is wrong beside what is right so far: it is named, and nothing is touched. */
static void check_refused(const char *name, const char *value)
{
	struct email_settings settings = {.smtp_port = 77};
	struct cg_error err = {.text = ""};
	struct settings_pair kept[12];

	memcpy(kept, pairs, sizeof(kept));
	set(name, value);
	CU_ASSERT_EQUAL(take(&settings, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, name));
	CU_ASSERT_EQUAL(settings.smtp_port, 77);
	memcpy(pairs, kept, sizeof(kept));
}

static void check_taken(struct email_settings *ret)
{
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL_FATAL(take(ret, &err), CG_OK);
}

static void little_has_to_be_said(void)
{
	struct email_settings settings;

	begin();
	set("from", "Agent A. <Agent@Example.org>");
	check_taken(&settings);
	CU_ASSERT_STRING_EQUAL(settings.from, "agent@example.org");
	CU_ASSERT_STRING_EQUAL(settings.domain, "example.org");
	CU_ASSERT_STRING_EQUAL(settings.from_name, "Agent A.");
	CU_ASSERT_PTR_EQUAL(settings.from_name, settings.from_name_room);
	CU_ASSERT_STRING_EQUAL(settings.address, "");
	CU_ASSERT_STRING_EQUAL(settings.subject, "Open Cowork update");
	CU_ASSERT_EQUAL(settings.smtp_tls, EMAIL_TLS_STARTTLS);
	CU_ASSERT_EQUAL(settings.smtp_port, 25);
	CU_ASSERT_PTR_NULL(settings.smtp_username);
	CU_ASSERT_PTR_NULL(settings.ca_file);
	CU_ASSERT_PTR_NULL(settings.authserv_id);
	CU_ASSERT_PTR_NULL(settings.imap_url);
	CU_ASSERT_FALSE(settings.trust_from);
	CU_ASSERT_EQUAL(settings.max_attachment, 1048576);
	email_settings_finish(&settings);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.inbound_secret));
	email_settings_finish(&settings);
	set("from", "agent@example.org");
	check_taken(&settings);
	CU_ASSERT_PTR_NULL(settings.from_name);
	email_settings_finish(&settings);
}

static void addresses_and_subject_are_judged(void)
{
	struct email_settings settings;
	char subject[202];

	begin();
	check_refused("from", "");
	check_refused("from", "nobody");
	check_refused("inboundAddress", "nobody");
	check_refused("subject", "two\nlines");
	check_refused("subject", " ");
	memset(subject, 's', sizeof(subject));
	subject[201] = '\0';
	check_refused("subject", subject);
	subject[200] = '\0';
	set("subject", subject);
	check_taken(&settings);
	email_settings_finish(&settings);
}

static void the_server_is_a_host(void)
{
	begin();
	check_refused("smtpHost", "");
	check_refused("smtpHost", "smtp.example.org:587");
	check_refused("smtpHost", "smtp://smtp.example.org");
	check_refused("smtpHost", "a@smtp.example.org");
	check_refused("smtpHost", "smtp example");
	check_refused("inboundSecret", "two\nlines");
}

static void tls_and_port_belong_together(void)
{
	static const struct {
		const char *tls, *secure, *port;
		enum email_tls wanted;
		int wanted_port;
	} rows[] = {
		{"required", "false", "0", EMAIL_TLS_STARTTLS, 25},
		{"required", "true", "0", EMAIL_TLS_IMPLICIT, 465},
		{"opportunistic", "true", "0", EMAIL_TLS_IMPLICIT, 465},
		{"opportunistic", "false", "0", EMAIL_TLS_OPPORTUNISTIC, 25},
		{"off", "false", "2525", EMAIL_TLS_OFF, 2525},
		{"required", "true", "587", EMAIL_TLS_IMPLICIT, 587},
	};
	struct email_settings settings;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin();
		set("smtpTls", rows[i].tls);
		set("smtpSecure", rows[i].secure);
		set("smtpPort", rows[i].port);
		check_taken(&settings);
		CU_ASSERT_EQUAL(settings.smtp_tls, rows[i].wanted);
		CU_ASSERT_EQUAL(settings.smtp_port, rows[i].wanted_port);
		email_settings_finish(&settings);
	}
	set("smtpTls", "off");
	check_refused("smtpSecure", "true");
}

static void a_password_never_goes_in_clear(void)
{
	struct email_settings settings;

	begin();
	set("smtpUsername", "agent");
	check_refused("smtpPassword", "");
	set("smtpPassword", "smtp-pass");
	check_refused("smtpTls", "off");
	check_taken(&settings);
	CU_ASSERT_STRING_EQUAL(settings.smtp_username, "agent");
	CU_ASSERT_TRUE(cg_secret_equals(&settings.smtp_password, "smtp-pass", 9));
	email_settings_finish(&settings);
}

static void a_mailbox_has_a_login(void)
{
	struct email_settings settings;

	begin();
	set("imapUrl", "imaps://imap.example.org:1993");
	check_refused("imapUsername", "");
	set("smtpUsername", "agent");
	set("smtpPassword", "smtp-pass");
	check_taken(&settings); /* the one of sending */
	CU_ASSERT_STRING_EQUAL(settings.imap_username, "agent");
	CU_ASSERT_TRUE(cg_secret_equals(&settings.imap_password, "smtp-pass", 9));
	CU_ASSERT_STRING_EQUAL(settings.imap_folder, "INBOX");
	email_settings_finish(&settings);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.imap_password));
	set("imapUsername", "reader");
	set("imapPassword", "imap-pass");
	set("inboundSecret", ""); /* a mailbox is a way in */
	check_taken(&settings);
	CU_ASSERT_STRING_EQUAL(settings.imap_username, "reader");
	CU_ASSERT_TRUE(cg_secret_equals(&settings.imap_password, "imap-pass", 9));
	email_settings_finish(&settings);
	check_refused("imapFolder", " ");
	check_refused("imapFolder", "a\"b");
	check_refused("imapFolder", "a\\b");
	check_refused("imapFolder", "a\r\nb");
	check_refused("imapUrl", "https://imap.example.org");
	check_refused("imapUrl", "imaps://");
	check_refused("imapUrl", "imaps://u:p@imap.example.org");
	check_refused("imapUrl", "imaps://imap.example.org/INBOX");
	check_refused("imapUrl", "imaps://imap.example.org;AUTH=*");
	check_refused("imapUrl", "imaps://imap example");
}

static void mail_has_a_way_in(void)
{
	begin();
	check_refused("inboundSecret", "");
}

/* Whatever the setting says. */
static void attachments_have_a_limit(void)
{
	static const struct {
		const char *value;
		size_t limit;
	} rows[] = {
		{"1", 1},
		{"15728639", 15728639},
		{"15728640", EMAIL_ATTACHMENT_MAX},
		{"67108864", EMAIL_ATTACHMENT_MAX},
		{"0", EMAIL_ATTACHMENT_MAX},
	};
	struct email_settings settings;

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set("maxAttachmentBytes", rows[i].value);
		check_taken(&settings);
		CU_ASSERT_EQUAL(settings.max_attachment, rows[i].limit);
		email_settings_finish(&settings);
	}
}

UNIT_SUITE(email_options, UNIT_TEST(little_has_to_be_said),
	UNIT_TEST(addresses_and_subject_are_judged), UNIT_TEST(the_server_is_a_host),
	UNIT_TEST(tls_and_port_belong_together),
	UNIT_TEST(a_password_never_goes_in_clear), UNIT_TEST(a_mailbox_has_a_login),
	UNIT_TEST(mail_has_a_way_in), UNIT_TEST(attachments_have_a_limit));
