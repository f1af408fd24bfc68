/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe_mail.h"

#include "tests/support/line_peer.h"
#include "tests/support/settings_fake.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define OPTION(kind_, name_, fallback_) \
	{ \
		.size = sizeof(struct cg_option), .kind = CG_OPTION_##kind_, \
		.name = (name_), .fallback = (fallback_), \
	}

/* of agent's "open sesame", as PLAIN sends it */
#define SMTP_PASSWORD "AGFnZW50AG9wZW4gc2VzYW1l"
#define PAIRS 12

static const struct cg_option options[] = {
	OPTION(STRING, "smtpHost", NULL),
	OPTION(INTEGER, "smtpPort", "0"),
	OPTION(BOOLEAN, "smtpSecure", "false"),
	OPTION(CHOICE, "smtpTls", "required"),
	OPTION(STRING, "smtpUsername", NULL),
	OPTION(SECRET, "smtpPassword", NULL),
	OPTION(STRING, "caFile", NULL),
	OPTION(STRING, "imapUrl", NULL),
	OPTION(STRING, "imapUsername", NULL),
	OPTION(SECRET, "imapPassword", NULL),
};

static const struct line_peer_rule smtp[] = {
	{.verb = "", .reply = "220 ready\r\n"},
	{.verb = "EHLO", .reply = "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"},
	{.verb = "STARTTLS", .reply = "220 go on\r\n", .flags = LINE_PEER_BEGIN_TLS},
	{.verb = "AUTH", .reply = "334 \r\n"},
	{.verb = SMTP_PASSWORD, .reply = "235 known\r\n"},
	{.verb = "NOOP", .reply = "250 ok\r\n"},
	{.verb = "QUIT", .reply = "221 bye\r\n", .flags = LINE_PEER_HANG_UP},
	{.verb = NULL},
};

static const struct line_peer_rule imap[] = {
	{.verb = "", .reply = "* OK ready\r\n"},
	{.verb = "CAPABILITY", .reply = "* CAPABILITY IMAP4rev1 STARTTLS\r\n$ OK\r\n"},
	{.verb = "STARTTLS", .reply = "$ OK\r\n", .flags = LINE_PEER_BEGIN_TLS},
	{.verb = "LOGIN", .reply = "$ OK\r\n"},
	{.verb = "NOOP", .reply = "$ OK\r\n"},
	{.verb = "LOGOUT", .reply = "* BYE\r\n$ OK\r\n", .flags = LINE_PEER_HANG_UP},
	{.verb = NULL},
};

/* A server, what the settings say of it, and what was found. */
struct visit {
	struct line_peer peer;
	struct settings_pair pairs[PAIRS];
	char port[16], url[64];
	struct findings findings;
};

static void add(struct visit *visit, const char *name, const char *value)
{
	size_t at = 0;

	while (visit->pairs[at].name != NULL && strcmp(visit->pairs[at].name, name) != 0)
		at++;
	CU_ASSERT_FATAL(at < PAIRS - 1);
	visit->pairs[at] = (struct settings_pair){name, value};
}

static void probe(struct visit *visit)
{
	struct settings_fake fake;

	settings_fake_init(&fake, "email", options, sizeof(options) / sizeof(*options),
		visit->pairs);
	visit->findings = (struct findings){.items = NULL};
	probe_mail(&fake.settings, "channel email", &visit->findings);
	for (size_t i = 0; i < visit->findings.count; i++) {
		CU_ASSERT_STRING_EQUAL(visit->findings.items[i].what, "channel email");
		CU_ASSERT_FALSE(
			settings_fake_leaks(&fake, visit->findings.items[i].text));
	}
}

