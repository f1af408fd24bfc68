/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, their completions, and what happens to them when the disk fails. */
#include "tests/unit/runtime/database_rig.h"

#include <sqlite3.h>

#define MANY (DATABASE_BATCH + 1)

/* One entry is being synced and waits there; so the next ones pile up. */
static void occupy(struct rig *rig, struct entry *entry, int64_t number)
{
	fault_vfs_hold_syncs();
	entry_submit(entry, rig, number, 0);
	fault_vfs_await_held();
}

static void jobs_complete_in_order(void)
{
	struct entry entries[50];
	struct rig rig;

	rig_start(&rig, NULL);
	for (size_t i = 0; i < 50; i++)
		entry_submit(&entries[i], &rig, (int64_t)i, 0);
	CU_ASSERT_EQUAL(database_pending(rig.database), 50);
	rig_await(&rig, 50);
	CU_ASSERT_EQUAL(database_pending(rig.database), 0);
	for (size_t i = 0; i < 50; i++) {
		CU_ASSERT_EQUAL(entries[i].status, CG_OK);
		CU_ASSERT_EQUAL(entries[i].order, i);
	}
	CU_ASSERT_TRUE(rig_has(&rig, 49));
	rig_finish(&rig);
}

static void waiting_jobs_share_a_commit(void)
{
	struct entry first, entries[20];
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	occupy(&rig, &first, -1);
	for (size_t i = 0; i < 20; i++)
		entry_submit(&entries[i], &rig, (int64_t)i, 0);
	loop_turn(rig.loop);
	CU_ASSERT_EQUAL(rig.done, 0);
	fault_vfs_release_syncs();
	rig_await(&rig, 21);
	CU_ASSERT_EQUAL(first.order, 0);
	CU_ASSERT_EQUAL(entries[19].order, 20);
	CU_ASSERT_EQUAL(database_commits(rig.database), 2);
	rig_finish(&rig);
}

static void a_group_has_a_cap(void)
{
	struct entry *entries = calloc(MANY, sizeof(*entries));
	struct entry first;
	struct rig rig;

	CU_ASSERT_PTR_NOT_NULL_FATAL(entries);
	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	occupy(&rig, &first, -1);
	for (size_t i = 0; i < MANY; i++)
		entry_submit(&entries[i], &rig, (int64_t)i, 0);
	fault_vfs_release_syncs();
	rig_await(&rig, MANY + 1);
	CU_ASSERT_EQUAL(entries[MANY - 1].order, MANY);
	CU_ASSERT_EQUAL(database_commits(rig.database), 3);
	rig_finish(&rig);
	free(entries);
}

static void a_failed_job_is_undone_alone(void)
{
	struct entry first, entries[3];
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	occupy(&rig, &first, 0);
	for (size_t i = 0; i < 3; i++)
		entry_submit(&entries[i], &rig, (int64_t)i + 1, 0);
	entries[1].verdict = CG_DENIED;
	fault_vfs_release_syncs();
	rig_await(&rig, 4);
	CU_ASSERT_EQUAL(database_commits(rig.database), 2);
	CU_ASSERT_EQUAL(entries[0].status, CG_OK);
	CU_ASSERT_EQUAL(entries[1].status, CG_DENIED);
	CU_ASSERT_EQUAL(entries[1].order, 2);
	CU_ASSERT_EQUAL(entries[2].status, CG_OK);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	CU_ASSERT_FALSE(rig_has(&rig, 2));
	CU_ASSERT_TRUE(rig_has(&rig, 3));
	rig_finish(&rig);
}

static void a_duplicate_exists(void)
{
	struct rig rig;

	rig_start(&rig, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 7), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, 7), CG_EXISTS);
	CU_ASSERT_EQUAL(rig_store(&rig, 8), CG_OK);
	CU_ASSERT_EQUAL(database_state(rig.database), CG_OK);
	rig_finish(&rig);
}

static enum cg_status orphan_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(
		tx, "INSERT INTO child(entry) VALUES(4711)", &statement, err);

	(void)arg;
	return status != CG_OK ? status : statement_execute(statement, err);
}

