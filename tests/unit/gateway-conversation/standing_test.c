/* SPDX-License-Identifier: Apache-2.0 */
/* A message behind others; what /status and /agent say is in command_test.c. */
#include "gateway/conversation/standing.h"

#include "tests/unit/gateway-conversation/conversation_rig.h"

/* A second prompt while the first one runs; its command is accepted. */
static void prompt_behind(struct talk *talk)
{
	talk_converse(talk);
	talk_event(talk, 1, "session.status", "{\"statusType\":\"running\"}");
	talk_hear(talk, "e2", "chat", "more");
	cloud_fake_answer(talk_until_prompt(talk), 202, TALK_PROMPTED);
}

static void finish(struct talk *talk, const char *said)
{
	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, 2);
	CU_ASSERT_STRING_EQUAL(talk_said(talk), said);
	CU_ASSERT_EQUAL(talk->facts[CONVERSATION_PROMPTED], 2);
	talk_finish(talk);
}

static void who_waits_is_told_quietly(void)
{
	struct talk talk;

	talk_init(&talk);
	prompt_behind(&talk);
	talk_answer(&talk, "/sessions/bind-1", 200, "{\"busy\":true,\"queued\":2}");
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 2);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "Queued, 2 before it.");
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT silent FROM outbox"), 1);
	talk_finish(&talk);
}

/* It was heard at once, or nobody knows. */
static void nothing_is_told_that_is_not_so(void)
{
	static const struct {
		int status;
		const char *json;
	} answers[] = {{200, "{\"busy\":true,\"queued\":0}"},
		{200, "{\"busy\":false,\"queued\":1}"}, {503, NULL}, {404, NULL}};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct talk talk;

		talk_init(&talk);
		prompt_behind(&talk);
		talk_answer(
			&talk, "/sessions/bind-1", answers[i].status, answers[i].json);
		finish(&talk, "");
	}
}

/* Where a mark shows it, and where each message is a letter, it is not even asked. */
static void some_channels_need_no_words(void)
{
	for (int i = 0; i < 2; i++) {
		struct talk talk;

		talk_prepare(&talk, NULL);
		talk.options.reactions = i == 0;
		talk.yard.capabilities.reactions = i == 0;
		talk.yard.capabilities.edit = i == 0;
		talk.yard.capabilities.typing = i == 0;
		talk_open(&talk);
		talk_start(&talk);
		prompt_behind(&talk);
		finish(&talk, "");
	}
}

UNIT_SUITE(standing, UNIT_TEST(who_waits_is_told_quietly),
	UNIT_TEST(nothing_is_told_that_is_not_so),
	UNIT_TEST(some_channels_need_no_words));
