/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that owns a database's writing connection: it takes jobs, runs them in
 * groups, and hands them back with the verdict of their commit.  Private to the database.
 */
#ifndef COWGATE_RUNTIME_WRITER_H
#define COWGATE_RUNTIME_WRITER_H

#include "runtime/transaction.h"

#include <pthread.h>

/* First in, first out, linked by the jobs' own next.  Zero is empty. */
struct job_list {
	struct database_job *first, *last;
	size_t count;
};

/* What is reported with the jobs. */
struct writer_report {
	enum cg_status state; /* OK, FULL or IO */
	int64_t wal_bytes;
	uint64_t commits;
};

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work; /* waiting is not empty, or stopping */

	/* Under the lock. */
	struct job_list waiting;
	struct job_list finished; /* not yet collected by the loop */
	struct writer_report report;
	struct cg_error state_error; /* what failed, while report.state is not OK */
	bool stopping;
	bool posted; /* the task is on its way */

	/* Set before the thread starts. */
	struct loop *loop;
	struct loop_task task; /* runs the owner's collection */
	int64_t checkpoint_frames; /* length of the WAL that calls for a checkpoint */
	int64_t idle_ms, retry_ms;

	/* The thread's own while it runs. */
	struct transaction tx;
	struct job_list taken; /* to be run next */
	int64_t checkpoint_at;
	int seen_frames; /* in the WAL after the commit before */
	bool wal_filled; /* since it was last cut */
};

/* @writer->tx is open and goes to the thread.  @collect runs on the loop at any news. */
enum cg_status writer_start(struct writer *writer, struct loop *loop,
	loop_callback collect, void *arg, struct cg_error *err);

void writer_submit(struct writer *writer, struct database_job *job);

/*
 * On the loop: the jobs that have finished since the last call, in order, and the
 * figures.  @ret_error is filled when the state is not OK.
 */
void writer_collect(struct writer *writer, struct job_list *ret_jobs,
	struct writer_report *ret_report, struct cg_error *ret_error);

/* Run what waits, empty the WAL, end the thread.  What has finished is still to be
 * collected; the task does not run any more. */
void writer_stop(struct writer *writer);

/* Release a stopped writer, but not its connection. */
void writer_finish(struct writer *writer);

#endif