/* The violation would come to light at the commit only, and fail the neighbours. */
static void a_deferred_violation_fails_its_job_alone(void)
{
	struct entry first, entries[3];
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	occupy(&rig, &first, 0);
	for (size_t i = 0; i < 3; i++) {
		entry_submit(&entries[i], &rig, (int64_t)i + 1, 0);
		if (i == 1)
			entries[i].job.work = orphan_work;
	}
	fault_vfs_release_syncs();
	rig_await(&rig, 4);
	CU_ASSERT_EQUAL(entries[0].status, CG_OK);
	CU_ASSERT_EQUAL(entries[1].status, CG_CONFLICT);
	CU_ASSERT_EQUAL(entries[2].status, CG_OK);
	rig_finish(&rig);
}

static enum cg_status careless_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;

	(void)arg;
	if (transaction_prepare(tx, "SELECT number FROM entry", &statement, err) != CG_OK)
		return CG_INTERNAL;
	return statement_step(statement, &row, err);
}

static void a_job_may_leave_statements_open(void)
{
	struct entry entries[2];
	struct rig rig;

	rig_start(&rig, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, 2), CG_OK);
	for (size_t i = 0; i < 2; i++) {
		entries[i] = (struct entry){
			.job = {.work = careless_work,
				.done = entry_done,
				.arg = &entries[i]},
			.rig = &rig,
		};
		CU_ASSERT_EQUAL(database_submit(rig.database, &entries[i].job), CG_OK);
	}
	CU_ASSERT_EQUAL(rig_store(&rig, 3), CG_OK);
	CU_ASSERT_EQUAL(entries[0].status, CG_OK);
	CU_ASSERT_EQUAL(entries[1].status, CG_OK);
	rig_finish(&rig);
}

static void early_jobs_do_not_wait_for_the_commit(void)
{
	struct entry early, late;
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	fault_vfs_hold_syncs();
	entry_submit(&early, &rig, 1, DATABASE_EARLY);
	entry_submit(&late, &rig, 2, 0);
	rig_await(&rig, 1);
	CU_ASSERT_TRUE(early.completed);
	CU_ASSERT_EQUAL(early.status, CG_OK);
	CU_ASSERT_FALSE(late.completed);
	CU_ASSERT_EQUAL(database_commits(rig.database), 0);
	fault_vfs_release_syncs();
	rig_await(&rig, 2);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	rig_finish(&rig);
}

static void reading_jobs_sync_nothing(void)
{
	struct rig rig;
	unsigned syncs;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	syncs = fault_vfs_syncs(NULL);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	CU_ASSERT_FALSE(rig_has(&rig, 2));
	CU_ASSERT_EQUAL(fault_vfs_syncs(NULL), syncs);
	CU_ASSERT_EQUAL(database_commits(rig.database), 1);
	rig_finish(&rig);
}

/* Also the duplicate fails: it was the duplicate of a row that is not there. */
static void a_failed_commit_fails_its_group(void)
{
	struct entry first, entries[4];
	struct rig rig;

	fault_vfs_install();
	rig_init(&rig, FAULT_VFS);
	rig.options.retry_ms = RIG_PATIENCE_MS;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, 100), CG_OK);
	occupy(&rig, &first, 101);
	entry_submit(&entries[0], &rig, 1, 0);
	entry_submit(&entries[1], &rig, 1, 0);
	entry_submit(&entries[2], &rig, 2, DATABASE_EARLY);
	entry_submit(&entries[3], &rig, 3, 0);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	fault_vfs_release_syncs();
	rig_await(&rig, 6);
	/* The sync that was under way fails too, since it had not begun. */
	CU_ASSERT_EQUAL(first.status, CG_IO);
	CU_ASSERT_EQUAL(entries[0].status, CG_IO);
	CU_ASSERT_EQUAL(entries[1].status, CG_IO);
	CU_ASSERT_NOT_EQUAL(entries[0].text[0], '\0');
	CU_ASSERT_EQUAL(entries[2].status, CG_OK);
	CU_ASSERT_EQUAL(entries[3].status, CG_IO);
	CU_ASSERT_TRUE(entries[2].order < entries[0].order);
	CU_ASSERT_EQUAL(database_state(rig.database), CG_IO);
	CU_ASSERT_EQUAL(database_commits(rig.database), 1);
	CU_ASSERT_EQUAL(rig.edges, 1);
	for (int64_t number = 1; number <= 3; number++)
		CU_ASSERT_FALSE(rig_has(&rig, number));
	CU_ASSERT_TRUE(rig_has(&rig, 100));
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_IO);
	CU_ASSERT_EQUAL(rig.edges, 1);

	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig.state, CG_OK);
	CU_ASSERT_EQUAL(rig.edges, 2);
	rig_reopen(&rig);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	CU_ASSERT_TRUE(rig_has(&rig, 100));
	CU_ASSERT_FALSE(rig_has(&rig, 3));
	CU_ASSERT_FALSE(rig_has(&rig, 101));
	rig_finish(&rig);
}

