/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/transaction.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A connection of its own to a file of its own. */
struct bed {
	struct transaction tx;
	char path[64];
	int fd;
};

static void bed_init(struct bed *bed)
{
	struct transaction_options options = {
		.cache_kib = 256, .wal_limit_bytes = 1 << 20};

	snprintf(bed->path, sizeof(bed->path), "/tmp/cowgate-statement-XXXXXX");
	bed->fd = mkstemp(bed->path);
	CU_ASSERT_TRUE_FATAL(bed->fd >= 0);
	options.path = bed->path;
	CU_ASSERT_EQUAL_FATAL(transaction_open(&bed->tx, &options, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(transaction_exec(&bed->tx,
				      "CREATE TABLE value(id INTEGER PRIMARY KEY,"
				      "name TEXT UNIQUE, bytes BLOB, number INTEGER,"
				      "CHECK(number < 1000)) STRICT",
				      NULL),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(transaction_begin(&bed->tx, NULL), CG_OK);
}

static void bed_finish(struct bed *bed)
{
	transaction_rollback(&bed->tx);
	transaction_close(&bed->tx);
	close(bed->fd);
	unlink(bed->path);
}

static struct statement *prepare(struct bed *bed, const char *sql)
{
	struct statement *statement = NULL;

	CU_ASSERT_EQUAL_FATAL(
		transaction_prepare(&bed->tx, sql, &statement, NULL), CG_OK);
	return statement;
}

static const char insert[] = "INSERT INTO value(name, bytes, number) VALUES(?1, ?2, ?3)";

static enum cg_status store(
	struct bed *bed, const char *name, int64_t number, struct cg_error *err)
{
	struct statement *statement = prepare(bed, insert);

	statement_bind_text(statement, 1, name);
	statement_bind_blob(statement, 2, "a\0b", 3);
	statement_bind_int(statement, 3, number);
	return statement_execute(statement, err);
}

static void values_come_back(void)
{
	struct statement *statement;
	struct bed bed;
	bool row = false;

	bed_init(&bed);
	CU_ASSERT_EQUAL(store(&bed, "one", -5, NULL), CG_OK);
	CU_ASSERT_EQUAL(transaction_changes(&bed.tx), 1);
	CU_ASSERT_EQUAL(transaction_rowid(&bed.tx), 1);
	statement = prepare(&bed, "SELECT name, bytes, number FROM value");
	CU_ASSERT_EQUAL(statement_step(statement, &row, NULL), CG_OK);
	CU_ASSERT_TRUE_FATAL(row);
	CU_ASSERT_STRING_EQUAL(statement_text(statement, 0), "one");
	CU_ASSERT_EQUAL(statement_bytes(statement, 0), 3);
	CU_ASSERT_EQUAL_FATAL(statement_bytes(statement, 1), 3);
	CU_ASSERT_EQUAL(memcmp(statement_blob(statement, 1), "a\0b", 3), 0);
	CU_ASSERT_EQUAL(statement_int(statement, 2), -5);
	CU_ASSERT_FALSE(statement_is_null(statement, 2));
	CU_ASSERT_EQUAL(statement_step(statement, &row, NULL), CG_OK);
	CU_ASSERT_FALSE(row);
	statement_finish(statement);
	bed_finish(&bed);
}

static void null_and_empty_differ(void)
{
	struct statement *statement;
	struct bed bed;
	bool row = false;

	bed_init(&bed);
	statement = prepare(&bed, "SELECT ?1, ?2, ?3, ?4, ?5");
	statement_bind_text(statement, 1, NULL);
	statement_bind_text_length(statement, 2, "abc", 0);
	statement_bind_blob(statement, 3, NULL, 0);
	statement_bind_null(statement, 4);
	statement_bind_text_length(statement, 5, "abc", 2);
	CU_ASSERT_EQUAL(statement_step(statement, &row, NULL), CG_OK);
	CU_ASSERT_TRUE_FATAL(row);
	CU_ASSERT_TRUE(statement_is_null(statement, 0));
	CU_ASSERT_PTR_NULL(statement_text(statement, 0));
	CU_ASSERT_FALSE(statement_is_null(statement, 1));
	CU_ASSERT_STRING_EQUAL(statement_text(statement, 1), "");
	CU_ASSERT_FALSE(statement_is_null(statement, 2));
	CU_ASSERT_EQUAL(statement_bytes(statement, 2), 0);
	CU_ASSERT_TRUE(statement_is_null(statement, 3));
	CU_ASSERT_STRING_EQUAL(statement_text(statement, 4), "ab");
	statement_finish(statement);
	statement_finish(NULL);
	bed_finish(&bed);
}

static void parameters_do_not_outlive_the_statement(void)
{
	static const char sql[] = "SELECT ?1 IS NULL";
	struct statement *statement;
	struct bed bed;
	bool row = false;

	bed_init(&bed);
	statement = prepare(&bed, sql);
	statement_bind_int(statement, 1, 1);
	CU_ASSERT_EQUAL(statement_step(statement, &row, NULL), CG_OK);
	CU_ASSERT_EQUAL(statement_int(statement, 0), 0);
	statement_finish(statement);
	statement = prepare(&bed, sql);
	CU_ASSERT_EQUAL(statement_step(statement, &row, NULL), CG_OK);
	CU_ASSERT_EQUAL(statement_int(statement, 0), 1);
	statement_finish(statement);
	bed_finish(&bed);
}

static void constraints_have_their_status(void)
{
	struct cg_error err = {0};
	struct bed bed;

	bed_init(&bed);
	CU_ASSERT_EQUAL(store(&bed, "one", 1, NULL), CG_OK);
	CU_ASSERT_EQUAL(store(&bed, "one", 1, &err), CG_EXISTS);
	CU_ASSERT_EQUAL(err.status, CG_EXISTS);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "value.name"));
	CU_ASSERT_EQUAL(store(&bed, "two", 1000, NULL), CG_CONFLICT);
	CU_ASSERT_EQUAL(bed.tx.broken, CG_OK);
	CU_ASSERT_EQUAL(store(&bed, "two", 2, NULL), CG_OK);
	bed_finish(&bed);
}

static void a_bad_binding_is_told_by_the_step(void)
{
	struct statement *statement;
	struct cg_error err = {0};
	struct bed bed;
	bool row = true;

	bed_init(&bed);
	statement = prepare(&bed, "SELECT ?1");
	statement_bind_int(statement, 2, 1);
	statement_bind_int(statement, 1, 1);
	CU_ASSERT_EQUAL(statement_step(statement, &row, &err), CG_INTERNAL);
	CU_ASSERT_TRUE(row);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "SELECT ?1"));
	statement_finish(statement);
	bed_finish(&bed);
}

