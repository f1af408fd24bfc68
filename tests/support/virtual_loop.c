/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/virtual_loop.h"

#include <cowgate/sdk/error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#define VIRTUAL_PATIENCE_S 120 /* real ones, for a thread that is said to be busy */

/* Time. */

static int64_t virtual_now(const struct clock *clock)
{
	return ((const struct virtual_clock *)clock)->now_ms;
}

static bool is_sane(const struct clock *clock)
{
	(void)clock;
	return true;
}

void virtual_clock_init(struct virtual_clock *clock, int64_t now_ms)
{
	*clock = (struct virtual_clock){.clock = {.wall_ms = virtual_now,
						.mono_ms = virtual_now,
						.sane = is_sane},
		.now_ms = now_ms};
}

/* The loop. */

struct task_list {
	struct loop_task *first, *last;
};

struct event { /* of a timer */
	TAILQ_ENTRY(event) link;
	struct loop_timer *timer;
	int64_t due_ms;
	bool pending; /* in the list */
};

struct loop {
	const struct virtual_clock *clock;
	TAILQ_HEAD(event_list, event)
	timers; /* the next first; of one time, the oldest first */
	struct task_list deferred, running;
	pthread_mutex_t lock;
	pthread_cond_t came; /* something was posted */
	struct task_list posted; /* under lock */
};

enum cg_status loop_create(
	const struct clock *clock, struct loop **ret, struct cg_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return cg_error_nomem(err);
	loop->clock = (const struct virtual_clock *)clock;
	TAILQ_INIT(&loop->timers);
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->came, NULL);
	*ret = loop;
	return CG_OK;
}

void loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	pthread_cond_destroy(&loop->came);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

const struct clock *loop_clock(const struct loop *loop)
{
	return &loop->clock->clock;
}

/* Tasks. */

static void list_append(struct task_list *list, struct loop_task *first)
{
	if (list->last != NULL)
		list->last->next = first;
	else
		list->first = first;
	for (list->last = first; list->last->next != NULL;)
		list->last = list->last->next;
}

static bool list_remove(struct task_list *list, struct loop_task *task)
{
	struct loop_task *before = NULL, *at = list->first;

	for (; at != NULL && at != task; at = at->next)
		before = at;
	if (at == NULL)
		return false;
	if (before != NULL)
		before->next = task->next;
	else
		list->first = task->next;
	if (list->last == task)
		list->last = before;
	task->next = NULL;
	return true;
}

static bool run_tasks(struct loop *loop, struct task_list *list)
{
	bool any = list->first != NULL;
	struct loop_task *task;

	loop->running = *list;
	*list = (struct task_list){0};
	while ((task = loop->running.first) != NULL) {
		list_remove(&loop->running, task);
		task->queued = false;
		task->run(task->arg);
	}
	return any;
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	list_append(&loop->deferred, task);
}

void loop_undefer(struct loop *loop, struct loop_task *task)
{
	if (!task->queued)
		return;
	if (!list_remove(&loop->deferred, task) && !list_remove(&loop->running, task)) {
		pthread_mutex_lock(&loop->lock);
		list_remove(&loop->posted, task);
		pthread_mutex_unlock(&loop->lock);
	}
	task->queued = false;
}

void loop_post(struct loop *loop, struct loop_task *first)
{
	if (first == NULL)
		return;
	for (struct loop_task *task = first; task != NULL; task = task->next)
		task->queued = true;
	pthread_mutex_lock(&loop->lock);
	list_append(&loop->posted, first);
	pthread_cond_signal(&loop->came);
	pthread_mutex_unlock(&loop->lock);
}

static bool run_posted(struct loop *loop)
{
	struct task_list posted;

	pthread_mutex_lock(&loop->lock);
	posted = loop->posted;
	loop->posted = (struct task_list){0};
	pthread_mutex_unlock(&loop->lock);
	return run_tasks(loop, &posted);
}

/* Timers. */

enum cg_status loop_timer_init(
	struct loop_timer *timer, struct loop *loop, loop_callback fire, void *arg)
{
	*timer = (struct loop_timer){.loop = loop, .fire = fire, .arg = arg};
	timer->event = calloc(1, sizeof(*timer->event));
	if (timer->event == NULL)
		return CG_NOMEM;
	timer->event->timer = timer;
	return CG_OK;
}

