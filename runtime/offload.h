/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pool of threads for what blocks.  Threads start on demand and end when idle. */
#ifndef COWGATE_RUNTIME_OFFLOAD_H
#define COWGATE_RUNTIME_OFFLOAD_H

#include "runtime/loop.h"

#define OFFLOAD_THREADS 4 /* at most */
#define OFFLOAD_QUEUE 256 /* jobs waiting */

struct offload;

struct offload_job {
	void (*work)(void *arg); /* on a pool thread */
	struct loop_task done; /* on the loop */
	void *arg; /* for work */
	struct offload_job *next; /* the pool's */
};

enum cg_status offload_create(
	struct loop *loop, struct offload **ret, struct cg_error *err);
/* Waits for running work, then runs the done task of whatever has finished, before it returns;
 * jobs not begun are dropped without a call. */
void offload_destroy(struct offload *offload);

/* The job belongs to the pool until its done task has run.  LIMIT when the queue is full, NOMEM
 * when no thread can be had, CLOSED from a done task that offload_destroy() runs. */
enum cg_status offload_submit(struct offload *offload, struct offload_job *job);

/* How long one job has been worked on without an end, as far as the looks tell.  The bound is far above
 * a session of SMTP and a look through all rows of a large journal. */
#define OFFLOAD_STALL_MS 1800000
int64_t offload_stall_ms(struct offload *offload);

#endif
