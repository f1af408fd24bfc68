/* SPDX-License-Identifier: Apache-2.0 */
/* What programs have said, and the dead that come back together. */
#include "tests/unit/gateway-journal/journal_rig.h"

static enum cg_status say(
	struct rig *rig, const char *id, const char *chat, const char *text)
{
	const struct obligation one = {.delivery_id = id,
		.instance = "telegram",
		.target = {.chat_id = chat},
		.purpose = OUTBOX_DELIVERY,
		.kind = CG_OUTBOUND_TEXT,
		.source = text,
		.part = 1,
		.parts = 1};

	outbox_say(rig->journal, &one, 1, rig_done, rig);
	rig_await(rig);
	return rig->status;
}

static void a_repeat_does_nothing_and_another_is_refused(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(say(&rig, "say:1", "a", "text"), CG_OK);
	CU_ASSERT_EQUAL(say(&rig, "say:1", "a", "text"), CG_EXISTS);
	CU_ASSERT_EQUAL(say(&rig, "say:1", "a", "other"), CG_CONFLICT);
	CU_ASSERT_EQUAL(say(&rig, "say:1", "b", "text"), CG_CONFLICT);
	CU_ASSERT_EQUAL(say(&rig, "say:2", "b", NULL), CG_INVALID);
	outbox_say(rig.journal, NULL, 0, rig_done, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_INVALID);
	CU_ASSERT_EQUAL(rig_due(&rig), 1);
	rig_free_rows(&rig);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static size_t revive(struct rig *rig, int64_t since_ms, const char *instance, bool dry)
{
	const struct outbox_revival revival = {.since_ms = since_ms,
		.instance = instance,
		.dry = dry,
		.now_ms = rig->now_ms};

	outbox_revive(rig->journal, &revival, rig_on_json, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
	return cg_json_count(rig->json);
}

static void the_dead_of_a_while_come_back_in_order(void)
{
	const struct outbox_query all = {.now_ms = RIG_NOW + 5000, .limit = 10};
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(say(&rig, "1", "a", "x"), CG_OK);
	CU_ASSERT_EQUAL(say(&rig, "2", "a", "x"), CG_OK);
	outbox_kill(rig.journal, "1", NULL, RIG_NOW, rig_on_json, &rig);
	rig_await(&rig);
	rig.now_ms = RIG_NOW + 5000;
	outbox_kill(rig.journal, "2", NULL, rig.now_ms, rig_on_json, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(revive(&rig, RIG_NOW + 5001, NULL, false), 0);
	CU_ASSERT_EQUAL(revive(&rig, RIG_NOW, "slack", false), 0);
	CU_ASSERT_EQUAL(revive(&rig, RIG_NOW, NULL, true), 2);
	CU_ASSERT_EQUAL(rig_due(&rig), 0);
	CU_ASSERT_EQUAL(revive(&rig, RIG_NOW + 1, NULL, true), 1);
	CU_ASSERT_EQUAL(revive(&rig, RIG_NOW, "telegram", false), 2);
	rig_check_figures(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "1");
	CU_ASSERT_EQUAL(revive(&rig, RIG_NOW, NULL, false), 0);
	rig_finish(&rig);
}

UNIT_SUITE(outbox_say, UNIT_TEST(a_repeat_does_nothing_and_another_is_refused),
	UNIT_TEST(the_dead_of_a_while_come_back_in_order));
