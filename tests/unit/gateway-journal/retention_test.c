/* SPDX-License-Identifier: Apache-2.0 */
/* What is forgotten, and what is not yet. */
#include "tests/unit/gateway-journal/journal_rig.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

/* Let the pass run that is due when retention starts. */
static void run_retention(struct rig *rig)
{
	rig_reopen(rig);
	journal_start_retention(rig->journal);
	/* The timer fires, and each batch submits the next one before it counts as done. */
	rig_turn(rig);
	while (journal_pending(rig->journal) > 0)
		loop_turn(rig->loop);
	rig_check_figures(rig);
}

static void store_closed(
	struct rig *rig, const char *instance, const char *id, enum inbox_end end)
{
	struct cg_inbound in = rig_message(id, "a");

	CU_ASSERT_EQUAL(rig_submit(rig, instance, &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(
		rig_finish_message(
			rig, rig_number(rig, "SELECT max(id) FROM inbox"), end, NULL, 0),
		CG_OK);
}

static void messages_are_kept_for_the_retention(void)
{
	struct rig rig;

	rig_start(&rig);
	store_closed(&rig, "telegram", "1", INBOX_HANDED);
	store_closed(&rig, "telegram", "2", INBOX_DEAD);
	rig_store_message(&rig, "3", "pending");
	store_closed(&rig, "telegram", "4", INBOX_HANDED);
	rig.now_ms += 7 * DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 4);
	rig.now_ms += 1;
	run_retention(&rig);
	/* Pending ones stay, and the last row, so that its id is never given again. */
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT sum(id) FROM inbox"), 3 + 4);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_dead, 0);
	rig_finish(&rig);
}

/* However short the retention, a platform may repeat itself for a day, or mail for a month. */
static void keys_outlive_the_repeats_of_their_platform(void)
{
	struct rig rig;

	rig_init(&rig);
	rig.options.retention_ms = 1;
	rig_open(&rig);
	store_closed(&rig, "telegram", "1", INBOX_HANDED);
	store_closed(&rig, "email-2", "1", INBOX_HANDED);
	store_closed(&rig, "telegram", "last", INBOX_HANDED);
	rig.now_ms += DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_DUPLICATE);
	rig.now_ms += 1;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT sum(id) FROM inbox"), 2 + 3);
	rig.now_ms = RIG_NOW + 30 * DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox WHERE id = 2"), 1);
	rig.now_ms += 1;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT sum(id) FROM inbox"), 3);
	rig_finish(&rig);
}

static void finished_parts_go_and_unfinished_ones_stay(void)
{
	static const enum outbox_state states[] = {
		OUTBOX_SENT, OUTBOX_DEAD, OUTBOX_UNKNOWN, OUTBOX_PENDING};
	struct rig rig;
	char id[8];

	rig_start(&rig);
	for (int i = 1; i <= 4; i++) {
		snprintf(id, sizeof(id), "%d", i);
		rig_say(&rig, id, "chat");
		rig_sending(&rig, i);
		rig_settle_as(&rig, i, states[i - 1], RIG_NOW);
	}
	rig_say(&rig, "5", "chat");
	rig_settle_as(&rig, 5, OUTBOX_DEAD, 0);
	rig.now_ms += 7 * DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 5);
	rig.now_ms += 1;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT sum(id) FROM outbox"), 3 + 4 + 5);
	rig_finish(&rig);
}

/* The messages need one batch more than the parts. */
static void a_pass_takes_as_many_batches_as_it_needs(void)
{
	const struct outbox_result dead = {.state = OUTBOX_DEAD, .now_ms = RIG_NOW};
	struct rig rig;
	char id[8];

	rig_start(&rig);
	for (int i = 1; i <= 1203; i++) {
		struct inbox_closing closing;
		struct cg_inbound in;
		struct obligation o;

		snprintf(id, sizeof(id), "%d", i);
		in = rig_message(id, "a");
		o = rig_obligation(id, id);
		inbox_store(rig.journal, "telegram", &in, rig.now_ms, NULL, NULL);
		if (i <= 700)
			outbox_store(rig.journal, &o, 1, NULL, NULL, NULL);
		if (i <= 700)
			outbox_settle(rig.journal, i, &dead, NULL, NULL);
		closing = (struct inbox_closing){
			.id = i, .end = i % 2 == 0 ? INBOX_HANDED : INBOX_DEAD};
		inbox_finish(rig.journal, &closing, i == 1203 ? rig_done : NULL, &rig);
	}
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_dead, 602);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_dead, 700);
	rig.now_ms += 8 * DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 1);
	rig_finish(&rig);
}

static void store_cursor(
	struct rig *rig, const char *id, unsigned generation, int64_t active_ms)
{
	const struct cursor cursor = {
		.binding_id = id,
		.session_id = "s",
		.instance = "telegram",
		.chat_id = "chat",
		.generation = generation,
		.active_ms = active_ms,
		.open = id[0] == 'o',
	};

	cursor_store(rig->journal, &cursor, rig_done, rig);
	rig_await(rig);
}

static void the_newest_generation_of_a_thread_is_kept(void)
{
	struct rig rig;

	rig_start(&rig);
	store_cursor(&rig, "first", 0, RIG_NOW);
	store_cursor(&rig, "second", 1, RIG_NOW);
	store_cursor(&rig, "open", 0, RIG_NOW);
	rig.now_ms += 8 * DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor"), 2);
	CU_ASSERT_EQUAL(rig_number(&rig,
				"SELECT count(*) FROM cursor WHERE binding_id = 'first'"),
		0);
	rig.now_ms += 365 * DAY;
	run_retention(&rig);
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM cursor WHERE binding_id = 'open'"),
		1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM cursor"), 1);
	rig_finish(&rig);
}

/* By a clock that is wrong everything may look old. */
static void nothing_goes_while_the_clock_is_not_sane(void)
{
	struct rig rig;

	rig_start(&rig);
	store_closed(&rig, "telegram", "1", INBOX_HANDED);
	store_closed(&rig, "telegram", "2", INBOX_HANDED);
	rig.now_ms += 100 * DAY;
	rig.sane = false;
	run_retention(&rig);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 2);
	rig.sane = true;
	run_retention(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM inbox"), 1);
	rig_finish(&rig);
}

UNIT_SUITE(retention, UNIT_TEST(messages_are_kept_for_the_retention),
	UNIT_TEST(keys_outlive_the_repeats_of_their_platform),
	UNIT_TEST(finished_parts_go_and_unfinished_ones_stay),
	UNIT_TEST(a_pass_takes_as_many_batches_as_it_needs),
	UNIT_TEST(the_newest_generation_of_a_thread_is_kept),
	UNIT_TEST(nothing_goes_while_the_clock_is_not_sane));
