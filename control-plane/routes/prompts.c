/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts with their files, and the agents that answer them. */
#include "control-plane/command.h"
#include "control-plane/file.h"
#include "control-plane/routes/router.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ATTACHMENT_DATA (1024 * 1024) /* bytes of one file that comes within the body */

/* A file that came with the prompt: at @path, or as base64 within the body. */
struct attachment {
	char filename[FILE_NAME];
	char mime_type[FILE_NAME];
	int64_t bytes;
	const char *path; /* borrowed from the body; NULL: @data */
	struct json_object *data; /* borrowed from the body */
};

struct prompt {
	struct call *call;
	struct binding *binding;
	const char *text;
	const char *agent;
	char command_id[HASHED_ID];
	struct identity_rights author;
	struct attachment attachments[FILE_PROMPT];
	size_t attachment_count;
};

/* The command of a prompt: one id for one (thread, key). */
static void prompt_id(const struct binding *binding, const char *key, char ret[HASHED_ID])
{
	if (key == NULL)
		random_id(ret);
	else
		hashed_id("channel_command_",
			(const char *const[]){
				PLANE_ORG, binding_text(binding, "bindingId"), key},
			3, ret);
}

/* ---- attachments ---- */

static enum cg_status bad_attachment(struct call *call, const char *why)
{
	return call_refuse(call, 400, "attachments.invalid", "%s", why);
}

static enum cg_status read_attachment(
	struct call *call, struct json_object *object, struct attachment *ret)
{
	const char *name = cg_json_string(object, "filename");
	const char *type = cg_json_string(object, "mimeType");
	struct json_object *data = cg_json_member(object, "data");

	if (name == NULL)
		return bad_attachment(call, "Each attachment needs a filename.");
	file_name(name, ret->filename);
	cg_text_copy(ret->mime_type, sizeof(ret->mime_type),
		cg_text_blank(type) || !cg_text_clean(type, strlen(type), FILE_NAME - 1)
			? "application/octet-stream"
			: type);
	ret->path = cg_json_string(object, "path");
	ret->data = data;
	ret->bytes = cg_json_int(object, "bytes", 0);
	if ((ret->path == NULL) == (data == NULL) ||
		(data != NULL && !cg_json_is_string(data)))
		return bad_attachment(
			call, "Each attachment needs either a path or data in base64.");
	if (ret->path != NULL && call->principal != PLANE_GATEWAY)
		return call_refuse(call, 403, "authorization.principal_denied",
			"A path is taken only from the gateway itself.");
	return CG_OK;
}

static enum cg_status read_attachments(struct prompt *prompt)
{
	struct call *call = prompt->call;
	struct json_object *array = cg_json_member(call->body, "attachments");
	size_t count = cg_json_count(array);
	enum cg_status status = CG_OK;

	if (array != NULL && !cg_json_is_array(array))
		return bad_attachment(call, "attachments must be an array.");
	if (count > FILE_PROMPT)
		return call_refuse(call, 413, "attachments.too_many",
			"A prompt takes at most %d files.", FILE_PROMPT);
	for (size_t i = 0; status == CG_OK && i < count; i++)
		status = read_attachment(call, cg_json_at(array, i),
			&prompt->attachments[prompt->attachment_count++]);
	return status;
}

static enum cg_status write_data(struct prompt *prompt, struct attachment *attachment,
	const char *id, uint64_t *ret_bytes)
{
	struct change *change = &prompt->call->change;
	size_t length, decoded = 0;
	const char *text = cg_json_value_string(attachment->data, &length);
	uint8_t *bytes;
	enum cg_status status;

	if (length / 4 * 3 > ATTACHMENT_DATA)
		return CG_LIMIT;
	bytes = malloc(length / 4 * 3 + 4);
	if (bytes == NULL)
		return CG_NOMEM;
	if (cg_unbase64(text, length, bytes, &decoded))
		status = file_store_write(change->files, id, bytes, decoded, change->err);
	else
		status = CG_INVALID;
	free(bytes);
	*ret_bytes = decoded;
	return status;
}