static enum cg_status vain_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(
		tx, "DELETE FROM entry WHERE number = -4711", &statement, err);

	(void)arg;
	return status != CG_OK ? status : statement_execute(statement, err);
}

/* Only what has reached the disk proves that the disk works. */
static void a_job_that_changes_nothing_proves_nothing(void)
{
	struct entry entry;
	struct rig rig;

	fault_vfs_install();
	rig_init(&rig, FAULT_VFS);
	rig.options.retry_ms = RIG_PATIENCE_MS;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_IO);
	entry = (struct entry){
		.job = {.work = vain_work, .done = entry_done, .arg = &entry},
		.rig = &rig,
	};
	CU_ASSERT_EQUAL(database_submit(rig.database, &entry.job), CG_OK);
	rig_await(&rig, 2);
	CU_ASSERT_EQUAL(entry.status, CG_OK);
	CU_ASSERT_EQUAL(database_state(rig.database), CG_IO);
	CU_ASSERT_EQUAL(database_commits(rig.database), 0);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	rig_finish(&rig);
}

static bool two_edges(struct rig *rig)
{
	return rig->edges == 2;
}

static void a_full_disk_is_told_and_mends_by_itself(void)
{
	struct rig rig;

	fault_vfs_install();
	rig_init(&rig, FAULT_VFS);
	rig.options.retry_ms = 1;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	fault_vfs_fail_writes(SQLITE_FULL, NULL, 0);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_FULL);
	CU_ASSERT_EQUAL(rig.state, CG_FULL);
	CU_ASSERT_EQUAL(database_state(rig.database), CG_FULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 2), CG_FULL);
	CU_ASSERT_EQUAL(rig.edges, 1);
	fault_vfs_fail_writes(SQLITE_OK, NULL, 0);
	rig_poll(&rig, two_edges);
	CU_ASSERT_EQUAL(rig.state, CG_OK);
	CU_ASSERT_FALSE(rig_has(&rig, 1));
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	rig_finish(&rig);
}

/* Larger than the page cache, so that it reaches the disk before the commit. */
static enum cg_status spilling_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"INSERT INTO entry(number, filler) VALUES(?1, randomblob(400000))",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, ((struct entry *)arg)->number);
	(void)statement_execute(statement, err);
	return CG_OK;
}

static void a_job_cannot_hide_a_disk_error(void)
{
	struct entry first, entries[3];
	struct rig rig;

	fault_vfs_install();
	rig_init(&rig, FAULT_VFS);
	rig.options.cache_kib = 64;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	occupy(&rig, &first, 0);
	for (size_t i = 0; i < 3; i++) {
		entry_submit(&entries[i], &rig, (int64_t)i + 1, 0);
		if (i == 1)
			entries[i].job.work = spilling_work;
	}
	fault_vfs_fail_writes(SQLITE_FULL, "-wal", 0);
	fault_vfs_release_syncs();
	rig_await(&rig, 4);
	CU_ASSERT_EQUAL(first.status, CG_OK);
	CU_ASSERT_EQUAL(entries[1].status, CG_FULL);
	fault_vfs_fail_writes(SQLITE_OK, NULL, 0);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(entries[i].order, i + 1);
		CU_ASSERT_EQUAL(
			rig_has(&rig, entries[i].number), entries[i].status == CG_OK);
	}
	CU_ASSERT_EQUAL(rig_store(&rig, 9), CG_OK);
	rig_finish(&rig);
}

