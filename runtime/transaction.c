/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: how it is opened, what its errors mean, how jobs are kept apart, and what
 * is done after a commit has failed.
 */
#include "runtime/transaction.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prepared when the connection opens, so that a rollback never needs memory. */
static const char sql_begin[] = "BEGIN IMMEDIATE";
static const char sql_begin_read[] = "BEGIN";
static const char sql_commit[] = "COMMIT";
static const char sql_rollback[] = "ROLLBACK";
static const char sql_savepoint[] = "SAVEPOINT job";
static const char sql_release[] = "RELEASE job";
static const char sql_undo[] = "ROLLBACK TO job";

static const char *const control_statements[] = {sql_begin, sql_begin_read, sql_commit,
	sql_rollback, sql_savepoint, sql_release, sql_undo};

/* Past statement_step(), which would open a savepoint for BEGIN IMMEDIATE. */
static enum cg_status control(
	struct transaction *tx, const char *sql, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, sql, &statement, err);

	if (status != CG_OK)
		return status;
	if (sqlite3_step(statement->handle) != SQLITE_DONE)
		status = transaction_error(tx, err);
	statement_finish(statement);
	return status;
}

static enum cg_status status_of(int code, int system_error)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return CG_EXISTS;
	case SQLITE_IOERR_NOMEM:
		return CG_NOMEM;
	default:
		break;
	}
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return CG_OK;
	case SQLITE_CONSTRAINT:
		return CG_CONFLICT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return CG_BUSY;
	case SQLITE_NOMEM:
		return CG_NOMEM;
	case SQLITE_FULL:
		return CG_FULL;
	case SQLITE_IOERR:
		/* SQLite knows ENOSPC of a write, but not of a sync and not a quota. */
		return system_error == ENOSPC || system_error == EDQUOT ? CG_FULL : CG_IO;
	case SQLITE_CANTOPEN:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_PROTOCOL:
		return CG_IO;
	case SQLITE_TOOBIG:
		return CG_LIMIT;
	case SQLITE_INTERRUPT:
		return CG_CANCELLED;
	default:
		return CG_INTERNAL;
	}
}

enum cg_status transaction_error(struct transaction *tx, struct cg_error *err)
{
	int code = sqlite3_extended_errcode(tx->sqlite);
	enum cg_status status = status_of(code, sqlite3_system_errno(tx->sqlite));

	if (status == CG_OK)
		status = CG_INTERNAL;
	if (status == CG_FULL || status == CG_IO || status == CG_NOMEM)
		tx->broken = status;
	return cg_error_set(
		err, status, "%s (SQLite %d)", sqlite3_errmsg(tx->sqlite), code);
}

