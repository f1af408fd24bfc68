/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/offload.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* What the jobs of a test share.  Work waits while the gate is shut. */
struct bench {
	struct clock clock;
	struct loop *loop;
	struct offload *pool;
	pthread_t loop_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool shut;
	int started, running, peak;
	int done, expected;
	enum cg_status again; /* of a submit from a done task */
};

struct piece {
	struct offload_job job;
	struct bench *bench;
	bool worked;
	bool resubmit;
};

static void piece_work(void *arg)
{
	struct piece *piece = arg;
	struct bench *bench = piece->bench;
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	pthread_mutex_lock(&bench->lock);
	CU_ASSERT(sigismember(&blocked, SIGTERM) == 1);
	CU_ASSERT(!pthread_equal(pthread_self(), bench->loop_thread));
	bench->started++;
	if (++bench->running > bench->peak)
		bench->peak = bench->running;
	pthread_cond_broadcast(&bench->changed);
	while (bench->shut)
		pthread_cond_wait(&bench->changed, &bench->lock);
	bench->running--;
	pthread_mutex_unlock(&bench->lock);
	piece->worked = true;
}

static void piece_done(void *arg)
{
	struct piece *piece = arg;
	struct bench *bench = piece->bench;

	CU_ASSERT(piece->worked);
	CU_ASSERT(pthread_equal(pthread_self(), bench->loop_thread));
	if (piece->resubmit)
		bench->again = offload_submit(bench->pool, &piece->job);
	if (++bench->done == bench->expected)
		loop_stop(bench->loop);
}

static void piece_init(struct piece *piece, struct bench *bench)
{
	*piece = (struct piece){.bench = bench};
	piece->job.work = piece_work;
	piece->job.arg = piece;
	loop_task_init(&piece->job.done, piece_done, piece);
}

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.loop_thread = pthread_self()};
	clock_system(&bench->clock, 0);
	pthread_mutex_init(&bench->lock, NULL);
	pthread_cond_init(&bench->changed, NULL);
	CU_ASSERT_FATAL(loop_create(&bench->clock, &bench->loop, NULL) == CG_OK);
	CU_ASSERT_FATAL(offload_create(bench->loop, &bench->pool, NULL) == CG_OK);
}

static void bench_finish(struct bench *bench)
{
	loop_destroy(bench->loop);
	pthread_cond_destroy(&bench->changed);
	pthread_mutex_destroy(&bench->lock);
}

static void bench_open(struct bench *bench)
{
	pthread_mutex_lock(&bench->lock);
	bench->shut = false;
	pthread_cond_broadcast(&bench->changed);
	pthread_mutex_unlock(&bench->lock);
}

