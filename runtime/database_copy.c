/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/database_copy.h"

#include "runtime/transaction.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_CACHE_KIB 1024
#define COPY_WAL_LIMIT ((int64_t)8 << 20)

static enum cg_status open_file(
	struct transaction *tx, const char *path, bool readonly, struct cg_error *err)
{
	const struct transaction_options options = {.path = path,
		.readonly = readonly,
		.cache_kib = COPY_CACHE_KIB,
		.wal_limit_bytes = COPY_WAL_LIMIT};
	enum cg_status status;

	if (access(path, F_OK) != 0) {
		*tx = (struct transaction){.sqlite = NULL};
		return cg_error_set(err, CG_NOT_FOUND, "%s is not there", path);
	}
	status = transaction_open(tx, &options, err);
	if (status != CG_OK)
		cg_error_prefix(err, "%s", path);
	return status;
}

enum cg_status database_verify(const char *path, struct cg_error *err)
{
	struct transaction tx;
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = open_file(&tx, path, true, err);
	const char *said;

	if (status == CG_OK)
		status = transaction_prepare(
			&tx, "PRAGMA quick_check(1)", &statement, err);
	if (status == CG_OK)
		status = statement_step(statement, &row, err);
	if (status == CG_OK) {
		said = row ? statement_text(statement, 0) : "no answer";
		if (said == NULL || strcmp(said, "ok") != 0)
			status = cg_error_set(err, CG_INVALID, "%s: %s", path,
				said == NULL ? "no answer" : said);
	} else if (status != CG_NOT_FOUND && status != CG_NOMEM && status != CG_BUSY) {
		status = cg_error_set(err, CG_INVALID, "%s: not a sound database", path);
	}
	statement_finish(statement);
	transaction_close(&tx);
	return status;
}

/*
 * VACUUM INTO reads one snapshot and writes a file without holes.  Past statement_step(), whose
 * guard against writing on a reading connection is about the file that is open.
 */
static enum cg_status vacuum_into(
	struct transaction *tx, const char *to, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status =
		transaction_prepare(tx, "VACUUM INTO ?1", &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, to);
	if (sqlite3_step(statement->handle) != SQLITE_DONE)
		status = transaction_error(tx, err);
	statement_finish(statement);
	return status;
}

static enum cg_status sync_file(const char *path, struct cg_error *err)
{
	return cg_sync_path(path) == 0
		       ? CG_OK
		       : cg_error_set(err, CG_IO, "%s: %s", path, strerror(errno));
}

enum cg_status database_copy(const char *from, const char *to, struct cg_error *err)
{
	struct transaction tx;
	mode_t mask;
	enum cg_status status = open_file(&tx, from, true, err);

	if (status == CG_OK && access(to, F_OK) == 0)
		status = cg_error_set(err, CG_EXISTS, "%s is there already", to);
	if (status != CG_OK) {
		transaction_close(&tx);
		return status;
	}
	mask = umask(077);
	status = vacuum_into(&tx, to, err);
	umask(mask);
	transaction_close(&tx);
	if (status == CG_OK && chmod(to, 0600) != 0)
		status = cg_error_set(err, CG_IO, "%s: %s", to, strerror(errno));
	if (status == CG_OK)
		status = sync_file(to, err);
	if (status != CG_OK)
		unlink(to);
	return status;
}

enum cg_status database_amend(const char *path, const char *sql, struct cg_error *err)
{
	struct transaction tx;
	enum cg_status status = open_file(&tx, path, false, err);

	if (status == CG_OK)
		status = transaction_begin(&tx, err);
	if (status == CG_OK) {
		status = transaction_exec(&tx, sql, err);
		if (status == CG_OK)
			status = transaction_commit(&tx, err);
		else
			transaction_rollback(&tx);
	}
	if (status == CG_OK)
		status = transaction_checkpoint(
			&tx, SQLITE_CHECKPOINT_TRUNCATE, TRANSACTION_BUSY_MS, err);
	transaction_close(&tx);
	return status;
}
