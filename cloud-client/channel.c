/* SPDX-License-Identifier: Apache-2.0 */
/* Claims, people, bindings, prompts, cursors and interactions. */
#include "cloud-client/channel.h"

#include "cloud-client/call.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

#define CHANNELS "/api/channels"

/* A workspace that is not named is left out: null would contradict a binding that has one. */
static void put_actor(struct request *request, const struct cloud_actor *actor)
{
	request_optional(request, "identityId", actor->identity_id);
	request_require(request, "provider", actor->provider);
	request_optional(request, "externalWorkspaceId", actor->external_workspace_id);
	request_require(request, "externalUserId", actor->external_user_id);
}

enum cg_status cloud_claim(struct cloud_client *client,
	const struct cloud_claim_params *params, cloud_provider_event_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", CHANNELS "/provider-events/claim");
	request.idempotent = true;
	request_require(&request, "provider", params->provider);
	request_require(&request, "providerInstanceId", params->provider_instance_id);
	request_require(&request, "providerEventId", params->provider_event_id);
	request_require(&request, "eventType", params->event_type);
	request_require(&request, "claimedBy", cloud_client_claimed_by(client));
	request_optional(&request, "channelBindingId", params->channel_binding_id);
	request_optional(&request, "externalWorkspaceId", params->external_workspace_id);
	cg_json_put_int(request.body, "ttlMs",
		params->ttl_ms > 0 ? params->ttl_ms : CLOUD_CLAIM_TTL_MS);
	if (params->metadata != NULL)
		cg_json_put(request.body, "metadata", cg_json_ref(params->metadata));
	return call_send(client, &request,
		&(struct call_target){
			REPLY_provider_event, {.provider_event = done}, arg, ret});
}

enum cg_status cloud_complete(struct cloud_client *client,
	const struct cloud_complete_params *params, cloud_provider_event_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", CHANNELS "/provider-events");
	request.idempotent = true;
	request_segment(&request, params->event_id);
	request_path(&request, "/complete");
	request_optional(&request, "channelBindingId", params->channel_binding_id);
	request_require(&request, "claimedBy", cloud_client_claimed_by(client));
	cg_json_put_string(
		request.body, "status", params->processed ? "processed" : "failed");
	if (!params->processed) {
		cg_json_put_bool(request.body, "retryable", params->retryable);
		request_text(&request, "lastError", params->last_error);
	}
	return call_send(client, &request,
		&(struct call_target){
			REPLY_provider_event, {.provider_event = done}, arg, ret});
}

enum cg_status cloud_resolve_identity(struct cloud_client *client,
	const struct cloud_identity_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret)
{
	struct cloud_actor actor = params->actor;
	struct json_object *metadata = cg_json_new_object();
	struct request request;

	actor.identity_id = NULL;
	request_init(&request, "POST", CHANNELS "/identities/resolve");
	request.idempotent = true;
	put_actor(&request, &actor);
	request_optional(&request, "channelBindingId", params->channel_binding_id);
	cg_json_put_string(metadata, "username", params->username);
	cg_json_put_string(metadata, "displayName", params->display_name);
	cg_json_put(request.body, "metadata", metadata);
	return call_send(client, &request,
		&(struct call_target){REPLY_identity, {.identity = done}, arg, ret});
}

enum cg_status cloud_bind(struct cloud_client *client,
	const struct cloud_bind_params *params, cloud_bound_done done, void *arg,
	struct cloud_call **ret)
{
	const char *thread = params->external_thread_id;
	struct request request;

	request_init(&request, "POST", CHANNELS "/sessions/bind");
	request.idempotent = true;
	put_actor(&request, &params->actor);
	request_require(&request, "channelBindingId", params->channel_binding_id);
	request_require(&request, "externalChatId", params->external_chat_id);
	request_require(&request, "externalThreadId",
		thread != NULL ? thread : params->external_chat_id);
	request_text(&request, "title", params->title);
	return call_send(client, &request,
		&(struct call_target){REPLY_bound, {.bound = done}, arg, ret});
}

enum cg_status cloud_by_thread(struct cloud_client *client,
	const struct cloud_thread_params *params, cloud_bound_done done, void *arg,
	struct cloud_call **ret)
{
	const char *thread = params->external_thread_id;
	struct request request;

