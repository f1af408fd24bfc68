/* SPDX-License-Identifier: Apache-2.0 */
/* Inbound events: claim and complete. */
#include "control-plane/provider_event.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <string.h>

#define CLAIM_TTL_MS (5 * 60 * 1000)
#define CLAIM_TTL_MOST_MS (60 * 60 * 1000)

static const char *const event_types[] = {"message", "command", "interaction", NULL};
static const char *const outcomes[] = {"processed", "failed", NULL};

/* The channel that is named, or the only one that the provider can mean. */
static enum cg_status claim_channel(
	struct call *call, const char *provider, const struct channel **ret)
{
	const char *id = call_field(call, "channelBindingId", CALL_OPTIONAL);
	const char *workspace = call_field(call, "externalWorkspaceId", CALL_OPTIONAL);
	size_t count;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	if (id == NULL) {
		*ret = channel_of_provider(call->channels, provider, workspace, &count);
		if (count == 0)
			return call_refuse(call, 403, "channels.binding_scope_required",
				"No channel of this provider is active.");
		if (count > 1)
			return call_refuse(call, 400, "request.invalid",
				"channelBindingId is required: several channels match.");
		return call_granted(call, (*ret)->binding_id);
	}
	status = call_channel(call, id, ret);
	if (status == CG_OK && strcmp((*ret)->provider, provider) != 0)
		return call_refuse(call, 400, "channels.provider_mismatch",
			"provider does not belong to the channel.");
	return status == CG_OK ? call_workspace(call, *ret) : status;
}

enum cg_status route_event_claim(struct call *call)
{
	struct provider_claim claim = {
		.provider = call_field(call, "provider", CALL_REQUIRED),
		.instance = call_field(call, "providerInstanceId", CALL_REQUIRED),
		.event_id = call_field(call, "providerEventId", CALL_REQUIRED),
		.event_type = call_choice(call, "eventType", CALL_REQUIRED, event_types),
		.claimed_by = call_field(call, "claimedBy", CALL_REQUIRED),
		.ttl_ms = call_number(call, "ttlMs", CALL_OPTIONAL, CLAIM_TTL_MS),
		.metadata = call_document(call, "metadata", CALL_OPTIONAL),
	};
	const struct channel *channel;
	struct json_object *event, *reply;
	bool claimed = false;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	if (claim.ttl_ms < 1)
		claim.ttl_ms = 1;
	if (claim.ttl_ms > CLAIM_TTL_MOST_MS)
		claim.ttl_ms = CLAIM_TTL_MOST_MS;
	status = claim_channel(call, claim.provider, &channel);
	if (status == CG_OK)
		status = provider_event_claim(
			&call->change, channel, &claim, &event, &claimed);
	if (status != CG_OK)
		return status;
	reply = cg_json_new_object();
	cg_json_put(reply, "event", event);
	cg_json_put_bool(reply, "claimed", claimed);
	cg_json_put_bool(reply, "duplicate", !claimed);
	return call_answer(call, 200, reply);
}

enum cg_status route_event_complete(struct call *call)
{
	const char *state = call_choice(call, "status", CALL_REQUIRED, outcomes);
	struct provider_outcome outcome = {
		.channel = call_field(call, "channelBindingId", CALL_OPTIONAL),
		.claimed_by = call_field(call, "claimedBy", CALL_REQUIRED),
		.retryable = cg_json_bool(call->body, "retryable", true),
		.last_error = call_text(call, "lastError", CALL_OPTIONAL, CALL_DOCUMENT),
	};
	struct json_object *event = NULL;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	outcome.processed = strcmp(state, "processed") == 0;
	status = call_named_channel(call, outcome.channel);
	if (status != CG_OK)
		return status;
	status = provider_event_complete(&call->change, call->id[0], &outcome, &event);
	if (status != CG_OK)
		return status;
	if (event == NULL)
		return call_refuse(call, 404, "channels.provider_event_not_found",
			"Channel provider event was not found or is not claimed by this "
			"claimant.");
	return call_answer_one(call, 200, "event", event);
}
