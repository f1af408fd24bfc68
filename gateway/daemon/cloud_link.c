/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl is on the stack while a stream's head and data come in, so an exchange never dies
 * there: it is marked, and its task frees it on a later turn.
 */
#include "gateway/daemon/cloud_link.h"

#include "cloud-client/sse.h"
#include "runtime/log.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#define LINK_URL (512u << 10) /* bytes: a delivery stream names every binding */
#define LINK_REQUEST_ID 33 /* hexadecimal digits and NUL */
#define LINK_TYPE 64 /* bytes kept of an event's type */

struct cloud_link {
	struct loop *loop;
	struct http_client *http;
	char *base_url;
	char *ca_file; /* NULL: the system's */
	struct cg_secret authorization; /* "Bearer …" */
	LIST_HEAD(, cloud_exchange) exchanges;
};

/* An event that came while the reader had paused. */
struct held {
	STAILQ_ENTRY(held) link;
	int64_t id;
	struct json_object *data;
	char type[LINK_TYPE];
};

struct cloud_exchange {
	LIST_ENTRY(cloud_exchange) entry;
	struct cloud_link *link;
	struct cg_http_call *http; /* NULL: it has ended */
	struct loop_task task;
	char request_id[LINK_REQUEST_ID];
	void (*done)(void *arg, const struct cloud_reply *reply); /* NULL: a stream */
	void *arg;
	bool cancelled;

	/* Of a stream. */
	struct cloud_stream_handler handler;
	struct cloud_sse sse;
	bool paused;
	bool cut; /* paused for too long: the connection was given up */
	bool broken; /* what came is no event stream */
	bool over; /* ended while events were held */
	enum cg_status over_status;
	int over_http;
	STAILQ_HEAD(, held) held;
	size_t held_count, held_bytes;
};

/* Life. */

static void exchange_free(struct cloud_exchange *exchange)
{
	struct held *held;

	while ((held = STAILQ_FIRST(&exchange->held)) != NULL) {
		STAILQ_REMOVE_HEAD(&exchange->held, link);
		cg_json_free(held->data);
		free(held);
	}
	loop_undefer(exchange->link->loop, &exchange->task);
	cloud_sse_finish(&exchange->sse);
	LIST_REMOVE(exchange, entry);
	free(exchange);
}

static void link_cancel(void *self, struct cloud_exchange *exchange)
{
	struct cloud_link *link = self;

	if (exchange->cancelled)
		return;
	exchange->cancelled = true;
	http_client_cancel(link->http, exchange->http);
	exchange->http = NULL;
	loop_defer(link->loop, &exchange->task);
}

/* What a response means. */

static enum cg_status status_of(enum cg_http_result result)
{
	switch (result) {
	case CG_HTTP_DONE:
		return CG_OK;
	case CG_HTTP_TIMED_OUT:
		return CG_TIMEOUT;
	case CG_HTTP_TOO_LARGE:
		return CG_LIMIT;
	case CG_HTTP_NOT_DISPATCHED:
	case CG_HTTP_NO_ANSWER:
	case CG_HTTP_POLICY:
	case CG_HTTP_CANCELLED:
		break;
	}
	return CG_NETWORK;
}

static void view_response(const struct cloud_exchange *exchange,
	const struct cg_http_response *response, struct cloud_reply *ret)
{
	*ret = (struct cloud_reply){
		.status = status_of(response->result),
		.dispatched = response->result != CG_HTTP_NOT_DISPATCHED &&
			      response->result != CG_HTTP_POLICY,
		.retry_after_ms = response->retry_after_ms,
		.error = response->error,
	};
	if (ret->status == CG_OK)
		ret->http_status = response->status;
	if (ret->status == CG_OK && response->status >= 200 && response->status < 300)
		return;
	log_debug("cloud.request_failed", "request", exchange->request_id, "status",
		log_int(ret->http_status), "why", response->error, NULL);
}

/* The JSON object of a reply; an empty 2xx stands for {}. */
static struct json_object *read_body(const struct cg_http_response *response)
{
	struct json_object *body = NULL;

	if (response->result != CG_HTTP_DONE)
		return NULL;
	if (response->length == 0 && response->status >= 200 && response->status < 300)
		return cg_json_new_object();
	if (cg_json_parse(response->body, response->length, &body, NULL) != CG_OK)
		return NULL;
	if (cg_json_is_object(body))
		return body;
	cg_json_free(body);
	return NULL;
}

