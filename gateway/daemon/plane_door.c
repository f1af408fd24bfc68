/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded plane's routes over HTTP: the same JSON, events as SSE.  Over the operator's
 * socket in the operator's right, over TCP in that of the token that is shown.
 */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DOOR_FRAME (4u << 20) /* bytes of one event frame */
#define DOOR_HEARTBEAT_MS 15000

struct door {
	LIST_ENTRY(door) entry; /* while its exchange goes on */
	struct operator* operator;
	struct plane *plane;
	struct plane_exchange *exchange;
	struct http_request *request;
	struct loop_timer heartbeat;
	struct loop_task burial;
	bool streaming; /* the head has been sent */
};

static void door_free(void *arg)
{
	struct door *door = arg;

	loop_timer_finish(&door->heartbeat);
	free(door);
}

static void reply(struct door *door, const struct plane_reply *from)
{
	char seconds[24];
	/* An answer may have a token in it. */
	const struct cg_http_header headers[] = {
		{"Cache-Control", "no-store"}, {"Retry-After", seconds}};
	struct http_reply to = {
		.status = from->status, .headers = headers, .header_count = 1};

	if (from->status == 401)
		operator_count_refusal(door->operator, door->request);
	if (from->retry_after_ms >= 0) {
		snprintf(seconds, sizeof(seconds), "%lld",
			(long long)((from->retry_after_ms + 999) / 1000));
		to.header_count = 2;
	}
	if (from->body != NULL)
		to.body = cg_json_text(from->body, &to.length);
	http_request_reply(door->request, &to);
}

static void call_done(void *arg, const struct plane_reply *from)
{
	struct door *door = arg;

	LIST_REMOVE(door, entry);
	reply(door, from);
	free(door);
}

/* Streams. */

static void retire(struct door *door, struct loop *loop)
{
	LIST_REMOVE(door, entry);
	loop_timer_clear(&door->heartbeat);
	loop_defer(loop, &door->burial);
}

static void reader_gone(void *arg)
{
	struct door *door = arg;

	plane_cancel(door->plane, door->exchange);
	retire(door, door->heartbeat.loop);
}

static void beat(void *arg)
{
	static const char comment[] = ": keep-alive\n\n";
	struct door *door = arg;

	if (http_request_stream_write(door->request, comment, sizeof(comment) - 1) ==
		CG_OK)
		loop_timer_set(&door->heartbeat, DOOR_HEARTBEAT_MS);
}

static void stream_opened(void *arg)
{
	static const char hello[] = ": connected\nretry: 2000\n\n";
	static const struct cg_http_header headers[] = {
		{"Cache-Control", "no-store, no-transform"}};
	struct door *door = arg;

	door->streaming =
		http_request_stream(door->request, "text/event-stream; charset=utf-8",
			headers, 1, reader_gone, door) == CG_OK;
	if (!door->streaming) {
		plane_cancel(door->plane, door->exchange);
		http_request_fail(door->request, 429, "too many streams are open", 1000);
		retire(door, door->heartbeat.loop);
		return;
	}
	http_request_stream_write(door->request, hello, sizeof(hello) - 1);
	loop_timer_set(&door->heartbeat, DOOR_HEARTBEAT_MS);
}

static bool stream_event(void *arg, const struct plane_event *event)
{
	struct door *door = arg;
	struct cg_buffer frame;
	size_t length;
	const char *data = cg_json_text(event->data, &length);

	cg_buffer_init(&frame, DOOR_FRAME);
	if (event->id >= 0)
		cg_buffer_format(&frame, "id: %lld\n", (long long)event->id);
	cg_buffer_format(&frame, "event: %s\ndata: ", event->type);
	cg_buffer_add(&frame, data, length);
	cg_buffer_text(&frame, "\n\n");
	/* A reader that owes too much is closed by the server, and comes back with its cursor. */
	if (door->streaming && cg_buffer_status(&frame) == CG_OK)
		http_request_stream_write(
			door->request, cg_buffer_string(&frame), frame.length);
	cg_buffer_finish(&frame);
	return true;
}

static void stream_ended(void *arg, const struct plane_reply *from)
{
	struct door *door = arg;

	if (door->streaming)
		http_request_stream_end(door->request);
	else
		reply(door, from);
	retire(door, door->heartbeat.loop);
}

/* Beginning. */

static bool parse_body(struct http_request *request, struct json_object **ret)
{
	size_t length;
	const char *bytes = http_request_body(request, &length);
	struct cg_error err;

	*ret = NULL;
	if (length == 0 || cg_json_parse(bytes, length, ret, &err) == CG_OK)
		return true;
	http_request_fail(request, 400, "Request body must be valid JSON.", -1);
	return false;
}

static enum cg_status begin(
	struct door *door, struct loop *loop, const struct plane_request *request)
{
	struct plane_stream_handler handler = {.open = stream_opened,
		.event = stream_event,
		.end = stream_ended,
		.arg = door};
	enum cg_status status;

	if (!plane_is_stream(request->method, request->path))
		return plane_call(
			door->plane, request, call_done, door, &door->exchange, NULL);
	status = loop_timer_init(&door->heartbeat, loop, beat, door);
	if (status == CG_OK)
		status = plane_stream(
			door->plane, request, &handler, &door->exchange, NULL);
	return status;
}

static struct plane_principal judge(const struct http_request *request)
{
	const char *bearer = http_request_header(request, "authorization");

	if (http_request_is_unix(request))
		return (struct plane_principal){
			.kind = PLANE_OPERATOR, .name = "operator"};
	if (bearer == NULL || strncasecmp(bearer, "bearer ", 7) != 0)
		return (struct plane_principal){.kind = PLANE_ANONYMOUS};
	bearer += 7;
	return (struct plane_principal){
		.kind = PLANE_TOKEN, .token = bearer + strspn(bearer, " ")};
}

void plane_door(struct daemon *daemon, struct http_request *request)
{
	struct door *door = calloc(1, sizeof(*door));
	struct plane_request view = {
		.method = http_request_method(request),
		.path = http_request_path(request),
		.query = http_request_query(request),
		.principal = judge(request),
	};

	if (door == NULL || !parse_body(request, &view.body)) {
		if (door == NULL)
			http_request_fail(request, 503, "out of memory", 1000);
		free(door);
		return;
	}
	door->operator= daemon->operator;
	door->plane = daemon->plane;
	door->request = request;
	loop_task_init(&door->burial, door_free, door);
	if (daemon->stopping || begin(door, daemon->loop, &view) != CG_OK) {
		http_request_fail(request, 503, "the plane is busy", 1000);
		door_free(door);
	} else {
		LIST_INSERT_HEAD(&daemon->doors, door, entry);
	}
	cg_json_free(view.body);
}

void plane_door_close(struct daemon *daemon)
{
	struct door *door;

	while ((door = LIST_FIRST(&daemon->doors)) != NULL) {
		LIST_REMOVE(door, entry);
		plane_cancel(door->plane, door->exchange);
		if (door->streaming)
			http_request_stream_end(door->request);
		else
			http_request_fail(
				door->request, 503, "the plane is shutting down", 1000);
		door_free(door);
	}
}
