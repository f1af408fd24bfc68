/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into calls of the Bot API. */
#include "wire.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <string.h>

#define ANSWER_TEXT_MAX 200
#define SAFE_INTEGER INT64_C(9007199254740991)

const struct cg_capabilities telegram_capabilities = {
	.size = sizeof(struct cg_capabilities),
	.text_unit = CG_UNIT_UTF16,
	.text_form = CG_FORM_RENDERED,
	.reconcile = CG_RECONCILE_NONE,
	.max_text = 4096,
	.max_buttons = 8,
	.max_button_rows = 4,
	.max_button_token = 64,
	.max_button_label = 64,
	.edit_interval_ms = 1000,
	.max_file = TELEGRAM_FILE_OUT,
	.edit = true,
	.typing = true,
	.threads = true,
	.answer = true,
	.reactions = true,
	.chat = true,
	.inbound = true,
	/* The platform says 30 a second in all, one a second in a chat, 20 a minute in a group. */
	.account_rate = {.per_minute = 1680, .burst = 4},
	.chat_rate = {.per_minute = 58, .burst = 1},
	.group_rate = {.per_minute = 18, .burst = 2},
};

static void write_string(struct cg_buffer *json, const char *key, const char *text)
{
	cg_buffer_format(json, "\"%s\":", key);
	cg_json_write_string(json, text, strlen(text));
}

static bool is_number(const char *text, int64_t *ret)
{
	return text != NULL && cg_parse_int(text, ret);
}

bool telegram_wire_thread(const struct cg_target *target, int64_t *ret)
{
	/* 1 is the general topic, which has no name of its own. */
	return is_number(target->thread_id, ret) && *ret != 1 &&
	       strcmp(target->thread_id, target->chat_id) != 0;
}

bool telegram_wire_answers(const struct cg_outbound *outbound,
	const struct telegram_form *form, int64_t *ret)
{
	/* In a chat that has moved the number belongs to another message. */
	return !outbound->target.is_direct && form->chat_id == NULL &&
	       is_number(outbound->target.message_id, ret) && *ret > 0;
}

/* Ids are numbers, names of public channels are strings. */
static void write_chat(struct cg_buffer *json, const struct cg_outbound *outbound,
	const struct telegram_form *form)
{
	const char *id = form->chat_id != NULL ? form->chat_id : outbound->target.chat_id;
	int64_t number;

	cg_buffer_text(json, "{");
	if (is_number(id, &number) && number >= -SAFE_INTEGER && number <= SAFE_INTEGER)
		cg_buffer_format(json, "\"chat_id\":%" PRId64, number);
	else
		write_string(json, "chat_id", id);
}

static void write_thread(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	int64_t thread;

	if (telegram_wire_thread(&outbound->target, &thread))
		cg_buffer_format(json, ",\"message_thread_id\":%" PRId64, thread);
}

static void write_message(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	int64_t number;

	if (is_number(outbound->target.message_id, &number))
		cg_buffer_format(json, ",\"message_id\":%" PRId64, number);
}

static void write_entity(
	struct cg_buffer *json, const struct cg_span *span, size_t offset, size_t length)
{
	static const char *const types[] = {
		[CG_SPAN_BOLD] = "bold",
		[CG_SPAN_ITALIC] = "italic",
		[CG_SPAN_STRIKE] = "strikethrough",
		[CG_SPAN_CODE] = "code",
		[CG_SPAN_PRE] = "pre",
		[CG_SPAN_LINK] = "text_link",
		[CG_SPAN_QUOTE] = "blockquote",
	};

	cg_buffer_format(json, "{\"type\":\"%s\",\"offset\":%zu,\"length\":%zu",
		types[span->kind], offset, length);
	if (span->detail != NULL &&
		(span->kind == CG_SPAN_LINK || span->kind == CG_SPAN_PRE)) {
		cg_buffer_char(json, ',');
		write_string(json, span->kind == CG_SPAN_LINK ? "url" : "language",
			span->detail);
	}
	cg_buffer_char(json, '}');
}

bool telegram_entities_write(
	const struct cg_outbound *outbound, const char *before, struct cg_buffer *json)
{
	struct telegram_entities entities;

	telegram_entities_make(outbound, &entities);
	for (size_t i = 0; i < entities.count; i++) {
		const struct telegram_entity *entity = &entities.items[i];

		cg_buffer_text(json, i == 0 ? before : ",");
		write_entity(json, entity->span, entity->offset, entity->length);
	}
	if (entities.count > 0)
		cg_buffer_char(json, ']');
	return entities.count > 0;
}

