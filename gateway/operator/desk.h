/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef COWGATE_GATEWAY_DESK_H
#define COWGATE_GATEWAY_DESK_H

#include "gateway/operator/limiter.h"
#include "gateway/operator/operator.h"
#include "gateway/operator/origin.h"

#include <sys/queue.h>

struct json_object;
struct ingress;
struct wait;

struct operator
{
	struct loop *loop;
	struct operator_options options;
	struct limiter *limiter;
	int64_t started_ms; /* monotonic */
	LIST_HEAD(, ingress) ingresses; /* webhook requests at a provider */
	size_t ingress_count;
	LIST_HEAD(, work) works; /* requests at the journal: desk_work.c */
	LIST_HEAD(, wait) waits; /* requests at the journal or the Cloud: deliveries.c */
};

/* May this request see what is the operator's?  Answers nothing, but counts a wrong token. */
bool desk_is_operator(struct operator* operator, struct http_request * request);
/* As desk_is_operator(); a request that may not is answered: 401, or 429 for a while where too
 * many wrong tokens came from. */
bool desk_admits(struct operator* operator, struct http_request * request);

/* Address that limits apply to. */
void desk_origin(const struct operator* operator, const struct http_request * request,
	char ret[ORIGIN_TEXT]);

/* Reply with a JSON value, which is taken over. */
void desk_reply(struct http_request *request, int status, struct json_object *body);

/* Routes: each answers the request. */
void health_live(struct operator* operator, struct http_request * request);
void health_ready(struct operator* operator, struct http_request * request);
void health_metrics(struct operator* operator, struct http_request * request);
void health_diagnostics(struct operator* operator, struct http_request * request);
void deliveries_list(struct operator* operator, struct http_request * request);
/* @id and @verb are segments of the path, still encoded. */
void deliveries_change(struct operator* operator, struct http_request * request,
	const char *id, size_t id_length, const char *verb);
/* Requests that still wait for the journal are answered now, and its answers are not heard.  The
 * Cloud is no longer asked for any of them. */
void deliveries_abandon(struct operator* operator);
/* desk_work.c; @id is a segment of the path, still encoded. */
void work_explain(struct operator* operator, struct http_request * request,
	const char *id, size_t length);
void work_say(struct operator* operator, struct http_request * request);
void work_recover(struct operator* operator, struct http_request * request);
void work_pause(struct operator* operator, struct http_request * request, const char *id,
	size_t length, bool pause);
/* What this gateway has stored of a person. */
void work_forget(struct operator* operator, struct http_request * request);
/* As deliveries_abandon(). */
void work_abandon(struct operator* operator);
void ingress_take(struct operator* operator, struct http_request * request,
	const char *instance, size_t length);
/* Those of one instance; NULL: all. */
void ingress_abandon(struct operator* operator, const char * instance);

#endif
