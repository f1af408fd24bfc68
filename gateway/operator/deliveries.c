/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backlog as the operator sees and steers it, in the shape of a delivery record: what lies
 * here and what the Cloud keeps, as one.
 */
#include "gateway/operator/desk.h"

#include "gateway/journal/outbox.h"
#include "gateway/operator/merge.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50
#define LIST_MAX 200

/* A request that waits for the journal, then for the Cloud. */
struct wait {
	LIST_ENTRY(wait) link;
	struct operator* operator; /* NULL: gone, as is the request */
	struct http_request *request;
	struct json_object *local; /* owned: what the journal said */
	enum operator_verb verb;
	bool known; /* it is here, but the Cloud's */
	struct operator_cloud_query query; /* its strings are those below */
	char *texts[4]; /* owned */
};

static void wait_free(struct wait *wait)
{
	if (wait->operator!= NULL)
		LIST_REMOVE(wait, link);
	cg_json_free(wait->local);
	for (size_t i = 0; i < sizeof(wait->texts) / sizeof(wait->texts[0]); i++)
		free(wait->texts[i]);
	free(wait);
}

static const char *keep(struct wait *wait, size_t place, const char *text)
{
	if (text != NULL)
		wait->texts[place] = strdup(text);
	return wait->texts[place];
}

static struct wait *wait_for(struct operator* operator, struct http_request * request,
	const struct operator_cloud_query *query)
{
	struct wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL) {
		http_request_fail(request, 503, "out of memory", 1000);
		return NULL;
	}
	wait->operator= operator;
	LIST_INSERT_HEAD(&operator->waits, wait, link);
	wait->request = request;
	wait->query = (struct operator_cloud_query){
		.delivery_id = keep(wait, 0, query->delivery_id),
		.status = keep(wait, 1, query->status),
		.channel_binding_id = keep(wait, 2, query->channel_binding_id),
		.last_error = keep(wait, 3, query->last_error),
		.limit = query->limit,
	};
	return wait;
}

/* The journal answers whatever it was asked, and may do so after all else is gone. */
void deliveries_abandon(struct operator* operator)
{
	struct wait *wait;

	while ((wait = LIST_FIRST(&operator->waits)) != NULL) {
		LIST_REMOVE(wait, link);
		wait->operator= NULL;
		http_request_fail(
			wait->request, 503, "the gateway is shutting down", 1000);
	}
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

/* @trouble: why the Cloud's part is missing, NULL: it is not. */
static void reply_list(
	struct http_request *request, struct json_object *deliveries, const char *trouble)
{
	struct json_object *body = cg_json_new_object(), *cloud = cg_json_new_object();

	cg_json_put_bool(body, "ok", true);
	cg_json_put(body, "deliveries", deliveries);
	cg_json_put_bool(cloud, "ok", trouble == NULL);
	cg_json_put_string(cloud, "error", trouble);
	cg_json_put(body, "cloud", cloud);
	desk_reply(request, 200, body);
}

static void cloud_listed(void *arg, const struct operator_cloud_answer *answer)
{
	struct wait *wait = arg;

	reply_list(wait->request,
		merge_lists(wait->local, answer->ok ? answer->json : NULL,
			(size_t)wait->query.limit),
		answer->ok ? NULL : answer->error);
	wait_free(wait);
}

static void listed(void *arg, enum cg_status status, struct json_object *deliveries)
{
	static const struct operator_cloud_answer nobody = {
		.error = "the Cloud cannot be asked at the moment"};
	struct wait *wait = arg;
	struct operator* operator= wait->operator;
	const struct operator_host *host;

	if (operator== NULL) {
		wait_free(wait);
		return;
	}
	if (status != CG_OK) {
		http_request_fail(wait->request, 503,
			"the backlog cannot be read at the moment", 1000);
		wait_free(wait);
		return;
	}
	for (size_t i = 0; i < cg_json_count(deliveries); i++) {
		add_binding(operator, cg_json_at(deliveries, i));
		merge_place_local(cg_json_at(deliveries, i));
	}
	wait->local = cg_json_ref(deliveries);
	host = &operator->options.host;
	if (!host->cloud_list(host->arg, &wait->query, cloud_listed, wait))
		cloud_listed(wait, &nobody);
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
		reply_list(request, cg_json_new_array(), NULL); /* not one of ours */
	} else if ((wait = wait_for(operator, request,
			    &(struct operator_cloud_query){.delivery_id = id,
				    .status = filter.status,
				    .channel_binding_id = binding,
				    .limit = filter.limit})) != NULL) {
		filter.instance = channel.id;
		outbox_list(operator->options.journal, &filter, listed, wait);
	}
	free(status);
	free(binding);
	free(limit);
	free(id);
}

