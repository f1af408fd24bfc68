/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that wait to be sent: create, list, settle. */
#include "control-plane/delivery.h"

#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static const char *const ack_states[] = {"sent", "failed", "dead", NULL};
static const char *const states[] = {
	"pending", "claimed", "sent", "failed", "dead", NULL};

static enum cg_status answer_delivery(
	struct call *call, enum cg_status status, int http, struct json_object *delivery)
{
	if (status == CG_CONFLICT)
		return call_refuse(call, 409, "deliveries.state",
			"The state of the delivery does not allow it.");
	if (status == CG_LIMIT)
		return call_refuse_later(call, 60000, "quota.deliveries_exceeded",
			"Too many deliveries wait to be sent.");
	if (status != CG_OK)
		return status;
	if (delivery == NULL)
		return call_refuse(call, 404, "deliveries.not_found",
			"Channel delivery was not found.");
	return call_answer_one(call, http, "delivery", delivery);
}

/* The right is all there is to check: what is due is claimed by the stream itself. */
enum cg_status route_delivery_stream(struct call *call)
{
	const struct channel *channel;
	char id[CALL_FIELD + 1];

	if (call->principal == PLANE_TOKEN &&
		!call_query(call, "channelBindingId", 0, id)) {
		call_refuse(
			call, 400, "request.invalid", "channelBindingId is required.");
		return CG_DENIED;
	}
	for (size_t i = 0; call_query(call, "channelBindingId", i, id); i++) {
		enum cg_status status = call_channel(call, id, &channel);

		if (status != CG_OK)
			return status;
		if (i == DELIVERY_BINDINGS)
			return call_refuse(call, 400, "request.invalid",
				"Too many channels are named.");
	}
	return call_refused(call) ? CG_DENIED : call_answer(call, 200, NULL);
}

enum cg_status route_delivery_list(struct call *call)
{
	char id[CALL_FIELD + 1], state[CALL_FIELD + 1], binding[CALL_FIELD + 1];
	struct delivery_filter filter = {
		.delivery_id = call_query(call, "deliveryId", 0, id) ? id : NULL,
		.state = call_query(call, "status", 0, state) ? state : NULL,
		.channel_binding_id =
			call_query(call, "channelBindingId", 0, binding) ? binding : NULL,
		.last_claimed_by = call->principal == PLANE_TOKEN ? call->token.id : NULL,
		.limit = call_query_number(call, "limit", 50, 1, 200),
	};
	const struct channel *channel;
	struct json_object *array;
	size_t known = 0;
	enum cg_status status = CG_OK;

	while (filter.state != NULL && states[known] != NULL &&
		strcmp(states[known], filter.state) != 0)
		known++;
	if (filter.state != NULL && states[known] == NULL)
		call_refuse(call, 400, "request.invalid", "status has an unknown value.");
	if (call_refused(call))
		return CG_DENIED;
	if (call->principal == PLANE_TOKEN && filter.channel_binding_id != NULL)
		status = call_channel(call, filter.channel_binding_id, &channel);
	if (status != CG_OK)
		return status;
	array = cg_json_new_array();
	status = delivery_list(&call->change, &filter, array);
	if (status == CG_OK)
		return call_answer_one(call, 200, "deliveries", array);
	cg_json_free(array);
	return status;
}

enum cg_status route_delivery_create(struct call *call)
{
	const char *binding = call_field(call, "channelBindingId", CALL_REQUIRED);
	const char *provider = call_field(call, "provider", CALL_OPTIONAL);
	const struct channel *channel;
	struct delivery_seed seed = {
		.delivery_id = call_field(call, "deliveryId", CALL_OPTIONAL),
		.session_binding_id = call_field(call, "sessionBindingId", CALL_OPTIONAL),
		.event_type = call_field(call, "eventType", CALL_REQUIRED),
		.target = call_document(call, "target", CALL_REQUIRED),
		.payload = call_document(call, "payload", CALL_REQUIRED),
		.next_attempt_at = call_time(call, "nextAttemptAt"),
	};
	struct json_object *delivery = NULL;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	status = call_channel(call, binding, &channel);
	if (status != CG_OK)
		return status;
	if (provider != NULL && strcmp(provider, channel->provider) != 0)
		return call_refuse(call, 400, "channels.provider_mismatch",
			"provider does not belong to the channel.");
	seed.channel = channel;
	status = delivery_insert(&call->change, &seed, &delivery);
	return answer_delivery(call, status, 201, delivery);
}

static struct delivery_name named(struct call *call)
{
	return (struct delivery_name){
		call->id[0], call_field(call, "channelBindingId", CALL_OPTIONAL)};
}

enum cg_status route_delivery_ack(struct call *call)
{
	const struct delivery_name name = named(call);
	const char *claimant = call_field(call, "claimedBy", CALL_OPTIONAL);
	char from_query[CALL_FIELD + 1];
	struct delivery_ack ack = {
		.claimed_by = claimant != NULL ? claimant
			      : call_query(call, "claimedBy", 0, from_query)
				      ? from_query
				      : call->actor,
		.state = call_choice(call, "status", CALL_REQUIRED, ack_states),
		.last_error = call_text(call, "lastError", CALL_OPTIONAL, CALL_DOCUMENT),
		.next_attempt_at = call_time(call, "nextAttemptAt"),
		.last_claimed_by = call->principal == PLANE_TOKEN ? call->token.id : NULL,
	};
	struct json_object *delivery = NULL;
	enum cg_status status;

	if (call_refused(call) ||
		call_named_channel(call, name.channel_binding_id) != CG_OK)
		return CG_DENIED;
	status = delivery_acknowledge(&call->change, &name, &ack, &delivery);
	return answer_delivery(call, status, 200, delivery);
}

enum cg_status route_delivery_retry(struct call *call)
{
	const struct delivery_name name = named(call);
	struct json_object *delivery = NULL;
	enum cg_status status;

	if (call_refused(call) ||
		call_named_channel(call, name.channel_binding_id) != CG_OK)
		return CG_DENIED;
	status = delivery_retry(&call->change, &name, &delivery);
	if (status == CG_OK && delivery != NULL)
		status = call_audit(call, "delivery.retry", call->id[0]);
	return answer_delivery(call, status, 200, delivery);
}

enum cg_status route_delivery_bury(struct call *call)
{
	const struct delivery_name name = named(call);
	const char *reason = call_text(call, "lastError", CALL_OPTIONAL, CALL_DOCUMENT);
	struct json_object *delivery = NULL;
	enum cg_status status;

	if (call_refused(call) ||
		call_named_channel(call, name.channel_binding_id) != CG_OK)
		return CG_DENIED;
	status = delivery_bury(&call->change, &name, reason, &delivery);
	if (status == CG_OK && delivery != NULL)
		status = call_audit(call, "delivery.dead", call->id[0]);
	return answer_delivery(call, status, 200, delivery);
}
