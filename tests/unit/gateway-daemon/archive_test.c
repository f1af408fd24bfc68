/* SPDX-License-Identifier: Apache-2.0 */
/* Stores as a backup, and back. */
#include "gateway/daemon/archive.h"

#include "tests/unit/unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct house {
	char root[64], data[96], backup[96], other[96];
};

/* Run a statement on a store; the number of its first row, or 0. */
static int64_t run(const char *directory, const char *name, const char *sql)
{
	char path[160];
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &sqlite), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL), SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return number;
}

static void house_init(struct house *house)
{
	snprintf(house->root, sizeof(house->root), "/tmp/cowgate-archive-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(house->root));
	snprintf(house->data, sizeof(house->data), "%s/data", house->root);
	snprintf(house->backup, sizeof(house->backup), "%s/backup", house->root);
	snprintf(house->other, sizeof(house->other), "%s/other", house->root);
	CU_ASSERT_EQUAL(mkdir(house->data, 0700), 0);
	run(house->data, "journal.db",
		"CREATE TABLE outbox(id INTEGER PRIMARY KEY, state)");
	run(house->data, "journal.db",
		"INSERT INTO outbox VALUES (1, 0), (2, 1), (3, 2)");
	run(house->data, "plane.db", "CREATE TABLE epoch(epoch TEXT)");
	run(house->data, "plane.db", "INSERT INTO epoch VALUES ('before')");
}

static void house_finish(struct house *house)
{
	static const char *const names[] = {"journal.db", "plane.db", "journal.db.lock",
		"plane.db.lock", "journal.db.before-restore", "plane.db.before-restore",
		"SHA256SUMS"};
	const char *const directories[] = {house->data, house->backup, house->other};

	for (size_t d = 0; d < 3; d++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			char path[192];

			snprintf(path, sizeof(path), "%s/%s", directories[d], names[i]);
			unlink(path);
		}
		rmdir(directories[d]);
	}
	/* Neither half a backup nor half a restore is left. */
	CU_ASSERT_EQUAL(rmdir(house->root), 0);
}

static void a_backup_is_whole_or_not_there(void)
{
	struct house house;
	struct cg_error err;
	struct stat about;

	house_init(&house);
	CU_ASSERT_EQUAL(archive_make(house.other, house.backup, &err), CG_NOT_FOUND);
	CU_ASSERT_NOT_EQUAL(access(house.backup, F_OK), 0);
	CU_ASSERT_EQUAL_FATAL(archive_make(house.data, house.backup, &err), CG_OK);
	CU_ASSERT_EQUAL(stat(house.backup, &about), 0);
	CU_ASSERT_EQUAL(about.st_mode & 0777, 0700);
	CU_ASSERT_EQUAL(archive_verify(house.backup, &err), CG_OK);
	CU_ASSERT_EQUAL(
		run(house.backup, "journal.db", "SELECT count(*) FROM outbox"), 3);
	/* Never over another. */
	CU_ASSERT_EQUAL(archive_make(house.data, house.backup, &err), CG_EXISTS);
	house_finish(&house);
}

static void a_damaged_backup_is_told(void)
{
	struct house house;
	struct cg_error err;
	char path[160], junk[4096];

	house_init(&house);
	CU_ASSERT_EQUAL(archive_verify(house.root, &err), CG_NOT_FOUND);
	CU_ASSERT_EQUAL_FATAL(archive_make(house.data, house.backup, &err), CG_OK);
	snprintf(path, sizeof(path), "%s/plane.db", house.backup);
	memset(junk, 'x', sizeof(junk));
	{
		FILE *file = fopen(path, "r+");

		CU_ASSERT_PTR_NOT_NULL_FATAL(file);
		CU_ASSERT_EQUAL(fwrite(junk, 1, sizeof(junk), file), sizeof(junk));
		fclose(file);
	}
	CU_ASSERT_NOT_EQUAL(archive_verify(house.backup, &err), CG_OK);
	/* And it never takes the place of what is there. */
	CU_ASSERT_NOT_EQUAL(archive_restore(house.backup, house.data, &err), CG_OK);
	CU_ASSERT_EQUAL(run(house.data, "plane.db",
				"SELECT count(*) FROM epoch WHERE epoch = "
				"'before'"),
		1);
	house_finish(&house);
}

static void what_is_restored_knows_that_it_is(void)
{
	struct house house;
	struct cg_error err;

	house_init(&house);
	CU_ASSERT_EQUAL_FATAL(archive_make(house.data, house.backup, &err), CG_OK);
	run(house.data, "journal.db", "INSERT INTO outbox VALUES (4, 0)");
	CU_ASSERT_EQUAL_FATAL(archive_restore(house.backup, house.data, &err), CG_OK);
	/* What was to be delivered may have been since; what was sent is sent. */
	CU_ASSERT_EQUAL(run(house.data, "journal.db",
				"SELECT count(*) FROM outbox WHERE state = 3"),
		2);
	CU_ASSERT_EQUAL(run(house.data, "journal.db",
				"SELECT count(*) FROM outbox WHERE state = 2"),
		1);
	/* Whoever has a cursor of the plane looks at it afresh. */
	CU_ASSERT_EQUAL(
		run(house.data, "plane.db", "SELECT length(epoch) FROM epoch"), 32);
	/* And the way back is there. */
	CU_ASSERT_EQUAL(run(house.data, "journal.db.before-restore",
				"SELECT count(*) FROM outbox"),
		4);
	/* A new place will do as well. */
	CU_ASSERT_EQUAL(archive_restore(house.backup, house.other, &err), CG_OK);
	CU_ASSERT_EQUAL(run(house.other, "journal.db", "SELECT count(*) FROM outbox"), 3);
	house_finish(&house);
}

UNIT_SUITE(archive, UNIT_TEST(a_backup_is_whole_or_not_there),
	UNIT_TEST(a_damaged_backup_is_told),
	UNIT_TEST(what_is_restored_knows_that_it_is));