/*
 * The Cloud refuses in JSON.  A refusal without it comes from something in between, a proxy that
 * is being set up, a wall, a page to sign in: nothing is dead because of it.  Those that speak of
 * the size of this very request are true whoever says them.
 */
static void doubt_refusal(struct cloud_reply *reply)
{
	int status = reply->http_status;

	if (status < 400 || status >= 500 || reply->body != NULL || status == 408 ||
		status == 413 || status == 414 || status == 429 || status == 431)
		return;
	reply->status = CG_PROTOCOL;
	reply->http_status = 0;
	reply->error = "something that is not the Cloud refused the request";
}

static void call_done(void *arg, const struct cg_http_response *response)
{
	struct cloud_exchange *exchange = arg;
	struct json_object *body = read_body(response);
	struct cloud_reply reply;

	exchange->http = NULL;
	view_response(exchange, response, &reply);
	reply.body = body;
	doubt_refusal(&reply);
	exchange->done(exchange->arg, &reply);
	cg_json_free(body);
	exchange_free(exchange);
}

/* Streams. */

static void end_stream(struct cloud_exchange *exchange, const struct cloud_reply *reply)
{
	exchange->handler.end(exchange->handler.arg, reply);
	exchange_free(exchange);
}

/* What was held, then the end if it has come meanwhile. */
static void hand_over(struct cloud_exchange *exchange)
{
	struct cloud_reply reply = {.dispatched = true, .retry_after_ms = -1};
	struct held *held;

	while (!exchange->paused && !exchange->cancelled &&
		(held = STAILQ_FIRST(&exchange->held)) != NULL) {
		struct cloud_event event = {
			.id = held->id, .type = held->type, .data = held->data};

		STAILQ_REMOVE_HEAD(&exchange->held, link);
		exchange->held_count--;
		exchange->paused =
			!exchange->handler.event(exchange->handler.arg, &event);
		cg_json_free(held->data);
		free(held);
	}
	if (exchange->paused || exchange->cancelled)
		return;
	exchange->held_bytes = 0;
	if (!exchange->over)
		return;
	reply.status = exchange->over_status;
	reply.http_status = exchange->over_http;
	end_stream(exchange, &reply);
}

static void on_task(void *arg)
{
	struct cloud_exchange *exchange = arg;

	if (exchange->cancelled)
		exchange_free(exchange);
	else
		hand_over(exchange);
}

static void link_resume(void *self, struct cloud_exchange *exchange)
{
	struct cloud_link *link = self;

	exchange->paused = false;
	loop_defer(link->loop, &exchange->task);
}

static bool hold(struct cloud_exchange *exchange, const struct cloud_event *event)
{
	struct held *held =
		exchange->held_count < CLOUD_LINK_HELD ? calloc(1, sizeof(*held)) : NULL;

	if (held == NULL) {
		exchange->cut = true;
		return false;
	}
	held->id = event->id;
	held->data = cg_json_ref(event->data);
	cg_text_copy(held->type, sizeof(held->type), event->type);
	STAILQ_INSERT_TAIL(&exchange->held, held, link);
	exchange->held_count++;
	return true;
}

static bool take_event(void *arg, const struct cloud_event *event)
{
	struct cloud_exchange *exchange = arg;

	if (exchange->paused || exchange->held_count > 0)
		return hold(exchange, event);
	exchange->paused = !exchange->handler.event(exchange->handler.arg, event);
	return !exchange->cancelled;
}

static void stream_head(void *arg, const struct cg_http_response *head)
{
	static const char wanted[] = "text/event-stream";
	struct cloud_exchange *exchange = arg;
	const char *type = "";

	if (head->status < 200 || head->status >= 300)
		return;
	for (size_t i = 0; i < head->header_count; i++) {
		if (strcmp(head->headers[i].name, "content-type") == 0)
			type = head->headers[i].value;
	}
	/* A sign-in page of some network in between answers 200 too. */
	if (strncasecmp(type, wanted, sizeof(wanted) - 1) == 0)
		exchange->handler.open(exchange->handler.arg);
	else
		exchange->broken = true;
}