static void begin(struct visit *visit)
{
	line_peer_start(&visit->peer);
	snprintf(visit->port, sizeof(visit->port), "%d", visit->peer.port);
	if (visit->peer.tagged) {
		snprintf(visit->url, sizeof(visit->url), "%s://127.0.0.1:%d",
			visit->peer.tls ? "imaps" : "imap", visit->peer.port);
		add(visit, "imapUrl", visit->url);
	} else {
		add(visit, "smtpHost", "127.0.0.1");
		add(visit, "smtpPort", visit->port);
		add(visit, "smtpSecure", visit->peer.tls ? "true" : "false");
	}
	if (visit->pairs[0].name == NULL || strcmp(visit->pairs[0].name, "caFile") != 0)
		add(visit, "caFile", visit->peer.ca_file);
}

/* The one finding has this text behind the server's name, and a mend if it is a fault. */
static void end(struct visit *visit, enum finding_level level, const char *text)
{
	const struct finding *found = visit->findings.items;

	line_peer_stop(&visit->peer);
	CU_ASSERT_EQUAL_FATAL(visit->findings.count, 1);
	CU_ASSERT_EQUAL(found->level, level);
	CU_ASSERT_PTR_NOT_NULL(strstr(found->text, "127.0.0.1:"));
	CU_ASSERT_PTR_NOT_NULL(strstr(found->text, text));
	if (strstr(found->text, text) == NULL)
		fprintf(stderr, "%s\n", found->text);
	CU_ASSERT_EQUAL(found->mend[0] != '\0', level == FINDING_FAULT);
	findings_finish(&visit->findings);
}

static void log_in_as(struct visit *visit, const char *username, const char *password)
{
	add(visit, username, "agent");
	add(visit, password, "open sesame");
}

static void smtp_takes_the_login_and_no_mail(void)
{
	for (int implicit = 0; implicit < 2; implicit++) {
		struct visit visit = {.peer = {.others = smtp, .tls = implicit}};

		log_in_as(&visit, "smtpUsername", "smtpPassword");
		begin(&visit);
		probe(&visit);
		end(&visit, FINDING_OK, " takes the login of agent");
		CU_ASSERT_PTR_NOT_NULL(strstr(visit.peer.heard, SMTP_PASSWORD));
		CU_ASSERT_PTR_NOT_NULL(strstr(visit.peer.heard, "NOOP"));
		CU_ASSERT_PTR_NULL(strstr(visit.peer.heard, "MAIL"));
		CU_ASSERT_EQUAL(
			strstr(visit.peer.heard, "STARTTLS") == NULL, implicit == 1);
	}
}

static void without_a_name_it_only_answers(void)
{
	static const char *const ways[] = {"off", "opportunistic", "required"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct visit visit = {.peer = {.others = smtp}};

		add(&visit, "smtpTls", ways[i]);
		begin(&visit);
		probe(&visit);
		end(&visit, FINDING_OK, " answers");
		CU_ASSERT_PTR_NULL(strstr(visit.peer.heard, "AUTH"));
		CU_ASSERT_EQUAL(strstr(visit.peer.heard, "STARTTLS") == NULL, i == 0);
	}
}

static void imap_takes_the_login(void)
{
	for (int implicit = 0; implicit < 2; implicit++) {
		struct visit visit = {
			.peer = {.others = imap, .tagged = true, .tls = implicit}};

		log_in_as(&visit, implicit ? "imapUsername" : "smtpUsername",
			implicit ? "imapPassword" : "smtpPassword");
		begin(&visit);
		probe(&visit);
		end(&visit, FINDING_OK, " takes the login of agent");
		CU_ASSERT_PTR_NOT_NULL(
			strstr(visit.peer.heard, "LOGIN agent \"open sesame\""));
		CU_ASSERT_PTR_NULL(strstr(visit.peer.heard, "SELECT"));
	}
}

