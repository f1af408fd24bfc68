/* SPDX-License-Identifier: Apache-2.0 */
/* A database in a directory of its own, a loop around it, and jobs that store a number. */
#ifndef COWGATE_TESTS_DATABASE_RIG_H
#define COWGATE_TESTS_DATABASE_RIG_H

#include "runtime/database.h"
#include "tests/faults/fault_vfs.h"
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIG_PATIENCE_MS 60000 /* before a test that hangs fails */

struct rig {
	struct clock clock;
	struct loop *loop;
	struct loop_timer guard;
	bool expired;
	struct database *database;
	struct database_options options;
	char directory[64];
	char path[96];
	size_t done; /* completions so far */
	size_t awaited; /* stop the loop at so many; 0: it does not run */
	enum cg_status state; /* as last told */
	unsigned edges; /* how often a state was told */
};

/* Stores one number; done notes how it went. */
struct entry {
	struct database_job job;
	struct rig *rig;
	int64_t number;
	enum cg_status verdict; /* what work returns after storing */
	bool completed;
	size_t order; /* among all completions */
	enum cg_status status;
	char text[CG_ERROR_TEXT];
};

static const struct database_migration rig_migrations[] = {
	{1, "CREATE TABLE entry(id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, "
	    "filler BLOB)"},
	{2, "CREATE TABLE child(id INTEGER PRIMARY KEY, entry INTEGER NOT NULL "
	    "REFERENCES entry(id) DEFERRABLE INITIALLY DEFERRED)"},
};

static inline void rig_on_state(
	void *arg, enum cg_status status, const struct cg_error *err)
{
	struct rig *rig = arg;

	(void)err;
	rig->state = status;
	rig->edges++;
}

static inline void rig_on_guard(void *arg)
{
	struct rig *rig = arg;

	rig->expired = true;
	loop_stop(rig->loop);
}

static inline enum cg_status rig_open(struct rig *rig, struct cg_error *err)
{
	return database_open(rig->loop, &rig->options, &rig->database, err);
}

/* The rest of @rig->options may be set before rig_open().  @vfs may be NULL. */
static inline void rig_init(struct rig *rig, const char *vfs)
{
	memset(rig, 0, sizeof(*rig));
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/cowgate-database-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(rig->directory));
	snprintf(rig->path, sizeof(rig->path), "%s/test.db", rig->directory);
	clock_system(&rig->clock, 0);
	CU_ASSERT_EQUAL_FATAL(loop_create(&rig->clock, &rig->loop, NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		loop_timer_init(&rig->guard, rig->loop, rig_on_guard, rig), CG_OK);
	loop_timer_set(&rig->guard, RIG_PATIENCE_MS);
	rig->options = (struct database_options){
		.path = rig->path,
		.vfs = vfs,
		.migrations = rig_migrations,
		.migration_count = 2,
		.on_state = rig_on_state,
		.arg = rig,
	};
}

static inline void rig_close(struct rig *rig)
{
	database_close(rig->database);
	rig->database = NULL;
}

static inline void rig_start(struct rig *rig, const char *vfs)
{
	rig_init(rig, vfs);
	CU_ASSERT_EQUAL_FATAL(rig_open(rig, NULL), CG_OK);
}

static inline void rig_reopen(struct rig *rig)
{
	rig_close(rig);
	CU_ASSERT_EQUAL_FATAL(rig_open(rig, NULL), CG_OK);
}

static inline void rig_finish(struct rig *rig)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};
	char path[128];

	rig_close(rig);
	loop_timer_finish(&rig->guard);
	loop_destroy(rig->loop);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", rig->path, suffixes[i]);
		unlink(path);
	}
	CU_ASSERT_EQUAL(rmdir(rig->directory), 0);
}

/* Run the loop until @count jobs have completed since the rig was made. */
static inline void rig_await(struct rig *rig, size_t count)
{
	rig->awaited = count;
	if (rig->done < count)
		loop_run(rig->loop);
	rig->awaited = 0;
	CU_ASSERT_FALSE_FATAL(rig->expired);
}

/* Turn the loop until @condition holds. */
static inline void rig_poll(struct rig *rig, bool (*condition)(struct rig *rig))
{
	while (!condition(rig) && !rig->expired) {
		loop_turn(rig->loop);
		sched_yield();
	}
	CU_ASSERT_FALSE_FATAL(rig->expired);
}

static inline enum cg_status entry_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct entry *entry = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(
		tx, "INSERT INTO entry(number) VALUES(?1)", &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, entry->number);
	status = statement_execute(statement, err);
	return status != CG_OK ? status : entry->verdict;
}

static inline void entry_done(
	void *arg, enum cg_status status, const struct cg_error *err)
{
	struct entry *entry = arg;

	CU_ASSERT_FALSE(entry->completed);
	entry->completed = true;
	entry->status = status;
	snprintf(entry->text, sizeof(entry->text), "%s", err->text);
	entry->order = entry->rig->done++;
	if (entry->rig->done == entry->rig->awaited)
		loop_stop(entry->rig->loop);
}

static inline void entry_submit(
	struct entry *entry, struct rig *rig, int64_t number, unsigned flags)
{
	*entry = (struct entry){
		.job = {.work = entry_work,
			.done = entry_done,
			.arg = entry,
			.flags = flags},
		.rig = rig,
		.number = number,
	};
	CU_ASSERT_EQUAL(database_submit(rig->database, &entry->job), CG_OK);
}

/* Submit one, wait for it, tell how it went. */
static inline enum cg_status rig_store(struct rig *rig, int64_t number)
{
	struct entry entry;

	entry_submit(&entry, rig, number, 0);
	rig_await(rig, rig->done + database_pending(rig->database));
	return entry.status;
}

struct rig_query {
	struct database_job job;
	struct rig *rig;
	/* a literal with one parameter at most and one number as result */
	const char *sql;
	int64_t parameter;
	bool parameterless;
	int64_t result;
	enum cg_status status;
};

static inline enum cg_status rig_query_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct rig_query *query = arg;
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, query->sql, &statement, err);

	if (status == CG_OK && !query->parameterless)
		statement_bind_int(statement, 1, query->parameter);
	if (status == CG_OK)
		status = statement_step(statement, &row, err);
	if (status == CG_OK && row)
		query->result = statement_int(statement, 0);
	return status;
}

static inline void rig_query_done(
	void *arg, enum cg_status status, const struct cg_error *err)
{
	struct rig_query *query = arg;

	(void)err;
	query->status = status;
	if (++query->rig->done == query->rig->awaited)
		loop_stop(query->rig->loop);
}

/* On the writer's connection. */
static inline bool rig_has(struct rig *rig, int64_t number)
{
	struct rig_query query = {
		.job = {.work = rig_query_work, .done = rig_query_done, .arg = &query},
		.rig = rig,
		.sql = "SELECT count(*) FROM entry WHERE number = ?1",
		.parameter = number,
	};

	CU_ASSERT_EQUAL(database_submit(rig->database, &query.job), CG_OK);
	rig_await(rig, rig->done + database_pending(rig->database));
	CU_ASSERT_EQUAL(query.status, CG_OK);
	return query.result == 1;
}

#endif
