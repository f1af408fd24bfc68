/* SPDX-License-Identifier: Apache-2.0 */
/* Slack in: who is believed, what waits for what; its health and its settings. */
#include "tests/contract/slack.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DM(ts, text) \
	"{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event_id\":\"Ev" ts "\"," \
	"\"event\":{\"type\":\"message\",\"channel\":\"D1\",\"channel_type\":\"im\"," \
	"\"user\":\"U1\",\"ts\":\"" ts "\",\"text\":\"" text "\"}}"
#define IN_CHANNEL(type, ts, more) \
	"{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event_id\":\"Ev" type ts \
	"\",\"event\":{\"type\":\"" type "\",\"channel\":\"C1\",\"user\":\"U1\"," \
	"\"ts\":\"" ts "\"," more "}}"
#define WITH_FILE(ts, url, size) \
	"{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event\":{\"type\":" \
	"\"message\",\"subtype\":\"file_share\",\"channel\":\"D1\",\"channel_type\":" \
	"\"im\",\"user\":\"U1\",\"ts\":\"" ts "\",\"text\":\"look\",\"files\":[{" \
	"\"id\":\"F1\",\"name\":\"a.txt\",\"mimetype\":\"text/plain\",\"size\":" size \
	",\"url_private_download\":\"" url "\"}]}}"
#define SLACK_FILE "https://files.slack.com/files-pri/T1-F1/download/a.txt"

static struct rig *up(void)
{
	return subject_up(&subject_slack);
}

/* One whose people are known, so that no name is asked for. */
static struct rig *up_among_friends(void)
{
	struct rig *rig = up();
	struct slack_request request;

	slack_post(rig, &request, DM("0.1", "hi"));
	slack_name_people(rig);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	return rig;
}

static bool calls(struct rig *rig, const char *method)
{
	struct cg_http_call *call = host_fake_open_call(rig->host);

	return call != NULL && strstr(call->url, method) != NULL;
}

/* ---- Who is believed ---- */

static void only_what_slack_signed_is_believed(void)
{
	struct rig *rig = up();
	struct slack_request request;
	int64_t now = rig->host->wall_ms;

	slack_post_at(rig, &request, DM("1.1", "x"), "another", now);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	slack_post_at(rig, &request, DM("1.1", "x"), SLACK_SECRET, now - 301000);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	slack_post_at(rig, &request, DM("1.1", "x"), SLACK_SECRET, now + 301000);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	slack_post(rig, &request, "");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	request.request.body = DM("1.1", "y"); /* signed for another body */
	request.request.body_length = strlen(request.request.body);
	slack_repeat(rig, &request);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	request.signature[0] = '\0';
	slack_repeat(rig, &request);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	CU_ASSERT_EQUAL(request.answers, 1);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	slack_post_at(rig, &request, DM("1.1", "x"), SLACK_SECRET, now - 300000);
	CU_ASSERT_EQUAL(request.answers, 0);
	rig_destroy(rig);
}

static void two_secrets_live_while_one_replaces_the_other(void)
{
	static const struct settings_pair pairs[] = {
		{"botToken", SLACK_TOKEN},
		{"signingSecret", SLACK_SECRET},
		{"signingSecretSecond", SLACK_OLD_SECRET},
		{NULL, NULL},
	};
	const char hello[] = "{\"type\":\"url_verification\",\"challenge\":\"c\\\"1\"}";
	struct rig *rig = module_rig("slack", pairs);
	struct slack_request request;

	rig_up(rig);
	slack_post_at(rig, &request, hello, SLACK_OLD_SECRET, rig->host->wall_ms);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_STRING_EQUAL(request.body, "{\"challenge\":\"c\\\"1\"}");
	slack_post(rig, &request, hello);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	rig_destroy(rig);
}

