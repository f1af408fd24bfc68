/* SPDX-License-Identifier: Apache-2.0 */
/* Slack out: what is called, and what the Web API's answers mean. */
#include "tests/contract/slack.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig *up(void)
{
	return subject_up(&subject_slack);
}

static bool calls(struct rig *rig, const char *method)
{
	struct cg_http_call *call = host_fake_open_call(rig->host);

	return call != NULL && strstr(call->url, method) != NULL;
}

/* ---- Out ---- */

static void a_text_is_one_call(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("a <!channel> & b");
	struct host_fake_sent sent;
	struct cg_http_call *call;

	outbound.target.chat_id = "C1";
	outbound.target.thread_id = "1.1";
	rig_send(rig, &outbound, &sent);
	call = host_fake_open_call(rig->host);
	CU_ASSERT_STRING_EQUAL(call->url, "https://slack.com/api/chat.postMessage");
	CU_ASSERT_STRING_EQUAL(
		host_fake_header(call, "authorization"), "Bearer " SLACK_TOKEN);
	CU_ASSERT_PTR_NOT_NULL(strstr(call->body, "\"channel\":\"C1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(call->body, "\"thread_ts\":\"1.1\""));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(call->body, "\"text\":\"a &lt;!channel&gt; &amp; b\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(call->body, "\"unfurl_links\":false"));
	host_fake_answer(call, 200, "{\"ok\":true,\"ts\":\"1.9\"}");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(sent.message_id, "1.9");
	rig_destroy(rig);
}

static void check_error(enum cg_outbound_kind kind, const char *body,
	enum cg_outcome_class class, enum cg_outcome_scope scope)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("x");
	struct host_fake_sent sent;

	outbound.kind = kind;
	outbound.target.message_id = "1.1";
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 200, body);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, class);
	CU_ASSERT_EQUAL(sent.outcome.scope, scope);
	CU_ASSERT_EQUAL(rig->host->health.outbound == CG_HEALTH_REFUSED,
		class == CG_OUTCOME_REFUSED && scope == CG_SCOPE_ACCOUNT);
	rig_destroy(rig);
}

#define ERROR(code) "{\"ok\":false,\"error\":\"" code "\"}"

static void errors_inside_200_have_their_class(void)
{
	check_error(CG_OUTBOUND_TEXT, ERROR("ratelimited"), CG_OUTCOME_RATE_LIMITED,
		CG_SCOPE_CHAT);
	check_error(CG_OUTBOUND_EDIT, ERROR("ratelimited"), CG_OUTCOME_RATE_LIMITED,
		CG_SCOPE_DESTINATION);
	check_error(CG_OUTBOUND_TEXT, ERROR("channel_not_found"), CG_OUTCOME_REFUSED,
		CG_SCOPE_CHAT);
	check_error(CG_OUTBOUND_TEXT, ERROR("is_archived"), CG_OUTCOME_REFUSED,
		CG_SCOPE_CHAT);
	check_error(CG_OUTBOUND_TEXT, ERROR("token_revoked"), CG_OUTCOME_REFUSED,
		CG_SCOPE_ACCOUNT);
	check_error(CG_OUTBOUND_TEXT, ERROR("missing_scope"), CG_OUTCOME_REFUSED,
		CG_SCOPE_ACCOUNT);
	check_error(CG_OUTBOUND_TEXT, ERROR("msg_too_long"), CG_OUTCOME_REFUSED,
		CG_SCOPE_MESSAGE);
	check_error(CG_OUTBOUND_EDIT, ERROR("message_not_found"), CG_OUTCOME_REFUSED,
		CG_SCOPE_MESSAGE);
	check_error(CG_OUTBOUND_TEXT, ERROR("never_heard_of"), CG_OUTCOME_REFUSED,
		CG_SCOPE_MESSAGE);
	check_error(CG_OUTBOUND_TEXT, ERROR("fatal_error"), CG_OUTCOME_AMBIGUOUS,
		CG_SCOPE_DESTINATION);
	check_error(CG_OUTBOUND_TEXT, ERROR("team_added_to_org"),
		CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_DESTINATION);
	check_error(CG_OUTBOUND_TEXT, "<html>Welcome</html>", CG_OUTCOME_AMBIGUOUS,
		CG_SCOPE_DESTINATION);
	check_error(CG_OUTBOUND_TEXT, "[]", CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION);
}