static void each_trouble_has_its_sentence(void)
{
	static const struct {
		bool imap, tls, secure;
		struct line_peer_rule rule;
		const char *text;
	} rows[] = {
		{false, false, false,
			{.verb = SMTP_PASSWORD, .reply = "535-5.7.8 no\r\n535 wrong\r\n"},
			" refuses the login: 535 wrong"},
		{true, true, true,
			{.verb = "LOGIN",
				.reply = "$ NO [AUTHENTICATIONFAILED] wrong\r\n"},
			" refuses the login: NO [AUTHENTICATIONFAILED] wrong"},
		{false, false, false, {.verb = "EHLO", .reply = "250 here\r\n"},
			" offers no TLS"},
		{true, false, false,
			{.verb = "CAPABILITY",
				.reply = "* CAPABILITY IMAP4rev1\r\n$ OK\r\n"},
			" offers no TLS"},
		{false, true, true, {.verb = "EHLO", .reply = "250 here\r\n"},
			" offers no login"},
		{false, false, false, {.verb = "", .reply = "554 closed\r\n"},
			" does not answer as a mail server does: 554 closed"},
		{true, true, true,
			{.verb = "CAPABILITY", .reply = "", .flags = LINE_PEER_HANG_UP},
			" does not answer as a mail server does: "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct line_peer_rule rules[] = {rows[i].rule, {.verb = NULL}};
		struct visit visit = {.peer = {.rules = rules,
					      .others = rows[i].imap ? imap : smtp,
					      .tagged = rows[i].imap,
					      .tls = rows[i].tls}};

		log_in_as(&visit, "smtpUsername", "smtpPassword");
		begin(&visit);
		probe(&visit);
		end(&visit, FINDING_FAULT, rows[i].text);
	}
}

static void a_password_never_goes_in_clear(void)
{
	static const struct line_peer_rule bare[] = {
		{.verb = "EHLO", .reply = "250-here\r\n250 AUTH PLAIN\r\n"},
		{.verb = NULL},
	};
	struct visit visit = {.peer = {.rules = bare, .others = smtp}};

	log_in_as(&visit, "smtpUsername", "smtpPassword");
	add(&visit, "smtpTls", "opportunistic");
	begin(&visit);
	probe(&visit);
	end(&visit, FINDING_FAULT, " offers no TLS");
	CU_ASSERT_PTR_NULL(strstr(visit.peer.heard, "AUTH"));
}

static void certificates_are_looked_at(void)
{
	static const struct {
		const char *ca_file, *text;
	} rows[] = {
		{"", " has a certificate that is not trusted: "}, /* the system's */
		{"/nowhere/ca.pem",
			" cannot be judged, for the authorities cannot be read: "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct visit visit = {.peer = {.others = smtp, .tls = true},
			.pairs = {{"caFile", rows[i].ca_file}}};

		log_in_as(&visit, "smtpUsername", "smtpPassword");
		begin(&visit);
		probe(&visit);
		end(&visit, FINDING_FAULT, rows[i].text);
		CU_ASSERT_PTR_NULL(strstr(visit.peer.heard, "AUTH"));
	}
}

static void nobody_listens_there(void)
{
	struct visit visit = {.peer = {.others = smtp}};

	begin(&visit);
	line_peer_stop(&visit.peer);
	add(&visit, "imapUrl", "imaps://127.0.0.1:9");
	log_in_as(&visit, "smtpUsername", "smtpPassword");
	probe(&visit);
	CU_ASSERT_EQUAL_FATAL(visit.findings.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct finding *found = &visit.findings.items[i];

		CU_ASSERT_EQUAL(found->level, FINDING_FAULT);
		CU_ASSERT_PTR_NOT_NULL(strstr(found->text, " cannot be reached: "));
		CU_ASSERT_PTR_NOT_NULL(strstr(
			found->mend, i == 0 ? "EMAIL_SMTP_HOST" : "EMAIL_IMAP_URL"));
	}
	findings_finish(&visit.findings);
}

UNIT_SUITE(probe_mail, UNIT_TEST(smtp_takes_the_login_and_no_mail),
	UNIT_TEST(without_a_name_it_only_answers), UNIT_TEST(imap_takes_the_login),
	UNIT_TEST(each_trouble_has_its_sentence),
	UNIT_TEST(a_password_never_goes_in_clear), UNIT_TEST(certificates_are_looked_at),
	UNIT_TEST(nobody_listens_there));
