/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as a whole: faults of the disk, closing, steps of the clock, figures. */
#include "tests/faults/fault_vfs.h"
#include "tests/unit/gateway-journal/journal_rig.h"

static void start_on_faulty_disk(struct rig *rig)
{
	fault_vfs_install();
	rig_init(rig);
	rig->options.vfs = FAULT_VFS;
	rig_open(rig);
}

static void await_state(struct rig *rig, enum cg_status state)
{
	while (journal_state(rig->journal) != state && !rig->expired)
		loop_run(rig->loop);
	CU_ASSERT_FALSE_FATAL(rig->expired);
	rig->answered = false;
}

static void a_full_disk_is_said_and_survived(void)
{
	const struct cg_checkpoint checkpoint = {"offset", "9"};
	struct cg_inbound in = rig_message("2", "b");
	struct rig rig;
	char value[8];

	start_on_faulty_disk(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_say(&rig, "said", "chat"), CG_OK);
	CU_ASSERT_EQUAL(rig.edges, 0);
	fault_vfs_fail_writes(SQLITE_FULL, NULL, 0);
	in.checkpoint = &checkpoint;
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(journal_state(rig.journal), CG_FULL);
	CU_ASSERT_EQUAL(rig.state, CG_FULL);
	CU_ASSERT_EQUAL(rig.edges, 1);
	CU_ASSERT_FALSE(inbox_checkpoint_load(
		rig.journal, "telegram", "offset", value, sizeof(value)));
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_FULL);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0), CG_FULL);
	CU_ASSERT_EQUAL(rig_say(&rig, "more", "chat"), CG_FULL);
	CU_ASSERT_EQUAL(rig.edges, 1);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_pending, 1);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 1);
	/* It recovers without being asked for anything. */
	fault_vfs_fail_writes(SQLITE_OK, NULL, 0);
	await_state(&rig, CG_OK);
	CU_ASSERT_EQUAL(rig.edges, 2);
	CU_ASSERT_EQUAL(rig.state, CG_OK);
	CU_ASSERT_EQUAL(rig_submit(&rig, "telegram", &in), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_say(&rig, "more", "chat"), CG_OK);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void a_failed_sync_stores_nothing(void)
{
	struct rig rig;

	start_on_faulty_disk(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_COMMITTED);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "2", "b"), CG_VERDICT_UNAVAILABLE);
	CU_ASSERT_EQUAL(journal_state(rig.journal), CG_IO);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	await_state(&rig, CG_OK);
	rig_turn(&rig);
	CU_ASSERT_EQUAL(rig.inbox_hooks, 1);
	CU_ASSERT_EQUAL(rig_read(&rig, 0), 1);
	rig_free_messages(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "2", "b"), CG_VERDICT_COMMITTED);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

/* What was accepted is there after a loss of power, what was not is not. */
static void what_was_accepted_survives_a_loss_of_power(void)
{
	struct rig rig;

	start_on_faulty_disk(&rig);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(rig_say(&rig, "1", "chat"), CG_OK);
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	fault_vfs_power_off();
	CU_ASSERT_EQUAL(rig_store_message(&rig, "2", "b"), CG_VERDICT_UNAVAILABLE);
	rig_close(&rig);
	CU_ASSERT_EQUAL(fault_vfs_lose(FAULT_LOSE, 1), 0);
	rig_open(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_pending, 1);
	outbox_recover(rig.journal, rig_on_recovery, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.recovery.unknown, 1);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(rig_store_message(&rig, "2", "b"), CG_VERDICT_COMMITTED);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

struct closing {
	struct rig *rig;
	unsigned completed, refused;
};

static void on_refused(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct closing *closing = arg;

	CU_ASSERT_EQUAL(status, CG_CLOSED);
	CU_ASSERT_STRING_NOT_EQUAL(err->text, "");
	closing->refused++;
}

static void on_completed(void *arg, enum cg_verdict verdict)
{
	struct closing *closing = arg;
	const struct obligation o = rig_obligation("late", "chat");

	CU_ASSERT_EQUAL(verdict, CG_VERDICT_COMMITTED);
	closing->completed++;
	outbox_store(closing->rig->journal, &o, 1, NULL, on_refused, closing);
}

static void closing_completes_everything(void)
{
	struct closing closing = {0};
	struct cg_inbound in;
	struct rig rig;
	char id[8];

	rig_start(&rig);
	closing.rig = &rig;
	for (int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "%d", i);
		in = rig_message(id, "a");
		inbox_store(
			rig.journal, "telegram", &in, rig.now_ms, on_completed, &closing);
	}
	rig_close(&rig);
	CU_ASSERT_EQUAL(closing.completed, 50);
	CU_ASSERT_EQUAL(closing.refused, 50);
	rig_turn(&rig);
	rig_open(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_pending, 50);
	CU_ASSERT_EQUAL(rig_figures(&rig).outbox_pending, 0);
	journal_close(NULL);
	rig_finish(&rig);
}

