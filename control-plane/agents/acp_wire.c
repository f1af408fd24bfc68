/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/acp_wire.h"

#include "control-plane/agents/attachment.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

/* ---- JSON-RPC ---- */

void acp_message_read(struct json_object *json, struct acp_message *ret)
{
	int64_t number;

	*ret = (struct acp_message){.kind = ACP_NONSENSE};
	if (!cg_json_is_object(json))
		return;
	ret->method = cg_json_string(json, "method");
	ret->id = cg_json_member(json, "id");
	ret->params = cg_json_object(json, "params");
	if (ret->method != NULL) {
		ret->kind = ret->id != NULL ? ACP_REQUEST : ACP_NOTICE;
	} else if (cg_json_value_int(ret->id, &number)) {
		ret->kind = ACP_RESPONSE;
		ret->number = number;
		ret->result = cg_json_member(json, "result");
		ret->error = cg_json_object(json, "error");
	}
}

void acp_error_text(struct json_object *error, char *ret, size_t size)
{
	struct json_object *data = cg_json_member(error, "data");
	const char *message = cg_json_string_or(error, "message", "no reason given");
	const char *more = cg_json_value_string(data, NULL);
	struct cg_buffer text;

	if (more == NULL)
		more = cg_json_string(data, "message");
	if (more == NULL)
		more = cg_json_string(data, "details");
	cg_buffer_init(&text, 2 * CG_ERROR_TEXT);
	cg_buffer_add(&text, message,
		cg_text_prefix(
			message, strlen(message), CG_UNIT_BYTES, CG_ERROR_TEXT / 2));
	if (more != NULL && strstr(message, more) == NULL) {
		cg_buffer_text(&text, ": ");
		cg_buffer_add(&text, more,
			cg_text_prefix(
				more, strlen(more), CG_UNIT_BYTES, CG_ERROR_TEXT / 2));
	}
	cg_text_copy(ret, size, cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

static enum cg_status write_line(struct cg_buffer *ret, struct json_object *message)
{
	size_t length;
	const char *text = cg_json_text(message, &length);
	enum cg_status status = CG_LIMIT;

	if (length < ACP_LINE) {
		status = cg_buffer_add(ret, text, length);
		if (status == CG_OK)
			status = cg_buffer_char(ret, '\n');
	}
	cg_json_free(message);
	return status;
}

static struct json_object *new_message(void)
{
	struct json_object *message = cg_json_new_object();

	cg_json_put_string(message, "jsonrpc", "2.0");
	return message;
}

enum cg_status acp_write_request(struct cg_buffer *ret, int64_t number,
	const char *method, struct json_object *params)
{
	struct json_object *message = new_message();

	cg_json_put_int(message, "id", number);
	cg_json_put_string(message, "method", method);
	cg_json_put(message, "params", params == NULL ? cg_json_new_object() : params);
	return write_line(ret, message);
}

enum cg_status acp_write_notice(
	struct cg_buffer *ret, const char *method, struct json_object *params)
{
	struct json_object *message = new_message();

	cg_json_put_string(message, "method", method);
	cg_json_put(message, "params", params == NULL ? cg_json_new_object() : params);
	return write_line(ret, message);
}

enum cg_status acp_write_result(
	struct cg_buffer *ret, struct json_object *id, struct json_object *result)
{
	struct json_object *message = new_message();

	cg_json_put(message, "id", cg_json_ref(id));
	cg_json_put(message, "result", result);
	return write_line(ret, message);
}

enum cg_status acp_write_error(
	struct cg_buffer *ret, struct json_object *id, int code, const char *text)
{
	struct json_object *message = new_message(), *error = cg_json_new_object();

	cg_json_put_int(error, "code", code);
	cg_json_put_string(error, "message", text);
	cg_json_put(message, "id", cg_json_ref(id));
	cg_json_put(message, "error", error);
	return write_line(ret, message);
}

/* ---- the beginning ---- */

struct json_object *acp_initialize_params(const char *version)
{
	struct json_object *params = cg_json_new_object(), *info = cg_json_new_object();
	struct json_object *abilities = cg_json_new_object(), *fs = cg_json_new_object();

	cg_json_put_bool(fs, "readTextFile", false);
	cg_json_put_bool(fs, "writeTextFile", false);
	cg_json_put(abilities, "fs", fs);
	cg_json_put_bool(abilities, "terminal", false);
	cg_json_put_string(info, "name", "cowgate");
	cg_json_put_string(info, "title", "Cowgate");
	cg_json_put_string(info, "version", version);
	cg_json_put_int(params, "protocolVersion", 1);
	cg_json_put(params, "clientCapabilities", abilities);
	cg_json_put(params, "clientInfo", info);
	return params;
}

bool acp_initialize_read(struct json_object *result, struct acp_abilities *ret)
{
	struct json_object *abilities = cg_json_object(result, "agentCapabilities");
	struct json_object *prompt = cg_json_object(abilities, "promptCapabilities");

	*ret = (struct acp_abilities){
		.load_session = cg_json_bool(abilities, "loadSession", false),
		.images = cg_json_bool(prompt, "image", false),
		.embedded = cg_json_bool(prompt, "embeddedContext", false),
	};
	return cg_json_int(result, "protocolVersion", 0) == 1;
}

struct json_object *acp_session_params(const char *session_id, const char *directory)
{
	struct json_object *params = cg_json_new_object();

	if (session_id != NULL)
		cg_json_put_string(params, "sessionId", session_id);
	cg_json_put_string(params, "cwd", directory);
	cg_json_put(params, "mcpServers", cg_json_new_array());
	return params;
}

/* ---- a prompt ---- */

static struct json_object *text_block(const char *text, size_t length)
{
	struct json_object *block = cg_json_new_object();

	cg_json_put_string(block, "type", "text");
	cg_json_put(block, "text", cg_json_new_string_length(text, length));
	return block;
}

static struct json_object *image_block(const struct agent_file *file)
{
	struct json_object *block = NULL;
	struct cg_buffer data;

	cg_buffer_init(&data, 2 * ATTACHMENT_IMAGE);
	if (attachment_base64(file, ATTACHMENT_IMAGE, &data) == CG_OK) {
		block = cg_json_new_object();
		cg_json_put_string(block, "type", "image");
		cg_json_put_string(block, "mimeType", file->mime_type);
		cg_json_put_string(block, "data", cg_buffer_string(&data));
	}
	cg_buffer_finish(&data);
	return block;
}

static struct json_object *embedded_block(const struct agent_file *file, const char *url)
{
	struct json_object *block = NULL, *resource;
	struct cg_buffer text;

	cg_buffer_init(&text, ATTACHMENT_TEXT);
	if (attachment_read(file, &text) == CG_OK &&
		cg_utf8_valid(cg_buffer_string(&text), text.length)) {
		resource = cg_json_new_object();
		cg_json_put_string(resource, "uri", url);
		cg_json_put_string(resource, "mimeType", file->mime_type);
		cg_json_put(resource, "text",
			cg_json_new_string_length(cg_buffer_string(&text), text.length));
		block = cg_json_new_object();
		cg_json_put_string(block, "type", "resource");
		cg_json_put(block, "resource", resource);
	}
	cg_buffer_finish(&text);
	return block;
}

/* Every agent takes a link; whether it can follow it depends on its user and its tools. */
static struct json_object *link_block(const struct agent_file *file, const char *url)
{
	struct json_object *block = cg_json_new_object();

	cg_json_put_string(block, "type", "resource_link");
	cg_json_put_string(block, "uri", url);
	cg_json_put_string(block, "name", file->filename);
	if (file->mime_type != NULL)
		cg_json_put_string(block, "mimeType", file->mime_type);
	cg_json_put_int(block, "size", (int64_t)file->bytes);
	return block;
}

static struct json_object *file_block(
	const struct agent_file *file, const struct acp_abilities *abilities)
{
	struct json_object *block = NULL;
	struct cg_buffer url;

	cg_buffer_init(&url, 16384);
	attachment_url(file, &url);
	if (abilities->images && attachment_is_image(file))
		block = image_block(file);
	else if (abilities->embedded && attachment_is_text(file))
		block = embedded_block(file, cg_buffer_string(&url));
	if (block == NULL)
		block = link_block(file, cg_buffer_string(&url));
	cg_buffer_finish(&url);
	return block;
}

struct json_object *acp_prompt_params(const char *session_id,
	const struct agent_prompt *prompt, const char *system,
	const struct acp_abilities *abilities)
{
	struct json_object *params = cg_json_new_object();
	struct json_object *blocks = cg_json_new_array();

	if (!cg_text_blank(system))
		cg_json_append(blocks, text_block(system, strlen(system)));
	cg_json_append(blocks, text_block(prompt->text, strlen(prompt->text)));
	for (size_t i = 0; i < prompt->file_count; i++)
		cg_json_append(blocks, file_block(&prompt->files[i], abilities));
	cg_json_put_string(params, "sessionId", session_id);
	cg_json_put(params, "prompt", blocks);
	return params;
}

/* ---- updates ---- */

/* The text of a content block, or of one inside a tool's content. */
static const char *block_text(struct json_object *block, size_t *ret_length)
{
	const char *type = cg_json_string_or(block, "type", "");

	*ret_length = 0;
	if (strcmp(type, "content") == 0)
		return block_text(cg_json_object(block, "content"), ret_length);
	if (strcmp(type, "text") == 0)
		return cg_json_value_string(cg_json_member(block, "text"), ret_length);
	return NULL;
}

static void put_output(struct json_object *payload, struct json_object *content)
{
	struct cg_buffer text;

	cg_buffer_init(&text, ACP_OUTPUT + 64);
	for (size_t i = 0; i < cg_json_count(content); i++) {
		struct json_object *block = cg_json_at(content, i);
		const char *path = cg_json_string(block, "path");
		size_t length;
		const char *part = block_text(block, &length);

		if (text.length > 0)
			cg_buffer_char(&text, '\n');
		if (part != NULL && text.length < ACP_OUTPUT)
			cg_buffer_add(&text, part,
				cg_text_prefix(part, length, CG_UNIT_BYTES,
					ACP_OUTPUT - text.length));
		else if (path != NULL && strlen(path) < 1024 &&
			 text.length < ACP_OUTPUT - 1024)
			cg_buffer_format(&text, "changed %s", path);
	}
	if (text.length > 0)
		cg_json_put_string(payload, "output", cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

static const char *tool_status(const char *status)
{
	if (strcmp(status, "completed") == 0)
		return "complete";
	return strcmp(status, "failed") == 0 ? "error" : "running";
}

/* Members of an update are optional: what it does not tell stays as it was. */
static struct json_object *tool_payload(struct json_object *update)
{
	struct json_object *payload = cg_json_new_object();
	const char *status = cg_json_string(update, "status");
	const char *title = cg_json_string(update, "title");
	const char *kind = cg_json_string(update, "kind");
	struct json_object *input = cg_json_object(update, "rawInput");

	cg_json_put_string(payload, "id", cg_json_string(update, "toolCallId"));
	if (!cg_text_blank(title))
		cg_json_put_string(payload, "name", title);
	if (kind != NULL)
		cg_json_put_string(payload, "kind", kind);
	if (cg_json_count(input) > 0 || cg_json_is_object(input))
		cg_json_put(payload, "input", cg_json_copy(input));
	if (status != NULL)
		cg_json_put_string(payload, "status", tool_status(status));
	else if (strcmp(cg_json_string_or(update, "sessionUpdate", ""), "tool_call") == 0)
		cg_json_put_string(payload, "status", "running");
	put_output(payload, cg_json_array(update, "content"));
	if (status != NULL && strcmp(status, "failed") == 0) {
		const char *why =
			cg_json_string(cg_json_object(update, "rawOutput"), "error");

		if (why == NULL)
			why = cg_json_string(payload, "output");
		if (why != NULL)
			cg_json_put_string(payload, "error", why);
	}
	return payload;
}

static struct json_object *plan_payload(struct json_object *update)
{
	struct json_object *payload = cg_json_new_object(), *todos = cg_json_new_array();
	struct json_object *entries = cg_json_array(update, "entries");
	char id[32];

	for (size_t i = 0; i < cg_json_count(entries) && i < 100; i++) {
		struct json_object *entry = cg_json_at(entries, i);
		struct json_object *todo = cg_json_new_object();

		snprintf(id, sizeof(id), "%zu", i + 1);
		cg_json_put_string(todo, "id", id);
		cg_json_put_string(
			todo, "content", cg_json_string_or(entry, "content", ""));
		cg_json_put_string(
			todo, "status", cg_json_string_or(entry, "status", "pending"));
		cg_json_put_string(
			todo, "priority", cg_json_string_or(entry, "priority", "medium"));
		cg_json_append(todos, todo);
	}
	cg_json_put(payload, "todos", todos);
	return payload;
}

void acp_update_read(struct json_object *update, struct acp_update *ret)
{
	const char *kind = cg_json_string_or(update, "sessionUpdate", "");

	*ret = (struct acp_update){.kind = ACP_UPDATE_OTHER};
	if (strcmp(kind, "agent_message_chunk") == 0 ||
		strcmp(kind, "agent_thought_chunk") == 0) {
		ret->text = block_text(cg_json_object(update, "content"), &ret->length);
		ret->message_id = cg_json_string(update, "messageId");
		if (ret->text != NULL && ret->length > 0)
			ret->kind = kind[6] == 'm' ? ACP_UPDATE_TEXT : ACP_UPDATE_THOUGHT;
	} else if ((strcmp(kind, "tool_call") == 0 ||
			   strcmp(kind, "tool_call_update") == 0) &&
		   !cg_text_blank(cg_json_string(update, "toolCallId"))) {
		ret->kind = ACP_UPDATE_TOOL;
		ret->payload = tool_payload(update);
	} else if (strcmp(kind, "plan") == 0) {
		ret->kind = ACP_UPDATE_TODOS;
		ret->payload = plan_payload(update);
	} else if (strcmp(kind, "usage_update") == 0 &&
		   cg_json_object(update, "cost") != NULL) {
		ret->kind = ACP_UPDATE_COST;
		ret->cost = cg_json_double(cg_json_object(update, "cost"), "amount", 0);
	}
}

void acp_update_finish(struct acp_update *update)
{
	cg_json_free(update->payload);
	update->payload = NULL;
}

/* ---- permissions ---- */

struct json_object *acp_permission_payload(
	struct json_object *params, const char *permission_id)
{
	struct json_object *call = cg_json_object(params, "toolCall");
	struct json_object *raw = cg_json_object(call, "rawInput");
	struct json_object *payload = cg_json_new_object(), *input;
	struct json_object *places = cg_json_array(call, "locations");
	struct json_object *resources = cg_json_new_array();
	const char *title = cg_json_string(call, "title");

	for (size_t i = 0; i < cg_json_count(places) && i < 20; i++) {
		const char *path = cg_json_string(cg_json_at(places, i), "path");

		if (path != NULL)
			cg_json_append(resources, cg_json_new_string(path));
	}
	input = cg_json_is_object(raw) ? cg_json_copy(raw) : cg_json_new_object();
	put_output(input, cg_json_array(call, "content"));
	cg_json_put(input, "resources", resources);
	cg_json_put_string(payload, "permissionId", permission_id);
	cg_json_put_string(payload, "id", permission_id);
	cg_json_put_string(payload, "tool", cg_json_string_or(call, "kind", "tool"));
	cg_json_put_string(
		payload, "description", cg_text_blank(title) ? "use a tool" : title);
	cg_json_put(payload, "input", input);
	return payload;
}

const char *acp_permission_option(struct json_object *params, const char *reply)
{
	static const struct {
		const char *reply;
		const char *kinds[3];
	} rows[] = {
		{"once", {"allow_once", NULL, NULL}},
		{"always", {"allow_always", "allow_once", NULL}},
		{"reject", {"reject_once", "reject_always", NULL}},
	};
	struct json_object *options = cg_json_array(params, "options");

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		if (strcmp(rows[row].reply, reply) != 0)
			continue;
		for (const char *const *kind = rows[row].kinds; *kind != NULL; kind++) {
			for (size_t i = 0; i < cg_json_count(options); i++) {
				struct json_object *option = cg_json_at(options, i);

				if (strcmp(cg_json_string_or(option, "kind", ""),
					    *kind) == 0)
					return cg_json_string(option, "optionId");
			}
		}
	}
	return NULL;
}

struct json_object *acp_permission_result(const char *option_id)
{
	struct json_object *result = cg_json_new_object();
	struct json_object *outcome = cg_json_new_object();

	cg_json_put_string(
		outcome, "outcome", option_id == NULL ? "cancelled" : "selected");
	if (option_id != NULL)
		cg_json_put_string(outcome, "optionId", option_id);
	cg_json_put(result, "outcome", outcome);
	return result;
}

struct json_object *acp_usage_payload(
	struct json_object *result, double cost, const char *id)
{
	struct json_object *usage = cg_json_object(result, "usage"), *payload, *tokens,
			   *cache;

	if (usage == NULL && cost <= 0)
		return NULL;
	cache = cg_json_new_object();
	cg_json_put_int(cache, "read", cg_json_int(usage, "cachedReadTokens", 0));
	cg_json_put_int(cache, "write", cg_json_int(usage, "cachedWriteTokens", 0));
	tokens = cg_json_new_object();
	cg_json_put_int(tokens, "input", cg_json_int(usage, "inputTokens", 0));
	cg_json_put_int(tokens, "output", cg_json_int(usage, "outputTokens", 0));
	cg_json_put_int(tokens, "reasoning", cg_json_int(usage, "thoughtTokens", 0));
	cg_json_put(tokens, "cache", cache);
	payload = cg_json_new_object();
	cg_json_put_string(payload, "id", id);
	cg_json_put_double(payload, "cost", cost > 0 ? cost : 0);
	cg_json_put(payload, "tokens", tokens);
	return payload;
}
