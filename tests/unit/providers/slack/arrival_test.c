/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/webhook_request.h"
#include "tests/unit/providers/slack/slack_fixture.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_AT(url) \
	"{\"id\":\"F1\",\"name\":\"a.txt\",\"mimetype\":\"text/plain\",\"size\":3," \
	"\"url_private_download\":\"" url "\"}"
#define GOOD_FILE FILE_AT("https://files.slack.com/f/a.txt")

/* A direct message of @user, read as ingress.c does and handed over. */
static void arrive(struct slack_fixture *fixture, struct webhook_request *request,
	const char *ts, const char *more)
{
	struct slack_message *message = calloc(1, sizeof(*message));
	struct json_object *document = NULL;
	char body[2048];

	snprintf(body, sizeof(body),
		"{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event\":{\"type\":"
		"\"message\",\"channel\":\"D1\",\"channel_type\":\"im\",\"ts\":\"%s\","
		"\"text\":\"hello\",%s}}",
		ts, more);
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(body, strlen(body), &document, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		slack_wire_read_event(&fixture->slack->reader, document, message), CG_OK);
	*request = (struct webhook_request){.answers = 0};
	slack_arrive(fixture->slack,
		webhook_request_make(request, "POST", "", fixture->host->wall_ms),
		SLACK_REPLY_EVENT, message, document);
}

#define BY(user) "\"user\":\"" user "\""

/* One whose U1 has a name already. */
static void up_among_friends(struct slack_fixture *fixture)
{
	slack_fixture_up(fixture);
	slack_people_put(&fixture->slack->people, "U1", "Ann", fixture->host->mono_ms);
}

/* Slack sends it again and again while it waits: four wait, a fifth comes later. */
static void twins_are_answered_alike(void)
{
	struct slack_fixture fixture;
	struct webhook_request requests[5];

	up_among_friends(&fixture);
	for (size_t i = 0; i < 5; i++)
		arrive(&fixture, &requests[i], "1.1", BY("U1"));
	CU_ASSERT_EQUAL(fixture.host->submission_count, 1);
	CU_ASSERT_EQUAL(requests[4].answers, 1);
	CU_ASSERT_EQUAL(requests[4].result, CG_WEBHOOK_UNAVAILABLE);
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(requests[i].answers, 1);
		CU_ASSERT_EQUAL(requests[i].result, CG_WEBHOOK_ACCEPTED);
		CU_ASSERT_STRING_EQUAL(requests[i].body, "{\"ok\":true}");
	}
	CU_ASSERT_EQUAL(fixture.slack->arrival_count, 0);
	slack_fixture_finish(&fixture);
}

/* It will be no smaller next time: Slack must not send it again, and somebody must know. */
static void what_is_too_large_is_lost_aloud(void)
{
	struct slack_fixture fixture;
	struct webhook_request request;
	int said;

	up_among_friends(&fixture);
	said = fixture.host->log_count;
	arrive(&fixture, &request, "1.1", BY("U1"));
	host_fake_verdict(fixture.host, CG_VERDICT_INVALID);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	CU_ASSERT_EQUAL(fixture.host->log_count, said + 1);
	slack_fixture_finish(&fixture);
}

/* A guest is asked for without the team that stands behind the id. */
static void a_name_is_kept_under_the_whole_id(void)
{
	struct slack_fixture fixture;
	struct webhook_request request;

	slack_fixture_up(&fixture);
	arrive(&fixture, &request, "1.1", "\"user_team\":\"T9\"," BY("U1"));
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(fixture.host)->body, "user=U1");
	host_fake_answer(host_fake_open_call(fixture.host), 200,
		"{\"ok\":true,\"user\":{\"id\":\"U1\",\"name\":\"bo\"}}");
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->name, "bo");
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->sender_id, "U1@T9");
	CU_ASSERT_PTR_NULL(slack_people_name(&fixture.slack->people, "U1"));
	slack_fixture_finish(&fixture);
}

/* A limit says nothing about a person: the next message asks again. */
static void a_fault_is_no_name(void)
{
	struct slack_fixture fixture;
	struct webhook_request request;

	slack_fixture_up(&fixture);
	arrive(&fixture, &request, "1.1", BY("U1"));
	host_fake_answer_later(host_fake_open_call(fixture.host), 429, 1000);
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	arrive(&fixture, &request, "1.2", BY("U1"));
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_call(fixture.host));
	/* A host that has no room for the question delays nothing. */
	fixture.host->refuse_http = true;
	arrive(&fixture, &request, "1.3", BY("U2"));
	host_fake_fault(host_fake_open_call(fixture.host), CG_HTTP_TIMED_OUT);
	CU_ASSERT_EQUAL(host_fake_open_submissions(fixture.host), 2);
	slack_fixture_finish(&fixture);
}

