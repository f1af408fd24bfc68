/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as a whole: opening and closing, hooks, figures, and steps of the wall clock. */
#include "gateway/journal/journal.h"

#include "gateway/journal/operation.h"
#include "gateway/journal/outbox_row.h"
#include "gateway/journal/schema.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#define JOURNAL_INBOX_ROWS 1000000
#define JOURNAL_INBOX_BYTES (INT64_C(1) << 30)
#define JOURNAL_OUTBOX_ROWS 100000
#define JOURNAL_RETENTION_MS (INT64_C(7) * 24 * 60 * 60 * 1000)
#define JOURNAL_CACHE_KIB 4096

#define LOAD_PATIENCE_S 30 /* for the first answer of the writer */
/* Times further from the old clock than this were given by another clock, and stay. */
#define SHIFT_REACH_MS (INT64_C(48) * 60 * 60 * 1000)

/* The first job: the figures and checkpoints, for which journal_open() waits. */
struct load {
	struct database_job job;
	struct journal *journal;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool done; /* under lock, as the rest */
	enum cg_status status;
	struct cg_error error;
};

static const char count_inbox_sql[] =
	"SELECT count(*), coalesce(sum(bytes), 0) FROM inbox INDEXED BY inbox_pending"
	" WHERE state = 0";

static enum cg_status load_inbox(
	struct transaction *tx, struct journal_figures *figures, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, count_inbox_sql, &statement, err);

	if (status == CG_OK)
		status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		figures->inbox_pending = statement_int(statement, 0);
		figures->inbox_pending_bytes = statement_int(statement, 1);
	}
	statement_finish(statement);
	return status;
}

/* Counts, and where each goes. */
static enum cg_status load_figures(
	struct transaction *tx, struct journal_figures *figures, struct cg_error *err)
{
	int64_t inbox_newest = 0;
	int64_t outbox_newest = 0;
	const struct {
		const char *sql;
		int64_t *ret;
	} counts[] = {
		{"SELECT count(*) FROM inbox INDEXED BY inbox_dead WHERE state = 2",
			&figures->inbox_dead},
		{OUTBOX_COUNT_UNFINISHED, &figures->outbox_pending},
		{OUTBOX_COUNT_UNKNOWN, &figures->outbox_unknown},
		{"SELECT count(*) FROM outbox INDEXED BY outbox_finished"
		 " WHERE finished_ms IS NOT NULL AND state = 4",
			&figures->outbox_dead},
		{"SELECT count(*) FROM outbox INDEXED BY outbox_finished"
		 " WHERE finished_ms IS NOT NULL AND state = 2",
			&figures->outbox_sent},
		{"SELECT count(*) FROM inquiry INDEXED BY inquiry_due"
		 " WHERE closed_ms IS NULL",
			&figures->inquiries},
		{"SELECT received_ms FROM inbox ORDER BY id DESC LIMIT 1", &inbox_newest},
		{"SELECT created_ms FROM outbox ORDER BY id DESC LIMIT 1",
			&outbox_newest},
	};
	enum cg_status status = load_inbox(tx, figures, err);

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts) && status == CG_OK; i++)
		status = operation_count(tx, counts[i].sql, counts[i].ret, err);
	figures->newest_ms = inbox_newest > outbox_newest ? inbox_newest : outbox_newest;
	return status;
}

static enum cg_status load_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct load *load = arg;
	enum cg_status status = load_figures(tx, &load->journal->figures, err);

	if (status == CG_OK)
		status = checkpoint_read(load->journal, tx, err);
	pthread_mutex_lock(&load->lock);
	load->status = status;
	load->error = *err;
	load->done = true;
	pthread_cond_signal(&load->answered);
	pthread_mutex_unlock(&load->lock);
	return status;
}

static void load_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct load *load = arg;

	(void)status;
	(void)err;
	pthread_cond_destroy(&load->answered);
	pthread_mutex_destroy(&load->lock);
	free(load);
}

/* The writer begins with this job; if it cannot even begin a transaction, it never answers. */
static enum cg_status wait_for_load(struct load *load, struct cg_error *err)
{
	struct timespec until;
	enum cg_status status;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOAD_PATIENCE_S;
	pthread_mutex_lock(&load->lock);
	while (!load->done && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&load->answered, &load->lock, &until);
	if (!load->done) {
		status = cg_error_set(err, CG_IO, "the journal cannot be read");
	} else {
		status = load->status;
		if (status != CG_OK && err != NULL)
			*err = load->error;
	}
	pthread_mutex_unlock(&load->lock);
	return status;
}

