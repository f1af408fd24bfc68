/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "tests/unit/unit.h"

struct hands {
	struct clock clock; /* first: the virtual clock */
	int64_t now_ms;
	struct loop *loop;
	struct cloud_host host;
	struct cloud_timer *timer;
	unsigned fired;
	bool destroy, again;
};

static int64_t now(const struct clock *clock)
{
	return ((const struct hands *)clock)->now_ms;
}

static bool sane(const struct clock *clock)
{
	(void)clock;
	return true;
}

static void begin(struct hands *hands)
{
	*hands = (struct hands){
		.clock = {.wall_ms = now, .mono_ms = now, .sane = sane}, .now_ms = 12345};
	CU_ASSERT_EQUAL_FATAL(loop_create(&hands->clock, &hands->loop, NULL), CG_OK);
	cloud_clock(hands->loop, &hands->host);
}

static void end(struct hands *hands)
{
	loop_turn(hands->loop);
	loop_destroy(hands->loop);
}

static void on_timer(void *arg)
{
	struct hands *hands = arg;

	hands->fired++;
	if (hands->again && hands->fired < 3)
		hands->host.timer_set(hands->host.self, hands->timer, 0);
	if (hands->destroy)
		hands->host.timer_destroy(hands->host.self, hands->timer);
}

static void cloud_clock_tells_the_loop_s_time(void)
{
	struct hands hands;
	uint64_t numbers[4];

	begin(&hands);
	CU_ASSERT_EQUAL(hands.host.mono_ms(hands.host.self), 12345);
	hands.now_ms++;
	CU_ASSERT_EQUAL(hands.host.mono_ms(hands.host.self), 12346);
	for (int i = 0; i < 4; i++)
		numbers[i] = hands.host.random(hands.host.self);
	CU_ASSERT(numbers[0] != numbers[1] || numbers[2] != numbers[3]);
	end(&hands);
}

static void cloud_clock_timer_fires_when_it_is_set(void)
{
	struct hands hands;

	begin(&hands);
	hands.timer = hands.host.timer_create(hands.host.self, on_timer, &hands);
	CU_ASSERT_PTR_NOT_NULL_FATAL(hands.timer);
	loop_turn(hands.loop);
	CU_ASSERT_EQUAL(hands.fired, 0);
	hands.host.timer_set(hands.host.self, hands.timer, 0);
	CU_ASSERT_EQUAL(hands.fired, 0); /* on a later turn */
	loop_turn(hands.loop);
	CU_ASSERT_EQUAL(hands.fired, 1);
	hands.host.timer_set(hands.host.self, hands.timer, 0);
	hands.host.timer_clear(hands.host.self, hands.timer);
	loop_turn(hands.loop);
	CU_ASSERT_EQUAL(hands.fired, 1);
	hands.again = true; /* re-armed from inside */
	hands.host.timer_set(hands.host.self, hands.timer, 0);
	for (int i = 0; i < 4; i++)
		loop_turn(hands.loop);
	CU_ASSERT_EQUAL(hands.fired, 3);
	hands.host.timer_set(hands.host.self, hands.timer, 0);
	hands.host.timer_destroy(hands.host.self, hands.timer);
	loop_turn(hands.loop);
	CU_ASSERT_EQUAL(hands.fired, 3);
	hands.host.timer_destroy(hands.host.self, NULL);
	end(&hands);
}

static void cloud_clock_timer_may_be_destroyed_while_it_fires(void)
{
	struct hands hands;

	begin(&hands);
	hands.timer = hands.host.timer_create(hands.host.self, on_timer, &hands);
	hands.destroy = true;
	hands.host.timer_set(hands.host.self, hands.timer, 0);
	loop_turn(hands.loop);
	loop_turn(hands.loop);
	CU_ASSERT_EQUAL(hands.fired, 1);
	end(&hands);
}

UNIT_SUITE(cloud_clock, UNIT_TEST(cloud_clock_tells_the_loop_s_time),
	UNIT_TEST(cloud_clock_timer_fires_when_it_is_set),
	UNIT_TEST(cloud_clock_timer_may_be_destroyed_while_it_fires));
