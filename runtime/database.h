/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite with one writer thread per file and group commit.
 *
 * Work is a job: a function that runs on the writer thread inside its own savepoint.
 * Jobs that queue while a commit is syncing go into the next transaction together (WAL,
 * synchronous=FULL).  A job's completion runs on the loop and says whether the commit
 * succeeded; only then may anything be acknowledged.  If the commit fails, every job of
 * the batch is told so and nothing of it is kept.
 *
 * A job that returns anything but CG_OK is rolled back alone and its completion gets that
 * status at the same time as the others.  DATABASE_EARLY jobs complete as soon as their
 * function has run, before the commit: for answers that need no durability.  They must
 * not write anything whose loss matters.
 *
 * A batch that fails takes all its jobs with it, also those that read or had failed by
 * themselves: what they saw is gone.  A failed commit stays failed as long as the system
 * lives; but if the power fails at that moment, the disk may turn out to have it.  So
 * work is written to be harmless when it is repeated.
 *
 * Jobs run in the order of database_submit().  The cap on waiting jobs is the caller's
 * credit: database_pending() tells how many there are.
 */
#ifndef COWGATE_RUNTIME_DATABASE_H
#define COWGATE_RUNTIME_DATABASE_H

#include "runtime/loop.h"
#include "runtime/offload.h"

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATABASE_BATCH 512 /* jobs in one transaction */
#define DATABASE_QUEUE 65536 /* jobs waiting; database_submit refuses beyond it */

struct database;
struct statement; /* a prepared statement, cached by the connection */

/* Handle on the connection of the thread that runs a job; not for storing. */
struct transaction;

struct database_migration {
	int version; /* 1, 2, 3 … */
	const char *sql; /* several statements */
};

struct database_options {
	const char *path;
	const char *vfs; /* NULL: the platform's */
	const struct database_migration *migrations;
	size_t migration_count;
	int cache_kib; /* page cache of the writer; 0: 1024 */
	int64_t wal_limit_bytes; /* journal_size_limit; 0: 8 MiB.  Checkpoints at half of it */
	/* Without jobs before the WAL is emptied, which writes each page a second time; 0: a
	 * minute, so that a chat with pauses to think pays for that once. */
	int64_t idle_ms;
	int64_t retry_ms; /* while commits fail and no job comes, between attempts; 0: 1000 */
	/* Told on the loop when commits begin to fail (FULL, IO) and when they succeed
	 * again (OK). */
	void (*on_state)(void *arg, enum cg_status status, const struct cg_error *err);
	void *arg;
};

/*
 * Open, lock against a second process, migrate.  CONFLICT: the schema is newer than this
 * binary.  BUSY: another process has it.
 */
enum cg_status database_open(struct loop *loop, const struct database_options *options,
	struct database **ret, struct cg_error *err);

/* Run what is queued, checkpoint, close.  Completions of queued jobs run before it returns;
 * what they submit is refused (CLOSED).  Accepts NULL; not from within a completion. */
void database_close(struct database *database);

enum database_flag {
	DATABASE_EARLY = 1u << 0,
	/* The job has deleted what must not be found again.  After its commit, and before its done,
	 * the whole file is written anew, so that no trace of deleted rows is left in it or in its
	 * log; everything else waits meanwhile.  A failure there is the job's, though its commit
	 * stands: a repeat rewrites once more. */
	DATABASE_ERASE = 1u << 1,
};

struct database_job {
	/* On the writer thread.  @err is the job's own, NULL-safe. */
	enum cg_status (*work)(struct transaction *tx, void *arg, struct cg_error *err);
	/* On the loop, exactly once. */
	void (*done)(void *arg, enum cg_status status, const struct cg_error *err);
	void *arg;
	unsigned flags;
	/* The database's. */
	struct database *database;
	struct database_job *next;
	struct offload_job read;
	struct cg_error error;
	enum cg_status status;
};

/* The job belongs to the database until done is called.  LIMIT: the queue is full, done not
 * called. */
enum cg_status database_submit(struct database *database, struct database_job *job);

/* Jobs whose done is still to come, reads not counted. */
size_t database_pending(const struct database *database);

/*
 * A job on an offload thread with its own read-only connection: for long lists.  The same
 * signature; it sees what has been committed, in one snapshot.  Flags are ignored.  LIMIT:
 * the pool's queue is full, done not called.  The pool is destroyed before the database;
 * reads that it dropped complete as CANCELLED in database_close().
 */
enum cg_status database_read(
	struct database *database, struct offload *offload, struct database_job *job);

/* For how long jobs have waited for the writer and none has completed, as far as the looks tell.  The
 * bound is far above a card that syncs slowly and a large file that is written anew; on a disk that
 * is full jobs complete, with FULL. */
#define DATABASE_STALL_MS 1800000
int64_t database_stall_ms(struct database *database);

/* Figures for metrics and health: OK, FULL or IO; bytes of the WAL file; commits so far. */
enum cg_status database_state(const struct database *database);
int64_t database_wal_bytes(const struct database *database);
uint64_t database_commits(const struct database *database);

/*
 * Statements.  @sql must be a string literal: the cache is keyed by its address.  LIMIT:
 * more than 256 different ones.  A statement is reset by statement_finish(), which
 * accepts NULL; it cannot be prepared again before that.  When a job ends, its statements
 * are finished for it.
 */
enum cg_status transaction_prepare(struct transaction *tx, const char *sql,
	struct statement **ret, struct cg_error *err);
void statement_finish(struct statement *statement);

/* Parameters from 1.  Text and blobs are borrowed until the statement is finished.  Binding
 * errors are remembered and reported by the next step. */
void statement_bind_int(struct statement *statement, int index, int64_t value);
void statement_bind_text(
	struct statement *statement, int index, const char *text); /* NULL: NULL */
void statement_bind_text_length(
	struct statement *statement, int index, const char *text, size_t length);
void statement_bind_blob(struct statement *statement, int index, const void *bytes,
	size_t length); /* never NULL */
void statement_bind_null(struct statement *statement, int index);

/* CG_OK with *@ret_row telling whether there is a row.  EXISTS on a uniqueness conflict. */
enum cg_status statement_step(
	struct statement *statement, bool *ret_row, struct cg_error *err);
/* Step a statement that gives no rows, and finish it in any case. */
enum cg_status statement_execute(struct statement *statement, struct cg_error *err);

/* Columns from 0; borrowed until the next step. */
int64_t statement_int(struct statement *statement, int column);
const char *statement_text(struct statement *statement, int column); /* NULL for NULL */
size_t statement_bytes(struct statement *statement, int column);
const void *statement_blob(struct statement *statement, int column);
bool statement_is_null(struct statement *statement, int column);

/* Rows changed by the last statement, and the rowid it inserted. */
int64_t transaction_changes(struct transaction *tx);
int64_t transaction_rowid(struct transaction *tx);

#endif