static void a_challenge_is_signed_too(void)
{
	struct rig *rig = up();
	struct slack_request request;

	slack_post_at(rig, &request,
		"{\"type\":\"url_verification\",\"challenge\":\"c\"}", "another",
		rig->host->wall_ms);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	rig_destroy(rig);
}

static void nothing_is_judged_by_a_wrong_clock(void)
{
	struct rig *rig = up();
	struct slack_request request;

	rig->host->clock_unset = true;
	slack_post(rig, &request, DM("1.1", "x"));
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	rig_destroy(rig);
}

/* A scanner's request proves nothing; one that is made like Slack's does. */
static void a_wrong_signing_secret_is_told(void)
{
	struct rig *rig = up();
	struct slack_request request;

	for (int i = 0; i < 5; i++) {
		slack_post(rig, &request, "{}");
		request.signature[0] = '\0';
		slack_repeat(rig, &request);
	}
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	for (int i = 0; i < 3; i++)
		slack_post_at(rig, &request, "{}", "another", rig->host->wall_ms);
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig->host->health_detail, "signingSecret"));
	slack_post(rig, &request, "{}");
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

static void what_is_signed_but_senseless_is_bad(void)
{
	static const char nowhere[] =
		"{\"type\":\"event_callback\",\"event\":{\"type\":\"message\","
		"\"user\":\"U1\",\"text\":\"x\"}}";
	static const char *const bodies[] = {
		"{",
		"{\"type\":\"event_callback\"}",
		nowhere,
		"{\"type\":\"url_verification\"}",
		"payload=%zz",
		"payload=nonsense",
		"command=%2Fcowgate&text=x",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct rig *rig = up();
		struct slack_request request;

		slack_post(rig, &request, bodies[i]);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
		rig_destroy(rig);
	}
}

/* ---- What waits for what ---- */

static void slack_is_answered_after_the_commit(void)
{
	static const struct {
		enum cg_verdict verdict;
		enum cg_webhook_result result;
	} rows[] = {
		{CG_VERDICT_COMMITTED, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_DUPLICATE, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_CONFLICT, CG_WEBHOOK_CONFLICT},
		{CG_VERDICT_INVALID, CG_WEBHOOK_BAD},
		{CG_VERDICT_UNAVAILABLE, CG_WEBHOOK_UNAVAILABLE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig *rig = up_among_friends();
		struct slack_request request;

		slack_post(rig, &request, DM("1.1", "x"));
		CU_ASSERT_EQUAL(request.answers, 0);
		host_fake_verdict(rig->host, rows[i].verdict);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, rows[i].result);
		rig_destroy(rig);
	}
}

/* Slack shows people whatever stands in the answer to a command. */
static void commands_and_presses_are_answered_with_nothing(void)
{
	struct rig *rig = up_among_friends();
	struct slack_request request;

	slack_post(rig, &request,
		"command=%2Fcowgate&text=status&user_id=U1&channel_id=D1&trigger_id=7");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_TRUE(request.has_body);
	CU_ASSERT_STRING_EQUAL(request.body, "");
	slack_post(rig, &request, DM("1.1", "x"));
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_STRING_EQUAL(request.body, "{\"ok\":true}");
	rig_destroy(rig);
}

static void one_mention_is_one_message(void)
{
	struct rig *rig = up_among_friends();
	struct slack_request first, twin, later;
	size_t before = rig->host->submission_count;

	slack_post(rig, &first, IN_CHANNEL("message", "1.2", "\"text\":\"<@UBOT> go\""));
	slack_post(
		rig, &twin, IN_CHANNEL("app_mention", "1.2", "\"text\":\"<@UBOT> go\""));
	CU_ASSERT_EQUAL(rig->host->submission_count, before + 1);
	CU_ASSERT_EQUAL(first.answers + twin.answers, 0);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(first.answers, 1);
	CU_ASSERT_EQUAL(twin.answers, 1);
	/* The journal knows the one that comes later. */
	slack_post(
		rig, &later, IN_CHANNEL("app_mention", "1.2", "\"text\":\"<@UBOT> go\""));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "C1:1.2");
	CU_ASSERT_FALSE(host_fake_last(rig->host)->has_raw);
	host_fake_verdict(rig->host, CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(later.result, CG_WEBHOOK_ACCEPTED);
	rig_destroy(rig);
}

