/* SPDX-License-Identifier: Apache-2.0 */
/* Storing obligations: repeats, slots, the cap, and the cursor that moves with them. */
#include "tests/unit/gateway-journal/journal_rig.h"

static void a_repeat_is_skipped_and_the_rest_is_stored(void)
{
	const struct obligation o[] = {
		rig_obligation("1", "chat"), rig_obligation("2", "chat")};
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_oblige(&rig, o, 1), CG_OK);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.outbox_hooks, 1);
	CU_ASSERT_EQUAL(rig_oblige(&rig, o, 1), CG_OK);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.outbox_hooks, 1);
	CU_ASSERT_EQUAL(rig_oblige(&rig, o, 2), CG_OK);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.outbox_hooks, 2);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 2);
	CU_ASSERT_EQUAL(rig_oblige(&rig, NULL, 0), CG_OK);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void hooks_run_once_a_turn(void)
{
	struct rig rig;
	char id[16];

	rig_start(&rig);
	rig_turn(&rig);
	for (int i = 0; i < 100; i++) {
		struct obligation o = rig_obligation(id, "chat");

		snprintf(id, sizeof(id), "%d", i);
		outbox_store(rig.journal, &o, 1, NULL, i == 99 ? rig_done : NULL, &rig);
	}
	rig_await(&rig);
	rig_turn(&rig);
	CU_ASSERT_TRUE(rig.outbox_hooks >= 1);
	CU_ASSERT_TRUE(rig.outbox_hooks <= rig_figures(&rig).commits);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 100);
	rig_finish(&rig);
}

static void the_outbox_has_a_cap(void)
{
	const struct obligation o[] = {rig_obligation("1", "a"), rig_obligation("2", "b"),
		rig_obligation("3", "c")};
	struct rig rig;
	unsigned hooks;

	rig_init(&rig);
	rig.options.outbox_rows = 2;
	rig_open(&rig);
	CU_ASSERT_TRUE(outbox_has_room(rig.journal));
	CU_ASSERT_EQUAL(rig_oblige(&rig, o, 1), CG_OK);
	CU_ASSERT_TRUE(outbox_has_room(rig.journal));
	/* While there is room for one, a store is taken whole. */
	CU_ASSERT_EQUAL(rig_oblige(&rig, o, 3), CG_OK);
	CU_ASSERT_FALSE(outbox_has_room(rig.journal));
	CU_ASSERT_EQUAL(rig_say(&rig, "4", "d"), CG_LIMIT);
	rig_reopen(&rig);
	CU_ASSERT_FALSE(outbox_has_room(rig.journal));
	rig_turn(&rig);
	hooks = rig.outbox_hooks;
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_DEAD, 0), CG_OK);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.outbox_hooks, hooks);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 2, OUTBOX_DEAD, 0), CG_OK);
	rig_turn(&rig);
	/* There is room again: whoever paused is told. */
	CU_ASSERT_EQUAL(rig.outbox_hooks, hooks + 1);
	CU_ASSERT_TRUE(outbox_has_room(rig.journal));
	CU_ASSERT_EQUAL(rig_say(&rig, "4", "d"), CG_OK);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* What is on its way to the disk takes room as well, and gives it back when it fails. */
static void the_cap_holds_for_what_is_not_committed_yet(void)
{
	const struct obligation o = rig_obligation("1", "a");
	struct rig rig;

	rig_init(&rig);
	rig.options.outbox_rows = 1;
	rig_open(&rig);
	outbox_store(rig.journal, &o, 1, NULL, NULL, NULL);
	CU_ASSERT_FALSE(outbox_has_room(rig.journal));
	CU_ASSERT_EQUAL(rig_say(&rig, "2", "b"), CG_LIMIT);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 1);
	rig_finish(&rig);
}

static void store_slot(struct rig *rig)
{
	struct obligation slot = rig_obligation("slot", "chat");

	slot.purpose = OUTBOX_SLOT;
	CU_ASSERT_EQUAL(rig_oblige(rig, &slot, 1), CG_OK);
}

static struct obligation final_of_slot(void)
{
	struct obligation final = rig_obligation("final", "chat");

	final.slot_id = "slot";
	return final;
}

static void a_final_supersedes_a_slot_that_was_never_tried(void)
{
	const struct obligation final = final_of_slot();
	struct rig rig;

	rig_start(&rig);
	store_slot(&rig);
	CU_ASSERT_EQUAL(rig_oblige(&rig, &final, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 1);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_STRING_EQUAL(rig.rows[0]->delivery_id, "final");
	CU_ASSERT_PTR_NULL(rig.rows[0]->slot_receipt);
	rig_free_rows(&rig);
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_CONFLICT);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void a_slot_that_was_tried_keeps_its_place(void)
{
	const struct obligation final = final_of_slot();
	const struct outbox_query all = {.now_ms = RIG_NOW, .limit = 10};
	struct rig rig;

	rig_start(&rig);
	store_slot(&rig);
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_oblige(&rig, &final, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 2);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW), CG_OK);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "slot");
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_SENT, 0), CG_OK);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_STRING_EQUAL(rig.rows[0]->delivery_id, "final");
	CU_ASSERT_STRING_EQUAL(rig.rows[0]->slot_receipt, "receipt");
	rig_free_rows(&rig);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* Whether the failed attempt arrived may be unknown: the slot is sent, then edited. */
static void a_slot_that_waits_to_be_tried_again_is_not_superseded(void)
{
	const struct obligation final = final_of_slot();
	struct rig rig;

	rig_start(&rig);
	store_slot(&rig);
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW), CG_OK);
	CU_ASSERT_EQUAL(rig_oblige(&rig, &final, 1), CG_OK);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_STRING_EQUAL(rig.rows[0]->delivery_id, "slot");
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static void a_dead_slot_gives_no_receipt(void)
{
	const struct outbox_result gone = {
		.state = OUTBOX_DEAD, .receipt = "of another time", .now_ms = RIG_NOW};
	const struct obligation final = final_of_slot();
	struct rig rig;

	rig_start(&rig);
	store_slot(&rig);
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle(&rig, 1, &gone), CG_OK);
	CU_ASSERT_EQUAL(rig_oblige(&rig, &final, 1), CG_OK);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_PTR_NULL(rig.rows[0]->slot_receipt);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static void names_are_those_of_the_records(void)
{
	CU_ASSERT_STRING_EQUAL(outbox_state_name(OUTBOX_UNKNOWN), "unknown");
	CU_ASSERT_STRING_EQUAL(outbox_state_name(OUTBOX_SUPERSEDED), "superseded");
	CU_ASSERT_STRING_EQUAL(outbox_purpose_name(OUTBOX_FINAL), "final");
	CU_ASSERT_STRING_EQUAL(outbox_purpose_name(OUTBOX_DELIVERY), "delivery");
}

UNIT_SUITE(outbox_store, UNIT_TEST(a_repeat_is_skipped_and_the_rest_is_stored),
	UNIT_TEST(hooks_run_once_a_turn), UNIT_TEST(the_outbox_has_a_cap),
	UNIT_TEST(the_cap_holds_for_what_is_not_committed_yet),
	UNIT_TEST(a_final_supersedes_a_slot_that_was_never_tried),
	UNIT_TEST(a_slot_that_was_tried_keeps_its_place),
	UNIT_TEST(a_slot_that_waits_to_be_tried_again_is_not_superseded),
	UNIT_TEST(a_dead_slot_gives_no_receipt),
	UNIT_TEST(names_are_those_of_the_records));
