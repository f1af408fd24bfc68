/* SPDX-License-Identifier: Apache-2.0 */
/* One conversation with a submission server that answers as its rules say, and well otherwise. */
#ifndef COWGATE_TESTS_UNIT_SMTP_FIXTURE_H
#define COWGATE_TESTS_UNIT_SMTP_FIXTURE_H

#include "providers/email/smtp.h"
#include "tests/support/line_peer.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* libesmtp adds the headers that are not there. */
#define SMTP_FIXTURE_HEAD \
	"From: agent@example.org\r\nDate: Sun, 01 Jan 2023 00:00:00 +0000\r\n" \
	"Message-Id: <1@example.org>\r\n\r\n"
#define SMTP_FIXTURE_MAIL SMTP_FIXTURE_HEAD "Hello\r\n.dot\r\n"
#define SMTP_FIXTURE_ARRIVED SMTP_FIXTURE_HEAD "Hello\r\n..dot\r\n.\r\n"
/* PLAIN, of agent's "open sesame" */
#define SMTP_FIXTURE_PASSWORD "AGFnZW50AG9wZW4gc2VzYW1l"

struct smtp_fixture {
	struct line_peer peer;
	struct email_settings settings;
	struct smtp_session session;
	struct smtp_report report;
	bool distrust; /* the server's certificate is not known */
};

static const struct line_peer_rule smtp_fixture_rules[] = {
	{.verb = "", .reply = "220 ready\r\n"},
	{.verb = "EHLO", .reply = "250-here\r\n250 AUTH PLAIN\r\n"},
	{.verb = "AUTH", .reply = "235 known\r\n"},
	{.verb = "MAIL", .reply = "250 ok\r\n"},
	{.verb = "RCPT", .reply = "250 ok\r\n"},
	{.verb = "DATA", .reply = "354 go on\r\n", .flags = LINE_PEER_CONTENT},
	{.verb = ".", .reply = "250 queued\r\n"},
	{.verb = "QUIT", .reply = "221 bye\r\n", .flags = LINE_PEER_HANG_UP},
	{.verb = NULL},
};

/* The server alone; @rules may be NULL. */
static inline void smtp_fixture_init(struct smtp_fixture *fixture,
	const struct line_peer_rule *rules, enum email_tls tls)
{
	*fixture = (struct smtp_fixture){
		.peer = {.rules = rules,
			.others = smtp_fixture_rules,
			.arg = fixture,
			.tls = tls == EMAIL_TLS_IMPLICIT},
		.settings = {.smtp_host = "127.0.0.1", .smtp_tls = tls},
		.session = {.from = "agent@example.org",
			.to = "ada@example.com",
			.bytes = SMTP_FIXTURE_MAIL,
			.length = strlen(SMTP_FIXTURE_MAIL),
			.timeout_ms = 20000},
	};
	smtp_library_init();
	fixture->session.settings = &fixture->settings;
	smtp_session_init(&fixture->session);
}

/* The whole conversation.  Its report and all that the server heard stay. */
static inline void smtp_fixture_run(struct smtp_fixture *fixture)
{
	line_peer_start(&fixture->peer);
	fixture->settings.smtp_port = fixture->peer.port;
	fixture->settings.ca_file = fixture->distrust ? NULL : fixture->peer.ca_file;
	smtp_session_run(&fixture->session);
	smtp_session_end(&fixture->session, SMTP_FINE, &fixture->report);
	line_peer_stop(&fixture->peer);
	smtp_session_finish(&fixture->session);
	cg_secret_wipe(&fixture->settings.smtp_password);
}

static inline bool smtp_fixture_heard(
	const struct smtp_fixture *fixture, const char *text)
{
	return strstr(fixture->peer.heard, text) != NULL;
}

static inline void smtp_fixture_log_in(struct smtp_fixture *fixture)
{
	fixture->settings.smtp_username = "agent";
	if (cg_secret_set(&fixture->settings.smtp_password, "open sesame", 11) != CG_OK)
		abort();
}

/* A command is answered with @reply: how does it end? */
static inline void smtp_fixture_check(enum email_tls tls,
	const struct line_peer_rule *rule, enum smtp_stage stage, int code)
{
	const struct line_peer_rule rules[] = {*rule, {.verb = NULL}};
	struct smtp_fixture *fixture = malloc(sizeof(*fixture));

	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture);
	smtp_fixture_init(fixture, rules, tls);
	smtp_fixture_run(fixture);
	CU_ASSERT_EQUAL(fixture->report.stage, stage);
	CU_ASSERT_EQUAL(fixture->report.code, code);
	CU_ASSERT_EQUAL(fixture->report.text[0] != '\0', code != 0);
	free(fixture);
}

#endif
