/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/slack/slack_fixture.h"

#define OURS "{\"ok\":true,\"user_id\":\"UBOT\",\"team_id\":\"T1\",\"user\":\"cowgate\"}"

static struct cg_http_call *asked(struct slack_fixture *fixture)
{
	struct cg_http_call *call = host_fake_open_call(fixture->host);

	if (call != NULL)
		CU_ASSERT_STRING_EQUAL(call->url, "https://slack.com/api/auth.test");
	return call;
}

/* An answer that says what the token may do. */
static void answer_with_scopes(struct cg_http_call *call, const char *scopes)
{
	const struct cg_http_header headers[] = {
		{"content-type", "application/json"}, {"x-oauth-scopes", scopes}};
	const struct cg_http_response response = {.size = sizeof(response),
		.result = CG_HTTP_DONE,
		.status = 200,
		.headers = headers,
		.header_count = 2,
		.body = OURS,
		.length = strlen(OURS),
		.retry_after_ms = -1};

	call->open = false;
	call->done(call->arg, &response);
}

static void we_are_who_slack_says(void)
{
	struct slack_fixture fixture;

	slack_fixture_init(&fixture);
	slack_account_start(fixture.slack);
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_STARTING);
	CU_ASSERT_EQUAL(fixture.host->health.inbound, CG_HEALTH_UP);
	answer_with_scopes(asked(&fixture), "channels:history,chat:write");
	CU_ASSERT_STRING_EQUAL(fixture.slack->bot.user_id, "UBOT");
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_UP);
	CU_ASSERT_STRING_EQUAL(fixture.host->health_detail, "");
	slack_fixture_finish(&fixture);
}

static void an_app_that_may_not_write_is_told(void)
{
	struct slack_fixture fixture;

	slack_fixture_init(&fixture);
	slack_account_start(fixture.slack);
	answer_with_scopes(asked(&fixture), "channels:history");
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.host->health_detail, "chat:write"));
	host_fake_pass(fixture.host, 3600000);
	CU_ASSERT_PTR_NULL(asked(&fixture));
	slack_fixture_finish(&fixture);
}

/* Later and later, never later than five minutes, and never before Slack wants it. */
static void who_does_not_answer_is_asked_again(void)
{
	struct slack_fixture fixture;
	int64_t first, waited = 0;

	slack_fixture_init(&fixture);
	slack_account_start(fixture.slack);
	first = fixture.host->mono_ms;
	host_fake_answer_later(asked(&fixture), 429, 45000);
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_DEGRADED);
	host_fake_pass(fixture.host, 44999);
	CU_ASSERT_PTR_NULL(asked(&fixture));
	host_fake_pass(fixture.host, 1);
	CU_ASSERT_PTR_NOT_NULL(asked(&fixture));
	CU_ASSERT_EQUAL(fixture.host->mono_ms - first, 45000);
	for (int i = 0; i < 30; i++) {
		host_fake_fault(asked(&fixture), CG_HTTP_NOT_DISPATCHED);
		CU_ASSERT_PTR_NULL(asked(&fixture));
		for (waited = 0; asked(&fixture) == NULL && waited <= 300000;
			waited += 1000)
			host_fake_pass(fixture.host, 1000);
		CU_ASSERT_TRUE(waited <= 300000);
	}
	CU_ASSERT_TRUE(waited > 5000); /* the host's dice always show the same: early */
	host_fake_answer(asked(&fixture), 200, OURS);
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_UP);
	slack_fixture_finish(&fixture);
}

/* A host that is full is no answer either. */
static void what_cannot_be_asked_is_asked_again(void)
{
	struct slack_fixture fixture;

	slack_fixture_init(&fixture);
	fixture.host->refuse_http = true;
	slack_account_start(fixture.slack);
	host_fake_pass(fixture.host, 10000);
	CU_ASSERT_PTR_NULL(asked(&fixture));
	fixture.host->refuse_http = false;
	host_fake_pass(fixture.host, 300000);
	CU_ASSERT_PTR_NOT_NULL(asked(&fixture));
	slack_fixture_finish(&fixture);
}

static void a_stop_takes_the_question_back(void)
{
	struct slack_fixture fixture;
	struct cg_http_call *call;

	slack_fixture_init(&fixture);
	slack_account_start(fixture.slack);
	call = asked(&fixture);
	slack_account_stop(fixture.slack);
	CU_ASSERT_TRUE(call->cancelled);
	slack_account_start(fixture.slack);
	host_fake_fault(asked(&fixture), CG_HTTP_TIMED_OUT);
	slack_account_stop(fixture.slack);
	host_fake_pass(fixture.host, 600000);
	CU_ASSERT_PTR_NULL(asked(&fixture));
	slack_account_stop(fixture.slack);
	slack_fixture_finish(&fixture);
}

/* Three in a row are a wrong secret; one that is right is enough.  Only news is told. */
static void wrong_signatures_are_told_once(void)
{
	struct slack_fixture fixture;
	int told;

	slack_fixture_up(&fixture);
	told = fixture.host->health_count;
	slack_signature_seen(fixture.slack, false);
	slack_signature_seen(fixture.slack, false);
	slack_signature_seen(fixture.slack, true);
	slack_signature_seen(fixture.slack, false);
	slack_signature_seen(fixture.slack, false);
	CU_ASSERT_EQUAL(fixture.host->health_count, told);
	slack_signature_seen(fixture.slack, false);
	CU_ASSERT_EQUAL(fixture.host->health_count, told + 1);
	CU_ASSERT_EQUAL(fixture.host->health.inbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_UP);
	for (int i = 0; i < 9; i++)
		slack_signature_seen(fixture.slack, false);
	CU_ASSERT_EQUAL(fixture.host->health_count, told + 1);
	slack_signature_seen(fixture.slack, true);
	CU_ASSERT_EQUAL(fixture.host->health.inbound, CG_HEALTH_UP);
	slack_fixture_finish(&fixture);
}

/* What is said of the way out is not covered up by the way in. */
static void the_worst_is_what_is_said(void)
{
	struct slack_fixture fixture;

	slack_fixture_up(&fixture);
	slack_outbound(fixture.slack, CG_HEALTH_REFUSED, "Slack refuses this app");
	for (int i = 0; i < 3; i++)
		slack_signature_seen(fixture.slack, false);
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_REFUSED);
	CU_ASSERT_STRING_EQUAL(fixture.host->health_detail, "Slack refuses this app");
	slack_outbound(fixture.slack, CG_HEALTH_UP, NULL);
	CU_ASSERT_EQUAL(fixture.host->health.inbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.host->health_detail, "signingSecret"));
	slack_fixture_finish(&fixture);
}

UNIT_SUITE(slack_account, UNIT_TEST(we_are_who_slack_says),
	UNIT_TEST(an_app_that_may_not_write_is_told),
	UNIT_TEST(who_does_not_answer_is_asked_again),
	UNIT_TEST(what_cannot_be_asked_is_asked_again),
	UNIT_TEST(a_stop_takes_the_question_back),
	UNIT_TEST(wrong_signatures_are_told_once), UNIT_TEST(the_worst_is_what_is_said));
