/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin shell around one libevent base.
 *
 * Deferred tasks hang on a timer of zero, so they run after descriptors have been polled again
 * and a task that defers itself cannot starve them.  Posts make an event active: libevent then
 * wakes its own thread, and nothing here ticks while there is nothing to do.
 */
#include "runtime/loop.h"

#include <cowgate/sdk/error.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* First in, first out.  Zero is empty. */
struct task_list {
	struct loop_task *first, *last;
};

struct loop {
	const struct clock *clock; /* borrowed */
	struct event_base *base;
	struct event *defer_event; /* timer of zero: deferred is not empty */
	struct event *post_event; /* made active: posted is not empty */
	struct task_list deferred;
	struct task_list running; /* taken from deferred or posted, not yet run */
	bool stopped;
	pthread_mutex_t lock;
	struct task_list posted; /* under lock */
};

static void list_append(struct task_list *list, struct loop_task *first)
{
	struct loop_task *last = first;

	while (last->next != NULL)
		last = last->next;
	if (list->last != NULL)
		list->last->next = first;
	else
		list->first = first;
	list->last = last;
}

static struct loop_task *list_pop(struct task_list *list)
{
	struct loop_task *task = list->first;

	if (task != NULL) {
		list->first = task->next;
		if (list->first == NULL)
			list->last = NULL;
		task->next = NULL;
	}
	return task;
}

static bool list_remove(struct task_list *list, struct loop_task *task)
{
	struct loop_task *before = NULL;

	for (struct loop_task *at = list->first; at != NULL; before = at, at = at->next) {
		if (at != task)
			continue;
		if (before != NULL)
			before->next = task->next;
		else
			list->first = task->next;
		if (list->last == task)
			list->last = before;
		task->next = NULL;
		return true;
	}
	return false;
}

/* Run what was in @list when called.  A task may take back any other that has not run yet. */
static void run_tasks(struct loop *loop, struct task_list *list)
{
	struct loop_task *task;

	loop->running = *list;
	*list = (struct task_list){0};
	while ((task = list_pop(&loop->running)) != NULL) {
		task->queued = false;
		task->run(task->arg);
	}
}

static void on_deferred(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	run_tasks(loop, &loop->deferred);
}

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct task_list posted;

	(void)fd;
	(void)what;
	pthread_mutex_lock(&loop->lock);
	posted = loop->posted;
	loop->posted = (struct task_list){0};
	pthread_mutex_unlock(&loop->lock);
	run_tasks(loop, &posted);
}

/* What fails is told by the call that fails.  After an error libevent ends the process, so those
 * are its last words. */
static void on_libevent(int severity, const char *text)
{
	if (severity == EVENT_LOG_ERR)
		fprintf(stderr, "libevent: %s\n", text);
}

enum cg_status loop_create(
	const struct clock *clock, struct loop **ret, struct cg_error *err)
{
	struct loop *loop;

	event_set_log_callback(on_libevent);
	/* Before the first base, so that posts may come from other threads. */
	if (evthread_use_pthreads() != 0)
		return cg_error_set(err, CG_INTERNAL, "libevent has no thread support");
	loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return cg_error_nomem(err);
	loop->clock = clock;
	pthread_mutex_init(&loop->lock, NULL);
	loop->base = event_base_new();
	if (loop->base == NULL)
		goto fail;
	loop->defer_event = evtimer_new(loop->base, on_deferred, loop);
	loop->post_event = event_new(loop->base, -1, 0, on_posted, loop);
	if (loop->defer_event == NULL || loop->post_event == NULL)
		goto fail;
	*ret = loop;
	return CG_OK;

fail:
	loop_destroy(loop);
	return cg_error_set(err, CG_NOMEM, "cannot create the event loop");
}

void loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->defer_event != NULL)
		event_free(loop->defer_event);
	if (loop->post_event != NULL)
		event_free(loop->post_event);
	if (loop->base != NULL)
		event_base_free(loop->base);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