static bool wal_is_empty(struct rig *rig)
{
	return database_wal_bytes(rig->database) == 0;
}

static void an_idle_writer_empties_the_wal(void)
{
	struct rig rig;

	rig_init(&rig, NULL);
	rig.options.idle_ms = 1;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	rig_poll(&rig, wal_is_empty);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	rig_finish(&rig);
}

static void the_wal_is_kept_short(void)
{
	struct entry entries[64];
	struct rig rig;

	rig_init(&rig, NULL);
	rig.options.wal_limit_bytes = 1 << 16;
	rig.options.idle_ms = RIG_PATIENCE_MS;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	for (int64_t round = 0; round < 40; round++) {
		for (int64_t i = 0; i < 64; i++)
			entry_submit(&entries[i], &rig, round * 64 + i, 0);
		rig_await(&rig, (size_t)(round + 1) * 64);
		CU_ASSERT_TRUE(database_wal_bytes(rig.database) > 0);
		CU_ASSERT_TRUE(database_wal_bytes(rig.database) < 4 << 16);
	}
	rig_finish(&rig);
}

/* While a reader stays the WAL grows, but nobody waits for long; then it shrinks. */
static void a_long_reader_is_outlived(void)
{
	sqlite3 *reader = NULL;
	struct rig rig;
	int64_t number = 0, peak;

	rig_init(&rig, NULL);
	rig.options.wal_limit_bytes = 1 << 15;
	rig.options.idle_ms = RIG_PATIENCE_MS;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, number++), CG_OK);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(rig.path, &reader), SQLITE_OK);
	CU_ASSERT_EQUAL(
		sqlite3_exec(reader, "BEGIN; SELECT * FROM entry", NULL, NULL, NULL),
		SQLITE_OK);
	while (database_wal_bytes(rig.database) < 8 << 15)
		CU_ASSERT_EQUAL_FATAL(rig_store(&rig, number++), CG_OK);
	peak = database_wal_bytes(rig.database);
	CU_ASSERT_EQUAL(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(reader);
	while (database_wal_bytes(rig.database) >= peak && number < 10000) {
		CU_ASSERT_EQUAL_FATAL(rig_store(&rig, number++), CG_OK);
		if (database_wal_bytes(rig.database) > peak)
			peak = database_wal_bytes(rig.database);
	}
	CU_ASSERT_TRUE(database_wal_bytes(rig.database) <= 1 << 15);
	CU_ASSERT_TRUE(peak <= 32 << 15);
	rig_finish(&rig);
}

/* Many rows with a sentence that is looked for, then none. */
#define SENTENCE "a sentence that nobody shall find"

struct purge {
	struct job_rig {
		struct database_job job;
		struct rig *rig;
		enum cg_status status;
	} of;
	const char *sql;
};

static enum cg_status purge_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct purge *purge = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, purge->sql, &statement, err);

	return status == CG_OK ? statement_execute(statement, err) : status;
}

static void purge_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct purge *purge = arg;

	(void)err;
	purge->of.status = status;
	if (++purge->of.rig->done == purge->of.rig->awaited)
		loop_stop(purge->of.rig->loop);
}

static enum cg_status run_sql(struct rig *rig, const char *sql, unsigned flags)
{
	struct purge purge = {
		.of = {.job = {.work = purge_work, .done = purge_done, .flags = flags},
			.rig = rig},
		.sql = sql};

	purge.of.job.arg = &purge;
	CU_ASSERT_EQUAL_FATAL(database_submit(rig->database, &purge.of.job), CG_OK);
	rig_await(rig, rig->done + 1);
	return purge.of.status;
}

static bool file_has(const char *path, const char *suffix, const char *text)
{
	size_t length = strlen(text), size = (size_t)4 << 20, got;
	char name[128], *bytes = malloc(size);
	bool found = false;
	FILE *file;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	snprintf(name, sizeof(name), "%s%s", path, suffix);
	file = fopen(name, "rb");
	got = file == NULL ? 0 : fread(bytes, 1, size, file);
	if (file != NULL)
		fclose(file);
	for (size_t i = 0; !found && i + length <= got; i++)
		found = memcmp(bytes + i, text, length) == 0;
	free(bytes);
	return found;
}