static enum cg_status load(struct journal *journal, struct cg_error *err)
{
	struct load *load = calloc(1, sizeof(*load));
	enum cg_status status;

	if (load == NULL)
		return cg_error_nomem(err);
	load->journal = journal;
	load->job =
		(struct database_job){.work = load_work, .done = load_done, .arg = load};
	pthread_mutex_init(&load->lock, NULL);
	pthread_cond_init(&load->answered, NULL);
	status = database_submit(journal->database, &load->job);
	if (status != CG_OK) {
		load_done(load, status, NULL);
		return cg_error_set(err, status, "the journal takes no work");
	}
	return wait_for_load(load, err);
}

static void run_hooks(void *arg)
{
	struct journal *journal = arg;
	bool inbox = journal->inbox_ready;
	bool outbox = journal->outbox_ready;

	journal->inbox_ready = false;
	journal->outbox_ready = false;
	if (inbox && journal->hooks.inbox_ready != NULL)
		journal->hooks.inbox_ready(journal->hooks.arg);
	if (outbox && journal->hooks.outbox_ready != NULL)
		journal->hooks.outbox_ready(journal->hooks.arg);
}

static void run_refused(void *arg)
{
	operation_flush(arg);
}

static void tell_state(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct journal *journal = arg;

	if (journal->hooks.state != NULL && !journal->closing)
		journal->hooks.state(journal->hooks.arg, status, err);
}

static struct journal_options fill_limits(const struct journal_options *options)
{
	struct journal_options limits = *options;

	limits.path = NULL;
	limits.vfs = NULL;
	if (limits.inbox_rows <= 0)
		limits.inbox_rows = JOURNAL_INBOX_ROWS;
	if (limits.inbox_bytes <= 0)
		limits.inbox_bytes = JOURNAL_INBOX_BYTES;
	if (limits.outbox_rows <= 0)
		limits.outbox_rows = JOURNAL_OUTBOX_ROWS;
	if (limits.retention_ms <= 0)
		limits.retention_ms = JOURNAL_RETENTION_MS;
	return limits;
}

enum cg_status journal_open(struct loop *loop, struct offload *offload,
	const struct journal_options *options, struct journal **ret, struct cg_error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct database_options database = {
		.path = options->path,
		.vfs = options->vfs,
		.migrations = journal_migrations,
		.migration_count = journal_migration_count,
		.cache_kib = JOURNAL_CACHE_KIB,
		.on_state = tell_state,
		.arg = journal,
	};
	enum cg_status status;

	if (journal == NULL)
		return cg_error_nomem(err);
	journal->loop = loop;
	journal->offload = offload;
	journal->limits = fill_limits(options);
	loop_task_init(&journal->ready_task, run_hooks, journal);
	loop_task_init(&journal->refuse_task, run_refused, journal);
	status = database_open(loop, &database, &journal->database, err);
	if (status == CG_OK)
		status = load(journal, err);
	if (status != CG_OK)
		goto fail;
	*ret = journal;
	return CG_OK;

fail:
	journal_close(journal);
	return status;
}

void journal_set_hooks(struct journal *journal, const struct journal_hooks *hooks)
{
	journal->hooks = *hooks;
}

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	/* From here on new operations are refused, those made by completions too. */
	journal->closing = true;
	retention_finish(journal);
	database_close(journal->database);
	journal->database = NULL;
	while (journal->refused != NULL)
		operation_flush(journal);
	loop_undefer(journal->loop, &journal->refuse_task);
	loop_undefer(journal->loop, &journal->ready_task);
	checkpoint_finish(journal);
	free(journal);
}

enum cg_status journal_state(const struct journal *journal)
{
	return database_state(journal->database);
}

size_t journal_pending(const struct journal *journal)
{
	return journal->closing ? 0 : database_pending(journal->database);
}

int64_t journal_stall_ms(struct journal *journal)
{
	return database_stall_ms(journal->database);
}

void journal_figures(const struct journal *journal, struct journal_figures *ret)
{
	*ret = journal->figures;
	ret->wal_bytes = database_wal_bytes(journal->database);
	ret->commits = database_commits(journal->database);
}

