/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <string.h>

#define USERNAME_MAX 256
#define DISPLAY_NAME_MAX 512
#define FILE_NAME_MAX 255

/* ---- In ---- */

static enum cg_status read_target(
	struct json_object *body, struct cg_target *target, struct cg_error *err)
{
	struct cg_fields top = {.object = body, .err = err};
	struct cg_fields fields = {.prefix = "target.", .err = err};

	fields.object = cg_fields_object(&top, "target");
	if (top.status != CG_OK)
		return top.status;
	target->chat_id = cg_fields_required(&fields, "chatId", CG_INBOUND_ID);
	target->thread_id = cg_fields_string(&fields, "threadId", CG_INBOUND_ID);
	target->user_id = cg_fields_string(&fields, "userId", CG_INBOUND_ID);
	target->message_id = cg_fields_string(&fields, "messageId", CG_INBOUND_ID);
	target->is_direct = cg_json_bool(fields.object, "isDirect", false);
	return fields.status;
}

static enum cg_status read_sender(
	struct json_object *body, struct cg_sender *sender, struct cg_error *err)
{
	struct cg_fields top = {.object = body, .err = err};
	struct cg_fields fields = {.prefix = "sender.", .err = err};

	fields.object = cg_fields_object(&top, "sender");
	if (top.status != CG_OK)
		return top.status;
	sender->user_id = cg_fields_required(&fields, "userId", CG_INBOUND_ID);
	sender->username = cg_fields_string(&fields, "username", USERNAME_MAX);
	sender->display_name = cg_fields_string(&fields, "displayName", DISPLAY_NAME_MAX);
	sender->is_bot = cg_json_bool(fields.object, "isBot", false);
	return fields.status;
}

static enum cg_status read_time(
	struct json_object *body, int64_t *ret_ms, struct cg_error *err)
{
	struct cg_fields fields = {.object = body, .err = err};
	const char *text = cg_fields_string(&fields, "receivedAt", CG_INBOUND_ID);

	if (fields.status == CG_OK && text != NULL && !cg_time_parse(text, ret_ms))
		return cg_error_set(err, CG_INVALID, "receivedAt must be an ISO date");
	return fields.status;
}

enum cg_status webhook_wire_read(struct json_object *body, int64_t max_attachment,
	struct webhook_message *ret, struct cg_error *err)
{
	struct cg_fields fields = {.object = body, .err = err};
	struct cg_inbound *inbound = &ret->inbound;
	enum cg_status status;

	if (!cg_json_is_object(body))
		return cg_error_set(err, CG_INVALID, "the body must be a JSON object");
	*inbound = (struct cg_inbound){.size = sizeof(*inbound)};
	inbound->event_id = cg_fields_string(&fields, "id", CG_INBOUND_EVENT_ID);
	status = fields.status;
	if (status == CG_OK)
		status = read_target(body, &inbound->target, err);
	if (status == CG_OK)
		status = read_sender(body, &inbound->sender, err);
	if (status == CG_OK)
		status = read_time(body, &inbound->received_at_ms, err);
	if (status == CG_OK)
		status = cg_inbound_read_parts(
			body, "button", max_attachment, &ret->parts, inbound, err);
	if (status != CG_OK)
		return status;
	inbound->message_id = inbound->target.message_id;
	if (inbound->target.user_id == NULL)
		inbound->target.user_id = inbound->sender.user_id;
	return CG_OK;
}

/* ---- Out ---- */

static void write_key(struct cg_buffer *json, const char *key)
{
	cg_buffer_format(json, ",\"%s\":", key);
}

static void write_text(struct cg_buffer *json, const char *key, const char *text)
{
	write_key(json, key);
	if (text == NULL)
		cg_buffer_text(json, "null");
	else
		cg_json_write_string(json, text, strlen(text));
}

/* The Markdown as the agent wrote it, where there is one. */
static const char *body_text(const struct cg_outbound *outbound, size_t *ret_length)
{
	if (outbound->source != NULL) {
		*ret_length = outbound->source_length;
		return outbound->source;
	}
	*ret_length = outbound->text == NULL ? 0 : outbound->text_length;
	return outbound->text == NULL ? "" : outbound->text;
}

static void write_body_text(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	size_t length;
	const char *text = body_text(outbound, &length);

	write_key(json, "text");
	cg_json_write_string(json, text, length);
}

static void write_target(struct cg_buffer *json, const struct webhook_wire_sender *sender,
	const struct cg_target *target)
{
	write_key(json, "target");
	cg_target_write(json, sender->instance_id, sender->kind, target);
}

