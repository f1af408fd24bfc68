/* SPDX-License-Identifier: Apache-2.0 */
/* Who is writing? */
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <string.h>

/* What a stranger is told goes beside the identity, for gateways that know to look. */
static enum cg_status put_pairing(
	struct call *call, const struct identity *identity, struct json_object *reply)
{
	struct pairing pairing;
	struct json_object *told;
	enum cg_status status;

	if (strcmp(cg_json_string_or(identity->record, "status", ""), "pending") != 0)
		return CG_OK;
	status = pairing_offer(&call->change, identity, call->pairing_key, &pairing);
	if (status != CG_OK)
		return status;
	told = cg_json_new_object();
	put_optional(told, "code", pairing.code);
	cg_json_put_time(told, "expiresAt", pairing.expires_at);
	cg_json_put_bool(told, "notify", pairing.notify);
	cg_json_put(reply, "pairing", told);
	return CG_OK;
}

enum cg_status route_identity_resolve(struct call *call)
{
	const char *provider = call_field(call, "provider", CALL_REQUIRED);
	const char *user = call_field(call, "externalUserId", CALL_REQUIRED);
	const char *binding = call_field(call, "channelBindingId", CALL_OPTIONAL);
	const char *workspace = call_field(call, "externalWorkspaceId", CALL_OPTIONAL);
	struct json_object *metadata = call_document(call, "metadata", CALL_OPTIONAL);
	struct identity_key key = {provider, workspace == NULL ? "" : workspace, user};
	struct identity identity = {0};
	const struct channel *channel;
	struct json_object *reply;
	size_t count = 1;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	if (binding == NULL)
		channel =
			channel_of_provider(call->channels, provider, workspace, &count);
	else if (call_channel(call, binding, &channel) != CG_OK)
		return CG_DENIED;
	if (count != 1 || strcmp(channel->provider, provider) != 0)
		return call_refuse(call, 400, "channels.provider_mismatch",
			"The channel of the person is not clear: name its "
			"channelBindingId.");
	status = call_granted(call, channel->binding_id);
	if (status == CG_OK)
		status = call_workspace(call, channel);
	if (status != CG_OK)
		return status;
	key.workspace = channel->workspace;
	status = identity_resolve(&call->change, &key, channel, metadata,
		strcmp(provider, "cli") == 0, &identity);
	if (status != CG_OK)
		return status;
	call->settle = identity.admitted;
	reply = cg_json_new_object();
	cg_json_put(reply, "identity", cg_json_ref(identity.record));
	status = put_pairing(call, &identity, reply);
	identity_finish(&identity);
	if (status == CG_OK)
		return call_answer(call, 200, reply);
	cg_json_free(reply);
	return status;
}
