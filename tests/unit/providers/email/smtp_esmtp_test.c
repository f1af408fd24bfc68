/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/email/smtp_fixture.h"

static void what_is_given_arrives(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "EHLO",
			.reply = "250-here\r\n250-PIPELINING\r\n250 SIZE 1000\r\n",
			.flags = LINE_PEER_PIECES},
		{.verb = "MAIL", .reply = "250 ok\r\n", .flags = LINE_PEER_PIECES},
		{.verb = ".",
			.reply = "250-one more line\r\n250 queued\r\n",
			.flags = LINE_PEER_PIECES},
		{.verb = NULL},
	};
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, rules, EMAIL_TLS_OFF);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_END);
	CU_ASSERT_EQUAL(fixture.report.code, 250);
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, "MAIL FROM:<agent@example.org>"));
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, "RCPT TO:<ada@example.com>"));
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, SMTP_FIXTURE_ARRIVED));
	CU_ASSERT_EQUAL(fixture.peer.clients, 1);
}

static void a_no_has_its_stage(void)
{
	static const struct {
		struct line_peer_rule rule;
		enum smtp_stage stage;
		int code;
	} rows[] = {
		{{.verb = "", .reply = "554 closed\r\n"}, SMTP_GREETING, 554},
		{{.verb = "", .reply = "421 busy\r\n"}, SMTP_GREETING, 421},
		{{.verb = "MAIL", .reply = "553 who\r\n"}, SMTP_SENDER, 553},
		{{.verb = "MAIL", .reply = "451 later\r\n"}, SMTP_SENDER, 451},
		{{.verb = "RCPT", .reply = "550-no\r\n550 such user\r\n"}, SMTP_RECIPIENT,
			550},
		{{.verb = "RCPT", .reply = "450 grey\r\n"}, SMTP_RECIPIENT, 450},
		{{.verb = "DATA", .reply = "554 no\r\n"}, SMTP_CONTENT, 554},
		{{.verb = ".", .reply = "554 spam\r\n"}, SMTP_END, 554},
		{{.verb = ".", .reply = "452 full\r\n"}, SMTP_END, 452},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		smtp_fixture_check(
			EMAIL_TLS_OFF, &rows[i].rule, rows[i].stage, rows[i].code);
}

/* Only what ends behind the final dot may have arrived. */
static void who_hangs_up_leaves_a_stage(void)
{
	static const struct {
		struct line_peer_rule rule;
		enum smtp_stage stage;
	} rows[] = {
		{{.verb = "", .reply = "", .flags = LINE_PEER_HANG_UP}, SMTP_GREETING},
		{{.verb = "MAIL", .reply = "25", .flags = LINE_PEER_HANG_UP},
			SMTP_SENDER},
		{{.verb = "RCPT", .reply = "25", .flags = LINE_PEER_HANG_UP},
			SMTP_RECIPIENT},
		{{.verb = "DATA", .reply = "", .flags = LINE_PEER_HANG_UP}, SMTP_CONTENT},
		{{.verb = ".", .reply = "", .flags = LINE_PEER_HANG_UP}, SMTP_END},
		{{.verb = ".", .reply = "25", .flags = LINE_PEER_HANG_UP}, SMTP_END},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		smtp_fixture_check(EMAIL_TLS_OFF, &rows[i].rule, rows[i].stage, 0);
}

/* It was taken, whatever became of the goodbye. */
static void an_answer_is_not_taken_back(void)
{
	static const struct line_peer_rule rule = {
		.verb = "QUIT", .reply = "", .flags = LINE_PEER_HANG_UP};

	smtp_fixture_check(EMAIL_TLS_OFF, &rule, SMTP_END, 250);
}

static void half_a_mail_was_not_sent(void)
{
	size_t length = 16u << 20;
	char *mail = malloc(length);
	struct smtp_fixture fixture;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	for (size_t i = 0; i < length; i++)
		mail[i] = "line of a mail\r\n"[i % 16];
	smtp_fixture_init(&fixture, NULL, EMAIL_TLS_OFF);
	fixture.peer.content_max = 100000;
	fixture.session.bytes = mail;
	fixture.session.length = length;
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_CONTENT);
	CU_ASSERT_EQUAL(fixture.report.code, 0);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_BROKEN);
	free(mail);
}

