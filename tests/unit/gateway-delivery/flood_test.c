/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/flood.h"

#include "tests/unit/gateway-delivery/delivery_rig.h"

static struct cg_capabilities rates(void)
{
	return (struct cg_capabilities){.size = sizeof(struct cg_capabilities),
		.account_rate = {.per_minute = 1800, .burst = 30},
		.chat_rate = {.per_minute = 60, .burst = 1},
		.group_rate = {.per_minute = 20, .burst = 20}};
}

static struct flood flood;

static int64_t take(const struct cg_capabilities *capabilities, const char *chat,
	bool is_direct, enum flood_kind kind, int64_t now_ms, bool *account)
{
	const struct flood_send send = {
		"telegram", chat, is_direct, kind, capabilities, now_ms};

	return flood_take(&flood, &send, account);
}

static void a_chat_gets_its_burst_and_then_its_rate(void)
{
	const struct cg_capabilities c = rates();
	bool account = true;

	memset(&flood, 0, sizeof(flood));
	CU_ASSERT_EQUAL(take(&c, "a", true, FLOOD_OBLIGATION, 1000, NULL), 0);
	CU_ASSERT_EQUAL(take(&c, "a", true, FLOOD_OBLIGATION, 1000, &account), 1000);
	CU_ASSERT_FALSE(account);
	CU_ASSERT_EQUAL(take(&c, "a", true, FLOOD_OBLIGATION, 1999, NULL), 1);
	CU_ASSERT_EQUAL(take(&c, "a", true, FLOOD_OBLIGATION, 2000, NULL), 0);
	CU_ASSERT_EQUAL(take(&c, "b", true, FLOOD_OBLIGATION, 2000, NULL), 0);
	/* A group has a rate of its own. */
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(take(&c, "g", false, FLOOD_OBLIGATION, 3000, NULL), 0);
	CU_ASSERT_EQUAL(take(&c, "g", false, FLOOD_OBLIGATION, 3000, NULL), 3000);
}

static void an_account_keeps_room_for_what_must_arrive(void)
{
	const struct cg_capabilities c = rates();
	bool account = false;
	char chat[16];
	int typing = 0, previews = 0, sends = 0;

	memset(&flood, 0, sizeof(flood));
	while (take(&c, "x", true, FLOOD_TYPING, 1000, NULL) == 0)
		typing++;
	CU_ASSERT_EQUAL(typing, 15);
	for (; previews < 30; previews++) {
		snprintf(chat, sizeof(chat), "p%d", previews);
		if (take(&c, chat, true, FLOOD_PREVIEW, 1000, &account) > 0)
			break;
	}
	CU_ASSERT_EQUAL(previews, 7);
	CU_ASSERT(account);
	for (; sends < 30; sends++) {
		snprintf(chat, sizeof(chat), "s%d", sends);
		if (take(&c, chat, true, FLOOD_OBLIGATION, 1000, NULL) > 0)
			break;
	}
	CU_ASSERT_EQUAL(sends, 8);
}

/* In the long run all of the rate is used and no more of it. */
static void the_rate_is_used_to_the_full(void)
{
	const struct cg_capabilities c = rates();
	int sent = 0;

	memset(&flood, 0, sizeof(flood));
	for (int64_t now = 0; now < 600000; now += 7) {
		for (int chat = 0; chat < 200; chat++) {
			char id[16];

			snprintf(id, sizeof(id), "c%d", (chat + sent) % 200);
			if (take(&c, id, true, FLOOD_OBLIGATION, now, NULL) != 0)
				break;
			sent++;
		}
	}
	CU_ASSERT(sent <= 30 + 18000);
	CU_ASSERT(sent >= 17900);
}

static void without_rates_nothing_waits(void)
{
	const struct cg_capabilities none = {.size = sizeof(none)};

	memset(&flood, 0, sizeof(flood));
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(take(&none, "a", true, FLOOD_TYPING, 0, NULL), 0);
}

/* In the scheduler: one chat waits, the others do not, and order is kept. */
static void a_chat_that_waits_holds_up_nobody_else(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.chat_rate = (struct cg_rate){60, 1};
	yard_say(&yard, "a1", "a");
	yard_say(&yard, "a2", "a");
	yard_say(&yard, "b1", "b");
	yard_await(&yard, 2);
	yard_receipt(&yard, yard_find(&yard, "a1"), "1");
	yard_receipt(&yard, yard_find(&yard, "b1"), "2");
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 2);
	CU_ASSERT_EQUAL(yard_state(&yard, "a2"), OUTBOX_PENDING); /* no commit for it */
	yard_pass(&yard, 1000);
	yard_await(&yard, 3);
	CU_ASSERT_STRING_EQUAL(yard.sends[2].id, "a2");
	yard_finish(&yard);
}

/* The page was asked for while the lane was held, and comes when it is no more: nobody else will
 * ask again. */
static void a_hold_that_ends_during_a_look_is_not_forgotten(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.capabilities.chat_rate = (struct cg_rate){60, 1};
	yard_say(&yard, "a1", "a");
	yard_say(&yard, "a2", "a");
	yard_await(&yard, 1);
	yard_receipt(&yard, 0, "1");
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.delivery->hold_count, 1);
	delivery_wake(yard.delivery);
	YARD_UNTIL(&yard, yard.delivery->querying);
	yard.rig.now_ms += 1000; /* and nothing wakes it */
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "a2");
	yard_finish(&yard);
}

/* "Later" said to the whole account holds after a restart too. */
static void a_limit_survives_a_restart(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "a");
	yard_await(&yard, 1);
	yard_end(&yard, 0,
		(struct cg_outcome){.class = CG_OUTCOME_RATE_LIMITED,
			.scope = CG_SCOPE_ACCOUNT,
			.retry_after_ms = 60000});
	YARD_UNTIL(&yard, delivery_in_flight(yard.delivery) == 0);
	yard_restart(&yard);
	yard_say(&yard, "b", "b");
	YARD_UNTIL(&yard, yard.delivery->paused_count == 1);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard_pass(&yard, 59999);
	YARD_UNTIL(&yard, !yard.delivery->querying && !yard.delivery->look.queued);
	CU_ASSERT_EQUAL(yard.count, 0);
	yard_pass(&yard, 1);
	yard_await(&yard, 2);
	yard_finish(&yard);
}

UNIT_SUITE(flood, UNIT_TEST(a_chat_gets_its_burst_and_then_its_rate),
	UNIT_TEST(an_account_keeps_room_for_what_must_arrive),
	UNIT_TEST(the_rate_is_used_to_the_full), UNIT_TEST(without_rates_nothing_waits),
	UNIT_TEST(a_chat_that_waits_holds_up_nobody_else),
	UNIT_TEST(a_hold_that_ends_during_a_look_is_not_forgotten),
	UNIT_TEST(a_limit_survives_a_restart));
