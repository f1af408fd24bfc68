/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-delivery/delivery_rig.h"

static void a_button_is_answered_once(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat", .context = "team"}};
	struct yard yard;

	yard_init(&yard, NULL);
	delivery_answer(yard.delivery, &route, "press", "Approved", true);
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_ANSWER);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].text, "Approved");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].context, "team");
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_AMBIGUOUS});
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1);
	YARD_UNTIL(&yard, rig_figures(&yard.rig).outbox_pending == 0);
	yard.takes = CG_BUSY;
	delivery_answer(yard.delivery, &route, "press", "Approved", true);
	yard_finish(&yard);
}

static void a_mark_is_set_where_the_platform_can(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat", .message_id = "7"}};
	static const struct delivery_route nowhere = {
		.instance = "telegram", .target = {.chat_id = "chat"}};
	struct yard yard;

	yard_init(&yard, NULL);
	delivery_react(yard.delivery, &route, CG_REACTION_SEEN);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard.capabilities.reactions = true;
	delivery_react(yard.delivery, &nowhere, CG_REACTION_SEEN);
	CU_ASSERT_EQUAL(yard.count, 0);
	delivery_react(yard.delivery, &route, CG_REACTION_SEEN);
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_REACTION);
	CU_ASSERT_EQUAL(yard.sends[0].reaction, CG_REACTION_SEEN);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].edited, "7");
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_RATE_LIMITED});
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_finish(&yard);
}

/* The latest wins, and never overtakes the one before it. */
static void marks_of_a_message_go_one_after_the_other(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat", .message_id = "7"}};
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.reactions = true;
	delivery_react(yard.delivery, &route, CG_REACTION_SEEN);
	delivery_react(yard.delivery, &route, CG_REACTION_FAILED);
	delivery_react(yard.delivery, &route, CG_REACTION_DONE);
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	yard_receipt(&yard, 0, NULL);
	CU_ASSERT_EQUAL_FATAL(yard.count, 2);
	CU_ASSERT_EQUAL(yard.sends[1].reaction, CG_REACTION_DONE);
	yard_receipt(&yard, 1, NULL);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 2);
	CU_ASSERT_EQUAL(yard.delivery->once_count, 0);
	yard_finish(&yard);
}

static void fire(struct loop_timer *timer);

/* A channel that starts again takes it later. */
static void a_mark_waits_for_its_channel(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat", .message_id = "7"}};
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.reactions = true;
	yard.can = CG_BUSY;
	delivery_react(yard.delivery, &route, CG_REACTION_DONE);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard.can = CG_OK;
	fire(&LIST_FIRST(&yard.delivery->onces)->timer);
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	CU_ASSERT_EQUAL(yard.sends[0].reaction, CG_REACTION_DONE);
	yard_receipt(&yard, 0, NULL);
	yard.can = CG_NOT_FOUND;
	delivery_react(yard.delivery, &route, CG_REACTION_DONE);
	CU_ASSERT_EQUAL(yard.delivery->once_count, 0);
	yard_finish(&yard);
}

static void fire(struct loop_timer *timer)
{
	CU_ASSERT(loop_timer_pending(timer));
	loop_timer_clear(timer);
	timer->fire(timer->arg);
}

/* A mark waits for the account's rate, but not for ever. */
static void marks_keep_to_the_rate(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat", .message_id = "7"}};
	struct once *once;
	struct yard yard;
	size_t sent = 0;

	yard_init(&yard, NULL);
	yard.capabilities.reactions = true;
	yard.capabilities.account_rate = (struct cg_rate){.per_minute = 60, .burst = 10};
	do {
		delivery_react(yard.delivery, &route, CG_REACTION_SEEN);
		if (yard.count > sent)
			yard_receipt(&yard, sent++, NULL);
	} while (yard.delivery->once_count == 0 && sent < 20);
	CU_ASSERT(sent > 0);
	CU_ASSERT_EQUAL_FATAL(yard.delivery->once_count, 1);
	once = LIST_FIRST(&yard.delivery->onces);
	/* What changes meanwhile is all that is sent. */
	delivery_react(yard.delivery, &route, CG_REACTION_DONE);
	fire(&once->timer);
	CU_ASSERT_EQUAL(yard.count, sent);
	yard.rig.now_ms += 30000;
	fire(&once->timer);
	CU_ASSERT_EQUAL_FATAL(yard.count, sent + 1);
	CU_ASSERT_EQUAL(yard.sends[sent].reaction, CG_REACTION_DONE);
	yard_receipt(&yard, sent++, NULL);
	yard.capabilities.account_rate = (struct cg_rate){.per_minute = 1, .burst = 1};
	delivery_react(yard.delivery, &route, CG_REACTION_SEEN);
	yard_receipt(&yard, sent++, NULL);
	delivery_react(yard.delivery, &route, CG_REACTION_DONE);
	once = LIST_FIRST(&yard.delivery->onces);
	once->until_ms -= 30000; /* half of the minute is over */
	fire(&once->timer);
	CU_ASSERT_EQUAL(yard.count, sent);
	CU_ASSERT_EQUAL(yard.delivery->once_count, 0);
	yard_finish(&yard);
}

/* More than can be under way are left out; what is never answered dies with the delivery. */
static void courtesies_have_a_cap(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat"}};
	struct yard yard;

	yard_init(&yard, NULL);
	for (int i = 0; i <= DELIVERY_ONCE; i++)
		delivery_answer(yard.delivery, &route, "press", "text", false);
	CU_ASSERT_EQUAL(yard.count, DELIVERY_ONCE);
	yard_receipt(&yard, 0, NULL);
	delivery_answer(yard.delivery, &route, "press", "text", false);
	CU_ASSERT_EQUAL(yard.count, DELIVERY_ONCE + 1);
	yard_finish(&yard);
}

UNIT_SUITE(once, UNIT_TEST(a_mark_waits_for_its_channel),
	UNIT_TEST(a_button_is_answered_once),
	UNIT_TEST(a_mark_is_set_where_the_platform_can),
	UNIT_TEST(marks_of_a_message_go_one_after_the_other),
	UNIT_TEST(marks_keep_to_the_rate), UNIT_TEST(courtesies_have_a_cap));
