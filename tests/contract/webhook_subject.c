/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/contract/request.h"
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

static const struct settings_pair settings[] = {
	{"deliveryUrl", "https://receiver.example.org/hook/path-key"},
	{"sharedSecret", WEBHOOK_SECRET},
	{NULL, NULL},
};

static const struct subject_outcome outcomes[] = {
	{200, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{204, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
	{301, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{400, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{401, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{403, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{404, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{410, CG_OUTCOME_REFUSED, CG_SCOPE_DESTINATION},
	{413, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
	{429, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_DESTINATION},
	{500, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{502, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{503, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_DESTINATION},
	{0, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
};

static const char *answer(int status)
{
	return status == 200 ? "{\"messageId\":\"77\"}"
			     : "{\"error\":\"no\",\"echo\":\"" WEBHOOK_SECRET "\"}";
}

/* The request waits for its answer until the rig goes. */
static void deliver(struct rig *rig, const struct subject_sample *sample)
{
	static struct webhook_request request;

	request_post_signed(rig, &request, WEBHOOK_SECRET, sample->in);
	CU_ASSERT_EQUAL(request.answers, sample->ignored);
	if (sample->ignored)
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
}

#define FROM(chat, person) \
	"\"target\":{\"chatId\":\"" chat "\"},\"sender\":{\"userId\":\"" person "\"}"

static const struct subject_sample samples[] = {
	{.in = "{\"id\":\"e1\"," FROM("c", "u") ",\"text\":\"Grüße 😀\"}",
		.event_id = "e1",
		.chat_id = "c",
		.user_id = "u",
		.text = "Grüße 😀"},
	{.in = "{\"id\":\"e1\",\"target\":{\"chatId\":\" c \",\"threadId\":\"t\","
	       "\"isDirect\":true},\"sender\":{\"userId\":\"u\"},\"text\":\"hi\"}",
		.event_id = "e1",
		.chat_id = "c",
		.thread_id = "t",
		.user_id = "u",
		.text = "hi",
		.is_direct = true},
	{.in = "{\"id\":\"e1\"," FROM("c", "u") ",\"text\":\"/Stop@cow now\"}",
		.type = CG_EVENT_COMMAND,
		.event_id = "e1",
		.chat_id = "c",
		.user_id = "u",
		.text = "/Stop@cow now",
		.command = "stop"},
	{.in = "{\"id\":\"e1\"," FROM("c", "u") ",\"interaction\":{\"id\":\"p\","
						"\"token\":\"apv:1\"}}",
		.type = CG_EVENT_INTERACTION,
		.event_id = "e1",
		.chat_id = "c",
		.user_id = "u",
		.text = "apv:1",
		.token = "apv:1"},
	{.in = "{\"id\":\"e1\"," FROM("c", "u") ",\"attachments\":[{\"filename\":"
						"\"a.txt\",\"bufferBase64\":"
						"\"aGk=\"}]}",
		.event_id = "e1",
		.chat_id = "c",
		.user_id = "u",
		.attachments = 1},
	{.in = "{\"id\":\"e1\",\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":"
	       "\"u\",\"isBot\":true},\"text\":\"I am a bot, too\"}",
		.ignored = true},
	{.in = NULL},
};

#define WEBHOOK_SUBJECT(name) \
	const struct subject subject_##name = { \
		.kind = #name, \
		.settings = settings, \
		.http = true, \
		.answer = answer, \
		.outcomes = outcomes, \
		.deliver = deliver, \
		.samples = samples, \
	}

WEBHOOK_SUBJECT(webhook);
WEBHOOK_SUBJECT(discord);
WEBHOOK_SUBJECT(whatsapp);
WEBHOOK_SUBJECT(signal);
