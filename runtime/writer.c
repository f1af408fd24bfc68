/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit.  While one commit is syncing, jobs pile up; the next transaction takes
 * all of them, and goes on taking until nothing waits or it is full.  So the size of a
 * group follows the load and the disk, and a lone job never waits for company.
 *
 * Checkpoints happen here too, after the completions of a commit have been sent: SQLite's
 * automatic ones are part of the commit, and their two syncs would be part of every
 * thousandth answer.  The WAL is cut to nothing once there has been no job for a while.
 */
#include "runtime/writer.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

#define WRITER_STACK ((size_t)512 * 1024)

/* A reader that stays long keeps the WAL from starting over.  Beyond this many times its
 * normal length the writer waits for readers, that long at most. */
#define WRITER_WAL_EXCESS 4
#define WRITER_READER_WAIT_MS 200

static void list_push(struct job_list *list, struct database_job *job)
{
	job->next = NULL;
	if (list->last != NULL)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
	list->count++;
}

static struct database_job *list_pop(struct job_list *list)
{
	struct database_job *job = list->first;

	if (job != NULL) {
		list->first = job->next;
		if (list->first == NULL)
			list->last = NULL;
		list->count--;
	}
	return job;
}

/* Append all of @from and leave it empty. */
static void list_move(struct job_list *list, struct job_list *from)
{
	if (from->first == NULL)
		return;
	if (list->last != NULL)
		list->last->next = from->first;
	else
		list->first = from->first;
	list->last = from->last;
	list->count += from->count;
	*from = (struct job_list){0};
}

/* News for the loop, all of it under one lock and with one wake-up. */
static void publish(struct writer *writer, struct job_list *jobs,
	const struct writer_report *report, const struct cg_error *state_error)
{
	pthread_mutex_lock(&writer->lock);
	list_move(&writer->finished, jobs);
	writer->report = *report;
	if (report->state != CG_OK)
		writer->state_error = *state_error;
	if (!writer->posted) {
		writer->posted = true;
		loop_post(writer->loop, &writer->task);
	}
	pthread_mutex_unlock(&writer->lock);
}

static enum cg_status state_of(enum cg_status status)
{
	return status == CG_OK || status == CG_FULL ? status : CG_IO;
}

/* Move at most @room waiting jobs to the taken ones. */
static void take_jobs(struct writer *writer, size_t room)
{
	pthread_mutex_lock(&writer->lock);
	if (writer->waiting.count <= room) {
		list_move(&writer->taken, &writer->waiting);
	} else {
		while (room-- > 0)
			list_push(&writer->taken, list_pop(&writer->waiting));
	}
	pthread_mutex_unlock(&writer->lock);
}

static void fail_jobs(
	struct job_list *jobs, enum cg_status status, const struct cg_error *err)
{
	for (struct database_job *job = jobs->first; job != NULL; job = job->next) {
		job->status = status;
		job->error = *err;
	}
}

/*
 * Run the taken jobs and what arrives meanwhile, up to the cap.  @durable are those that
 * wait for the commit.  False when the transaction was lost underway; @ret_lost tells
 * why.
 */
static bool run_jobs(
	struct writer *writer, struct job_list *durable, struct cg_error *ret_lost)
{
	struct job_list early = {0};
	struct database_job *job;
	size_t count = 0;

	do {
		while ((job = list_pop(&writer->taken)) != NULL) {
			job->status = transaction_run(&writer->tx, job);
			list_push((job->flags & DATABASE_EARLY) != 0 ? &early : durable,
				job);
			count++;
			if (writer->tx.lost) {
				*ret_lost = job->error;
				break;
			}
		}
		if (early.first != NULL)
			publish(writer, &early, &writer->report, &writer->state_error);
		if (writer->tx.lost)
			return false;
		if (count < DATABASE_BATCH)
			take_jobs(writer, DATABASE_BATCH - count);
	} while (writer->taken.first != NULL);
	return true;
}

/*
 * Between groups.  A passive checkpoint that gets everything makes the next commit start
 * the WAL over, unless a reader is still using it.  One that fails is tried again later:
 * commits do not depend on it.
 */
static void checkpoint_when_due(struct writer *writer)
{
	int frames = writer->tx.wal_frames;
	bool excess = frames > WRITER_WAL_EXCESS * writer->checkpoint_frames;

	if (frames < writer->seen_frames)
		writer->checkpoint_at = writer->checkpoint_frames;
	writer->seen_frames = frames;
	if (frames < writer->checkpoint_at)
		return;
	/* While a reader is in the way, waiting for it gets rarer. */
	writer->checkpoint_at = frames + (excess ? frames : writer->checkpoint_frames);
	(void)transaction_checkpoint(&writer->tx,
		excess ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
		excess ? WRITER_READER_WAIT_MS : 0, NULL);
}

/* For the jobs that want it, once for all of them. */
static void erase_when_asked(struct writer *writer, struct job_list *jobs,
	struct writer_report *report, struct cg_error *err)
{
	enum cg_status status = CG_OK;
	bool asked = false;

	for (struct database_job *job = jobs->first; job != NULL; job = job->next) {
		if ((job->flags & DATABASE_ERASE) == 0 || job->status != CG_OK)
			continue;
		if (!asked)
			status = transaction_erase(&writer->tx, err);
		asked = true;
		job->status = status;
		if (status != CG_OK)
			job->error = *err;
	}
	if (status != CG_OK)
		report->state = state_of(transaction_repair(&writer->tx, err));
	if (asked)
		report->wal_bytes = transaction_wal_bytes(&writer->tx);
}

