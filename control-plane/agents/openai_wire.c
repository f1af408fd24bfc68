/* SPDX-License-Identifier: Apache-2.0 */
/* Requests out, chunks in. */
#include "control-plane/agents/openai_wire.h"

#include "control-plane/agents/attachment.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <string.h>

/* What a message costs beside its text. */
#define MESSAGE_TOKENS 4

size_t openai_tokens(const char *text, size_t length)
{
	size_t ascii = 0, other = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		ascii += c < 0x80;
		other += c >= 0xc0; /* the first byte of a character */
	}
	return ascii / 4 + other + 1;
}

/* Index of the oldest message that still fits; one of the person's, if there is any. */
static size_t history_start(const struct agent_prompt *prompt, size_t budget)
{
	size_t start = prompt->history_count;

	while (start > 0) {
		const struct agent_message *message = &prompt->history[start - 1];
		size_t tokens =
			openai_tokens(message->text, message->length) + MESSAGE_TOKENS;

		if (tokens > budget)
			break;
		budget -= tokens;
		start--;
	}
	/* An answer without its question makes no sense. */
	while (start < prompt->history_count &&
		prompt->history[start].role == AGENT_ROLE_ASSISTANT)
		start++;
	return start;
}

/* Messages on their way into the array; those of one role are joined. */
struct messages {
	struct json_object *array;
	const char *role; /* of what is in text; NULL: nothing */
	struct cg_buffer text;
	enum cg_status status; /* first failure */
};

static void messages_flush(struct messages *messages)
{
	struct json_object *message;

	if (messages->role == NULL)
		return;
	if (messages->status == CG_OK)
		messages->status = cg_buffer_status(&messages->text);
	message = cg_json_new_object();
	cg_json_put_string(message, "role", messages->role);
	cg_json_put(message, "content",
		cg_json_new_string_length(
			cg_buffer_string(&messages->text), messages->text.length));
	cg_json_append(messages->array, message);
	cg_buffer_clear(&messages->text);
	messages->role = NULL;
}

static void messages_add(
	struct messages *messages, const char *role, const char *text, size_t length)
{
	if (messages->role != NULL && strcmp(messages->role, role) != 0)
		messages_flush(messages);
	if (messages->role != NULL)
		cg_buffer_text(&messages->text, "\n\n");
	messages->role = role;
	cg_buffer_add(&messages->text, text, length);
}

/* A text goes inside the prompt.  False: it is none, or it does not fit. */
static bool add_text(struct messages *messages, const struct agent_file *file)
{
	struct cg_buffer text;
	bool fits;

	cg_buffer_init(&text, ATTACHMENT_TEXT);
	fits = attachment_is_text(file) && attachment_read(file, &text) == CG_OK &&
	       cg_utf8_valid(cg_buffer_string(&text), text.length);
	if (fits) {
		cg_buffer_format(
			&messages->text, "\n\n[Attached file %s:]\n", file->filename);
		cg_buffer_add(&messages->text, text.bytes, text.length);
	}
	cg_buffer_finish(&text);
	return fits;
}

/* What is neither text nor a picture is not passed on; the model is told, so that it can tell
 * the person. */
static void add_files(
	struct messages *messages, const struct agent_prompt *prompt, bool images)
{
	for (size_t i = 0; i < prompt->file_count; i++) {
		const struct agent_file *file = &prompt->files[i];

		if ((images && attachment_is_image(file)) || add_text(messages, file))
			continue;
		cg_buffer_text(&messages->text, "\n\n");
		attachment_note(file, &messages->text);
	}
}

static enum cg_status add_image(
	struct json_object *content, const struct agent_file *file)
{
	struct json_object *part = cg_json_new_object(), *url = cg_json_new_object();
	struct cg_buffer data;
	enum cg_status status;