static void write_options(struct cg_buffer *json,
	const struct webhook_wire_sender *sender, const struct cg_outbound *outbound)
{
	write_key(json, "options");
	cg_buffer_text(json, "{\"deliveryId\":");
	cg_json_write_string(json, outbound->delivery_id, strlen(outbound->delivery_id));
	write_text(json, "parseMode", sender->parse_mode);

	if (outbound->silent) {
		write_key(json, "disableNotification");
		cg_buffer_text(json, "true");
	}
	cg_buffer_char(json, '}');
}

static void write_buttons(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	static const char *const styles[] = {
		[CG_BUTTON_PLAIN] = NULL,
		[CG_BUTTON_GOOD] = "success",
		[CG_BUTTON_DANGER] = "danger",
	};

	write_key(json, "buttons");
	cg_buffer_char(json, '[');
	for (size_t i = 0; i < outbound->button_count; i++) {
		const struct cg_button *button = &outbound->buttons[i];

		if (i == 0)
			cg_buffer_char(json, '[');
		else
			cg_buffer_text(json, button->starts_row ? "],[" : ",");
		cg_buffer_text(json, "{\"label\":");
		cg_json_write_string(json, button->label, strlen(button->label));
		write_text(json, "token", button->token);
		if (styles[button->style] != NULL)
			write_text(json, "style", styles[button->style]);
		cg_buffer_char(json, '}');
	}
	cg_buffer_text(json, outbound->button_count > 0 ? "]]" : "]");
}

static void write_answer(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	size_t length;

	write_text(json, "interactionId", outbound->interaction_id);
	body_text(outbound, &length);
	if (length > 0)
		write_body_text(json, outbound);
	if (outbound->alert) {
		write_key(json, "alert");
		cg_buffer_text(json, "true");
	}
}

static enum cg_status check_buttons(const struct cg_capabilities *capabilities,
	const struct cg_outbound *outbound, struct cg_error *err)
{
	size_t rows = 0;

	for (size_t i = 0; i < outbound->button_count; i++) {
		const struct cg_button *button = &outbound->buttons[i];
		size_t length = strlen(button->token);

		rows += i == 0 || button->starts_row;
		if (length == 0 || !cg_text_clean(button->token, length,
					   capabilities->max_button_token))
			return cg_error_set(err, CG_INVALID,
				"a button's token is empty or beyond %u bytes",
				(unsigned)capabilities->max_button_token);
		if (cg_text_blank(button->label))
			return cg_error_set(err, CG_INVALID, "a button has no label");
	}
	if (outbound->button_count > capabilities->max_buttons ||
		rows > capabilities->max_button_rows)
		return cg_error_set(err, CG_INVALID, "more than %u buttons or %u rows",
			(unsigned)capabilities->max_buttons,
			(unsigned)capabilities->max_button_rows);
	return CG_OK;
}

static enum cg_status check_file(const struct cg_capabilities *capabilities,
	const struct cg_file *file, struct cg_error *err)
{
	if (file == NULL || cg_text_blank(file->filename) || file->path == NULL)
		return cg_error_set(err, CG_INVALID, "a file needs a name and a path");
	if (!cg_text_clean(file->filename, strlen(file->filename), FILE_NAME_MAX) ||
		(file->mime_type != NULL &&
			!cg_text_clean(
				file->mime_type, strlen(file->mime_type), FILE_NAME_MAX)))
		return cg_error_set(err, CG_INVALID,
			"a file's name or type is beyond %d bytes or not clean",
			FILE_NAME_MAX);
	if (file->bytes > capabilities->max_file)
		return cg_error_set(err, CG_INVALID, "the file is larger than %llu bytes",
			(unsigned long long)capabilities->max_file);
	return CG_OK;
}

/* Can the platform do this at all, and is there what it needs? */
static enum cg_status check_kind(const struct cg_capabilities *capabilities,
	const struct cg_outbound *outbound, struct cg_error *err)
{
	switch (outbound->kind) {
	case CG_OUTBOUND_EDIT:
		if (!capabilities->edit)
			return cg_error_set(err, CG_UNSUPPORTED,
				"a sent text cannot be changed on this channel");
		if (cg_text_blank(outbound->target.message_id))
			return cg_error_set(err, CG_INVALID,
				"an edit needs the message that it changes");
		return CG_OK;
	case CG_OUTBOUND_ANSWER:
		if (!capabilities->answer)
			return cg_error_set(err, CG_UNSUPPORTED,
				"presses cannot be answered on this channel");
		if (cg_text_blank(outbound->interaction_id))
			return cg_error_set(err, CG_INVALID,
				"an answer needs the press that it answers");
		return CG_OK;
	case CG_OUTBOUND_FILE:
		return check_file(capabilities, outbound->file, err);
	case CG_OUTBOUND_REACTION:
		return cg_error_set(
			err, CG_UNSUPPORTED, "reactions cannot be sent by this channel");
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_BUTTONS:
	case CG_OUTBOUND_TYPING:
		break;
	}
	return CG_OK;
}

