/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/slack_signature.h"
#include "tests/support/webhook_request.h"
#include "tests/unit/providers/slack/slack_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#define FORM "application/x-www-form-urlencoded"

struct posted {
	struct webhook_request request; /* first */
	char timestamp[24], signature[SLACK_SIGNATURE];
};

static void post_at(struct slack_fixture *fixture, struct posted *posted,
	const char *body, const char *type, int64_t at_s)
{
	*posted = (struct posted){.timestamp = ""};
	snprintf(posted->timestamp, sizeof(posted->timestamp), "%" PRId64, at_s);
	slack_signature(SLACK_FIXTURE_SECRET, posted->timestamp, body, posted->signature);
	webhook_request_set(
		&posted->request, "X-Slack-Request-Timestamp", posted->timestamp);
	webhook_request_set(&posted->request, "X-Slack-Signature", posted->signature);
	webhook_request_set(&posted->request, "Content-Type", type);
	slack_ingress(fixture->slack, webhook_request_make(&posted->request, "POST", body,
					      fixture->host->wall_ms));
}

static enum cg_webhook_result post(
	struct slack_fixture *fixture, struct posted *posted, const char *body)
{
	post_at(fixture, posted, body, body[0] == '{' ? "application/json" : FORM,
		fixture->host->wall_ms / 1000);
	CU_ASSERT_EQUAL(posted->request.answers, 1);
	return posted->request.result;
}

/* The example that Slack's own documentation works through. */
static void the_published_example_is_believed(void)
{
	static const char body[] =
		"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
		"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
		"&user_name=roadrunner&command=%2Fwebhook-collect&text="
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J"
		"%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
		"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
	static const char signature[] =
		"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
	struct slack_fixture fixture;
	struct webhook_request request = {.answers = 0};

	slack_fixture_up(&fixture);
	webhook_request_set(&request, "X-Slack-Request-Timestamp", "1531420618");
	webhook_request_set(&request, "X-Slack-Signature", signature);
	webhook_request_set(&request, "Content-Type", FORM);
	slack_ingress(fixture.slack,
		webhook_request_make(&request, "POST", body, INT64_C(1531420618000)));
	CU_ASSERT_NOT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	CU_ASSERT_EQUAL(fixture.slack->arrival_count, 1);
	slack_fixture_finish(&fixture);
}

static void a_request_is_fresh_for_five_minutes(void)
{
	static const struct {
		int64_t offset_s;
		bool fresh;
	} rows[] = {{-301, false}, {-300, true}, {0, true}, {300, true}, {301, false}};
	struct slack_fixture fixture;
	struct posted posted;

	slack_fixture_up(&fixture);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		post_at(&fixture, &posted, "{}", "application/json",
			fixture.host->wall_ms / 1000 + rows[i].offset_s);
		CU_ASSERT_EQUAL(posted.request.result,
			rows[i].fresh ? CG_WEBHOOK_ACCEPTED : CG_WEBHOOK_DENIED);
	}
	slack_fixture_finish(&fixture);
}

/* Whoever cannot even write the headers says nothing about our secret. */
static void strangers_do_not_blame_the_secret(void)
{
	static const char *const signatures[] = {"", "v0=", "v0=00",
		"v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
		"v0=z2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
		"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b5030"};
	static const char *const timestamps[] = {
		"", "-1700000000", "1700000000x", "17000000000000000000000"};
	struct slack_fixture fixture;
	struct webhook_request request;

	slack_fixture_up(&fixture);
	for (size_t i = 0; i < 10; i++) {
		request = (struct webhook_request){.answers = 0};
		webhook_request_set(&request, "X-Slack-Request-Timestamp",
			i < 6 ? "1700000000" : timestamps[i - 6]);
		webhook_request_set(&request, "X-Slack-Signature",
			i < 6 ? signatures[i] : signatures[3]);
		slack_ingress(fixture.slack, webhook_request_make(&request, "POST", "{}",
						     fixture.host->wall_ms));
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	}
	CU_ASSERT_EQUAL(fixture.slack->unsigned_requests, 0);
	CU_ASSERT_EQUAL(fixture.host->health.inbound, CG_HEALTH_UP);
	slack_fixture_finish(&fixture);
}

