/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/email/smtp_fixture.h"

static void what_is_given_arrives(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "MAIL", .reply = "250 ok\r\n", .flags = LINE_PEER_PIECES},
		{.verb = ".",
			.reply = "250-one more line\r\n250 queued\r\n",
			.flags = LINE_PEER_PIECES},
		{.verb = NULL},
	};
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, rules, EMAIL_TLS_IMPLICIT);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_END);
	CU_ASSERT_EQUAL(fixture.report.code, 250);
	CU_ASSERT_STRING_EQUAL(fixture.report.text, "queued");
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, "MAIL FROM:<agent@example.org>"));
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, "RCPT TO:<ada@example.com>"));
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, SMTP_FIXTURE_ARRIVED));
}

static void a_no_has_its_stage(void)
{
	static const struct {
		struct line_peer_rule rule;
		enum smtp_stage stage;
		int code;
	} rows[] = {
		{{.verb = "", .reply = "554 closed\r\n"}, SMTP_GREETING, 554},
		{{.verb = "MAIL", .reply = "451 later\r\n"}, SMTP_SENDER, 451},
		{{.verb = "RCPT", .reply = "550-no\r\n550 such user\r\n"}, SMTP_RECIPIENT,
			550},
		{{.verb = "DATA", .reply = "554 no\r\n"}, SMTP_CONTENT, 554},
		{{.verb = ".", .reply = "554 spam\r\n"}, SMTP_END, 554},
		{{.verb = ".", .reply = "452 full\r\n"}, SMTP_END, 452},
		{{.verb = "QUIT", .reply = "", .flags = LINE_PEER_HANG_UP}, SMTP_END,
			250},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		smtp_fixture_check(
			EMAIL_TLS_IMPLICIT, &rows[i].rule, rows[i].stage, rows[i].code);
}

/* Only what ends behind the final dot may have arrived. */
static void who_hangs_up_leaves_a_stage(void)
{
	static const struct {
		struct line_peer_rule rule;
		enum smtp_stage stage;
	} rows[] = {
		{{.verb = "MAIL", .reply = "25", .flags = LINE_PEER_HANG_UP},
			SMTP_SENDER},
		{{.verb = "RCPT", .reply = "250 o", .flags = LINE_PEER_HANG_UP},
			SMTP_RECIPIENT},
		{{.verb = "DATA", .reply = "", .flags = LINE_PEER_HANG_UP}, SMTP_CONTENT},
		{{.verb = ".", .reply = "", .flags = LINE_PEER_HANG_UP}, SMTP_END},
		{{.verb = ".", .reply = "250 q", .flags = LINE_PEER_HANG_UP}, SMTP_END},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		smtp_fixture_check(EMAIL_TLS_IMPLICIT, &rows[i].rule, rows[i].stage, 0);
}

static void give_up(void *arg)
{
	struct smtp_fixture *fixture = arg;

	smtp_session_end(&fixture->session, SMTP_TIMED_OUT, NULL);
}

static void an_ended_conversation_says_no_more(void)
{
	static const struct line_peer_rule rules[] = {
		{.verb = "RCPT", .reply = "250 ok\r\n", .then = give_up},
		{.verb = NULL},
	};
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, rules, EMAIL_TLS_IMPLICIT);
	smtp_fixture_run(&fixture);
	/* libcurl tells of a command when it has left, and the server may be faster. */
	CU_ASSERT_TRUE(fixture.report.stage <= SMTP_RECIPIENT);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_TIMED_OUT);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "Hello"));
}

static void a_stranger_is_told_nothing(void)
{
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, NULL, EMAIL_TLS_IMPLICIT);
	fixture.distrust = true;
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_BAD_TLS);
	CU_ASSERT_EQUAL(fixture.peer.heard_length, 0);

	/* A server that speaks in clear is none. */
	smtp_fixture_init(&fixture, NULL, EMAIL_TLS_IMPLICIT);
	fixture.peer.tls = false;
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_BAD_TLS);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "EHLO"));
}

static void no_content_goes_without_the_login(void)
{
	static const struct line_peer_rule asks[] = {
		{.verb = "AUTH", .reply = "334 \r\n"},
		{.verb = SMTP_FIXTURE_PASSWORD, .reply = "235 known\r\n"},
		{.verb = NULL}};
	static const struct line_peer_rule silent[] = {
		{.verb = "EHLO", .reply = "250 here\r\n"}, {.verb = NULL}};
	static const struct line_peer_rule strict[] = {
		{.verb = "AUTH", .reply = "535 wrong\r\n"}, {.verb = NULL}};
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, asks, EMAIL_TLS_IMPLICIT);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.code, 250);
	CU_ASSERT_TRUE(smtp_fixture_heard(&fixture, SMTP_FIXTURE_PASSWORD));

	smtp_fixture_init(&fixture, silent, EMAIL_TLS_IMPLICIT);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_NO_LOGIN);
	CU_ASSERT_TRUE(fixture.report.stage < SMTP_END);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "Hello"));

	smtp_fixture_init(&fixture, strict, EMAIL_TLS_IMPLICIT);
	smtp_fixture_log_in(&fixture);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_LOGIN);
	CU_ASSERT_EQUAL(fixture.report.code, 535);
	CU_ASSERT_FALSE(smtp_fixture_heard(&fixture, "MAIL FROM"));
}

UNIT_SUITE(email_smtp_implicit, UNIT_TEST(what_is_given_arrives),
	UNIT_TEST(a_no_has_its_stage), UNIT_TEST(who_hangs_up_leaves_a_stage),
	UNIT_TEST(an_ended_conversation_says_no_more),
	UNIT_TEST(a_stranger_is_told_nothing),
	UNIT_TEST(no_content_goes_without_the_login));