	request_init(&request, "GET", CHANNELS "/sessions/by-thread");
	request.idempotent = true;
	request_argument_id(&request, "provider", params->provider);
	request_argument(&request, "externalWorkspaceId", params->external_workspace_id);
	request_argument_id(&request, "externalChatId", params->external_chat_id);
	request_argument_id(&request, "externalThreadId",
		thread != NULL ? thread : params->external_chat_id);
	return call_send(client, &request,
		&(struct call_target){REPLY_bound, {.bound = done}, arg, ret});
}

enum cg_status cloud_prompt(struct cloud_client *client,
	const struct cloud_prompt_params *params, cloud_command_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", CHANNELS "/sessions/prompt");
	/* Without a key a repeat would be a second order. */
	request.idempotent = params->idempotency_key != NULL;
	request.invalid = params->text == NULL;
	put_actor(&request, &params->actor);
	request_require(&request, "bindingId", params->binding_id);
	request_text(&request, "text", params->text);
	request_optional(&request, "agent", params->agent);
	request_optional(&request, "idempotencyKey", params->idempotency_key);
	request_optional(&request, "mode", params->mode);
	if (params->attachments != NULL)
		cg_json_put(
			request.body, "attachments", cg_json_ref(params->attachments));
	return call_send(client, &request,
		&(struct call_target){REPLY_command, {.command = done}, arg, ret});
}

enum cg_status cloud_set_cursor(struct cloud_client *client,
	const struct cloud_cursor_params *params, cloud_cursor_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", CHANNELS "/cursor");
	request.idempotent = true;
	request_require(&request, "bindingId", params->binding_id);
	cg_json_put_int(request.body, "lastEventSequence", params->last_event_sequence);
	cg_json_put_int(
		request.body, "lastWorkspaceSequence", params->last_workspace_sequence);
	request_text(&request, "lastChatMessageId", params->last_chat_message_id);
	return call_send(client, &request,
		&(struct call_target){REPLY_cursor, {.cursor = done}, arg, ret});
}

enum cg_status cloud_create_interaction(struct cloud_client *client,
	const struct cloud_interaction_params *params, cloud_interaction_done done,
	void *arg, struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", CHANNELS "/interactions");
	request_optional(&request, "interactionId", params->interaction_id);
	request_require(&request, "agentId", params->agent_id);
	request_require(&request, "sessionBindingId", params->session_binding_id);
	request_require(&request, "sessionId", params->session_id);
	request_require(&request, "provider", params->provider);
	request_require(&request, "kind", params->kind);
	request_require(&request, "targetId", params->target_id);
	return call_send(client, &request,
		&(struct call_target){
			REPLY_interaction, {.interaction = done}, arg, ret});
}

static void put_answer(struct request *request, const struct cloud_resolve_params *params)
{
	struct json_object *response;

	switch (params->answer) {
	case CLOUD_ANSWER_REJECT:
		cg_json_put_bool(request->body, "reject", true);
		return;
	case CLOUD_ANSWER_TEXTS:
		if (!cg_json_is_array(params->answers))
			request->invalid = true;
		else
			cg_json_put(
				request->body, "answers", cg_json_ref(params->answers));
		return;
	case CLOUD_ANSWER_ALLOW_ALWAYS:
		cg_json_put_string(request->body, "response", "always");
		return;
	case CLOUD_ANSWER_DENY:
	case CLOUD_ANSWER_ALLOW:
		break;
	}
	response = cg_json_new_object();
	cg_json_put_bool(response, "allowed", params->answer == CLOUD_ANSWER_ALLOW);
	cg_json_put(request->body, "response", response);
}

enum cg_status cloud_resolve_interaction(struct cloud_client *client,
	const struct cloud_resolve_params *params, cloud_resolution_done done, void *arg,
	struct cloud_call **ret)
{
	struct request request;

	request_init(&request, "POST", CHANNELS "/interactions/resolve");
	request.invalid =
		params->token == NULL && params->external_interaction_id == NULL;
	put_actor(&request, &params->actor);
	request_require(&request, "externalChatId", params->external_chat_id);
	request_optional(&request, "token", params->token);
	request_optional(
		&request, "externalInteractionId", params->external_interaction_id);
	put_answer(&request, params);
	request_optional(&request, "message", params->message);
	return call_send(client, &request,
		&(struct call_target){REPLY_resolution, {.resolution = done}, arg, ret});
}