static enum cg_status refuse_file(
	struct prompt *prompt, const struct attachment *attachment, enum cg_status status)
{
	struct call *call = prompt->call;

	if (status == CG_LIMIT)
		return call_refuse(call, 413, "attachments.too_large",
			"The file %s is too large.", attachment->filename);
	if (status == CG_NOT_FOUND || status == CG_INVALID)
		return call_refuse(call, 400, "attachments.invalid",
			"The file %s cannot be read.", attachment->filename);
	return status;
}

/* Into the store, under an id of the command: before the command is committed, so that
 * it is there whenever the command is. */
static enum cg_status keep_attachment(struct prompt *prompt, size_t index)
{
	struct change *change = &prompt->call->change;
	struct attachment *attachment = &prompt->attachments[index];
	struct file file = {.id = 0};
	uint64_t bytes = 0;
	bool fresh;
	enum cg_status status;

	file_attachment_id(prompt->command_id, index, file.file_id);
	memcpy(file.filename, attachment->filename, sizeof(file.filename));
	memcpy(file.mime_type, attachment->mime_type, sizeof(file.mime_type));
	if (attachment->path != NULL)
		status = file_store_link(change->files, file.file_id, attachment->path,
			&bytes, change->err);
	else
		status = write_data(prompt, attachment, file.file_id, &bytes);
	if (status != CG_OK)
		return refuse_file(prompt, attachment, status);
	file.bytes = (int64_t)bytes;
	status = file_insert(
		change, prompt->binding->session, prompt->command_id, &file, &fresh);
	if (status == CG_LIMIT)
		return call_refuse(prompt->call, 413, "quota.files_exceeded",
			"Too many files are kept already.");
	return status;
}

static enum cg_status keep_attachments(struct prompt *prompt)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < prompt->attachment_count; i++)
		status = keep_attachment(prompt, i);
	return status;
}

static struct json_object *prompt_payload(const struct prompt *prompt)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *array = cg_json_new_array();

	cg_json_put_string(payload, "text", prompt->text);
	cg_json_put_string(payload, "agent", prompt->agent);
	for (size_t i = 0; i < prompt->attachment_count; i++) {
		const struct attachment *attachment = &prompt->attachments[i];
		struct json_object *one = cg_json_new_object();

		cg_json_put_string(one, "filename", attachment->filename);
		cg_json_put_string(one, "mimeType", attachment->mime_type);
		if (attachment->bytes > 0)
			cg_json_put_int(one, "bytes", attachment->bytes);
		cg_json_append(array, one);
	}
	if (prompt->attachment_count > 0)
		cg_json_put(payload, "attachments", array);
	else
		cg_json_free(array);
	return payload;
}

/* ---- the command ---- */

static enum cg_status answer_command(struct prompt *prompt, const struct command *command)
{
	struct json_object *reply = cg_json_new_object();

	cg_json_put(reply, "binding", cg_json_ref(prompt->binding->record));
	cg_json_put(reply, "command", cg_json_ref(command->record));
	cg_json_put_int(reply, "processed", 0);
	cg_json_put(reply, "view", binding_pair(prompt->binding));
	cg_json_put_null(reply, "projectionFence");
	return call_answer(prompt->call, 202, reply);
}

