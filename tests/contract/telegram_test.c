/* SPDX-License-Identifier: Apache-2.0 */
/* Telegram's long poll: nothing is confirmed before it is stored, and deafness is said. */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE(update, text) \
	"{\"update_id\":" #update ",\"message\":{\"message_id\":5,\"chat\":{\"id\":9," \
	"\"type\":\"private\"},\"from\":{\"id\":9,\"first_name\":\"A\"},\"text\":" \
	"\"" text "\"}}"
#define IGNORED(update) "{\"update_id\":" #update ",\"edited_message\":{}}"
#define BATCH(updates) "{\"ok\":true,\"result\":[" updates "]}"

static struct rig *up(void)
{
	struct rig *rig = module_rig("telegram", subject_telegram.settings);

	rig_up(rig);
	subject_settle(&subject_telegram, rig);
	return rig;
}

static bool asks_for(struct rig *rig, const char *offset)
{
	struct cg_http_call *call = host_fake_open_poll(rig->host);

	return call != NULL && strstr(call->url, "/getUpdates") != NULL &&
	       strstr(call->body, offset) != NULL;
}

static void start_asks_who_we_are(void)
{
	struct rig *rig = module_rig("telegram", subject_telegram.settings);
	struct cg_http_call *call;

	rig_up(rig);
	call = host_fake_open_poll(rig->host);
	CU_ASSERT_STRING_EQUAL(
		call->url, "https://api.telegram.org/bot" TELEGRAM_TOKEN "/getMe");
	CU_ASSERT_NOT_EQUAL(call->flags & CG_HTTP_SECRET_URL, 0);
	CU_ASSERT_STRING_EQUAL(call->pool, "telegram");
	host_fake_answer(call, 200,
		"{\"ok\":true,\"result\":{\"id\":42,\"username\":\"CowBot\"}}");
	call = host_fake_open_poll(rig->host);
	CU_ASSERT_PTR_NOT_NULL(strstr(call->url, "/deleteWebhook"));
	host_fake_answer(call, 200, "{\"ok\":true,\"result\":true}");
	call = host_fake_open_poll(rig->host);
	CU_ASSERT_PTR_NOT_NULL(strstr(call->url, "/setMyCommands"));
	host_fake_answer(call, 400, "{\"ok\":false,\"error_code\":400}");
	call = host_fake_open_poll(rig->host);
	CU_ASSERT_PTR_NOT_NULL(strstr(call->url, "/getUpdates"));
	CU_ASSERT_STRING_EQUAL(call->body,
		"{\"limit\":100,\"timeout\":0,"
		"\"allowed_updates\":[\"message\",\"channel_post\",\"callback_query\"]}");
	CU_ASSERT_EQUAL(call->timeout_ms, 45000);
	CU_ASSERT_TRUE(rig->host->health.inbound != CG_HEALTH_UP);
	host_fake_answer(call, 200, BATCH(""));
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	host_fake_pass(rig->host, 500);
	CU_ASSERT_TRUE(asks_for(rig, "\"timeout\":30,"));
	rig_destroy(rig);
}

static void the_next_poll_waits_for_all_verdicts(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200,
		BATCH(MESSAGE(100, "a") "," IGNORED(101) "," MESSAGE(102, "b")));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 2);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	CU_ASSERT_STRING_EQUAL(rig->host->stored, "");
	host_fake_verdict(rig->host, CG_VERDICT_DUPLICATE);
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":103,"));
	CU_ASSERT_STRING_EQUAL(rig->host->stored_key, "offset:42");
	CU_ASSERT_STRING_EQUAL(rig->host->stored, "103");
	rig_destroy(rig);
}

static void the_offset_rides_with_a_single_update(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(MESSAGE(100, "a")));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint_key, "offset:42");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint, "101");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "100");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":101,"));
	CU_ASSERT_EQUAL(rig->host->checkpoints, 0);
	rig_destroy(rig);
}

static void ignored_updates_are_confirmed(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(IGNORED(7)));
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":8,"));
	CU_ASSERT_STRING_EQUAL(rig->host->stored, "8");
	rig_destroy(rig);
}

static void what_cannot_be_stored_is_asked_for_again(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200,
		BATCH(MESSAGE(100, "a") "," MESSAGE(101, "b") "," MESSAGE(102, "c")));
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	CU_ASSERT_STRING_EQUAL(rig->host->stored, "101");
	host_fake_pass(rig->host, 10000);
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":101,"));
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(MESSAGE(101, "b")));
	host_fake_verdict(rig->host, CG_VERDICT_UNAVAILABLE);
	host_fake_pass(rig->host, 10000);
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":101,"));
	CU_ASSERT_STRING_EQUAL(rig->host->stored, "101");
	rig_destroy(rig);
}