static void a_file_that_cannot_be_opened_is_said(void)
{
	struct journal *journal = NULL;
	struct journal_options options = {.path = "/nonexistent/journal.db"};
	struct cg_error err = {0};
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_NOT_EQUAL(
		journal_open(rig.loop, rig.offload, &options, &journal, &err), CG_OK);
	CU_ASSERT_PTR_NULL(journal);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/journal.db"));
	options.path = rig.path;
	rig_close(&rig);
	rig_open(&rig);
	rig_finish(&rig);
}

struct oldest {
	struct rig *rig;
	int64_t inbox_ms, outbox_ms;
};

static void on_oldest(void *arg, int64_t inbox_ms, int64_t outbox_ms)
{
	struct oldest *oldest = arg;

	oldest->inbox_ms = inbox_ms;
	oldest->outbox_ms = outbox_ms;
	rig_answer(oldest->rig);
}

static struct oldest oldest_of(struct rig *rig)
{
	struct oldest oldest = {rig, -1, -1};

	journal_oldest(rig->journal, on_oldest, &oldest);
	rig_await(rig);
	return oldest;
}

static void the_oldest_unfinished_rows_are_known(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(oldest_of(&rig).inbox_ms, 0);
	CU_ASSERT_EQUAL(oldest_of(&rig).outbox_ms, 0);
	for (int i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "%d", i);
		rig_store_message(&rig, id, "a");
		rig_say(&rig, id, i == 1 ? "a" : "b");
		rig.now_ms += 10;
	}
	CU_ASSERT_EQUAL(oldest_of(&rig).inbox_ms, RIG_NOW);
	rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0);
	rig_settle_as(&rig, 1, OUTBOX_DEAD, 0);
	CU_ASSERT_EQUAL(oldest_of(&rig).inbox_ms, RIG_NOW + 10);
	CU_ASSERT_EQUAL(oldest_of(&rig).outbox_ms, RIG_NOW + 10);
	rig_finish(&rig);
}

static void shift(struct rig *rig, int64_t delta_ms)
{
	rig->now_ms += delta_ms;
	journal_shift(rig->journal, delta_ms, rig_done, rig);
	rig_await(rig);
	CU_ASSERT_EQUAL(rig->status, CG_OK);
}