/* What becomes of it while the agent works. */
static enum cg_status apply_mode(struct prompt *prompt)
{
	static const char *const names[] = {"queue", "steer", "interrupt", NULL};
	struct call *call = prompt->call;
	const char *wanted = call_choice(call, "mode", CALL_OPTIONAL, names);
	const struct channel *channel = channel_find(
		call->channels, binding_text(prompt->binding, "channelBindingId"));
	enum plane_mode mode = channel == NULL ? PLANE_QUEUE : channel->mode;
	struct command_load load;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	if (wanted != NULL)
		mode = strcmp(wanted, "steer") == 0   ? PLANE_STEER
		       : strcmp(wanted, "queue") == 0 ? PLANE_QUEUE
						      : PLANE_INTERRUPT;
	if (mode == PLANE_QUEUE)
		return CG_OK;
	status = command_load(&call->change, prompt->binding->session, &load);
	if (status != CG_OK || !load.busy)
		return status;
	if (mode == PLANE_INTERRUPT)
		call->change.abort = prompt->binding->session;
	else if (prompt->attachment_count == 0)
		return change_steer(&call->change, prompt->binding->session,
			prompt->command_id, prompt->text);
	return CG_OK;
}

/* Nothing runs or waits before it, and there is a place: it need not be taken later. */
static enum cg_status begin_now(struct prompt *prompt)
{
	struct call *call = prompt->call;
	const struct take take = {prompt->binding->session, call->history_bytes,
		call->roster, call->channels};
	struct command_load load;
	enum cg_status status;

	if (!call->may_begin)
		return CG_OK;
	status = command_load(&call->change, prompt->binding->session, &load);
	if (status != CG_OK || load.busy || load.queued != 1)
		return status;
	call->taken_session = take.session;
	return taken_prompt_take(&call->change, &take, &call->taken);
}

static enum cg_status enqueue_new(struct prompt *prompt)
{
	enum cg_status status = keep_attachments(prompt);

	if (status == CG_OK)
		status = apply_mode(prompt);
	if (status == CG_OK)
		status = begin_now(prompt);
	if (prompt->call->taken.text == NULL)
		prompt->call->change.wake = prompt->binding->session;
	return status;
}

static enum cg_status judge(struct prompt *prompt, enum command_verdict verdict)
{
	struct call *call = prompt->call;

	switch (verdict) {
	case COMMAND_NEW:
		return enqueue_new(prompt);
	case COMMAND_REPEAT:
		break;
	case COMMAND_FAILED:
		return call_refuse(call, 409, "commands.failed",
			"This prompt was tried before and failed.");
	case COMMAND_CONFLICT:
		return call_refuse(call, 409, "commands.conflict",
			"The idempotency key was used for another prompt.");
	case COMMAND_QUEUE_FULL:
		return call_refuse_later(call, 5000, "quota.queued_commands_exceeded",
			"Too many prompts of this chat wait for the agent.");
	}
	return CG_OK;
}

static enum cg_status enqueue(struct prompt *prompt)
{
	struct json_object *payload = prompt_payload(prompt);
	const struct command_seed seed = {
		.session = prompt->binding->session,
		.session_id = binding_text(prompt->binding, "sessionId"),
		.sequence = prompt->binding->last_command + 1,
		.command_id = prompt->command_id,
		.kind = "prompt",
		.identity_id = prompt->author.identity_id,
		.payload = payload,
	};
	enum command_verdict verdict = COMMAND_NEW;
	struct command command = {0};
	enum cg_status status =
		command_enqueue(&prompt->call->change, &seed, &verdict, &command);

	if (status == CG_OK)
		status = judge(prompt, verdict);
	if (status == CG_OK)
		status = answer_command(prompt, &command);
	command_finish(&command);
	cg_json_free(payload);
	return status;
}

/* A name that nobody here answers to is told at once, not after the turn. */
static enum cg_status unknown_agent(struct call *call, const char *name)
{
	char names[160];

	roster_names(call->roster, names, sizeof(names));
	return call_refuse(call, 404, "agents.unknown",
		"There is no agent called %.60s. Known here: %s.", name, names);
}

static enum cg_status check_agent(struct prompt *prompt)
{
	struct call *call = prompt->call;
	const struct seat *seat;
	enum cg_status status;

