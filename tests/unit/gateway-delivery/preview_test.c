/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-delivery/delivery_rig.h"

static const struct delivery_route chat = {
	.instance = "telegram", .target = {.chat_id = "chat"}};

static void show(struct yard *yard, const char *text)
{
	delivery_preview(yard->delivery, &chat, "s", text, strlen(text));
}

/* A slot with the receipt 900; what was sent for it is forgotten. */
static void begin(struct yard *yard)
{
	struct obligation slot = rig_obligation("s", "chat");

	yard_init(yard, NULL);
	slot.purpose = OUTBOX_SLOT;
	yard_store(yard, &slot, 1);
	yard_await(yard, 1);
	yard_receipt(yard, 0, "900");
	YARD_UNTIL(yard, delivery_in_flight(yard->delivery) == 0);
	yard->count = 0;
	yard_pass(yard, 1000);
}

static void preview_shows_the_latest(void)
{
	struct yard yard;

	begin(&yard);
	show(&yard, "one");
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(yard.sends[0].edited, "900");
	CU_ASSERT_STRING_EQUAL(yard.sends[0].chat, "chat");
	/* A receiver that drops twins would drop all but the first. */
	CU_ASSERT_STRING_EQUAL(yard.sends[0].id, "");
	show(&yard, "two");
	show(&yard, "three"); /* one in flight */
	CU_ASSERT_EQUAL(yard.count, 1);
	yard.rig.now_ms += 1000;
	yard_receipt(&yard, 0, NULL);
	CU_ASSERT_EQUAL_FATAL(yard.count, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].text, "three");
	yard_receipt(&yard, 1, NULL);
	yard_finish(&yard);
}

static void preview_keeps_its_pace(void)
{
	struct yard yard;

	begin(&yard);
	show(&yard, "one");
	yard_receipt(&yard, 0, NULL);
	yard.rig.now_ms += 999;
	show(&yard, "two");
	CU_ASSERT_EQUAL(yard.count, 1);
	yard.rig.now_ms += 1;
	show(&yard, "two!");
	CU_ASSERT_EQUAL(yard.count, 2);
	yard_receipt(&yard, 1, NULL);
	yard.capabilities.edit_interval_ms = 3000; /* what the platform needs is more */
	yard.rig.now_ms += 2999;
	show(&yard, "three");
	CU_ASSERT_EQUAL(yard.count, 2);
	yard.rig.now_ms += 1;
	show(&yard, "three!");
	CU_ASSERT_EQUAL(yard.count, 3);
	yard_end(&yard, 2,
		(struct cg_outcome){
			.class = CG_OUTCOME_RATE_LIMITED, .retry_after_ms = 60000});
	yard.rig.now_ms += 62999;
	show(&yard, "four");
	CU_ASSERT_EQUAL(yard.count, 3);
	yard.rig.now_ms += 1;
	show(&yard, "four!");
	CU_ASSERT_EQUAL(yard.count, 4);
	yard_receipt(&yard, 3, NULL);
	yard_finish(&yard);
}

static void preview_says_nothing_twice(void)
{
	struct yard yard;

	begin(&yard);
	show(&yard, "one");
	yard_receipt(&yard, 0, NULL);
	yard.rig.now_ms += 5000;
	show(&yard, "one");
	CU_ASSERT_EQUAL(yard.count, 1);
	show(&yard, "one more");
	CU_ASSERT_EQUAL(yard.count, 2);
	yard_receipt(&yard, 1, NULL);
	yard_finish(&yard);
}

static void preview_that_is_refused_is_over(void)
{
	struct yard yard;

	begin(&yard);
	show(&yard, "one");
	yard_end(&yard, 0, (struct cg_outcome){.class = CG_OUTCOME_REFUSED});
	yard.rig.now_ms += 60000;
	show(&yard, "two");
	yard_settle(&yard);
	/* Neither another edit, nor a message of its own. */
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_finish(&yard);
}

static void preview_waits_for_its_slot(void)
{
	struct obligation slot = rig_obligation("s", "chat");
	struct yard yard;

	yard_init(&yard, NULL);
	show(&yard, "early");
	show(&yard, "earlier than its slot");
	slot.purpose = OUTBOX_SLOT;
	yard_store(&yard, &slot, 1);
	yard_await(&yard, 1);
	CU_ASSERT_EQUAL(yard.sends[0].kind, CG_OUTBOUND_TEXT);
	yard_receipt(&yard, 0, "900");
	YARD_UNTIL(&yard, delivery_in_flight(yard.delivery) == 0);
	yard.rig.now_ms += 1000;
	show(&yard, "latest");
	CU_ASSERT_EQUAL_FATAL(yard.count, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].text, "latest");
	yard_receipt(&yard, 1, NULL);
	yard_finish(&yard);
}

static void preview_never_overtakes_the_final(void)
{
	struct obligation final = rig_obligation("f", "chat");
	struct yard yard;

	begin(&yard);
	final.slot_id = "s";
	show(&yard, "half");
	show(&yard, "more than half"); /* waits behind the first */
	yard_store(&yard, &final, 1);
	delivery_preview_end(yard.delivery, "s");
	yard_settle(&yard);
	/* Its lane is held by the edit that is under way. */
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_receipt(&yard, 0, NULL);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "f");
	yard.rig.now_ms += 5000;
	show(&yard, "too late");
	CU_ASSERT_EQUAL(yard.count, 2); /* while the final is under way */
	yard_receipt(&yard, 1, NULL);
	yard_await_state(&yard, "f", OUTBOX_SENT);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 2);
	yard_finish(&yard);
}

