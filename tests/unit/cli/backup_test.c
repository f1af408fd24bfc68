/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/database_copy.h"
#include "tests/unit/cli/rig.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void run_sql(const struct rig *rig, const char *name, const char *sql)
{
	sqlite3 *sqlite = NULL;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(rig_path(rig, name), &sqlite), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

/* A home with the stores of a gateway, as little of them as a backup looks at. */
static void make_stores(struct rig *rig)
{
	rig_begin(rig);
	run_sql(rig, "journal.db", "CREATE TABLE outbox(id INTEGER PRIMARY KEY, state)");
	run_sql(rig, "plane.db", "CREATE TABLE epoch(epoch TEXT)");
	run_sql(rig, "plane.db", "INSERT INTO epoch VALUES ('before')");
}

static void a_backup_is_made_verified_and_put_back(void)
{
	struct rig rig;
	struct stat info;
	char wanted[256];

	make_stores(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_backup, "backup", "{home}/copy", NULL), CLI_OK);
	snprintf(wanted, sizeof(wanted), "%s/copy is a whole backup\n", rig.directory);
	CU_ASSERT_TRUE(rig_same(rig.out, wanted));
	CU_ASSERT_EQUAL(stat(rig_path(&rig, "copy"), &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0700);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_restore, "restore", "--verify", "{home}/copy",
				"--json", NULL),
		CLI_OK);
	snprintf(wanted, sizeof(wanted), "{\"ok\":true,\"path\":\"%s/copy\"}\n",
		rig.directory);
	CU_ASSERT_TRUE(rig_same(rig.out, wanted));
	CU_ASSERT_NOT_EQUAL(access(rig_path(&rig, "plane.db.before-restore"), F_OK), 0);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_restore, "restore", "{home}/copy", NULL), CLI_OK);
	snprintf(
		wanted, sizeof(wanted), "%s is as it was at the backup; ", rig.directory);
	CU_ASSERT_EQUAL(strstr(rig.out, wanted), rig.out);
	CU_ASSERT_EQUAL(access(rig_path(&rig, "plane.db.before-restore"), F_OK), 0);
	rig_end(&rig);
}

static void what_is_there_is_not_replaced(void)
{
	struct rig rig;

	make_stores(&rig);
	rig_write(&rig, "copy", "mine", 0600);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_backup, "backup", "{home}/copy", "--json", NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_EQUAL(strstr(rig.err, "cowgate backup: "), rig.err);
	CU_ASSERT_TRUE(rig_has(rig.err, "/copy is there already\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_restore, "restore", "{home}/copy", NULL), CLI_FAILED);
	CU_ASSERT_EQUAL(strstr(rig.err, "cowgate restore: "), rig.err);
	rig_end(&rig);
}

/* Each with its own mend: one is to be stopped, the other to be started. */
static void a_gateway_that_runs_is_not_restored(void)
{
	struct rig rig;
	int fd = -1;

	make_stores(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_backup, "backup", "{home}/copy", NULL), CLI_OK);
	CU_ASSERT_EQUAL(database_lock(rig_path(&rig, "journal.db"), &fd, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_restore, "restore", "{home}/copy", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, " is in use by process "));
	CU_ASSERT_TRUE(rig_has(rig.err, "\nstop it first: systemctl stop cowgate\n"));
	close(fd);
	rig_write(&rig, "restore.ready", "", 0600);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_backup, "backup", "{home}/other", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate backup: a restore was cut short; "
					 "start the gateway once to finish it\n"));
	rig_end(&rig);
}

static void a_directory_is_named(void)
{
	static const char *const rows[][3] = {
		{NULL}, {"--json"}, {"a", "b"}, {""}, {"--verify", "a"}};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_EQUAL(
			rig_run(&rig, cli_backup, "backup", rows[i][0], rows[i][1], NULL),
			CLI_USAGE);
		CU_ASSERT_EQUAL(strstr(rig.err, "cowgate backup: name the directory that "
						"is to be made\nusage: "),
			rig.err);
	}
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_restore, "restore", "--verify", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(
		rig_has(rig.err, "cowgate restore: name the directory of a backup\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_backup, "backup", "{home}/copy", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "there is nothing to back up in "));
	rig_end(&rig);
}

UNIT_SUITE(backup, UNIT_TEST(a_backup_is_made_verified_and_put_back),
	UNIT_TEST(what_is_there_is_not_replaced),
	UNIT_TEST(a_gateway_that_runs_is_not_restored), UNIT_TEST(a_directory_is_named));
