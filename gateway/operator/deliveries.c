/* SPDX-License-Identifier: Apache-2.0 */
/* The backlog as the operator sees and steers it, in the shape of a delivery record. */
#include "gateway/operator/desk.h"

#include "gateway/journal/outbox.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50
#define LIST_MAX 200

/* A request that waits for the journal. */
struct wait {
	struct operator* operator;
	struct http_request *request;
};

static struct wait *wait_for(struct operator* operator, struct http_request * request)
{
	struct wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL) {
		http_request_fail(request, 503, "out of memory", 1000);
		return NULL;
	}
	wait->operator= operator;
	wait->request = request;
	return wait;
}

static bool find_channel(const struct operator* operator, const char * instance,
	const char *binding, struct operator_channel *ret)
{
	const struct operator_host *host = &operator->options.host;

	for (size_t i = 0; i < host->channel_count(host->arg); i++) {
		host->channel(host->arg, i, ret);
		if ((instance != NULL && strcmp(ret->id, instance) == 0) ||
			(binding != NULL && strcmp(ret->binding_id, binding) == 0))
			return true;
	}
	return false;
}

/* The journal knows instances; the record names their channel binding too. */
static void add_binding(const struct operator* operator, struct json_object * delivery)
{
	struct operator_channel channel;
	const char *instance = cg_json_string(delivery, "provider");

	if (instance != NULL && find_channel(operator, instance, NULL, &channel))
		cg_json_put_string(delivery, "channelBindingId", channel.binding_id);
}

static void reply_list(struct http_request *request, struct json_object *deliveries)
{
	struct json_object *body = cg_json_new_object();

	cg_json_put_bool(body, "ok", true);
	cg_json_put(body, "deliveries", deliveries);
	desk_reply(request, 200, body);
}

static void listed(void *arg, enum cg_status status, struct json_object *deliveries)
{
	struct wait *wait = arg;
	struct operator* operator= wait->operator;

	if (status != CG_OK) {
		http_request_fail(wait->request, 503,
			"the backlog cannot be read at the moment", 1000);
	} else {
		for (size_t i = 0; i < cg_json_count(deliveries); i++)
			add_binding(operator, cg_json_at(deliveries, i));
		reply_list(wait->request, cg_json_ref(deliveries));
	}
	free(wait);
}

static int parse_limit(const char *text)
{
	int64_t limit;

	if (text == NULL || !cg_parse_int(text, &limit) || limit < 1)
		return LIST_DEFAULT;
	return limit > LIST_MAX ? LIST_MAX : (int)limit;
}

static const char *known_status(const char *status)
{
	static const char *const known[] = {
		"pending", "claimed", "sent", "failed", "dead"};

	for (size_t i = 0; status != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], status) == 0)
			return known[i];
	}
	return NULL;
}

void deliveries_list(struct operator* operator, struct http_request * request)
{
	const char *query = http_request_query(request);
	char *status = http_query_get(query, "status");
	char *binding = http_query_get(query, "channelBindingId");
	char *limit = http_query_get(query, "limit");
	char *id = http_query_get(query, "deliveryId");
	struct outbox_filter filter = {
		.delivery_id = id,
		.status = known_status(status),
		.limit = parse_limit(limit),
	};
	struct operator_channel channel = {.id = NULL};
	struct wait *wait;

	if (binding != NULL && !find_channel(operator, NULL, binding, &channel)) {
		reply_list(request, cg_json_new_array()); /* not one of ours */
	} else if ((wait = wait_for(operator, request)) != NULL) {
		filter.instance = channel.id;
		outbox_list(operator->options.journal, &filter, listed, wait);
	}
	free(status);
	free(binding);
	free(limit);
	free(id);
}

static void changed(void *arg, enum cg_status status, struct json_object *delivery)
{
	struct wait *wait = arg;
	struct operator* operator= wait->operator;
	struct json_object *body;

	if (status == CG_OK) {
		body = cg_json_new_object();
		add_binding(operator, delivery);
		cg_json_put_bool(body, "ok", true);
		cg_json_put(body, "delivery", cg_json_ref(delivery));
		desk_reply(wait->request, 200, body);
		operator->options.host.wake(operator->options.host.arg);
	} else if (status == CG_NOT_FOUND) {
		http_request_fail(wait->request, 404, "there is no such delivery", -1);
	} else if (status == CG_CONFLICT) {
		http_request_fail(
			wait->request, 409, "it was sent already or is being sent", -1);
	} else {
		http_request_fail(wait->request, 503,
			"the backlog cannot be written at the moment", 1000);
	}
	free(wait);
}

/* The optional body {channelBindingId?, lastError?}.  False: answered. */
static bool read_body(struct http_request *request, struct json_object **ret)
{
	size_t length;
	const char *bytes = http_request_body(request, &length);
	struct cg_error err;

	*ret = NULL;
	if (length == 0)
		return true;
	if (cg_json_parse(bytes, length, ret, &err) == CG_OK &&
		(*ret == NULL || cg_json_is_object(*ret)))
		return true;
	cg_json_free(*ret);
	http_request_fail(request, 400, "the body must be a JSON object", -1);
	return false;
}

void deliveries_change(struct operator* operator, struct http_request * request,
	const char *encoded, size_t length, const char *verb)
{
	int64_t now = clock_wall(loop_clock(operator->loop));
	struct operator_channel channel;
	struct json_object *body;
	struct wait *wait;
	const char *binding;
	char *id, *asked;

	if (!read_body(request, &body))
		return;
	id = http_path_decode(encoded, length);
	asked = http_query_get(http_request_query(request), "channelBindingId");
	binding = cg_json_string_or(body, "channelBindingId", asked);
	if (id == NULL ||
		(binding != NULL && !find_channel(operator, NULL, binding, &channel))) {
		http_request_fail(request, 404, "there is no such delivery", -1);
	} else if ((wait = wait_for(operator, request)) != NULL) {
		if (strcmp(verb, "retry") == 0)
			outbox_retry(operator->options.journal, id, now, changed, wait);
		else
			outbox_kill(operator->options.journal, id,
				cg_json_string_or(body, "lastError", "operator"), now,
				changed, wait);
	}
	free(id);
	free(asked);
	cg_json_free(body);
}
