/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in for webhooks.  Order of checks: rate of the client, known provider (404), a clock
 * that can be believed, then the provider: signature over the raw bytes (401), mapping (400),
 * commit (202).  Nothing here depends on how sending is doing.
 */
#include "gateway/operator/desk.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define INGRESS_OPEN 2048 /* requests at providers at once */
#define INGRESS_RETRY_MS 5000 /* told to a platform when nothing could be stored */

/* A failure is counted behind the fact, so the 20th of a window begins the block. */
static const struct limiter_rule failure_rule = {
	.limit = 19, .window_ms = 60000, .block_ms = 60000};

struct ingress {
	/* first: what the provider holds is the ingress */
	struct cg_webhook_request request;
	LIST_ENTRY(ingress) link;
	struct operator* operator;
	struct http_request *http;
	char client[ORIGIN_TEXT];
	char instance[65];
	uint64_t failure_key;
};

static const struct ingress *ingress_of(const struct cg_webhook_request *request)
{
	return (const struct ingress *)request;
}

static const char *ingress_header(
	const struct cg_webhook_request *request, const char *name)
{
	return http_request_header(ingress_of(request)->http, name);
}

static void accepted(struct http_request *http, const struct cg_webhook_answer *answer)
{
	static const char body[] = "{\"ok\":true}";
	struct http_reply reply = {
		.status = 202, .body = body, .length = sizeof(body) - 1};

	if (answer->body != NULL) {
		reply.status = 200;
		reply.content_type = answer->content_type;
		reply.body = answer->body;
		reply.length = strlen(answer->body);
	}
	http_request_reply(http, &reply);
}

static void ingress_answer(
	struct cg_webhook_request *request, const struct cg_webhook_answer *answer)
{
	struct ingress *ingress = (struct ingress *)request;
	struct operator* operator= ingress->operator;
	int64_t now = clock_mono(loop_clock(operator->loop));
	const char *text = answer->body;

	switch (answer->result) {
	case CG_WEBHOOK_ACCEPTED:
		accepted(ingress->http, answer);
		break;
	case CG_WEBHOOK_DENIED:
		limiter_hit(operator->limiter, ingress->failure_key, &failure_rule, now);
		http_request_fail(ingress->http, 401,
			"the signature is missing, stale or wrong", -1);
		break;
	case CG_WEBHOOK_BAD:
		http_request_fail(ingress->http, 400,
			text == NULL ? "the request is not understood" : text, -1);
		break;
	case CG_WEBHOOK_CONFLICT:
		http_request_fail(
			ingress->http, 409, "another message came under this id", -1);
		break;
	case CG_WEBHOOK_UNAVAILABLE:
		http_request_fail(ingress->http, 503,
			"nothing was stored; send it again later", INGRESS_RETRY_MS);
		break;
	}
	LIST_REMOVE(ingress, link);
	operator->ingress_count--;
	free(ingress);
}

static bool is_channel(const struct operator* operator, const char * instance)
{
	const struct operator_host *host = &operator->options.host;
	struct operator_channel channel;

	for (size_t i = 0; i < host->channel_count(host->arg); i++) {
		host->channel(host->arg, i, &channel);
		if (strcmp(channel.id, instance) == 0)
			return true;
	}
	return false;
}

/* True when the request was refused. */
static bool limited(struct operator* operator, struct http_request * request,
	const char *source, const char *instance)
{
	struct limiter_rule rate = {
		.limit = (uint32_t) operator->options
				 .config->webhook_rate_limit_per_minute,
		.window_ms = 60000,
	};
	int64_t now = clock_mono(loop_clock(operator->loop)), wait = 0;

	if (rate.limit > 0)
		wait = limiter_hit(operator->limiter,
			limiter_key(operator->limiter, "request", source, instance),
			&rate, now);
	if (wait == 0)
		wait = limiter_peek(operator->limiter,
			limiter_key(operator->limiter, "failure", source, instance), now);
	if (wait == 0)
		return false;
	http_request_fail(request, 429, "too many requests", wait);
	return true;
}

static void hand_over(struct operator* operator, struct http_request * http,
	const char *instance, const char *rest)
{
	const struct operator_host *host = &operator->options.host;
	struct ingress *ingress = calloc(1, sizeof(*ingress));
	enum cg_status status;

	if (ingress == NULL || operator->ingress_count >= INGRESS_OPEN) {
		free(ingress);
		http_request_fail(
			http, 503, "too many requests are open", INGRESS_RETRY_MS);
		return;
	}
	desk_origin(operator, http, ingress->client);
	ingress->operator= operator;
	ingress->http = http;
	cg_text_copy(ingress->instance, sizeof(ingress->instance), instance);
	ingress->failure_key =
		limiter_key(operator->limiter, "failure", ingress->client, instance);
	ingress->request = (struct cg_webhook_request){
		.size = sizeof(struct cg_webhook_request),
		.method = http_request_method(http),
		.path = rest,
		.query = http_request_query(http),
		.client = ingress->client,
		.received_at_ms = clock_wall(loop_clock(operator->loop)),
		.header = ingress_header,
		.answer = ingress_answer,
	};
	ingress->request.body = http_request_body(http, &ingress->request.body_length);
	LIST_INSERT_HEAD(&operator->ingresses, ingress, link);
	operator->ingress_count++;
	status = host->webhook(host->arg, instance, &ingress->request);
	if (status == CG_OK)
		return;
	LIST_REMOVE(ingress, link);
	operator->ingress_count--;
	free(ingress);
	http_request_fail(http, 404, "this provider takes no webhooks", -1);
}

void ingress_take(struct operator* operator, struct http_request * request,
	const char *encoded, size_t length)
{
	struct meter *meter = operator->options.meter;
	char *instance = http_path_decode(encoded, length);
	char source[ORIGIN_TEXT];
	bool known = instance != NULL && is_channel(operator, instance);

	meter_count_channel(
		meter, METER_CHANNEL_WEBHOOKS, known ? meter_find(meter, instance) : -1);
	desk_origin(operator, request, source);
	/* Only configured names become keys: an attacker cannot fill the table with invented ones. */
	if (limited(operator, request, source, known ? instance : "")) {
		free(instance);
		return;
	}
	if (!known)
		http_request_fail(request, 404, "there is no such provider", -1);
	else if (!clock_sane(loop_clock(operator->loop)))
		http_request_fail(
			request, 503, "the clock is not set yet", INGRESS_RETRY_MS);
	else
		hand_over(operator, request, instance, encoded + length);
	free(instance);
}

static struct ingress *ingress_of_instance(
	const struct operator* operator, const char * instance)
{
	struct ingress *ingress;

	LIST_FOREACH (ingress, &operator->ingresses, link) {
		if (instance == NULL || strcmp(ingress->instance, instance) == 0)
			break;
	}
	return ingress;
}

void ingress_abandon(struct operator* operator, const char * instance)
{
	static const struct cg_webhook_answer answer = {
		.size = sizeof(answer), .result = CG_WEBHOOK_UNAVAILABLE};
	struct ingress *ingress;

	while ((ingress = ingress_of_instance(operator, instance)) != NULL)
		ingress_answer(&ingress->request, &answer);
}
