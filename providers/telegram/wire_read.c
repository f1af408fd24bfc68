/* SPDX-License-Identifier: Apache-2.0 */
/* Updates into messages. */
#include "wire.h"

#include <cowgate/sdk/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool read_number(struct json_object *object, const char *key, int64_t *ret)
{
	return cg_json_value_int(cg_json_member(object, key), ret);
}

/* A number as text; false when there is none. */
static bool read_id(struct json_object *object, const char *key, char *ret)
{
	int64_t number;

	if (!read_number(object, key, &number))
		return false;
	snprintf(ret, TELEGRAM_NUMBER, "%" PRId64, number);
	return true;
}

static const char *string_or_null(struct json_object *object, const char *key)
{
	const char *text = cg_json_string(object, key);

	return cg_text_blank(text) ? NULL : text;
}

bool telegram_wire_read_me(struct json_object *result, struct telegram_bot *bot)
{
	if (!read_number(result, "id", &bot->id) || bot->id == 0)
		return false;
	cg_text_copy(bot->username, sizeof(bot->username),
		cg_json_string_or(result, "username", ""));
	return true;
}

static bool is_us(const struct telegram_bot *bot, struct json_object *user)
{
	int64_t id;

	return bot->id != 0 && read_number(user, "id", &id) && id == bot->id;
}

/* The stretch of @text that an entity marks, which counts in UTF-16. */
static const char *marked(
	const char *text, struct json_object *entity, size_t *ret_length)
{
	size_t length = strlen(text), first, end;
	int64_t offset = cg_json_int(entity, "offset", -1);
	int64_t units = cg_json_int(entity, "length", -1);

	if (offset < 0 || units < 0 || offset > (int64_t)length ||
		units > (int64_t)length)
		return NULL;
	first = cg_text_prefix(text, length, CG_UNIT_UTF16, (size_t)offset);
	end = cg_text_prefix(text, length, CG_UNIT_UTF16, (size_t)(offset + units));
	*ret_length = end - first;
	return text + first;
}

static bool names_us(
	const struct telegram_bot *bot, const char *text, struct json_object *entity)
{
	const char *type = cg_json_string_or(entity, "type", "");
	const char *mark;
	size_t length;

	if (strcmp(type, "text_mention") == 0)
		return is_us(bot, cg_json_object(entity, "user"));
	if (strcmp(type, "mention") != 0 || bot->username[0] == '\0')
		return false;
	mark = marked(text, entity, &length);
	return mark != NULL && length == strlen(bot->username) + 1 && mark[0] == '@' &&
	       strncasecmp(mark + 1, bot->username, length - 1) == 0;
}

static bool is_addressed(
	const struct telegram_bot *bot, struct json_object *message, const char *text)
{
	struct json_object *entities = cg_json_array(message, "entities");
	struct json_object *reply = cg_json_object(message, "reply_to_message");

	if (entities == NULL)
		entities = cg_json_array(message, "caption_entities");
	for (size_t i = 0; i < cg_json_count(entities); i++) {
		if (names_us(bot, text, cg_json_at(entities, i)))
			return true;
	}
	/* In a topic every message answers the one that opened it. */
	return is_us(bot, cg_json_object(reply, "from")) &&
	       !cg_json_has(reply, "forum_topic_created");
}

static void read_command(const struct telegram_bot *bot, struct telegram_message *ret)
{
	const char *text = ret->inbound.text;

	text += strspn(text, " \t\n");
	if (!cg_command_parse(text, &ret->command))
		return;
	/* "/start@other_bot" is meant for another. */
	if (ret->command.mention[0] != '\0' &&
		strcasecmp(ret->command.mention, bot->username) != 0)
		return;
	ret->inbound.type = CG_EVENT_COMMAND;
	ret->inbound.command = ret->command.name;
	ret->inbound.command_args = ret->command.args;
}

static void read_attachment(struct json_object *message, struct telegram_message *ret)
{
	struct json_object *document = cg_json_object(message, "document");
	struct json_object *photos = cg_json_array(message, "photo");
	struct json_object *file = document;

	if (file == NULL && cg_json_count(photos) > 0) /* the last is the largest */
		file = cg_json_at(photos, cg_json_count(photos) - 1);
	if (cg_text_blank(cg_json_string(file, "file_id")))
		return;
	if (document != NULL)
		cg_text_copy(ret->filename, sizeof(ret->filename),
			cg_json_string_or(file, "file_name", "document"));
	else
		snprintf(ret->filename, sizeof(ret->filename), "%.200s.jpg",
			cg_json_string_or(file, "file_unique_id", "photo"));
	ret->attachment = (struct cg_attachment){
		.size = sizeof(ret->attachment),
		.file_id = cg_json_string(file, "file_id"),
		.filename = ret->filename,
		.mime_type = document != NULL ? string_or_null(file, "mime_type")
					      : "image/jpeg",
		.bytes = cg_json_int(file, "file_size", -1),
	};
	ret->inbound.attachments = &ret->attachment;
	ret->inbound.attachment_count = 1;
}