void loop_timer_finish(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	loop_timer_clear(timer);
	free(timer->event);
	*timer = (struct loop_timer){0};
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
	struct event *event = timer->event, *other;
	struct loop *loop = timer->loop;

	loop_timer_clear(timer);
	event->due_ms = loop->clock->now_ms + (delay_ms < 0 ? 0 : delay_ms);
	event->pending = true;
	TAILQ_FOREACH_REVERSE(other, &loop->timers, event_list, link)
	{
		if (other->due_ms <= event->due_ms)
			break;
	}
	if (other == NULL)
		TAILQ_INSERT_HEAD(&loop->timers, event, link);
	else
		TAILQ_INSERT_AFTER(&loop->timers, other, event, link);
}

void loop_timer_clear(struct loop_timer *timer)
{
	if (!loop_timer_pending(timer))
		return;
	TAILQ_REMOVE(&timer->loop->timers, timer->event, link);
	timer->event->pending = false;
}

bool loop_timer_pending(const struct loop_timer *timer)
{
	return timer->event != NULL && timer->event->pending;
}

/* As many as were due when this turn began. */
static bool run_timers(struct loop *loop)
{
	struct event *event;
	size_t count = 0;
	bool any;

	TAILQ_FOREACH (event, &loop->timers, link) {
		if (event->due_ms > loop->clock->now_ms)
			break;
		count++;
	}
	any = count > 0;
	while (count-- > 0 && (event = TAILQ_FIRST(&loop->timers)) != NULL &&
		event->due_ms <= loop->clock->now_ms) {
		struct loop_timer *timer = event->timer;

		loop_timer_clear(timer);
		timer->fire(timer->arg);
	}
	return any;
}

/* Steps. */

void loop_turn(struct loop *loop)
{
	run_posted(loop);
	run_timers(loop);
	run_tasks(loop, &loop->deferred);
}

static void await_post(struct loop *loop)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += VIRTUAL_PATIENCE_S;
	pthread_mutex_lock(&loop->lock);
	while (loop->posted.first == NULL) {
		if (pthread_cond_timedwait(&loop->came, &loop->lock, &until) != 0) {
			fputs("a busy thread brought nothing\n", stderr);
			abort();
		}
	}
	pthread_mutex_unlock(&loop->lock);
}

bool virtual_loop_step(struct loop *loop, struct virtual_clock *clock,
	bool (*busy)(void *arg), void *arg)
{
	for (;;) {
		bool any = run_posted(loop);

		any |= run_timers(loop);
		any |= run_tasks(loop, &loop->deferred);
		if (any)
			continue;
		if (!busy(arg))
			break;
		await_post(loop);
	}
	if (TAILQ_EMPTY(&loop->timers))
		return false;
	clock->now_ms = TAILQ_FIRST(&loop->timers)->due_ms;
	return true;
}

enum cg_status loop_run(struct loop *loop)
{
	(void)loop;
	return CG_UNSUPPORTED;
}

void loop_stop(struct loop *loop)
{
	(void)loop;
}

enum cg_status loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd,
	bool write, loop_callback ready, void *arg)
{
	(void)loop;
	(void)fd;
	(void)write;
	*watch = (struct loop_watch){.ready = ready, .arg = arg};
	return CG_UNSUPPORTED;
}

enum cg_status loop_signal_init(struct loop_watch *watch, struct loop *loop,
	int signal_number, loop_callback ready, void *arg)
{
	return loop_watch_init(watch, loop, signal_number, false, ready, arg);
}

void loop_watch_finish(struct loop_watch *watch)
{
	(void)watch;
}

struct event_base *loop_base(struct loop *loop)
{
	(void)loop;
	return NULL;
}

/* The offload pool: work is done on the loop itself, so none of it is unseen. */

struct offload {
	struct loop *loop;
};

enum cg_status offload_create(
	struct loop *loop, struct offload **ret, struct cg_error *err)
{
	*ret = calloc(1, sizeof(**ret));
	if (*ret == NULL)
		return cg_error_nomem(err);
	(*ret)->loop = loop;
	return CG_OK;
}

void offload_destroy(struct offload *offload)
{
	free(offload);
}

enum cg_status offload_submit(struct offload *offload, struct offload_job *job)
{
	job->work(job->arg);
	loop_defer(offload->loop, &job->done);
	return CG_OK;
}
