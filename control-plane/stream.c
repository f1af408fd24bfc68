/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: events of a session, and deliveries.
 *
 * A session's stream is either at the head, and gets events as they are committed, or
 * behind, and reads pages from the store until it has caught up.  A paused one costs
 * nothing but its place: what it misses stays in the store.  Frames are handed over
 * only after their commit.
 */
#include "control-plane/event.h"
#include "control-plane/exchange.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define CLAIM_TTL_MS 30000
#define CLAIM_TTL_MOST_MS (10 * 60 * 1000)

static bool delivers(const struct plane_exchange *stream)
{
	return (stream->route->flags & ROUTE_DELIVERY) != 0;
}

static enum cg_status page_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct plane_exchange *stream = arg;
	struct call *call = &stream->call;
	const struct delivery_claim claim = {
		.claimed_by = stream->claimed_by,
		.last_claimed_by = call->actor,
		.ttl_ms = stream->ttl_ms,
		.bindings = (const char *const *)stream->bindings,
		.binding_count = stream->binding_count,
	};

	call->change.tx = tx;
	call->change.err = err;
	if (delivers(stream))
		return delivery_claim_due(&call->change, &claim, &stream->next_due);
	return event_read(&call->change, call->session, call->session_id, stream->sent);
}

static void arm(struct plane_exchange *stream)
{
	int64_t wait;

	if (stream->next_due == 0)
		return;
	wait = stream->next_due - clock_wall(loop_clock(stream->plane->loop));
	loop_timer_set(&stream->timer, wait < 0 ? 0 : wait);
}

static void page_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct plane_exchange *stream = arg;
	struct plane *plane = stream->plane;

	(void)err;
	stream->in_flight = false;
	if (plane->closing)
		return;
	if (status == CG_OK) {
		stream->queue = change_take_published(&stream->call.change);
		if (delivers(stream))
			arm(stream);
		else if (stream->queue ==
			 NULL) /* pruned since: nothing is left to wait for */
			stream->sent = stream->head;
		loop_defer(plane->loop, &stream->task);
		return;
	}
	change_finish(&stream->call.change);
	stream->due = true;
	if (stream->cancelled)
		loop_defer(plane->loop, &stream->task);
	else
		loop_timer_set(&stream->timer, PLANE_STORE_RETRY_MS);
}

static void submit_page(struct plane_exchange *stream)
{
	struct plane *plane = stream->plane;

	plane_change(plane, &stream->call.change);
	stream->job.work = page_work;
	stream->job.done = page_done;
	stream->job.flags = 0;
	stream->due = false;
	stream->in_flight = database_submit(plane->database, &stream->job) == CG_OK;
	if (!stream->in_flight) {
		stream->due = true;
		loop_timer_set(&stream->timer, PLANE_STORE_RETRY_MS);
	}
}

static void deliver(struct plane_exchange *stream, const struct published *frame)
{
	const struct plane_event event = {frame->sequence, frame->type, frame->data};

	if (frame->sequence > stream->sent)
		stream->sent = frame->sequence;
	if (!stream->handler.event(stream->handler.arg, &event))
		stream->paused = true;
}

/* Its token has expired. */
static bool is_over(const struct plane_exchange *stream)
{
	const struct call *call = &stream->call;

	return call->principal == PLANE_TOKEN &&
	       clock_wall(loop_clock(stream->plane->loop)) >= call->token_end;
}

/* Whoever comes back is told why. */
static void end(struct plane_exchange *stream)
{
	const struct plane_reply reply = {200, NULL, -1};

	stream->ending = true;
	stream->cancelled = true;
	stream->handler.end(stream->handler.arg, &reply);
	if (!stream->in_flight)
		loop_defer(stream->plane->loop, &stream->task);
}

void stream_pump(struct plane_exchange *stream)
{
	if (is_over(stream)) {
		end(stream);
		return;
	}
	while (stream->queue != NULL && !stream->paused && !stream->cancelled) {
		struct published *frame = stream->queue;

		stream->queue = frame->next;
		frame->next = NULL;
		deliver(stream, frame);
		published_free(frame);
	}
	if (stream->queue != NULL || stream->paused || stream->cancelled ||
		stream->in_flight)
		return;
	if (delivers(stream) ? stream->due : stream->sent < stream->head)
		submit_page(stream);
}

/* Something is due, or the store is to be tried again. */
static void stream_timer(void *arg)
{
	struct plane_exchange *stream = arg;

	stream->due = true;
	loop_defer(stream->plane->loop, &stream->task);
}

static enum cg_status read_claimant(struct plane_exchange *stream)
{
	struct call *call = &stream->call;
	char id[CALL_FIELD + 1];

