/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/transport.h"

#include "control-plane/exchange.h"
#include "control-plane/turn.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

void exchange_destroy(struct plane_exchange *exchange)
{
	struct plane *plane = exchange->plane;

	if (exchange->stream)
		stream_unlink(exchange);
	if (exchange->previous == NULL)
		plane->exchanges = exchange->next;
	else
		exchange->previous->next = exchange->next;
	if (exchange->next != NULL)
		exchange->next->previous = exchange->previous;
	plane->exchange_count--;
	loop_undefer(plane->loop, &exchange->task);
	call_finish(&exchange->call);
	free(exchange);
}

/* The last callback of a call, or the end of a stream that was refused. */
static void exchange_end(struct plane_exchange *exchange)
{
	const struct plane_reply reply = {exchange->call.status, exchange->call.reply,
		exchange->call.status == 429 || exchange->call.status == 503
			? exchange->call.retry_after_ms
			: -1};

	exchange->ending = true;
	if (exchange->stream)
		exchange->handler.end(exchange->handler.arg, &reply);
	else
		exchange->done(exchange->arg, &reply);
}

static void exchange_task(void *arg)
{
	struct plane_exchange *exchange = arg;

	if (exchange->cancelled) {
		if (!exchange->in_flight)
			exchange_destroy(exchange);
	} else if (exchange->opened) {
		stream_pump(exchange);
	} else {
		exchange_end(exchange);
		exchange_destroy(exchange);
	}
}

static enum cg_status exchange_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct plane_exchange *exchange = arg;

	enum cg_status status;

	exchange->call.change.tx = tx;
	exchange->call.change.err = err;
	status = call_admit(&exchange->call, (exchange->route->flags & ROUTE_READ) != 0);
	return status == CG_OK ? exchange->route->serve(&exchange->call) : status;
}

/*
 * What an early answer made must be kept before anything is built on it.  Called once
 * more, not early, the route finds it, or makes it again if its commit failed.
 */
static bool again(struct plane_exchange *exchange)
{
	struct plane *plane = exchange->plane;
	struct call *call = &exchange->call;

	if ((exchange->job.flags & DATABASE_EARLY) == 0)
		return false;
	change_finish(&call->change);
	plane_change(plane, &call->change);
	call->settle = false;
	call->again = true;
	exchange->job.flags = 0;
	exchange->in_flight = database_submit(plane->database, &exchange->job) == CG_OK;
	if (!exchange->in_flight)
		call_refuse_unavailable(call, "Too many requests wait for the store.");
	return exchange->in_flight;
}

static void exchange_done(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct plane_exchange *exchange = arg;
	struct plane *plane = exchange->plane;
	struct call *call = &exchange->call;

	(void)err;
	exchange->in_flight = false;
	plane->turns_starting -= exchange->starting;
	exchange->starting = false;
	if (plane->closing)
		return;
	if (status != CG_OK && !call_refused(call))
		call_refuse_unavailable(call, "The store cannot work at the moment.");
	if (status == CG_OK && call->settle && again(exchange))
		return;
	if (exchange->stream && !exchange->cancelled && !call_refused(call)) {
		stream_begin(exchange);
		return;
	}
	if (!exchange->cancelled)
		exchange_end(exchange);
	/* An early answer may not be kept: readers find its events when they look. */
	if (exchange->route->flags & ROUTE_EARLY)
		published_free(change_take_published(&call->change));
	/* Of an erasure the commit may stand though it failed; what follows does no harm. */
	if ((status == CG_OK || (exchange->route->flags & ROUTE_ERASE)) &&
		!exchange->stream)
		plane_follow(plane, &call->change);
	if (status == CG_OK && call->taken.text != NULL)
		turn_adopt(plane, call->taken_session, &call->taken);
	exchange_destroy(exchange);
}

/* Health, for whoever asks. */
static bool answer_health(
	struct plane *plane, const struct plane_request *request, struct call *call)
{
	struct json_object *reply;
	struct cg_error err = {0};
	bool ready;

	if (strcmp(request->method, "GET") != 0 ||
		(strcmp(request->path, "/livez") != 0 &&
			strcmp(request->path, "/readyz") != 0))
		return false;
	ready = strcmp(request->path, "/livez") == 0 ||
		plane_health(plane, &err) == CG_OK;
	reply = cg_json_new_object();
	cg_json_put_bool(reply, "ok", ready);
	cg_json_put_string(reply, "role", "all-in-one");
	cg_json_put_string(reply, "profileName", PLANE_PROFILE);
	if (!ready)
		cg_json_put_string(reply, "error", err.text);
	call_answer(call, ready ? 200 : 503, reply);
	return true;
}

/* Whether the principal may call the route at all; what it names, the route judges. */
static void authorise(struct plane_exchange *exchange)
{
	struct call *call = &exchange->call;
	struct plane *plane = exchange->plane;
	const struct route *route = exchange->route;

	if (call->principal == PLANE_ANONYMOUS ||
		(call->principal == PLANE_TOKEN && call->token.id[0] == '\0'))
		call_refuse(call, 401, "auth.required", "Authentication is required.");
	else if (call->principal == PLANE_TOKEN &&
		 (route == NULL || !(route->flags & ROUTE_TOKEN)))
		call_refuse(call, 403, "authorization.scope_required",
			"This token is not authorised here.");
	else if (route == NULL ||
		 ((route->flags & ROUTE_STREAM) != 0) != exchange->stream)
		call_refuse(call, 404, "route.not_found", "There is no such route.");
	else if ((route->flags & ROUTE_OPERATOR) && call->principal != PLANE_OPERATOR)
		call_refuse(call, 403, "authorization.principal_denied",
			"Only the operator may do this.");
	else if (plane->broken)
		call_refuse_unavailable(call, "The store is not prepared yet.");
	else if ((route->flags & ROUTE_PROMPT) && plane->turn_count >= TURN_SESSIONS)
		call_refuse_later(call, CALL_RETRY_MS, "quota.queue_full",
			"Too many chats wait for the agent.");
	else if (exchange->stream &&
		 (plane->stream_count > PLANE_STREAMS ||
			 ((route->flags & ROUTE_DELIVERY) &&
				 plane->delivery_stream_count >= PLANE_DELIVERY_STREAMS)))
		call_refuse_later(call, CALL_RETRY_MS, "quota.streams_exceeded",
			"Too many streams are open.");
}

