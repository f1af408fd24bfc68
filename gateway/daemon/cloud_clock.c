/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/crypto.h>
#include <stdlib.h>

/* A timer that may be destroyed while it fires: memory goes on a later turn. */
struct cloud_timer {
	struct loop *loop;
	struct loop_timer timer;
	struct loop_task burial;
	void (*fire)(void *arg);
	void *arg;
	bool dead;
};

static int64_t mono_ms(void *self)
{
	return clock_mono(loop_clock(self));
}

static uint64_t random_number(void *self)
{
	uint64_t number;

	(void)self;
	cg_random(&number, sizeof(number));
	return number;
}

static void timer_fired(void *arg)
{
	struct cloud_timer *timer = arg;

	if (!timer->dead)
		timer->fire(timer->arg);
}

static void timer_free(void *arg)
{
	struct cloud_timer *timer = arg;

	loop_timer_finish(&timer->timer);
	free(timer);
}

static struct cloud_timer *timer_create_one(
	void *self, void (*fire)(void *arg), void *arg)
{
	struct cloud_timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL ||
		loop_timer_init(&timer->timer, self, timer_fired, timer) != CG_OK) {
		free(timer);
		return NULL;
	}
	timer->loop = self;
	timer->fire = fire;
	timer->arg = arg;
	loop_task_init(&timer->burial, timer_free, timer);
	return timer;
}

static void timer_arm(void *self, struct cloud_timer *timer, int64_t delay_ms)
{
	(void)self;
	loop_timer_set(&timer->timer, delay_ms);
}

static void timer_disarm(void *self, struct cloud_timer *timer)
{
	(void)self;
	loop_timer_clear(&timer->timer);
}

static void timer_destroy_one(void *self, struct cloud_timer *timer)
{
	(void)self;
	if (timer == NULL)
		return;
	timer->dead = true;
	loop_timer_clear(&timer->timer);
	loop_defer(timer->loop, &timer->burial);
}

void cloud_clock(struct loop *loop, struct cloud_host *ret)
{
	*ret = (struct cloud_host){
		.self = loop,
		.mono_ms = mono_ms,
		.random = random_number,
		.timer_create = timer_create_one,
		.timer_set = timer_arm,
		.timer_clear = timer_disarm,
		.timer_destroy = timer_destroy_one,
	};
}
