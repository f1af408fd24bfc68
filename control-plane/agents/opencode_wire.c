/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/opencode_wire.h"

#include "control-plane/agents/attachment.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_TIME 12 /* hexadecimal digits that the server counts with, behind "msg_" */

/* ---- out ---- */

void opencode_prompt_id(const char *command_id, unsigned part, char ret[OPENCODE_ID])
{
	const char *const words[] = {"cowgate-opencode-prompt", command_id};
	uint8_t digest[CG_SHA256];
	char hex[2 * CG_SHA256 + 1];

	cg_sha256_joined(words, 2, digest);
	cg_hex(digest, sizeof(digest), hex);
	if (part == 0)
		snprintf(ret, OPENCODE_ID, "msg_000000000000%.20s", hex);
	else
		snprintf(ret, OPENCODE_ID, "prt_00000000%04x%.20s", part, hex);
}

bool opencode_next_id(const char *newest, const char *command_id, char ret[OPENCODE_ID])
{
	static const char prefix[] = "msg_";
	char digits[ID_TIME + 1], own[OPENCODE_ID];
	unsigned long long time;

	if (strncmp(newest, prefix, sizeof(prefix) - 1) != 0)
		return false;
	cg_text_copy(digits, sizeof(digits), newest + sizeof(prefix) - 1);
	if (strlen(digits) != ID_TIME || strspn(digits, "0123456789abcdef") != ID_TIME)
		return false;
	time = strtoull(digits, NULL, 16) + 1;
	if (time >> (4 * ID_TIME) != 0)
		return false;
	opencode_prompt_id(command_id, 0, own);
	snprintf(ret, OPENCODE_ID, "msg_%012llx%s", time,
		own + sizeof(prefix) - 1 + ID_TIME);
	return true;
}

bool opencode_id_is_plain(const char *id)
{
	size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_-");

	return length > 0 && id[length] == '\0' && length < OPENCODE_ID;
}

static struct json_object *new_part(
	const struct agent_prompt *prompt, unsigned number, const char *type)
{
	struct json_object *part = cg_json_new_object();
	char id[OPENCODE_ID];

	opencode_prompt_id(prompt->command_id, number, id);
	cg_json_put_string(part, "id", id);
	cg_json_put_string(part, "type", type);
	return part;
}

/* As a data URL; NULL when it is too large, cannot be read, or is of no use to a model. */
static struct json_object *file_part(
	const struct agent_prompt *prompt, unsigned number, const struct agent_file *file)
{
	bool text = attachment_is_text(file);
	bool pdf = file->mime_type != NULL &&
		   strcmp(file->mime_type, "application/pdf") == 0;
	const char *type = text ? "text/plain" : file->mime_type;
	struct json_object *part = NULL;
	struct cg_buffer url;

	if (!text && !pdf && !attachment_is_image(file))
		return NULL;
	cg_buffer_init(&url, 2 * ATTACHMENT_IMAGE);
	cg_buffer_format(&url, "data:%s;base64,", type);
	if (attachment_base64(file, text ? ATTACHMENT_TEXT : ATTACHMENT_IMAGE, &url) ==
		CG_OK) {
		part = new_part(prompt, number, "file");
		cg_json_put_string(part, "mime", type);
		cg_json_put_string(part, "filename", file->filename);
		cg_json_put_string(part, "url", cg_buffer_string(&url));
	}
	cg_buffer_finish(&url);
	return part;
}

/* The agent may have tools for it, if it can get at it. */
static struct json_object *path_part(
	const struct agent_prompt *prompt, unsigned number, const struct agent_file *file)
{
	struct json_object *part = new_part(prompt, number, "text");
	struct cg_buffer text;

	cg_buffer_init(&text, 8192);
	cg_buffer_format(&text, "[A file was attached: %s, %s, at %s]", file->filename,
		file->mime_type == NULL ? "of unknown type" : file->mime_type,
		file->path);
	cg_json_put_string(part, "text", cg_buffer_string(&text));
	cg_buffer_finish(&text);
	return part;
}

static void put_model(struct json_object *body, const char *model)
{
	const char *slash = model == NULL ? NULL : strchr(model, '/');
	struct json_object *choice;

	if (slash == NULL)
		return;
	choice = cg_json_new_object();
	cg_json_put(choice, "providerID",
		cg_json_new_string_length(model, (size_t)(slash - model)));
	cg_json_put_string(choice, "modelID", slash + 1);
	cg_json_put(body, "model", choice);
}