	cg_buffer_init(&data, 2 * ATTACHMENT_IMAGE);
	cg_buffer_format(&data, "data:%s;base64,", file->mime_type);
	status = attachment_base64(file, ATTACHMENT_IMAGE, &data);
	cg_json_put_string(url, "url", cg_buffer_string(&data));
	cg_json_put_string(part, "type", "image_url");
	cg_json_put(part, "image_url", url);
	if (status == CG_OK)
		cg_json_append(content, part);
	else
		cg_json_free(part);
	cg_buffer_finish(&data);
	return status;
}

/* The last message's text becomes one part of several. */
static enum cg_status add_images(
	struct json_object *array, const struct agent_prompt *prompt)
{
	struct json_object *last = cg_json_at(array, cg_json_count(array) - 1);
	struct json_object *content = cg_json_new_array(), *text = cg_json_new_object();
	enum cg_status status = CG_OK;

	cg_json_put_string(text, "type", "text");
	cg_json_put(text, "text", cg_json_ref(cg_json_member(last, "content")));
	cg_json_append(content, text);
	for (size_t i = 0; status == CG_OK && i < prompt->file_count; i++) {
		if (attachment_is_image(&prompt->files[i]))
			status = add_image(content, &prompt->files[i]);
	}
	cg_json_put(last, "content", content);
	return status;
}

bool openai_has_images(const struct agent_prompt *prompt)
{
	for (size_t i = 0; i < prompt->file_count; i++) {
		if (attachment_is_image(&prompt->files[i]) &&
			prompt->files[i].bytes <= ATTACHMENT_IMAGE)
			return true;
	}
	return false;
}

/* Written as text at the very end, so that it can be cut off again. */
static const char usage_wish[] = ",\"stream_options\":{\"include_usage\":true}}";

enum cg_status openai_request(const struct agent_options *options,
	const struct agent_prompt *prompt, bool images, struct cg_buffer *ret)
{
	size_t budget = options->history_tokens;
	struct messages messages = {.array = cg_json_new_array()};
	struct json_object *body = cg_json_new_object();
	enum cg_status status;
	const char *text;
	size_t length;

	cg_buffer_init(&messages.text, OPENAI_REQUEST);
	if (!cg_text_blank(options->system_prompt))
		messages_add(&messages, "system", options->system_prompt,
			strlen(options->system_prompt));
	if (budget == 0)
		budget = OPENAI_HISTORY_TOKENS;
	for (size_t i = history_start(prompt, budget); i < prompt->history_count; i++) {
		const struct agent_message *message = &prompt->history[i];

		messages_add(&messages,
			message->role == AGENT_ROLE_USER ? "user" : "assistant",
			message->text, message->length);
	}
	messages_add(&messages, "user", prompt->text, strlen(prompt->text));
	add_files(&messages, prompt, images);
	messages_flush(&messages);
	if (images && messages.status == CG_OK)
		messages.status = add_images(messages.array, prompt);

	if (!cg_text_blank(options->model))
		cg_json_put_string(body, "model", options->model);
	cg_json_put(body, "messages", messages.array);
	cg_json_put_bool(body, "stream", true);
	status = messages.status;
	text = cg_json_text(body, &length);
	if (status == CG_OK) {
		cg_buffer_add(ret, text, length - 1);
		status = cg_buffer_text(ret, usage_wish);
	}
	cg_buffer_finish(&messages.text);
	cg_json_free(body);
	return status;
}

void openai_request_plain(struct cg_buffer *body)
{
	size_t wish = sizeof(usage_wish) - 1;

	if (body->length < wish ||
		memcmp(body->bytes + body->length - wish, usage_wish, wish) != 0)
		return;
	cg_buffer_truncate(body, body->length - wish);
	cg_buffer_char(body, '}'); /* fits: it was longer before */
}

static enum openai_finish finish_of(const char *reason)
{
	static const struct {
		const char *reason;
		enum openai_finish finish;
	} rows[] = {
		{"length", OPENAI_LENGTH},
		{"content_filter", OPENAI_FILTER},
		{"tool_calls", OPENAI_TOOL},
		{"function_call", OPENAI_TOOL},
	};

