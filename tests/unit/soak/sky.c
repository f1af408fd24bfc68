/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/soak/sky.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

#define SKY_DELAY_MS 3000 /* at most, until somebody notices that nobody is there */

struct cloud_exchange {
	LIST_ENTRY(cloud_exchange) link;
	struct sky *sky;
	/* the plane's; NULL: it never got there, or has ended */
	struct cloud_exchange *inner;
	void (*done)(void *arg, const struct cloud_reply *reply); /* NULL: a stream */
	void *arg;
	struct cloud_stream_handler handler;
	struct loop_timer timer; /* the failure to come, or the next heartbeat */
	int64_t ends_ms; /* of a stream */
};

uint64_t sky_chance(struct sky *sky, uint64_t below)
{
	sky->chance = sky->chance * 6364136223846793005u + 1442695040888963407u;
	return (sky->chance >> 33) % below;
}

static void drop(struct cloud_exchange *exchange)
{
	LIST_REMOVE(exchange, link);
	loop_timer_finish(&exchange->timer);
	free(exchange);
}

/* It ends here; what the plane still does about it is not heard of. */
static void end(struct cloud_exchange *exchange, const struct cloud_reply *reply)
{
	struct cloud_exchange end = *exchange;

	if (exchange->inner != NULL)
		end.sky->inner.cancel(end.sky->inner.self, exchange->inner);
	drop(exchange);
	if (end.done != NULL)
		end.done(end.arg, reply);
	else
		end.handler.end(end.handler.arg, reply);
}

static void break_off(struct cloud_exchange *exchange)
{
	const struct cloud_reply reply = {.status = CG_NETWORK,
		.dispatched = exchange->inner != NULL,
		.retry_after_ms = -1,
		.error = "the network is away"};

	end(exchange, &reply);
}

void sky_cut(struct sky *sky)
{
	struct cloud_exchange *exchange = LIST_FIRST(&sky->exchanges), *next;

	for (; exchange != NULL; exchange = next) {
		next = LIST_NEXT(exchange, link);
		if (exchange->inner == NULL)
			continue; /* it fails by itself */
		/* Ends are told on a later turn: whoever hears of one may begin another. */
		sky->cuts++;
		sky->inner.cancel(sky->inner.self, exchange->inner);
		exchange->inner = NULL;
		loop_timer_set(&exchange->timer, 0);
	}
}

static void on_time(void *arg)
{
	const struct cloud_reply reply = {.status = CG_OK,
		.dispatched = true,
		.http_status = 200,
		.retry_after_ms = -1};
	struct cloud_exchange *exchange = arg;
	struct sky *sky = exchange->sky;

	if (exchange->inner == NULL) {
		break_off(exchange);
	} else if (clock_mono(loop_clock(sky->loop)) >= exchange->ends_ms) {
		sky->ends++;
		end(exchange, &reply);
	} else {
		loop_timer_set(&exchange->timer, SKY_BEAT_MS);
		exchange->handler.alive(exchange->handler.arg);
	}
}

static struct cloud_exchange *create(struct sky *sky)
{
	struct cloud_exchange *exchange = calloc(1, sizeof(*exchange));

	CU_ASSERT_PTR_NOT_NULL_FATAL(exchange);
	exchange->sky = sky;
	CU_ASSERT_EQUAL_FATAL(
		loop_timer_init(&exchange->timer, sky->loop, on_time, exchange), CG_OK);
	LIST_INSERT_HEAD(&sky->exchanges, exchange, link);
	return exchange;
}

static bool is_there(const struct sky *sky)
{
	return !sky->away && sky->inner.self != NULL;
}

/* Nobody is there, which takes a while to notice. */
static void miss(struct cloud_exchange *exchange)
{
	exchange->sky->refusals++;
	loop_timer_set(
		&exchange->timer, (int64_t)sky_chance(exchange->sky, SKY_DELAY_MS));
}

static void answered(void *arg, const struct cloud_reply *reply)
{
	struct cloud_exchange *exchange = arg;
	struct sky *sky = exchange->sky;
	struct cloud_exchange call = *exchange;

	exchange->inner = NULL;
	if (sky_chance(sky, SKY_LOSS) == 0) {
		const struct cloud_reply lost = {.status = CG_NETWORK,
			.dispatched = true,
			.retry_after_ms = -1,
			.error = "the answer was lost"};

		sky->losses++;
		drop(exchange);
		call.done(call.arg, &lost);
		return;
	}
	drop(exchange);
	call.done(call.arg, reply);
}

static enum cg_status sky_call(void *self, const struct cloud_request *request,
	void (*done)(void *arg, const struct cloud_reply *reply), void *arg,
	struct cloud_exchange **ret, struct cg_error *err)
{
	struct sky *sky = self;
	struct cloud_exchange *exchange = create(sky);

	exchange->done = done;
	exchange->arg = arg;
	if (!is_there(sky))
		miss(exchange);
	else
		CU_ASSERT_EQUAL(sky->inner.call(sky->inner.self, request, answered,
					exchange, &exchange->inner, err),
			CG_OK);
	*ret = exchange;
	return CG_OK;
}

static void opened(void *arg)
{
	struct cloud_exchange *exchange = arg;

	exchange->sky->streams++;
	exchange->handler.open(exchange->handler.arg);
}

static bool event_came(void *arg, const struct cloud_event *event)
{
	struct cloud_exchange *exchange = arg;

	return exchange->handler.event(exchange->handler.arg, event);
}

static void ended(void *arg, const struct cloud_reply *reply)
{
	struct cloud_exchange *exchange = arg;

	exchange->inner = NULL;
	end(exchange, reply);
}

static enum cg_status sky_stream(void *self, const struct cloud_request *request,
	const struct cloud_stream_handler *handler, struct cloud_exchange **ret,
	struct cg_error *err)
{
	struct sky *sky = self;
	struct cloud_exchange *exchange = create(sky);
	const struct cloud_stream_handler inner = {
		.open = opened, .event = event_came, .end = ended, .arg = exchange};

	exchange->handler = *handler;
	*ret = exchange;
	if (!is_there(sky)) {
		miss(exchange);
		return CG_OK;
	}
	exchange->ends_ms = clock_mono(loop_clock(sky->loop)) + SKY_STREAM_MS;
	loop_timer_set(&exchange->timer, SKY_BEAT_MS);
	CU_ASSERT_EQUAL(sky->inner.stream(
				sky->inner.self, request, &inner, &exchange->inner, err),
		CG_OK);
	return CG_OK;
}

static void sky_resume(void *self, struct cloud_exchange *exchange)
{
	struct sky *sky = self;

	if (exchange->inner != NULL)
		sky->inner.resume(sky->inner.self, exchange->inner);
}

static void sky_cancel(void *self, struct cloud_exchange *exchange)
{
	struct sky *sky = self;

	if (exchange->inner != NULL)
		sky->inner.cancel(sky->inner.self, exchange->inner);
	drop(exchange);
}

void sky_init(struct sky *sky, struct loop *loop, struct cloud_transport *ret)
{
	*sky = (struct sky){.loop = loop, .chance = 1};
	LIST_INIT(&sky->exchanges);
	*ret = (struct cloud_transport){.self = sky,
		.call = sky_call,
		.stream = sky_stream,
		.resume = sky_resume,
		.cancel = sky_cancel};
}