enum cg_status loop_run(struct loop *loop)
{
	int result = 0;

	if (!loop->stopped)
		result = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	loop->stopped = false;
	return result < 0 ? CG_INTERNAL : CG_OK;
}

void loop_turn(struct loop *loop)
{
	/* NONBLOCK alone goes on for as long as anything is active. */
	event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

const struct clock *loop_clock(const struct loop *loop)
{
	return loop->clock;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fire(timer->arg);
}

enum cg_status loop_timer_init(
	struct loop_timer *timer, struct loop *loop, loop_callback fire, void *arg)
{
	*timer = (struct loop_timer){.loop = loop, .fire = fire, .arg = arg};
	timer->event = evtimer_new(loop->base, on_timer, timer);
	return timer->event != NULL ? CG_OK : CG_NOMEM;
}

void loop_timer_finish(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	if (timer->event != NULL)
		event_free(timer->event);
	*timer = (struct loop_timer){0};
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_ms)
{
	struct timeval delay;

	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > LOOP_TIMER_MAX_MS)
		delay_ms = LOOP_TIMER_MAX_MS;
	delay.tv_sec = (time_t)(delay_ms / 1000);
	delay.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000);
	evtimer_add(timer->event, &delay);
}

void loop_timer_clear(struct loop_timer *timer)
{
	if (timer->event != NULL)
		evtimer_del(timer->event);
}

bool loop_timer_pending(const struct loop_timer *timer)
{
	return timer->event != NULL && evtimer_pending(timer->event, NULL);
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
	static const struct timeval now = {0, 0};

	if (task->queued)
		return;
	task->queued = true;
	task->next = NULL;
	if (loop->deferred.first == NULL)
		evtimer_add(loop->defer_event, &now);
	list_append(&loop->deferred, task);
}

void loop_undefer(struct loop *loop, struct loop_task *task)
{
	bool found;

	if (!task->queued)
		return;
	found = list_remove(&loop->deferred, task) || list_remove(&loop->running, task);
	if (!found) {
		pthread_mutex_lock(&loop->lock);
		found = list_remove(&loop->posted, task);
		pthread_mutex_unlock(&loop->lock);
	}
	if (found)
		task->queued = false;
}

void loop_post(struct loop *loop, struct loop_task *first)
{
	bool was_empty;

	if (first == NULL)
		return;
	for (struct loop_task *task = first; task != NULL; task = task->next)
		task->queued = true;
	pthread_mutex_lock(&loop->lock);
	was_empty = loop->posted.first == NULL;
	list_append(&loop->posted, first);
	if (was_empty)
		event_active(loop->post_event, EV_READ, 0);
	pthread_mutex_unlock(&loop->lock);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;

	(void)fd;
	(void)what;
	watch->ready(watch->arg);
}

static enum cg_status watch_start(
	struct loop_watch *watch, struct loop *loop, int number, short what)
{
	watch->event = event_new(loop->base, number, what, on_watch, watch);
	if (watch->event == NULL)
		return CG_NOMEM;
	if (event_add(watch->event, NULL) != 0) {
		loop_watch_finish(watch);
		return CG_IO;
	}
	return CG_OK;
}

enum cg_status loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd,
	bool write, loop_callback ready, void *arg)
{
	short what = write ? EV_WRITE | EV_PERSIST : EV_READ | EV_PERSIST;

	*watch = (struct loop_watch){.ready = ready, .arg = arg};
	return watch_start(watch, loop, fd, what);
}

enum cg_status loop_signal_init(struct loop_watch *watch, struct loop *loop,
	int signal_number, loop_callback ready, void *arg)
{
	*watch = (struct loop_watch){.ready = ready, .arg = arg};
	return watch_start(watch, loop, signal_number, EV_SIGNAL | EV_PERSIST);
}

void loop_watch_finish(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->event != NULL)
		event_free(watch->event);
	*watch = (struct loop_watch){0};
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}