struct json_object *opencode_prompt_body(
	const struct agent_prompt *prompt, const char *model, const char *system)
{
	struct json_object *body = cg_json_new_object(), *parts = cg_json_new_array();
	struct json_object *text = new_part(prompt, 1, "text");
	char id[OPENCODE_ID];

	opencode_prompt_id(prompt->command_id, 0, id);
	cg_json_put_string(body, "messageID", id);
	/* "build" is also what stands there when nobody chose. */
	if (!cg_text_blank(prompt->agent) && strcmp(prompt->agent, "build") != 0)
		cg_json_put_string(body, "agent", prompt->agent);
	put_model(body, model);
	if (!cg_text_blank(system))
		cg_json_put_string(body, "system", system);
	cg_json_put_string(text, "text", prompt->text);
	cg_json_append(parts, text);
	for (size_t i = 0; i < prompt->file_count; i++) {
		struct json_object *part =
			file_part(prompt, (unsigned)i + 2, &prompt->files[i]);

		if (part == NULL)
			part = path_part(prompt, (unsigned)i + 2, &prompt->files[i]);
		cg_json_append(parts, part);
	}
	cg_json_put(body, "parts", parts);
	return body;
}

/* ---- in: events ---- */

static const char *error_text(struct json_object *error)
{
	const char *text = cg_json_string(cg_json_object(error, "data"), "message");

	if (text == NULL)
		text = cg_json_string(error, "message");
	return text != NULL ? text : cg_json_string_or(error, "name", "no reason given");
}

static void read_message(struct json_object *properties, struct opencode_event *ret)
{
	struct json_object *info = cg_json_object(properties, "info");

	ret->message_id = cg_json_string_or(info, "id", "");
	ret->parent_id = cg_json_string_or(info, "parentID", "");
	ret->assistant = strcmp(cg_json_string_or(info, "role", ""), "assistant") == 0;
	if (ret->session_id[0] == '\0')
		ret->session_id = cg_json_string_or(info, "sessionID", "");
}

static void read_part(struct json_object *properties, struct opencode_event *ret)
{
	ret->body = cg_json_object(properties, "part");
	if (ret->session_id[0] == '\0')
		ret->session_id = cg_json_string_or(ret->body, "sessionID", "");
	ret->message_id = cg_json_string_or(ret->body, "messageID", "");
	ret->part_id = cg_json_string_or(ret->body, "id", "");
}

static void read_delta(struct json_object *properties, struct opencode_event *ret)
{
	ret->message_id = cg_json_string_or(properties, "messageID", "");
	ret->part_id = cg_json_string_or(properties, "partID", "");
	ret->text =
		cg_json_value_string(cg_json_member(properties, "delta"), &ret->length);
	if (ret->text == NULL ||
		strcmp(cg_json_string_or(properties, "field", ""), "text") != 0)
		ret->kind = OPENCODE_OTHER;
}

static void read_status(struct json_object *properties, struct opencode_event *ret)
{
	struct json_object *status = cg_json_object(properties, "status");
	const char *type = cg_json_string_or(status, "type", "");

	ret->kind = OPENCODE_OTHER;
	if (strcmp(type, "idle") == 0)
		ret->kind = OPENCODE_IDLE;
	if (strcmp(type, "retry") == 0) {
		ret->kind = OPENCODE_RETRY;
		ret->number = cg_json_int(status, "attempt", 1);
		ret->text = cg_json_string_or(status, "message", "no reason given");
	}
}

static void read_session(struct json_object *properties, struct opencode_event *ret)
{
	struct json_object *info = cg_json_object(properties, "info");

	ret->session_id = cg_json_string_or(info, "id", "");
	ret->parent_id = cg_json_string_or(info, "parentID", "");
	if (ret->parent_id[0] == '\0')
		ret->kind = OPENCODE_OTHER;
}

static void read_request(struct json_object *properties, struct opencode_event *ret)
{
	ret->request_id = cg_json_string(properties, "requestID");
	if (ret->request_id == NULL)
		ret->request_id = cg_json_string_or(properties, "id", "");
	ret->reply = strcmp(cg_json_string_or(properties, "reply", ""), "reject") != 0;
}

static void read_error(struct json_object *properties, struct opencode_event *ret)
{
	struct json_object *error = cg_json_object(properties, "error");

	ret->text = error_text(error);
	ret->request_id = cg_json_string_or(error, "name", "");
}