/* One transaction. */
static void run_group(struct writer *writer)
{
	struct transaction *tx = &writer->tx;
	struct writer_report report = writer->report;
	struct job_list durable = {0};
	struct cg_error err = {0};
	enum cg_status status = transaction_begin(tx, &err);

	if (status != CG_OK) {
		list_move(&durable, &writer->taken);
	} else if (!run_jobs(writer, &durable, &err)) {
		status = (enum cg_status)err.status;
	} else {
		status = transaction_commit(tx, &err);
	}
	if (status != CG_OK) {
		/* Also those that have failed by themselves: "exists already" may have meant a
		 * row that now does not. */
		fail_jobs(&durable, status, &err);
		report.state = state_of(status);
		if (tx->wrote)
			(void)transaction_repair(tx, NULL);
	} else if (tx->logged) {
		report.state = CG_OK;
		report.commits++;
		report.wal_bytes = transaction_wal_bytes(tx);
		writer->wal_filled = true;
	}
	if (status == CG_OK)
		erase_when_asked(writer, &durable, &report, &err);
	publish(writer, &durable, &report, &err);
	if (status == CG_OK && tx->logged)
		checkpoint_when_due(writer);
}

/* Nothing to do for a while: mend what is broken, else empty the WAL. */
static void run_idle(struct writer *writer)
{
	struct writer_report report = writer->report;
	struct job_list none = {0};
	struct cg_error err = {0};

	if (report.state != CG_OK) {
		report.state = state_of(transaction_repair(&writer->tx, &err));
	} else {
		report.state = state_of(transaction_cut(&writer->tx, 0, &err));
		writer->wal_filled = false;
	}
	report.wal_bytes = transaction_wal_bytes(&writer->tx);
	publish(writer, &none, &report, &err);
}

static void add_ms(struct timespec *time, int64_t ms)
{
	time->tv_sec += (time_t)(ms / 1000);
	time->tv_nsec += (long)(ms % 1000 * 1000000);
	if (time->tv_nsec >= 1000000000) {
		time->tv_sec++;
		time->tv_nsec -= 1000000000;
	}
}

enum wait_result {
	WAIT_JOBS,
	WAIT_IDLE, /* none came for as long as there is a chore to do */
	WAIT_STOP, /* and none will */
};

static enum wait_result wait_for_jobs(struct writer *writer)
{
	bool failing = writer->report.state != CG_OK;
	enum wait_result result = WAIT_IDLE;
	struct timespec until;
	int timed = 0;

	/* The wall clock, because not every system can wait by the monotonic one; a step of it
	 * only makes these chores come sooner or later. */
	clock_gettime(CLOCK_REALTIME, &until);
	add_ms(&until, failing ? writer->retry_ms : writer->idle_ms);
	pthread_mutex_lock(&writer->lock);
	while (writer->waiting.first == NULL && !writer->stopping && timed != ETIMEDOUT) {
		if (failing || writer->wal_filled)
			timed = pthread_cond_timedwait(
				&writer->work, &writer->lock, &until);
		else
			pthread_cond_wait(&writer->work, &writer->lock);
	}
	if (writer->waiting.first != NULL)
		result = WAIT_JOBS;
	else if (writer->stopping)
		result = WAIT_STOP;
	pthread_mutex_unlock(&writer->lock);
	return result;
}

static void *writer_main(void *arg)
{
	struct writer *writer = arg;
	enum wait_result result = WAIT_JOBS;

	while (result != WAIT_STOP) {
		take_jobs(writer, DATABASE_BATCH - writer->taken.count);
		if (writer->taken.first != NULL)
			run_group(writer);
		/* A group that was lost leaves jobs behind. */
		if (writer->taken.first != NULL)
			continue;
		result = wait_for_jobs(writer);
		if (result == WAIT_IDLE)
			run_idle(writer);
	}
	(void)transaction_cut(&writer->tx, 0, NULL);
	return NULL;
}

enum cg_status writer_start(struct writer *writer, struct loop *loop,
	loop_callback collect, void *arg, struct cg_error *err)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int result;

	writer->loop = loop;
	loop_task_init(&writer->task, collect, arg);
	writer->checkpoint_at = writer->checkpoint_frames;
	writer->report.wal_bytes = transaction_wal_bytes(&writer->tx);
	writer->wal_filled = writer->report.wal_bytes > 0;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, WRITER_STACK);
	/* Signals belong to the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&writer->thread, &attributes, writer_main, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (result != 0) {
		pthread_cond_destroy(&writer->work);
		pthread_mutex_destroy(&writer->lock);
		return cg_error_set(err, CG_NOMEM, "cannot start the writer thread");
	}
	return CG_OK;
}

void writer_submit(struct writer *writer, struct database_job *job)
{
	pthread_mutex_lock(&writer->lock);
	list_push(&writer->waiting, job);
	if (writer->waiting.count == 1)
		pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
}

void writer_collect(struct writer *writer, struct job_list *ret_jobs,
	struct writer_report *ret_report, struct cg_error *ret_error)
{
	pthread_mutex_lock(&writer->lock);
	writer->posted = false;
	*ret_jobs = writer->finished;
	writer->finished = (struct job_list){0};
	*ret_report = writer->report;
	if (writer->report.state != CG_OK)
		*ret_error = writer->state_error;
	pthread_mutex_unlock(&writer->lock);
}

void writer_stop(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	loop_undefer(writer->loop, &writer->task);
}

void writer_finish(struct writer *writer)
{
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
}