static enum cg_status check(const struct webhook_wire_sender *sender,
	const struct cg_outbound *outbound, struct cg_error *err)
{
	const struct cg_capabilities *capabilities = sender->capabilities;
	const struct cg_target *target = &outbound->target;
	enum cg_status status;
	const char *ids[] = {target->chat_id, target->thread_id, target->user_id,
		target->message_id, outbound->interaction_id};
	size_t length;
	const char *text = body_text(outbound, &length);

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		if (ids[i] != NULL &&
			!cg_text_clean(ids[i], strlen(ids[i]), CG_INBOUND_ID))
			return cg_error_set(err, CG_INVALID,
				"an id is beyond %d bytes or not clean", CG_INBOUND_ID);
	}
	status = check_kind(capabilities, outbound, err);
	if (status != CG_OK)
		return status;
	if (cg_text_measure(text, length, capabilities->text_unit) >
		capabilities->max_text)
		return cg_error_set(err, CG_INVALID, "the text is longer than %u",
			(unsigned)capabilities->max_text);
	return check_buttons(capabilities, outbound, err);
}

/* Up to the file's bytes, which the caller adds. */
static void write_file(struct cg_buffer *json, const struct cg_file *file)
{
	write_key(json, "file");
	cg_buffer_text(json, "{\"filename\":");
	cg_json_write_string(json, file->filename, strlen(file->filename));
	if (file->mime_type != NULL)
		write_text(json, "mimeType", file->mime_type);
	write_key(json, "dataBase64");
	cg_buffer_char(json, '"');
}

static void write_kind(struct cg_buffer *json, const struct webhook_wire_sender *sender,
	const struct cg_outbound *outbound)
{
	switch (outbound->kind) {
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_EDIT:
	case CG_OUTBOUND_BUTTONS:
		write_target(json, sender, &outbound->target);
		if (outbound->kind == CG_OUTBOUND_EDIT)
			write_text(json, "messageId", outbound->target.message_id);
		write_body_text(json, outbound);
		if (outbound->kind == CG_OUTBOUND_BUTTONS)
			write_buttons(json, outbound);
		write_options(json, sender, outbound);
		break;
	case CG_OUTBOUND_ANSWER:
		write_answer(json, outbound);
		break;
	case CG_OUTBOUND_TYPING:
		write_target(json, sender, &outbound->target);
		break;
	case CG_OUTBOUND_FILE:
		write_target(json, sender, &outbound->target);
		write_file(json, outbound->file);
		break;
	case CG_OUTBOUND_REACTION:
		break;
	}
}

enum cg_status webhook_wire_write(const struct webhook_wire_sender *sender,
	const struct cg_outbound *outbound, struct cg_buffer *ret, struct cg_error *err)
{
	static const char *const types[] = {
		[CG_OUTBOUND_TEXT] = "text",
		[CG_OUTBOUND_EDIT] = "edit",
		[CG_OUTBOUND_BUTTONS] = "buttons",
		[CG_OUTBOUND_FILE] = "file",
		[CG_OUTBOUND_ANSWER] = "answer_interaction",
		[CG_OUTBOUND_TYPING] = "typing",
		[CG_OUTBOUND_REACTION] = "reaction",
	};
	enum cg_status status = check(sender, outbound, err);

	if (status != CG_OK)
		return status;
	cg_buffer_text(ret, "{\"deliveryId\":");
	cg_json_write_string(ret, outbound->delivery_id, strlen(outbound->delivery_id));
	write_text(ret, "idempotencyKey", outbound->delivery_id);
	write_text(ret, "provider", sender->instance_id);
	write_text(ret, "providerInstanceId", sender->instance_id);
	write_text(ret, "providerKind", sender->kind);
	write_text(ret, "type", types[outbound->kind]);
	write_kind(ret, sender, outbound);
	if (outbound->kind != CG_OUTBOUND_FILE)
		cg_buffer_char(ret, '}');
	status = cg_buffer_status(ret);
	return status == CG_OK
		       ? CG_OK
		       : cg_error_set(err, status, "the delivery's body is too large");
}

void webhook_wire_receipt(const char *body, size_t length, char ret[CG_INBOUND_ID + 1])
{
	struct json_object *answer = NULL;
	struct cg_fields fields = {.status = CG_OK};
	const char *id = NULL;

	ret[0] = '\0';
	if (length <= WEBHOOK_ANSWER_MAX &&
		cg_json_parse(body, length, &answer, NULL) == CG_OK) {
		fields.object = answer;
		id = cg_fields_string(&fields, "messageId", CG_INBOUND_ID);
	}
	if (id != NULL)
		cg_text_copy(ret, CG_INBOUND_ID + 1, id);
	cg_json_free(answer);
}
