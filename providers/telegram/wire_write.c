/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into calls of the Bot API. */
#include "wire.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <string.h>

#define ENTITIES_MAX 100 /* the platform drops the rest */
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
	.edit = true,
	.typing = true,
	.threads = true,
	.answer = true,
	.inbound = true,
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

/* Ids are numbers, names of public channels are strings. */
static void write_chat(struct cg_buffer *json, const struct cg_target *target)
{
	int64_t chat, thread;

	cg_buffer_text(json, "{");
	if (is_number(target->chat_id, &chat) && chat >= -SAFE_INTEGER &&
		chat <= SAFE_INTEGER)
		cg_buffer_format(json, "\"chat_id\":%" PRId64, chat);
	else
		write_string(json, "chat_id", target->chat_id);
	if (is_number(target->thread_id, &thread) &&
		strcmp(target->thread_id, target->chat_id) != 0)
		cg_buffer_format(json, ",\"message_thread_id\":%" PRId64, thread);
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

/* Spans count in bytes and are sorted, entities count in UTF-16. */
static void write_entities(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	size_t bytes = 0, units = 0, count = 0;

	for (size_t i = 0; i < outbound->span_count && count < ENTITIES_MAX; i++) {
		const struct cg_span *span = &outbound->spans[i];
		size_t length;

		if (span->length == 0 || span->offset < bytes ||
			span->offset > outbound->text_length ||
			span->length > outbound->text_length - span->offset)
			continue;
		if (span->kind == CG_SPAN_LINK && span->detail == NULL)
			continue;
		units += cg_text_measure(
			outbound->text + bytes, span->offset - bytes, CG_UNIT_UTF16);
		bytes = span->offset;
		length = cg_text_measure(
			outbound->text + bytes, span->length, CG_UNIT_UTF16);
		cg_buffer_text(json, count++ == 0 ? ",\"entities\":[" : ",");
		write_entity(json, span, units, length);
	}
	if (count > 0)
		cg_buffer_char(json, ']');
}

static void write_text(
	struct cg_buffer *json, const struct cg_outbound *outbound, bool plain)
{
	cg_buffer_text(json, ",\"text\":");
	cg_json_write_string(json, outbound->text, outbound->text_length);
	if (!plain)
		write_entities(json, outbound);
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

static enum cg_status check(const struct cg_outbound *outbound, struct cg_error *err)
{
	bool has_text = outbound->kind == CG_OUTBOUND_TEXT ||
			outbound->kind == CG_OUTBOUND_EDIT ||
			outbound->kind == CG_OUTBOUND_BUTTONS;
	int64_t number;

	if (outbound->kind == CG_OUTBOUND_FILE || outbound->kind == CG_OUTBOUND_REACTION)
		return cg_error_set(err, CG_UNSUPPORTED,
			"files and reactions cannot be sent by this channel");
	if (outbound->kind == CG_OUTBOUND_ANSWER)
		return cg_text_blank(outbound->interaction_id)
			       ? cg_error_set(err, CG_INVALID,
					 "an answer needs the press that it answers")
			       : CG_OK;
	if (cg_text_blank(outbound->target.chat_id))
		return cg_error_set(err, CG_INVALID, "the chat is not named");
	if (outbound->kind == CG_OUTBOUND_EDIT &&
		!is_number(outbound->target.message_id, &number))
		return cg_error_set(
			err, CG_INVALID, "an edit needs the message that it changes");
	if (has_text && cg_text_blank(outbound->text))
		return cg_error_set(err, CG_INVALID, "the text is empty");
	if (has_text && cg_text_measure(outbound->text, outbound->text_length,
				CG_UNIT_UTF16) > telegram_capabilities.max_text)
		return cg_error_set(err, CG_INVALID, "the text is longer than 4096");
	return check_buttons(outbound, err);
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

enum cg_status telegram_wire_write(const struct cg_outbound *outbound, bool plain,
	const char **ret_method, struct cg_buffer *ret, struct cg_error *err)
{
	static const char *const methods[] = {
		[CG_OUTBOUND_TEXT] = "sendMessage",
		[CG_OUTBOUND_EDIT] = "editMessageText",
		[CG_OUTBOUND_BUTTONS] = "sendMessage",
		[CG_OUTBOUND_FILE] = "",
		[CG_OUTBOUND_ANSWER] = "answerCallbackQuery",
		[CG_OUTBOUND_TYPING] = "sendChatAction",
		[CG_OUTBOUND_REACTION] = "setMessageReaction",
	};
	struct cg_target chat = outbound->target;
	enum cg_status status = check(outbound, err);
	int64_t number;

	if (status != CG_OK)
		return status;
	switch (outbound->kind) {
	case CG_OUTBOUND_EDIT: /* is found by chat and message alone */
		chat.thread_id = NULL;
		write_chat(ret, &chat);
		if (is_number(chat.message_id, &number))
			cg_buffer_format(ret, ",\"message_id\":%" PRId64, number);
		write_text(ret, outbound, plain);
		write_buttons(ret, outbound);
		break;
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_BUTTONS:
		write_chat(ret, &chat);
		write_text(ret, outbound, plain);
		write_buttons(ret, outbound);
		if (outbound->silent)
			cg_buffer_text(ret, ",\"disable_notification\":true");
		break;
	case CG_OUTBOUND_ANSWER:
		write_answer(ret, outbound);
		break;
	case CG_OUTBOUND_TYPING:
		write_chat(ret, &chat);
		cg_buffer_text(ret, ",\"action\":\"typing\"");
		break;
	case CG_OUTBOUND_FILE:
	case CG_OUTBOUND_REACTION:
		break;
	}
	cg_buffer_char(ret, '}');
	*ret_method = methods[outbound->kind];
	status = cg_buffer_status(ret);
	return status == CG_OK
		       ? CG_OK
		       : cg_error_set(err, status, "the call's body is too large");
}

void telegram_wire_write_poll(int64_t offset, unsigned limit, struct cg_buffer *ret)
{
	cg_buffer_char(ret, '{');
	if (offset != 0)
		cg_buffer_format(ret, "\"offset\":%" PRId64 ",", offset);
	cg_buffer_format(ret,
		"\"limit\":%u,\"timeout\":30,"
		"\"allowed_updates\":[\"message\",\"callback_query\"]}",
		limit);
}
