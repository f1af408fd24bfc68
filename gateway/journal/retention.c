/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forgetting what is finished and old enough.
 *
 * Finished messages are the memory that tells repeats, so they stay for as long as a platform
 * may repeat them.  Inbox rows have no index by age, which every message would pay for: a pass
 * walks them by id, oldest first, and ends where rows are too young.  The row with the highest
 * id always stays, so that ids never come back.
 */
#include "gateway/journal/operation.h"

#include <cowgate/sdk/error.h>

#define RETENTION_BATCH 500
#define RETENTION_PASS 2000 /* batches, then other work gets a minute of the disk */
#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define DEDUPE_MS DAY_MS
#define DEDUPE_EMAIL_MS (30 * DAY_MS)
#define CURSOR_KEEP_MS (365 * DAY_MS) /* of a thread in which nobody spoke */

struct retention_operation {
	struct operation operation;
	int64_t now_ms, retention_ms;
	int64_t after_id; /* in: where the walk stands; out: where it stands then */
	int64_t ids[RETENTION_BATCH];
	size_t count;
	bool more;
};

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t keep_ms(const struct retention_operation *self, const char *instance)
{
	static const char email[] = "email";
	bool is_email = strncmp(instance, email, sizeof(email) - 1) == 0;

	return longer(self->retention_ms, is_email ? DEDUPE_EMAIL_MS : DEDUPE_MS);
}

/* Collect the ids of the next rows that may go. */
static enum cg_status walk_inbox(
	struct retention_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"SELECT id, closed_ms, received_ms, instance, state FROM inbox"
		" WHERE id > ?1 AND id < (SELECT max(id) FROM inbox) ORDER BY id LIMIT "
		"?2",
		&statement, err);
	bool old = false;
	bool row = false;
	size_t seen = 0;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->after_id);
	statement_bind_int(statement, 2, RETENTION_BATCH);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		int64_t age_ms = self->now_ms - statement_int(statement, 1);
		int64_t waited_ms = self->now_ms - statement_int(statement, 2);

		seen++;
		self->after_id = statement_int(statement, 0);
		old |= waited_ms > longer(self->retention_ms, DEDUPE_MS);
		if (!statement_is_null(statement, 1) &&
			age_ms > keep_ms(self, statement_text(statement, 3))) {
			self->operation.change.inbox_dead -=
				statement_int(statement, 4) == 2;
			self->ids[self->count++] = statement_int(statement, 0);
		}
	}
	statement_finish(statement);
	self->more = old && seen == RETENTION_BATCH;
	return status;
}

static enum cg_status delete_inbox(
	struct retention_operation *self, struct transaction *tx, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; i < self->count && status == CG_OK; i++) {
		struct statement *statement = NULL;

		status = transaction_prepare(
			tx, "DELETE FROM inbox WHERE id = ?1", &statement, err);
		if (status != CG_OK)
			break;
		statement_bind_int(statement, 1, self->ids[i]);
		status = statement_execute(statement, err);
	}
	return status;
}

/* Finished parts in one state. */
static enum cg_status delete_outbox(struct retention_operation *self, int state,
	int64_t *ret_deleted, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"DELETE FROM outbox WHERE id IN"
		" (SELECT id FROM outbox INDEXED BY outbox_finished"
		"  WHERE finished_ms IS NOT NULL AND state = ?1 AND finished_ms < ?2"
		"  AND id < (SELECT max(id) FROM outbox) ORDER BY finished_ms LIMIT ?3)",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, state);
	statement_bind_int(
		statement, 2, self->now_ms - longer(self->retention_ms, DEDUPE_MS));
	statement_bind_int(statement, 3, RETENTION_BATCH);
	status = statement_execute(statement, err);
	*ret_deleted = status == CG_OK ? transaction_changes(tx) : 0;
	self->more |= *ret_deleted == RETENTION_BATCH;
	return status;
}

/*
 * Closed cursors: those of earlier generations, and those of threads that are silent for a
 * year.  The newest generation of a thread names its session, so it goes last.
 */