static void names_are_asked_for_once(void)
{
	struct rig *rig = up();
	struct slack_request request;

	slack_post(rig, &request, DM("1.1", "x"));
	CU_ASSERT_TRUE(calls(rig, "/users.info"));
	CU_ASSERT_STRING_EQUAL(host_fake_open_call(rig->host)->body, "user=U1");
	CU_ASSERT_TRUE(host_fake_open_call(rig->host)->timeout_ms < 1000);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	slack_name_people(rig);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->name, "Ann");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	slack_post(rig, &request, DM("1.2", "y"));
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->name, "Ann");
	rig_destroy(rig);
}

static void a_name_that_cannot_be_had_delays_nothing(void)
{
	struct rig *rig = up();
	struct slack_request request;

	slack_post(rig, &request, DM("1.1", "x"));
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_TIMED_OUT);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	slack_post(rig, &request, DM("1.2", "x"));
	host_fake_answer(host_fake_open_call(rig->host), 200,
		"{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"users:read\"}");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	slack_post(rig, &request, DM("1.3", "x"));
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->name, "");
	rig_destroy(rig);
}

static void the_order_in_a_conversation_is_kept(void)
{
	struct rig *rig = up_among_friends();
	struct slack_request slow, quick, other;
	size_t before = rig->host->submission_count;

	slack_post(rig, &slow, WITH_FILE("1.1", SLACK_FILE, "3"));
	slack_post(rig, &quick, DM("1.2", "behind"));
	CU_ASSERT_EQUAL(rig->host->submission_count, before);
	slack_post(
		rig, &other, IN_CHANNEL("app_mention", "1.3", "\"text\":\"<@UBOT> go\""));
	CU_ASSERT_EQUAL(rig->host->submission_count, before + 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->chat_id, "C1");
	CU_ASSERT_TRUE(host_fake_stream(host_fake_open_call(rig->host), "abc", 3));
	host_fake_answer(host_fake_open_call(rig->host), 200, "");
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(rig->host->submission_count, before + 3);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "behind");
	rig_destroy(rig);
}

static void too_many_at_once_are_given_back(void)
{
	struct rig *rig = up_among_friends();
	static struct slack_request requests[300];
	static char bodies[300][512];
	int refused = 0;

	slack_post(rig, &requests[0], WITH_FILE("1.1", SLACK_FILE, "3"));
	for (int i = 1; i < 300; i++) {
		snprintf(bodies[i], sizeof(bodies[i]),
			"{\"type\":\"event_callback\",\"event\":{\"type\":\"message\","
			"\"channel\":\"D1\",\"channel_type\":\"im\",\"user\":\"U1\","
			"\"ts\":\"2.%d\",\"text\":\"x\"}}",
			i);
		slack_post(rig, &requests[i], bodies[i]);
		refused += requests[i].result == CG_WEBHOOK_UNAVAILABLE &&
			   requests[i].answers == 1;
	}
	CU_ASSERT_EQUAL(refused, 300 - 256);
	/* A stop gives back all that is not submitted. */
	rig->provider->ops->stop(rig->self);
	for (int i = 0; i < 300; i++) {
		CU_ASSERT_EQUAL(requests[i].answers, 1);
		CU_ASSERT_EQUAL(requests[i].result, CG_WEBHOOK_UNAVAILABLE);
	}
	rig_destroy(rig);
}

/* ---- Threads ---- */

