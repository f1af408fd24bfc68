/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the plane. */
#include "control-plane/schema.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

static void versions_follow_each_other(void)
{
	for (size_t i = 0; i < schema_migration_count; i++)
		CU_ASSERT_EQUAL(schema_migrations[i].version, (int)i + 1);
}

static void a_new_store_has_all_of_them(void)
{
	struct fixture f;

	fixture_start(&f);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT max(version) FROM schema_migration"),
		(int64_t)schema_migration_count);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM pragma_table_list WHERE schema "
				"= 'main' AND strict = 0 AND name NOT LIKE "
				"'sqlite_%' AND name <> 'schema_migration'"),
		0);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT length(epoch) FROM epoch"), 32);
	fixture_finish(&f);
}

/* The lists that are spelled out in checks are those of the code. */
static void words_outside_of_the_lists_are_refused(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_prompt(&f, fixture_bind(&f, "c1"), "hello", "k1");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM command"), 1);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "UPDATE OR IGNORE command SET status = 'odd'"), 0);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT status = 'running' FROM command"), 1);
	fixture_finish(&f);
}

UNIT_SUITE(schema, UNIT_TEST(versions_follow_each_other),
	UNIT_TEST(a_new_store_has_all_of_them),
	UNIT_TEST(words_outside_of_the_lists_are_refused));
