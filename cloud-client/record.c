/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to structs.  Nothing is copied, nothing is coerced. */
#include "cloud-client/record.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

static const char *text(struct json_object *object, const char *key)
{
	return cg_json_string_or(object, key, "");
}

static int64_t time_ms(struct json_object *object, const char *key)
{
	const char *value = cg_json_string(object, key);
	int64_t wall_ms;

	return value != NULL && cg_time_parse(value, &wall_ms) ? wall_ms : -1;
}

bool cloud_provider_event_read(
	struct json_object *object, struct cloud_provider_event *ret)
{
	if (cg_json_string(object, "eventId") == NULL)
		return false;
	*ret = (struct cloud_provider_event){
		.event_id = cg_json_string(object, "eventId"),
		.status = text(object, "status"),
		.claimed_by = cg_json_string(object, "claimedBy"),
		.claim_expires_ms = time_ms(object, "claimExpiresAt"),
		.attempt_count = cg_json_int(object, "attemptCount", 0),
		.retryable = cg_json_bool(object, "retryable", false),
		.last_error = cg_json_string(object, "lastError"),
	};
	return true;
}

void cloud_pairing_read(struct json_object *object, struct cloud_identity *ret)
{
	ret->pairing_code = cg_json_string(object, "code");
	ret->pairing_expires_ms = time_ms(object, "expiresAt");
	ret->pairing_notify = cg_json_bool(object, "notify", false);
}

bool cloud_identity_read(struct json_object *object, struct cloud_identity *ret)
{
	struct json_object *metadata = cg_json_object(object, "metadata");

	if (cg_json_string(object, "identityId") == NULL)
		return false;
	*ret = (struct cloud_identity){
		.identity_id = cg_json_string(object, "identityId"),
		.provider = text(object, "provider"),
		.external_workspace_id = cg_json_string(object, "externalWorkspaceId"),
		.external_user_id = text(object, "externalUserId"),
		.account_id = cg_json_string(object, "accountId"),
		.role = text(object, "role"),
		.status = text(object, "status"),
		.display_name = cg_json_string(metadata, "displayName"),
		.created_ms = time_ms(object, "createdAt"),
	};
	cloud_pairing_read(cg_json_object(object, "pairing"), ret);
	return true;
}

bool cloud_session_binding_read(
	struct json_object *object, struct cloud_session_binding *ret)
{
	if (cg_json_string(object, "bindingId") == NULL ||
		cg_json_string(object, "sessionId") == NULL)
		return false;
	*ret = (struct cloud_session_binding){
		.binding_id = cg_json_string(object, "bindingId"),
		.agent_id = text(object, "agentId"),
		.channel_binding_id = text(object, "channelBindingId"),
		.session_id = cg_json_string(object, "sessionId"),
		.provider = text(object, "provider"),
		.external_workspace_id = cg_json_string(object, "externalWorkspaceId"),
		.external_chat_id = text(object, "externalChatId"),
		.external_thread_id = text(object, "externalThreadId"),
		.last_chat_message_id = cg_json_string(object, "lastChatMessageId"),
		.last_event_sequence = cg_json_int(object, "lastEventSequence", 0),
		.last_workspace_sequence =
			cg_json_int(object, "lastWorkspaceSequence", 0),
		.status = text(object, "status"),
	};
	return true;
}

bool cloud_session_snapshot_read(
	struct json_object *object, struct cloud_session_snapshot *ret)
{
	struct json_object *session = cg_json_object(object, "session");
	struct json_object *projection = cg_json_object(object, "projection");

	if (cg_json_string(session, "sessionId") == NULL)
		return false;
	*ret = (struct cloud_session_snapshot){
		.session_id = cg_json_string(session, "sessionId"),
		.status = text(session, "status"),
		.title = cg_json_string(session, "title"),
		.sequence = cg_json_int(projection, "sequence", 0),
		.view = cg_json_object(projection, "view"),
	};
	return true;
}

bool cloud_command_read(struct json_object *object, struct cloud_command *ret)
{
	if (cg_json_string(object, "commandId") == NULL)
		return false;
	*ret = (struct cloud_command){
		.command_id = cg_json_string(object, "commandId"),
		.session_id = text(object, "sessionId"),
		.kind = text(object, "kind"),
		.status = text(object, "status"),
		.error = cg_json_string(object, "error"),
	};
	return true;
}