static void a_thread_of_ours_goes_on_without_a_mention(void)
{
	struct rig *rig = up_among_friends();
	struct slack_request request;
	size_t before = rig->host->submission_count;

	slack_post(rig, &request,
		IN_CHANNEL("message", "1.3", "\"thread_ts\":\"1.2\",\"text\":\"early\""));
	CU_ASSERT_EQUAL(rig->host->submission_count, before);
	slack_post(
		rig, &request, IN_CHANNEL("message", "1.2", "\"text\":\"<@UBOT> go\""));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->thread_id, "1.2");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint, "1 C1:1.2 ");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	slack_post(rig, &request,
		IN_CHANNEL("message", "1.4", "\"thread_ts\":\"1.2\",\"text\":\"and\""));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "and");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->thread_id, "1.2");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->checkpoint, "");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	/* Nor does a restart forget it. */
	rig->provider->ops->stop(rig->self);
	rig->provider->ops->start(rig->self, NULL);
	subject_settle(&subject_slack, rig);
	slack_post(rig, &request,
		IN_CHANNEL("message", "1.5", "\"thread_ts\":\"1.2\",\"text\":\"still\""));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "still");
	rig_destroy(rig);
}

/* ---- Files in ---- */

static void a_file_comes_with_its_message(void)
{
	struct rig *rig = up_among_friends();
	struct slack_request request, retry;
	struct cg_http_call *call;
	char text[8] = "";
	FILE *file;

	slack_post(rig, &request, WITH_FILE("1.1", SLACK_FILE, "3"));
	call = host_fake_open_call(rig->host);
	CU_ASSERT_STRING_EQUAL(call->url, SLACK_FILE);
	CU_ASSERT_STRING_EQUAL(call->method, "GET");
	CU_ASSERT_STRING_EQUAL(
		host_fake_header(call, "authorization"), "Bearer " SLACK_TOKEN);
	slack_post(rig, &retry, WITH_FILE("1.1", SLACK_FILE, "3"));
	CU_ASSERT_TRUE(host_fake_stream(call, "ab", 2));
	CU_ASSERT_TRUE(host_fake_stream(call, "c", 1));
	host_fake_answer(call, 200, "");
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->attachments, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].filename, "a.txt");
	CU_ASSERT_STRING_EQUAL(
		host_fake_last(rig->host)->files[0].mime_type, "text/plain");
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->files[0].bytes, 3);
	file = fopen(host_fake_last(rig->host)->files[0].spool_path, "rb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fread(text, 1, sizeof(text), file), 3);
	fclose(file);
	CU_ASSERT_STRING_EQUAL(text, "abc");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(request.answers, 1);
	CU_ASSERT_EQUAL(retry.answers, 1);
	CU_ASSERT_EQUAL(retry.result, CG_WEBHOOK_ACCEPTED);
	rig_destroy(rig);
}

static void check_named_only(const char *body)
{
	struct rig *rig = up_among_friends();
	struct slack_request request;

	slack_post(rig, &request, body);
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_EQUAL(host_fake_last(rig->host)->attachments, 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].spool_path, "");
	rig_destroy(rig);
}

static void the_token_goes_to_slack_alone(void)
{
	check_named_only(WITH_FILE("1.1", "https://files.slack.com.evil.org/a", "3"));
	check_named_only(WITH_FILE("1.1", "https://evilslack.com/a", "3"));
	check_named_only(WITH_FILE("1.1", "http://files.slack.com/a", "3"));
	check_named_only(WITH_FILE("1.1", "https://files.slack.com:8443/a", "3"));
	check_named_only(WITH_FILE("1.1", "https://u@files.slack.com/a", "3"));
	check_named_only(WITH_FILE("1.1", "nonsense", "3"));
	/* And not for what would be too large anyway. */
	check_named_only(WITH_FILE("1.1", SLACK_FILE, "20971521"));
}

