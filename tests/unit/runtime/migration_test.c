/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/migration.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS INT64_C(1700000000000)

static const struct database_migration steps[] = {
	{1, "CREATE TABLE parent(id INTEGER PRIMARY KEY);"
	    "INSERT INTO parent VALUES(1), (2);"
	    "CREATE TABLE child(id INTEGER PRIMARY KEY, "
	    "parent INTEGER NOT NULL REFERENCES parent(id) ON DELETE CASCADE);"
	    "INSERT INTO child VALUES(1, 1), (2, 2)"},
	/* Rebuilding a table must not take its children along. */
	{2, "CREATE TABLE fresh(id INTEGER PRIMARY KEY, name TEXT);"
	    "INSERT INTO fresh(id) SELECT id FROM parent;"
	    "DROP TABLE parent;"
	    "ALTER TABLE fresh RENAME TO parent"},
};

struct bed {
	struct transaction tx;
	char path[64];
	int fd;
};

static void bed_init(struct bed *bed)
{
	struct transaction_options options = {
		.cache_kib = 256, .wal_limit_bytes = 1 << 20};

	snprintf(bed->path, sizeof(bed->path), "/tmp/cowgate-migration-XXXXXX");
	bed->fd = mkstemp(bed->path);
	CU_ASSERT_TRUE_FATAL(bed->fd >= 0);
	options.path = bed->path;
	CU_ASSERT_EQUAL_FATAL(transaction_open(&bed->tx, &options, NULL), CG_OK);
}

static void bed_finish(struct bed *bed)
{
	transaction_close(&bed->tx);
	close(bed->fd);
	unlink(bed->path);
}

/* The number that @sql gives, -1 when it fails or gives none. */
static int64_t ask(struct bed *bed, const char *sql)
{
	sqlite3_stmt *handle = NULL;
	int64_t answer = -1;

	if (sqlite3_prepare_v2(bed->tx.sqlite, sql, -1, &handle, NULL) == SQLITE_OK &&
		sqlite3_step(handle) == SQLITE_ROW)
		answer = sqlite3_column_int64(handle, 0);
	sqlite3_finalize(handle);
	return answer;
}

static void a_new_file_gets_all_of_them(void)
{
	struct bed bed;

	bed_init(&bed);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 2, NOW_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT max(version) FROM schema_migration"), 2);
	CU_ASSERT_EQUAL(
		ask(&bed, "SELECT min(applied_at) FROM schema_migration"), NOW_MS);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT count(*) FROM child"), 2);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT count(name) FROM parent"), 0);
	CU_ASSERT_EQUAL(ask(&bed, "PRAGMA foreign_keys"), 1);
	bed_finish(&bed);
}

static void an_older_file_gets_the_rest(void)
{
	struct bed bed;

	bed_init(&bed);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 1, NOW_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 2, NOW_MS + 1, NULL), CG_OK);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 2, NOW_MS + 2, NULL), CG_OK);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT sum(applied_at) FROM schema_migration"),
		2 * NOW_MS + 1);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT count(*) FROM child"), 2);
	bed_finish(&bed);
}

static void a_newer_file_is_refused(void)
{
	struct cg_error err = {0};
	struct bed bed;

	bed_init(&bed);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 2, NOW_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 1, NOW_MS, &err), CG_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "version 2"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "only 1"));
	bed_finish(&bed);
}

static void a_migration_is_all_or_nothing(void)
{
	static const char *const bad[] = {
		"CREATE TABLE half(id INTEGER); SELEKT",
		"CREATE TABLE half(id INTEGER); INSERT INTO child VALUES(3, 4711)",
	};
	struct database_migration broken[2] = {steps[0], {.version = 2}};
	struct cg_error err = {0};
	struct bed bed;

	bed_init(&bed);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		broken[1].sql = bad[i];
		CU_ASSERT_NOT_EQUAL(
			migration_run(&bed.tx, broken, 2, NOW_MS, &err), CG_OK);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "migration 2"));
		CU_ASSERT_EQUAL(
			ask(&bed, "SELECT max(version) FROM schema_migration"), 1);
		CU_ASSERT_EQUAL(ask(&bed, "SELECT count(*) FROM half"), -1);
		CU_ASSERT_EQUAL(ask(&bed, "SELECT count(*) FROM child"), 2);
	}
	CU_ASSERT_EQUAL(migration_run(&bed.tx, steps, 2, NOW_MS, NULL), CG_OK);
	bed_finish(&bed);
}

static void a_migration_must_leave_its_transaction_alone(void)
{
	static const struct database_migration rogue[] = {{1, "COMMIT"}};
	struct bed bed;

	bed_init(&bed);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, rogue, 1, NOW_MS, NULL), CG_INTERNAL);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT count(*) FROM schema_migration"), 0);
	bed_finish(&bed);
}

static void versions_must_be_in_order(void)
{
	static const struct database_migration gap[] = {
		{1, "CREATE TABLE one(id INTEGER)"},
		{3, "CREATE TABLE three(id INTEGER)"}};
	struct bed bed;

	bed_init(&bed);
	CU_ASSERT_EQUAL(migration_run(&bed.tx, gap, 2, NOW_MS, NULL), CG_INVALID);
	CU_ASSERT_EQUAL(ask(&bed, "SELECT count(*) FROM one"), -1);
	bed_finish(&bed);
}

UNIT_SUITE(migration, UNIT_TEST(a_new_file_gets_all_of_them),
	UNIT_TEST(an_older_file_gets_the_rest), UNIT_TEST(a_newer_file_is_refused),
	UNIT_TEST(a_migration_is_all_or_nothing),
	UNIT_TEST(a_migration_must_leave_its_transaction_alone),
	UNIT_TEST(versions_must_be_in_order));
