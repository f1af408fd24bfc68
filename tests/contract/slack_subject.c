/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/slack.h"
#include "tests/support/slack_signature.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct settings_pair settings[] = {
	{"botToken", SLACK_TOKEN},
	{"signingSecret", SLACK_SECRET},
	{NULL, NULL},
};

static const struct subject_outcome outcomes[] = {
	{200, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{301, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{400, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{401, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{403, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{404, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{413, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{429, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_CHAT},
	{500, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{502, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{503, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{0, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
};

static const char *answer(int status)
{
	return status == 200 ? "{\"ok\":true,\"channel\":\"1\",\"ts\":\"77\"}"
			     : "{\"ok\":false,\"error\":\"" SLACK_TOKEN
			       "\",\"needed\":\"" SLACK_TOKEN "\"}";
}

static void settle(struct rig *rig)
{
	struct cg_http_call *call = host_fake_open_call(rig->host);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	CU_ASSERT_STRING_EQUAL(call->url, "https://slack.com/api/auth.test");
	host_fake_answer(call, 200,
		"{\"ok\":true,\"user_id\":\"UBOT\",\"bot_id\":\"B1\",\"team_id\":\"T1\","
		"\"team\":\"Ours\",\"user\":\"cowgate\"}");
}

/* ---- Requests ---- */

static const char *request_header(const struct cg_webhook_request *base, const char *name)
{
	const struct slack_request *request = (const struct slack_request *)base;

	if (strcasecmp(name, "X-Slack-Request-Timestamp") == 0)
		return request->timestamp[0] == '\0' ? NULL : request->timestamp;
	if (strcasecmp(name, "X-Slack-Signature") == 0)
		return request->signature[0] == '\0' ? NULL : request->signature;
	if (strcasecmp(name, "Content-Type") == 0)
		return request->type;
	return NULL;
}

static void request_answer(
	struct cg_webhook_request *base, const struct cg_webhook_answer *told)
{
	struct slack_request *request = (struct slack_request *)base;

	request->answers++;
	request->result = told->result;
	request->has_body = told->body != NULL;
	cg_text_copy(request->body, sizeof(request->body),
		told->body == NULL ? "" : told->body);
}

void slack_repeat(struct rig *rig, struct slack_request *request)
{
	request->answers = 0;
	rig->provider->ops->webhook(rig->self, &request->request);
}

void slack_post_at(struct rig *rig, struct slack_request *request, const char *body,
	const char *secret, int64_t at_ms)
{
	*request = (struct slack_request){
		.request = {.size = sizeof(request->request),
			.method = "POST",
			.path = "",
			.query = "",
			.client = "127.0.0.1",
			.body = body,
			.body_length = strlen(body),
			.received_at_ms = rig->host->wall_ms,
			.header = request_header,
			.answer = request_answer},
		.type = body[0] == '{' ? "application/json"
				       : "application/x-www-form-urlencoded",
	};
	snprintf(
		request->timestamp, sizeof(request->timestamp), "%" PRId64, at_ms / 1000);
	slack_signature(secret, request->timestamp, body, request->signature);
	slack_repeat(rig, request);
}

void slack_post(struct rig *rig, struct slack_request *request, const char *body)
{
	slack_post_at(rig, request, body, SLACK_SECRET, rig->host->wall_ms);
}

void slack_name_people(struct rig *rig)
{
	struct cg_http_call *call = host_fake_open_call(rig->host);

	if (call != NULL && strstr(call->url, "/users.info") != NULL)
		host_fake_answer(call, 200,
			"{\"ok\":true,\"user\":{\"id\":\"U1\",\"name\":\"ann\","
			"\"profile\":{\"display_name\":\"Ann\"}}}");
}

static void deliver(struct rig *rig, const struct subject_sample *sample)
{
	static struct slack_request request;

	slack_post(rig, &request, sample->in);
	slack_name_people(rig);
	/* What is for nobody is acknowledged at once; the rest waits for its commit. */
	CU_ASSERT_EQUAL(request.answers, sample->ignored);
	if (sample->ignored)
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
}

#define EVENT(event) \
	"{\"type\":\"event_callback\",\"team_id\":\"T1\",\"event_id\":\"Ev1\"," \
	"\"event\":{" event "},\"authorizations\":[{\"user_id\":\"UBOT\"}]}"
#define SAID(more) EVENT("\"type\":\"message\",\"ts\":\"1.5\",\"user\":\"U1\"," more)
#define CHANNEL "\"channel\":\"C1\",\"channel_type\":\"channel\","
#define DIRECT "\"channel\":\"D1\",\"channel_type\":\"im\","
#define IGNORED(bytes) \
	{ \
		.in = (bytes), .ignored = true \
	}

static const struct subject_sample samples[] = {
	{.in = SAID(DIRECT "\"text\":\"a &lt;b&gt; &amp;amp; <https://x.org|x.org>\""),
		.event_id = "D1:1.5",
		.chat_id = "D1",
		.user_id = "U1",
		.text = "a <b> &amp; https://x.org",
		.is_direct = true},
	{.in = SAID(DIRECT "\"text\":\"/status now\",\"thread_ts\":\"1.1\""),
		.type = CG_EVENT_COMMAND,
		.event_id = "D1:1.5",
		.chat_id = "D1",
		.thread_id = "1.1",
		.user_id = "U1",
		.text = "/status now",
		.command = "status",
		.is_direct = true},
	{.in = SAID(CHANNEL "\"text\":\"<@UBOT> what about <@U2|bob>?\""),
		.event_id = "C1:1.5",
		.chat_id = "C1",
		.thread_id = "1.5",
		.user_id = "U1",
		.text = "@cowgate what about @bob?"},
	{.in = EVENT("\"type\":\"app_mention\",\"ts\":\"1.5\",\"user\":\"U1\","
		     "\"channel\":\"C1\",\"text\":\"<@UBOT> /stop\",\"thread_ts\":"
		     "\"1.1\""),
		.type = CG_EVENT_COMMAND,
		.event_id = "C1:1.5",
		.chat_id = "C1",
		.thread_id = "1.1",
		.user_id = "U1",
		.text = "@cowgate /stop",
		.command = "stop"},
	{.in = SAID(CHANNEL "\"text\":\"and?\",\"thread_ts\":\"1.1\",\"parent_user_id\":"
			    "\"UBOT\""),
		.event_id = "C1:1.5",
		.chat_id = "C1",
		.thread_id = "1.1",
		.user_id = "U1",
		.text = "and?"},
	{.in = SAID(DIRECT "\"subtype\":\"file_share\",\"text\":\"\",\"files\":[{\"id\":"
			   "\"F1\",\"name\":\"a.txt\",\"size\":3,\"is_external\":true,"
			   "\"url_private\":\"https://docs.example.org/a\"}]"),
		.event_id = "D1:1.5",
		.chat_id = "D1",
		.user_id = "U1",
		.is_direct = true,
		.attachments = 1},
	/* A guest of another workspace: ids of people are unique within one alone. */
	{.in = SAID(DIRECT "\"user_team\":\"T9\",\"text\":\"hi\""),
		.event_id = "D1:1.5",
		.chat_id = "D1",
		.user_id = "U1@T9",
		.text = "hi",
		.is_direct = true},
	{.in = "payload=%7B%22type%22%3A%22block_actions%22%2C%22team%22%3A%7B%22id%22%3A"
	       "%22T1%22%7D%2C%22user%22%3A%7B%22id%22%3A%22U1%22%2C%22team_id%22%3A%22T1"
	       "%22%7D%2C%22channel%22%3A%7B%22id%22%3A%22C1%22%7D%2C%22message%22%3A%7B"
	       "%22ts%22%3A%221.7%22%2C%22thread_ts%22%3A%221.1%22%7D%2C%22trigger_id%22"
	       "%3A%2213.2%22%2C%22actions%22%3A%5B%7B%22value%22%3A%22apv%3Ax%22%7D%5D"
	       "%7D",
		.type = CG_EVENT_INTERACTION,
		.event_id = "press:13.2",
		.chat_id = "C1",
		.thread_id = "1.1",
		.user_id = "U1",
		.text = "apv:x",
		.token = "apv:x"},
	{.in = "command=%2Fcowgate&text=Approve+ABC123&user_id=U1&user_name=ann&"
	       "channel_id=D1&trigger_id=13.3&team_id=T1",
		.type = CG_EVENT_COMMAND,
		.event_id = "command:13.3",
		.chat_id = "D1",
		.user_id = "U1",
		.text = "Approve ABC123",
		.command = "approve",
		.is_direct = true},
	{.in = "command=%2Fcowgate&text=&user_id=U1&channel_id=C1&trigger_id=13.4",
		.type = CG_EVENT_COMMAND,
		.event_id = "command:13.4",
		.chat_id = "C1",
		.user_id = "U1",
		.text = "help",
		.command = "help"},
	IGNORED(SAID(CHANNEL "\"text\":\"among people\"")),
	IGNORED(SAID(CHANNEL "\"text\":\"<@U2> yes\",\"thread_ts\":\"1.1\","
			     "\"parent_user_id\":\"UBOT\"")),
	IGNORED(SAID(CHANNEL "\"text\":\"<@UBOTTLE> hi\"")),
	IGNORED(SAID(DIRECT "\"text\":\" \"")),
	IGNORED(SAID(DIRECT "\"text\":\"x\",\"bot_id\":\"B2\"")),
	IGNORED(SAID(DIRECT "\"text\":\"x\",\"subtype\":\"channel_join\"")),
	IGNORED(EVENT(
		"\"type\":\"message\",\"subtype\":\"message_changed\",\"ts\":\"1.5\","
		"\"channel\":\"D1\",\"hidden\":true,\"message\":{\"text\":\"x\"}")),
	IGNORED(EVENT("\"type\":\"message\",\"ts\":\"1.5\",\"user\":\"UBOT\"," DIRECT
		      "\"text\":\"x\"")),
	IGNORED(EVENT("\"type\":\"reaction_added\",\"user\":\"U1\"")),
	IGNORED("{\"type\":\"view_submission\"}"),
	IGNORED("ssl_check=1&token=x"),
	{.in = NULL},
};

const struct subject subject_slack = {
	.kind = "slack",
	.settings = settings,
	.http = true,
	.answer = answer,
	.outcomes = outcomes,
	.settle = settle,
	.deliver = deliver,
	.samples = samples,
};