static enum cg_status exchange_create(struct plane *plane,
	const struct plane_request *request, bool stream, struct plane_exchange **ret,
	struct cg_error *err)
{
	struct plane_exchange *exchange;
	struct call *call;

	if (plane->exchange_count >= PLANE_EXCHANGES)
		return cg_error_set(err, CG_LIMIT, "too many requests are under way");
	exchange = calloc(1, sizeof(*exchange));
	if (exchange == NULL)
		return cg_error_nomem(err);
	call = &exchange->call;
	if (request->query != NULL) {
		call->query = strdup(request->query);
		if (call->query == NULL) {
			free(exchange);
			return cg_error_nomem(err);
		}
	}
	exchange->plane = plane;
	exchange->stream = stream;
	exchange->next = plane->exchanges;
	if (plane->exchanges != NULL)
		plane->exchanges->previous = exchange;
	plane->exchanges = exchange;
	plane->exchange_count++;
	plane->stream_count += stream;
	loop_task_init(&exchange->task, exchange_task, exchange);
	plane_change(plane, &call->change);
	call->principal = request->principal.kind;
	if (call->principal == PLANE_TOKEN)
		token_read(request->principal.token, &call->token);
	cg_text_copy(call->actor, sizeof(call->actor),
		call->principal == PLANE_TOKEN     ? call->token.id
		: request->principal.name != NULL  ? request->principal.name
		: call->principal == PLANE_GATEWAY ? "gateway"
						   : "operator");
	if (cg_json_is_object(request->body))
		call->body = cg_json_copy(request->body);
	call->pairing_key = plane->pairing_key;
	call->channels = plane->channels;
	call->roster = &plane->roster;
	call->history_bytes = plane->history_bytes;
	*ret = exchange;
	return CG_OK;
}

static void exchange_start(
	struct plane_exchange *exchange, const struct plane_request *request)
{
	struct plane *plane = exchange->plane;
	struct call *call = &exchange->call;
	const struct route *route = router_find(request->method, request->path, call->id);
	enum cg_status status = CG_LIMIT;

	exchange->route = route;
	if (exchange->stream || !answer_health(plane, request, call))
		authorise(exchange);
	if (call->status != 0) {
		loop_defer(plane->loop, &exchange->task);
		return;
	}
	call->may_begin = (route->flags & ROUTE_PROMPT) != 0 && plane->ready == NULL &&
			  plane->turns_running + plane->turns_starting < TURN_RUNNING;
	exchange->job.work = exchange_work;
	exchange->job.done = exchange_done;
	exchange->job.arg = exchange;
	exchange->job.flags = route->flags & ROUTE_EARLY   ? DATABASE_EARLY
			      : route->flags & ROUTE_ERASE ? DATABASE_ERASE
							   : 0;
	if ((route->flags & ROUTE_READ) && plane->offload != NULL)
		status = database_read(plane->database, plane->offload, &exchange->job);
	if (status != CG_OK)
		status = database_submit(plane->database, &exchange->job);
	exchange->in_flight = status == CG_OK;
	exchange->starting = exchange->in_flight && call->may_begin;
	plane->turns_starting += exchange->starting;
	if (status != CG_OK) {
		call_refuse_unavailable(call, "Too many requests wait for the store.");
		loop_defer(plane->loop, &exchange->task);
	}
}

enum cg_status plane_call(struct plane *plane, const struct plane_request *request,
	void (*done)(void *arg, const struct plane_reply *reply), void *arg,
	struct plane_exchange **ret, struct cg_error *err)
{
	struct plane_exchange *exchange;
	enum cg_status status = exchange_create(plane, request, false, &exchange, err);

	if (status != CG_OK)
		return status;
	exchange->done = done;
	exchange->arg = arg;
	exchange_start(exchange, request);
	*ret = exchange;
	return CG_OK;
}

enum cg_status plane_stream(struct plane *plane, const struct plane_request *request,
	const struct plane_stream_handler *handler, struct plane_exchange **ret,
	struct cg_error *err)
{
	struct plane_exchange *exchange;
	enum cg_status status = exchange_create(plane, request, true, &exchange, err);

	if (status != CG_OK)
		return status;
	exchange->handler = *handler;
	exchange_start(exchange, request);
	*ret = exchange;
	return CG_OK;
}

void plane_resume(struct plane *plane, struct plane_exchange *exchange)
{
	exchange->paused = false;
	if (exchange->opened)
		loop_defer(plane->loop, &exchange->task);
}

void plane_cancel(struct plane *plane, struct plane_exchange *exchange)
{
	if (exchange == NULL || exchange->ending)
		return;
	exchange->cancelled = true;
	if (!exchange->in_flight)
		loop_defer(plane->loop, &exchange->task);
}

bool plane_is_stream(const char *method, const char *path)
{
	char id[2][CALL_FIELD + 1];
	const struct route *route = router_find(method, path, id);

	return route != NULL && (route->flags & ROUTE_STREAM) != 0;
}
