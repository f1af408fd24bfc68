/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/slack/slack_fixture.h"

struct asked {
	int count;
	enum cg_query_result result;
	char message_id[64];
};

static void told(void *arg, enum cg_query_result result, const char *message_id)
{
	struct asked *asked = arg;

	asked->count++;
	asked->result = result;
	cg_text_copy(asked->message_id, sizeof(asked->message_id),
		message_id == NULL ? "" : message_id);
}

static void ask(struct slack_fixture *fixture, const struct cg_outbound *outbound,
	struct asked *asked)
{
	*asked = (struct asked){.count = 0};
	slack_ask(fixture->slack, outbound, told, asked);
	CU_ASSERT_EQUAL(asked->count, 0);
}

static const char *body_of(struct slack_fixture *fixture)
{
	return host_fake_open_call(fixture->host)->body;
}

#define PAGE(cursor) \
	"{\"ok\":true,\"messages\":[],\"has_more\":true,\"response_metadata\":{" \
	"\"next_cursor\":\"" cursor "\"}}"

/* A message is tried for a day, and an hour more is looked back. */
static void what_was_said_since_is_asked_for(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct asked asked;

	slack_fixture_init(&fixture);
	ask(&fixture, &outbound, &asked);
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(fixture.host)->url,
		"https://slack.com/api/conversations.history");
	CU_ASSERT_STRING_EQUAL(body_of(&fixture),
		"channel=1&oldest=1699910000&limit=200&include_all_metadata=true");
	CU_ASSERT_STRING_EQUAL(
		host_fake_header(host_fake_open_call(fixture.host), "content-type"),
		"application/x-www-form-urlencoded");
	slack_fixture_finish(&fixture);
	CU_ASSERT_EQUAL(asked.count, 0);
}

/* All pages together have the time of one send. */
static void pages_share_their_time(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct asked asked;

	slack_fixture_init(&fixture);
	ask(&fixture, &outbound, &asked);
	CU_ASSERT_EQUAL(host_fake_open_call(fixture.host)->timeout_ms, 20000);
	host_fake_pass(fixture.host, 15000);
	host_fake_answer(host_fake_open_call(fixture.host), 200, PAGE("a"));
	CU_ASSERT_EQUAL(host_fake_open_call(fixture.host)->timeout_ms, 5000);
	CU_ASSERT_PTR_NOT_NULL(strstr(body_of(&fixture), "&cursor=a"));
	host_fake_pass(fixture.host, 9000);
	host_fake_answer(host_fake_open_call(fixture.host), 200, PAGE("b"));
	CU_ASSERT_EQUAL(host_fake_open_call(fixture.host)->timeout_ms, 1);
	host_fake_fault(host_fake_open_call(fixture.host), CG_HTTP_TIMED_OUT);
	CU_ASSERT_EQUAL(asked.count, 1);
	CU_ASSERT_EQUAL(asked.result, CG_QUERY_UNKNOWN);
	outbound.timeout_ms = 0;
	ask(&fixture, &outbound, &asked);
	CU_ASSERT_EQUAL(host_fake_open_call(fixture.host)->timeout_ms, 30000);
	slack_fixture_finish(&fixture);
}

static void check_answer(int status, const char *body, enum cg_query_result result)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct asked asked;

	slack_fixture_init(&fixture);
	ask(&fixture, &outbound, &asked);
	host_fake_answer(host_fake_open_call(fixture.host), status, body);
	CU_ASSERT_EQUAL(asked.count, 1);
	CU_ASSERT_EQUAL(asked.result, result);
	CU_ASSERT_STRING_EQUAL(asked.message_id, result == CG_QUERY_ARRIVED ? "1.2" : "");
	slack_fixture_finish(&fixture);
}