static void statements_are_cached_and_used_once_at_a_time(void)
{
	static const char sql[] = "SELECT 1";
	struct statement *first, *second = NULL;
	struct bed bed;

	bed_init(&bed);
	first = prepare(&bed, sql);
	CU_ASSERT_EQUAL(transaction_prepare(&bed.tx, sql, &second, NULL), CG_INTERNAL);
	CU_ASSERT_PTR_NULL(second);
	statement_finish(first);
	second = prepare(&bed, sql);
	CU_ASSERT_PTR_EQUAL(second, first);
	statement_finish(second);
	bed_finish(&bed);
}

static void finishing_out_of_order_is_fine(void)
{
	struct statement *a, *b, *c;
	struct bed bed;

	bed_init(&bed);
	a = prepare(&bed, "SELECT 'a'");
	b = prepare(&bed, "SELECT 'b'");
	c = prepare(&bed, "SELECT 'c'");
	statement_finish(b);
	statement_finish(b);
	statement_finish(c);
	CU_ASSERT_PTR_EQUAL(bed.tx.used, a);
	statement_finish_all(&bed.tx);
	CU_ASSERT_PTR_NULL(bed.tx.used);
	bed_finish(&bed);
}

static void bad_sql_is_refused(void)
{
	static const char *const bad[] = {
		"SELEKT 1", "SELECT 1; SELECT 2", "", "-- nothing", "SELECT \"one\""};
	struct statement *statement = NULL;
	struct bed bed;

	bed_init(&bed);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cg_error err = {0};

		CU_ASSERT_EQUAL(transaction_prepare(&bed.tx, bad[i], &statement, &err),
			CG_INTERNAL);
		CU_ASSERT_NOT_EQUAL(err.text[0], '\0');
	}
	CU_ASSERT_PTR_NULL(statement);
	statement = prepare(&bed, "SELECT 1;\n");
	statement_finish(statement);
	bed_finish(&bed);
}

static void the_cache_has_a_cap(void)
{
	char sql[STATEMENT_CACHE + 1][24];
	struct statement *statement = NULL;
	struct bed bed;
	size_t room;

	bed_init(&bed);
	room = STATEMENT_CACHE - bed.tx.statement_count;
	for (size_t i = 0; i <= room; i++) {
		snprintf(sql[i], sizeof(sql[i]), "SELECT %zu", i);
		CU_ASSERT_EQUAL(transaction_prepare(&bed.tx, sql[i], &statement, NULL),
			i < room ? CG_OK : CG_LIMIT);
		if (i < room)
			statement_finish(statement);
	}
	/* Those that are there still work. */
	statement = prepare(&bed, sql[0]);
	statement_finish(statement);
	bed_finish(&bed);
}

UNIT_SUITE(statement, UNIT_TEST(values_come_back), UNIT_TEST(null_and_empty_differ),
	UNIT_TEST(parameters_do_not_outlive_the_statement),
	UNIT_TEST(constraints_have_their_status),
	UNIT_TEST(a_bad_binding_is_told_by_the_step),
	UNIT_TEST(statements_are_cached_and_used_once_at_a_time),
	UNIT_TEST(finishing_out_of_order_is_fine), UNIT_TEST(bad_sql_is_refused),
	UNIT_TEST(the_cache_has_a_cap));
