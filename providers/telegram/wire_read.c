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

bool telegram_wire_read_id(
	struct json_object *object, const char *key, char ret[TELEGRAM_NUMBER])
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

/* The names of a person or the title of a chat.  A cut by bytes may tear a character. */
static void read_name(const char *first, const char *last, struct telegram_message *ret)
{
	char whole[sizeof(ret->display_name)];

	snprintf(whole, sizeof(whole), "%.250s%s%.250s", first,
		first[0] != '\0' && last[0] != '\0' ? " " : "", last);
	while (!cg_utf8_valid(whole, strlen(whole)))
		whole[strlen(whole) - 1] = '\0';
	cg_text_copy(ret->display_name, sizeof(ret->display_name), whole);
}

/*
 * Who wrote.  A channel's post and an administrator who stays anonymous speak as their chat: the
 * platform names no person.  False: a bot, a copy of a channel's post, or nobody.
 */
static bool read_sender(struct json_object *message, struct telegram_message *ret)
{
	struct json_object *from = cg_json_object(message, "from");
	struct json_object *chat = cg_json_object(message, "sender_chat");

	if (chat != NULL && (from == NULL || cg_json_bool(from, "is_bot", false))) {
		read_name(cg_json_string_or(chat, "title", ""),
			cg_json_string_or(message, "author_signature", ""), ret);
		from = chat;
	} else if (cg_json_bool(from, "is_bot", false)) {
		return false;
	} else {
		read_name(cg_json_string_or(from, "first_name", ""),
			cg_json_string_or(from, "last_name", ""), ret);
	}
	if (!telegram_wire_read_id(from, "id", ret->user_id) ||
		cg_json_bool(message, "is_automatic_forward", false))
		return false;
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
	struct json_object *reply = cg_json_object(message, "reply_to_message");

	if (!telegram_wire_read_id(chat, "id", ret->chat_id))
		return false;
	ret->inbound.target.chat_id = ret->chat_id;
	ret->inbound.target.is_direct =
		strcmp(cg_json_string_or(chat, "type", ""), "private") == 0;
	/* Plain replies in a group carry a thread id too, to which nothing can be sent, and the
	 * general topic has the number 1, which nobody may name. */
	if (cg_json_bool(message, "is_topic_message", false) &&
		telegram_wire_read_id(message, "message_thread_id", ret->thread_id) &&
		strcmp(ret->thread_id, "1") != 0)
		ret->inbound.target.thread_id = ret->thread_id;
	if (telegram_wire_read_id(message, "message_id", ret->message_id))
		ret->inbound.message_id = ret->message_id;
	ret->inbound.target.message_id = ret->inbound.message_id;
	/* In a topic every message answers the one that opened it. */
	if (!cg_json_has(reply, "forum_topic_created") &&
		telegram_wire_read_id(reply, "message_id", ret->reply_to))
		ret->inbound.reply_to = ret->reply_to;
	return true;
}

/* Both chats tell of it. */
static bool read_move(struct json_object *message, struct telegram_message *ret)
{
	char chat[TELEGRAM_NUMBER];

	if (!telegram_wire_read_id(cg_json_object(message, "chat"), "id", chat))
		return false;
	memcpy(ret->moved_from, chat, sizeof(chat));
	memcpy(ret->moved_to, chat, sizeof(chat));
	return telegram_wire_read_id(message, "migrate_to_chat_id", ret->moved_to) ||
	       telegram_wire_read_id(message, "migrate_from_chat_id", ret->moved_from);
}

static enum telegram_kind read_message(const struct telegram_bot *bot,
	struct json_object *message, struct telegram_message *ret)
{
	const char *text = cg_json_string(message, "text");

	if (read_move(message, ret))
		return TELEGRAM_MOVED;
	if (!read_place(message, ret) || !read_sender(message, ret))
		return TELEGRAM_NOTHING;
	if (text == NULL)
		text = cg_json_string_or(message, "caption", "");
	ret->inbound.text = text;
	ret->album = string_or_null(message, "media_group_id");
	read_command(bot, ret);
	telegram_content_read(message, ret);
	if (text[0] == '\0' && ret->attachment.file_id == NULL && ret->named[0] == '\0')
		return TELEGRAM_NOTHING;
	if (ret->inbound.target.is_direct || ret->inbound.type == CG_EVENT_COMMAND ||
		bot->groups == TELEGRAM_GROUPS_ALL ||
		(bot->groups == TELEGRAM_GROUPS_MENTIONS &&
			is_addressed(bot, message, text)))
		return TELEGRAM_MESSAGE;
	return TELEGRAM_OVERHEARD;
}

static enum telegram_kind read_press(
	struct json_object *press, struct telegram_message *ret)
{
	const char *id = string_or_null(press, "id");
	const char *data = string_or_null(press, "data");

	if (id == NULL)
		return TELEGRAM_NOTHING;
	ret->interaction = (struct cg_interaction){.id = id, .token = data};
	if (data == NULL || !read_place(cg_json_object(press, "message"), ret) ||
		!read_sender(press, ret))
		return TELEGRAM_PRESS_DEAD;
	ret->inbound.type = CG_EVENT_INTERACTION;
	ret->inbound.interaction = &ret->interaction;
	ret->inbound.text = data;
	return TELEGRAM_PRESS;
}

static enum telegram_kind read_update(const struct telegram_bot *bot,
	struct json_object *update, struct telegram_message *ret)
{
	struct json_object *message = cg_json_object(update, "message");
	struct json_object *press = cg_json_object(update, "callback_query");

	if (message == NULL)
		message = cg_json_object(update, "channel_post");
	if (!telegram_wire_read_id(update, "update_id", ret->event_id))
		return TELEGRAM_NOTHING;
	ret->inbound.event_id = ret->event_id;
	if (message != NULL)
		return read_message(bot, message, ret);
	return press != NULL ? read_press(press, ret) : TELEGRAM_NOTHING;
}

enum telegram_kind telegram_wire_read(const struct telegram_bot *bot,
	struct json_object *update, struct telegram_message *ret)
{
	ret->inbound = (struct cg_inbound){
		.size = sizeof(ret->inbound), .type = CG_EVENT_MESSAGE};
	ret->attachment.file_id = NULL;
	ret->album = NULL;
	ret->named[0] = '\0';
	ret->kind = read_update(bot, update, ret);
	return ret->kind;
}