static void blocks_that_are_refused_go_without_once(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_call(rig->host)->body, "rich_text"));
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("invalid_blocks"));
	CU_ASSERT_EQUAL(sent.count, 0);
	CU_ASSERT_PTR_NULL(strstr(host_fake_open_call(rig->host)->body, "rich_text"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "\"text\":\"hello\""));
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("invalid_blocks"));
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	rig_destroy(rig);
}

static void an_edit_names_its_message(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("new");
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "1.9";
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_TRUE(calls(rig, "/chat.update"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "\"ts\":\"1.9\""));
	host_fake_answer(host_fake_open_call(rig->host), 200, "{\"ok\":true}");
	CU_ASSERT_STRING_EQUAL(sent.message_id, "1.9");
	rig_destroy(rig);
}

static void a_press_is_answered_to_who_pressed(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("Approved.");
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_ANSWER;
	outbound.interaction_id = "13.2";
	outbound.target.user_id = "U1@T9";
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_TRUE(calls(rig, "/chat.postEphemeral"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "\"user\":\"U1\""));
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("missing_scope"));
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	/* Without words there is nothing left to do. */
	outbound.text = "";
	outbound.text_length = 0;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	rig_destroy(rig);
}

static void a_mark_replaces_the_one_before(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("");
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_REACTION;
	outbound.reaction = CG_REACTION_DONE;
	outbound.target.message_id = "1.1";
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_TRUE(calls(rig, "/reactions.add"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "white_check_mark"));
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("already_reacted"));
	CU_ASSERT_TRUE(calls(rig, "/reactions.remove"));
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_call(rig->host)->body, "eyes"));
	host_fake_answer(host_fake_open_call(rig->host), 200, "{\"ok\":true}");
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("no_reaction"));
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	rig_destroy(rig);
}

static void marks_that_are_not_allowed_are_let_be(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("");
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_REACTION;
	outbound.reaction = CG_REACTION_SEEN;
	outbound.target.message_id = "1.1";
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 200,
		"{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"reactions:"
		"write\"}");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	CU_ASSERT_STRING_EQUAL(sent.detail, "missing_scope (needs reactions:write)");
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	rig_destroy(rig);
}

/* ---- Files out ---- */

#define PLACE(url) "{\"ok\":true,\"upload_url\":\"" url "\",\"file_id\":\"F123\"}"

struct sent_file {
	char path[64];
	struct cg_file file;
	struct cg_outbound outbound;
	struct host_fake_sent sent;
};

static void file_begin(struct rig *rig, struct sent_file *it)
{
	int fd;

	snprintf(it->path, sizeof(it->path), "/tmp/cowgate-slack-XXXXXX");
	fd = mkstemp(it->path);
	CU_ASSERT_EQUAL_FATAL(write(fd, "hello", 5), 5);
	close(fd);
	it->file = (struct cg_file){.filename = "r\xC3\xA9sum\xC3\xA9 1.txt",
		.mime_type = "text/plain",
		.path = it->path,
		.bytes = 5};
	it->outbound = host_fake_text("here");
	it->outbound.kind = CG_OUTBOUND_FILE;
	it->outbound.file = &it->file;
	it->outbound.target.chat_id = "C1";
	it->outbound.target.thread_id = "1.1";
	rig_send(rig, &it->outbound, &it->sent);
}

