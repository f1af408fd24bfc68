/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop and the offload pool of runtime/, with a time that the test owns: a week passes
 * as fast as its events can be handled.  Linked in place of the real ones.
 *
 * Only the writers of databases have threads; the test says whether any of them is busy.  There
 * are no descriptors and no signals, and loop_run() is of no use: steps are made by hand.
 */
#ifndef COWGATE_TESTS_VIRTUAL_LOOP_H
#define COWGATE_TESTS_VIRTUAL_LOOP_H

#include "runtime/loop.h"
#include "runtime/offload.h"

/* Wall and monotonic clock are one.  Hand &clock to loop_create(). */
struct virtual_clock {
	struct clock clock; /* first: the clock's functions find the rest by it */
	int64_t now_ms;
};

void virtual_clock_init(struct virtual_clock *clock, int64_t now_ms);

/*
 * Do all that can be done at this time, what the busy threads bring included, then go on to the
 * time of the next timer.  False: there is none.  @clock is the loop's.  @busy tells whether a thread works.
 */
bool virtual_loop_step(struct loop *loop, struct virtual_clock *clock,
	bool (*busy)(void *arg), void *arg);

#endif
