/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

#define HOUR_MS INT64_C(3600000)

static int64_t set_ms; /* how far the machine's clock was set, and not looked at yet */

static int64_t step(const struct clock *clock)
{
	return set_ms - clock->offset_ms;
}

/* When the one delivery that waits is to be given up. */
static int64_t deadline(const struct house *house)
{
	return house_number(house, "SELECT deadline_ms FROM outbox");
}

/* A gateway with an answer that cannot be sent yet, on a clock that the test sets. */
static void begin(struct house *house)
{
	set_ms = 0;
	house->daemon->clock.offset_ms = 0;
	house->daemon->clock.step_ms = step;
	loop_timer_clear(&house->daemon->time_timer); /* the test looks by itself */
	stage_health(house_actor(house, ONE), CG_HEALTH_UP, CG_HEALTH_REFUSED);
	house_hear(house, ONE, "e1", "hello");
	HOUSE_UNTIL(house, house_number(house, "SELECT count(*) FROM outbox") == 1);
}

static void run(void (*body)(struct house *house))
{
	struct house house;

	house_begin(&house, HOUSE_ONE);
	house_run(&house, body);
	house_end(&house);
}

static void set_the_clock(struct house *house)
{
	struct daemon *daemon = house->daemon;
	int64_t before;

	begin(house);
	before = deadline(house);
	CU_ASSERT(before > 0);
	set_ms = 10 * HOUR_MS;
	time_look(daemon);
	/* Until the deadlines have moved along, nothing is judged by its age. */
	CU_ASSERT_TRUE(daemon->clock.moving);
	CU_ASSERT_FALSE(clock_sane(&daemon->clock));
	CU_ASSERT_EQUAL(daemon->clock.offset_ms, 10 * HOUR_MS);
	CU_ASSERT_FALSE(loop_timer_pending(&daemon->time_timer));
	CU_ASSERT_TRUE(house_logged(house, "clock.set by_ms=36000000"));
	HOUSE_UNTIL(house, daemon->shift_ms == 0);
	CU_ASSERT_EQUAL(deadline(house), before + 10 * HOUR_MS);
	CU_ASSERT_TRUE(daemon->clock.moving); /* what was read before is still about */
	CU_ASSERT_TRUE(loop_timer_pending(&daemon->time_timer));
	time_look(daemon); /* as its timer does */
	CU_ASSERT_FALSE(daemon->clock.moving);
	CU_ASSERT_EQUAL(daemon->clock.offset_ms, 10 * HOUR_MS); /* not twice */
	/* And back again. */
	set_ms = 9 * HOUR_MS;
	time_look(daemon);
	HOUSE_UNTIL(house, daemon->shift_ms == 0);
	CU_ASSERT_EQUAL(deadline(house), before + 9 * HOUR_MS);
	daemon_stop(daemon);
}

static void time_moves_with_its_deadlines(void)
{
	run(set_the_clock);
}

/* A clock at another pace is followed in silence; the step begins at two seconds. */
static void drift(struct house *house)
{
	struct daemon *daemon = house->daemon;
	int64_t before;

	begin(house);
	before = deadline(house);
	set_ms = 1999;
	time_look(daemon);
	CU_ASSERT_EQUAL(daemon->clock.offset_ms, 1999);
	CU_ASSERT_FALSE(daemon->clock.moving);
	CU_ASSERT_EQUAL(daemon->shift_ms, 0);
	CU_ASSERT_TRUE(loop_timer_pending(&daemon->time_timer));
	set_ms = 0;
	time_look(daemon);
	CU_ASSERT_EQUAL(daemon->clock.offset_ms, 0);
	CU_ASSERT_FALSE(daemon->clock.moving);
	CU_ASSERT_FALSE(house_logged(house, "clock.set"));
	CU_ASSERT_EQUAL(deadline(house), before);
	set_ms = -2000;
	time_look(daemon);
	CU_ASSERT_TRUE(daemon->clock.moving);
	HOUSE_UNTIL(house, daemon->shift_ms == 0);
	CU_ASSERT_EQUAL(deadline(house), before - 2000);
	daemon_stop(daemon);
}

static void time_that_drifts_is_followed(void)
{
	run(drift);
}

/* The disk would not take it: the deadlines follow later, the clock is not moved again. */
static void catch_up(struct house *house)
{
	struct daemon *daemon = house->daemon;
	int64_t before;

	begin(house);
	before = deadline(house);
	daemon->clock.moving = true;
	daemon->clock.offset_ms = set_ms = HOUR_MS;
	daemon->shift_ms = HOUR_MS;
	time_look(daemon);
	CU_ASSERT_TRUE(daemon->clock.moving);
	CU_ASSERT_EQUAL(daemon->clock.offset_ms, HOUR_MS);
	HOUSE_UNTIL(house, daemon->shift_ms == 0);
	CU_ASSERT_EQUAL(deadline(house), before + HOUR_MS);
	daemon_stop(daemon);
}

static void time_catches_up_on_a_failed_disk(void)
{
	run(catch_up);
}

static void look_at_the_end(struct house *house)
{
	struct daemon *daemon = house->daemon;

	begin(house);
	daemon_stop(daemon);
	loop_timer_clear(&daemon->time_timer);
	set_ms = HOUR_MS;
	time_look(daemon);
	CU_ASSERT_EQUAL(daemon->clock.offset_ms, 0);
	CU_ASSERT_EQUAL(daemon->shift_ms, 0);
	CU_ASSERT_FALSE(loop_timer_pending(&daemon->time_timer));
}

static void time_is_not_looked_at_in_the_end(void)
{
	run(look_at_the_end);
}

UNIT_SUITE(time_watch, UNIT_TEST(time_moves_with_its_deadlines),
	UNIT_TEST(time_that_drifts_is_followed),
	UNIT_TEST(time_catches_up_on_a_failed_disk),
	UNIT_TEST(time_is_not_looked_at_in_the_end));
