/* SPDX-License-Identifier: Apache-2.0 */
/* Acknowledge, list, retry, dead-letter and create deliveries. */
#include "cloud-client/delivery.h"

#include "cloud-client/call.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

#define DELIVERIES "/api/channels/deliveries"

static enum cg_status send_delivery(struct cloud_client *client, struct request *request,
	cloud_delivery_done done, void *arg, struct cloud_call **ret)
{
	return call_send(client, request,
		&(struct call_target){REPLY_delivery, {.delivery = done}, arg, ret});
}

enum cg_status cloud_ack(struct cloud_client *client,
	const struct cloud_ack_params *params, cloud_delivery_done done, void *arg,
	struct cloud_call **ret)
{
	static const char *const outcomes[] = {
		[CLOUD_DELIVERY_SENT] = "sent",
		[CLOUD_DELIVERY_FAILED] = "failed",
		[CLOUD_DELIVERY_DEAD] = "dead",
	};
	const char *claimed_by = params->claimed_by;
	char time[CG_TIME_TEXT];
	struct request request;

	if (claimed_by == NULL)
		claimed_by = cloud_client_claimed_by(client);
	request_init(&request, "POST", DELIVERIES);
	/* A repeat finds the claim gone and changes nothing. */
	request.idempotent = true;
	request_segment(&request, params->delivery_id);
	request_path(&request, "/ack");
	request_require(&request, "channelBindingId", params->channel_binding_id);
	request_require(&request, "claimedBy", claimed_by);
	cg_json_put_string(request.body, "status", outcomes[params->outcome]);
	request_text(&request, "lastError", params->last_error);
	if (params->outcome == CLOUD_DELIVERY_FAILED && params->next_attempt_ms >= 0) {
		cg_time_format(params->next_attempt_ms, time);
		cg_json_put_string(request.body, "nextAttemptAt", time);
	}
	return send_delivery(client, &request, done, arg, ret);
}

enum cg_status cloud_list_deliveries(struct cloud_client *client,
	const struct cloud_list_params *params, cloud_deliveries_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "GET", DELIVERIES);
	request.idempotent = true;
	request_argument(&request, "deliveryId", params->delivery_id);
	request_argument(&request, "status", params->status);
	request_argument(&request, "channelBindingId", params->channel_binding_id);
	if (params->limit > 0)
		request_argument_int(&request, "limit", params->limit);
	return call_send(client, &request,
		&(struct call_target){REPLY_deliveries, {.deliveries = done}, arg, ret});
}

static void change_request(struct request *request,
	const struct cloud_delivery_params *params, const char *tail)
{
	request_init(request, "POST", DELIVERIES);
	request->idempotent = true;
	request_segment(request, params->delivery_id);
	request_path(request, tail);
	request_optional(request, "channelBindingId", params->channel_binding_id);
}

enum cg_status cloud_retry_delivery(struct cloud_client *client,
	const struct cloud_delivery_params *params, cloud_delivery_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	change_request(&request, params, "/retry");
	return send_delivery(client, &request, done, arg, ret);
}

enum cg_status cloud_dead_letter(struct cloud_client *client,
	const struct cloud_delivery_params *params, cloud_delivery_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	change_request(&request, params, "/dead-letter");
	request_text(&request, "lastError", params->last_error);
	return send_delivery(client, &request, done, arg, ret);
}

enum cg_status cloud_create_delivery(struct cloud_client *client,
	const struct cloud_create_delivery_params *params, cloud_delivery_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", DELIVERIES);
	request.idempotent = params->delivery_id != NULL;
	request.invalid =
		!cg_json_is_object(params->target) || !cg_json_is_object(params->payload);
	request_optional(&request, "deliveryId", params->delivery_id);
	request_require(&request, "agentId", params->agent_id);
	request_require(&request, "channelBindingId", params->channel_binding_id);
	request_optional(&request, "sessionBindingId", params->session_binding_id);
	request_require(&request, "provider", params->provider);
	request_require(&request, "eventType", params->event_type);
	cg_json_put(request.body, "target", cg_json_ref(params->target));
	cg_json_put(request.body, "payload", cg_json_ref(params->payload));
	return send_delivery(client, &request, done, arg, ret);
}
