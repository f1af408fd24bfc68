/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an update, the first of them choosing what groups are for: what comes out keeps
 * the limits of a message, is valid UTF-8 and reads the same twice.
 */
#include "providers/telegram/wire.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(const char *text, size_t limit)
{
	require(text == NULL ||
		(strlen(text) <= limit && cg_utf8_valid(text, strlen(text))));
}

static void check_number(const char *text)
{
	int64_t number;

	require(text != NULL && cg_parse_int(text, &number));
}

static void check_message(const struct telegram_message *message, size_t length)
{
	const struct cg_inbound *inbound = &message->inbound;

	check_number(inbound->event_id);
	check_number(inbound->target.chat_id);
	check_number(inbound->sender.user_id);
	if (inbound->target.thread_id != NULL)
		check_number(inbound->target.thread_id);
	if (inbound->message_id != NULL)
		check_number(inbound->message_id);
	check_text(inbound->text, length);
	check_text(inbound->sender.username, length);
	check_text(inbound->sender.display_name, sizeof(message->display_name));
	check_text(message->named, sizeof(message->named));
	require(inbound->text != NULL);
	require((inbound->type == CG_EVENT_COMMAND) == (inbound->command != NULL));
	require((message->kind == TELEGRAM_PRESS) == (inbound->interaction != NULL));
	if (message->attachment.file_id != NULL) {
		check_text(message->attachment.file_id, 512);
		check_text(message->attachment.filename, 255);
		check_text(message->attachment.mime_type, 128);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct telegram_bot bot = {.id = 42, .username = "CowBot"};
	static struct telegram_message message, again;
	struct json_object *update = NULL;

	if (length < 1)
		return 0;
	bot.groups = (enum telegram_groups)(bytes[0] % 3);
	if (cg_json_parse((const char *)bytes + 1, length - 1, &update, NULL) != CG_OK)
		return 0;
	telegram_wire_read(&bot, update, &message);
	require(telegram_wire_read(&bot, update, &again) == message.kind);
	if (message.kind == TELEGRAM_MESSAGE || message.kind == TELEGRAM_PRESS ||
		message.kind == TELEGRAM_OVERHEARD) {
		check_message(&message, length);
		require(strcmp(message.chat_id, again.chat_id) == 0);
	}
	if (message.kind == TELEGRAM_MOVED) {
		check_number(message.moved_from);
		check_number(message.moved_to);
	}
	require(message.kind != TELEGRAM_PRESS_DEAD || message.interaction.id != NULL);
	cg_json_free(update);
	return 0;
}
