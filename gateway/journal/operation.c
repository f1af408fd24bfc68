/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an operation: made, queued or refused, counted, told, freed. */
#include "gateway/journal/operation.h"

#include "gateway/journal/outbox.h"

#include <cowgate/sdk/error.h>

void *operation_try(struct journal *journal, size_t size, operation_work work,
	operation_finish finish)
{
	struct operation *operation = calloc(1, size);

	if (operation == NULL)
		return NULL;
	operation->journal = journal;
	operation->job.work = work;
	operation->finish = finish;
	return operation;
}

void *operation_create(struct journal *journal, size_t size, operation_work work,
	operation_finish finish)
{
	void *operation = operation_try(journal, size, work, finish);

	if (operation == NULL)
		abort();
	return operation;
}

/* The hooks run once a turn, however many commits there were. */
static void want_hooks(struct journal *journal, bool inbox, bool outbox)
{
	if (!inbox && !outbox)
		return;
	journal->inbox_ready |= inbox;
	journal->outbox_ready |= outbox;
	loop_defer(journal->loop, &journal->ready_task);
}

static void apply(struct journal *journal, const struct journal_change *change)
{
	struct journal_figures *figures = &journal->figures;

	figures->inbox_pending += change->inbox_pending;
	figures->inbox_pending_bytes += change->inbox_pending_bytes;
	if (change->inbox_pending > 0)
		figures->inbox_stored += (uint64_t)change->inbox_pending;
	figures->inbox_dead += change->inbox_dead;
	figures->outbox_pending += change->outbox_pending;
	figures->outbox_unknown += change->outbox_unknown;
	figures->outbox_dead += change->outbox_dead;
	figures->outbox_sent += change->outbox_sent;
	figures->inquiries += change->inquiries;
	if (figures->newest_ms < change->newest_ms)
		figures->newest_ms = change->newest_ms;
}

static void complete(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct operation *operation = arg;
	struct journal *journal = operation->journal;
	bool had_room = outbox_has_room(journal);
	bool inbox_ready = operation->inbox_ready;
	bool outbox_ready = operation->outbox_ready;

	if (status == CG_OK)
		apply(journal, &operation->change);
	operation->finish(operation, status, err);
	free(operation);
	want_hooks(journal, inbox_ready && status == CG_OK,
		(outbox_ready && status == CG_OK) ||
			(!had_room && outbox_has_room(journal)));
}

static void refuse(struct operation *operation, enum cg_status status)
{
	struct journal *journal = operation->journal;

	operation->job.status = status;
	operation->next = NULL;
	if (journal->refused_end == NULL)
		journal->refused_end = &journal->refused;
	*journal->refused_end = operation;
	journal->refused_end = &operation->next;
	loop_defer(journal->loop, &journal->refuse_task);
}

void operation_refuse(struct operation *operation, enum cg_status status)
{
	cg_error_set(&operation->job.error, status, "%s", cg_status_text(status));
	refuse(operation, status);
}

void operation_flush(struct journal *journal)
{
	struct operation *operation = journal->refused;

	/* What is refused from inside a completion waits for the next turn. */
	journal->refused = NULL;
	journal->refused_end = NULL;
	while (operation != NULL) {
		struct operation *next = operation->next;

		complete(operation, operation->job.status, &operation->job.error);
		operation = next;
	}
}

static void prepare(struct operation *operation)
{
	operation->job.done = complete;
	operation->job.arg = operation;
}

void operation_submit(struct operation *operation)
{
	struct journal *journal = operation->journal;
	enum cg_status status = CG_CLOSED;

	prepare(operation);
	if (!journal->closing)
		status = database_submit(journal->database, &operation->job);
	if (status != CG_OK)
		operation_refuse(operation, status);
}

void operation_read(struct operation *operation)
{
	struct journal *journal = operation->journal;
	enum cg_status status = CG_CLOSED;

	prepare(operation);
	if (!journal->closing)
		status = database_read(
			journal->database, journal->offload, &operation->job);
	if (status != CG_OK)
		operation_refuse(operation, status);
}

void operation_tell(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	if (operation->done != NULL)
		operation->done(operation->arg, status, err);
}

enum cg_status operation_count(
	struct transaction *tx, const char *sql, int64_t *ret, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, sql, &statement, err);

	if (status == CG_OK)
		status = statement_step(statement, &row, err);
	if (status == CG_OK)
		*ret = row ? statement_int(statement, 0) : 0;
	statement_finish(statement);
	return status;
}

char *text_of_column(char **at, struct statement *statement, int column)
{
	const char *text = statement_text(statement, column);
	size_t length = statement_bytes(statement, column);
	char *copy = *at;

	if (text == NULL)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*at += length + 1;
	return copy;
}