static void write_text(
	struct cg_buffer *json, const struct cg_outbound *outbound, bool plain)
{
	cg_buffer_text(json, ",\"text\":");
	cg_json_write_string(json, outbound->text, outbound->text_length);
	if (!plain)
		telegram_entities_write(outbound, ",\"entities\":[", json);
	cg_buffer_text(json, ",\"link_preview_options\":{\"is_disabled\":true}");
}

static void write_buttons(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	if (outbound->button_count == 0)
		return;
	cg_buffer_text(json, ",\"reply_markup\":{\"inline_keyboard\":[[");
	for (size_t i = 0; i < outbound->button_count; i++) {
		const struct cg_button *button = &outbound->buttons[i];

		if (i > 0)
			cg_buffer_text(json, button->starts_row ? "],[" : ",");
		cg_buffer_char(json, '{');
		write_string(json, "text", button->label);
		cg_buffer_char(json, ',');
		write_string(json, "callback_data", button->token);
		cg_buffer_char(json, '}');
	}
	cg_buffer_text(json, "]]}");
}

static enum cg_status check_buttons(
	const struct cg_outbound *outbound, struct cg_error *err)
{
	size_t rows = 0;

	for (size_t i = 0; i < outbound->button_count; i++) {
		const struct cg_button *button = &outbound->buttons[i];
		size_t length = strlen(button->token);

		rows += i == 0 || button->starts_row;
		if (length == 0 || !cg_text_clean(button->token, length,
					   telegram_capabilities.max_button_token))
			return cg_error_set(err, CG_INVALID,
				"a button's token is empty or beyond 64 bytes");
		if (cg_text_blank(button->label))
			return cg_error_set(err, CG_INVALID, "a button has no label");
	}
	if (outbound->button_count > telegram_capabilities.max_buttons ||
		rows > telegram_capabilities.max_button_rows)
		return cg_error_set(err, CG_INVALID, "more than 8 buttons or 4 rows");
	return CG_OK;
}

static enum cg_status check_text(const struct cg_outbound *outbound, struct cg_error *err)
{
	if (cg_text_blank(outbound->text))
		return cg_error_set(err, CG_INVALID, "the text is empty");
	if (cg_text_measure(outbound->text, outbound->text_length, CG_UNIT_UTF16) >
		telegram_capabilities.max_text)
		return cg_error_set(err, CG_INVALID, "the text is longer than 4096");
	return check_buttons(outbound, err);
}

static enum cg_status check(const struct cg_outbound *outbound, struct cg_error *err)
{
	int64_t number;

	if (outbound->kind == CG_OUTBOUND_ANSWER)
		return cg_text_blank(outbound->interaction_id)
			       ? cg_error_set(err, CG_INVALID,
					 "an answer needs the press that it answers")
			       : CG_OK;
	if (cg_text_blank(outbound->target.chat_id))
		return cg_error_set(err, CG_INVALID, "the chat is not named");
	switch (outbound->kind) {
	case CG_OUTBOUND_EDIT:
	case CG_OUTBOUND_REACTION:
		if (!is_number(outbound->target.message_id, &number))
			return cg_error_set(err, CG_INVALID,
				"the message that is meant has no number");
		return outbound->kind == CG_OUTBOUND_EDIT ? check_text(outbound, err)
							  : CG_OK;
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_BUTTONS:
		return check_text(outbound, err);
	case CG_OUTBOUND_FILE:
		return telegram_file_check(outbound, err);
	case CG_OUTBOUND_TYPING:
	case CG_OUTBOUND_ANSWER:
		break;
	}
	return CG_OK;
}

static void write_extras(struct cg_buffer *json, const struct cg_outbound *outbound,
	const struct telegram_form *form)
{
	int64_t number;

	if (outbound->silent)
		cg_buffer_text(json, ",\"disable_notification\":true");
	if (telegram_wire_answers(outbound, form, &number))
		cg_buffer_format(json,
			",\"reply_parameters\":{\"message_id\":%" PRId64
			",\"allow_sending_without_reply\":true}",
			number);
}

/* Marks that the platform allows everywhere by default. */
static void write_reaction(struct cg_buffer *json, enum cg_reaction reaction)
{
	static const char *const marks[] = {
		[CG_REACTION_NONE] = NULL,
		[CG_REACTION_SEEN] = "\xF0\x9F\x91\x80", /* eyes */
		[CG_REACTION_DONE] = "\xF0\x9F\x91\x8D", /* thumb up */
		[CG_REACTION_FAILED] = "\xF0\x9F\x91\x8E", /* thumb down */
	};

	cg_buffer_text(json, ",\"reaction\":[");
	if (marks[reaction] != NULL)
		cg_buffer_format(
			json, "{\"type\":\"emoji\",\"emoji\":\"%s\"}", marks[reaction]);
	cg_buffer_char(json, ']');
}