static void times_move_with_the_clock(void)
{
	const int64_t year = INT64_C(365) * 24 * 3600000;
	const int64_t steps[] = {3600000, -1800000, 50 * year, -49 * year};
	int64_t moved = 0;
	struct rig rig;

	rig_start(&rig);
	rig_store_message(&rig, "1", "a");
	rig_store_message(&rig, "2", "a");
	rig_finish_message(&rig, 2, INBOX_HANDED, NULL, 0);
	rig_say(&rig, "1", "a");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW + 5000);
	rig_say(&rig, "2", "b");
	rig_settle_as(&rig, 2, OUTBOX_DEAD, 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		shift(&rig, steps[i]);
		moved += steps[i];
		rig.now_ms += 5000;
		CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
		CU_ASSERT_EQUAL(rig.rows[0]->not_before_ms, RIG_NOW + moved + 5000);
		CU_ASSERT_EQUAL(rig.rows[0]->deadline_ms, RIG_NOW + moved + 24 * 3600000);
		CU_ASSERT_EQUAL(rig.rows[0]->created_ms, RIG_NOW + moved);
		rig_free_rows(&rig);
		rig.now_ms -= 5000;
		CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), 1);
		CU_ASSERT_EQUAL(rig.messages[0]->received_ms, RIG_NOW + moved);
		rig_free_messages(&rig);
	}
	/* Finished rows stay as they are. */
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT closed_ms FROM inbox WHERE id = 2"), RIG_NOW);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT deadline_ms FROM outbox WHERE id = 2"),
		RIG_NOW + 24 * 3600000);
	rig_finish(&rig);
}

/* A machine without a clock boots in 1970; its rows of yesterday are right when it is set. */
static void times_of_another_clock_stay(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "yesterday", "a");
	rig_store_message(&rig, "1", "a");
	rig.now_ms = 60000;
	rig_reopen(&rig);
	rig_say(&rig, "booting", "b");
	shift(&rig, RIG_NOW - 60000 + 3600000);
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 2);
	CU_ASSERT_EQUAL(rig.rows[0]->deadline_ms, RIG_NOW + 24 * 3600000);
	CU_ASSERT_EQUAL(rig.rows[1]->deadline_ms, RIG_NOW + 25 * 3600000);
	rig_free_rows(&rig);
	CU_ASSERT_EQUAL_FATAL(rig_read(&rig, 0), 1);
	CU_ASSERT_EQUAL(rig.messages[0]->received_ms, RIG_NOW);
	rig_free_messages(&rig);
	rig_finish(&rig);
}

static void the_newest_row_is_known(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).newest_ms, 0);
	rig_store_message(&rig, "1", "a");
	rig.now_ms += 10;
	rig_say(&rig, "1", "a");
	CU_ASSERT_EQUAL(rig_figures(&rig).newest_ms, RIG_NOW + 10);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_figures(&rig).newest_ms, RIG_NOW + 10);
	shift(&rig, -100);
	CU_ASSERT_EQUAL(rig_figures(&rig).newest_ms, RIG_NOW - 90);
	shift(&rig, 1000);
	CU_ASSERT_EQUAL(rig_figures(&rig).newest_ms, RIG_NOW - 90);
	rig_finish(&rig);
}

/* Random operations.  A generator of our own, so that a failure can be repeated. */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void count_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	(void)err;
	/* Whatever it was, it was one of these. */
	CU_ASSERT_TRUE(status == CG_OK || status == CG_CONFLICT ||
		       status == CG_NOT_FOUND || status == CG_LIMIT);
	++*(unsigned *)arg;
}

static void count_json(void *arg, enum cg_status status, struct json_object *json)
{
	(void)json;
	count_done(arg, status, NULL);
}

static void count_verdict(void *arg, enum cg_verdict verdict)
{
	(void)verdict;
	++*(unsigned *)arg;
}

static void random_settle(
	struct rig *rig, int64_t id, uint64_t random, unsigned *completed)
{
	static const enum outbox_state states[] = {
		OUTBOX_SENT, OUTBOX_PENDING, OUTBOX_UNKNOWN, OUTBOX_DEAD};
	const struct outbox_result result = {
		.state = states[random % 4],
		.not_before_ms = rig->now_ms + (int64_t)(random % 50),
		.now_ms = rig->now_ms,
	};

	outbox_settle(rig->journal, id, &result, count_done, completed);
}

