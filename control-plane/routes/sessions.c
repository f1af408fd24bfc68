/* SPDX-License-Identifier: Apache-2.0 */
/* Chat threads and their sessions: bind, look, stop. */
#include "control-plane/command.h"
#include "control-plane/event.h"
#include "control-plane/projection.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

/* {session, projection}; the projection only where it was asked for or is new. */
static enum cg_status session_pair(struct call *call, const struct binding *binding,
	bool projection, struct json_object **ret)
{
	struct json_object *pair, *view = NULL;
	enum cg_status status = CG_OK;

	if (projection)
		status = projection_record(&call->change, binding->session, &view);
	if (status != CG_OK)
		return status;
	pair = cg_json_new_object();
	cg_json_put(pair, "session", cg_json_ref(binding->session_record));
	cg_json_put(pair, "projection", view);
	*ret = pair;
	return CG_OK;
}

/* Answers {binding, session} and lets go of the binding. */
static enum cg_status answer_binding(
	struct call *call, struct binding *binding, bool fresh)
{
	struct json_object *reply, *pair;
	enum cg_status status = session_pair(call, binding, fresh, &pair);

	if (status == CG_OK) {
		reply = cg_json_new_object();
		cg_json_put(reply, "binding", cg_json_ref(binding->record));
		cg_json_put(reply, "session", pair);
		status = call_answer(call, 200, reply);
	}
	binding_finish(binding);
	return status;
}

static enum cg_status bind_thread(struct call *call, const struct channel *channel,
	const struct thread_key *key, const struct binding_seed *seed)
{
	struct binding binding;
	bool fresh;
	enum cg_status status = binding_by_thread(&call->change, key, &binding);

	if (status != CG_OK)
		return status;
	fresh = binding.id == 0;
	if (fresh) {
		status = binding_create(&call->change, channel, key, seed, &binding);
	} else if (strcmp(binding_text(&binding, "channelBindingId"),
			   channel->binding_id) != 0) {
		binding_finish(&binding);
		return call_refuse(call, 409, "channels.thread_bound",
			"The chat thread is bound to another channel.");
	}
	call->settle = fresh;
	return status == CG_OK ? answer_binding(call, &binding, fresh || call->again)
			       : status;
}

enum cg_status route_session_bind(struct call *call)
{
	const char *binding_id = call_field(call, "channelBindingId", CALL_REQUIRED);
	struct thread_key key = {
		.provider = call_field(call, "provider", CALL_REQUIRED),
		.chat = call_field(call, "externalChatId", CALL_REQUIRED),
		.thread = call_field(call, "externalThreadId", CALL_REQUIRED),
	};
	struct binding_seed seed = {
		.title = call_text(call, "title", CALL_OPTIONAL, CALL_DOCUMENT),
		.last_event_sequence =
			call_number(call, "lastEventSequence", CALL_OPTIONAL, 0),
		.last_workspace_sequence =
			call_number(call, "lastWorkspaceSequence", CALL_OPTIONAL, 0),
		.last_chat_message_id =
			call_field(call, "lastChatMessageId", CALL_OPTIONAL),
	};
	const struct channel *channel;
	struct identity_rights rights;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	status = call_channel(call, binding_id, &channel);
	if (status != CG_OK)
		return status;
	if (strcmp(channel->provider, key.provider) != 0)
		return call_refuse(call, 400, "channels.provider_mismatch",
			"provider does not belong to the channel.");
	key.workspace = channel->workspace;
	status = call_workspace(call, channel);
	if (status == CG_OK)
		status = call_prompter(call, key.provider, key.workspace, &rights);
	return status == CG_OK ? bind_thread(call, channel, &key, &seed) : status;
}

enum cg_status route_session_by_thread(struct call *call)
{
	char provider[CALL_FIELD + 1] = "", workspace[CALL_FIELD + 1] = "";
	char chat[CALL_FIELD + 1] = "", thread[CALL_FIELD + 1] = "";
	const struct thread_key key = {provider, workspace, chat, thread};
	struct binding binding;
	enum cg_status status;

	call_query(call, "externalWorkspaceId", 0, workspace);
	if (!call_query(call, "provider", 0, provider) ||
		!call_query(call, "externalChatId", 0, chat) ||
		!call_query(call, "externalThreadId", 0, thread) || call_refused(call))
		return call_refuse(call, 400, "request.invalid",
			"provider, externalChatId and externalThreadId are required.");
	status = binding_by_thread(&call->change, &key, &binding);
	if (status != CG_OK)
		return status;
	if (binding.id == 0)
		return call_refuse(call, 404, "channels.binding_not_found",
			"Channel session binding was not found.");
	status = call_granted(call, binding_text(&binding, "channelBindingId"));
	if (status != CG_OK) {
		binding_finish(&binding);
		return status;
	}
	return answer_binding(call, &binding, false);
}

enum cg_status route_session_status(struct call *call)
{
	struct binding binding;
	struct command_load load;
	struct event_bounds bounds;
	struct json_object *reply;
	const struct seat *seat;
	enum cg_status status = call_binding(call, call->id[0], &binding);

