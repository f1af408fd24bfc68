/* SPDX-License-Identifier: Apache-2.0 */
/* A database as the loop sees it: opening, locking, submitting, completing, closing. */
#include "runtime/database.h"

#include "runtime/database_copy.h"
#include "runtime/migration.h"
#include "runtime/progress.h"
#include "runtime/transaction.h"
#include "runtime/writer.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAL_FRAME_HEAD 24 /* bytes before each page */

struct database {
	struct database_options options;
	char *path; /* owned */
	char *vfs; /* owned, NULL for the platform's */
	int lock_fd; /* -1: not locked */
	bool closing;
	size_t pending;
	uint64_t completed;
	struct progress progress; /* of the writer */
	struct database_job *reads; /* submitted to a pool, not completed */
	struct writer_report report; /* as last collected */
	struct writer writer;
};

/* The path of a file beside the database; the caller frees. */
static char *path_beside(const char *path, const char *suffix)
{
	size_t length = strlen(path) + strlen(suffix) + 1;
	char *beside = malloc(length);

	if (beside != NULL)
		snprintf(beside, length, "%s%s", path, suffix);
	return beside;
}

static struct flock whole_file(void)
{
	struct flock lock = {0};

	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	return lock;
}

/* The lock's file is there to be locked; the process id in it is for people. */
static void write_pid(int fd)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)length, 0) != length)
		return;
}

/*
 * A second process would be safe for SQLite but not for us: two writers would each
 * believe that they own every row.  The lock goes with the process, however it ends, and
 * is not inherited.
 */
enum cg_status database_lock(const char *path, int *ret_fd, struct cg_error *err)
{
	char *beside = path_beside(path, ".lock");
	struct flock lock = whole_file();
	enum cg_status status = CG_OK;
	int fd;

	if (beside == NULL)
		return cg_error_nomem(err);
	fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		status = cg_error_set(err, CG_IO, "%s: %s", beside, strerror(errno));
	} else if (fcntl(fd, F_SETLK, &lock) == 0) {
		write_pid(fd);
	} else if (errno == EACCES || errno == EAGAIN) {
		lock = whole_file();
		if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
			lock.l_pid = 0;
		status = cg_error_set(err, CG_BUSY, "%s is in use by process %ld", path,
			(long)lock.l_pid);
	} else {
		status = cg_error_set(
			err, CG_IO, "cannot lock %s: %s", path, strerror(errno));
	}
	free(beside);
	if (status != CG_OK && fd >= 0)
		close(fd);
	if (status == CG_OK)
		*ret_fd = fd;
	return status;
}

/*
 * SQLite gives its other files the mode of this one.  A file that exists is not opened
 * here: closing it again would drop the locks that SQLite may hold on it.
 */
