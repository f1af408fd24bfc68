/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-delivery/delivery_rig.h"

static void scheduler_keeps_a_lane_in_order(void)
{
	struct yard yard;
	struct obligation batch[4];

	yard_init(&yard, NULL);
	for (size_t i = 0; i < 4; i++) {
		static const char *const ids[] = {"a", "b", "c", "d"};

		batch[i] = rig_obligation(ids[i], "chat");
	}
	batch[2].purpose = OUTBOX_APPROVAL; /* priority acts between lanes only */
	yard_store(&yard, batch, 4);
	for (size_t i = 0; i < 4; i++) {
		yard_await(&yard, i + 1);
		yard_settle(&yard);
		CU_ASSERT_EQUAL(yard.count, i + 1); /* one in flight */
		CU_ASSERT_STRING_EQUAL(yard.sends[i].id, batch[i].delivery_id);
		yard_receipt(&yard, i, "r");
	}
	yard_await_state(&yard, "d", OUTBOX_SENT);
	yard_finish(&yard);
}

static void scheduler_runs_lanes_side_by_side(void)
{
	struct obligation o[3] = {rig_obligation("a", "one"), rig_obligation("b", "one"),
		rig_obligation("c", "one")};
	struct yard yard;

	yard_init(&yard, NULL);
	o[1].target.thread_id = "thread";
	o[2].instance = "slack";
	yard_store(&yard, o, 3);
	yard_await(&yard, 3);
	yard_finish(&yard);
}

static void scheduler_keeps_to_its_cap(void)
{
	struct yard yard;
	char id[16];

	yard_init(&yard, NULL);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "id%u", i);
		yard_say(&yard, id, id);
	}
	yard_await(&yard, 8);
	for (unsigned i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL(delivery_in_flight(yard.delivery), 8);
		CU_ASSERT_EQUAL(yard.count, i + 8 < 20 ? i + 8 : 20);
		yard_receipt(&yard, i, "r");
		if (i + 9 > 20)
			break;
		yard_await(&yard, i + 9);
	}
	yard_finish(&yard);
}

static void scheduler_caps_what_it_is_told(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_close(&yard);
	yard.options.concurrency = 100000;
	yard_open(&yard);
	CU_ASSERT_EQUAL(yard.delivery->options.concurrency, DELIVERY_CONCURRENCY);
	yard_finish(&yard);
}

static void scheduler_pauses_an_account_and_no_other(void)
{
	struct obligation o[3] = {rig_obligation("a", "one"), rig_obligation("b", "two"),
		rig_obligation("c", "one")};
	struct yard yard;

	yard_init(&yard, NULL);
	yard_store(&yard, &o[0], 1);
	yard_await(&yard, 1);
	yard_end(&yard, 0,
		(struct cg_outcome){.class = CG_OUTCOME_REFUSED,
			.scope = CG_SCOPE_ACCOUNT,
			.detail = "token revoked"});
	CU_ASSERT_EQUAL(yard.refusals, 1);
	CU_ASSERT_STRING_EQUAL(yard.refused, "telegram");
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	o[2].instance = "slack";
	yard_store(&yard, &o[1], 2);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "c"); /* another account */
	yard_pass(&yard, 3600000);
	yard_receipt(&yard, 1, "r");
	yard_await_state(&yard, "c", OUTBOX_SENT);
	CU_ASSERT_EQUAL(yard.count, 2);
	delivery_resume(yard.delivery, "telegram");
	yard_await(&yard, 4);
	CU_ASSERT_STRING_EQUAL(yard.sends[yard_find(&yard, "a")].text, "text");
	yard_find(&yard, "b");
	yard_finish(&yard);
}

static void check_pause(enum cg_outcome_scope scope)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "one");
	yard_await(&yard, 1);
	yard_end(&yard, 0,
		(struct cg_outcome){.class = CG_OUTCOME_RATE_LIMITED,
			.scope = scope,
			.retry_after_ms = 5000});
	CU_ASSERT_EQUAL(yard.refusals, 0);
	yard_await_state(&yard, "a", OUTBOX_PENDING);
	yard_say(&yard, "b", "two");
	yard_pass(&yard, 4999);
	YARD_UNTIL(&yard, !yard.delivery->querying && !yard.delivery->look.queued);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_pass(&yard, 1);
	yard_await(&yard, 3);
	yard_finish(&yard);
}

static void scheduler_pauses_a_limited_account_for_its_time(void)
{
	check_pause(CG_SCOPE_ACCOUNT);
	check_pause(CG_SCOPE_DESTINATION);
}

static void scheduler_waits_for_a_channel_that_cannot_send(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard.can = CG_BUSY;
	yard_say(&yard, "a", "chat");
	YARD_UNTIL(&yard, yard.delivery->paused_count == 1);
	CU_ASSERT_EQUAL(yard.count, 0);
	CU_ASSERT_EQUAL(yard_state(&yard, "a"), OUTBOX_PENDING);
	yard.can = CG_OK;
	delivery_resume(yard.delivery, "telegram");
	yard_await(&yard, 1);
	CU_ASSERT_EQUAL(yard.sends[0].attempt, 1); /* waiting was no attempt */
	delivery_resume(yard.delivery, "unheard of");
	yard_finish(&yard);
}

static void scheduler_pause_is_the_caller_s_too(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	delivery_pause(yard.delivery, "telegram");
	delivery_pause(yard.delivery, "telegram");
	CU_ASSERT_EQUAL(yard.delivery->paused_count, 1);
	yard_say(&yard, "a", "chat");
	YARD_UNTIL(&yard, !yard.delivery->querying && !yard.delivery->look.queued);
	CU_ASSERT_EQUAL(yard.count, 0);
	delivery_resume(yard.delivery, "telegram");
	yard_await(&yard, 1);
	/* More instances than there can be are not remembered. */
	for (unsigned i = 0; i < DELIVERY_PAUSED + 1; i++) {
		char name[16];

		snprintf(name, sizeof(name), "i%u", i);
		delivery_pause(yard.delivery, name);
	}
	CU_ASSERT_EQUAL(yard.delivery->paused_count, DELIVERY_PAUSED);
	yard_finish(&yard);
}

UNIT_SUITE(scheduler, UNIT_TEST(scheduler_keeps_a_lane_in_order),
	UNIT_TEST(scheduler_runs_lanes_side_by_side),
	UNIT_TEST(scheduler_keeps_to_its_cap), UNIT_TEST(scheduler_caps_what_it_is_told),
	UNIT_TEST(scheduler_pauses_an_account_and_no_other),
	UNIT_TEST(scheduler_pauses_a_limited_account_for_its_time),
	UNIT_TEST(scheduler_waits_for_a_channel_that_cannot_send),
	UNIT_TEST(scheduler_pause_is_the_caller_s_too));
