/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time as an argument: wall clock, monotonic clock, and whether the wall clock can be believed.
 * The system's own clock and a test's virtual one have the same shape.
 */
#ifndef COWGATE_RUNTIME_CLOCK_H
#define COWGATE_RUNTIME_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(const struct clock *clock);
	int64_t (*mono_ms)(const struct clock *clock);
	/* False until the wall clock is synchronised or later than the floor. */
	bool (*sane)(const struct clock *clock);
	int64_t floor_ms; /* later of the build and the newest stored row */
};

/* The system's clocks.  @floor_ms may be raised later. */
void clock_system(struct clock *ret, int64_t floor_ms);

static inline int64_t clock_wall(const struct clock *clock)
{
	return clock->wall_ms(clock);
}

static inline int64_t clock_mono(const struct clock *clock)
{
	return clock->mono_ms(clock);
}

static inline bool clock_sane(const struct clock *clock)
{
	return clock->sane(clock);
}

#endif