static void nobody_is_heard_before_the_start(void)
{
	struct slack_fixture fixture;
	struct posted posted;

	slack_fixture_init(&fixture);
	CU_ASSERT_EQUAL(post(&fixture, &posted, "{}"), CG_WEBHOOK_UNAVAILABLE);
	slack_fixture_finish(&fixture);
}

static void a_challenge_comes_back(void)
{
	struct slack_fixture fixture;
	struct posted posted;
	char body[1200], expected[1200], text[1026];

	slack_fixture_up(&fixture);
	memset(text, 'c', sizeof(text));
	text[1024] = '\0';
	snprintf(body, sizeof(body),
		"{\"type\":\"url_verification\",\"challenge\":\"%s\"}", text);
	CU_ASSERT_EQUAL(post(&fixture, &posted, body), CG_WEBHOOK_ACCEPTED);
	snprintf(expected, sizeof(expected), "{\"challenge\":\"%s\"}", text);
	CU_ASSERT_STRING_EQUAL(posted.request.body, expected);
	text[1024] = 'c';
	text[1025] = '\0';
	snprintf(body, sizeof(body),
		"{\"type\":\"url_verification\",\"challenge\":\"%s\"}", text);
	CU_ASSERT_EQUAL(post(&fixture, &posted, body), CG_WEBHOOK_BAD);
	slack_fixture_finish(&fixture);
}

/* Slack disables an app that answers too much of what it sends with a no. */
static void what_is_not_known_is_acknowledged(void)
{
	static const char *const bodies[] = {
		"{}",
		"{\"type\":\"app_rate_limited\"}",
		"{\"type\":\"event_callback\",\"event\":{\"type\":\"channel_rename\"}}",
		"ssl_check=1&token=x",
		"payload=%7B%22type%22%3A%22view_submission%22%7D",
	};
	struct slack_fixture fixture;
	struct posted posted;

	slack_fixture_up(&fixture);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		CU_ASSERT_EQUAL(post(&fixture, &posted, bodies[i]), CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_EQUAL(fixture.host->submission_count, 0);
	slack_fixture_finish(&fixture);
}

/* The same bytes are told apart by what they are said to be. */
static void the_type_says_how_to_read(void)
{
	static const char command[] =
		"command=%2Fcowgate&text=status&user_id=U1&channel_id=D1&trigger_id=7";
	struct slack_fixture fixture;
	struct posted posted;

	slack_fixture_up(&fixture);
	post_at(&fixture, &posted, command, "application/json",
		fixture.host->wall_ms / 1000);
	CU_ASSERT_EQUAL(posted.request.result, CG_WEBHOOK_BAD);
	post_at(&fixture, &posted, command, FORM "; charset=utf-8",
		fixture.host->wall_ms / 1000);
	CU_ASSERT_EQUAL(posted.request.answers, 0);
	host_fake_fault(host_fake_open_call(fixture.host), CG_HTTP_TIMED_OUT);
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->command, "status");
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(posted.request.result, CG_WEBHOOK_ACCEPTED);
	slack_fixture_finish(&fixture);
}

UNIT_SUITE(slack_ingress, UNIT_TEST(the_published_example_is_believed),
	UNIT_TEST(a_request_is_fresh_for_five_minutes),
	UNIT_TEST(strangers_do_not_blame_the_secret),
	UNIT_TEST(nobody_is_heard_before_the_start), UNIT_TEST(a_challenge_comes_back),
	UNIT_TEST(what_is_not_known_is_acknowledged),
	UNIT_TEST(the_type_says_how_to_read));