static void bench_wait_started(struct bench *bench, int count)
{
	pthread_mutex_lock(&bench->lock);
	while (bench->started < count)
		pthread_cond_wait(&bench->changed, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
}

static void work_runs_elsewhere_and_ends_on_the_loop(void)
{
	struct bench bench;
	struct piece pieces[20];

	bench_init(&bench);
	bench.expected = 20;
	for (size_t i = 0; i < 20; i++) {
		piece_init(&pieces[i], &bench);
		CU_ASSERT(offload_submit(bench.pool, &pieces[i].job) == CG_OK);
	}
	loop_run(bench.loop);
	CU_ASSERT(bench.done == 20);
	CU_ASSERT(bench.peak >= 1 && bench.peak <= OFFLOAD_THREADS);
	/* The pool is used again after it was idle. */
	bench.expected = 21;
	piece_init(&pieces[0], &bench);
	CU_ASSERT(offload_submit(bench.pool, &pieces[0].job) == CG_OK);
	loop_run(bench.loop);
	CU_ASSERT(bench.done == 21);
	offload_destroy(bench.pool);
	bench_finish(&bench);
}

static void queue_and_threads_have_their_caps(void)
{
	enum { COUNT = OFFLOAD_THREADS + OFFLOAD_QUEUE + 1 };
	struct piece *pieces = calloc(COUNT, sizeof(*pieces));
	struct bench bench;

	CU_ASSERT_FATAL(pieces != NULL);
	bench_init(&bench);
	bench.shut = true;
	bench.expected = COUNT - 1;
	for (int i = 0; i < COUNT; i++)
		piece_init(&pieces[i], &bench);
	for (int i = 0; i < OFFLOAD_THREADS; i++)
		CU_ASSERT(offload_submit(bench.pool, &pieces[i].job) == CG_OK);
	bench_wait_started(&bench, OFFLOAD_THREADS);
	for (int i = OFFLOAD_THREADS; i < COUNT - 1; i++)
		CU_ASSERT(offload_submit(bench.pool, &pieces[i].job) == CG_OK);
	CU_ASSERT(offload_submit(bench.pool, &pieces[COUNT - 1].job) == CG_LIMIT);
	bench_open(&bench);
	loop_run(bench.loop);
	CU_ASSERT(bench.done == COUNT - 1);
	CU_ASSERT(bench.peak == OFFLOAD_THREADS);
	CU_ASSERT(!pieces[COUNT - 1].worked);
	offload_destroy(bench.pool);
	bench_finish(&bench);
	free(pieces);
}

static void *open_later(void *arg)
{
	bench_open(arg);
	return NULL;
}

static void destroy_ends_what_runs_and_drops_what_waits(void)
{
	enum { COUNT = OFFLOAD_THREADS + 3 };
	struct piece pieces[COUNT];
	struct bench bench;
	pthread_t opener;

	bench_init(&bench);
	bench.shut = true;
	for (int i = 0; i < COUNT; i++) {
		piece_init(&pieces[i], &bench);
		CU_ASSERT(offload_submit(bench.pool, &pieces[i].job) == CG_OK);
		if (i + 1 == OFFLOAD_THREADS)
			bench_wait_started(&bench, OFFLOAD_THREADS);
	}
	pieces[0].resubmit = true;
	/* The pool closes while the gate is still shut, or just after: in the second case more
	 * pieces may be worked on, but each of them is reported. */
	CU_ASSERT_FATAL(pthread_create(&opener, NULL, open_later, &bench) == 0);
	offload_destroy(bench.pool);
	pthread_join(opener, NULL);
	CU_ASSERT(bench.done == bench.started);
	CU_ASSERT(bench.done >= OFFLOAD_THREADS);
	CU_ASSERT(bench.again == CG_CLOSED);
	CU_ASSERT(bench.running == 0);
	/* Nothing of the pool is left in the loop. */
	loop_turn(bench.loop);
	bench_finish(&bench);
	offload_destroy(NULL);
}

static void nothing_work(void *arg)
{
	(void)arg;
}

static void stop_loop(void *arg)
{
	struct bench *bench = arg;

	loop_stop(bench->loop);
}

static int64_t virtual_ms;

static int64_t virtual_mono(const struct clock *clock)
{
	(void)clock;
	return virtual_ms;
}

/* One thread is stuck; what the others get done does not hide it. */
static void a_job_that_does_not_end_is_seen(void)
{
	struct bench bench;
	struct piece stuck;

	bench_init(&bench);
	bench.clock.mono_ms = virtual_mono;
	bench.shut = true;
	bench.expected = 1;
	piece_init(&stuck, &bench);
	CU_ASSERT_EQUAL(offload_stall_ms(bench.pool), 0);
	CU_ASSERT(offload_submit(bench.pool, &stuck.job) == CG_OK);
	bench_wait_started(&bench, 1);
	CU_ASSERT_EQUAL(offload_stall_ms(bench.pool), 0);
	for (int i = 1; i <= 3; i++) {
		struct offload_job quick = {.work = nothing_work};

		loop_task_init(&quick.done, stop_loop, &bench);
		virtual_ms += OFFLOAD_STALL_MS;
		CU_ASSERT(offload_submit(bench.pool, &quick) == CG_OK);
		loop_run(bench.loop);
		CU_ASSERT_EQUAL(offload_stall_ms(bench.pool), i * OFFLOAD_STALL_MS);
	}
	bench_open(&bench);
	loop_run(bench.loop);
	CU_ASSERT_EQUAL(offload_stall_ms(bench.pool), 0);
	virtual_ms += OFFLOAD_STALL_MS;
	CU_ASSERT_EQUAL(offload_stall_ms(bench.pool), 0);
	offload_destroy(bench.pool);
	bench_finish(&bench);
}

UNIT_SUITE(offload, UNIT_TEST(a_job_that_does_not_end_is_seen),
	UNIT_TEST(work_runs_elsewhere_and_ends_on_the_loop),
	UNIT_TEST(queue_and_threads_have_their_caps),
	UNIT_TEST(destroy_ends_what_runs_and_drops_what_waits));