static void a_file_that_cannot_be_had_is_named(void)
{
	struct rig *rig = up_among_friends();
	struct slack_request request;
	const char page[] = "<!DOCTYPE html><title>Sign in</title>";

	slack_post(rig, &request, WITH_FILE("1.1", SLACK_FILE, "3"));
	host_fake_answer(host_fake_open_call(rig->host), 404, "");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].spool_path, "");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	/* A token without files:read is shown the door, politely. */
	slack_post(rig, &request, WITH_FILE("1.2", SLACK_FILE, "3"));
	CU_ASSERT_TRUE(
		host_fake_stream(host_fake_open_call(rig->host), page, sizeof(page) - 1));
	host_fake_answer(host_fake_open_call(rig->host), 200, "");
	host_fake_pass(rig->host, 0);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].spool_path, "");
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	rig->host->refuse_spool = true;
	slack_post(rig, &request, WITH_FILE("1.3", SLACK_FILE, "3"));
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->files[0].spool_path, "");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "look");
	rig_destroy(rig);
}

/* ---- Health ---- */

static void who_we_are_is_asked_until_slack_tells(void)
{
	struct rig *rig = module_rig("slack", subject_slack.settings);
	struct slack_request request;

	rig_up(rig);
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	host_fake_fault(host_fake_open_call(rig->host), CG_HTTP_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_DEGRADED);
	/* The way in needs none of it. */
	slack_post(rig, &request,
		"{\"type\":\"event_callback\",\"event\":{\"type\":\"message\","
		"\"channel\":\"C1\",\"user\":\"U1\",\"ts\":\"1.1\",\"text\":"
		"\"<@UBOT> hi\"},\"authorizations\":[{\"user_id\":\"UBOT\"}]}");
	slack_name_people(rig);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	host_fake_pass(rig->host, 300000);
	CU_ASSERT_TRUE(calls(rig, "/auth.test"));
	subject_settle(&subject_slack, rig);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	CU_ASSERT_STRING_EQUAL(rig->host->health_detail, "");
	rig_destroy(rig);
}

#define ERROR(code) "{\"ok\":false,\"error\":\"" code "\"}"

static void a_refused_token_is_not_tried_again(void)
{
	struct rig *rig = module_rig("slack", subject_slack.settings);

	rig_up(rig);
	host_fake_answer(host_fake_open_call(rig->host), 200, ERROR("invalid_auth"));
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig->host->health_detail, "invalid_auth"));
	host_fake_pass(rig->host, 3600000);
	CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
	rig_destroy(rig);
}

/* ---- Settings ---- */

static void check_setting(const char *name, const char *value, enum cg_status expected)
{
	const struct settings_pair pairs[] = {
		{"botToken", strcmp(name, "botToken") == 0 ? value : SLACK_TOKEN},
		{"signingSecret", SLACK_SECRET},
		{strcmp(name, "botToken") == 0 ? NULL : name, value},
		{NULL, NULL},
	};
	struct cg_error err = {.text = ""};
	struct rig *rig = module_rig("slack", pairs);

	CU_ASSERT_EQUAL(rig_create(rig, &err), expected);
	CU_ASSERT_TRUE(expected == CG_OK || strstr(err.text, name) != NULL);
	rig_destroy(rig);
}

static void settings_are_judged_at_create(void)
{
	check_setting("botToken", "xoxb 1", CG_INVALID);
	check_setting("botToken", "xoxb\n1", CG_INVALID);
	check_setting("apiBaseUrl", "http://slack.com/api", CG_INVALID);
	check_setting("apiBaseUrl", "http://127.0.0.1:8081/api", CG_OK);
	check_setting("apiBaseUrl", "http://169.254.169.254", CG_INVALID);
	check_setting("apiBaseUrl", "https://u:p@slack.com/api", CG_INVALID);
	check_setting("apiBaseUrl", "https://slack.com/api?x=1", CG_INVALID);
	check_setting("apiBaseUrl", "https://slack.com/api/", CG_OK);
	check_setting("proxy", "ftp://proxy.example.org", CG_INVALID);
	check_setting("proxy", "socks5h://proxy.example.org:1080", CG_OK);
	check_setting("caFile", "/nowhere/ca.pem", CG_NOT_FOUND);
}

