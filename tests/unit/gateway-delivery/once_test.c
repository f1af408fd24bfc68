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

UNIT_SUITE(once, UNIT_TEST(a_button_is_answered_once),
	UNIT_TEST(a_mark_is_set_where_the_platform_can),
	UNIT_TEST(courtesies_have_a_cap));