static enum cg_status delete_cursors(
	struct retention_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"DELETE FROM cursor WHERE open = 0 AND (active_ms < ?2 OR (active_ms < ?1"
		" AND EXISTS (SELECT 1 FROM cursor AS later"
		"  WHERE later.instance = cursor.instance AND later.chat_id = "
		"cursor.chat_id"
		"  AND later.thread_id IS cursor.thread_id"
		"  AND later.generation > cursor.generation)))",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->now_ms - self->retention_ms);
	statement_bind_int(
		statement, 2, self->now_ms - longer(self->retention_ms, CURSOR_KEEP_MS));
	return statement_execute(statement, err);
}

/* What was asked and is closed. */
static enum cg_status delete_interactions(
	struct retention_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"DELETE FROM inquiry WHERE id IN"
		" (SELECT id FROM inquiry INDEXED BY inquiry_closed"
		"  WHERE closed_ms IS NOT NULL AND closed_ms < ?1 ORDER BY closed_ms"
		"  LIMIT ?2)",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(
		statement, 1, self->now_ms - longer(self->retention_ms, DEDUPE_MS));
	statement_bind_int(statement, 2, RETENTION_BATCH);
	status = statement_execute(statement, err);
	self->more |= status == CG_OK && transaction_changes(tx) == RETENTION_BATCH;
	return status;
}

static enum cg_status retention_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct retention_operation *self = arg;
	struct journal_change *change = &self->operation.change;
	bool first = self->after_id == 0;
	int64_t sent = 0;
	int64_t dead = 0;
	int64_t superseded = 0;
	enum cg_status status = walk_inbox(self, tx, err);

	if (status == CG_OK)
		status = delete_inbox(self, tx, err);
	if (status == CG_OK)
		status = delete_outbox(self, 2, &sent, tx, err);
	if (status == CG_OK)
		status = delete_outbox(self, 4, &dead, tx, err);
	if (status == CG_OK)
		status = delete_outbox(self, 5, &superseded, tx, err);
	if (status == CG_OK)
		status = delete_interactions(self, tx, err);
	if (status == CG_OK && first)
		status = delete_cursors(self, tx, err);
	change->outbox_sent = -sent;
	change->outbox_dead = -dead;
	return status;
}

static void run_batch(struct journal *journal);

static void retention_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct retention_operation *self = (struct retention_operation *)operation;
	struct journal *journal = operation->journal;

	(void)err;
	if (journal->closing)
		return;
	journal->retention_id = self->after_id;
	journal->retention_batches++;
	if (status == CG_OK && self->more &&
		journal->retention_batches < RETENTION_PASS) {
		run_batch(journal);
		return;
	}
	/* Within a pass the walk goes on where it stands, else it begins again. */
	if (status != CG_OK || !self->more)
		journal->retention_id = 0;
	journal->retention_batches = 0;
	loop_timer_set(&journal->retention_timer,
		status == CG_OK && self->more ? MINUTE_MS : HOUR_MS);
}

static void run_batch(struct journal *journal)
{
	struct retention_operation *self =
		operation_create(journal, sizeof(*self), retention_work, retention_done);

	self->now_ms = journal_now(journal);
	self->retention_ms = journal->limits.retention_ms;
	self->after_id = journal->retention_id;
	operation_submit(&self->operation);
}

static void on_timer(void *arg)
{
	struct journal *journal = arg;

	/* By a clock that is behind nothing is old, by one that is ahead everything is. */
	if (clock_sane(loop_clock(journal->loop)))
		run_batch(journal);
	else
		loop_timer_set(&journal->retention_timer, MINUTE_MS);
}

void journal_start_retention(struct journal *journal)
{
	if (journal->retention_timer.event != NULL)
		return;
	if (loop_timer_init(
		    &journal->retention_timer, journal->loop, on_timer, journal) != CG_OK)
		abort(); /* without a few bytes for a timer nothing else works either */
	loop_timer_set(&journal->retention_timer, 0);
}

void retention_finish(struct journal *journal)
{
	loop_timer_finish(&journal->retention_timer);
}