	if (reason == NULL)
		return OPENAI_UNFINISHED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(reason, rows[i].reason) == 0)
			return rows[i].finish;
	}
	return OPENAI_STOP;
}

static void read_usage(struct json_object *usage, struct openai_chunk *ret)
{
	struct json_object *input = cg_json_object(usage, "prompt_tokens_details");
	struct json_object *output = cg_json_object(usage, "completion_tokens_details");

	if (usage == NULL)
		return;
	ret->has_usage = true;
	ret->usage = (struct openai_usage){
		.cost = cg_json_double(usage, "cost", 0),
		.input = cg_json_int(usage, "prompt_tokens", 0),
		.output = cg_json_int(usage, "completion_tokens", 0),
		.reasoning = cg_json_int(output, "reasoning_tokens", 0),
		.cached = cg_json_int(input, "cached_tokens", 0),
	};
}

/* Servers agree on "error" and on little else: an object, or a sentence. */
static void read_error(struct json_object *json, struct openai_chunk *ret)
{
	struct json_object *error = cg_json_member(json, "error");

	if (error == NULL)
		return;
	ret->error = cg_json_value_string(error, NULL);
	if (ret->error == NULL)
		ret->error = cg_json_string_or(error, "message", "no reason given");
	ret->error_code = cg_json_int(error, "code", 0);
}

void openai_chunk_read(struct json_object *json, struct openai_chunk *ret)
{
	struct json_object *choice = cg_json_at(cg_json_array(json, "choices"), 0);
	struct json_object *part = cg_json_object(choice, "delta");
	struct json_object *content;

	memset(ret, 0, sizeof(*ret));
	read_error(json, ret);
	read_usage(cg_json_object(json, "usage"), ret);
	ret->finish = finish_of(cg_json_string(choice, "finish_reason"));
	if (part == NULL)
		part = cg_json_object(choice, "message");
	content = cg_json_member(part, "content");
	if (!cg_json_is_string(content))
		content = cg_json_member(part, "refusal");
	if (cg_json_is_string(content))
		ret->text = cg_json_value_string(content, &ret->length);
	if (ret->length == 0)
		ret->text = NULL;
}

bool openai_refusal(
	int64_t status, const char *model, const char *detail, struct cg_error *ret)
{
	bool passing = status == 408 || status == 409 || status == 425 || status == 429 ||
		       (status >= 500 && status < 600);

	if (status == 401 || status == 403)
		cg_error_set(ret, CG_DENIED,
			"the model server refused the key: check " OPENAI_KEY_SETTING);
	else if (status == 402)
		cg_error_set(ret, CG_DENIED, "the model server asks for payment");
	else if (status == 404)
		cg_error_set(ret, CG_NOT_FOUND,
			"the model server does not know the model \"%s\": "
			"check " OPENAI_MODEL_SETTING " and " OPENAI_URL_SETTING,
			model != NULL ? model : "");
	else if (status >= 300 && status < 400)
		cg_error_set(ret, CG_PROTOCOL,
			"the model server is elsewhere (%" PRId64
			"): check " OPENAI_URL_SETTING,
			status);
	else
		cg_error_set(ret, passing ? CG_BUSY : CG_INVALID,
			"the model server answered %" PRId64 "%s%s", status,
			detail[0] != '\0' ? ": " : "", detail);
	return passing;
}

struct json_object *openai_usage_payload(const struct openai_usage *usage, const char *id)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *tokens = cg_json_new_object();
	struct json_object *cache = cg_json_new_object();

	cg_json_put_int(cache, "read", usage->cached);
	cg_json_put_int(cache, "write", 0);
	cg_json_put_int(tokens, "input", usage->input);
	cg_json_put_int(tokens, "output", usage->output);
	cg_json_put_int(tokens, "reasoning", usage->reasoning);
	cg_json_put(tokens, "cache", cache);
	cg_json_put_string(payload, "id", id);
	cg_json_put_double(payload, "cost", usage->cost);
	cg_json_put(payload, "tokens", tokens);
	return payload;
}
