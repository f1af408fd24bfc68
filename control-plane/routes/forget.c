/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting what is kept of a conversation. */
#include "control-plane/forget.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <string.h>

#define FORGET_THREADS 64 /* in one request */

static enum cg_status forget_threads(
	struct call *call, struct thread_key *key, struct forgetting *self)
{
	struct json_object *threads = cg_json_array(call->body, "externalThreadIds");
	size_t count = cg_json_count(threads);
	enum cg_status status = CG_OK;

	if (count == 0 || count > FORGET_THREADS)
		return call_refuse(call, 400, "request.invalid",
			"externalThreadIds must name 1 to %d threads.", FORGET_THREADS);
	for (size_t i = 0; status == CG_OK && !self->busy && i < count; i++) {
		key->thread = cg_json_value_string(cg_json_at(threads, i), NULL);
		if (key->thread == NULL)
			return call_refuse(call, 400, "request.invalid",
				"externalThreadIds must hold texts.");
		status = forget_thread(self, key);
	}
	return status;
}

enum cg_status route_session_forget(struct call *call)
{
	const char *binding_id = call_field(call, "channelBindingId", CALL_REQUIRED);
	const char *chat = call_field(call, "externalChatId", CALL_REQUIRED);
	struct forgetting self = {.change = &call->change,
		.roster = call->roster,
		.channels = call->channels};
	struct thread_key key = {.chat = chat};
	const struct channel *channel;
	struct identity_rights rights;
	struct json_object *reply;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	status = call_channel(call, binding_id, &channel);
	if (status != CG_OK)
		return status;
	key.provider = channel->provider;
	key.workspace = channel->workspace;
	status = call_workspace(call, channel);
	if (status == CG_OK)
		status = call_prompter(call, key.provider, key.workspace, &rights);
	if (status == CG_OK)
		status = forget_threads(call, &key, &self);
	if (status == CG_OK && self.busy)
		return call_busy_forgetting(call);
	if (status == CG_OK)
		status = call_audit(call, "session.forget", rights.identity_id);
	if (status != CG_OK)
		return status;
	reply = cg_json_new_object();
	cg_json_put_int(reply, "forgotten", self.sessions);
	cg_json_put_bool(reply, "agentKeeps", self.agent_keeps);
	return call_answer(call, 200, reply);
}