	stream->ttl_ms =
		call_query_number(call, "ttlMs", CLAIM_TTL_MS, 1000, CLAIM_TTL_MOST_MS);
	if (!call_query(call, "claimedBy", 0, stream->claimed_by))
		cg_text_copy(stream->claimed_by, sizeof(stream->claimed_by), call->actor);
	for (size_t i = 0;
		i < DELIVERY_BINDINGS && call_query(call, "channelBindingId", i, id);
		i++) {
		stream->bindings[i] = strdup(id);
		if (stream->bindings[i] == NULL)
			return CG_NOMEM;
		stream->binding_count++;
	}
	return CG_OK;
}

static enum cg_status stream_link(struct plane_exchange *stream)
{
	struct plane *plane = stream->plane;

	if (loop_timer_init(&stream->timer, plane->loop, stream_timer, stream) != CG_OK)
		return CG_NOMEM;
	if (delivers(stream)) {
		if (read_claimant(stream) != CG_OK)
			return CG_NOMEM;
		stream->due = true;
		stream->next_stream = plane->delivery_streams;
		plane->delivery_streams = stream;
		plane->delivery_stream_count++;
		return CG_OK;
	}
	stream->live = live_get(&plane->live, stream->call.session);
	if (stream->live == NULL)
		return CG_NOMEM;
	stream->next_stream = stream->live->streams;
	stream->live->streams = stream;
	stream->sent = stream->call.after;
	stream->head = stream->call.head;
	return CG_OK;
}

void stream_begin(struct plane_exchange *stream)
{
	stream->opened = true;
	stream->queue = change_take_published(&stream->call.change);
	if (stream_link(stream) != CG_OK) {
		struct plane_reply reply = {503, NULL, PLANE_STORE_RETRY_MS};

		stream->ending = true;
		stream->cancelled = true;
		stream->handler.end(stream->handler.arg, &reply);
	} else {
		stream->handler.open(stream->handler.arg);
	}
	loop_defer(stream->plane->loop, &stream->task);
}

static void unlink_from(struct plane_exchange **list, struct plane_exchange *stream)
{
	while (*list != NULL && *list != stream)
		list = &(*list)->next_stream;
	if (*list != NULL)
		*list = stream->next_stream;
}

void stream_unlink(struct plane_exchange *stream)
{
	struct plane *plane = stream->plane;

	plane->stream_count--;
	loop_timer_finish(&stream->timer);
	published_free(stream->queue);
	for (size_t i = 0; i < stream->binding_count; i++)
		free(stream->bindings[i]);
	if (stream->live != NULL) {
		unlink_from(&stream->live->streams, stream);
		live_release(&plane->live, stream->live);
	} else if (stream->opened && delivers(stream)) {
		unlink_from(&plane->delivery_streams, stream);
		plane->delivery_stream_count--;
	}
}

/* Whoever is at the head gets the event now; the others know that there is more. */
static void publish_one(struct live *live, const struct published *frame)
{
	struct plane_exchange *next;

	for (struct plane_exchange *stream = live->streams; stream != NULL;
		stream = next) {
		next = stream->next_stream;
		if (stream->cancelled || frame->sequence <= stream->head)
			continue;
		stream->head = frame->sequence;
		if (stream->paused || stream->in_flight)
			continue;
		if (stream->queue == NULL && frame->sequence == stream->sent + 1 &&
			!is_over(stream))
			deliver(stream, frame);
		else
			loop_defer(stream->plane->loop, &stream->task);
	}
}

void stream_publish(struct plane *plane, const struct published *list)
{
	struct live *live = NULL;

	for (; list != NULL; list = list->next) {
		if (live == NULL || live->session != list->session)
			live = live_find(&plane->live, list->session);
		if (live != NULL)
			publish_one(live, list);
	}
}

void stream_end_session(struct plane *plane, int64_t session)
{
	struct live *live = live_find(&plane->live, session);
	struct plane_exchange *next;

	for (struct plane_exchange *stream = live == NULL ? NULL : live->streams;
		stream != NULL; stream = next) {
		next = stream->next_stream;
		if (!stream->cancelled && !stream->ending)
			end(stream);
	}
}

void stream_revoke(struct plane *plane, const char *token_id)
{
	struct plane_exchange *next;

	for (struct plane_exchange *stream = plane->exchanges; stream != NULL;
		stream = next) {
		next = stream->next;
		if (stream->opened && !stream->cancelled && !stream->ending &&
			stream->call.principal == PLANE_TOKEN &&
			strcmp(stream->call.token.id, token_id) == 0)
			end(stream);
	}
}

void stream_deliveries_due(struct plane *plane)
{
	for (struct plane_exchange *stream = plane->delivery_streams; stream != NULL;
		stream = stream->next_stream) {
		stream->due = true;
		loop_defer(plane->loop, &stream->task);
	}
}
