/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sides name the same things: a request here is a request there, in memory, in the
 * right of this gateway.
 */
#include "gateway/daemon/house.h"

#include <stdlib.h>

struct cloud_exchange {
	struct plane *plane;
	struct plane_exchange *inner;
	void (*done)(void *arg, const struct cloud_reply *reply);
	void *arg;
	struct cloud_stream_handler handler; /* of a stream */
};

static void view_request(const struct cloud_request *request, struct plane_request *ret)
{
	*ret = (struct plane_request){
		.method = request->method,
		.path = request->path,
		.query = request->query,
		.body = request->body,
		.principal = {.kind = PLANE_GATEWAY, .name = "gateway"},
	};
}

static void view_reply(const struct plane_reply *reply, struct cloud_reply *ret)
{
	*ret = (struct cloud_reply){
		.status = CG_OK,
		.dispatched = true,
		.http_status = reply->status,
		.body = reply->body,
		.retry_after_ms = reply->retry_after_ms,
	};
}

static void call_done(void *arg, const struct plane_reply *reply)
{
	struct cloud_exchange *exchange = arg;
	struct cloud_reply view;

	view_reply(reply, &view);
	exchange->done(exchange->arg, &view);
	free(exchange);
}

static enum cg_status link_call(void *self, const struct cloud_request *request,
	void (*done)(void *arg, const struct cloud_reply *reply), void *arg,
	struct cloud_exchange **ret, struct cg_error *err)
{
	struct cloud_exchange *exchange = calloc(1, sizeof(*exchange));
	struct plane_request view;
	enum cg_status status;

	if (exchange == NULL)
		return CG_NOMEM;
	exchange->plane = self;
	exchange->done = done;
	exchange->arg = arg;
	view_request(request, &view);
	status = plane_call(self, &view, call_done, exchange, &exchange->inner, err);
	if (status != CG_OK) {
		free(exchange);
		return status;
	}
	*ret = exchange;
	return CG_OK;
}

static void stream_opened(void *arg)
{
	struct cloud_exchange *exchange = arg;

	exchange->handler.open(exchange->handler.arg);
}

static bool stream_event(void *arg, const struct plane_event *event)
{
	struct cloud_exchange *exchange = arg;
	struct cloud_event view = {
		.id = event->id, .type = event->type, .data = event->data};

	return exchange->handler.event(exchange->handler.arg, &view);
}

static void stream_ended(void *arg, const struct plane_reply *reply)
{
	struct cloud_exchange *exchange = arg;
	struct cloud_reply view;

	view_reply(reply, &view);
	exchange->handler.end(exchange->handler.arg, &view);
	free(exchange);
}

static enum cg_status link_stream(void *self, const struct cloud_request *request,
	const struct cloud_stream_handler *handler, struct cloud_exchange **ret,
	struct cg_error *err)
{
	struct cloud_exchange *exchange = calloc(1, sizeof(*exchange));
	struct plane_stream_handler inner = {.open = stream_opened,
		.event = stream_event,
		.end = stream_ended,
		.arg = exchange};
	struct plane_request view;
	enum cg_status status;

	if (exchange == NULL)
		return CG_NOMEM;
	exchange->plane = self;
	exchange->handler = *handler;
	view_request(request, &view);
	status = plane_stream(self, &view, &inner, &exchange->inner, err);
	if (status != CG_OK) {
		free(exchange);
		return status;
	}
	*ret = exchange;
	return CG_OK;
}

static void link_resume(void *self, struct cloud_exchange *exchange)
{
	plane_resume(self, exchange->inner);
}

static void link_cancel(void *self, struct cloud_exchange *exchange)
{
	plane_cancel(self, exchange->inner);
	free(exchange);
}

void plane_link(struct plane *plane, struct cloud_transport *ret)
{
	*ret = (struct cloud_transport){
		.self = plane,
		.quiet =
			true, /* in memory there are no heartbeats, and no connection to lose */
		.call = link_call,
		.stream = link_stream,
		.resume = link_resume,
		.cancel = link_cancel,
	};
}