static void fill_and_delete(struct rig *rig, unsigned flags)
{
	CU_ASSERT_EQUAL(
		run_sql(rig,
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
			"WHERE i < 300) INSERT INTO entry(number, filler)"
			" SELECT i, CAST(replace(hex(zeroblob(50)), '00', '" SENTENCE
			"') AS BLOB) FROM n",
			0),
		CG_OK);
	CU_ASSERT_EQUAL(
		run_sql(rig, "DELETE FROM entry WHERE number <> 7 AND number <> 8", 0),
		CG_OK);
	CU_ASSERT_EQUAL(run_sql(rig, "DELETE FROM entry WHERE number = 7", flags), CG_OK);
	CU_ASSERT_EQUAL(run_sql(rig, "UPDATE entry SET filler = NULL", flags), CG_OK);
}

/* Deleting alone leaves traces; erasing leaves none, in the file or in its log. */
static void what_is_erased_is_in_no_file(void)
{
	struct rig rig;

	for (unsigned erase = 0; erase <= 1; erase++) {
		rig_init(&rig, NULL);
		sqlite3_free(sqlite3_temp_directory);
		sqlite3_temp_directory = NULL; /* as in a process that begins */
		rig.options.idle_ms = RIG_PATIENCE_MS;
		CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
		CU_ASSERT_STRING_EQUAL(sqlite3_temp_directory, rig.directory);
		fill_and_delete(&rig, erase ? DATABASE_ERASE : 0);
		CU_ASSERT_EQUAL(file_has(rig.path, "", SENTENCE) ||
					file_has(rig.path, "-wal", SENTENCE),
			!erase);
		CU_ASSERT_EQUAL(erase && database_wal_bytes(rig.database) > 0, false);
		CU_ASSERT_TRUE(rig_has(&rig, 8));
		CU_ASSERT_EQUAL(rig_store(&rig, 1000), CG_OK);
		rig_finish(&rig);
	}
}

/* The rows are gone, the traces are not: that is told, and a repeat succeeds. */
static void an_erasure_that_fails_is_told(void)
{
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	fill_and_delete(&rig, 0);
	fault_vfs_fail_syncs(
		SQLITE_IOERR_FSYNC, ".db"); /* not those of the log: the commit stands */
	CU_ASSERT_EQUAL(run_sql(&rig, "DELETE FROM entry", DATABASE_ERASE), CG_IO);
	fault_vfs_fail_syncs(0, NULL);
	CU_ASSERT_FALSE(rig_has(&rig, 8));
	CU_ASSERT_EQUAL(run_sql(&rig, "DELETE FROM entry", DATABASE_ERASE), CG_OK);
	CU_ASSERT_FALSE(file_has(rig.path, "", SENTENCE));
	CU_ASSERT_EQUAL(rig_store(&rig, 1000), CG_OK);
	rig_finish(&rig);
}

UNIT_SUITE(writer, UNIT_TEST(what_is_erased_is_in_no_file),
	UNIT_TEST(an_erasure_that_fails_is_told), UNIT_TEST(jobs_complete_in_order),
	UNIT_TEST(waiting_jobs_share_a_commit), UNIT_TEST(a_group_has_a_cap),
	UNIT_TEST(a_failed_job_is_undone_alone), UNIT_TEST(a_duplicate_exists),
	UNIT_TEST(a_deferred_violation_fails_its_job_alone),
	UNIT_TEST(a_job_may_leave_statements_open),
	UNIT_TEST(early_jobs_do_not_wait_for_the_commit),
	UNIT_TEST(reading_jobs_sync_nothing), UNIT_TEST(a_failed_commit_fails_its_group),
	UNIT_TEST(a_job_that_changes_nothing_proves_nothing),
	UNIT_TEST(a_full_disk_is_told_and_mends_by_itself),
	UNIT_TEST(a_job_cannot_hide_a_disk_error),
	UNIT_TEST(an_idle_writer_empties_the_wal), UNIT_TEST(the_wal_is_kept_short),
	UNIT_TEST(a_long_reader_is_outlived));