static void a_file_goes_out_in_three_steps(void)
{
	struct rig *rig = up();
	struct sent_file it;
	struct cg_http_call *call;

	file_begin(rig, &it);
	call = host_fake_open_call(rig->host);
	CU_ASSERT_TRUE(calls(rig, "/files.getUploadURLExternal"));
	CU_ASSERT_STRING_EQUAL(call->body, "filename=r%C3%A9sum%C3%A9%201.txt&length=5");
	host_fake_answer(call, 200, PLACE("https://files.slack.com/upload/v1/abc"));
	call = host_fake_open_call(rig->host);
	CU_ASSERT_STRING_EQUAL(call->url, "https://files.slack.com/upload/v1/abc");
	CU_ASSERT_STRING_EQUAL(call->body, "hello");
	CU_ASSERT_PTR_NULL(host_fake_header(call, "authorization"));
	host_fake_answer(call, 200, "OK - 5");
	call = host_fake_open_call(rig->host);
	CU_ASSERT_TRUE(calls(rig, "/files.completeUploadExternal"));
	CU_ASSERT_STRING_EQUAL(call->body,
		"{\"files\":[{\"id\":\"F123\",\"title\":\"r\xC3\xA9sum\xC3\xA9 1.txt\"}],"
		"\"channel_id\":\"C1\",\"thread_ts\":\"1.1\",\"initial_comment\":"
		"\"here\"}");
	host_fake_answer(call, 200, "{\"ok\":true,\"files\":[{\"id\":\"F123\"}]}");
	CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(it.sent.message_id, "F123");
	unlink(it.path);
	rig_destroy(rig);
}

/* Before the last step nobody has seen anything: it may be repeated freely. */
static void what_breaks_before_the_last_step_was_not_seen(void)
{
	static const char *const places[] = {
		"{\"ok\":true}",
		PLACE("https://evil.example.org/x"),
		PLACE("http://files.slack.com/x"),
	};
	struct rig *rig = up();
	struct sent_file it;

	file_begin(rig, &it);
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_NO_ANSWER);
	CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	unlink(it.path);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		file_begin(rig, &it);
		host_fake_answer(host_fake_open_call(rig->host), 200, places[i]);
		CU_ASSERT_EQUAL(it.sent.count, 1);
		CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
		unlink(it.path);
	}
	file_begin(rig, &it);
	host_fake_answer(
		host_fake_open_call(rig->host), 200, PLACE("https://files.slack.com/x"));
	host_fake_answer(host_fake_open_call(rig->host), 503, "");
	CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	unlink(it.path);
	file_begin(rig, &it);
	host_fake_answer(
		host_fake_open_call(rig->host), 200, PLACE("https://files.slack.com/x"));
	host_fake_answer(host_fake_open_call(rig->host), 200, "OK");
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_TIMED_OUT);
	CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	unlink(it.path);
	rig_destroy(rig);
}

static void files_want_a_scope_of_their_own(void)
{
	struct rig *rig = up();
	struct sent_file it;

	file_begin(rig, &it);
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("missing_scope"));
	CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(it.sent.outcome.scope, CG_SCOPE_MESSAGE);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	unlink(it.path);
	it.file.bytes = (20u << 20) + 1;
	rig_send(rig, &it.outbound, &it.sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(it.sent.outcome.class, CG_OUTCOME_REFUSED);
	rig_destroy(rig);
}

/* ---- Did it arrive? ---- */

static int asked_count;
static enum cg_query_result asked_result;
static char asked_id[64];

static void asked(void *arg, enum cg_query_result result, const char *message_id)
{
	(void)arg;
	asked_count++;
	asked_result = result;
	snprintf(asked_id, sizeof(asked_id), "%s", message_id == NULL ? "" : message_id);
}

static void ask(struct rig *rig, const struct cg_outbound *outbound)
{
	asked_count = 0;
	rig->provider->ops->query(rig->self, outbound, asked, &asked_count);
	CU_ASSERT_EQUAL(asked_count, 0);
}