static void a_poisonous_update_is_passed_over(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(MESSAGE(100, "a")));
	host_fake_verdict(rig->host, CG_VERDICT_INVALID);
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":101,"));
	CU_ASSERT_EQUAL(rig->host->log_count, 1);
	rig_destroy(rig);
}

static void numbers_may_begin_anew(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(IGNORED(900)));
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":901,"));
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(IGNORED(12)));
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":13,"));
	rig_destroy(rig);
}

static void a_restart_goes_on_where_it_was(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(IGNORED(7)));
	rig->provider->ops->stop(rig->self);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	CU_ASSERT_EQUAL(rig->provider->ops->start(rig->self, NULL), CG_OK);
	host_fake_answer(host_fake_open_poll(rig->host), 200,
		"{\"ok\":true,\"result\":{\"id\":42}}");
	host_fake_answer(
		host_fake_open_poll(rig->host), 200, "{\"ok\":true,\"result\":true}");
	host_fake_answer(
		host_fake_open_poll(rig->host), 200, "{\"ok\":true,\"result\":true}");
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":8,"));
	rig_destroy(rig);
}

static void verdicts_after_a_stop_are_kept(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 200,
		BATCH(MESSAGE(100, "a") "," MESSAGE(101, "b")));
	rig->provider->ops->stop(rig->self);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig->provider->ops->start(rig->self, NULL), CG_OK);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(rig->host->stored, "102");
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_poll(rig->host)->url, "/getMe"));
	rig_destroy(rig);
}

/* A killed poller lingers for half a minute; after that somebody else is there. */
static void two_pollers_are_named(void)
{
	struct rig *rig = up();
	const char conflict[] = "{\"ok\":false,\"error_code\":409,\"description\":"
				"\"Conflict: terminated by other getUpdates request\"}";

	for (int i = 0; i < 8; i++) {
		host_fake_answer(host_fake_open_poll(rig->host), 409, conflict);
		CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
		CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
		host_fake_pass(rig->host, 5000);
	}
	host_fake_answer(host_fake_open_poll(rig->host), 409, conflict);
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig->host->health_detail, "another program"));
	host_fake_pass(rig->host, 5000);
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(""));
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

static void a_revoked_token_ends_the_asking(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 401,
		"{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}");
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_REFUSED);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_REFUSED);
	host_fake_pass(rig->host, 600000);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	rig_destroy(rig);
}

/* A proxy that wants a password, a page to sign in at: nobody has said a word about the token. */
static void a_page_on_the_way_is_asked_past(void)
{
	static const int statuses[] = {401, 404, 407, 302};
	struct rig *rig = up();

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		host_fake_answer(host_fake_open_poll(rig->host), statuses[i],
			"<html>Sign in</html>");
		CU_ASSERT_NOT_EQUAL(rig->host->health.inbound, CG_HEALTH_REFUSED);
		host_fake_pass(rig->host, 30000);
		CU_ASSERT_PTR_NOT_NULL_FATAL(host_fake_open_poll(rig->host));
	}
	CU_ASSERT_EQUAL(
		rig->host->health.inbound, CG_HEALTH_DOWN); /* deaf, and it is told */
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(MESSAGE(7, "a")));
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

/* Or a server that answers an empty batch at once would be asked without end. */
static void an_impatient_server_is_asked_now_and_then(void)
{
	struct rig *rig = up();

	for (int i = 0; i < 3; i++) {
		host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(""));
		CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
		CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
		host_fake_pass(rig->host, 500);
		CU_ASSERT_PTR_NOT_NULL_FATAL(host_fake_open_poll(rig->host));
	}
	/* The same of one that says what is no update. */
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH("{},{}"));
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 500);
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(IGNORED(7)));
	CU_ASSERT_TRUE(asks_for(rig, "\"offset\":8,"));
	rig_destroy(rig);
}

static void a_flood_waits_as_told(void)
{
	struct rig *rig = up();

	host_fake_answer(host_fake_open_poll(rig->host), 429,
		"{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests\","
		"\"parameters\":{\"retry_after\":17}}");
	host_fake_pass(rig->host, 16999);
	CU_ASSERT_PTR_NULL(host_fake_open_poll(rig->host));
	host_fake_pass(rig->host, 1);
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_poll(rig->host));
	rig_destroy(rig);
}

/* Sending does not count as hearing. */
static void silence_is_deafness_whatever_sending_does(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	int64_t begin = rig->host->mono_ms;

	while (rig->host->health.inbound == CG_HEALTH_UP &&
		rig->host->mono_ms - begin < 300000) {
		rig_send(rig, &outbound, &sent);
		host_fake_answer(host_fake_open_call(rig->host), 200,
			"{\"ok\":true,\"result\":{\"message_id\":1}}");
		if (host_fake_open_poll(rig->host) != NULL)
			host_fake_fault(
				host_fake_open_poll(rig->host), CG_HTTP_NOT_DISPATCHED);
		host_fake_pass(rig->host, 1000);
	}
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_DOWN);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	CU_ASSERT_TRUE(rig->host->mono_ms - begin >= 90000);
	CU_ASSERT_TRUE(rig->host->mono_ms - begin <= 125000);
	CU_ASSERT_STRING_EQUAL(
		rig->host->health_detail, "Telegram cannot be reached: as scripted");
	rig_destroy(rig);
}