static void a_proxy_and_a_trust_of_ones_own_go_with_every_call(void)
{
	static const struct settings_pair pairs[] = {
		{"botToken", SLACK_TOKEN},
		{"signingSecret", SLACK_SECRET},
		{"proxy", "http://proxy.example.org:3128"},
		{"caFile", "/dev/null"},
		{NULL, NULL},
	};
	struct rig *rig = module_rig("slack", pairs);
	struct slack_request request;

	rig_up(rig);
	CU_ASSERT_STRING_EQUAL(
		host_fake_open_call(rig->host)->proxy, "http://proxy.example.org:3128");
	subject_settle(&subject_slack, rig);
	slack_post(rig, &request, WITH_FILE("1.1", SLACK_FILE, "3"));
	for (size_t i = 0; i < 2; i++) { /* the name and the file */
		struct cg_http_call *call = host_fake_nth_call(rig->host, i);

		CU_ASSERT_PTR_NOT_NULL_FATAL(call);
		CU_ASSERT_STRING_EQUAL(call->proxy, "http://proxy.example.org:3128");
		CU_ASSERT_STRING_EQUAL(call->ca_file, "/dev/null");
	}
	rig_destroy(rig);
}

static void other_channels_are_left_alone(void)
{
	static const struct settings_pair pairs[] = {
		{"botToken", SLACK_TOKEN},
		{"signingSecret", SLACK_SECRET},
		{"allowedChannels", "C7,C8"},
		{"respondInChannels", "all"},
		{NULL, NULL},
	};
	struct rig *rig = module_rig("slack", pairs);
	struct slack_request request;

	rig_up(rig);
	subject_settle(&subject_slack, rig);
	slack_post(rig, &request, IN_CHANNEL("message", "1.1", "\"text\":\"<@UBOT> x\""));
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	slack_post(rig, &request,
		"{\"type\":\"event_callback\",\"event\":{\"type\":\"message\","
		"\"channel\":\"C8\",\"user\":\"U1\",\"ts\":\"1.1\",\"text\":\"x\"}}");
	slack_name_people(rig);
	CU_ASSERT_EQUAL(rig->host->submission_count, 1);
	rig_destroy(rig);
}

UNIT_SUITE(slack_ingress, UNIT_TEST(only_what_slack_signed_is_believed),
	UNIT_TEST(two_secrets_live_while_one_replaces_the_other),
	UNIT_TEST(a_challenge_is_signed_too),
	UNIT_TEST(nothing_is_judged_by_a_wrong_clock),
	UNIT_TEST(a_wrong_signing_secret_is_told),
	UNIT_TEST(what_is_signed_but_senseless_is_bad),
	UNIT_TEST(slack_is_answered_after_the_commit),
	UNIT_TEST(commands_and_presses_are_answered_with_nothing),
	UNIT_TEST(one_mention_is_one_message), UNIT_TEST(names_are_asked_for_once),
	UNIT_TEST(a_name_that_cannot_be_had_delays_nothing),
	UNIT_TEST(the_order_in_a_conversation_is_kept),
	UNIT_TEST(too_many_at_once_are_given_back),
	UNIT_TEST(a_thread_of_ours_goes_on_without_a_mention),
	UNIT_TEST(a_file_comes_with_its_message),
	UNIT_TEST(the_token_goes_to_slack_alone),
	UNIT_TEST(a_file_that_cannot_be_had_is_named),
	UNIT_TEST(who_we_are_is_asked_until_slack_tells),
	UNIT_TEST(a_refused_token_is_not_tried_again),
	UNIT_TEST(settings_are_judged_at_create),
	UNIT_TEST(a_proxy_and_a_trust_of_ones_own_go_with_every_call),
	UNIT_TEST(other_channels_are_left_alone));