static bool stream_data(void *arg, const char *data, size_t length)
{
	struct cloud_exchange *exchange = arg;
	enum cg_status status;

	if (exchange->broken)
		return false;
	exchange->handler.alive(exchange->handler.arg);
	if (exchange->cancelled)
		return false;
	if (exchange->paused || exchange->held_count > 0)
		exchange->held_bytes += length;
	if (exchange->held_bytes > CLOUD_LINK_HELD_BYTES) {
		exchange->cut = true;
		return false;
	}
	status = cloud_sse_feed(&exchange->sse, data, length);
	exchange->broken = status != CG_OK && status != CG_CANCELLED;
	return status == CG_OK;
}

static void stream_done(void *arg, const struct cg_http_response *response)
{
	struct cloud_exchange *exchange = arg;
	struct json_object *body = NULL;
	struct cloud_reply reply;

	exchange->http = NULL;
	view_response(exchange, response, &reply);
	if (exchange->broken) {
		reply.status = CG_PROTOCOL;
		reply.http_status = 0;
		reply.error = "what came is no event stream";
	} else if (exchange->cut) {
		reply.status = CG_OK;
		reply.http_status = 200;
	}
	if (exchange->paused || exchange->held_count > 0) {
		exchange->over = true;
		exchange->over_status = reply.status;
		exchange->over_http = reply.http_status;
		return;
	}
	if (reply.http_status >= 300)
		body = read_body(response);
	reply.body = body;
	doubt_refusal(&reply);
	end_stream(exchange, &reply);
	cg_json_free(body);
}

/* Requests. */

static void make_request_id(char ret[LINK_REQUEST_ID])
{
	uint64_t number[2];

	cg_random(number, sizeof(number));
	snprintf(ret, LINK_REQUEST_ID, "%016llx%016llx", (unsigned long long)number[0],
		(unsigned long long)number[1]);
}

static struct cloud_exchange *exchange_create(struct cloud_link *link)
{
	struct cloud_exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		return NULL;
	exchange->link = link;
	STAILQ_INIT(&exchange->held);
	loop_task_init(&exchange->task, on_task, exchange);
	cloud_sse_init(&exchange->sse, take_event, exchange);
	make_request_id(exchange->request_id);
	LIST_INSERT_HEAD(&link->exchanges, exchange, entry);
	return exchange;
}

/* Send @view with what every request has; the exchange is its argument. */
static enum cg_status start(struct cloud_exchange *exchange,
	const struct cloud_request *request, struct cg_http_request *view,
	struct cg_error *err)
{
	struct cloud_link *link = exchange->link;
	const struct cg_http_header headers[] = {
		{"authorization", link->authorization.bytes},
		{"x-request-id", exchange->request_id},
		{"accept",
			view->on_data != NULL ? "text/event-stream" : "application/json"},
		{"content-type", "application/json"},
	};
	struct cg_buffer url;
	enum cg_status status;

	cg_buffer_init(&url, LINK_URL);
	cg_buffer_text(&url, link->base_url);
	cg_buffer_text(&url, request->path);
	if (request->query != NULL) {
		cg_buffer_char(&url, '?');
		cg_buffer_text(&url, request->query);
	}
	view->size = sizeof(*view);
	view->flags = request->idempotent ? CG_HTTP_IDEMPOTENT : 0;
	view->method = request->method;
	view->url = cg_buffer_string(&url);
	view->headers = headers;
	view->header_count = request->body != NULL ? 4 : 3;
	if (request->body != NULL)
		view->body = cg_json_text(request->body, &view->body_length);
	view->reach = CG_REACH_ANY;
	view->ca_file = link->ca_file;
	view->arg = exchange;
	status = cg_buffer_status(&url);
	if (status == CG_OK)
		status = http_client_start(link->http, view, &exchange->http, err);
	/* It has copied them; they end here. */
	view->url = NULL;
	view->headers = NULL;
	view->header_count = 0;
	cg_buffer_finish(&url);
	return status;
}

static enum cg_status link_call(void *self, const struct cloud_request *request,
	void (*done)(void *arg, const struct cloud_reply *reply), void *arg,
	struct cloud_exchange **ret, struct cg_error *err)
{
	struct cloud_exchange *exchange = exchange_create(self);
	struct cg_http_request view = {
		.timeout_ms = request->timeout_ms,
		.response_limit = request->response_limit > 0 ? request->response_limit
							      : CLOUD_LINK_REPLY,
		.on_done = call_done,
	};
	enum cg_status status;

	if (exchange == NULL)
		return cg_error_nomem(err);
	exchange->done = done;
	exchange->arg = arg;
	status = start(exchange, request, &view, err);
	if (status == CG_OK)
		*ret = exchange;
	else
		exchange_free(exchange);
	return status;
}