static void random_step(struct rig *rig, uint64_t *state, unsigned *completed)
{
	uint64_t random = next_random(state);
	int64_t id = (int64_t)(random >> 8 & 63);
	char name[16], chat[8], slot[16];
	struct cg_inbound in = rig_message(name, random >> 40 & 1 ? "a" : "b");
	struct obligation o = rig_obligation(name, chat);
	struct inbox_closing closing;

	snprintf(name, sizeof(name), "%d", (int)id);
	snprintf(chat, sizeof(chat), "%d", (int)(id % 7));
	/* The row before it in the same chat. */
	snprintf(slot, sizeof(slot), "%d", (int)(id - 7));
	rig->now_ms++;
	switch (random % 8) {
	case 0:
		inbox_store(rig->journal, "telegram", &in, rig->now_ms, count_verdict,
			completed);
		break;
	case 1:
		closing = (struct inbox_closing){.id = id,
			.end = random >> 41 & 1 ? INBOX_HANDED : INBOX_DEAD,
			.obligations = &o,
			.count = random >> 42 & 1};
		inbox_finish(rig->journal, &closing, count_done, completed);
		break;
	case 2:
		o.slot_id = random >> 43 & 1 ? slot : NULL;
		outbox_store(rig->journal, &o, 1, NULL, count_done, completed);
		break;
	case 3:
	case 4:
		outbox_sending(rig->journal, id, count_done, completed);
		break;
	case 5:
		random_settle(rig, id, random >> 44, completed);
		break;
	case 6:
		outbox_retry(rig->journal, name, rig->now_ms, count_json, completed);
		break;
	default:
		outbox_kill(rig->journal, name, NULL, rig->now_ms, count_json, completed);
		break;
	}
}

/* Each lane with unfinished rows has one head, its first; nothing else is one. */
static void check_heads(struct rig *rig)
{
	CU_ASSERT_EQUAL(
		rig_number(rig,
			"SELECT count(*) FROM outbox AS o WHERE head <>"
			" (o.finished_ms IS NULL AND NOT EXISTS"
			"  (SELECT 1 FROM outbox AS first WHERE first.lane = o.lane"
			"   AND first.finished_ms IS NULL AND first.id < o.id))"),
		0);
	CU_ASSERT_EQUAL(
		rig_number(rig, "SELECT count(*) FROM outbox"
				" WHERE (finished_ms IS NULL) <> (state IN (0, 1, 3))"),
		0);
}

static void figures_and_heads_hold_whatever_happens(void)
{
	struct rig rig;
	uint64_t state = 88172645463325252u;

	rig_init(&rig);
	rig.options.inbox_rows = 20;
	rig.options.outbox_rows = 40;
	rig_open(&rig);
	for (int round = 0; round < 60; round++) {
		unsigned steps = 1 + (unsigned)(next_random(&state) % 50);
		unsigned completed = 0;

		for (unsigned i = 0; i < steps; i++)
			random_step(&rig, &state, &completed);
		while (completed < steps && !rig.expired)
			loop_turn(rig.loop);
		CU_ASSERT_FALSE_FATAL(rig.expired);
		rig_check_figures(&rig);
		check_heads(&rig);
		if (round % 20 == 19)
			rig_reopen(&rig);
	}
	/* The walk has been everywhere. */
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(DISTINCT state) FROM inbox"), 3);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(DISTINCT state) FROM outbox"), 6);
	rig_finish(&rig);
}

UNIT_SUITE(journal, UNIT_TEST(a_full_disk_is_said_and_survived),
	UNIT_TEST(a_failed_sync_stores_nothing),
	UNIT_TEST(what_was_accepted_survives_a_loss_of_power),
	UNIT_TEST(closing_completes_everything),
	UNIT_TEST(a_file_that_cannot_be_opened_is_said),
	UNIT_TEST(the_oldest_unfinished_rows_are_known),
	UNIT_TEST(times_move_with_the_clock), UNIT_TEST(times_of_another_clock_stay),
	UNIT_TEST(the_newest_row_is_known),
	UNIT_TEST(figures_and_heads_hold_whatever_happens));
