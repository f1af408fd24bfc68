/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's floor over a real journal, a virtual clock, two channels, and requests that a
 * test makes. */
#ifndef COWGATE_TESTS_OPERATOR_RIG_H
#define COWGATE_TESTS_OPERATOR_RIG_H

#include "gateway/operator/operator.h"
#include "tests/support/request_fake.h"
#include "tests/unit/gateway-journal/journal_rig.h"

#include <cowgate/sdk/secret.h>

#define DESK_TOKEN "a-token-of-the-operator"

struct desk {
	struct rig rig; /* first: the journal, the loop and the clock */
	struct config config;
	struct cg_secret token;
	struct meter *meter;
	struct operator_options options;
	struct operator* operator;
	/* What the daemon would do. */
	struct operator_channel channels[2];
	enum cg_status webhook; /* what the instance says of a request */
	struct cg_webhook_request *taken; /* the request it holds */
	char client[64], path[64], query[64]; /* as the instance saw them */
	unsigned webhooks, wakes, measures;
	const struct operator_cloud_answer *cloud; /* NULL: it cannot be asked */
	char asked[128]; /* of the Cloud */
	bool ready, api;
	size_t degraded;
};

static inline size_t desk_channel_count(void *arg)
{
	(void)arg;
	return 2;
}

static inline void desk_channel(void *arg, size_t index, struct operator_channel *ret)
{
	*ret = ((struct desk *)arg)->channels[index];
}

static inline enum cg_status desk_webhook(
	void *arg, const char *instance, struct cg_webhook_request *request)
{
	struct desk *desk = arg;

	(void)instance;
	if (desk->webhook != CG_OK)
		return desk->webhook;
	desk->webhooks++;
	desk->taken = request;
	snprintf(desk->client, sizeof(desk->client), "%s", request->client);
	snprintf(desk->path, sizeof(desk->path), "%s", request->path);
	snprintf(desk->query, sizeof(desk->query), "%s", request->query);
	return CG_OK;
}

static inline bool desk_ready(void *arg, struct operator_degraded *ret, size_t *ret_count)
{
	struct desk *desk = arg;

	for (size_t i = 0; i < desk->degraded; i++)
		ret[i] = (struct operator_degraded){"agent", "it does not answer"};
	*ret_count = desk->degraded;
	return desk->ready;
}

static inline void desk_measure(void *arg)
{
	struct desk *desk = arg;

	desk->measures++;
	meter_set(desk->meter, METER_TOTAL_STREAMS, 3);
}

static inline bool desk_api(void *arg, struct http_request *request)
{
	struct desk *desk = arg;
	const struct http_reply reply = {.status = 299};

	if (desk->api)
		http_request_reply(request, &reply);
	return desk->api;
}

static inline void desk_wake(void *arg)
{
	((struct desk *)arg)->wakes++;
}

static inline bool desk_cloud_list(void *arg, const struct operator_cloud_query *query,
	operator_cloud_done done, void *done_arg)
{
	struct desk *desk = arg;

	(void)query;
	if (desk->cloud == NULL)
		return false;
	done(done_arg, desk->cloud);
	return true;
}

static inline bool desk_cloud_change(void *arg, enum operator_verb verb,
	const struct operator_cloud_query *query, operator_cloud_done done,
	void *done_arg)
{
	struct operator_cloud_answer one;
	struct desk *desk = arg;

	snprintf(desk->asked, sizeof(desk->asked), "%s %s %s",
		verb == OPERATOR_RETRY ? "retry" : "dead", query->delivery_id,
		query->channel_binding_id == NULL ? "-" : query->channel_binding_id);
	if (desk->cloud == NULL)
		return false;
	one = *desk->cloud;
	one.json = cg_json_at(one.json, 0);
	done(done_arg, &one);
	return true;
}

static inline void desk_open(struct desk *desk)
{
	CU_ASSERT_EQUAL_FATAL(
		operator_create(desk->rig.loop, &desk->options, &desk->operator, NULL),
		CG_OK);
}

/* Without a token and without anything that a setting switches on.  Change, then desk_open(). */
static inline void desk_prepare(struct desk *desk)
{
	static char branding[] = "{\"productName\":\"Cowgate\"}";

	memset(desk, 0, sizeof(*desk));
	rig_start(&desk->rig);
	CU_ASSERT_EQUAL_FATAL(meter_create(&desk->meter, NULL), CG_OK);
	meter_add_channel(desk->meter, "telegram", "telegram");
	meter_add_channel(desk->meter, "hook", "webhook");
	desk->config.branding.json = branding;
	desk->config.metrics_enabled = true;
	desk->config.diagnostics_enabled = true;
	desk->config.webhook_rate_limit_per_minute = 120;
	desk->channels[0] = (struct operator_channel){.id = "telegram",
		.kind = "telegram",
		.binding_id = "b-telegram",
		.state = "healthy",
		.error = "",
		.started = true,
		.healthy = true};
	desk->channels[1] = (struct operator_channel){.id = "hook",
		.kind = "webhook",
		.binding_id = "b-hook",
		.state = "failed",
		.error = "it is down",
		.last_inbound_ms = RIG_NOW};
	desk->ready = true;
	desk->options = (struct operator_options){.config = &desk->config,
		.admin_token = &desk->token,
		.version = "1.2.3",
		.journal = desk->rig.journal,
		.meter = desk->meter,
		.seed = 42,
		.host = {.channel_count = desk_channel_count,
			.channel = desk_channel,
			.webhook = desk_webhook,
			.ready = desk_ready,
			.measure = desk_measure,
			.api = desk_api,
			.wake = desk_wake,
			.cloud_list = desk_cloud_list,
			.cloud_change = desk_cloud_change,
			.arg = desk}};
}

static inline void desk_init(struct desk *desk)
{
	desk_prepare(desk);
	CU_ASSERT_EQUAL_FATAL(
		cg_secret_set(&desk->token, DESK_TOKEN, strlen(DESK_TOKEN)), CG_OK);
	desk_open(desk);
}

static inline void desk_finish(struct desk *desk)
{
	operator_destroy(desk->operator);
	meter_destroy(desk->meter);
	cg_secret_wipe(&desk->token);
	rig_finish(&desk->rig);
}

static inline void desk_handle(struct desk *desk, struct http_request *request)
{
	operator_handle(desk->operator, request);
}

/* As the operator over TCP. */
static inline void desk_as_operator(struct http_request *request)
{
	request_fake_header(request, "Authorization", "Bearer " DESK_TOKEN);
}

/* The status of the answer to a request; the answer may come on a later turn. */
static inline int desk_await(struct desk *desk, struct http_request *request)
{
	while (request->answers == 0 && !desk->rig.expired)
		loop_turn(desk->rig.loop);
	CU_ASSERT_EQUAL_FATAL(request->answers, 1);
	return request->status;
}

static inline int desk_get(struct desk *desk, struct http_request *request,
	const char *path, bool as_operator)
{
	request_fake_init(request, "GET", path);
	if (as_operator)
		desk_as_operator(request);
	desk_handle(desk, request);
	return desk_await(desk, request);
}

/* The answer as JSON; the caller frees it. */
static inline struct json_object *desk_json(struct http_request *request)
{
	struct json_object *json = NULL;

	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(request->reply, strlen(request->reply), &json, NULL),
		CG_OK);
	request_fake_finish(request);
	return json;
}

#endif
