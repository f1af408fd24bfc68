/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and permissions: make a token, and take its answer. */
#include "control-plane/interaction.h"

#include "control-plane/command.h"
#include "control-plane/projection.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"permission", "question", NULL};

/* A secret of the caller's own has to be as good as one of ours. */
static bool good_secret(const char *secret)
{
	size_t length = strlen(secret);

	return length >= 22 && length <= 64 &&
	       strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789-_") == length;
}

/* The binding that is named, or the only one of the session. */
static enum cg_status interaction_binding(
	struct call *call, const char *session_id, struct binding *ret)
{
	const char *id = call_field(call, "sessionBindingId", CALL_OPTIONAL);
	struct statement *row;
	int64_t binding = 0;
	enum cg_status status = CG_OK;

	memset(ret, 0, sizeof(*ret));
	if (call_refused(call))
		return CG_DENIED;
	if (id == NULL) {
		status = change_first(&call->change,
			"SELECT max(b.id), count(*) FROM session_binding b"
			" JOIN session s ON s.id = b.session"
			" WHERE s.session_id = ? AND b.status = 'active'",
			BIND(TEXT(session_id)), &row);
		if (status == CG_OK && row != NULL && statement_int(row, 1) == 1)
			binding = statement_int(row, 0);
		statement_finish(row);
		return status == CG_OK ? binding_by_row(&call->change, binding, ret)
				       : status;
	}
	return binding_by_id(&call->change, id, ret);
}

/* Whether the request and the binding speak of the same session, agent and provider. */
static bool same_scope(
	struct call *call, const struct binding *binding, const char *session_id)
{
	const char *agent = cg_json_string(call->body, "agentId");
	const char *provider = cg_json_string(call->body, "provider");

	return binding->id != 0 &&
	       strcmp(binding_text(binding, "sessionId"), session_id) == 0 &&
	       (agent == NULL || strcmp(binding_text(binding, "agentId"), agent) == 0) &&
	       (provider == NULL ||
		       strcmp(binding_text(binding, "provider"), provider) == 0);
}

static enum cg_status create_token(struct call *call, const struct interaction_seed *seed)
{
	char token[INTERACTION_TOKEN];
	struct json_object *record = NULL, *reply;
	enum cg_status status = interaction_create(&call->change, seed, &record, token);

	if (status == CG_EXISTS)
		return call_refuse(call, 409, "interactions.id_used",
			"The interaction id is used already.");
	if (status == CG_LIMIT)
		return call_refuse_later(call, 60000, "quota.interactions_exceeded",
			"Too many questions of this chat wait for an answer.");
	if (status == CG_OK) {
		reply = cg_json_new_object();
		cg_json_put(reply, "interaction", record);
		cg_json_put_string(reply, "plaintextToken", token);
		status = call_answer(call, 201, reply);
	}
	cg_wipe(token, sizeof(token));
	return status;
}

enum cg_status route_interaction_create(struct call *call)
{
	const char *session_id = call_field(call, "sessionId", CALL_REQUIRED);
	struct binding binding;
	struct interaction_seed seed = {
		.binding = &binding,
		.kind = call_choice(call, "kind", CALL_REQUIRED, kinds),
		.target_id = call_field(call, "targetId", CALL_REQUIRED),
		.external_id = call_field(call, "externalInteractionId", CALL_OPTIONAL),
		.seed = call_field(call, "interactionId", CALL_OPTIONAL),
		.secret = call_field(call, "tokenSecret", CALL_OPTIONAL),
		.expires_at = call_time(call, "expiresAt"),
	};
	enum cg_status status;

	call_field(call, "agentId", CALL_OPTIONAL);
	call_field(call, "provider", CALL_OPTIONAL);
	if (call_refused(call))
		return CG_DENIED;
	if (seed.secret != NULL && !good_secret(seed.secret))
		return call_refuse(call, 400, "request.invalid",
			"tokenSecret must be 22 to 64 characters of base64url.");
	status = interaction_binding(call, session_id, &binding);
	if (status != CG_OK)
		return status;
	if (binding.id != 0)
		status = call_granted(call, binding_text(&binding, "channelBindingId"));
	if (status == CG_OK && same_scope(call, &binding, session_id))
		status = create_token(call, &seed);
	else if (status == CG_OK)
		status = call_refuse(call, 403, "channels.binding_scope_required",
			"The session, its binding, agent and provider do not belong "
			"together.");
	binding_finish(&binding);
	return status;
}