static void what_arrived_is_found_by_its_mark(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	const char *at;
	char answer[512], mark[33] = "";

	rig_send(rig, &outbound, &sent);
	at = strstr(host_fake_open_call(rig->host)->body, "\"event_payload\":{\"id\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(mark, sizeof(mark), "%s", at + strlen("\"event_payload\":{\"id\":\""));
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_TIMED_OUT);
	ask(rig, &outbound);
	CU_ASSERT_TRUE(calls(rig, "/conversations.history"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "channel=1&"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		host_fake_open_call(rig->host)->body, "include_all_metadata=true"));
	host_fake_answer(host_fake_open_call(rig->host), 200,
		"{\"ok\":true,\"messages\":[{\"ts\":\"1.1\"}],\"has_more\":true,"
		"\"response_metadata\":{\"next_cursor\":\"bm=\"}}");
	CU_ASSERT_EQUAL(asked_count, 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->body, "cursor=bm%3D"));
	snprintf(answer, sizeof(answer),
		"{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"metadata\":{\"event_type\":"
		"\"cowgate_delivery\",\"event_payload\":{\"id\":\"%s\"}}}]}",
		mark);
	host_fake_answer(host_fake_open_call(rig->host), 200, answer);
	CU_ASSERT_EQUAL(asked_count, 1);
	CU_ASSERT_EQUAL(asked_result, CG_QUERY_ARRIVED);
	CU_ASSERT_STRING_EQUAL(asked_id, "1.2");
	rig_destroy(rig);
}

static void what_cannot_be_told_is_unknown(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");

	outbound.target.thread_id = "1.1";
	ask(rig, &outbound);
	CU_ASSERT_TRUE(calls(rig, "/conversations.replies"));
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_call(rig->host)->body, "&ts=1.1&"));
	host_fake_answer(
		host_fake_open_call(rig->host), 200, "{\"ok\":true,\"messages\":[]}");
	CU_ASSERT_EQUAL(asked_result, CG_QUERY_ABSENT);
	ask(rig, &outbound);
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("missing_scope"));
	CU_ASSERT_EQUAL(asked_result, CG_QUERY_UNKNOWN);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	ask(rig, &outbound);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(asked_count, 0);
		host_fake_answer(host_fake_open_call(rig->host), 200,
			"{\"ok\":true,\"messages\":[],\"has_more\":true,"
			"\"response_metadata\":{\"next_cursor\":\"x\"}}");
	}
	CU_ASSERT_EQUAL(asked_result, CG_QUERY_UNKNOWN);
	/* The daemon does not wait for ever. */
	ask(rig, &outbound);
	rig->provider->ops->cancel(rig->self, &asked_count);
	CU_ASSERT_EQUAL(asked_count, 1);
	CU_ASSERT_EQUAL(asked_result, CG_QUERY_UNKNOWN);
	/* A file's message is Slack's own. */
	outbound.kind = CG_OUTBOUND_FILE;
	ask(rig, &outbound);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(asked_count, 1);
	CU_ASSERT_EQUAL(asked_result, CG_QUERY_UNKNOWN);
	rig_destroy(rig);
}

UNIT_SUITE(slack_send, UNIT_TEST(a_text_is_one_call),
	UNIT_TEST(errors_inside_200_have_their_class),
	UNIT_TEST(blocks_that_are_refused_go_without_once),
	UNIT_TEST(an_edit_names_its_message),
	UNIT_TEST(a_press_is_answered_to_who_pressed),
	UNIT_TEST(a_mark_replaces_the_one_before),
	UNIT_TEST(marks_that_are_not_allowed_are_let_be),
	UNIT_TEST(a_file_goes_out_in_three_steps),
	UNIT_TEST(what_breaks_before_the_last_step_was_not_seen),
	UNIT_TEST(files_want_a_scope_of_their_own),
	UNIT_TEST(what_arrived_is_found_by_its_mark),
	UNIT_TEST(what_cannot_be_told_is_unknown));
