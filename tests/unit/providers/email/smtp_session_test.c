/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/email/smtp_fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What was told when it was ended from outside stays true. */
static void an_ended_session_goes_no_further(void)
{
	struct smtp_session session = {.settings = NULL};
	struct smtp_report report;

	smtp_session_init(&session);
	CU_ASSERT_TRUE(smtp_session_reach(&session, SMTP_RECIPIENT));
	smtp_session_end(&session, SMTP_TIMED_OUT, &report);
	CU_ASSERT_EQUAL(report.stage, SMTP_RECIPIENT);
	CU_ASSERT_EQUAL(report.trouble, SMTP_TIMED_OUT);
	CU_ASSERT_FALSE(smtp_session_reach(&session, SMTP_END));
	smtp_session_end(&session, SMTP_BROKEN, &report);
	CU_ASSERT_EQUAL(report.stage, SMTP_RECIPIENT);
	CU_ASSERT_EQUAL(report.trouble, SMTP_TIMED_OUT);
	smtp_session_finish(&session);

	smtp_session_init(&session);
	CU_ASSERT_TRUE(smtp_session_reach(&session, SMTP_END));
	smtp_session_answer(&session, SMTP_END, 250, "queued");
	smtp_session_answer(&session, SMTP_RECIPIENT, 550, "no");
	smtp_session_end(&session, SMTP_TIMED_OUT, &report);
	CU_ASSERT_EQUAL(report.code, 250);
	smtp_session_finish(&session);
}

/* A stage is never gone back to, and stands still once there is an answer. */
static void stages_only_grow(void)
{
	struct smtp_session session = {.settings = NULL};
	struct smtp_report report;

	smtp_session_init(&session);
	CU_ASSERT_TRUE(smtp_session_reach(&session, SMTP_CONTENT));
	CU_ASSERT_TRUE(smtp_session_reach(&session, SMTP_GREETING));
	smtp_session_answer(&session, SMTP_RECIPIENT, 550, "no");
	CU_ASSERT_TRUE(smtp_session_reach(&session, SMTP_END));
	smtp_session_end(&session, SMTP_FINE, &report);
	CU_ASSERT_EQUAL(report.stage, SMTP_RECIPIENT);
	CU_ASSERT_STRING_EQUAL(report.text, "no");
	CU_ASSERT_EQUAL(report.trouble, SMTP_FINE);
	smtp_session_finish(&session);
}

/* The other end of a connection sees it go down, whenever that was adopted. */
static void an_adopted_connection_ends_with_it(void)
{
	struct smtp_session session = {.settings = NULL};
	int first[2], second[2];
	char byte;

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, first), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
	fcntl(first[1], F_SETFL, O_NONBLOCK);
	fcntl(second[1], F_SETFL, O_NONBLOCK);
	smtp_session_init(&session);
	smtp_session_adopt(&session, first[0]);
	CU_ASSERT_EQUAL(recv(first[1], &byte, 1, 0), -1);
	smtp_session_end(&session, SMTP_TIMED_OUT, NULL);
	CU_ASSERT_EQUAL(recv(first[1], &byte, 1, 0), 0);
	/* One that comes too late, in place of the first. */
	smtp_session_adopt(&session, second[0]);
	CU_ASSERT_EQUAL(fcntl(first[0], F_GETFD), -1);
	CU_ASSERT_EQUAL(recv(second[1], &byte, 1, 0), 0);
	smtp_session_finish(&session);
	CU_ASSERT_EQUAL(fcntl(second[0], F_GETFD), -1);
	close(first[1]);
	close(second[1]);
}

static void what_was_ended_does_not_begin(void)
{
	struct smtp_fixture fixture;

	smtp_fixture_init(&fixture, NULL, EMAIL_TLS_OFF);
	smtp_session_end(&fixture.session, SMTP_TIMED_OUT, NULL);
	smtp_fixture_run(&fixture);
	CU_ASSERT_EQUAL(fixture.peer.clients, 0);
	CU_ASSERT_EQUAL(fixture.report.stage, SMTP_CONNECTING);
	CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_TIMED_OUT);
}

/* Nobody listens at the port that was just given back. */
static void nobody_is_there(void)
{
	static const enum email_tls ways[] = {EMAIL_TLS_OFF, EMAIL_TLS_IMPLICIT};

	for (size_t i = 0; i < 2; i++) {
		struct smtp_fixture fixture;

		smtp_fixture_init(&fixture, NULL, ways[i]);
		line_peer_start(&fixture.peer);
		line_peer_stop(&fixture.peer);
		fixture.settings.smtp_port = fixture.peer.port;
		smtp_session_run(&fixture.session);
		smtp_session_end(&fixture.session, SMTP_FINE, &fixture.report);
		CU_ASSERT_TRUE(fixture.report.stage < SMTP_LOGIN);
		CU_ASSERT_EQUAL(fixture.report.trouble, SMTP_UNREACHABLE);
		smtp_session_finish(&fixture.session);
	}
}

UNIT_SUITE(email_smtp_session, UNIT_TEST(an_ended_session_goes_no_further),
	UNIT_TEST(stages_only_grow), UNIT_TEST(an_adopted_connection_ends_with_it),
	UNIT_TEST(what_was_ended_does_not_begin), UNIT_TEST(nobody_is_there));
