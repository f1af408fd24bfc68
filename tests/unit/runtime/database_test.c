/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, locking, caps, reading beside the writer, closing. */
#include "tests/unit/runtime/database_rig.h"

#include <cowgate/sdk/error.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int mode_of(const struct rig *rig, const char *suffix)
{
	struct stat info;
	char path[128];

	snprintf(path, sizeof(path), "%s%s", rig->path, suffix);
	return stat(path, &info) == 0 ? (int)(info.st_mode & 0777) : -1;
}

static void files_are_private(void)
{
	mode_t before = umask(0);
	struct rig rig;

	rig_start(&rig, NULL);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(mode_of(&rig, ""), 0600);
	CU_ASSERT_EQUAL(mode_of(&rig, "-wal"), 0600);
	CU_ASSERT_EQUAL(mode_of(&rig, "-shm"), 0600);
	CU_ASSERT_EQUAL(mode_of(&rig, ".lock"), 0600);
	umask(before);
	rig_finish(&rig);
}

static void settings_are_those_of_a_durable_database(void)
{
	static const struct {
		const char *sql;
		int64_t value;
	} expected[] = {
		{"PRAGMA synchronous", 2},
		{"PRAGMA foreign_keys", 1},
		{"PRAGMA mmap_size", 0},
		{"PRAGMA trusted_schema", 0},
		{"PRAGMA wal_autocheckpoint", 0},
		{"PRAGMA journal_size_limit", 8 << 20},
		{"SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1},
	};
	struct rig rig;

	rig_start(&rig, NULL);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		struct rig_query query = {
			.job = {.work = rig_query_work,
				.done = rig_query_done,
				.arg = &query},
			.rig = &rig,
			.sql = expected[i].sql,
			.result = -1,
			.parameterless = true,
		};

		CU_ASSERT_EQUAL(database_submit(rig.database, &query.job), CG_OK);
		rig_await(&rig, i + 1);
		CU_ASSERT_EQUAL(query.status, CG_OK);
		CU_ASSERT_EQUAL(query.result, expected[i].value);
	}
	rig_finish(&rig);
}

