/* SPDX-License-Identifier: Apache-2.0 */
/* Bring a database to the schema that this program knows.  Private to the database. */
#ifndef COWGATE_RUNTIME_MIGRATION_H
#define COWGATE_RUNTIME_MIGRATION_H

#include "runtime/transaction.h"

/*
 * Apply those of @migrations that the file has not seen, each in a transaction of its
 * own, and note them in the table schema_migration with the time @now_ms.  Foreign keys
 * are not enforced meanwhile, so that tables can be rebuilt, but checked before each
 * commit; afterwards they are enforced.  CONFLICT: the file is newer.  INVALID: versions
 * are not 1, 2, 3 …
 */
enum cg_status migration_run(struct transaction *tx,
	const struct database_migration *migrations, size_t count, int64_t now_ms,
	struct cg_error *err);

#endif