static void write_answer(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	cg_buffer_char(json, '{');
	write_string(json, "callback_query_id", outbound->interaction_id);
	if (!cg_text_blank(outbound->text)) {
		cg_buffer_text(json, ",\"text\":");
		cg_json_write_string(json, outbound->text,
			cg_text_prefix(outbound->text, outbound->text_length,
				CG_UNIT_UTF16, ANSWER_TEXT_MAX));
	}
	if (outbound->alert)
		cg_buffer_text(json, ",\"show_alert\":true");
}

/* All but files. */
static void write_json(const struct cg_outbound *outbound,
	const struct telegram_form *form, struct cg_buffer *json)
{
	if (outbound->kind == CG_OUTBOUND_ANSWER)
		write_answer(json, outbound);
	else
		write_chat(json, outbound, form);
	switch (outbound->kind) {
	case CG_OUTBOUND_EDIT: /* is found by chat and message alone */
		write_message(json, outbound);
		write_text(json, outbound, form->plain);
		write_buttons(json, outbound);
		break;
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_BUTTONS:
		write_thread(json, outbound);
		write_text(json, outbound, form->plain);
		write_buttons(json, outbound);
		write_extras(json, outbound, form);
		break;
	case CG_OUTBOUND_TYPING:
		write_thread(json, outbound);
		cg_buffer_text(json, ",\"action\":\"typing\"");
		break;
	case CG_OUTBOUND_REACTION:
		write_message(json, outbound);
		write_reaction(json, outbound->reaction);
		break;
	case CG_OUTBOUND_ANSWER:
	case CG_OUTBOUND_FILE:
		break;
	}
	cg_buffer_char(json, '}');
}

enum cg_status telegram_wire_write(const struct cg_outbound *outbound,
	const struct telegram_form *form, struct telegram_written *ret,
	struct cg_error *err)
{
	static const char *const methods[] = {
		[CG_OUTBOUND_TEXT] = "sendMessage",
		[CG_OUTBOUND_EDIT] = "editMessageText",
		[CG_OUTBOUND_BUTTONS] = "sendMessage",
		[CG_OUTBOUND_FILE] = "sendDocument", /* or what the file says */
		[CG_OUTBOUND_ANSWER] = "answerCallbackQuery",
		[CG_OUTBOUND_TYPING] = "sendChatAction",
		[CG_OUTBOUND_REACTION] = "setMessageReaction",
	};
	enum cg_status status = check(outbound, err);

	if (status != CG_OK)
		return status;
	ret->method = methods[outbound->kind];
	if (outbound->kind == CG_OUTBOUND_FILE)
		telegram_file_write(outbound, form, ret);
	else
		write_json(outbound, form, &ret->body);
	status = cg_buffer_status(&ret->body);
	return status == CG_OK
		       ? CG_OK
		       : cg_error_set(err, status, "the call's body is too large");
}

#define ALLOWED_UPDATES "[\"message\",\"channel_post\",\"callback_query\"]"

void telegram_wire_write_poll(
	int64_t offset, unsigned limit, unsigned wait_s, struct cg_buffer *ret)
{
	cg_buffer_char(ret, '{');
	if (offset != 0)
		cg_buffer_format(ret, "\"offset\":%" PRId64 ",", offset);
	cg_buffer_format(ret,
		"\"limit\":%u,\"timeout\":%u,\"allowed_updates\":" ALLOWED_UPDATES "}",
		limit, wait_s);
}

void telegram_wire_write_hook(const char *url, const char *secret, struct cg_buffer *ret)
{
	cg_buffer_char(ret, '{');
	write_string(ret, "url", url);
	cg_buffer_char(ret, ',');
	write_string(ret, "secret_token", secret);
	cg_buffer_text(ret, ",\"allowed_updates\":" ALLOWED_UPDATES "}");
}

void telegram_wire_write_commands(struct cg_buffer *ret)
{
	static const char *const commands[][2] = {
#define COMMAND(name, text) {name, text},
#include "commands.def"
#undef COMMAND
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		cg_buffer_text(ret, i == 0 ? "{\"commands\":[{" : ",{");
		write_string(ret, "command", commands[i][0]);
		cg_buffer_char(ret, ',');
		write_string(ret, "description", commands[i][1]);
		cg_buffer_char(ret, '}');
	}
	cg_buffer_text(ret, "]}");
}

void telegram_wire_write_one(const char *key, const char *value, struct cg_buffer *ret)
{
	cg_buffer_char(ret, '{');
	write_string(ret, key, value);
	cg_buffer_char(ret, '}');
}
