/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "style.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <string.h>

#define LOCAL_CHAT "local-cli"
#define LOCAL_USER "cli-user"

static void read_text(const char *line, struct cli_message *message)
{
	message->inbound = (struct cg_inbound){
		.size = sizeof(struct cg_inbound),
		.type = CG_EVENT_MESSAGE,
		.target = {.chat_id = LOCAL_CHAT,
			.user_id = LOCAL_USER,
			.is_direct = true},
		.sender = {.user_id = LOCAL_USER},
		.text = line,
	};
	if (cg_command_parse(line, &message->parts.command)) {
		message->inbound.type = CG_EVENT_COMMAND;
		message->inbound.command = message->parts.command.name;
		message->inbound.command_args = message->parts.command.args;
	}
}

enum cg_status cli_wire_read(
	const char *line, size_t length, struct cli_message *ret, struct cg_error *err)
{
	enum cg_status status;

	ret->body = NULL;
	if (strlen(line) != length || !cg_utf8_valid(line, length))
		return cg_error_set(
			err, CG_INVALID, "the line is not text: it must be UTF-8");
	if (line[0] != '{') {
		read_text(line, ret);
		return CG_OK;
	}
	status = cg_json_parse(line, length, &ret->body, err);
	if (status != CG_OK)
		return status;
	return cg_inbound_read_flat(
		ret->body, LOCAL_CHAT, LOCAL_USER, &ret->parts, &ret->inbound, err);
}

void cli_message_finish(struct cli_message *message)
{
	cg_json_free(message->body);
	message->body = NULL;
}

static void write_member(struct cg_buffer *json, const char *key, const char *text)
{
	cg_buffer_format(json, ",\"%s\":", key);
	cg_json_write_string(json, text, strlen(text));
}

static void begin(
	struct cg_buffer *json, const struct cli_sender *sender, const char *type)
{
	cg_buffer_text(json, "{\"provider\":");
	cg_json_write_string(json, sender->instance_id, strlen(sender->instance_id));
	write_member(json, "providerKind", sender->kind);
	write_member(json, "type", type);
}

void cli_choices_set(struct cli_choices *choices, const struct cg_outbound *outbound)
{
	*choices = (struct cli_choices){.count = 0};
	for (size_t i = 0; i < outbound->button_count && i < CLI_CHOICES; i++)
		cg_text_copy(choices->tokens[choices->count++], CG_INBOUND_TOKEN + 1,
			outbound->buttons[i].token);
}

const char *cli_choices_find(const struct cli_choices *choices, const char *text)
{
	int64_t number;

	if (!cg_parse_int(text, &number) || number < 1 ||
		(uint64_t)number > choices->count)
		return NULL;
	return choices->tokens[number - 1];
}

static void write_buttons(const struct cg_outbound *outbound, struct cg_buffer *ret)
{
	cg_buffer_char(ret, '\n');
	for (size_t i = 0; i < outbound->button_count; i++) {
		const char *label = outbound->buttons[i].label;

		cg_buffer_format(ret, "  [%zu] ", i + 1);
		cli_style_plain(label, strlen(label), ret);
		cg_buffer_char(ret, '\n');
	}
}

static void write_file(const struct cg_file *file, struct cg_buffer *ret)
{
	cg_buffer_text(ret, "[file] ");
	cli_style_plain(file->filename, strlen(file->filename), ret);
	cg_buffer_format(ret, ", %llu bytes: ", (unsigned long long)file->bytes);
	cli_style_plain(file->path, strlen(file->path), ret);
}