void opencode_event_read(struct json_object *frame, struct opencode_event *ret)
{
	static const struct {
		const char *type;
		enum opencode_kind kind;
		void (*read)(struct json_object *properties, struct opencode_event *ret);
	} rows[] = {
		{"server.connected", OPENCODE_CONNECTED, NULL},
		{"message.updated", OPENCODE_MESSAGE, read_message},
		{"message.part.updated", OPENCODE_PART, read_part},
		{"message.part.delta", OPENCODE_DELTA, read_delta},
		{"session.idle", OPENCODE_IDLE, NULL},
		{"session.status", OPENCODE_OTHER, read_status},
		{"session.error", OPENCODE_ERROR, read_error},
		{"session.created", OPENCODE_CHILD, read_session},
		{"todo.updated", OPENCODE_TODOS, NULL},
		{"permission.asked", OPENCODE_PERMISSION, read_request},
		{"permission.replied", OPENCODE_PERMISSION_OVER, read_request},
		{"question.asked", OPENCODE_QUESTION, read_request},
		{"question.replied", OPENCODE_QUESTION_OVER, read_request},
		{"question.rejected", OPENCODE_QUESTION_OVER, read_request},
	};
	struct json_object *payload = cg_json_object(frame, "payload"), *properties;
	const char *type;

	*ret = (struct opencode_event){.session_id = "",
		.message_id = "",
		.parent_id = "",
		.part_id = "",
		.request_id = ""};
	if (payload == NULL)
		payload = frame;
	type = cg_json_string_or(payload, "type", "");
	properties = cg_json_object(payload, "properties");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].type, type) != 0)
			continue;
		ret->kind = rows[i].kind;
		ret->session_id = cg_json_string_or(properties, "sessionID", "");
		ret->body = properties;
		if (rows[i].read != NULL)
			rows[i].read(properties, ret);
		return;
	}
}

/* ---- in: messages and parts ---- */

void opencode_message_read(struct json_object *json, struct opencode_message *ret)
{
	struct json_object *info = cg_json_object(json, "info");
	struct json_object *error = cg_json_object(info, "error");

	*ret = (struct opencode_message){
		.id = cg_json_string_or(info, "id", ""),
		.parent_id = cg_json_string_or(info, "parentID", ""),
		.assistant =
			strcmp(cg_json_string_or(info, "role", ""), "assistant") == 0,
		.complete = cg_json_int(cg_json_object(info, "time"), "completed", 0) > 0,
		.more = strcmp(cg_json_string_or(info, "finish", ""), "tool-calls") == 0,
		.parts = cg_json_array(json, "parts"),
	};
	if (error != NULL) {
		ret->error = cg_json_string_or(error, "name", "");
		ret->error_text = error_text(error);
	}
}

void opencode_part_read(struct json_object *json, struct opencode_part *ret)
{
	static const struct {
		const char *type;
		enum opencode_part_kind kind;
	} rows[] = {
		{"text", OPENCODE_PART_TEXT},
		{"reasoning", OPENCODE_PART_THOUGHT},
		{"tool", OPENCODE_PART_TOOL},
		{"step-finish", OPENCODE_PART_COST},
		{"file", OPENCODE_PART_FILE},
	};
	const char *type = cg_json_string_or(json, "type", "");

	*ret = (struct opencode_part){
		.id = cg_json_string_or(json, "id", ""),
		.message_id = cg_json_string_or(json, "messageID", ""),
		.call_id = cg_json_string_or(json, "callID", ""),
		.status = cg_json_string_or(cg_json_object(json, "state"), "status", ""),
		.body = json,
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].type, type) == 0)
			ret->kind = rows[i].kind;
	}
	if (ret->id[0] == '\0' || strlen(ret->id) >= OPENCODE_ID)
		ret->kind = OPENCODE_PART_OTHER;
	if (ret->kind == OPENCODE_PART_TEXT || ret->kind == OPENCODE_PART_THOUGHT)
		ret->text =
			cg_json_value_string(cg_json_member(json, "text"), &ret->length);
	/* Words that the server has put in for the model alone. */
	if (ret->kind == OPENCODE_PART_TEXT &&
		(cg_json_bool(json, "synthetic", false) ||
			cg_json_bool(json, "ignored", false)))
		ret->kind = OPENCODE_PART_OTHER;
}

static void put_cut(struct json_object *payload, const char *key, const char *text)
{
	if (text != NULL)
		cg_json_put(payload, key,
			cg_json_new_string_length(
				text, cg_text_prefix(text, strlen(text), CG_UNIT_BYTES,
					      OPENCODE_OUTPUT)));
}

struct json_object *opencode_tool_payload(const struct opencode_part *part)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *state = cg_json_object(part->body, "state");
	struct json_object *input = cg_json_object(state, "input");
	const char *title = cg_json_string(state, "title");

	cg_json_put_string(payload, "id", part->call_id);
	cg_json_put_string(
		payload, "name", cg_json_string_or(part->body, "tool", "tool"));
	if (!cg_text_blank(title))
		cg_json_put_string(payload, "title", title);
	cg_json_put(payload, "input",
		input == NULL ? cg_json_new_object() : cg_json_copy(input));
	cg_json_put_string(payload, "status",
		strcmp(part->status, "completed") == 0 ? "complete"
		: strcmp(part->status, "error") == 0   ? "error"
						       : "running");
	put_cut(payload, "output", cg_json_string(state, "output"));
	put_cut(payload, "error", cg_json_string(state, "error"));
	return payload;
}

