/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted Cloud.  Breaking the transport's contract aborts the test program. */
#include "tests/support/cloud_fake.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

struct cloud_timer {
	TAILQ_ENTRY(cloud_timer) entry;
	void (*fire)(void *arg);
	void *arg;
	int64_t due_ms; /* -1: not armed */
};

/* As assert(), but also in release builds. */
static void require(bool condition)
{
	if (!condition)
		abort();
}

static int64_t fake_mono(void *self)
{
	struct cloud_fake *fake = self;

	return fake->now_ms;
}

static uint64_t fake_random(void *self)
{
	struct cloud_fake *fake = self;

	return fake->random;
}

static struct cloud_timer *fake_timer_create(
	void *self, void (*fire)(void *arg), void *arg)
{
	struct cloud_fake *fake = self;
	struct cloud_timer *timer = calloc(1, sizeof(*timer));

	timer->fire = fire;
	timer->arg = arg;
	timer->due_ms = -1;
	TAILQ_INSERT_TAIL(&fake->timers, timer, entry);
	return timer;
}

static void fake_timer_set(void *self, struct cloud_timer *timer, int64_t delay_ms)
{
	struct cloud_fake *fake = self;

	require(delay_ms >= 0);
	timer->due_ms = fake->now_ms + delay_ms;
}

static void fake_timer_clear(void *self, struct cloud_timer *timer)
{
	(void)self;
	timer->due_ms = -1;
}

static void fake_timer_destroy(void *self, struct cloud_timer *timer)
{
	struct cloud_fake *fake = self;

	if (timer == NULL)
		return;
	TAILQ_REMOVE(&fake->timers, timer, entry);
	free(timer);
}

static enum cg_status exchange_start(struct cloud_fake *fake,
	const struct cloud_request *request, struct cloud_exchange **ret)
{
	struct cloud_exchange *exchange;
	enum cg_status refuse = fake->refuse;

	fake->refuse = CG_OK;
	if (refuse != CG_OK)
		return refuse;
	exchange = calloc(1, sizeof(*exchange));
	exchange->fake = fake;
	exchange->method = strdup(request->method);
	exchange->path = strdup(request->path);
	exchange->query = strdup(request->query != NULL ? request->query : "");
	exchange->body = cg_json_ref(request->body);
	exchange->idempotent = request->idempotent;
	exchange->timeout_ms = request->timeout_ms;
	exchange->response_limit = request->response_limit;
	TAILQ_INSERT_TAIL(&fake->exchanges, exchange, entry);
	*ret = exchange;
	return CG_OK;
}

static enum cg_status fake_call(void *self, const struct cloud_request *request,
	void (*done)(void *arg, const struct cloud_reply *reply), void *arg,
	struct cloud_exchange **ret, struct cg_error *err)
{
	enum cg_status status = exchange_start(self, request, ret);

	(void)err;
	if (status == CG_OK) {
		(*ret)->done = done;
		(*ret)->arg = arg;
	}
	return status;
}

static enum cg_status fake_stream(void *self, const struct cloud_request *request,
	const struct cloud_stream_handler *handler, struct cloud_exchange **ret,
	struct cg_error *err)
{
	enum cg_status status = exchange_start(self, request, ret);

	(void)err;
	if (status == CG_OK) {
		(*ret)->stream = true;
		(*ret)->handler = *handler;
	}
	return status;
}

static void fake_resume(void *self, struct cloud_exchange *exchange)
{
	(void)self;
	require(!exchange->over && exchange->paused);
	exchange->paused = false;
	exchange->resumed++;
}

static void fake_cancel(void *self, struct cloud_exchange *exchange)
{
	(void)self;
	require(!exchange->over);
	exchange->over = true;
	exchange->cancelled = true;
}

