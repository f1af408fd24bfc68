/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SQLite connection and the transaction on it.  Private to the database: its callers
 * see the handle of database.h.  A connection belongs to one thread at a time.
 */
#ifndef COWGATE_RUNTIME_TRANSACTION_H
#define COWGATE_RUNTIME_TRANSACTION_H

#include "runtime/database.h"

#include <sqlite3.h>

#define STATEMENT_CACHE 256 /* prepared statements of one connection */
#define STATEMENT_SLOTS 512 /* of the hash */

#define TRANSACTION_BUSY_MS 2000 /* patience with the locks of other processes */

/* Of a new file; one that exists keeps its own.  A commit writes every page that it touches in
 * whole, and a message touches a few dozen, each for some hundred bytes: at half the usual size
 * a quiet gateway writes 40 % less to its card.  At a quarter, texts would overflow their pages. */
#define TRANSACTION_PAGE_BYTES 2048

struct statement {
	struct transaction *tx;
	const char *sql; /* the key; NULL: a free slot */
	sqlite3_stmt *handle;
	struct statement *next; /* among those in use */
	int bind_error; /* first failed binding, SQLITE_OK if none */
	bool readonly;
	bool used; /* between prepare and finish */
};

struct transaction {
	sqlite3 *sqlite; /* owned */
	struct statement *statements; /* owned, STATEMENT_SLOTS */
	size_t statement_count;
	struct statement *used; /* in use by the running job */
	bool readonly; /* writing is refused */
	bool savepoint; /* the running job has written, so its savepoint is open */
	bool wrote; /* some job of this transaction has written */
	bool logged; /* its commit has written to the WAL */
	bool lost; /* SQLite has rolled all of it back */
	enum cg_status broken; /* FULL, IO or NOMEM met by the running job */
	int wal_frames; /* in the WAL after the last commit */
	int page_bytes; /* of this file */
};

struct transaction_options {
	const char *path;
	const char *vfs;
	bool readonly;
	int cache_kib;
	int64_t wal_limit_bytes;
};

/* On failure @tx can still be passed to transaction_close(), which accepts a zeroed one. */
enum cg_status transaction_open(struct transaction *tx,
	const struct transaction_options *options, struct cg_error *err);
void transaction_close(struct transaction *tx);

/* Several statements without parameters and without interest in their rows. */
enum cg_status transaction_exec(
	struct transaction *tx, const char *sql, struct cg_error *err);

/* Translate the connection's last error. */
enum cg_status transaction_error(struct transaction *tx, struct cg_error *err);

enum cg_status transaction_begin(struct transaction *tx, struct cg_error *err);
/* On failure the transaction is rolled back. */
enum cg_status transaction_commit(struct transaction *tx, struct cg_error *err);
void transaction_rollback(struct transaction *tx);

/*
 * Run the work of one job in a savepoint of its own, which a job that fails is rolled
 * back to.  When the whole transaction went with it, @tx->lost is set.
 */
enum cg_status transaction_run(struct transaction *tx, struct database_job *job);

/* Called before a statement that writes: opens the running job's savepoint. */
enum cg_status transaction_guard(struct transaction *tx, struct cg_error *err);

/*
 * After a failed commit: make sure that it stays failed, and find out whether commits
 * work again.  OK means that a small commit and a full checkpoint have succeeded.
 */
enum cg_status transaction_repair(struct transaction *tx, struct cg_error *err);

/*
 * Write what the WAL holds into the main file, and cut it to nothing.  OK also when readers were in
 * the way: then it stays as long as it is.
 */
enum cg_status transaction_cut(struct transaction *tx, int wait_ms, struct cg_error *err);

/* @mode is SQLITE_CHECKPOINT_….  OK also when readers were in the way of some of it. */
enum cg_status transaction_checkpoint(
	struct transaction *tx, int mode, int wait_ms, struct cg_error *err);

/* Write the whole file anew and empty the WAL: what was deleted is in neither of them.  Not within a
 * transaction. */
enum cg_status transaction_erase(struct transaction *tx, struct cg_error *err);

/* Size of the WAL file in bytes, 0 when it cannot be told. */
int64_t transaction_wal_bytes(struct transaction *tx);

/* Of the statement cache. */
void statement_finish_all(struct transaction *tx); /* those in use */
void statement_destroy_all(struct transaction *tx); /* the cache itself */

#endif
