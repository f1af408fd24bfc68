/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static const struct subject_outcome outcomes[] = {
	{200, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{301, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{400, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{401, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
	{403, CG_OUTCOME_REFUSED, CG_SCOPE_CHAT},
	{404, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
	{410, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{413, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{429, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_CHAT},
	{500, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{502, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{503, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{0, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
};

static const char *answer(int status)
{
	static char body[256];

	if (status == 200)
		return "{\"ok\":true,\"result\":{\"message_id\":77}}";
	snprintf(body, sizeof(body),
		"{\"ok\":false,\"error_code\":%d,\"description\":\"No: " TELEGRAM_TOKEN
		"\"}",
		status);
	return body;
}

static void settle(struct rig *rig)
{
	telegram_bot_settle(rig->host);
}

#define FROM "\"from\":{\"id\":77,\"first_name\":\"Ada\"}"
#define DIRECT "\"message_id\":5,\"chat\":{\"id\":77,\"type\":\"private\"}," FROM
#define GROUP "\"message_id\":5,\"chat\":{\"id\":-100123,\"type\":\"supergroup\"}," FROM

static const struct subject_sample samples[] = {
	{.in = "\"message\":{" DIRECT ",\"text\":\"Gr\xC3\xBC\xC3\x9F"
	       "e\"}",
		.event_id = "900",
		.chat_id = "77",
		.thread_id = "",
		.user_id = "77",
		.text = "Gr\xC3\xBC\xC3\x9F"
			"e",
		.is_direct = true},
	{.in = "\"message\":{" GROUP ",\"message_thread_id\":3,\"is_topic_message\":true,"
	       "\"text\":\"/new@CowBot now\"}",
		.type = CG_EVENT_COMMAND,
		.event_id = "900",
		.chat_id = "-100123",
		.thread_id = "3",
		.user_id = "77",
		.text = "/new@CowBot now",
		.command = "new"},
	{.in = "\"message\":{" GROUP ",\"text\":\"idle talk\"}", .ignored = true},
	{.in = "\"edited_message\":{" DIRECT ",\"text\":\"again\"}", .ignored = true},
	{.in = "\"message\":{" DIRECT ",\"sticker\":{\"emoji\":\"x\"}}",
		.event_id = "900",
		.chat_id = "77",
		.thread_id = "",
		.user_id = "77",
		.text = "[sticker x]",
		.is_direct = true},
	{.in = "\"callback_query\":{\"id\":\"q\"," FROM
	       ",\"data\":\"apv:x\",\"message\":{"
	       "\"message_id\":6,\"chat\":{\"id\":77,\"type\":\"private\"}}}",
		.type = CG_EVENT_INTERACTION,
		.event_id = "900",
		.chat_id = "77",
		.thread_id = "",
		.user_id = "77",
		.text = "apv:x",
		.token = "apv:x",
		.is_direct = true},
	{.in = NULL},
};

static void deliver(struct rig *rig, const struct subject_sample *sample)
{
	char body[2048];

	snprintf(body, sizeof(body), "{\"ok\":true,\"result\":[{\"update_id\":900,%s}]}",
		sample->in);
	host_fake_answer(host_fake_open_poll(rig->host), 200, body);
}

const struct subject subject_telegram = {
	.kind = "telegram",
	.settings = telegram_bot_settings,
	.http = true,
	.answer = answer,
	.outcomes = outcomes,
	.settle = settle,
	.deliver = deliver,
	.samples = samples,
};