/* On the turn that asks the journal what is due, before its answer can have come. */
static void show_half(void *arg)
{
	struct yard *yard = arg;

	CU_ASSERT(yard->delivery->querying);
	show(yard, "half");
	CU_ASSERT_EQUAL(yard->count, 1);
}

static void preview_that_has_just_begun_is_not_overtaken(void)
{
	struct obligation final = rig_obligation("f", "chat");
	struct loop_task showing;
	struct yard yard;

	begin(&yard);
	final.slot_id = "s";
	scheduler_pause(yard.delivery, "telegram", 0);
	yard_store(&yard, &final, 1);
	YARD_UNTIL(&yard, !yard.delivery->querying && !yard.delivery->wanted);
	scheduler_resume(yard.delivery, "telegram");
	loop_task_init(&showing, show_half, &yard);
	loop_defer(yard.rig.loop, &showing);
	yard_settle(&yard);
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_receipt(&yard, 0, NULL);
	yard_await(&yard, 2);
	CU_ASSERT_STRING_EQUAL(yard.sends[1].id, "f");
	yard_receipt(&yard, 1, NULL);
	yard_finish(&yard);
}

static void preview_gives_way_to_what_waits_in_its_lane(void)
{
	struct yard yard;

	begin(&yard);
	yard_say(&yard, "notice", "chat");
	yard_await(&yard, 1);
	show(&yard, "half");
	CU_ASSERT_EQUAL(yard.count, 1);
	yard_receipt(&yard, 0, "901");
	yard_await(&yard, 2); /* and then it goes */
	CU_ASSERT_STRING_EQUAL(yard.sends[1].text, "half");
	yard_receipt(&yard, 1, NULL);
	yard_finish(&yard);
}

/* A slot that was sent after its stream had let go of it is not remembered for ever. */
static void preview_of_a_slot_ends_with_its_final(void)
{
	struct obligation o[2] = {
		rig_obligation("s", "chat"), rig_obligation("f", "chat")};
	struct yard yard;

	yard_init(&yard, NULL);
	o[0].purpose = OUTBOX_SLOT;
	o[1].slot_id = "s";
	yard_store(&yard, o, 1);
	yard_await(&yard, 1);
	yard_store(&yard, o + 1, 1);
	delivery_preview_end(
		yard.delivery, "s"); /* as the stream does: there is none yet */
	yard_receipt(&yard, 0, "900");
	yard_await(&yard, 2);
	CU_ASSERT_EQUAL(yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_EQUAL(yard.delivery->preview_count, 0);
	yard_finish(&yard);
}

static void preview_forgets_the_oldest_at_its_cap(void)
{
	struct yard yard;
	char id[16];

	begin(&yard); /* the oldest is "s" */
	for (unsigned i = 0; i < DELIVERY_PREVIEWS; i++) {
		snprintf(id, sizeof(id), "slot%u", i);
		delivery_preview(yard.delivery, &chat, id, "x", 1);
	}
	CU_ASSERT_EQUAL(yard.delivery->preview_count, DELIVERY_PREVIEWS);
	show(&yard, "its receipt is forgotten");
	CU_ASSERT_EQUAL(yard.count, 0);
	CU_ASSERT_EQUAL(yard.delivery->preview_count, DELIVERY_PREVIEWS);
	yard_finish(&yard);
}

static void preview_too_long_under_way_is_cancelled(void)
{
	struct yard yard;

	begin(&yard);
	yard.delivery->options.send_timeout_ms = -DELIVERY_GRACE_MS; /* at once */
	show(&yard, "half");
	CU_ASSERT_EQUAL_FATAL(yard.count, 1);
	YARD_UNTIL(&yard, yard.cancels == 1);
	yard_say(&yard, "next", "chat");
	yard_await(&yard, 2); /* the lane is free */
	yard_finish(&yard);
}

static void preview_ends_with_the_drain(void)
{
	struct yard yard;

	begin(&yard);
	delivery_drain(yard.delivery, yard_drained, &yard);
	CU_ASSERT(yard.drained);
	show(&yard, "half");
	CU_ASSERT_EQUAL(yard.count, 0);
	yard_finish(&yard);
}

UNIT_SUITE(preview, UNIT_TEST(preview_shows_the_latest),
	UNIT_TEST(preview_keeps_its_pace), UNIT_TEST(preview_says_nothing_twice),
	UNIT_TEST(preview_that_is_refused_is_over), UNIT_TEST(preview_waits_for_its_slot),
	UNIT_TEST(preview_never_overtakes_the_final),
	UNIT_TEST(preview_that_has_just_begun_is_not_overtaken),
	UNIT_TEST(preview_gives_way_to_what_waits_in_its_lane),
	UNIT_TEST(preview_of_a_slot_ends_with_its_final),
	UNIT_TEST(preview_forgets_the_oldest_at_its_cap),
	UNIT_TEST(preview_too_long_under_way_is_cancelled),
	UNIT_TEST(preview_ends_with_the_drain));
