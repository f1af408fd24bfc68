/* SPDX-License-Identifier: Apache-2.0 */
/* What survives a crash or a loss of power, at once or after the disk has failed. */
#include "runtime/transaction.h"
#include "tests/unit/runtime/database_rig.h"

#include <sqlite3.h>

#define ROUNDS 60
#define GROUPS 12
#define GROUP 8

static bool copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	bool copied = in != NULL && out != NULL;
	char bytes[4096];
	size_t length;

	while (copied && (length = fread(bytes, 1, sizeof(bytes), in)) > 0)
		copied = fwrite(bytes, 1, length, out) == length;
	if (in != NULL)
		fclose(in);
	if (out != NULL && fclose(out) != 0)
		copied = false;
	return copied;
}

/* What a process would find that opens the files after this one has been killed. */
static void open_crash_image(struct rig *image, const struct rig *rig)
{
	char from[128], to[128];

	rig_init(image, NULL);
	CU_ASSERT_TRUE(copy_file(rig->path, image->path));
	snprintf(from, sizeof(from), "%s-wal", rig->path);
	snprintf(to, sizeof(to), "%s-wal", image->path);
	CU_ASSERT_TRUE(copy_file(from, to));
	CU_ASSERT_EQUAL_FATAL(rig_open(image, NULL), CG_OK);
}

static void what_is_acknowledged_survives_a_crash(void)
{
	struct rig rig, image;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	open_crash_image(&image, &rig);
	CU_ASSERT_TRUE(rig_has(&image, 1));
	rig_finish(&image);
	rig_finish(&rig);
}

/* A commit that fails in its sync has written all of its frames. */
static void a_failed_commit_stays_failed_after_a_crash(void)
{
	struct rig rig, image;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 2), CG_IO);
	open_crash_image(&image, &rig);
	CU_ASSERT_TRUE(rig_has(&image, 1));
	CU_ASSERT_FALSE(rig_has(&image, 2));
	rig_finish(&image);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	rig_finish(&rig);
}

static void lose_power(struct rig *rig, enum fault_loss loss, uint64_t seed)
{
	fault_vfs_power_off();
	rig_close(rig);
	CU_ASSERT_EQUAL_FATAL(fault_vfs_lose(loss, seed), 0);
	CU_ASSERT_EQUAL_FATAL(rig_open(rig, NULL), CG_OK);
}

/*
 * Nor when the database is closed while the disk still fails.  What the next process
 * reads then is partly in the system's memory only, and must not be built on either.
 */
static void a_failed_commit_stays_failed_after_closing(void)
{
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 2), CG_IO);
	rig_close(&rig);
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	CU_ASSERT_FALSE(rig_has(&rig, 2));
	CU_ASSERT_EQUAL(rig_store(&rig, 3), CG_OK);
	lose_power(&rig, FAULT_LOSE, 1);
	CU_ASSERT_TRUE(rig_has(&rig, 1));
	CU_ASSERT_FALSE(rig_has(&rig, 2));
	CU_ASSERT_TRUE(rig_has(&rig, 3));
	rig_finish(&rig);
}

/*
 * After a failed sync the system takes the pages for clean though the disk has never seen
 * them.  No later commit may stand on them, however often the disk fails and recovers.
 */
static void nothing_is_built_on_a_failed_sync(void)
{
	static const char *const victims[] = {"-wal", ".db", NULL};

	for (size_t victim = 0; victim < 3; victim++) {
		struct rig rig;

		fault_vfs_install();
		rig_init(&rig, FAULT_VFS);
		rig.options.wal_limit_bytes = 1 << 16;
		rig.options.retry_ms = RIG_PATIENCE_MS;
		CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
		for (int64_t i = 0; i < 200; i++) {
			bool fail = i % 5 == 3;

			fault_vfs_fail_syncs(
				fail ? SQLITE_IOERR_FSYNC : SQLITE_OK, victims[victim]);
			if (rig_store(&rig, i) != CG_OK)
				CU_ASSERT_TRUE(fail);
		}
		fault_vfs_fail_syncs(SQLITE_OK, NULL);
		lose_power(&rig, FAULT_LOSE, 1);
		for (int64_t i = 0; i < 200; i++) {
			bool must = i % 5 != 3 || victim == 1;

			CU_ASSERT_EQUAL(rig_has(&rig, i), must);
		}
		rig_finish(&rig);
	}
}

static int64_t integrity(struct rig *rig)
{
	struct rig_query query = {
		.job = {.work = rig_query_work, .done = rig_query_done, .arg = &query},
		.rig = rig,
		.sql = "SELECT count(*) FROM pragma_integrity_check WHERE "
		       "integrity_check = 'ok'",
		.parameterless = true,
	};

	CU_ASSERT_EQUAL(database_submit(rig->database, &query.job), CG_OK);
	rig_await(rig, rig->done + database_pending(rig->database));
	CU_ASSERT_EQUAL(query.status, CG_OK);
	return query.result;
}

