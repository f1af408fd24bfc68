/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/clock.h"

#include "runtime/platform.h"

#include <time.h>
#include <unistd.h>

/* Made by systemd-timesyncd at its first synchronisation after boot; absent elsewhere. */
#define SYNCHRONISED "/run/systemd/timesync/synchronized"

static int64_t read_ms(clockid_t id)
{
	struct timespec now;

	/* Both clocks are required by POSIX, so this cannot fail. */
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall(const struct clock *clock)
{
	return platform_elapsed_ms() + clock->offset_ms;
}

static int64_t system_step(const struct clock *clock)
{
	return read_ms(CLOCK_REALTIME) - system_wall(clock);
}

static int64_t system_mono(const struct clock *clock)
{
	(void)clock;
	return read_ms(CLOCK_MONOTONIC);
}

/*
 * The file matters when the floor itself is wrong: a row stored while the clock ran ahead
 * would otherwise make a synchronised clock unbelievable until that time has come.
 */
static bool system_sane(const struct clock *clock)
{
	return !clock->moving &&
	       (system_wall(clock) >= clock->floor_ms || access(SYNCHRONISED, F_OK) == 0);
}

void clock_system(struct clock *ret, int64_t floor_ms)
{
	*ret = (struct clock){
		.wall_ms = system_wall,
		.mono_ms = system_mono,
		.sane = system_sane,
		.step_ms = system_step,
		.floor_ms = floor_ms,
	};
	clock_move(ret, clock_step(ret));
}