static void a_batch_that_is_too_large_comes_in_pieces(void)
{
	struct rig *rig = up();

	host_fake_fault(host_fake_open_poll(rig->host), CG_HTTP_TOO_LARGE);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->body, "\"limit\":50,"));
	host_fake_fault(host_fake_open_poll(rig->host), CG_HTTP_TOO_LARGE);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->body, "\"limit\":25,"));
	host_fake_answer(host_fake_open_poll(rig->host), 200, BATCH(IGNORED(7)));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_poll(rig->host)->body, "\"limit\":100,"));
	rig_destroy(rig);
}

/* ---- Out ---- */

static void formatting_that_is_refused_goes_plain_once(void)
{
	const struct cg_span span = {.kind = CG_SPAN_BOLD, .length = 2};
	const char refusal[] = "{\"ok\":false,\"error_code\":400,\"description\":"
			       "\"Bad Request: can't parse entities\"}";
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	outbound.spans = &span;
	outbound.span_count = 1;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_call(rig->host)->body, "entities"));
	host_fake_answer(host_fake_open_call(rig->host), 400, refusal);
	CU_ASSERT_EQUAL(sent.count, 0);
	CU_ASSERT_PTR_NULL(strstr(host_fake_open_call(rig->host)->body, "entities"));
	host_fake_answer(host_fake_open_call(rig->host), 400, refusal);
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);

	/* What may have arrived is never sent once more. */
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 500,
		"{\"ok\":false,\"error_code\":500,\"description\":\"entities\"}");
	CU_ASSERT_EQUAL(sent.count, 1);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	rig_destroy(rig);
}

static void an_edit_that_changes_nothing_has_arrived(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "12";
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 400,
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message "
		"is not modified: same content\"}");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(sent.message_id, "12");
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 400,
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message "
		"to edit not found\"}");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	rig_destroy(rig);
}

static void an_error_page_proves_nothing(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 502, "<html>Bad Gateway</html>");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 200, "<html>Welcome</html>");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	rig_destroy(rig);
}

static void a_send_finds_out_about_a_revoked_token(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 401,
		"{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}");
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_ACCOUNT);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_REFUSED);
	rig_destroy(rig);
}

static void a_file_goes_out_in_parts(void)
{
	struct rig *rig = up();
	struct cg_file file = {
		.filename = "plot.png", .mime_type = "image/png", .bytes = 5};
	struct cg_outbound outbound = host_fake_text("see");
	char path[] = "/tmp/cowgate-file-XXXXXX";
	int fd = mkstemp(path);
	struct host_fake_sent sent;

	CU_ASSERT_EQUAL(write(fd, "\x89PNG!", 5), 5);
	close(fd);
	file.path = path;
	outbound.kind = CG_OUTBOUND_FILE;
	outbound.file = &file;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_call(rig->host)->url, "/sendPhoto"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_header(host_fake_open_call(rig->host), "content-type"),
			"multipart/form-data; boundary=0707"));
	CU_ASSERT_PTR_NOT_NULL(strstr(host_fake_open_call(rig->host)->body,
		"\r\nContent-Type: image/png\r\n\r\n\x89PNG!\r\n--0707"));
	/* An image that it cannot show goes as it is. */
	host_fake_answer(host_fake_open_call(rig->host), 400,
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: "
		"PHOTO_INVALID_DIMENSIONS\"}");
	CU_ASSERT_EQUAL(sent.count, 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(host_fake_open_call(rig->host)->url, "/sendDocument"));
	host_fake_answer(host_fake_open_call(rig->host), 200,
		"{\"ok\":true,\"result\":{\"message_id\":8}}");
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(sent.message_id, "8");
	unlink(path);
	rig_destroy(rig);
}

#define SLOW \
	"{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests\"," \
	"\"parameters\":{\"retry_after\":3}}"

/* It does not say whose limit it was. */
static void two_limited_chats_are_the_account(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	for (int i = 0; i < 2; i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_answer(host_fake_open_call(rig->host), 429, SLOW);
		CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_CHAT);
		CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, 3000);
	}
	outbound.target.chat_id = "2";
	host_fake_pass(rig->host, 3000);
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 429, SLOW);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_ACCOUNT);
	outbound.target.chat_id = "3";
	host_fake_pass(rig->host, 3001);
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 429, SLOW);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_CHAT);
	rig_destroy(rig);
}

