/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what Slack posts: an event or a press when they are JSON, else a slash command's
 * form.  What is taken has all that a message must have, in clean text.
 */
#include "providers/slack/wire.h"

#include <cowgate/sdk/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_text(const char *text, size_t limit)
{
	require(text != NULL && strlen(text) <= limit &&
		cg_utf8_valid(text, strlen(text)));
}

static void check(const struct slack_message *message)
{
	const struct cg_inbound *inbound = &message->inbound;

	require_text(inbound->event_id, 256);
	require_text(inbound->target.chat_id, SIZE_MAX);
	require_text(inbound->sender.user_id, 2 * SLACK_ID);
	require_text(inbound->text, SLACK_TEXT_MAX);
	require(inbound->target.thread_id == NULL ||
		inbound->target.thread_id[0] != '\0');
	require(inbound->attachment_count <= SLACK_FILES);
	for (size_t i = 0; i < inbound->attachment_count; i++)
		require(inbound->attachments[i].filename != NULL &&
			inbound->attachments[i].spool_path == NULL);
	require((inbound->type == CG_EVENT_INTERACTION) ==
		(inbound->interaction != NULL));
	if (inbound->type == CG_EVENT_COMMAND)
		require(inbound->command != NULL && inbound->command[0] != '\0' &&
			inbound->command_args != NULL);
}

static void end(struct slack_message *message, enum cg_status status)
{
	require(status == CG_OK || status == CG_NOT_FOUND || status == CG_INVALID ||
		status == CG_LIMIT);
	if (status == CG_OK)
		check(message);
	slack_message_finish(message);
}

static const char *name(const void *arg, const char *user_id)
{
	return strlen(user_id) < 4 ? arg : NULL;
}

static bool knows(const void *arg, const char *channel, const char *thread)
{
	return arg != NULL && strlen(channel) < strlen(thread);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct slack_bot bot = {.user_id = "UBOT", .team_id = "T1"};
	static struct slack_message message;
	struct slack_reader reader = {
		.bot = &bot, .name = name, .knows = knows, .arg = "Ann"};
	struct json_object *document = NULL;

	reader.channels = length % 3 == 0   ? SLACK_CHANNELS_ALL
			  : length % 3 == 1 ? SLACK_CHANNELS_MENTIONS
					    : SLACK_CHANNELS_COMMANDS;
	end(&message,
		slack_wire_read_command(&reader, (const char *)bytes, length, &message));
	if (cg_json_parse((const char *)bytes, length, &document, NULL) != CG_OK)
		return 0;
	end(&message, slack_wire_read_event(&reader, document, &message));
	end(&message, slack_wire_read_press(&reader, document, &message));
	cg_json_free(document);
	return 0;
}