void cloud_fake_init(struct cloud_fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->now_ms = 1000000;
	TAILQ_INIT(&fake->exchanges);
	TAILQ_INIT(&fake->timers);
	fake->transport = (struct cloud_transport){
		.self = fake,
		.call = fake_call,
		.stream = fake_stream,
		.resume = fake_resume,
		.cancel = fake_cancel,
	};
	fake->host = (struct cloud_host){
		.self = fake,
		.mono_ms = fake_mono,
		.random = fake_random,
		.timer_create = fake_timer_create,
		.timer_set = fake_timer_set,
		.timer_clear = fake_timer_clear,
		.timer_destroy = fake_timer_destroy,
	};
}

void cloud_fake_finish(struct cloud_fake *fake)
{
	struct cloud_exchange *exchange;

	/* Whoever made a timer takes it back. */
	require(TAILQ_EMPTY(&fake->timers));
	while ((exchange = TAILQ_FIRST(&fake->exchanges)) != NULL) {
		require(exchange->over);
		TAILQ_REMOVE(&fake->exchanges, exchange, entry);
		free(exchange->method);
		free(exchange->path);
		free(exchange->query);
		cg_json_free(exchange->body);
		free(exchange);
	}
}

static struct cloud_timer *earliest(struct cloud_fake *fake)
{
	struct cloud_timer *timer, *first = NULL;

	TAILQ_FOREACH (timer, &fake->timers, entry) {
		if (timer->due_ms >= 0 &&
			(first == NULL || timer->due_ms < first->due_ms))
			first = timer;
	}
	return first;
}

void cloud_fake_advance(struct cloud_fake *fake, int64_t delay_ms)
{
	int64_t until_ms = fake->now_ms + delay_ms;
	struct cloud_timer *timer;

	while ((timer = earliest(fake)) != NULL && timer->due_ms <= until_ms) {
		if (timer->due_ms > fake->now_ms)
			fake->now_ms = timer->due_ms;
		timer->due_ms = -1;
		timer->fire(timer->arg);
	}
	fake->now_ms = until_ms;
}

struct cloud_exchange *cloud_fake_take(struct cloud_fake *fake)
{
	struct cloud_exchange *exchange;

	TAILQ_FOREACH (exchange, &fake->exchanges, entry) {
		if (!exchange->taken && !exchange->over) {
			exchange->taken = true;
			return exchange;
		}
	}
	return NULL;
}

void cloud_fake_reply(struct cloud_exchange *exchange, const struct cloud_reply *reply)
{
	require(!exchange->over);
	exchange->over = true;
	if (exchange->stream)
		exchange->handler.end(exchange->handler.arg, reply);
	else
		exchange->done(exchange->arg, reply);
}

static struct json_object *parse(const char *json)
{
	struct json_object *value = NULL;

	if (json != NULL && cg_json_parse(json, strlen(json), &value, NULL) != CG_OK)
		abort();
	return value;
}

void cloud_fake_answer(struct cloud_exchange *exchange, int http_status, const char *json)
{
	struct json_object *body = parse(json);

	cloud_fake_reply(exchange, &(struct cloud_reply){
					   .dispatched = true,
					   .http_status = http_status,
					   .body = body,
					   .retry_after_ms = -1,
				   });
	cg_json_free(body);
}

void cloud_fake_fail(
	struct cloud_exchange *exchange, enum cg_status status, const char *error)
{
	cloud_fake_reply(exchange,
		&(struct cloud_reply){
			.status = status, .retry_after_ms = -1, .error = error});
}

void cloud_fake_open(struct cloud_exchange *exchange)
{
	require(exchange->stream && !exchange->over);
	exchange->handler.open(exchange->handler.arg);
}

void cloud_fake_alive(struct cloud_exchange *exchange)
{
	require(exchange->stream && !exchange->over);
	exchange->handler.alive(exchange->handler.arg);
}

bool cloud_fake_event(
	struct cloud_exchange *exchange, int64_t id, const char *type, const char *json)
{
	struct json_object *data = parse(json);
	struct cloud_event event = {.id = id, .type = type, .data = data};
	bool more;

	require(exchange->stream && !exchange->over && !exchange->paused);
	more = exchange->handler.event(exchange->handler.arg, &event);
	exchange->paused = !more && !exchange->over;
	cg_json_free(data);
	return more;
}