/* Only a whole page without it says that it is not there. */
static void what_is_no_whole_page_says_nothing(void)
{
	char mark[SLACK_MARK], page[512], cursor[700];

	check_answer(200, "{\"ok\":true,\"messages\":[]}", CG_QUERY_ABSENT);
	check_answer(
		200, "{\"ok\":true,\"messages\":[],\"has_more\":false}", CG_QUERY_ABSENT);
	check_answer(
		200, "{\"ok\":true,\"messages\":[],\"has_more\":true}", CG_QUERY_UNKNOWN);
	check_answer(200, "{\"ok\":false,\"messages\":[]}", CG_QUERY_UNKNOWN);
	check_answer(200, "<html>", CG_QUERY_UNKNOWN);
	check_answer(502, "{\"ok\":true,\"messages\":[]}", CG_QUERY_UNKNOWN);
	slack_wire_mark("delivery-1", mark);
	snprintf(page, sizeof(page),
		"{\"ok\":true,\"has_more\":true,\"messages\":[{\"ts\":\"1.1\"},{\"ts\":"
		"\"1.2\",\"metadata\":{\"event_type\":\"cowgate_delivery\","
		"\"event_payload\":{\"id\":\"%s\"}}}]}",
		mark);
	check_answer(200, page, CG_QUERY_ARRIVED);
	check_answer(502, page, CG_QUERY_UNKNOWN);
	/* A cursor beyond what is kept would ask for another page. */
	snprintf(cursor, sizeof(cursor),
		"{\"ok\":true,\"has_more\":true,\"response_metadata\":{\"next_cursor\":"
		"\"%0256d\"}}",
		1);
	check_answer(200, cursor, CG_QUERY_UNKNOWN);
}

static void what_cannot_begin_is_told_on_the_next_turn(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbounds[4];
	struct asked asked;

	slack_fixture_init(&fixture);
	for (size_t i = 0; i < 4; i++)
		outbounds[i] = host_fake_text("hello");
	outbounds[0].delivery_id = NULL;
	outbounds[1].target.chat_id = NULL;
	outbounds[2].kind = CG_OUTBOUND_FILE;
	for (size_t i = 0; i < 4; i++) {
		fixture.host->refuse_http = i == 3;
		ask(&fixture, &outbounds[i], &asked);
		CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
		host_fake_pass(fixture.host, 0);
		CU_ASSERT_EQUAL(asked.count, 1);
		CU_ASSERT_EQUAL(asked.result, CG_QUERY_UNKNOWN);
	}
	slack_fixture_finish(&fixture);
}

/* Once, whatever it waits for, and nothing else. */
static void a_question_is_taken_back(void)
{
	struct slack_fixture fixture;
	struct cg_outbound outbound = host_fake_text("hello");
	struct asked first, second;

	slack_fixture_init(&fixture);
	ask(&fixture, &outbound, &first);
	fixture.host->refuse_http = true;
	ask(&fixture, &outbound, &second);
	CU_ASSERT_FALSE(slack_ask_cancel(fixture.slack, &outbound));
	CU_ASSERT_TRUE(slack_ask_cancel(fixture.slack, &second));
	CU_ASSERT_EQUAL(second.count, 1);
	CU_ASSERT_EQUAL(first.count, 0);
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_call(fixture.host));
	CU_ASSERT_TRUE(slack_ask_cancel(fixture.slack, &first));
	CU_ASSERT_EQUAL(first.count, 1);
	CU_ASSERT_EQUAL(first.result, CG_QUERY_UNKNOWN);
	CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
	CU_ASSERT_FALSE(slack_ask_cancel(fixture.slack, &first));
	host_fake_pass(fixture.host, 60000);
	CU_ASSERT_EQUAL(first.count + second.count, 2);
	slack_fixture_finish(&fixture);
}

UNIT_SUITE(slack_query, UNIT_TEST(what_was_said_since_is_asked_for),
	UNIT_TEST(pages_share_their_time), UNIT_TEST(what_is_no_whole_page_says_nothing),
	UNIT_TEST(what_cannot_begin_is_told_on_the_next_turn),
	UNIT_TEST(a_question_is_taken_back));
