/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the journal, and that their lists are found by an index. */
#include "gateway/journal/schema.h"

#include "tests/unit/gateway-journal/journal_rig.h"

static void versions_follow_each_other(void)
{
	for (size_t i = 0; i < journal_migration_count; i++)
		CU_ASSERT_EQUAL(journal_migrations[i].version, (int)i + 1);
}

static void a_new_file_has_all_of_them(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT max(version) FROM schema_migration"),
		(int64_t)journal_migration_count);
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM sqlite_schema WHERE type = "
				 "'table' AND name IN ('checkpoint', 'inbox', "
				 "'outbox', 'inquiry', 'cursor', 'claim')"),
		6);
	/* Strict tables refuse what is of the wrong type. */
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM pragma_table_list WHERE "
				 "schema = 'main' AND strict = 0 AND name NOT LIKE "
				 "'sqlite_%' AND name <> 'schema_migration'"),
		0);
	rig_finish(&rig);
}

/* Indexes over what is unfinished are as short as that, whatever is kept. */
static void lists_of_unfinished_rows_stay_short(void)
{
	static const char *const partial[] = {"inbox_pending", "inbox_dead",
		"inbox_spooled", "outbox_lane", "outbox_head", "outbox_finished",
		"inquiry_chat", "inquiry_session", "inquiry_due", "cursor_open",
		"claim_open"};
	struct rig rig;

	rig_start(&rig);
	for (size_t i = 0; i < sizeof(partial) / sizeof(*partial); i++) {
		char sql[160];

		snprintf(sql, sizeof(sql),
			"SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND"
			" name = '%s' AND sql LIKE '%% WHERE %%'",
			partial[i]);
		CU_ASSERT_EQUAL(rig_number(&rig, sql), 1);
	}
	rig_finish(&rig);
}

UNIT_SUITE(schema, UNIT_TEST(versions_follow_each_other),
	UNIT_TEST(a_new_file_has_all_of_them),
	UNIT_TEST(lists_of_unfinished_rows_stay_short));
