/* SPDX-License-Identifier: Apache-2.0 */
/* Retrying and giving up by hand. */
#include "tests/unit/gateway-journal/journal_rig.h"

static enum cg_status retry(struct rig *rig, const char *delivery_id)
{
	outbox_retry(rig->journal, delivery_id, rig->now_ms, rig_on_json, rig);
	rig_await(rig);
	return rig->status;
}

static enum cg_status kill(struct rig *rig, const char *delivery_id)
{
	outbox_kill(rig->journal, delivery_id, "no use", rig->now_ms, rig_on_json, rig);
	rig_await(rig);
	return rig->status;
}

static void a_dead_row_lives_again_at_its_place(void)
{
	const struct outbox_query all = {.now_ms = RIG_NOW + 90000000, .limit = 10};
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "a");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW);
	rig_settle_as(&rig, 1, OUTBOX_DEAD, 0);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "2");
	rig.now_ms = RIG_NOW + 90000000; /* beyond its deadline */
	CU_ASSERT_EQUAL(retry(&rig, "1"), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_json_string(rig.json, "deliveryId"), "1");
	CU_ASSERT_STRING_EQUAL(cg_json_string(rig.json, "status"), "failed");
	CU_ASSERT_PTR_NULL(cg_json_string(rig.json, "lastError"));
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_STRING_EQUAL(rig.rows[0]->delivery_id, "1");
	CU_ASSERT_EQUAL(rig.rows[0]->failures, 1);
	CU_ASSERT_FALSE(rig.rows[0]->maybe_duplicate);
	CU_ASSERT_TRUE(rig.rows[0]->deadline_ms > rig.now_ms);
	rig_free_rows(&rig);
	rig_check_figures(&rig);
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_SENT, 0);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "2");
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* An old row comes back while a later one of its lane is in flight. */
static void a_row_comes_back_before_one_in_flight(void)
{
	const struct outbox_query all = {.now_ms = RIG_NOW, .limit = 10};
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "a");
	rig_say(&rig, "3", "a");
	CU_ASSERT_EQUAL(kill(&rig, "1"), CG_OK);
	rig_sending(&rig, 2);
	CU_ASSERT_EQUAL(retry(&rig, "1"), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 2, OUTBOX_PENDING, RIG_NOW), CG_OK);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "1");
	CU_ASSERT_EQUAL(rig_sending(&rig, 2), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 2, OUTBOX_SENT, 0), CG_OK);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "1");
	CU_ASSERT_EQUAL(kill(&rig, "1"), CG_OK);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &all), "3");
	rig_finish(&rig);
}

static void what_may_have_arrived_is_marked(void)
{
	const struct outbox_result ambiguous = {
		.state = OUTBOX_DEAD, .outcome = "ambiguous", .now_ms = RIG_NOW};
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_UNKNOWN, RIG_NOW + 5000);
	CU_ASSERT_EQUAL(retry(&rig, "1"), CG_OK);
	CU_ASSERT_TRUE(cg_json_bool(rig.json, "maybeDuplicate", false));
	rig_say(&rig, "2", "b");
	rig_sending(&rig, 2);
	rig_settle(&rig, 2, &ambiguous);
	CU_ASSERT_EQUAL(retry(&rig, "2"), CG_OK);
	CU_ASSERT_TRUE(cg_json_bool(rig.json, "maybeDuplicate", false));
	CU_ASSERT_EQUAL(rig_due(&rig), 2);
	rig_free_rows(&rig);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void states_decide_what_may_be_done(void)
{
	static const struct {
		enum outbox_state state;
		enum cg_status retry, kill;
	} expected[] = {
		{OUTBOX_PENDING, CG_OK, CG_OK},
		{OUTBOX_SENDING, CG_CONFLICT, CG_CONFLICT},
		{OUTBOX_UNKNOWN, CG_OK, CG_OK},
		{OUTBOX_SENT, CG_CONFLICT, CG_CONFLICT},
		{OUTBOX_DEAD, CG_OK, CG_CONFLICT},
	};
	struct rig rig;
	char id[8];

	rig_start(&rig);
	for (int i = 0; i < 2 * (int)(sizeof(expected) / sizeof(*expected)); i++) {
		enum outbox_state state = expected[i / 2].state;

		snprintf(id, sizeof(id), "%d", i);
		rig_say(&rig, id, id);
		if (state != OUTBOX_PENDING)
			rig_sending(&rig, i + 1);
		if (state != OUTBOX_PENDING && state != OUTBOX_SENDING)
			rig_settle_as(&rig, i + 1, state, RIG_NOW);
		if (i % 2 == 0)
			CU_ASSERT_EQUAL(retry(&rig, id), expected[i / 2].retry);
		if (i % 2 == 1)
			CU_ASSERT_EQUAL(kill(&rig, id), expected[i / 2].kill);
		rig_check_figures(&rig);
	}
	CU_ASSERT_EQUAL(retry(&rig, "none"), CG_NOT_FOUND);
	CU_ASSERT_PTR_NULL(rig.json);
	CU_ASSERT_EQUAL(kill(&rig, "none"), CG_NOT_FOUND);
	rig_finish(&rig);
}

static void what_is_given_up_says_why(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	CU_ASSERT_EQUAL(kill(&rig, "1"), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_json_string(rig.json, "status"), "dead");
	CU_ASSERT_STRING_EQUAL(cg_json_string(rig.json, "reason"), "no use");
	CU_ASSERT_STRING_EQUAL(cg_json_string(rig.json, "lastError"), "no use");
	rig_finish(&rig);
}

UNIT_SUITE(outbox_operator, UNIT_TEST(a_dead_row_lives_again_at_its_place),
	UNIT_TEST(a_row_comes_back_before_one_in_flight),
	UNIT_TEST(what_may_have_arrived_is_marked),
	UNIT_TEST(states_decide_what_may_be_done), UNIT_TEST(what_is_given_up_says_why));
