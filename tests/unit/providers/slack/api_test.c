/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/slack/slack_fixture.h"

static int answered;

static void count_answer(void *arg, const struct cg_http_response *response)
{
	(void)arg;
	(void)response;
	answered++;
}

static void a_call_carries_the_token_and_its_type(void)
{
	struct slack_fixture fixture;
	struct cg_http_call *call = NULL;
	struct cg_buffer body;
	struct slack_call wanted = {.method = "chat.postMessage",
		.type = SLACK_JSON,
		.body = &body,
		.timeout_ms = 1234,
		.done = count_answer};

	slack_fixture_init(&fixture);
	cg_buffer_init(&body, 64);
	cg_buffer_text(&body, "{}");
	answered = 0;
	CU_ASSERT_EQUAL(slack_call(fixture.slack, &wanted, &call, NULL), CG_OK);
	CU_ASSERT_PTR_EQUAL_FATAL(call, host_fake_open_call(fixture.host));
	CU_ASSERT_STRING_EQUAL(call->url, "https://slack.com/api/chat.postMessage");
	CU_ASSERT_STRING_EQUAL(call->method, "POST");
	CU_ASSERT_STRING_EQUAL(call->body, "{}");
	CU_ASSERT_STRING_EQUAL(
		host_fake_header(call, "authorization"), "Bearer " SLACK_FIXTURE_TOKEN);
	CU_ASSERT_STRING_EQUAL(host_fake_header(call, "content-type"),
		"application/json; charset=utf-8");
	CU_ASSERT_EQUAL(call->timeout_ms, 1234);
	CU_ASSERT_EQUAL(call->response_limit, 1u << 20);
	/* A relay's path may be the key to it. */
	CU_ASSERT_TRUE((call->flags & CG_HTTP_SECRET_URL) != 0);
	CU_ASSERT_STRING_EQUAL(call->proxy, "");
	host_fake_answer(call, 200, "{}");
	CU_ASSERT_EQUAL(answered, 1);

	wanted.type = SLACK_FORM;
	wanted.body = NULL;
	CU_ASSERT_EQUAL(slack_call(fixture.slack, &wanted, &call, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(call->body, "");
	CU_ASSERT_STRING_EQUAL(host_fake_header(call, "content-type"),
		"application/x-www-form-urlencoded");
	cg_buffer_finish(&body);
	slack_fixture_finish(&fixture);
}

static void a_mark_keeps_step_and_deadline(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("x");
	struct cg_send send = {.outbound = &outbound};

	slack_fixture_init(&fixture);
	send.sends = &fixture.slack->sends;
	send.mark = slack_mark(fixture.slack, &outbound);
	CU_ASSERT_EQUAL(slack_mark_step(&send), 0);
	CU_ASSERT_EQUAL(slack_mark_left_ms(&send), 20000);
	send.mark++;
	host_fake_pass(fixture.host, 5000);
	CU_ASSERT_EQUAL(slack_mark_step(&send), 1);
	CU_ASSERT_EQUAL(slack_mark_left_ms(&send), 15000);
	/* An exchange has some time in any case. */
	host_fake_pass(fixture.host, 15000);
	CU_ASSERT_EQUAL(slack_mark_left_ms(&send), 1);
	host_fake_pass(fixture.host, 100000);
	CU_ASSERT_EQUAL(slack_mark_left_ms(&send), 1);
	outbound.timeout_ms = 0;
	send.mark = slack_mark(fixture.slack, &outbound);
	CU_ASSERT_EQUAL(slack_mark_left_ms(&send), 30000);
	slack_fixture_finish(&fixture);
}

/* A definite no about the dress, then no way to say it plainly: nothing was sent. */
static void the_plain_text_may_wait(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	slack_fixture_init(&fixture);
	rig_send(fixture.rig, &outbound, &sent);
	fixture.host->refuse_http = true;
	host_fake_answer(host_fake_open_call(fixture.host), 200,
		"{\"ok\":false,\"error\":\"invalid_blocks\"}");
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	/* Both calls share the time of one. */
	fixture.host->refuse_http = false;
	rig_send(fixture.rig, &outbound, &sent);
	host_fake_pass(fixture.host, 12000);
	host_fake_answer(host_fake_open_call(fixture.host), 200,
		"{\"ok\":false,\"error\":\"invalid_blocks\"}");
	CU_ASSERT_EQUAL(host_fake_open_call(fixture.host)->timeout_ms, 8000);
	slack_fixture_finish(&fixture);
	CU_ASSERT_EQUAL(sent.count, 0);
}

static void what_cannot_begin_ends_on_the_next_turn(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	slack_fixture_init(&fixture);
	fixture.host->refuse_http = true;
	rig_send(fixture.rig, &outbound, &sent);
	CU_ASSERT_EQUAL(sent.count, 0);
	host_fake_pass(fixture.host, 0);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_TRUE(sent.detail[0] != '\0');
	/* What can never be said is not tried again. */
	fixture.host->refuse_http = false;
	outbound.target.chat_id = NULL;
	rig_send(fixture.rig, &outbound, &sent);
	CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
	host_fake_pass(fixture.host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	slack_fixture_finish(&fixture);
}

static void a_mark_needs_a_message_and_a_scope(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("");
	struct host_fake_sent sent;

	slack_fixture_init(&fixture);
	outbound.kind = CG_OUTBOUND_REACTION;
	outbound.reaction = CG_REACTION_SEEN;
	rig_send(fixture.rig, &outbound, &sent);
	CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
	host_fake_pass(fixture.host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	outbound.target.message_id = "1.1";
	rig_send(fixture.rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(fixture.host), 200,
		"{\"ok\":false,\"error\":\"missing_scope\"}");
	CU_ASSERT_EQUAL(sent.count, 1);
	rig_send(fixture.rig, &outbound, &sent);
	CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
	/* The app may have been installed anew. */
	slack_account_start(fixture.slack);
	host_fake_fault(host_fake_open_call(fixture.host), CG_HTTP_NO_ANSWER);
	rig_send(fixture.rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_call(fixture.host));
	slack_fixture_finish(&fixture);
}

/* That was for the whole app: whoever looks at its health sees it. */
static void a_refused_app_is_told(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	slack_fixture_up(&fixture);
	rig_send(fixture.rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(fixture.host), 200,
		"{\"ok\":false,\"error\":\"channel_not_found\"}");
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_UP);
	rig_send(fixture.rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(fixture.host), 200,
		"{\"ok\":false,\"error\":\"token_revoked\"}");
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_ACCOUNT);
	CU_ASSERT_EQUAL(fixture.host->health.outbound, CG_HEALTH_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.host->health_detail, "token_revoked"));
	slack_fixture_finish(&fixture);
}

UNIT_SUITE(slack_api, UNIT_TEST(a_call_carries_the_token_and_its_type),
	UNIT_TEST(a_mark_keeps_step_and_deadline), UNIT_TEST(the_plain_text_may_wait),
	UNIT_TEST(what_cannot_begin_ends_on_the_next_turn),
	UNIT_TEST(a_mark_needs_a_message_and_a_scope), UNIT_TEST(a_refused_app_is_told));