static void reply_one(struct http_request *request, struct json_object *delivery)
{
	struct json_object *body = cg_json_new_object();

	cg_json_put_bool(body, "ok", true);
	cg_json_put(body, "delivery", delivery);
	desk_reply(request, 200, body);
}

static void cloud_changed(void *arg, const struct operator_cloud_answer *answer)
{
	struct wait *wait = arg;
	struct json_object *record;

	if (answer->ok) {
		record = cg_json_copy(answer->json);
		merge_place_cloud(record);
		reply_one(wait->request, record);
	} else if (answer->status == 404) {
		http_request_fail(wait->request, 404, "there is no such delivery", -1);
	} else if (answer->status == 409) {
		http_request_fail(
			wait->request, 409, "it was sent already or is being sent", -1);
	} else {
		http_request_fail(wait->request, 503, answer->error, 1000);
	}
	wait_free(wait);
}

static void cannot_ask(struct wait *wait)
{
	if (wait->known)
		http_request_fail(wait->request, 503,
			"the delivery is the Cloud's, which cannot be asked", 1000);
	else
		http_request_fail(wait->request, 404, "there is no such delivery", -1);
	wait_free(wait);
}

static void change_in_cloud(struct wait *wait)
{
	const struct operator_host *host = &wait->operator->options.host;

	if (host->cloud_change(host->arg, wait->verb, &wait->query, cloud_changed, wait))
		return;
	cannot_ask(wait);
}

/* Which channel's?  Ids are unique within a binding only: one must be left. */
static void cloud_found(void *arg, const struct operator_cloud_answer *answer)
{
	struct wait *wait = arg;
	const char *binding =
		cg_json_string(cg_json_at(answer->json, 0), "channelBindingId");

	if (!answer->ok) {
		http_request_fail(wait->request, 503, answer->error, 1000);
		wait_free(wait);
	} else if (cg_json_count(answer->json) != 1 || binding == NULL) {
		http_request_fail(wait->request, 404, "there is no such delivery", -1);
		wait_free(wait);
	} else {
		wait->query.channel_binding_id = keep(wait, 2, binding);
		change_in_cloud(wait);
	}
}

/* Not here, or here for the Cloud. */
static void ask_cloud(struct wait *wait)
{
	const struct operator_host *host = &wait->operator->options.host;
	struct operator_channel channel;

	wait->query.limit = 2;
	if (wait->query.channel_binding_id == NULL &&
		host->channel_count(host->arg) == 1) {
		host->channel(host->arg, 0, &channel);
		wait->query.channel_binding_id = keep(wait, 2, channel.binding_id);
	}
	if (wait->query.channel_binding_id != NULL) {
		change_in_cloud(wait);
	} else if (!host->cloud_list(host->arg, &wait->query, cloud_found, wait)) {
		cannot_ask(wait);
	}
}

static void changed(void *arg, enum cg_status status, struct json_object *delivery)
{
	struct wait *wait = arg;
	struct operator* operator= wait->operator;

	if (operator== NULL) {
		wait_free(wait);
		return;
	}
	if (status == CG_NOT_FOUND || status == CG_DENIED) {
		wait->known = status == CG_DENIED;
		ask_cloud(wait);
		return;
	}
	if (status == CG_OK) {
		add_binding(operator, delivery);
		merge_place_local(delivery);
		reply_one(wait->request, cg_json_ref(delivery));
		operator->options.host.wake(operator->options.host.arg);
	} else if (status == CG_CONFLICT) {
		http_request_fail(
			wait->request, 409, "it was sent already or is being sent", -1);
	} else {
		http_request_fail(wait->request, 503,
			"the backlog cannot be written at the moment", 1000);
	}
	wait_free(wait);
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
	} else if ((wait = wait_for(operator, request,
			    &(struct operator_cloud_query){.delivery_id = id,
				    .channel_binding_id = binding,
				    .last_error = cg_json_string(body, "lastError")})) !=
		   NULL) {
		wait->verb = strcmp(verb, "retry") == 0 ? OPERATOR_RETRY
							: OPERATOR_DEAD_LETTER;
		if (wait->verb == OPERATOR_RETRY)
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
