/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as an argument: wall clock, monotonic clock, and whether the wall clock can be believed.
 * The system's own clock and a test's virtual one have the same shape.
 */
#ifndef COWGATE_RUNTIME_CLOCK_H
#define COWGATE_RUNTIME_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(const struct clock *clock);
	int64_t (*mono_ms)(const struct clock *clock);
	/* False until the wall clock is synchronised or later than the floor, and while it moves. */
	bool (*sane)(const struct clock *clock);
	/* How far the machine's wall clock is ahead of this one.  NULL: they are the same. */
	int64_t (*step_ms)(const struct clock *clock);
	int64_t floor_ms; /* later of the build and the newest stored row */
	int64_t offset_ms; /* of the wall clock from what has elapsed */
	bool moving; /* what is measured by the wall clock has not moved with it yet */
};

/*
 * The system's clocks.  @floor_ms may be raised later.  The wall clock goes on from what it is now
 * and does not see when the machine's is set: whoever moves the deadlines along says so with
 * clock_move().
 */
void clock_system(struct clock *ret, int64_t floor_ms);

static inline int64_t clock_wall(const struct clock *clock)
{
	return clock->wall_ms(clock);
}

static inline int64_t clock_mono(const struct clock *clock)
{
	return clock->mono_ms(clock);
}

static inline int64_t clock_step(const struct clock *clock)
{
	return clock->step_ms == NULL ? 0 : clock->step_ms(clock);
}

static inline void clock_move(struct clock *clock, int64_t by_ms)
{
	clock->offset_ms += by_ms;
}

static inline bool clock_sane(const struct clock *clock)
{
	return clock->sane(clock);
}

#endif