bool cloud_interaction_read(struct json_object *object, struct cloud_interaction *ret)
{
	if (cg_json_string(object, "interactionId") == NULL)
		return false;
	*ret = (struct cloud_interaction){
		.interaction_id = cg_json_string(object, "interactionId"),
		.session_id = text(object, "sessionId"),
		.session_binding_id = cg_json_string(object, "sessionBindingId"),
		.kind = text(object, "kind"),
		.target_id = text(object, "targetId"),
		.status = text(object, "status"),
		.expires_ms = time_ms(object, "expiresAt"),
	};
	return true;
}

bool cloud_artifact_read(struct json_object *object, struct cloud_artifact *ret)
{
	const char *id = cg_json_string(object, "artifactId");
	const char *type = cg_json_string(object, "contentType");
	struct json_object *data = cg_json_member(object, "dataBase64");
	struct cloud_artifact artifact = {0};

	if (id == NULL)
		id = cg_json_string(object, "id");
	artifact.path = cg_json_string(object, "path");
	if (id == NULL || (artifact.path == NULL && !cg_json_is_string(data)))
		return false;
	if (type == NULL)
		type = cg_json_string_or(object, "mime", "application/octet-stream");
	artifact.record = object;
	artifact.artifact_id = id;
	artifact.filename = text(object, "filename");
	artifact.content_type = type;
	artifact.data_base64 = "";
	if (artifact.path == NULL)
		artifact.data_base64 = cg_json_value_string(data, &artifact.data_length);
	artifact.size = cg_json_int(object, "size", -1);
	*ret = artifact;
	return true;
}

bool cloud_session_event_read(struct json_object *object, struct cloud_session_event *ret)
{
	const char *type = cg_json_string(object, "type");
	int64_t sequence = cg_json_int(object, "sequence", -1);

	if (type == NULL || sequence < 0)
		return false;
	*ret = (struct cloud_session_event){
		.sequence = sequence,
		.type = type,
		.session_id = text(object, "sessionId"),
		.event_id = text(object, "eventId"),
		.payload = cg_json_object(object, "payload"),
		.created_ms = time_ms(object, "createdAt"),
	};
	return true;
}

/* The first of two names that has a text. */
static const char *either(struct json_object *object, const char *key, const char *other)
{
	const char *value = cg_json_string(object, key);

	return value != NULL ? value : cg_json_string(object, other);
}

bool cloud_delivery_read(struct json_object *object, struct cloud_delivery *ret)
{
	struct json_object *target = cg_json_object(object, "target");
	struct json_object *payload = cg_json_object(object, "payload");

	if (cg_json_string(object, "deliveryId") == NULL)
		return false;
	*ret = (struct cloud_delivery){
		.delivery_id = cg_json_string(object, "deliveryId"),
		.agent_id = text(object, "agentId"),
		.channel_binding_id = text(object, "channelBindingId"),
		.session_binding_id = cg_json_string(object, "sessionBindingId"),
		.provider = text(object, "provider"),
		.event_type = text(object, "eventType"),
		.status = text(object, "status"),
		.target = target,
		.payload = payload,
		.attempt_count = cg_json_int(object, "attemptCount", 0),
		.claimed_by = cg_json_string(object, "claimedBy"),
		.claim_expires_ms = time_ms(object, "claimExpiresAt"),
		.next_attempt_ms = time_ms(object, "nextAttemptAt"),
		.last_error = cg_json_string(object, "lastError"),
		.created_ms = time_ms(object, "createdAt"),
		.updated_ms = time_ms(object, "updatedAt"),
		.external_chat_id = either(target, "externalChatId", "chatId"),
		.external_thread_id = either(target, "externalThreadId", "threadId"),
		.external_user_id = either(target, "externalUserId", "userId"),
		.last_chat_message_id = either(target, "lastChatMessageId", "messageId"),
		.text = either(payload, "text", "message"),
		.record = object,
	};
	return true;
}

bool cloud_deliveries_at(
	const struct cloud_deliveries *list, size_t index, struct cloud_delivery *ret)
{
	return index < list->count &&
	       cloud_delivery_read(cg_json_at(list->array, index), ret);
}

bool cloud_people_at(
	const struct cloud_people *list, size_t index, struct cloud_identity *ret)
{
	return index < list->count &&
	       cloud_identity_read(cg_json_at(list->array, index), ret);
}