/* The person.  False: a bot, or nobody. */
static bool read_sender(struct json_object *from, struct telegram_message *ret)
{
	const char *first = cg_json_string_or(from, "first_name", "");
	const char *last = cg_json_string_or(from, "last_name", "");
	char whole[sizeof(ret->display_name)];

	if (!read_id(from, "id", ret->user_id) || cg_json_bool(from, "is_bot", false))
		return false;
	snprintf(whole, sizeof(whole), "%.250s%s%.250s", first,
		first[0] != '\0' && last[0] != '\0' ? " " : "", last);
	/* The cut may have torn a character. */
	while (!cg_utf8_valid(whole, strlen(whole)))
		whole[strlen(whole) - 1] = '\0';
	cg_text_copy(ret->display_name, sizeof(ret->display_name), whole);
	ret->inbound.sender = (struct cg_sender){
		.user_id = ret->user_id,
		.username = string_or_null(from, "username"),
		.display_name = ret->display_name[0] == '\0' ? NULL : ret->display_name,
	};
	ret->inbound.target.user_id = ret->user_id;
	return true;
}

/* Where it was said.  False: nowhere. */
static bool read_place(struct json_object *message, struct telegram_message *ret)
{
	struct json_object *chat = cg_json_object(message, "chat");

	if (!read_id(chat, "id", ret->chat_id))
		return false;
	ret->inbound.target.chat_id = ret->chat_id;
	ret->inbound.target.is_direct =
		strcmp(cg_json_string_or(chat, "type", ""), "private") == 0;
	/* Plain replies in a group carry a thread id too, to which nothing can be sent. */
	if (cg_json_bool(message, "is_topic_message", false) &&
		read_id(message, "message_thread_id", ret->thread_id))
		ret->inbound.target.thread_id = ret->thread_id;
	if (read_id(message, "message_id", ret->message_id))
		ret->inbound.message_id = ret->message_id;
	ret->inbound.target.message_id = ret->inbound.message_id;
	return true;
}

static bool read_message(const struct telegram_bot *bot, struct json_object *message,
	struct telegram_message *ret)
{
	const char *text = cg_json_string(message, "text");

	if (!read_place(message, ret) ||
		!read_sender(cg_json_object(message, "from"), ret))
		return false;
	if (text == NULL)
		text = cg_json_string_or(message, "caption", "");
	ret->inbound.text = text;
	read_command(bot, ret);
	read_attachment(message, ret);
	if (text[0] == '\0' && ret->inbound.attachment_count == 0)
		return false;
	if (ret->inbound.target.is_direct || ret->inbound.type == CG_EVENT_COMMAND ||
		bot->groups == TELEGRAM_GROUPS_ALL)
		return true;
	return bot->groups == TELEGRAM_GROUPS_MENTIONS &&
	       is_addressed(bot, message, text);
}

static bool read_press(struct json_object *press, struct telegram_message *ret)
{
	const char *id = string_or_null(press, "id");
	const char *data = string_or_null(press, "data");

	if (id == NULL || data == NULL)
		return false;
	if (!read_place(cg_json_object(press, "message"), ret) ||
		!read_sender(cg_json_object(press, "from"), ret))
		return false;
	ret->interaction = (struct cg_interaction){.id = id, .token = data};
	ret->inbound.type = CG_EVENT_INTERACTION;
	ret->inbound.interaction = &ret->interaction;
	ret->inbound.text = data;
	return true;
}

bool telegram_wire_read(const struct telegram_bot *bot, struct json_object *update,
	struct telegram_message *ret)
{
	struct json_object *message = cg_json_object(update, "message");
	struct json_object *press = cg_json_object(update, "callback_query");

	ret->inbound = (struct cg_inbound){
		.size = sizeof(ret->inbound), .type = CG_EVENT_MESSAGE};
	if (!read_id(update, "update_id", ret->event_id))
		return false;
	ret->inbound.event_id = ret->event_id;
	if (message != NULL)
		return read_message(bot, message, ret);
	return press != NULL && read_press(press, ret);
}
