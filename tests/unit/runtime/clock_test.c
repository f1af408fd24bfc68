/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/clock.h"
#include "tests/unit/unit.h"

#include <time.h>
#include <unistd.h>

static void clock_wall_is_the_system_s(void)
{
	struct clock clock;
	int64_t before = (int64_t)time(NULL), wall;

	clock_system(&clock, 0);
	wall = clock_wall(&clock);
	/* time() may lag behind by a tick. */
	CU_ASSERT(wall / 1000 >= before && wall / 1000 <= (int64_t)time(NULL) + 1);
}

static void clock_mono_never_goes_back(void)
{
	struct clock clock;
	int64_t last;

	clock_system(&clock, 0);
	last = clock_mono(&clock);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono(&clock);

		CU_ASSERT_FATAL(now >= last);
		last = now;
	}
}

static void clock_is_sane_from_its_floor_on(void)
{
	bool synchronised = access("/run/systemd/timesync/synchronized", F_OK) == 0;
	struct clock clock;

	clock_system(&clock, 0);
	CU_ASSERT(clock_sane(&clock));
	clock.floor_ms = clock_wall(&clock);
	CU_ASSERT(clock_sane(&clock));
	clock.floor_ms = INT64_MAX;
	CU_ASSERT(clock_sane(&clock) == synchronised);
}

static void clock_moves_only_when_it_is_told(void)
{
	const int64_t day = INT64_C(24) * 3600000;
	struct clock clock;
	int64_t now;

	clock_system(&clock, 0);
	CU_ASSERT(clock_step(&clock) > -1000 && clock_step(&clock) < 1000);
	now = clock_wall(&clock);
	clock_move(&clock, -day); /* as if the machine's had been set a day ahead */
	CU_ASSERT(clock_wall(&clock) < now);
	CU_ASSERT(clock_step(&clock) > day - 1000 && clock_step(&clock) < day + 1000);
	clock_move(&clock, clock_step(&clock));
	CU_ASSERT(clock_wall(&clock) >= now);
}

static void clock_is_not_sane_while_it_moves(void)
{
	struct clock clock;

	clock_system(&clock, 0);
	clock.moving = true;
	CU_ASSERT_FALSE(clock_sane(&clock));
	clock.moving = false;
	CU_ASSERT(clock_sane(&clock));
}

UNIT_SUITE(clock, UNIT_TEST(clock_moves_only_when_it_is_told),
	UNIT_TEST(clock_is_not_sane_while_it_moves),
	UNIT_TEST(clock_wall_is_the_system_s), UNIT_TEST(clock_mono_never_goes_back),
	UNIT_TEST(clock_is_sane_from_its_floor_on));
