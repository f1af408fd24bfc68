/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's wall clock is set while the gateway runs: a board without a battery learns the time
 * from the network minutes after its start.  The gateway's own clock goes on meanwhile; it is moved
 * here together with every deadline, so that nothing is suddenly days old.  While they move nothing
 * is judged by its age.
 */
#include "gateway/daemon/house.h"
#include "runtime/log.h"

#define LOOK_MS 10000
#define STEP_MS 2000 /* less is a clock that runs at another pace */
#define SETTLE_MS 1000 /* for what was read before the deadlines moved */

static void shifted(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct daemon *daemon = arg;

	(void)err;
	if (status == CG_OK)
		daemon->shift_ms = 0;
	if (!daemon->stopping)
		loop_timer_set(&daemon->time_timer, SETTLE_MS);
}

static void step(struct daemon *daemon, int64_t delta_ms)
{
	log_warn("clock.set", "by_ms", log_int(delta_ms), NULL);
	daemon->clock.moving = true;
	clock_move(&daemon->clock, delta_ms);
	daemon->shift_ms = delta_ms;
	conversation_shift(daemon->conversation, delta_ms);
	journal_shift(daemon->journal, delta_ms, shifted, daemon);
}

void time_look(void *arg)
{
	struct daemon *daemon = arg;
	int64_t delta_ms = clock_step(&daemon->clock);

	if (daemon->stopping)
		return;
	if (daemon->shift_ms != 0) { /* the disk would not take it */
		journal_shift(daemon->journal, daemon->shift_ms, shifted, daemon);
		return;
	}
	daemon->clock.moving = false;
	if (delta_ms <= -STEP_MS || delta_ms >= STEP_MS) {
		step(daemon, delta_ms);
		return;
	}
	clock_move(&daemon->clock, delta_ms);
	loop_timer_set(&daemon->time_timer, LOOK_MS);
}