struct oldest_operation {
	struct operation operation;
	void (*done)(void *arg, int64_t inbox_ms, int64_t outbox_ms);
	void *arg;
	int64_t inbox_ms, outbox_ms;
};

static enum cg_status oldest_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct oldest_operation *self = arg;
	enum cg_status status = operation_count(tx,
		"SELECT received_ms FROM inbox INDEXED BY inbox_pending WHERE state = 0"
		" ORDER BY id LIMIT 1",
		&self->inbox_ms, err);

	if (status == CG_OK)
		status = operation_count(tx,
			"SELECT coalesce(min(created_ms), 0) FROM outbox"
			" INDEXED BY outbox_lane WHERE finished_ms IS NULL",
			&self->outbox_ms, err);
	return status;
}

static void oldest_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct oldest_operation *self = (struct oldest_operation *)operation;

	(void)err;
	if (status != CG_OK)
		self->inbox_ms = self->outbox_ms = 0;
	self->done(self->arg, self->inbox_ms, self->outbox_ms);
}

void journal_oldest(struct journal *journal,
	void (*done)(void *arg, int64_t inbox_ms, int64_t outbox_ms), void *arg)
{
	struct oldest_operation *self =
		operation_create(journal, sizeof(*self), oldest_work, oldest_done);

	self->done = done;
	self->arg = arg;
	operation_read(&self->operation);
}

struct shift_operation {
	struct operation operation;
	int64_t delta_ms;
	int64_t old_now_ms;
};

#define SHIFTED(column) \
	column " = CASE WHEN abs(" column " - ?1) <= ?2 THEN " column \
	       " + ?3 ELSE " column " END"

static const char *const shift_sql[] = {
	"UPDATE inbox INDEXED BY inbox_pending SET " SHIFTED(
		"received_ms") " WHERE state = 0",
	"UPDATE outbox INDEXED BY outbox_lane SET " SHIFTED("created_ms") ", " SHIFTED(
		"not_before_ms") ", " SHIFTED("deadline_ms") " WHERE finished_ms IS NULL",
	"UPDATE claim SET " SHIFTED("send_by_ms") " WHERE state = 0",
	"UPDATE inquiry INDEXED BY inquiry_due SET " SHIFTED("created_ms") ", " SHIFTED(
		"expires_ms") " WHERE closed_ms IS NULL",
};

static enum cg_status shift_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	const struct shift_operation *self = arg;
	enum cg_status status = CG_OK;

	for (size_t i = 0; i < sizeof(shift_sql) / sizeof(*shift_sql) && status == CG_OK;
		i++) {
		struct statement *statement = NULL;

		status = transaction_prepare(tx, shift_sql[i], &statement, err);
		if (status != CG_OK)
			break;
		statement_bind_int(statement, 1, self->old_now_ms);
		statement_bind_int(statement, 2, SHIFT_REACH_MS);
		statement_bind_int(statement, 3, self->delta_ms);
		status = statement_execute(statement, err);
	}
	return status;
}

static void shift_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	const struct shift_operation *self = (const struct shift_operation *)operation;
	struct journal_figures *figures = &operation->journal->figures;

	/* A clock that ran ahead must not be the measure of a sane one. */
	if (status == CG_OK && self->delta_ms < 0 &&
		figures->newest_ms > self->old_now_ms + self->delta_ms)
		figures->newest_ms = self->old_now_ms + self->delta_ms;
	operation_tell(operation, status, err);
}

void journal_shift(
	struct journal *journal, int64_t delta_ms, journal_done done, void *arg)
{
	struct shift_operation *self =
		operation_create(journal, sizeof(*self), shift_work, shift_done);

	self->operation.done = done;
	self->operation.arg = arg;
	self->operation.outbox_ready = true;
	self->delta_ms = delta_ms;
	self->old_now_ms = journal_now(journal) - delta_ms;
	operation_submit(&self->operation);
}

int64_t journal_shifted(int64_t time_ms, int64_t old_now_ms, int64_t delta_ms)
{
	int64_t from = time_ms > old_now_ms ? time_ms - old_now_ms : old_now_ms - time_ms;

	return from <= SHIFT_REACH_MS ? time_ms + delta_ms : time_ms;
}