static enum cg_status link_stream(void *self, const struct cloud_request *request,
	const struct cloud_stream_handler *handler, struct cloud_exchange **ret,
	struct cg_error *err)
{
	struct cloud_exchange *exchange = exchange_create(self);
	struct cg_http_request view = {
		.on_head = stream_head,
		.on_data = stream_data,
		.on_done = stream_done,
	};
	enum cg_status status;

	if (exchange == NULL)
		return cg_error_nomem(err);
	exchange->handler = *handler;
	status = start(exchange, request, &view, err);
	if (status == CG_OK)
		*ret = exchange;
	else
		exchange_free(exchange);
	return status;
}

/* The link. */

static enum cg_status check_url(
	const struct cloud_link_options *options, struct cg_error *err)
{
	struct cg_url url;

	if (options->base_url == NULL ||
		cg_url_parse(options->base_url, &url, NULL) != CG_OK)
		return cg_error_set(
			err, CG_INVALID, "the Cloud's URL is not an http or https one");
	if (url.has_userinfo || strpbrk(options->base_url, "?#") != NULL)
		return cg_error_set(err, CG_INVALID,
			"the Cloud's URL has more than a host and a path");
	if (!url.https && !cg_host_is_loopback(url.host) && !options->allow_insecure)
		return cg_error_set(err, CG_INVALID,
			"the Cloud's URL must be https, because the token travels to it");
	return CG_OK;
}

static enum cg_status make_authorization(
	const struct cg_secret *token, struct cg_secret *ret, struct cg_error *err)
{
	char text[CG_SECRET_MAX + 1];
	size_t length;
	enum cg_status status = CG_INVALID;

	if (cg_secret_is_set(token) && strpbrk(token->bytes, "\r\n") == NULL) {
		length = (size_t)snprintf(text, sizeof(text), "Bearer %s", token->bytes);
		status = length < sizeof(text) ? cg_secret_set(ret, text, length)
					       : CG_LIMIT;
	}
	cg_wipe(text, sizeof(text));
	if (status != CG_OK)
		cg_error_set(err, status, "the service token is missing or no token");
	return status;
}

/* @ret_copy is NULL without one. */
static enum cg_status copy_ca_file(
	const char *ca_file, char **ret_copy, struct cg_error *err)
{
	if (ca_file == NULL)
		return CG_OK;
	if (access(ca_file, R_OK) != 0)
		return cg_error_set(err, CG_INVALID,
			"the Cloud's file of authorities %s cannot be read: %s", ca_file,
			strerror(errno));
	*ret_copy = strdup(ca_file);
	return *ret_copy == NULL ? cg_error_nomem(err) : CG_OK;
}

enum cg_status cloud_link_create(struct loop *loop, struct http_client *http,
	const struct cloud_link_options *options, struct cloud_link **ret,
	struct cg_error *err)
{
	struct cloud_link *link = NULL;
	enum cg_status status = check_url(options, err);

	if (status != CG_OK)
		return status;
	link = calloc(1, sizeof(*link));
	if (link == NULL)
		return cg_error_nomem(err);
	link->loop = loop;
	link->http = http;
	LIST_INIT(&link->exchanges);
	link->base_url = strdup(options->base_url);
	status = link->base_url == NULL
			 ? cg_error_nomem(err)
			 : make_authorization(options->token, &link->authorization, err);
	if (status == CG_OK)
		status = copy_ca_file(options->ca_file, &link->ca_file, err);
	if (status != CG_OK) {
		cloud_link_destroy(link);
		return status;
	}
	*ret = link;
	return CG_OK;
}

void cloud_link_destroy(struct cloud_link *link)
{
	struct cloud_exchange *exchange;

	if (link == NULL)
		return;
	while ((exchange = LIST_FIRST(&link->exchanges)) != NULL) {
		http_client_cancel(link->http, exchange->http);
		exchange_free(exchange);
	}
	cg_secret_wipe(&link->authorization);
	free(link->base_url);
	free(link->ca_file);
	free(link);
}

void cloud_link_transport(struct cloud_link *link, struct cloud_transport *ret)
{
	*ret = (struct cloud_transport){
		.self = link,
		.call = link_call,
		.stream = link_stream,
		.resume = link_resume,
		.cancel = link_cancel,
	};
}