/*
 * Groups are written with a short WAL, so that the cut falls before, into and after
 * checkpoints; the last group is in its sync when the power goes.
 */
static void cut_once(enum fault_loss loss, uint64_t seed)
{
	struct entry entries[GROUPS][GROUP];
	struct rig rig;

	fault_vfs_install();
	rig_init(&rig, FAULT_VFS);
	rig.options.wal_limit_bytes = 1 << 16;
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	for (size_t group = 0; group < GROUPS; group++) {
		if (group == GROUPS - 1)
			fault_vfs_hold_syncs();
		if (group == seed % GROUPS)
			fault_vfs_fail_writes(SQLITE_FULL, seed % 2 == 0 ? "-wal" : ".db",
				(unsigned)seed % 7);
		for (size_t i = 0; i < GROUP; i++)
			entry_submit(&entries[group][i], &rig,
				(int64_t)(group * 1000 + i * 37 % GROUP), 0);
		if (group == GROUPS - 1)
			break;
		rig_await(&rig, (group + 1) * GROUP);
		fault_vfs_fail_writes(SQLITE_OK, NULL, 0);
	}
	if (seed % GROUPS != GROUPS - 1)
		fault_vfs_await_held();
	fault_vfs_power_off();
	fault_vfs_release_syncs();
	lose_power(&rig, loss, seed);
	CU_ASSERT_EQUAL(integrity(&rig), 1);
	for (size_t group = 0; group < GROUPS; group++) {
		for (size_t i = 0; i < GROUP; i++) {
			const struct entry *entry = &entries[group][i];
			bool there = rig_has(&rig, entry->number);

			CU_ASSERT_TRUE(entry->completed);
			if (entry->status == CG_OK)
				CU_ASSERT_TRUE(there);
			/* Torn in the middle of its sync, a group may be there whole. */
			if (entry->status != CG_OK &&
				(loss == FAULT_LOSE || group != GROUPS - 1))
				CU_ASSERT_FALSE(there);
		}
	}
	CU_ASSERT_EQUAL(rig_store(&rig, 999999), CG_OK);
	rig_finish(&rig);
}

static void what_is_acknowledged_survives_a_power_cut(void)
{
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		cut_once(FAULT_LOSE, seed);
		cut_once(FAULT_TEAR, seed);
	}
}

static int page_bytes_of(const char *path)
{
	const struct transaction_options options = {
		.path = path, .cache_kib = 256, .wal_limit_bytes = 1 << 20};
	struct transaction tx;
	int bytes;

	CU_ASSERT_EQUAL_FATAL(transaction_open(&tx, &options, NULL), CG_OK);
	bytes = tx.page_bytes;
	transaction_close(&tx);
	return bytes;
}

/* Pages are small where a file is new, and as they were where it is not. */
static void a_file_keeps_its_pages(void)
{
	char old[] = "/tmp/cowgate-pages-XXXXXX", fresh[] = "/tmp/cowgate-pages-XXXXXX";
	sqlite3 *sqlite = NULL;

	close(mkstemp(old));
	close(mkstemp(fresh));
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(old, &sqlite), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(sqlite, "PRAGMA page_size=4096; CREATE TABLE t(x)",
				NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(sqlite);
	CU_ASSERT_EQUAL(page_bytes_of(old), 4096);
	CU_ASSERT_EQUAL(page_bytes_of(fresh), TRANSACTION_PAGE_BYTES);
	CU_ASSERT_EQUAL(page_bytes_of(fresh), TRANSACTION_PAGE_BYTES);
	unlink(old);
	unlink(fresh);
}

static bool wal_is_cut(struct rig *rig)
{
	return database_wal_bytes(rig->database) == 0;
}

/* Of a file that was cut a part comes back: frames whose pages have long been written over. */
static void a_wal_that_was_cut_does_not_come_back(void)
{
	for (uint64_t seed = 1; seed <= 64; seed++) {
		struct rig rig;

		fault_vfs_install();
		rig_init(&rig, FAULT_VFS);
		rig.options.idle_ms = 20;
		CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
		for (int64_t number = 1; number <= 12; number++)
			CU_ASSERT_EQUAL(rig_store(&rig, number), CG_OK);
		rig_poll(&rig, wal_is_cut);
		lose_power(&rig, FAULT_TEAR, seed);
		for (int64_t number = 1; number <= 12; number++)
			CU_ASSERT_TRUE(rig_has(&rig, number));
		rig_finish(&rig);
	}
}

UNIT_SUITE(transaction, UNIT_TEST(a_wal_that_was_cut_does_not_come_back),
	UNIT_TEST(what_is_acknowledged_survives_a_crash),
	UNIT_TEST(a_failed_commit_stays_failed_after_a_crash),
	UNIT_TEST(a_failed_commit_stays_failed_after_closing),
	UNIT_TEST(nothing_is_built_on_a_failed_sync),
	UNIT_TEST(what_is_acknowledged_survives_a_power_cut),
	UNIT_TEST(a_file_keeps_its_pages));
