/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/fault_vfs.h"
#include "tests/unit/gateway-delivery/delivery_rig.h"

static void delivery_sends_nothing_before_it_knows_what_was_under_way(void)
{
	struct yard yard;

	fault_vfs_install();
	yard_init(&yard, FAULT_VFS);
	yard_say(&yard, "a", "one");
	yard_await(&yard, 1);
	yard_say(&yard, "b", "two");
	yard_await(&yard, 2);
	yard_close(&yard);
	yard.count = 0;
	yard_open(&yard);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	yard.started = false;
	delivery_start(yard.delivery, yard_started, &yard);
	YARD_UNTIL(&yard, yard.rig.state != CG_OK);
	delivery_wake(yard.delivery);
	loop_turn(yard.rig.loop);
	CU_ASSERT_FALSE(yard.started);
	CU_ASSERT_EQUAL(yard.count, 0);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	YARD_UNTIL(&yard, yard.started);
	CU_ASSERT_EQUAL(yard.recovery.unknown, 2);
	yard_await(&yard, 2);
	yard_finish(&yard);
}

static void delivery_drains(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	yard_say(&yard, "a", "chat");
	yard_say(&yard, "b", "chat");
	yard_await(&yard, 1);
	delivery_drain(yard.delivery, yard_drained, &yard);
	CU_ASSERT_FALSE(yard.drained); /* one is under way */
	yard_receipt(&yard, 0, "1");
	YARD_UNTIL(&yard, yard.drained);
	CU_ASSERT_EQUAL(yard_state(&yard, "a"), OUTBOX_SENT); /* and was stored first */
	delivery_wake(yard.delivery);
	yard_say(&yard, "c", "other");
	CU_ASSERT_EQUAL(yard.count, 1);
	CU_ASSERT_EQUAL(delivery_in_flight(yard.delivery), 0);
	yard_restart(&yard);
	CU_ASSERT_EQUAL(yard.recovery.pending, 2);
	yard_await(&yard, 2);
	yard_finish(&yard);
}

static void delivery_drains_at_once_when_nothing_is_under_way(void)
{
	struct yard yard;

	yard_init(&yard, NULL);
	delivery_drain(yard.delivery, yard_drained, &yard);
	CU_ASSERT(yard.drained);
	yard_finish(&yard);
}

/* Whatever is under way when it is destroyed is nobody's: nothing leaks, nothing is touched. */
static void delivery_is_destroyed_at_any_moment(void)
{
	static const struct delivery_route route = {
		.instance = "telegram", .target = {.chat_id = "chat"}};
	struct yard yard;

	for (unsigned turns = 0; turns < 40; turns++) {
		yard_init(&yard, NULL);
		yard_say(&yard, "a", "one");
		yard_say(&yard, "b", "two");
		delivery_typing(yard.delivery, &route, yard.rig.now_ms + 5000);
		delivery_preview(yard.delivery, &route, "s", "text", 4);
		for (unsigned i = 0; i < turns; i++)
			loop_turn(yard.rig.loop);
		for (size_t i = 0; i < yard.count; i++)
			if (turns & 1)
				yard_receipt(&yard, i, "1");
		yard_finish(&yard);
	}
	delivery_destroy(NULL);
}

UNIT_SUITE(delivery, UNIT_TEST(delivery_sends_nothing_before_it_knows_what_was_under_way),
	UNIT_TEST(delivery_drains),
	UNIT_TEST(delivery_drains_at_once_when_nothing_is_under_way),
	UNIT_TEST(delivery_is_destroyed_at_any_moment));
