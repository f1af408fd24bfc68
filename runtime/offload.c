/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool's lock guards everything but the jobs that a thread is working on.  Finished jobs
 * are collected and brought to the loop by one task of the pool's own, so that destroying the
 * pool leaves nothing of it in the loop.
 */
#include "runtime/offload.h"

#include "runtime/progress.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define OFFLOAD_STACK (256u * 1024)
#define OFFLOAD_IDLE_S 10

struct job_list {
	struct offload_job *first, *last;
};

enum worker_state {
	WORKER_NONE, /* no thread to join */
	WORKER_LIVES,
	WORKER_ENDED, /* returned or about to: to be joined */
};

struct worker {
	struct offload *pool;
	pthread_t thread;
	enum worker_state state;
	bool works; /* at its job of this number */
	uint64_t jobs;
	struct progress progress; /* the loop's */
};

struct offload {
	struct loop *loop;
	struct loop_task deliver; /* finished is not empty */
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job_list waiting;
	struct job_list finished;
	size_t waiting_count;
	size_t idle; /* threads that wait for work */
	bool closing;
	struct worker workers[OFFLOAD_THREADS];
};

static void jobs_append(struct job_list *list, struct offload_job *job)
{
	job->next = NULL;
	if (list->last != NULL)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
}

static struct offload_job *jobs_pop(struct job_list *list)
{
	struct offload_job *job = list->first;

	if (job != NULL) {
		list->first = job->next;
		if (list->first == NULL)
			list->last = NULL;
	}
	return job;
}

/* On the loop: report what has finished.  A job may be gone once its task has run. */
static void deliver(void *arg)
{
	struct offload *pool = arg;
	struct job_list finished;
	struct offload_job *job;

	pthread_mutex_lock(&pool->lock);
	finished = pool->finished;
	pool->finished = (struct job_list){0};
	pthread_mutex_unlock(&pool->lock);
	while ((job = jobs_pop(&finished)) != NULL)
		job->done.run(job->done.arg);
}

/* Wait for a job, with the lock held.  NULL: closing, or idle for long enough. */
static struct offload_job *wait_for_job(struct offload *pool)
{
	struct timespec until;
	int result = 0;

	/* The wall clock, because not every system can wait by the monotonic one; a step of it
	 * only makes an idle thread leave sooner or later. */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += OFFLOAD_IDLE_S;
	pool->idle++;
	while (pool->waiting.first == NULL && !pool->closing && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
	pool->idle--;
	if (pool->closing || pool->waiting.first == NULL)
		return NULL;
	pool->waiting_count--;
	return jobs_pop(&pool->waiting);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct offload *pool = worker->pool;
	struct offload_job *job;

	pthread_mutex_lock(&pool->lock);
	while ((job = wait_for_job(pool)) != NULL) {
		worker->works = true;
		worker->jobs++;
		pthread_mutex_unlock(&pool->lock);
		job->work(job->arg);
		pthread_mutex_lock(&pool->lock);
		worker->works = false;
		if (pool->finished.first == NULL)
			loop_post(pool->loop, &pool->deliver);
		jobs_append(&pool->finished, job);
	}
	worker->state = WORKER_ENDED;
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* With the lock held.  The thread takes no signals: they belong to the loop. */
static bool worker_start(struct worker *worker)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int result;

	if (worker->state == WORKER_ENDED)
		pthread_join(worker->thread, NULL);
	worker->state = WORKER_NONE;
	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setstacksize(&attributes, OFFLOAD_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&worker->thread, &attributes, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (result != 0)
		return false;
	worker->state = WORKER_LIVES;
	return true;
}

/* With the lock held: is a thread there that will take one more job? */
static bool staff(struct offload *pool)
{
	struct worker *vacant = NULL;
	size_t living = 0;

	for (size_t i = 0; i < OFFLOAD_THREADS; i++) {
		if (pool->workers[i].state == WORKER_LIVES)
			living++;
		else
			vacant = &pool->workers[i];
	}
	if (pool->idle > pool->waiting_count || vacant == NULL)
		return true;
	return worker_start(vacant) || living > 0;
}

enum cg_status offload_create(
	struct loop *loop, struct offload **ret, struct cg_error *err)
{
	struct offload *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return cg_error_nomem(err);
	pool->loop = loop;
	loop_task_init(&pool->deliver, deliver, pool);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	for (size_t i = 0; i < OFFLOAD_THREADS; i++)
		pool->workers[i].pool = pool;
	*ret = pool;
	return CG_OK;
}

void offload_destroy(struct offload *pool)
{
	bool joinable[OFFLOAD_THREADS];

	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	for (size_t i = 0; i < OFFLOAD_THREADS; i++)
		joinable[i] = pool->workers[i].state != WORKER_NONE;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < OFFLOAD_THREADS; i++) {
		if (joinable[i])
			pthread_join(pool->workers[i].thread, NULL);
	}
	loop_undefer(pool->loop, &pool->deliver);
	deliver(pool);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

enum cg_status offload_submit(struct offload *pool, struct offload_job *job)
{
	enum cg_status status = CG_OK;

	pthread_mutex_lock(&pool->lock);
	if (pool->closing) {
		status = CG_CLOSED;
	} else if (pool->waiting_count >= OFFLOAD_QUEUE) {
		status = CG_LIMIT;
	} else if (!staff(pool)) {
		status = CG_NOMEM;
	} else {
		jobs_append(&pool->waiting, job);
		pool->waiting_count++;
		pthread_cond_signal(&pool->work);
	}
	pthread_mutex_unlock(&pool->lock);
	return status;
}

int64_t offload_stall_ms(struct offload *pool)
{
	int64_t now = clock_mono(loop_clock(pool->loop)), longest = 0;

	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < OFFLOAD_THREADS; i++) {
		struct worker *worker = &pool->workers[i];
		int64_t stall = progress_stall_ms(
			&worker->progress, worker->works, worker->jobs, now);

		longest = stall > longest ? stall : longest;
	}
	pthread_mutex_unlock(&pool->lock);
	return longest;
}