/* DATA follows a refused recipient all the same, and some servers take the mail, for nobody. */
static void a_mail_for_nobody_is_not_sent(void)
{
	static const struct line_peer_rule rule = {
		.verb = "RCPT", .reply = "550 5.1.1 nobody\r\n"};

	smtp_fixture_check(EMAIL_TLS_OFF, &rule, SMTP_RECIPIENT, 550);
}

static void give_up(void *arg)
{
	struct smtp_fixture *fixture = arg;

	smtp_session_end(&fixture->session, SMTP_TIMED_OUT, NULL);
}

/* From another thread, while the server thinks. */
static void an_ended_conversation_says_no_more(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "RCPT", .reply = "250 ok\r\n", .then = give_up},
		{.verb = NULL},
	};
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, rules, EMAIL_TLS_OFF);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_RECIPIENT);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_TIMED_OUT);
	CU_ASSERT_EQUAL(fixture.report.code, 0);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "Hello"));
}

static const struct line_peer_rule with_tls[] = {
	{.verb = "EHLO",
		.reply = "250-here\r\n250 STARTTLS\r\n",
		.flags = LINE_PEER_FIRST},
	{.verb = "STARTTLS", .reply = "220 go\r\n", .flags = LINE_PEER_BEGIN_TLS},
	{.verb = NULL},
};

static void a_required_tls_is_required(void)
{
	static const struct {
		const struct line_peer_rule *rules;
		enum email_tls tls;
		bool distrust;
		enum smtp_trouble trouble;
	} rows[] = {
		{with_tls, EMAIL_TLS_STARTTLS, false, SMTP_FINE},
		{NULL, EMAIL_TLS_STARTTLS, false, SMTP_NO_TLS},
		{with_tls, EMAIL_TLS_STARTTLS, true, SMTP_BAD_TLS},
		{with_tls, EMAIL_TLS_OPPORTUNISTIC, false, SMTP_FINE},
		{NULL, EMAIL_TLS_OPPORTUNISTIC, false, SMTP_FINE},
		{with_tls, EMAIL_TLS_OPPORTUNISTIC, true, SMTP_BAD_TLS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct smtp_fixture fixture;
		bool sent = rows[i].trouble == SMTP_FINE;

		smtp_fixture_init(&fixture, rows[i].rules, rows[i].tls);
		fixture.distrust = rows[i].distrust;
		smtp_fixture_run(&fixture);
		CU_ASSERT_EQUAL(fixture.report.code, sent ? 250 : 0);
		CU_ASSERT_EQUAL(smtp_fixture_heard(&fixture, "MAIL FROM"), sent);
		if (!sent)
			CU_ASSERT_EQUAL(fixture.report.trouble, rows[i].trouble);
	}
}

static void a_password_goes_over_tls_only(void)
{
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, with_tls, EMAIL_TLS_STARTTLS);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.code, 250);
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, SMTP_FIXTURE_PASSWORD));

	smtp_fixture_init(&fixture, NULL, EMAIL_TLS_OPPORTUNISTIC);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_CLEAR_LOGIN);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, SMTP_FIXTURE_PASSWORD));
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "MAIL FROM"));
}

static void no_mail_goes_without_the_login(void)
{
	const struct line_peer_rule silent[] = {with_tls[0], with_tls[1],
		{.verb = "EHLO", .reply = "250 here\r\n"}, {.verb = NULL}};
	const struct line_peer_rule strict[] = {with_tls[0], with_tls[1],
		{.verb = "AUTH", .reply = "535 wrong\r\n"}, {.verb = NULL}};
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, silent, EMAIL_TLS_STARTTLS);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_NO_LOGIN);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "MAIL FROM"));

	smtp_fixture_init(&fixture, strict, EMAIL_TLS_STARTTLS);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_LOGIN);
	CU_ASSERT_EQUAL(fixture.report.code, 535);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "MAIL FROM"));
}

UNIT_SUITE(email_smtp_esmtp, UNIT_TEST(what_is_given_arrives),
	UNIT_TEST(a_no_has_its_stage), UNIT_TEST(who_hangs_up_leaves_a_stage),
	UNIT_TEST(an_answer_is_not_taken_back), UNIT_TEST(half_a_mail_was_not_sent),
	UNIT_TEST(a_mail_for_nobody_is_not_sent),
	UNIT_TEST(an_ended_conversation_says_no_more),
	UNIT_TEST(a_required_tls_is_required), UNIT_TEST(a_password_goes_over_tls_only),
	UNIT_TEST(no_mail_goes_without_the_login));
