/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: timers, deferred calls, posts from other threads, descriptors, signals.
 * It knows nothing of the product.  All functions but loop_post() belong to the loop's thread.
 *
 * Timers and tasks are embedded in the object they serve and registered without allocation.
 * An object never dies inside its own callback: it defers its destruction with loop_defer().
 */
#ifndef COWGATE_RUNTIME_LOOP_H
#define COWGATE_RUNTIME_LOOP_H

#include "runtime/clock.h"

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct loop;

typedef void (*loop_callback)(void *arg);

enum cg_status loop_create(
	const struct clock *clock, struct loop **ret, struct cg_error *err);
/* Tasks that have not run are forgotten, not run: what they would free is freed before. */
void loop_destroy(struct loop *loop);

/* Run until loop_stop(), which may come before; one turn without waiting (tests). */
enum cg_status loop_run(struct loop *loop);
void loop_turn(struct loop *loop);
void loop_stop(struct loop *loop);

const struct clock *loop_clock(const struct loop *loop);

/* One-shot timer.  Zero-initialised memory may be passed to loop_timer_finish(). */
struct loop_timer {
	struct event *event; /* owned */
	struct loop *loop;
	loop_callback fire;
	void *arg;
};

enum cg_status loop_timer_init(
	struct loop_timer *timer, struct loop *loop, loop_callback fire, void *arg);
void loop_timer_finish(struct loop_timer *timer);
/* (Re)arm.  0 fires on the next turn.  Real time, and coarse: a timer may fire a few
 * milliseconds early or late, so what depends on an exact moment asks the clock again. */
#define LOOP_TIMER_MAX_MS (INT64_C(86400000) * 365) /* longer delays are cut to this */
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_clear(struct loop_timer *timer);
bool loop_timer_pending(const struct loop_timer *timer);

/* A call on a later turn.  Queued at most once at a time. */
struct loop_task {
	loop_callback run;
	void *arg;
	struct loop_task *next; /* the loop's */
	bool queued; /* the loop's */
};

static inline void loop_task_init(struct loop_task *task, loop_callback run, void *arg)
{
	task->run = run;
	task->arg = arg;
	task->next = 0;
	task->queued = false;
}

/* From the loop's thread: run on the next turn, in order.  A queued task stays where it is. */
void loop_defer(struct loop *loop, struct loop_task *task);
/* From the loop's thread: take a deferred or posted task back; nothing if it is not queued. */
void loop_undefer(struct loop *loop, struct loop_task *task);

/* From any thread: hand a list of tasks (linked by next, NULL-ended) over, in order, with one
 * wake-up.  The tasks belong to the loop until they have run or were taken back by the loop's
 * thread with loop_undefer(). */
void loop_post(struct loop *loop, struct loop_task *first);

/* A descriptor that becomes readable or writable; level triggered, until finished. */
struct loop_watch {
	struct event *event; /* owned */
	loop_callback ready;
	void *arg;
};

enum cg_status loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd,
	bool write, loop_callback ready, void *arg);
void loop_watch_finish(struct loop_watch *watch);

/* A signal, delivered on the loop. */
enum cg_status loop_signal_init(struct loop_watch *watch, struct loop *loop,
	int signal_number, loop_callback ready, void *arg);

/* For http_client and http_server only: the base that they share. */
struct event_base *loop_base(struct loop *loop);

#endif