/* ---- answers ---- */

/*
 * What is wrong is said, but only to those who belong here: whoever comes from another
 * chat learns no more than from a token that does not exist.
 */
static enum cg_status no_interaction(struct call *call)
{
	return call_refuse(call, 404, "interactions.not_found",
		"Channel interaction was not found.");
}

/* It waits no more: answered, or too late. */
static enum cg_status settled(struct call *call, const struct interaction *interaction)
{
	if (interaction->used)
		return call_refuse(call, 409, "interactions.answered",
			"This has been answered already.");
	return call_refuse(
		call, 404, "interactions.expired", "It is too late to answer this.");
}

/* once, always or reject. */
static const char *permission_reply(struct json_object *response)
{
	const char *text = cg_json_value_string(response, NULL);
	struct json_object *holder;
	bool allowed;

	if (text != NULL && strcmp(text, "always") == 0)
		return "always";
	if (text != NULL)
		return strcmp(text, "allow") == 0 || strcmp(text, "once") == 0 ? "once"
									       : "reject";
	if (cg_json_is_object(response))
		return cg_json_bool(response, "allowed", false) ? "once" : "reject";
	holder = cg_json_new_object();
	cg_json_put(holder, "response", cg_json_ref(response));
	allowed = cg_json_bool(holder, "response", false);
	cg_json_free(holder);
	return allowed ? "once" : "reject";
}

/* An answer is a list of what was chosen; one that comes as a text is a list of it. */
static struct json_object *answer_lists(struct json_object *answers)
{
	struct json_object *lists = cg_json_new_array();

	for (size_t i = 0; i < cg_json_count(answers); i++) {
		struct json_object *answer = cg_json_at(answers, i), *list;

		if (!cg_json_is_string(answer)) {
			cg_json_append(lists, cg_json_copy(answer));
			continue;
		}
		list = cg_json_new_array();
		cg_json_append(list, cg_json_copy(answer));
		cg_json_append(lists, list);
	}
	return lists;
}

/* What the person answered, as the payload of a command. */
static struct json_object *answer_payload(
	struct call *call, const struct interaction *interaction, const char **ret_kind)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *response = cg_json_member(call->body, "response");
	struct json_object *answers = cg_json_array(call->body, "answers");

	if (!interaction->question) {
		*ret_kind = "permission.respond";
		cg_json_put_string(payload, "permissionId", interaction->target_id);
		cg_json_put_string(payload, "response", permission_reply(response));
		if (call_text(call, "message", CALL_OPTIONAL, CALL_DOCUMENT) != NULL)
			cg_json_put_string(payload, "message",
				cg_json_string(call->body, "message"));
		return payload;
	}
	cg_json_put_string(payload, "requestId", interaction->target_id);
	if (cg_json_bool(call->body, "reject", false)) {
		*ret_kind = "question.reject";
		return payload;
	}
	*ret_kind = "question.reply";
	cg_json_put(payload, "answers", answer_lists(answers));
	return payload;
}

/* The answer for the turn that waits, once this is committed. */
static enum cg_status note_answer(struct call *call,
	const struct interaction *interaction, const char *command_id,
	struct json_object *payload)
{
	struct answer *answer = &call->change.answer;
	struct json_object *answers = cg_json_array(payload, "answers");
	const char *message = cg_json_string(payload, "message");

	answer->target_id = strdup(interaction->target_id);
	if (answer->target_id == NULL)
		return CG_NOMEM;
	if (message != NULL) {
		answer->message = strdup(message);
		if (answer->message == NULL)
			return CG_NOMEM;
	}
	answer->session = interaction->session;
	answer->question = interaction->question;
	cg_text_copy(answer->command_id, sizeof(answer->command_id), command_id);
	cg_text_copy(answer->reply, sizeof(answer->reply),
		cg_json_string_or(payload, "response", ""));
	answer->answers = answers == NULL ? NULL : cg_json_copy(answers);
	return CG_OK;
}