static enum cg_status write_terminal(const struct cli_sender *sender,
	const struct cg_outbound *outbound, struct cg_buffer *ret)
{
	switch (outbound->kind) {
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_BUTTONS:
	case CG_OUTBOUND_ANSWER:
		if (outbound->text == NULL || outbound->button_count > CLI_CHOICES)
			return CG_UNSUPPORTED;
		cli_style(outbound, sender->columns, ret);
		if (outbound->kind == CG_OUTBOUND_BUTTONS)
			write_buttons(outbound, ret);
		break;
	case CG_OUTBOUND_FILE:
		if (outbound->file == NULL)
			return CG_UNSUPPORTED;
		write_file(outbound->file, ret);
		break;
	case CG_OUTBOUND_EDIT:
	case CG_OUTBOUND_TYPING:
	case CG_OUTBOUND_REACTION:
		return CG_UNSUPPORTED;
	}
	return cg_buffer_text(ret, "\n\n");
}

static void write_json_file(const struct cg_file *file, struct cg_buffer *ret)
{
	cg_buffer_text(ret, ",\"file\":{\"filename\":");
	cg_json_write_string(ret, file->filename, strlen(file->filename));
	if (file->mime_type != NULL)
		write_member(ret, "mimeType", file->mime_type);
	cg_buffer_format(ret, ",\"sizeBytes\":%llu", (unsigned long long)file->bytes);
	write_member(ret, "path", file->path);
	cg_buffer_char(ret, '}');
}

static enum cg_status write_json(const struct cli_sender *sender,
	const struct cg_outbound *outbound, const char *message_id, int64_t now_ms,
	struct cg_buffer *ret)
{
	const char *text = outbound->source != NULL ? outbound->source : outbound->text;
	size_t length = outbound->source != NULL ? outbound->source_length
						 : outbound->text_length;
	char time[CG_TIME_TEXT];

	if (outbound->kind == CG_OUTBOUND_ANSWER && outbound->interaction_id != NULL) {
		begin(ret, sender, "answer_interaction");
		write_member(ret, "interactionId", outbound->interaction_id);
	} else if (outbound->kind == CG_OUTBOUND_TEXT && text != NULL) {
		begin(ret, sender, "text");
		cg_buffer_text(ret, ",\"target\":");
		cg_target_write(
			ret, sender->instance_id, sender->kind, &outbound->target);
	} else if (outbound->kind == CG_OUTBOUND_FILE && outbound->file != NULL) {
		begin(ret, sender, "file");
		cg_buffer_text(ret, ",\"target\":");
		cg_target_write(
			ret, sender->instance_id, sender->kind, &outbound->target);
		write_json_file(outbound->file, ret);
	} else {
		return CG_UNSUPPORTED;
	}
	cg_time_format(now_ms, time);
	write_member(ret, "messageId", message_id);
	if (outbound->delivery_id != NULL)
		write_member(ret, "providerDeliveryId", outbound->delivery_id);
	write_member(ret, "sentAt", time);
	if (text != NULL && outbound->kind != CG_OUTBOUND_FILE) {
		cg_buffer_text(ret, ",\"text\":");
		cg_json_write_string(ret, text, length);
	}
	cg_buffer_text(ret, ",\"options\":{");
	if (outbound->delivery_id != NULL) {
		cg_buffer_text(ret, "\"deliveryId\":");
		cg_json_write_string(
			ret, outbound->delivery_id, strlen(outbound->delivery_id));
		cg_buffer_char(ret, ',');
	}
	return cg_buffer_text(ret, "\"parseMode\":\"plain\"}}\n");
}

enum cg_status cli_wire_write(const struct cli_sender *sender,
	const struct cg_outbound *outbound, const char *message_id, int64_t now_ms,
	struct cg_buffer *ret)
{
	if (sender->terminal)
		return write_terminal(sender, outbound, ret);
	return write_json(sender, outbound, message_id, now_ms, ret);
}

void cli_wire_error(
	const struct cli_sender *sender, const char *sentence, struct cg_buffer *ret)
{
	if (sender->terminal) {
		cli_style_plain(sentence, strlen(sentence), ret);
		cg_buffer_char(ret, '\n');
		return;
	}
	begin(ret, sender, "error");
	write_member(ret, "error", sentence);
	cg_buffer_text(ret, "}\n");
}