/* All files of a message have one minute: what is not fetched by then is named. */
static void files_have_a_minute(void)
{
	struct slack_fixture fixture;
	struct webhook_request request;
	struct cg_http_call *call;

	up_among_friends(&fixture);
	arrive(&fixture, &request, "1.1",
		"\"subtype\":\"file_share\"," BY("U1") ",\"files\":[" GOOD_FILE
						       "," GOOD_FILE "," GOOD_FILE "]");
	call = host_fake_open_call(fixture.host);
	CU_ASSERT_EQUAL_FATAL(call->timeout_ms, 60000);
	CU_ASSERT_TRUE(host_fake_stream(call, "abc", 3));
	host_fake_pass(fixture.host, 45000);
	host_fake_answer(call, 200, "");
	host_fake_pass(fixture.host, 0);
	call = host_fake_open_call(fixture.host);
	CU_ASSERT_EQUAL_FATAL(call->timeout_ms, 15000);
	host_fake_pass(fixture.host, 15000);
	host_fake_fault(call, CG_HTTP_TIMED_OUT);
	host_fake_pass(fixture.host, 0);
	CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
	CU_ASSERT_EQUAL_FATAL(fixture.host->submission_count, 1);
	CU_ASSERT_EQUAL(host_fake_last(fixture.host)->attachments, 3);
	CU_ASSERT_TRUE(host_fake_last(fixture.host)->files[0].spool_path[0] != '\0');
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->files[1].spool_path, "");
	CU_ASSERT_STRING_EQUAL(host_fake_last(fixture.host)->files[2].spool_path, "");
	slack_fixture_finish(&fixture);
}

/* What is given back leaves no file behind and asks no more. */
static void a_stop_gives_everything_back(void)
{
	struct slack_fixture fixture;
	struct webhook_request named, fetched, stored;
	char path[CG_SPOOL_PATH];
	struct cg_http_call *call;

	up_among_friends(&fixture);
	arrive(&fixture, &stored, "1.0", BY("U1"));
	arrive(&fixture, &fetched, "1.1",
		"\"subtype\":\"file_share\"," BY("U1") ",\"files\":[" GOOD_FILE
						       "," GOOD_FILE "]");
	call = host_fake_open_call(fixture.host);
	CU_ASSERT_TRUE(host_fake_stream(call, "abc", 3));
	host_fake_answer(call, 200, "");
	host_fake_pass(fixture.host, 0);
	call = host_fake_open_call(fixture.host);
	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	arrive(&fixture, &named, "1.2", BY("U2"));
	snprintf(path, sizeof(path), "%s", fixture.host->spool);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	slack_arrivals_stop(fixture.slack);
	CU_ASSERT_TRUE(call->cancelled);
	CU_ASSERT_PTR_NULL(host_fake_open_call(fixture.host));
	CU_ASSERT_EQUAL(fetched.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(named.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(fetched.answers + named.answers, 2);
	CU_ASSERT_EQUAL(rmdir(path), 0); /* it is empty */
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	/* What is in its commit is not ours to give back. */
	CU_ASSERT_EQUAL(stored.answers, 0);
	host_fake_verdict(fixture.host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(stored.result, CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_EQUAL(fixture.slack->arrival_count, 0);
	slack_fixture_finish(&fixture);
}

/* The daemon answers them. */
static void an_end_answers_nobody(void)
{
	struct slack_fixture fixture;
	struct webhook_request request;

	up_among_friends(&fixture);
	arrive(&fixture, &request, "1.1", BY("U1"));
	slack_arrivals_finish(fixture.slack);
	CU_ASSERT_EQUAL(request.answers, 0);
	CU_ASSERT_EQUAL(fixture.slack->arrival_count, 0);
	slack_fixture_finish(&fixture);
}

UNIT_SUITE(slack_arrival, UNIT_TEST(twins_are_answered_alike),
	UNIT_TEST(what_is_too_large_is_lost_aloud),
	UNIT_TEST(a_name_is_kept_under_the_whole_id), UNIT_TEST(a_fault_is_no_name),
	UNIT_TEST(files_have_a_minute), UNIT_TEST(a_stop_gives_everything_back),
	UNIT_TEST(an_end_answers_nobody));
