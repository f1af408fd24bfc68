/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-delivery/delivery_rig.h"

#define FIRST_MS 400 /* an answer that comes sooner needs no sign */
#define RENEW_MS 4000

static const struct delivery_route chat = {.instance = "telegram",
	.target = {.chat_id = "chat", .thread_id = "t", .context = "c"}};

/* The tick is a timer of real time: what it would do at the clock's time is done now. */
static void pass(struct yard *yard, int64_t ms)
{
	yard->rig.now_ms += ms;
	yard->delivery->tick.fire(yard->delivery->tick.arg);
}

static void lease(struct yard *yard, const struct delivery_route *route, int64_t ms)
{
	delivery_typing(yard->delivery, route, ms == 0 ? 0 : yard->rig.now_ms + ms);
}

static void shown(struct yard *yard, size_t index)
{
	yard_end(yard, index, (struct cg_outcome){.class = CG_OUTCOME_SENT});
}

static void typing_is_shown_after_a_moment_and_renewed(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	lease(&yard, &chat, 60000);
	CU_ASSERT_EQUAL(yard.count, 0);
	pass(&yard, FIRST_MS);
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_TYPING);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].chat, "chat");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].context, "c");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].id, "");
	lease(&yard, &chat, 60000); /* moves the end, shows nothing */
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 1);
	pass(&yard, RENEW_MS);
	CU_ASSERT_EQUAL(yard.count, 1); /* the first is still under way */
	shown(&yard, 0);
	pass(&yard, RENEW_MS - 1);
	CU_ASSERT_EQUAL(yard.count, 1);
	pass(&yard, 1);
	CU_ASSERT_EQUAL(yard.count, 2);
	shown(&yard, 1);
	yard_finish(&yard);
}

static void typing_ends_by_itself(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	lease(&yard, &chat, 5000);
	pass(&yard, FIRST_MS);
	shown(&yard, 0);
	pass(&yard, RENEW_MS);
	shown(&yard, 1);
	pass(&yard, RENEW_MS);
	CU_ASSERT_EQUAL(yard.count, 2);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 0);
	yard_finish(&yard);
}

static void typing_ends_when_told(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	lease(&yard, &chat, 60000);
	lease(&yard, &chat, 0);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 0);
	pass(&yard, FIRST_MS);
	CU_ASSERT_EQUAL(yard.count, 0);
	lease(&yard, &chat, 60000);
	pass(&yard, FIRST_MS);
	lease(&yard, &chat, 0); /* its sign is under way */
	lease(&yard, &chat, 60000);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 2);
	shown(&yard, 0);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 1);
	pass(&yard, FIRST_MS);
	CU_ASSERT_EQUAL(yard.count, 2);
	/* A platform that says no is not asked again. */
	yard_end(&yard, 1, (struct cg_outcome){.class = CG_OUTCOME_REFUSED});
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 0);
	yard_finish(&yard);
}

static void typing_needs_a_channel_that_can(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.typing = false;
	lease(&yard, &chat, 60000);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 0);
	yard.capabilities.typing = true;
	yard.can = CG_BUSY;
	lease(&yard, &chat, 60000);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 0);
	yard_finish(&yard);
}

static void typing_has_a_lease_a_route_and_a_cap(void)
{
	struct delivery_route routes[2] = {chat, chat};
	struct yard yard;

	yard_init(&yard, NULL);
	routes[1].target.thread_id = NULL;
	lease(&yard, &routes[0], 60000);
	lease(&yard, &routes[1], 60000);
	CU_ASSERT_EQUAL(yard.delivery->lease_count, 2);
	for (unsigned i = 0; i < DELIVERY_LEASES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "chat%u", i);
		routes[1].target.chat_id = name;
		lease(&yard, &routes[1], 60000);
	}
	CU_ASSERT_EQUAL(yard.delivery->lease_count, DELIVERY_LEASES);
	yard_finish(&yard);
}

static void typing_does_not_wait_for_others(void)
{
	struct delivery_route other = chat;
	struct yard yard;

	yard_init(&yard, NULL);
	lease(&yard, &chat, 60000);
	yard.rig.now_ms += FIRST_MS - 1;
	other.target.chat_id = "other";
	lease(&yard, &other, 60000);
	/* The first is due in a millisecond, whoever came meanwhile. */
	yard.rig.now_ms += 1;
	YARD_UNTIL(&yard, yard.count == 1);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].chat, "chat");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].context, "c");
	yard_finish(&yard);
}

UNIT_SUITE(typing, UNIT_TEST(typing_is_shown_after_a_moment_and_renewed),
	UNIT_TEST(typing_ends_by_itself), UNIT_TEST(typing_ends_when_told),
	UNIT_TEST(typing_needs_a_channel_that_can),
	UNIT_TEST(typing_has_a_lease_a_route_and_a_cap),
	UNIT_TEST(typing_does_not_wait_for_others));