/* The child opens the file, says so, and waits to be let go. */
static void hold_database(struct rig *rig, int told, int wait)
{
	char byte = rig_open(rig, NULL) == CG_OK ? 'y' : 'n';

	if (write(told, &byte, 1) == 1 && read(wait, &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

static void a_second_process_is_refused(void)
{
	struct cg_error err = {0};
	int told[2], wait[2], result = -1;
	struct rig rig;
	char expected[32];
	char byte = 0;
	pid_t child;

	rig_init(&rig, NULL);
	CU_ASSERT_EQUAL_FATAL(pipe(told), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(wait), 0);
	child = fork();
	CU_ASSERT_TRUE_FATAL(child >= 0);
	if (child == 0) {
		close(wait[1]);
		hold_database(&rig, told[1], wait[0]);
	}
	CU_ASSERT_EQUAL(read(told[0], &byte, 1), 1);
	CU_ASSERT_EQUAL(byte, 'y');
	CU_ASSERT_EQUAL(rig_open(&rig, &err), CG_BUSY);
	snprintf(expected, sizeof(expected), "process %ld", (long)child);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rig.path));
	CU_ASSERT_PTR_NULL(rig.database);
	close(wait[1]);
	CU_ASSERT_EQUAL(waitpid(child, &result, 0), child);
	CU_ASSERT_EQUAL(result, 0);
	/* The lock has gone with the process, which left the database open. */
	CU_ASSERT_EQUAL(rig_open(&rig, NULL), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	close(told[0]);
	close(told[1]);
	close(wait[0]);
	rig_finish(&rig);
}

static void a_file_that_is_no_database_is_refused(void)
{
	struct cg_error err = {0};
	struct rig rig;
	FILE *file;

	rig_init(&rig, NULL);
	file = fopen(rig.path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	for (int i = 0; i < 1000; i++)
		fputs("not a database ", file);
	fclose(file);
	CU_ASSERT_EQUAL(rig_open(&rig, &err), CG_IO);
	CU_ASSERT_EQUAL(err.status, CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rig.path));
	CU_ASSERT_PTR_NULL(rig.database);
	rig_finish(&rig);
}

static void a_missing_directory_is_refused(void)
{
	struct cg_error err = {0};
	struct rig rig;

	rig_init(&rig, NULL);
	rig.options.path = "/nonexistent-directory/test.db";
	CU_ASSERT_EQUAL(rig_open(&rig, &err), CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent-directory/"));
	rig_finish(&rig);
}

static enum cg_status idle_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	(void)tx;
	(void)arg;
	(void)err;
	return CG_OK;
}

static void count_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct rig *rig = arg;

	(void)err;
	if (status == CG_OK && ++rig->done == rig->awaited)
		loop_stop(rig->loop);
}

static void the_queue_has_a_cap(void)
{
	struct database_job *jobs = calloc(DATABASE_QUEUE, sizeof(*jobs));
	struct database_job surplus = {.work = idle_work, .done = count_done};
	struct rig rig;

	CU_ASSERT_PTR_NOT_NULL_FATAL(jobs);
	rig_start(&rig, NULL);
	/* The loop does not turn, so none of them completes. */
	for (size_t i = 0; i < DATABASE_QUEUE; i++) {
		jobs[i] = (struct database_job){
			.work = idle_work, .done = count_done, .arg = &rig};
		if (database_submit(rig.database, &jobs[i]) != CG_OK)
			CU_FAIL("refused below the cap");
	}
	surplus.arg = &rig;
	CU_ASSERT_EQUAL(database_pending(rig.database), DATABASE_QUEUE);
	CU_ASSERT_EQUAL(database_submit(rig.database, &surplus), CG_LIMIT);
	rig_await(&rig, DATABASE_QUEUE);
	CU_ASSERT_EQUAL(database_pending(rig.database), 0);
	CU_ASSERT_EQUAL(database_submit(rig.database, &surplus), CG_OK);
	rig_await(&rig, DATABASE_QUEUE + 1);
	rig_finish(&rig);
	free(jobs);
}

static int64_t virtual_ms;

static int64_t virtual_mono(const struct clock *clock)
{
	(void)clock;
	return virtual_ms;
}

/* Jobs wait, and none completes: here since the loop does not turn. */
static void a_stall_is_seen_and_over(void)
{
	struct database_job jobs[3];
	struct rig rig;

	rig_start(&rig, NULL);
	rig.clock.mono_ms = virtual_mono;
	CU_ASSERT_EQUAL(database_stall_ms(rig.database), 0);
	virtual_ms += DATABASE_STALL_MS;
	CU_ASSERT_EQUAL(database_stall_ms(rig.database), 0); /* there is nothing to do */
	for (size_t i = 0; i < 3; i++) {
		jobs[i] = (struct database_job){
			.work = idle_work, .done = count_done, .arg = &rig};
		CU_ASSERT_EQUAL(database_submit(rig.database, &jobs[i]), CG_OK);
	}
	CU_ASSERT_EQUAL(database_stall_ms(rig.database), 0);
	virtual_ms += DATABASE_STALL_MS;
	CU_ASSERT_EQUAL(database_stall_ms(rig.database), DATABASE_STALL_MS);
	rig_await(&rig, 3);
	CU_ASSERT_EQUAL(database_stall_ms(rig.database), 0);
	virtual_ms += DATABASE_STALL_MS;
	CU_ASSERT_EQUAL(database_stall_ms(rig.database), 0);
	/* One that completes between two looks is enough. */
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(database_submit(rig.database, &jobs[i]), CG_OK);
		CU_ASSERT_EQUAL(database_stall_ms(rig.database), 0);
		virtual_ms += DATABASE_STALL_MS;
		rig_await(&rig, 4 + i);
	}
	rig_finish(&rig);
}

static void resubmit_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct entry *entry = arg;

	entry_done(arg, status, err);
	CU_ASSERT_EQUAL(database_submit(entry->rig->database, &entry->job), CG_CLOSED);
}

static void closing_runs_what_is_queued(void)
{
	struct entry entries[100];
	struct rig rig;

	rig_start(&rig, NULL);
	for (size_t i = 0; i < 100; i++) {
		entry_submit(&entries[i], &rig, (int64_t)i, 0);
		entries[i].job.done = resubmit_done;
	}
	rig_close(&rig);
	for (size_t i = 0; i < 100; i++) {
		CU_ASSERT_TRUE(entries[i].completed);
		CU_ASSERT_EQUAL(entries[i].status, CG_OK);
	}
	/* No task of the closed database is left in the loop. */
	loop_turn(rig.loop);
	CU_ASSERT_EQUAL(mode_of(&rig, "-wal"), -1);
	CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), CG_OK);
	for (int64_t i = 0; i < 100; i++)
		CU_ASSERT_TRUE(rig_has(&rig, i));
	rig_finish(&rig);
}

static void query_init(struct rig_query *query, struct rig *rig, int64_t number)
{
	*query = (struct rig_query){
		.job = {.work = rig_query_work, .done = rig_query_done, .arg = query},
		.rig = rig,
		.sql = "SELECT count(*) FROM entry WHERE number = ?1",
		.parameter = number,
	};
}

