/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a part: every move that is allowed, and every other is refused. */
#include "tests/unit/gateway-journal/journal_rig.h"

#define STATES 6

/* A row of its own chat in @state; its id. */
static int64_t row_in_state(struct rig *rig, enum outbox_state state)
{
	static int64_t serial;
	char id[32];
	int64_t row;

	snprintf(id, sizeof(id), "row-%lld", (long long)++serial);
	CU_ASSERT_EQUAL_FATAL(rig_say(rig, id, id), CG_OK);
	row = rig_number(rig, "SELECT max(id) FROM outbox");
	if (state == OUTBOX_SUPERSEDED) {
		struct obligation final = rig_obligation("final", id);
		char name[48];

		snprintf(name, sizeof(name), "final-%s", id);
		final.delivery_id = name;
		final.slot_id = id;
		CU_ASSERT_EQUAL_FATAL(rig_oblige(rig, &final, 1), CG_OK);
		return row;
	}
	if (state != OUTBOX_PENDING)
		CU_ASSERT_EQUAL_FATAL(rig_sending(rig, row), CG_OK);
	if (state != OUTBOX_PENDING && state != OUTBOX_SENDING)
		CU_ASSERT_EQUAL_FATAL(rig_settle_as(rig, row, state, RIG_NOW), CG_OK);
	return row;
}

static void every_move_is_as_the_table_says(void)
{
	/* Rows: from; columns: to; in the order of enum outbox_state. */
	static const char *const settle[STATES] = {
		[OUTBOX_PENDING] = "y...yy",
		[OUTBOX_SENDING] = "y.yyyy",
		[OUTBOX_SENT] = "......",
		[OUTBOX_UNKNOWN] = "y.yyyy",
		[OUTBOX_DEAD] = "......",
		[OUTBOX_SUPERSEDED] = "......",
	};
	static const char sending[STATES + 1] = "y..y..";
	struct rig rig;

	rig_start(&rig);
	for (int from = 0; from < STATES; from++) {
		int64_t row = row_in_state(&rig, (enum outbox_state)from);

		CU_ASSERT_EQUAL(rig_sending(&rig, row),
			sending[from] == 'y' ? CG_OK : CG_CONFLICT);
		for (int to = 0; to < STATES; to++) {
			bool result = to != OUTBOX_SENDING;
			enum cg_status expected = !result                   ? CG_INVALID
						  : settle[from][to] == 'y' ? CG_OK
									    : CG_CONFLICT;

			row = row_in_state(&rig, (enum outbox_state)from);
			CU_ASSERT_EQUAL(
				rig_settle_as(&rig, row, (enum outbox_state)to, RIG_NOW),
				expected);
			rig_check_figures(&rig);
		}
	}
	CU_ASSERT_EQUAL(rig_sending(&rig, 1000000), CG_CONFLICT);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1000000, OUTBOX_DEAD, 0), CG_CONFLICT);
	rig_finish(&rig);
}

static void attempts_and_failures_are_counted(void)
{
	struct outbox_result result = {
		.state = OUTBOX_PENDING, .not_before_ms = RIG_NOW, .now_ms = RIG_NOW};
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_sending(&rig, 1);
	rig_settle(&rig, 1, &result); /* a rate limit */
	rig_sending(&rig, 1);
	result.counts = true;
	result.maybe_duplicate = true;
	rig_settle(&rig, 1, &result);
	rig_sending(&rig, 1);
	result.maybe_duplicate = false;
	rig_settle(&rig, 1, &result);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_EQUAL(rig.rows[0]->attempts, 3);
	CU_ASSERT_EQUAL(rig.rows[0]->failures, 2);
	/* Once it may have arrived, it always may. */
	CU_ASSERT_TRUE(rig.rows[0]->maybe_duplicate);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static void results_are_kept_for_the_operator(void)
{
	static char long_detail[OUTBOX_DETAIL_MAX + 100];
	const struct outbox_result result = {
		.state = OUTBOX_DEAD,
		.outcome = "refused",
		.scope = "chat",
		.reason = "refused",
		.platform_status = 403,
		.detail = long_detail,
		.now_ms = RIG_NOW + 9,
	};
	struct rig rig;

	rig_start(&rig);
	memset(long_detail, 'd', sizeof(long_detail) - 1);
	rig_say(&rig, "1", "a");
	rig_sending(&rig, 1);
	CU_ASSERT_EQUAL(rig_settle(&rig, 1, &result), CG_OK);
	CU_ASSERT_EQUAL(
		rig_number(&rig,
			"SELECT count(*) FROM outbox WHERE outcome = 'refused' AND"
			" scope = 'chat' AND reason = 'refused' AND"
			" platform_status = 403 AND length(detail) = 4096"),
		1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT finished_ms FROM outbox"), RIG_NOW + 9);
	rig_finish(&rig);
}

/* A process that dies while it sends leaves rows of which nobody knows whether they arrived. */
static void what_was_being_sent_is_unknown_after_a_start(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "b");
	rig_say(&rig, "3", "c");
	rig_say(&rig, "4", "c");
	rig_sending(&rig, 1);
	rig_sending(&rig, 2);
	rig_settle_as(&rig, 2, OUTBOX_UNKNOWN, RIG_NOW);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_unknown, 1);
	outbox_recover(rig.journal, rig_on_recovery, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	CU_ASSERT_EQUAL(rig.recovery.unknown, 2);
	CU_ASSERT_EQUAL(rig.recovery.pending, 2);
	rig_check_figures(&rig);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 3);
	CU_ASSERT_EQUAL(rig.rows[0]->state, OUTBOX_UNKNOWN);
	CU_ASSERT_EQUAL(rig.rows[1]->state, OUTBOX_UNKNOWN);
	CU_ASSERT_EQUAL(rig.rows[2]->state, OUTBOX_PENDING);
	rig_free_rows(&rig);
	/* Again: nothing is left to recover. */
	outbox_recover(rig.journal, rig_on_recovery, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.recovery.unknown, 2);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* A machine that boots years behind must not wait for years. */
static void a_time_of_another_clock_does_not_hold_a_lane(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "b");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW + 3600000);
	rig_sending(&rig, 2);
	rig_settle_as(&rig, 2, OUTBOX_PENDING, RIG_NOW);
	rig.now_ms = 60000;
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_due(&rig), 0);
	outbox_recover(rig.journal, rig_on_recovery, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig_due(&rig), 2);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static void a_normal_wait_outlives_a_start(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW + 12 * 3600000);
	rig_reopen(&rig);
	outbox_recover(rig.journal, rig_on_recovery, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig_due(&rig), 0);
	CU_ASSERT_EQUAL(rig.next_due_ms, RIG_NOW + 12 * 3600000);
	rig_finish(&rig);
}

UNIT_SUITE(outbox_settle, UNIT_TEST(every_move_is_as_the_table_says),
	UNIT_TEST(attempts_and_failures_are_counted),
	UNIT_TEST(results_are_kept_for_the_operator),
	UNIT_TEST(what_was_being_sent_is_unknown_after_a_start),
	UNIT_TEST(a_time_of_another_clock_does_not_hold_a_lane),
	UNIT_TEST(a_normal_wait_outlives_a_start));