static enum cg_status create_file(const char *path, struct cg_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return cg_error_set(err, errno == ENOSPC ? CG_FULL : CG_IO, "%s: %s",
			path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return CG_OK;
}

static struct transaction_options connection_options(
	const struct database *database, bool readonly)
{
	return (struct transaction_options){
		.path = database->path,
		.vfs = database->vfs,
		.readonly = readonly,
		.cache_kib = readonly ? 256 : database->options.cache_kib,
		.wal_limit_bytes = database->options.wal_limit_bytes,
	};
}

static enum cg_status open_connection(
	struct database *database, int64_t now_ms, struct cg_error *err)
{
	struct transaction *tx = &database->writer.tx;
	struct transaction_options options = connection_options(database, false);
	enum cg_status status = transaction_open(tx, &options, err);

	if (status != CG_OK)
		return status;
	/* Recovery trusts what it reads.  If an earlier process met a failing disk, that may be
	 * in memory only; written anew and synced it is not. */
	status = transaction_checkpoint(tx, SQLITE_CHECKPOINT_RESTART, 0, err);
	if (status == CG_OK)
		status = migration_run(tx, database->options.migrations,
			database->options.migration_count, now_ms, err);
	if (status != CG_OK)
		cg_error_prefix(err, "%s", database->path);
	return status;
}

static void set_defaults(struct database_options *options)
{
	if (options->cache_kib <= 0)
		options->cache_kib = 1024;
	if (options->wal_limit_bytes <= 0)
		options->wal_limit_bytes = (int64_t)8 << 20;
	if (options->idle_ms <= 0)
		options->idle_ms = 60000;
	if (options->retry_ms <= 0)
		options->retry_ms = 1000;
}

static void complete(struct database *database, struct database_job *job)
{
	database->pending--;
	database->completed++;
	job->done(job->arg, job->status, &job->error);
}

/* On the loop: tell the state first, so that a completion finds its owner informed. */
static void collect(void *arg)
{
	struct database *database = arg;
	enum cg_status before = database->report.state;
	struct cg_error err = {0};
	struct job_list jobs;
	struct database_job *job, *next;

	writer_collect(&database->writer, &jobs, &database->report, &err);
	if (database->report.state != before && database->options.on_state != NULL)
		database->options.on_state(
			database->options.arg, database->report.state, &err);
	for (job = jobs.first; job != NULL; job = next) {
		next = job->next;
		complete(database, job);
	}
}

static void database_free(struct database *database)
{
	transaction_close(&database->writer.tx);
	if (database->lock_fd >= 0)
		close(database->lock_fd);
	free(database->path);
	free(database->vfs);
	free(database);
}

/*
 * What SQLite sets aside while it writes a whole file anew goes beside the first file that this
 * process opens: there is as much room there as for the file, and whoever may not read that may not
 * read this.
 */
static void set_aside_beside(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (sqlite3_temp_directory == NULL && slash != NULL && slash != path)
		sqlite3_temp_directory =
			sqlite3_mprintf("%.*s", (int)(slash - path), path);
}

enum cg_status database_open(struct loop *loop, const struct database_options *options,
	struct database **ret, struct cg_error *err)
{
	struct database *database = calloc(1, sizeof(*database));
	enum cg_status status;

	if (database == NULL)
		return cg_error_nomem(err);
	database->lock_fd = -1;
	database->options = *options;
	set_defaults(&database->options);
	database->path = strdup(options->path);
	database->vfs = options->vfs != NULL ? strdup(options->vfs) : NULL;
	if (database->path == NULL || (options->vfs != NULL && database->vfs == NULL)) {
		status = cg_error_nomem(err);
		goto fail;
	}
	status = database_lock(database->path, &database->lock_fd, err);
	if (status != CG_OK)
		goto fail;
	/* Memory statistics cost a lock at every allocation.  Refused, and so without effect,
	 * once SQLite is in use. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	set_aside_beside(database->path);
	status = create_file(database->path, err);
	if (status != CG_OK)
		goto fail;
	status = open_connection(database, clock_wall(loop_clock(loop)), err);
	if (status != CG_OK)
		goto fail;
	database->writer.checkpoint_frames =
		(int)(database->options.wal_limit_bytes / 2 /
			(database->writer.tx.page_bytes + WAL_FRAME_HEAD));
	database->writer.idle_ms = database->options.idle_ms;
	database->writer.retry_ms = database->options.retry_ms;
	status = writer_start(&database->writer, loop, collect, database, err);
	if (status != CG_OK)
		goto fail;
	*ret = database;
	return CG_OK;

fail:
	database_free(database);
	return status;
}

void database_close(struct database *database)
{
	struct database_job *job;

	if (database == NULL)
		return;
	database->closing = true;
	writer_stop(&database->writer);
	collect(database);
	while ((job = database->reads) != NULL) {
		database->reads = job->next;
		job->done(job->arg, CG_CANCELLED, &job->error);
	}
	writer_finish(&database->writer);
	database_free(database);
}

enum cg_status database_submit(struct database *database, struct database_job *job)
{
	if (database->closing)
		return CG_CLOSED;
	if (database->pending >= DATABASE_QUEUE)
		return CG_LIMIT;
	database->pending++;
	job->database = database;
	writer_submit(&database->writer, job);
	return CG_OK;
}

size_t database_pending(const struct database *database)
{
	return database->pending;
}

int64_t database_stall_ms(struct database *database)
{
	return progress_stall_ms(&database->progress, database->pending > 0,
		database->completed, clock_mono(loop_clock(database->writer.loop)));
}

/* On a pool thread.  The transaction makes the job's statements see one state. */
static void read_work(void *arg)
{
	struct database_job *job = arg;
	struct transaction_options options = connection_options(job->database, true);
	struct transaction tx = {0};

	job->status = transaction_open(&tx, &options, &job->error);
	if (job->status == CG_OK)
		job->status = transaction_begin(&tx, &job->error);
	if (job->status == CG_OK) {
		job->status = transaction_run(&tx, job);
		transaction_rollback(&tx);
	}
	transaction_close(&tx);
}

static void read_done(void *arg)
{
	struct database_job *job = arg;
	struct database_job **link;

	for (link = &job->database->reads; *link != job;)
		link = &(*link)->next;
	*link = job->next;
	job->done(job->arg, job->status, &job->error);
}

enum cg_status database_read(
	struct database *database, struct offload *offload, struct database_job *job)
{
	enum cg_status status;

	if (database->closing)
		return CG_CLOSED;
	job->database = database;
	job->error = (struct cg_error){0};
	job->read = (struct offload_job){.work = read_work, .arg = job};
	loop_task_init(&job->read.done, read_done, job);
	status = offload_submit(offload, &job->read);
	if (status != CG_OK)
		return status;
	job->next = database->reads;
	database->reads = job;
	return CG_OK;
}

enum cg_status database_state(const struct database *database)
{
	return database->report.state;
}

int64_t database_wal_bytes(const struct database *database)
{
	return database->report.wal_bytes;
}

uint64_t database_commits(const struct database *database)
{
	return database->report.commits;
}
