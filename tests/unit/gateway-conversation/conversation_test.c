/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-conversation/conversation_rig.h"

static void probe_again(struct talk *talk)
{
	TALK_UNTIL(talk, loop_timer_pending(&talk->conversation->probe_timer));
	loop_timer_clear(&talk->conversation->probe_timer);
	talk->conversation->probe_timer.fire(talk->conversation->probe_timer.arg);
}

static void conversation_asks_what_the_other_side_can_do(void)
{
	struct talk talk;

	talk_init(&talk);
	CU_ASSERT(talk.conversation->can_abort && talk.conversation->can_status &&
		  talk.conversation->can_people);
	CU_ASSERT_STRING_EQUAL(talk.conversation->epoch, "e1");
	talk.extensions = NULL;
	talk_restart(&talk);
	CU_ASSERT_FALSE(talk.conversation->can_abort || talk.conversation->can_status ||
			talk.conversation->can_people);
	CU_ASSERT_STRING_EQUAL(talk.conversation->epoch, "");
	talk_finish(&talk);
}

static void conversation_asks_until_it_is_told(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk_open(&talk);
	conversation_start(talk.conversation, talk_resumed, &talk);
	talk_answer(&talk, "/extensions", 503, NULL);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_WAITING], 1);
	probe_again(&talk);
	talk_answer(&talk, "/extensions", 401, NULL);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_TOKEN_REFUSED], 1);
	talk.cloud.refuse = CG_NETWORK;
	probe_again(&talk);
	CU_ASSERT_FALSE(talk.started);
	probe_again(&talk);
	talk_answer(&talk, "/extensions", 200, TALK_OURS);
	TALK_UNTIL(&talk, talk.started);
	talk_finish(&talk);
}

/* With the Cloud away from the start, people are told all the same. */
static void conversation_tells_who_writes_before_it_knows(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk_open(&talk);
	conversation_start(talk.conversation, talk_resumed, &talk);
	talk_answer(&talk, "/extensions", 503, NULL);
	talk_hear(&talk, "e1", "chat", "text");
	talk_answer(&talk, TALK_CLAIM, 503, NULL);
	talk.yard.rig.now_ms += 30000;
	talk_retry(&talk);
	talk_answer(&talk, TALK_CLAIM, 503, NULL);
	talk_rest(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), words_text(WORDS_WAITING));
	/* But no session is bound before it is known whose sessions they are. */
	talk_retry(&talk);
	talk_admit(&talk);
	talk_expect_nothing(&talk);
	probe_again(&talk);
	talk_answer(&talk, "/extensions", 200, TALK_OURS);
	TALK_UNTIL(&talk, talk.started);
	talk_retry(&talk);
	talk_expect(&talk, TALK_BIND);
	talk_finish(&talk);
}

static void conversation_stops_taking_messages_up(void)
{
	struct conversation_figures figures;
	struct talk talk;

	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", "text");
	talk_expect(&talk, TALK_CLAIM);
	conversation_figures(talk.conversation, &figures);
	CU_ASSERT_EQUAL(figures.errands, 1);
	conversation_stop(talk.conversation);
	talk_hear(&talk, "e2", "other", "text");
	talk_expect_nothing(&talk);
	/* What is on its way goes on. */
	cloud_fake_answer(talk.current, 200, TALK_CLAIMED);
	talk_expect(&talk, TALK_IDENTITY);
	talk_finish(&talk);
}

static void conversation_is_destroyed_while_it_asks(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk_open(&talk);
	conversation_start(talk.conversation, talk_resumed, &talk);
	talk_finish(&talk);
	conversation_destroy(NULL);
}

static void conversation_knows_its_channels(void)
{
	struct talk talk;

	talk_init(&talk);
	CU_ASSERT_PTR_EQUAL(
		conversation_channel(talk.conversation, "telegram"), &talk.channel);
	CU_ASSERT_PTR_NULL(conversation_channel(talk.conversation, "slack"));
	CU_ASSERT(conversation_bucket("") < CONVERSATION_BUCKETS);
	CU_ASSERT_NOT_EQUAL(conversation_bucket("a"), conversation_bucket("b"));
	talk_finish(&talk);
}

static void conversation_has_words_for_everything(void)
{
	for (int i = 0; i < WORDS_COUNT; i++) {
		const char *text = words_text((enum words)i);

		CU_ASSERT_FALSE(cg_text_blank(text));
		CU_ASSERT(strlen(text) < 500);
	}
}

UNIT_SUITE(conversation, UNIT_TEST(conversation_asks_what_the_other_side_can_do),
	UNIT_TEST(conversation_asks_until_it_is_told),
	UNIT_TEST(conversation_tells_who_writes_before_it_knows),
	UNIT_TEST(conversation_stops_taking_messages_up),
	UNIT_TEST(conversation_is_destroyed_while_it_asks),
	UNIT_TEST(conversation_knows_its_channels),
	UNIT_TEST(conversation_has_words_for_everything));