struct json_object *opencode_cost_payload(const struct opencode_part *part)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *tokens = cg_json_object(part->body, "tokens");

	cg_json_put_string(payload, "id", part->id);
	cg_json_put_double(payload, "cost", cg_json_double(part->body, "cost", 0));
	cg_json_put(payload, "tokens",
		tokens == NULL ? cg_json_new_object() : cg_json_copy(tokens));
	return payload;
}

struct json_object *opencode_todos_payload(struct json_object *properties)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *todos = cg_json_array(properties, "todos");

	cg_json_put(payload, "todos",
		todos == NULL ? cg_json_new_array() : cg_json_copy(todos));
	return payload;
}

struct json_object *opencode_permission_payload(struct json_object *properties)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *metadata = cg_json_object(properties, "metadata");
	struct json_object *patterns = cg_json_array(properties, "patterns");
	struct json_object *save = cg_json_array(properties, "always");
	struct json_object *input =
		metadata == NULL ? cg_json_new_object() : cg_json_copy(metadata);
	const char *id = cg_json_string(properties, "id");
	const char *tool = cg_json_string_or(properties, "permission", "tool");
	const char *command = cg_json_string(metadata, "command");
	const char *first = cg_json_value_string(cg_json_at(patterns, 0), NULL);
	struct cg_buffer text;

	cg_json_put(input, "resources",
		patterns == NULL ? cg_json_new_array() : cg_json_copy(patterns));
	if (save != NULL)
		cg_json_put(input, "save", cg_json_copy(save));
	cg_buffer_init(&text, 4096);
	cg_buffer_text(&text, tool);
	if (command == NULL)
		command = first;
	if (command != NULL) {
		cg_buffer_text(&text, ": ");
		cg_buffer_add(&text, command,
			cg_text_prefix(command, strlen(command), CG_UNIT_BYTES, 2048));
	}
	cg_json_put_string(payload, "permissionId", id);
	cg_json_put_string(payload, "id", id);
	cg_json_put_string(
		payload, "sourceSessionId", cg_json_string(properties, "sessionID"));
	cg_json_put_string(payload, "tool", tool);
	cg_json_put_string(payload, "description", cg_buffer_string(&text));
	cg_json_put(payload, "input", input);
	cg_buffer_finish(&text);
	return payload;
}

struct json_object *opencode_question_payload(struct json_object *properties)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *questions = cg_json_array(properties, "questions");
	struct json_object *list =
		questions == NULL ? cg_json_new_array() : cg_json_copy(questions);
	const char *id = cg_json_string(properties, "id");

	for (size_t i = 0; i < cg_json_count(list); i++) {
		struct json_object *question = cg_json_at(list, i);

		if (cg_json_is_object(question) && !cg_json_has(question, "custom"))
			cg_json_put_bool(question, "custom", true);
	}
	cg_json_put_string(payload, "requestId", id);
	cg_json_put_string(payload, "id", id);
	cg_json_put_string(
		payload, "sourceSessionId", cg_json_string(properties, "sessionID"));
	cg_json_put(payload, "questions", list);
	return payload;
}

bool opencode_file_read(
	struct json_object *json, struct cg_buffer *bytes, struct opencode_file *ret)
{
	const char *url = cg_json_string_or(json, "url", "");
	const char *comma = strchr(url, ',');
	uint8_t *decoded;
	size_t length = 0;
	bool good;

	*ret = (struct opencode_file){
		.filename = cg_json_string_or(json, "filename", "file"),
		.mime_type = cg_json_string(json, "mime"),
	};
	if (strncmp(url, "data:", 5) != 0 || comma == NULL || comma - url < 7 ||
		strncmp(comma - 7, ";base64", 7) != 0)
		return false;
	comma++;
	decoded = malloc(3 * strlen(comma) / 4 + 3);
	if (decoded == NULL)
		return false;
	good = cg_unbase64(comma, strlen(comma), decoded, &length) &&
	       cg_buffer_add(bytes, decoded, length) == CG_OK;
	free(decoded);
	return good;
}

void opencode_error_text(struct json_object *json, char *ret, size_t size)
{
	const char *text = cg_json_string(cg_json_object(json, "data"), "message");

	if (text == NULL)
		text = cg_json_string(json, "message");
	if (text == NULL)
		text = cg_json_string(json, "name");
	if (text == NULL)
		text = cg_json_string_or(json, "_tag", "no reason given");
	cg_text_copy(ret, size, text);
}
