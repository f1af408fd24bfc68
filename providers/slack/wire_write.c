/* SPDX-License-Identifier: Apache-2.0 */
/* Messages into calls of the Web API. */
#include "wire.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <string.h>

#define FALLBACK_MAX 4000 /* bytes of an escaped text that chat.update takes */
#define BLOCKS_MAX 12000 /* bytes of blocks; beyond some 13,000 a message is refused */
#define MARK_TYPE "cowgate_delivery"

const struct cg_capabilities slack_capabilities = {
	.size = sizeof(struct cg_capabilities),
	.text_unit = CG_UNIT_UTF16,
	.text_form = CG_FORM_RENDERED,
	.reconcile = CG_RECONCILE_QUERY,
	.max_text = 3000,
	.max_buttons = 10,
	.max_button_rows = 5,
	.max_button_token = 64,
	.max_button_label = 75,
	.edit_interval_ms = 1500,
	.max_file = 20u << 20,
	.edit = true,
	.threads = true,
	.answer = true,
	.reactions = true,
	.chat = true,
	.inbound = true,
	/* One message a second in a channel, with bursts; fifty edits a minute in a workspace. */
	.account_rate = {.per_minute = 100, .burst = 20},
	.chat_rate = {.per_minute = 60, .burst = 5},
};

static void write_string(struct cg_buffer *json, const char *key, const char *text)
{
	cg_buffer_format(json, "\"%s\":", key);
	cg_json_write_string(json, text, strlen(text));
}

void slack_wire_mark(const char *delivery_id, char ret[SLACK_MARK])
{
	uint8_t hash[CG_SHA256];

	cg_sha256(delivery_id, strlen(delivery_id), hash);
	cg_hex(hash, (SLACK_MARK - 1) / 2, ret);
}

const char *slack_wire_find(struct json_object *messages, const char *mark)
{
	for (size_t i = 0; i < cg_json_count(messages); i++) {
		struct json_object *message = cg_json_at(messages, i);
		struct json_object *metadata = cg_json_object(message, "metadata");
		struct json_object *payload = cg_json_object(metadata, "event_payload");

		if (strcmp(cg_json_string_or(metadata, "event_type", ""), MARK_TYPE) ==
				0 &&
			strcmp(cg_json_string_or(payload, "id", ""), mark) == 0)
			return cg_json_string(message, "ts");
	}
	return NULL;
}

void slack_form_add(struct cg_buffer *form, const char *name, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.";

	cg_buffer_format(form, "%s%s=", form->length == 0 ? "" : "&", name);
	for (; *value != '\0'; value++) {
		if (strchr(plain, *value) != NULL)
			cg_buffer_char(form, *value);
		else
			cg_buffer_format(form, "%%%02X", (unsigned char)*value);
	}
}

/* ---- Checks ---- */

static enum cg_status check_buttons(
	const struct cg_outbound *outbound, struct cg_error *err)
{
	size_t rows = 0;

	for (size_t i = 0; i < outbound->button_count; i++) {
		const struct cg_button *button = &outbound->buttons[i];
		size_t length = strlen(button->token);

		rows += i == 0 || button->starts_row;
		if (length == 0 || !cg_text_clean(button->token, length,
					   slack_capabilities.max_button_token))
			return cg_error_set(err, CG_INVALID,
				"a button's token is empty or beyond 64 bytes");
		if (cg_text_blank(button->label))
			return cg_error_set(err, CG_INVALID, "a button has no label");
	}
	if (outbound->button_count > slack_capabilities.max_buttons ||
		rows > slack_capabilities.max_button_rows)
		return cg_error_set(err, CG_INVALID, "more than 10 buttons or 5 rows");
	return CG_OK;
}

static enum cg_status check_text(const struct cg_outbound *outbound, struct cg_error *err)
{
	if (cg_text_blank(outbound->text))
		return cg_error_set(err, CG_INVALID, "the text is empty");
	if (slack_escaped_units(outbound->text, outbound->text_length) >
		slack_capabilities.max_text)
		return cg_error_set(err, CG_INVALID, "the text is longer than 3000");
	return check_buttons(outbound, err);
}

static enum cg_status check(const struct cg_outbound *outbound, struct cg_error *err)
{
	if (cg_text_blank(outbound->target.chat_id))
		return cg_error_set(err, CG_INVALID, "the conversation is not named");
	switch (outbound->kind) {
	case CG_OUTBOUND_EDIT:
		if (cg_text_blank(outbound->target.message_id))
			return cg_error_set(err, CG_INVALID,
				"an edit needs the message that it changes");
		return check_text(outbound, err);
	case CG_OUTBOUND_TEXT:
	case CG_OUTBOUND_BUTTONS:
		return check_text(outbound, err);
	case CG_OUTBOUND_ANSWER:
		if (cg_text_blank(outbound->interaction_id) ||
			cg_text_blank(outbound->target.user_id))
			return cg_error_set(err, CG_INVALID,
				"an answer needs the press and the person");
		return check_text(outbound, err);
	case CG_OUTBOUND_FILE:
	case CG_OUTBOUND_TYPING:
	case CG_OUTBOUND_REACTION:
		break;
	}
	return cg_error_set(err, CG_UNSUPPORTED, "this cannot be sent by this channel");
}

/* ---- Bodies ---- */

/* Blocks are what is shown; the text is what notifications and searches see. */
static void write_text(struct cg_buffer *json, const struct cg_outbound *outbound,
	enum slack_dress dress)
{
	size_t length = outbound->text_length;
	struct cg_buffer escaped;

