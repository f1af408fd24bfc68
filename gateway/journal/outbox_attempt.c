/* SPDX-License-Identifier: Apache-2.0 */
/* How the attempts of a delivery ended, for whoever asks why it took so long. */
#include "gateway/journal/outbox_row.h"

static const char keep_sql[] =
	"INSERT INTO attempt"
	" SELECT id, 1 + coalesce((SELECT max(step) FROM attempt WHERE outbox_id = ?1), "
	"0),"
	" attempts, updated_ms, outcome, scope, platform_status, substr(detail, 1, 300)"
	" FROM outbox WHERE id = ?1";

static const char trim_sql[] =
	"DELETE FROM attempt WHERE outbox_id = ?1 AND step <="
	" (SELECT max(step) FROM attempt WHERE outbox_id = ?1) - ?2";

static enum cg_status run(
	struct transaction *tx, const char *sql, int64_t id, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, sql, &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	if (sql == trim_sql)
		statement_bind_int(statement, 2, OUTBOX_ATTEMPTS);
	return statement_execute(statement, err);
}

enum cg_status outbox_keep_attempt(
	struct transaction *tx, int64_t id, struct cg_error *err)
{
	enum cg_status status = run(tx, keep_sql, id, err);

	return status == CG_OK ? run(tx, trim_sql, id, err) : status;
}