enum cg_status transaction_exec(
	struct transaction *tx, const char *sql, struct cg_error *err)
{
	if (sqlite3_exec(tx->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return transaction_error(tx, err);
	return CG_OK;
}

static int note_frames(void *arg, sqlite3 *sqlite, const char *name, int frames)
{
	struct transaction *tx = arg;

	(void)sqlite;
	(void)name;
	tx->wal_frames = frames;
	tx->logged = true;
	return SQLITE_OK;
}

/* The first column of the only row of a pragma, in @ret. */
static enum cg_status ask_pragma(struct transaction *tx, const char *sql, char *ret,
	size_t size, struct cg_error *err)
{
	sqlite3_stmt *handle = NULL;
	enum cg_status status = CG_OK;
	const char *text;

	if (sqlite3_prepare_v2(tx->sqlite, sql, -1, &handle, NULL) != SQLITE_OK ||
		sqlite3_step(handle) != SQLITE_ROW) {
		status = transaction_error(tx, err);
	} else {
		text = (const char *)sqlite3_column_text(handle, 0);
		snprintf(ret, size, "%s", text == NULL ? "" : text);
	}
	sqlite3_finalize(handle);
	return status;
}

static enum cg_status require_wal(struct transaction *tx, struct cg_error *err)
{
	char answer[16] = "";
	enum cg_status status =
		ask_pragma(tx, "PRAGMA journal_mode=WAL", answer, sizeof(answer), err);

	if (status == CG_OK && strcmp(answer, "wal") != 0)
		status = cg_error_set(err, CG_UNSUPPORTED,
			"this file system cannot hold a write-ahead log");
	if (status == CG_OK)
		status = ask_pragma(tx, "PRAGMA page_size", answer, sizeof(answer), err);
	if (status == CG_OK)
		tx->page_bytes = (int)strtol(answer, NULL, 10);
	return status;
}

/*
 * secure_delete, which Debian's SQLite has on, is FAST: freed bytes are wiped where their
 * page is written anyhow.  Checkpoints are the writer's own (see writer.c), so the
 * automatic ones are off.
 */
static enum cg_status configure(struct transaction *tx,
	const struct transaction_options *options, struct cg_error *err)
{
	char sql[400];
	enum cg_status status;

	sqlite3_busy_timeout(tx->sqlite, TRANSACTION_BUSY_MS);
	sqlite3_db_config(tx->sqlite, SQLITE_DBCONFIG_LOOKASIDE, NULL, 512, 64);
	sqlite3_db_config(tx->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(tx->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(tx->sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(tx->sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	snprintf(sql, sizeof(sql),
		"PRAGMA cache_size=-%d;"
		"PRAGMA mmap_size=0;"
		"PRAGMA temp_store=MEMORY;"
		"PRAGMA synchronous=FULL;"
		"PRAGMA fullfsync=1;" /* where fsync() stops before the disk's cache */
		"PRAGMA checkpoint_fullfsync=1;",
		options->cache_kib);
	status = transaction_exec(tx, sql, err);
	if (status != CG_OK || options->readonly)
		return status;
	/* Without effect once the file has pages. */
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%d", TRANSACTION_PAGE_BYTES);
	status = transaction_exec(tx, sql, err);
	if (status == CG_OK)
		status = require_wal(tx, err);
	if (status != CG_OK)
		return status;
	snprintf(sql, sizeof(sql),
		"PRAGMA journal_size_limit=%lld;"
		"PRAGMA wal_autocheckpoint=0;"
		"PRAGMA secure_delete=FAST;",
		(long long)options->wal_limit_bytes);
	status = transaction_exec(tx, sql, err);
	sqlite3_wal_hook(tx->sqlite, note_frames, tx);
	return status;
}

enum cg_status transaction_open(struct transaction *tx,
	const struct transaction_options *options, struct cg_error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		    (options->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	enum cg_status status;

	memset(tx, 0, sizeof(*tx));
	tx->readonly = options->readonly;
	tx->statements = calloc(STATEMENT_SLOTS, sizeof(*tx->statements));
	if (tx->statements == NULL)
		return cg_error_nomem(err);
	if (sqlite3_open_v2(options->path, &tx->sqlite, flags, options->vfs) !=
		SQLITE_OK) {
		if (tx->sqlite == NULL)
			return cg_error_nomem(err);
		status = transaction_error(tx, err);
		goto fail;
	}
	status = configure(tx, options, err);
	if (status != CG_OK)
		goto fail;
	for (size_t i = 0; i < sizeof(control_statements) / sizeof(*control_statements);
		i++) {
		struct statement *statement = NULL;

		status = transaction_prepare(tx, control_statements[i], &statement, err);
		if (status != CG_OK)
			goto fail;
		statement_finish(statement);
	}
	return CG_OK;

fail:
	cg_error_prefix(err, "%s", options->path);
	return status;
}

void transaction_close(struct transaction *tx)
{
	statement_destroy_all(tx);
	sqlite3_close(tx->sqlite);
	tx->sqlite = NULL;
}

enum cg_status transaction_begin(struct transaction *tx, struct cg_error *err)
{
	transaction_rollback(tx);
	tx->savepoint = false;
	tx->wrote = false;
	tx->logged = false;
	tx->lost = false;
	tx->broken = CG_OK;
	return control(tx, tx->readonly ? sql_begin_read : sql_begin, err);
}

enum cg_status transaction_commit(struct transaction *tx, struct cg_error *err)
{
	enum cg_status status = control(tx, sql_commit, err);

	if (status != CG_OK)
		transaction_rollback(tx);
	return status;
}

void transaction_rollback(struct transaction *tx)
{
	statement_finish_all(tx);
	if (!sqlite3_get_autocommit(tx->sqlite))
		(void)control(tx, sql_rollback, NULL);
}

/*
 * The savepoint is opened at a job's first write, since most of its cost is in the pages
 * that it makes SQLite copy, and reading jobs should not pay for the rest either.
 */
enum cg_status transaction_guard(struct transaction *tx, struct cg_error *err)
{
	enum cg_status status;

	if (tx->readonly)
		return cg_error_set(err, CG_DENIED, "a reading job tried to write");
	status = control(tx, sql_savepoint, err);
	if (status != CG_OK)
		return status;
	tx->savepoint = true;
	tx->wrote = true;
	return CG_OK;
}

/* A violated deferred foreign key would fail the commit, and so the whole batch. */
static bool violates_foreign_key(struct transaction *tx)
{
	int violations = 0;
	int highest = 0;

	sqlite3_db_status(
		tx->sqlite, SQLITE_DBSTATUS_DEFERRED_FKS, &violations, &highest, 0);
	return violations != 0;
}

/* Close the savepoint with or without its changes; false when that is impossible. */
static bool end_savepoint(struct transaction *tx, bool keep)
{
	if (!tx->savepoint)
		return true;
	tx->savepoint = false;
	if (!keep && control(tx, sql_undo, NULL) != CG_OK)
		return false;
	return control(tx, sql_release, NULL) == CG_OK;
}

enum cg_status transaction_run(struct transaction *tx, struct database_job *job)
{
	struct cg_error *err = &job->error;
	enum cg_status status;

	tx->savepoint = false;
	tx->broken = CG_OK;
	err->status = CG_OK;
	err->text[0] = '\0';
	status = job->work(tx, job->arg, err);
	statement_finish_all(tx);
	/* Fail closed: a job that has met such an error cannot have done all of its work. */
	if (status == CG_OK && tx->broken != CG_OK)
		status = cg_error_set(
			err, tx->broken, "the database failed during the job");
	if (sqlite3_get_autocommit(tx->sqlite)) {
		tx->lost = true;
		if (status == CG_OK)
			status = cg_error_set(
				err, CG_INTERNAL, "a job has ended the transaction");
	} else if (status == CG_OK && tx->savepoint && violates_foreign_key(tx)) {
		status = cg_error_set(err, CG_CONFLICT, "a foreign key has no row");
	}
	if (!tx->lost && !end_savepoint(tx, status == CG_OK)) {
		transaction_rollback(tx);
		tx->lost = true;
		if (status == CG_OK)
			status = cg_error_set(err, CG_IO, "a savepoint cannot be closed");
	}
	err->status = (int)status;
	return status;
}

static enum cg_status commit_unchanged(struct transaction *tx, struct cg_error *err)
{
	return transaction_exec(tx, "PRAGMA user_version=0", err);
}

/*
 * A commit that fails in its sync leaves complete frames behind the end of the WAL.
 * Nobody looks at them as long as this connection lives, for it knows where the WAL ends,
 * and the next commit overwrites them.  But whoever opens the file after a crash takes
 * them for committed.  Worse: after a failed sync the system believes those pages clean,
 * so that later commits would be synced behind frames that never reached the disk.
 *
 * Therefore the connection is never reopened after a failure.  A commit of one unchanged
 * page is put over the stale frames, and the checkpoint then writes whatever the WAL
 * holds anew into the main file, syncs that, and cuts the WAL to nothing.
 */
enum cg_status transaction_repair(struct transaction *tx, struct cg_error *err)
{
	enum cg_status status;

	transaction_rollback(tx);
	status = commit_unchanged(tx, err);
	return status == CG_OK ? transaction_cut(tx, 0, err) : status;
}

enum cg_status transaction_checkpoint(
	struct transaction *tx, int mode, int wait_ms, struct cg_error *err)
{
	int code;

	sqlite3_busy_timeout(tx->sqlite, wait_ms);
	code = sqlite3_wal_checkpoint_v2(tx->sqlite, NULL, mode, NULL, NULL);
	sqlite3_busy_timeout(tx->sqlite, TRANSACTION_BUSY_MS);
	if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY)
		return CG_OK;
	return transaction_error(tx, err);
}

/*
 * A file that was cut may come back after a loss of power, and not the whole of it: a beginning of
 * frames that were written into the main file long ago, which would be taken for its newest state.
 * So the WAL is started over first: its new head, with the one frame of an unchanged page, is synced,
 * and the old frames behind it are nobody's whatever becomes of them.
 */
enum cg_status transaction_cut(struct transaction *tx, int wait_ms, struct cg_error *err)
{
	enum cg_status status =
		transaction_checkpoint(tx, SQLITE_CHECKPOINT_RESTART, wait_ms, err);

	if (status == CG_OK)
		status = commit_unchanged(tx, err);
	if (status != CG_OK || tx->wal_frames > 1)
		return status; /* a reader kept it from starting over */
	return transaction_checkpoint(tx, SQLITE_CHECKPOINT_TRUNCATE, wait_ms, err);
}

/*
 * Deleting alone leaves copies behind: in pages that are free, and in pages whose cells have been
 * moved.  What VACUUM builds meanwhile may be as large as the file, so it goes to a temporary file
 * and not into memory.
 */
enum cg_status transaction_erase(struct transaction *tx, struct cg_error *err)
{
	enum cg_status status =
		transaction_exec(tx, "PRAGMA temp_store=FILE;VACUUM", err);

	(void)transaction_exec(tx, "PRAGMA temp_store=MEMORY", NULL);
	if (status != CG_OK)
		return status;
	return transaction_cut(tx, TRANSACTION_BUSY_MS, err);
}

int64_t transaction_wal_bytes(struct transaction *tx)
{
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;

	if (sqlite3_file_control(tx->sqlite, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file) !=
			SQLITE_OK ||
		file == NULL || file->pMethods == NULL ||
		file->pMethods->xFileSize(file, &size) != SQLITE_OK)
		return 0;
	return size;
}
