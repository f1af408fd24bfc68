/* SPDX-License-Identifier: Apache-2.0 */
/* Schema versions, applied in order, each at once or not at all. */
#include "runtime/migration.h"

#include <cowgate/sdk/error.h>

static const char create_table[] =
	"CREATE TABLE IF NOT EXISTS schema_migration("
	"version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT";

/* *@ret is the first column of the only row, 0 without a row. */
static enum cg_status query_int(
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

static enum cg_status note_version(
	struct transaction *tx, int version, int64_t now_ms, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"INSERT INTO schema_migration(version, applied_at) VALUES(?1, ?2)",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, version);
	statement_bind_int(statement, 2, now_ms);
	return statement_execute(statement, err);
}

static enum cg_status check_foreign_keys(struct transaction *tx, struct cg_error *err)
{
	int64_t violations = 0;
	enum cg_status status = query_int(
		tx, "SELECT count(*) FROM pragma_foreign_key_check", &violations, err);

	if (status == CG_OK && violations != 0)
		status = cg_error_set(err, CG_CONFLICT,
			"it leaves %lld rows whose foreign key has no row",
			(long long)violations);
	return status;
}

static enum cg_status apply(struct transaction *tx,
	const struct database_migration *migration, int64_t now_ms, struct cg_error *err)
{
	enum cg_status status = transaction_begin(tx, err);

	if (status != CG_OK)
		return status;
	status = transaction_exec(tx, migration->sql, err);
	if (status == CG_OK && sqlite3_get_autocommit(tx->sqlite))
		status = cg_error_set(err, CG_INTERNAL, "it ends its own transaction");
	if (status == CG_OK)
		status = check_foreign_keys(tx, err);
	if (status == CG_OK)
		status = note_version(tx, migration->version, now_ms, err);
	if (status == CG_OK)
		return transaction_commit(tx, err);
	transaction_rollback(tx);
	return status;
}

enum cg_status migration_run(struct transaction *tx,
	const struct database_migration *migrations, size_t count, int64_t now_ms,
	struct cg_error *err)
{
	int64_t version = 0;
	enum cg_status status;

	for (size_t i = 0; i < count; i++) {
		if (migrations[i].version != (int)i + 1)
			return cg_error_set(err, CG_INVALID,
				"migration %d is out of order", migrations[i].version);
	}
	status = transaction_exec(tx, create_table, err);
	if (status == CG_OK)
		status = query_int(
			tx, "SELECT max(version) FROM schema_migration", &version, err);
	if (status != CG_OK)
		return status;
	if (version > (int64_t)count)
		return cg_error_set(err, CG_CONFLICT,
			"its schema has version %lld, but this program knows only %zu: "
			"run the newer program again, or restore an older copy",
			(long long)version, count);
	status = transaction_exec(tx, "PRAGMA foreign_keys=OFF", err);
	for (size_t i = (size_t)version; i < count && status == CG_OK; i++) {
		status = apply(tx, &migrations[i], now_ms, err);
		if (status != CG_OK)
			cg_error_prefix(err, "migration %d", migrations[i].version);
	}
	if (status == CG_OK)
		status = transaction_exec(tx, "PRAGMA foreign_keys=ON", err);
	return status;
}