static enum cg_status answer_resolved(struct call *call,
	const struct interaction *interaction, const struct binding *binding,
	const struct command *command)
{
	struct json_object *reply, *record;
	enum cg_status status =
		interaction_record(&call->change, interaction->id, &record);

	if (status != CG_OK)
		return status;
	reply = cg_json_new_object();
	cg_json_put(reply, "command", cg_json_ref(command->record));
	cg_json_put_int(reply, "processed", 0);
	cg_json_put(reply, "view", binding_pair(binding));
	cg_json_put_null(reply, "projectionFence");
	cg_json_put(reply, "interaction", record);
	return call_answer(call, 202, reply);
}

/* Spend the token and store the command, or find that this answer was given before. */
static enum cg_status take_answer(struct call *call,
	const struct interaction *interaction, const struct binding *binding,
	const char *identity_id)
{
	struct command_seed seed = {
		.session = interaction->session,
		.session_id = binding_text(binding, "sessionId"),
		.sequence = binding->last_command + 1,
	};
	struct json_object *payload = answer_payload(call, interaction, &seed.kind);
	enum command_verdict verdict = COMMAND_CONFLICT;
	struct command command = {0};
	char command_id[HASHED_ID];
	enum cg_status status;

	hashed_id("channel_command_",
		(const char *const[]){PLANE_ORG, binding_text(binding, "bindingId"),
			interaction->interaction_id},
		3, command_id);
	seed.command_id = command_id;
	seed.payload = payload;
	status = command_enqueue(&call->change, &seed, &verdict, &command);
	if (status == CG_OK && verdict == COMMAND_NEW) {
		status = interaction_use(
			&call->change, interaction, identity_id, command_id);
		if (status == CG_CONFLICT)
			status = call_refuse(call, 409, "interactions.answered",
				"This has been answered already.");
		if (status == CG_OK)
			status = note_answer(call, interaction, command_id, payload);
	} else if (status == CG_OK && verdict != COMMAND_REPEAT) {
		status = settled(call, interaction); /* with another answer, or lost */
	}
	if (status == CG_OK)
		status = answer_resolved(call, interaction, binding, &command);
	command_finish(&command);
	cg_json_free(payload);
	return status;
}

/* Whether the token may be answered from here by this person; fills in who it is. */
static enum cg_status check_answer(struct call *call,
	const struct interaction *interaction, const struct binding *binding,
	char ret_identity[RANDOM_ID])
{
	const char *provider = call_field(call, "provider", CALL_REQUIRED);
	const char *chat = call_field(call, "externalChatId", CALL_REQUIRED);
	const struct channel *channel;
	struct identity_rights rights;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	channel = channel_find(call->channels, binding_text(binding, "channelBindingId"));
	if (channel == NULL || strcmp(channel->provider, provider) != 0 ||
		strcmp(binding_text(binding, "externalChatId"), chat) != 0)
		return no_interaction(call);
	status = call_granted(call, channel->binding_id);
	if (status != CG_OK)
		return status;
	status = call_actor(call, provider, channel->workspace, &rights);
	if (status != CG_OK)
		return status;
	memcpy(ret_identity, rights.identity_id, RANDOM_ID);
	if (rights.identity_id[0] == '\0')
		return no_interaction(call);
	if (!identity_may_approve(&rights))
		return call_refuse(call, 403, "gateway-actor-rbac-required",
			"This person may not answer for the agent.");
	if (!interaction->pending &&
		(!interaction->used || strcmp(interaction->used_by, ret_identity) != 0))
		return settled(call, interaction);
	return CG_OK;
}

enum cg_status route_interaction_resolve(struct call *call)
{
	const char *token =
		call_text(call, "token", CALL_REQUIRED, INTERACTION_TOKEN - 1);
	struct interaction interaction;
	struct binding binding = {0};
	char identity_id[RANDOM_ID];
	enum cg_status status;

	call_field(call, "provider", CALL_REQUIRED);
	call_field(call, "externalChatId", CALL_REQUIRED);
	call_text(call, "message", CALL_OPTIONAL, CALL_DOCUMENT);
	if (call_refused(call))
		return CG_DENIED;
	status = interaction_find(&call->change, token, &interaction);
	if (status != CG_OK)
		return status;
	if (interaction.id == 0)
		return no_interaction(call);
	status = binding_by_row(&call->change, interaction.session_binding, &binding);
	if (status == CG_OK && binding.id == 0)
		status = no_interaction(call);
	if (status == CG_OK)
		status = check_answer(call, &interaction, &binding, identity_id);
	if (status == CG_OK)
		status = take_answer(call, &interaction, &binding, identity_id);
	binding_finish(&binding);
	return status;
}