	if (strcmp(prompt->agent, "build") == 0 ||
		roster_find(call->roster, prompt->agent) != NULL)
		return CG_OK;
	status = roster_seat(call->roster, &call->change, call->channels,
		prompt->binding->session, NULL, &seat);
	if (status == CG_OK && !seat->ops->has_agents)
		return unknown_agent(call, prompt->agent);
	return status;
}

enum cg_status route_session_prompt(struct call *call)
{
	const char *binding_id = call_field(call, "bindingId", CALL_REQUIRED);
	const char *agent = call_text(call, "agent", CALL_OPTIONAL, 64);
	const char *key = call_field(call, "idempotencyKey", CALL_OPTIONAL);
	bool files = cg_json_count(cg_json_array(call->body, "attachments")) > 0;
	const char *text =
		call_text(call, "text", files ? CALL_OPTIONAL : CALL_REQUIRED, CALL_TEXT);
	struct prompt *prompt;
	struct binding binding;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	status = call_binding(call, binding_id, &binding);
	if (status != CG_OK)
		return status;
	prompt = calloc(1, sizeof(*prompt));
	if (prompt == NULL)
		status = CG_NOMEM;
	if (status == CG_OK) {
		prompt->call = call;
		prompt->binding = &binding;
		prompt->text = text == NULL ? "" : text;
		prompt->agent = agent == NULL ? "build" : agent;
		prompt_id(&binding, key, prompt->command_id);
		status = call_prompter(call, binding_text(&binding, "provider"),
			binding_text(&binding, "externalWorkspaceId"), &prompt->author);
	}
	if (status == CG_OK)
		status = check_agent(prompt);
	if (status == CG_OK)
		status = read_attachments(prompt);
	if (status == CG_OK)
		status = enqueue(prompt);
	free(prompt);
	binding_finish(&binding);
	return status;
}

/* ---- agents ---- */

enum cg_status route_agents(struct call *call)
{
	struct json_object *array = cg_json_new_array();

	for (size_t i = 0; i < call->roster->count; i++) {
		const struct seat *seat = &call->roster->seats[i];
		struct json_object *agent = cg_json_new_object();

		cg_json_put_string(agent, "name", seat->name);
		cg_json_put_string(agent, "backend", seat->ops->name);
		cg_json_put_string(agent, "model", seat->model);
		cg_json_append(array, agent);
	}
	return call_answer_one(call, 200, "agents", array);
}

/* Choose who answers in a session from the next prompt on. */
enum cg_status route_session_agent(struct call *call)
{
	const char *name = call_text(call, "agent", CALL_REQUIRED, 64);
	const struct seat *seat = roster_find(call->roster, name);
	struct command_load load;
	struct binding binding;
	struct json_object *reply;
	enum cg_status status;

	if (call_refused(call))
		return CG_DENIED;
	if (seat == NULL)
		return unknown_agent(call, name);
	status = call_binding(call, call->id[0], &binding);
	if (status != CG_OK)
		return status;
	status = command_load(&call->change, binding.session, &load);
	if (status == CG_OK && load.busy)
		status = call_refuse(call, 409, "agents.busy",
			"The agent is working: choose another when it is done.");
	/* Another agent knows nothing of the backend's session. */
	if (status == CG_OK)
		status = change_run(&call->change,
			"UPDATE session SET agent = ?1, runtime_session_id = CASE WHEN "
			"agent IS "
			"?1 THEN runtime_session_id ELSE '' END WHERE id = ?2",
			BIND(TEXT(name), INT(binding.session)));
	if (status == CG_OK) {
		reply = cg_json_new_object();
		cg_json_put(reply, "binding", cg_json_ref(binding.record));
		cg_json_put_string(reply, "agent", seat->name);
		cg_json_put_string(reply, "backend", seat->ops->name);
		cg_json_put_string(reply, "model", seat->model);
		status = call_answer(call, 200, reply);
	}
	binding_finish(&binding);
	return status;
}
