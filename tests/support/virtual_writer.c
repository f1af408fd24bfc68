/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer of databases without its thread, on the loop of virtual_loop.h: what is submitted in
 * one turn is a group of the next.  Linked in place of the real one, of which it is all but the
 * waiting; so the same seed gives the same day.
 */
#define writer_start threaded_start
#define writer_submit threaded_submit
#define writer_stop threaded_stop
#include "runtime/writer.c"
#undef writer_start
#undef writer_submit
#undef writer_stop

#include <stdio.h>
#include <stdlib.h>

#define WRITERS 4 /* databases that are open at a time */

static struct turn {
	struct writer *writer; /* NULL: free */
	struct loop_task work; /* there are jobs */
	struct loop_timer chore; /* there are none */
	bool begun;
} turns[WRITERS];

enum cg_status writer_start(struct writer *writer, struct loop *loop,
	loop_callback collect, void *arg, struct cg_error *err);
void writer_submit(struct writer *writer, struct database_job *job);
void writer_stop(struct writer *writer);

static struct turn *turn_of(const struct writer *writer)
{
	for (size_t i = 0; i < WRITERS; i++) {
		if (turns[i].writer == writer)
			return &turns[i];
	}
	fputs("more databases than expected\n", stderr);
	abort();
}

/* As writer_main() does, but for waiting. */
static void work(void *arg)
{
	struct turn *turn = arg;
	struct writer *writer = turn->writer;

	do {
		take_jobs(writer, DATABASE_BATCH - writer->taken.count);
		if (writer->taken.first != NULL)
			run_group(writer);
	} while (writer->taken.first != NULL || writer->waiting.first != NULL);
	if (writer->report.state != CG_OK)
		loop_timer_set(&turn->chore, writer->retry_ms);
	else if (writer->wal_filled)
		loop_timer_set(&turn->chore, writer->idle_ms);
}

static void chore(void *arg)
{
	struct turn *turn = arg;

	run_idle(turn->writer);
	if (turn->writer->report.state != CG_OK)
		loop_timer_set(&turn->chore, turn->writer->retry_ms);
}

enum cg_status writer_start(struct writer *writer, struct loop *loop,
	loop_callback collect, void *arg, struct cg_error *err)
{
	struct turn *turn = turn_of(NULL);

	if (loop_timer_init(&turn->chore, loop, chore, turn) != CG_OK)
		return cg_error_nomem(err);
	turn->writer = writer;
	turn->begun = false;
	loop_task_init(&turn->work, work, turn);
	writer->loop = loop;
	loop_task_init(&writer->task, collect, arg);
	writer->checkpoint_at = writer->checkpoint_frames;
	writer->report.wal_bytes = transaction_wal_bytes(&writer->tx);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, NULL);
	return CG_OK;
}

void writer_submit(struct writer *writer, struct database_job *job)
{
	struct turn *turn = turn_of(writer);

	list_push(&writer->waiting, job);
	loop_timer_clear(&turn->chore);
	/* Its owner waits for the first one before the loop turns at all. */
	if (turn->begun)
		loop_defer(writer->loop, &turn->work);
	else
		work(turn);
	turn->begun = true;
}

void writer_stop(struct writer *writer)
{
	struct turn *turn = turn_of(writer);

	loop_undefer(writer->loop, &turn->work);
	work(turn);
	(void)transaction_cut(&writer->tx, 0, NULL);
	loop_timer_finish(&turn->chore);
	loop_undefer(writer->loop, &writer->task);
	turn->writer = NULL;
}