	if (status != CG_OK)
		return status;
	status = command_load(&call->change, binding.session, &load);
	if (status == CG_OK)
		status = roster_seat(call->roster, &call->change, call->channels,
			binding.session, NULL, &seat);
	if (status == CG_OK)
		status = event_bounds(&call->change, binding.session, &bounds);
	if (status == CG_OK) {
		reply = cg_json_new_object();
		cg_json_put(reply, "binding", cg_json_ref(binding.record));
		cg_json_put(reply, "session", cg_json_ref(binding.session_record));
		cg_json_put_bool(reply, "busy", load.busy);
		cg_json_put_int(reply, "queued", load.queued);
		cg_json_put_int(reply, "sequence", bounds.last);
		/* Where there is only one agent, its name says nothing. */
		cg_json_put_string(reply, "agent",
			call->roster->count == 1 ? seat->ops->name : seat->name);
		cg_json_put_string(reply, "backend", seat->ops->name);
		cg_json_put_string(reply, "model", seat->model);
		cg_json_put_string(reply, "epoch", call->change.epoch);
		status = call_answer(call, 200, reply);
	}
	binding_finish(&binding);
	return status;
}

static enum cg_status stop_session(struct call *call, const struct binding *binding,
	struct command_load *ret_load, int64_t *ret_dropped)
{
	enum cg_status status = command_load(&call->change, binding->session, ret_load);

	*ret_dropped = 0;
	if (status == CG_OK && cg_json_bool(call->body, "queued", false))
		status = command_drop_pending(
			&call->change, binding->session, ret_dropped);
	if (status == CG_OK && ret_load->busy)
		call->change.abort = binding->session;
	return status;
}

enum cg_status route_session_abort(struct call *call)
{
	struct binding binding;
	struct command_load load;
	struct json_object *reply;
	int64_t dropped;
	enum cg_status status = call_binding(call, call->id[0], &binding);

	if (status != CG_OK)
		return status;
	status = stop_session(call, &binding, &load, &dropped);
	if (status == CG_OK) {
		reply = cg_json_new_object();
		cg_json_put(reply, "binding", cg_json_ref(binding.record));
		cg_json_put_bool(reply, "aborted", load.busy);
		cg_json_put_int(reply, "dropped", dropped);
		status = call_answer(call, 202, reply);
	}
	binding_finish(&binding);
	return status;
}

enum cg_status route_session_snapshot(struct call *call)
{
	struct binding binding;
	struct json_object *pair;
	enum cg_status status = call_binding(call, call->id[0], &binding);

	if (status != CG_OK)
		return status;
	status = session_pair(call, &binding, true, &pair);
	binding_finish(&binding);
	return status == CG_OK ? call_answer(call, 200, pair) : status;
}

/* Where the reader of a stream stands, and whether it must look at a snapshot first. */
static enum cg_status begin_stream(struct call *call, int64_t after)
{
	struct snapshot_gap gap = {.after = after, .sequence = after};
	char epoch[CALL_FIELD + 1];
	enum cg_status status = event_bounds(&call->change, call->session, &gap.bounds);

	if (status != CG_OK)
		return status;
	call->after = after;
	call->head = gap.bounds.last;
	if (call_query(call, "epoch", 0, epoch) && strcmp(epoch, call->change.epoch) != 0)
		gap.reason = "epoch_changed";
	else if (after > gap.bounds.last)
		gap.reason = "cursor_beyond_head";
	if (gap.reason == NULL)
		return CG_OK;
	gap.sequence = call->after = gap.bounds.last; /* the old cursor means nothing */
	return event_snapshot_required(
		&call->change, call->session, call->session_id, &gap);
}

enum cg_status route_session_events(struct call *call)
{
	int64_t after = call_query_number(call, "after", 0, 0, INT64_MAX - 1);
	struct binding binding;
	enum cg_status status = call_binding(call, call->id[0], &binding);

	if (status != CG_OK)
		return status;
	call->session = binding.session;
	cg_text_copy(call->session_id, sizeof(call->session_id),
		binding_text(&binding, "sessionId"));
	binding_finish(&binding);
	status = begin_stream(call, after);
	if (status == CG_OK)
		status = event_read(
			&call->change, call->session, call->session_id, call->after);
	return status == CG_OK ? call_answer(call, 200, NULL) : status;
}

enum cg_status route_cursor(struct call *call)
{
	const char *binding_id = call_field(call, "bindingId", CALL_REQUIRED);
	struct cursor cursor = {
		.event_sequence =
			call_number(call, "lastEventSequence", CALL_REQUIRED, 0),
		.workspace_sequence =
			call_number(call, "lastWorkspaceSequence", CALL_OPTIONAL, 0),
		.has_message = cg_json_has(call->body, "lastChatMessageId"),
		.message_id = call_field(call, "lastChatMessageId", CALL_OPTIONAL),
	};
	struct binding binding;
	struct json_object *reply, *result;
	bool ok = false;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	status = call_binding(call, binding_id, &binding);
	if (status != CG_OK)
		return status;
	status = binding_set_cursor(&call->change, &binding, &cursor, &ok);
	if (status == CG_OK) {
		reply = cg_json_new_object();
		result = cg_json_new_object();
		cg_json_put_bool(result, "ok", ok);
		if (!ok)
			cg_json_put_string(result, "reason", "stale");
		cg_json_put(result, "binding", cg_json_ref(binding.record));
		cg_json_put(reply, "binding", cg_json_ref(binding.record));
		cg_json_put(reply, "result", result);
		status = call_answer(call, 200, reply);
	}
	binding_finish(&binding);
	return status;
}