	if (dress == SLACK_BLOCKS)
		length = slack_escaped_prefix(outbound->text, length, FALLBACK_MAX);
	cg_buffer_init(&escaped, 8 * length + 1);
	slack_escape(&escaped, outbound->text, length);
	cg_buffer_text(json, ",\"mrkdwn\":false,\"text\":");
	cg_json_write_string(json, cg_buffer_string(&escaped), escaped.length);
	cg_buffer_finish(&escaped);
}

static void write_blocks(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	size_t begin;

	cg_buffer_text(json, ",\"blocks\":");
	begin = json->length;
	slack_blocks_write(outbound, true, json);
	/* Formatting in every word makes blocks many times as long as their text. */
	if (json->length - begin > BLOCKS_MAX) {
		cg_buffer_truncate(json, begin);
		slack_blocks_write(outbound, false, json);
	}
}

static void write_mark(struct cg_buffer *json, const char *delivery_id)
{
	char mark[SLACK_MARK];

	if (delivery_id == NULL)
		return;
	slack_wire_mark(delivery_id, mark);
	cg_buffer_format(json,
		",\"metadata\":{\"event_type\":\"" MARK_TYPE
		"\",\"event_payload\":{\"id\":\"%s\"}}",
		mark);
}

static void write_thread(struct cg_buffer *json, const struct cg_target *target)
{
	if (target->thread_id == NULL || strcmp(target->thread_id, target->chat_id) == 0)
		return;
	cg_buffer_char(json, ',');
	write_string(json, "thread_ts", target->thread_id);
}

static void write_post(struct cg_buffer *json, const struct cg_outbound *outbound,
	enum slack_dress dress)
{
	write_thread(json, &outbound->target);
	write_text(json, outbound, dress);
	/* Without its buttons a question would be none. */
	if (dress == SLACK_BLOCKS || outbound->button_count > 0)
		write_blocks(json, outbound);
	write_mark(json, outbound->delivery_id);
	cg_buffer_text(json, ",\"unfurl_links\":false,\"unfurl_media\":false");
}

static void write_edit(struct cg_buffer *json, const struct cg_outbound *outbound,
	enum slack_dress dress)
{
	cg_buffer_char(json, ',');
	write_string(json, "ts", outbound->target.message_id);
	write_text(json, outbound, dress);
	if (dress == SLACK_BLOCKS || outbound->button_count > 0)
		write_blocks(json, outbound);
	else
		cg_buffer_text(json, ",\"blocks\":[]");
}

/* For the one who pressed alone.  Ids of guests have their team behind them. */
static void write_answer(struct cg_buffer *json, const struct cg_outbound *outbound)
{
	const char *user = outbound->target.user_id;

	cg_buffer_text(json, ",\"user\":");
	cg_json_write_string(json, user, strcspn(user, "@"));
	write_thread(json, &outbound->target);
	write_text(json, outbound, SLACK_PLAIN);
}

enum cg_status slack_wire_write(const struct cg_outbound *outbound,
	enum slack_dress dress, const char **ret_method, struct cg_buffer *ret,
	struct cg_error *err)
{
	enum cg_status status = check(outbound, err);

	if (status != CG_OK)
		return status;
	cg_buffer_char(ret, '{');
	write_string(ret, "channel", outbound->target.chat_id);
	if (outbound->kind == CG_OUTBOUND_EDIT) {
		*ret_method = "chat.update";
		write_edit(ret, outbound, dress);
	} else if (outbound->kind == CG_OUTBOUND_ANSWER) {
		*ret_method = "chat.postEphemeral";
		write_answer(ret, outbound);
	} else {
		*ret_method = "chat.postMessage";
		write_post(ret, outbound, dress);
	}
	cg_buffer_char(ret, '}');
	status = cg_buffer_status(ret);
	return status == CG_OK
		       ? CG_OK
		       : cg_error_set(err, status, "the call's body is too large");
}

/* ---- Reactions ---- */

static const char *const emoji[] = {
	[CG_REACTION_NONE] = NULL,
	[CG_REACTION_SEEN] = "eyes",
	[CG_REACTION_DONE] = "white_check_mark",
	[CG_REACTION_FAILED] = "x",
};

/* First the new mark, then the ones that it may replace. */
bool slack_wire_write_reaction(const struct cg_outbound *outbound, unsigned n,
	const char **ret_method, struct cg_buffer *ret)
{
	const char *wanted = emoji[outbound->reaction];
	const char *name = NULL;
	unsigned at = 0;

	if (wanted != NULL && n == at++)
		name = wanted;
	*ret_method = name != NULL ? "reactions.add" : "reactions.remove";
	/* To have been seen is the first mark ever: it replaces none. */
	for (unsigned i = CG_REACTION_SEEN;
		name == NULL && outbound->reaction != CG_REACTION_SEEN &&
		i <= CG_REACTION_FAILED;
		i++) {
		if (i != outbound->reaction && n == at++)
			name = emoji[i];
	}
	if (name == NULL)
		return false;
	cg_buffer_char(ret, '{');
	write_string(ret, "channel", outbound->target.chat_id);
	cg_buffer_char(ret, ',');
	write_string(ret, "timestamp", outbound->target.message_id);
	cg_buffer_format(ret, ",\"name\":\"%s\"}", name);
	return true;
}