/* It sees what is committed, and does not wait for the writer. */
static void reads_run_beside_the_writer(void)
{
	struct rig_query committed, syncing;
	struct offload *offload = NULL;
	struct entry entry;
	struct rig rig;

	fault_vfs_install();
	rig_start(&rig, FAULT_VFS);
	CU_ASSERT_EQUAL_FATAL(offload_create(rig.loop, &offload, NULL), CG_OK);
	CU_ASSERT_EQUAL(rig_store(&rig, 1), CG_OK);
	fault_vfs_hold_syncs();
	entry_submit(&entry, &rig, 2, 0);
	fault_vfs_await_held();
	query_init(&committed, &rig, 1);
	query_init(&syncing, &rig, 2);
	CU_ASSERT_EQUAL(database_read(rig.database, offload, &committed.job), CG_OK);
	CU_ASSERT_EQUAL(database_read(rig.database, offload, &syncing.job), CG_OK);
	rig_await(&rig, 3);
	CU_ASSERT_EQUAL(committed.status, CG_OK);
	CU_ASSERT_EQUAL(committed.result, 1);
	CU_ASSERT_EQUAL(syncing.status, CG_OK);
	CU_ASSERT_EQUAL(syncing.result, 0);
	CU_ASSERT_FALSE(entry.completed);
	fault_vfs_release_syncs();
	rig_await(&rig, 4);
	offload_destroy(offload);
	rig_finish(&rig);
}

static void a_read_cannot_write(void)
{
	struct offload *offload = NULL;
	struct rig rig;
	struct entry entry = {
		.job = {.work = entry_work, .done = entry_done, .arg = &entry},
		.rig = &rig,
		.number = 5,
	};

	rig_start(&rig, NULL);
	CU_ASSERT_EQUAL_FATAL(offload_create(rig.loop, &offload, NULL), CG_OK);
	CU_ASSERT_EQUAL(database_read(rig.database, offload, &entry.job), CG_OK);
	rig_await(&rig, 1);
	CU_ASSERT_EQUAL(entry.status, CG_DENIED);
	CU_ASSERT_FALSE(rig_has(&rig, 5));
	offload_destroy(offload);
	rig_finish(&rig);
}

/* Says that it has begun, and keeps its thread until the pipe is closed. */
struct block {
	int hold[2];
	int begun[2];
};

static void block_work(void *arg)
{
	const struct block *block = arg;
	char byte = 0;

	if (write(block->begun[1], &byte, 1) != 1 || read(block->hold[0], &byte, 1) < 0)
		abort();
}

static void block_done(void *arg)
{
	(void)arg;
}

static void block_init(struct offload_job *job, struct block *block)
{
	*job = (struct offload_job){.work = block_work, .arg = block};
	loop_task_init(&job->done, block_done, NULL);
}

static void *destroy_pool(void *arg)
{
	offload_destroy(arg);
	return NULL;
}

/* The pool is told to end while its threads are busy, and drops what waits. */
static void reads_that_never_ran_are_cancelled(void)
{
	struct offload_job blockers[OFFLOAD_THREADS], probes[OFFLOAD_QUEUE];
	struct offload *offload = NULL;
	enum cg_status status = CG_OK;
	struct rig_query query;
	pthread_t destroyer;
	struct rig rig;
	struct block block;
	char byte;

	rig_start(&rig, NULL);
	CU_ASSERT_EQUAL_FATAL(pipe(block.hold), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(block.begun), 0);
	CU_ASSERT_EQUAL_FATAL(offload_create(rig.loop, &offload, NULL), CG_OK);
	for (size_t i = 0; i < OFFLOAD_THREADS; i++) {
		block_init(&blockers[i], &block);
		CU_ASSERT_EQUAL(offload_submit(offload, &blockers[i]), CG_OK);
	}
	/* One that had not begun would be dropped, and the pool be gone too early. */
	for (size_t i = 0; i < OFFLOAD_THREADS; i++)
		CU_ASSERT_EQUAL(read(block.begun[0], &byte, 1), 1);
	query_init(&query, &rig, 1);
	CU_ASSERT_EQUAL(database_read(rig.database, offload, &query.job), CG_OK);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&destroyer, NULL, destroy_pool, offload), 0);
	for (size_t i = 0; status != CG_CLOSED; i += status == CG_OK) {
		block_init(&probes[i % OFFLOAD_QUEUE], &block);
		status = offload_submit(offload, &probes[i % OFFLOAD_QUEUE]);
	}
	close(block.hold[1]);
	pthread_join(destroyer, NULL);
	CU_ASSERT_EQUAL(rig.done, 0);
	rig_close(&rig);
	CU_ASSERT_EQUAL(rig.done, 1);
	CU_ASSERT_EQUAL(query.status, CG_CANCELLED);
	close(block.hold[0]);
	close(block.begun[0]);
	close(block.begun[1]);
	rig_finish(&rig);
}

UNIT_SUITE(database, UNIT_TEST(files_are_private),
	UNIT_TEST(settings_are_those_of_a_durable_database),
	UNIT_TEST(a_second_process_is_refused),
	UNIT_TEST(a_file_that_is_no_database_is_refused),
	UNIT_TEST(a_missing_directory_is_refused), UNIT_TEST(the_queue_has_a_cap),
	UNIT_TEST(a_stall_is_seen_and_over), UNIT_TEST(closing_runs_what_is_queued),
	UNIT_TEST(reads_run_beside_the_writer), UNIT_TEST(a_read_cannot_write),
	UNIT_TEST(reads_that_never_ran_are_cancelled));