static void refusals_say_how_far_they_reach(void)
{
	static const struct {
		int code;
		const char *description;
		enum cg_outcome_scope scope;
	} refusals[] = {
		{403, "Forbidden: bot was blocked by the user", CG_SCOPE_CHAT},
		{403, "Forbidden: bot was kicked from the supergroup chat",
			CG_SCOPE_CHAT},
		{400, "Bad Request: chat not found", CG_SCOPE_CHAT},
		{400, "Bad Request: group chat was deactivated", CG_SCOPE_CHAT},
		{400, "Bad Request: not enough rights to send text messages to the chat",
			CG_SCOPE_CHAT},
		{400, "Bad Request: message thread not found", CG_SCOPE_MESSAGE},
		{400, "Bad Request: REACTION_INVALID", CG_SCOPE_MESSAGE},
		{404, "Not Found: method not found", CG_SCOPE_MESSAGE},
		{404, "Not Found", CG_SCOPE_ACCOUNT},
		{401, "Unauthorized", CG_SCOPE_ACCOUNT},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct rig *rig = up();
		struct cg_outbound outbound = host_fake_text("hello");
		struct host_fake_sent sent;
		char body[256];

		snprintf(body, sizeof(body),
			"{\"ok\":false,\"error_code\":%d,\"description\":\"%s\"}",
			refusals[i].code, refusals[i].description);
		rig_send(rig, &outbound, &sent);
		host_fake_answer(host_fake_open_call(rig->host), refusals[i].code, body);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
		CU_ASSERT_EQUAL(sent.outcome.scope, refusals[i].scope);
		CU_ASSERT_STRING_EQUAL(sent.detail, refusals[i].description);
		rig_destroy(rig);
	}
}

/* ---- Settings ---- */

static void check_setting(const char *name, const char *value, enum cg_status expected)
{
	const struct settings_pair pairs[] = {
		{"botToken", strcmp(name, "botToken") == 0 ? value : TELEGRAM_TOKEN},
		{"lockDirectory", "."},
		{strcmp(name, "botToken") == 0 ? NULL : name, value},
		{NULL, NULL},
	};
	struct cg_error err = {.text = ""};
	struct rig *rig = module_rig("telegram", pairs);

	CU_ASSERT_EQUAL(rig_create(rig, &err), expected);
	CU_ASSERT_TRUE(expected == CG_OK || strstr(err.text, name) != NULL);
	rig_destroy(rig);
}

static void settings_are_judged_at_create(void)
{
	check_setting("mode", "polling", CG_OK);
	check_setting("botToken", "12 34", CG_INVALID);
	check_setting("botToken", "1:a/../b", CG_INVALID);
	check_setting("apiBaseUrl", "http://api.example.org", CG_INVALID);
	check_setting("apiBaseUrl", "http://127.0.0.1:8081", CG_OK);
	check_setting("apiBaseUrl", "http://telegram-bot-api:8081", CG_OK);
	check_setting("apiBaseUrl", "http://169.254.169.254", CG_INVALID);
	check_setting("apiBaseUrl", "https://u:p@api.example.org", CG_INVALID);
	check_setting("apiBaseUrl", "https://api.example.org/?x=1", CG_INVALID);
}

UNIT_SUITE(telegram, UNIT_TEST(start_asks_who_we_are),
	UNIT_TEST(the_next_poll_waits_for_all_verdicts),
	UNIT_TEST(the_offset_rides_with_a_single_update),
	UNIT_TEST(ignored_updates_are_confirmed),
	UNIT_TEST(what_cannot_be_stored_is_asked_for_again),
	UNIT_TEST(a_poisonous_update_is_passed_over), UNIT_TEST(numbers_may_begin_anew),
	UNIT_TEST(a_restart_goes_on_where_it_was),
	UNIT_TEST(verdicts_after_a_stop_are_kept), UNIT_TEST(two_pollers_are_named),
	UNIT_TEST(a_revoked_token_ends_the_asking),
	UNIT_TEST(a_page_on_the_way_is_asked_past),
	UNIT_TEST(an_impatient_server_is_asked_now_and_then),
	UNIT_TEST(a_flood_waits_as_told),
	UNIT_TEST(silence_is_deafness_whatever_sending_does),
	UNIT_TEST(a_batch_that_is_too_large_comes_in_pieces),
	UNIT_TEST(formatting_that_is_refused_goes_plain_once),
	UNIT_TEST(an_edit_that_changes_nothing_has_arrived),
	UNIT_TEST(an_error_page_proves_nothing),
	UNIT_TEST(a_send_finds_out_about_a_revoked_token),
	UNIT_TEST(a_file_goes_out_in_parts), UNIT_TEST(two_limited_chats_are_the_account),
	UNIT_TEST(refusals_say_how_far_they_reach),
	UNIT_TEST(settings_are_judged_at_create));
