/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct telegram_bot bot = {.id = 42, .username = "CowBot"};

/* The message of an update, kept until the next call. */
static struct telegram_message *read_update(
	enum telegram_groups groups, const char *frame, const char *members)
{
	static struct json_object *update;
	static struct telegram_message message;
	struct telegram_bot us = bot;
	char json[4096];

	/* The frame has a gap for the members. */
	snprintf(json, sizeof(json), "%.*s%s%s", (int)(strchr(frame, '#') - frame), frame,
		members, strchr(frame, '#') + 1);
	cg_json_free(update);
	update = NULL;
	if (cg_json_parse(json, strlen(json), &update, NULL) != CG_OK)
		abort();
	us.groups = groups;
	message = (struct telegram_message){.event_id = ""};
	if (telegram_wire_read(&us, update, &message) == TELEGRAM_MESSAGE ||
		message.kind == TELEGRAM_PRESS)
		return &message;
	cg_json_free(update);
	update = NULL;
	return NULL;
}

static void forget(void)
{
	CU_ASSERT_PTR_NULL(read_update(TELEGRAM_GROUPS_ALL, "#", "{}"));
}

static const char private_chat[] =
	"{\"update_id\":8,\"message\":{\"message_id\":5,\"date\":1,\"chat\":{\"id\":"
	"9007199254740,\"type\":\"private\"},\"from\":{\"id\":77,\"is_bot\":false,"
	"\"first_name\":\"Ada\",\"last_name\":\"L\",\"username\":\"ada\"},#}}";
static const char group_chat[] =
	"{\"update_id\":8,\"message\":{\"message_id\":5,\"date\":1,\"chat\":{\"id\":-"
	"100123,"
	"\"type\":\"supergroup\"},\"from\":{\"id\":77,\"first_name\":\"Ada\"},#}}";

static void private_text(void)
{
	struct telegram_message *message =
		read_update(TELEGRAM_GROUPS_COMMANDS, private_chat, "\"text\":\"hi\"");

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_STRING_EQUAL(message->inbound.event_id, "8");
	CU_ASSERT_STRING_EQUAL(message->inbound.message_id, "5");
	CU_ASSERT_STRING_EQUAL(message->inbound.target.chat_id, "9007199254740");
	CU_ASSERT_TRUE(message->inbound.target.is_direct);
	CU_ASSERT_PTR_NULL(message->inbound.target.thread_id);
	CU_ASSERT_STRING_EQUAL(message->inbound.sender.user_id, "77");
	CU_ASSERT_STRING_EQUAL(message->inbound.sender.username, "ada");
	CU_ASSERT_STRING_EQUAL(message->inbound.sender.display_name, "Ada L");
	CU_ASSERT_EQUAL(message->inbound.type, CG_EVENT_MESSAGE);
	forget();
}

static void commands_may_name_a_bot(void)
{
	struct telegram_message *message = read_update(
		TELEGRAM_GROUPS_COMMANDS, group_chat, "\"text\":\"/New@cowbot now\"");

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_EQUAL(message->inbound.type, CG_EVENT_COMMAND);
	CU_ASSERT_STRING_EQUAL(message->inbound.command, "new");
	CU_ASSERT_STRING_EQUAL(message->inbound.command_args, "now");
	CU_ASSERT_PTR_NULL(read_update(
		TELEGRAM_GROUPS_MENTIONS, group_chat, "\"text\":\"/new@other now\""));
	message = read_update(
		TELEGRAM_GROUPS_COMMANDS, private_chat, "\"text\":\"/new@other\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_EQUAL(message->inbound.type, CG_EVENT_MESSAGE);
	forget();
}

/* Offsets count in UTF-16: the cow is two units. */
#define MENTION(offset, length) \
	"\"text\":\"\xF0\x9F\x90\x84 @COWBOT hi\",\"entities\":[{\"type\":\"mention\"," \
	"\"offset\":" #offset ",\"length\":" #length "}]"

static void groups_answer_when_named(void)
{
	CU_ASSERT_PTR_NULL(
		read_update(TELEGRAM_GROUPS_COMMANDS, group_chat, MENTION(3, 7)));
	CU_ASSERT_PTR_NOT_NULL(
		read_update(TELEGRAM_GROUPS_MENTIONS, group_chat, MENTION(3, 7)));
	CU_ASSERT_PTR_NULL(
		read_update(TELEGRAM_GROUPS_MENTIONS, group_chat, MENTION(5, 7)));
	CU_ASSERT_PTR_NULL(
		read_update(TELEGRAM_GROUPS_MENTIONS, group_chat, MENTION(3, 99)));
	CU_ASSERT_PTR_NULL(
		read_update(TELEGRAM_GROUPS_MENTIONS, group_chat, MENTION(-3, 7)));
	/* The words alone are no mention: somebody may quote them. */
	CU_ASSERT_PTR_NULL(read_update(
		TELEGRAM_GROUPS_MENTIONS, group_chat, "\"text\":\"x@CowBot.example\""));
	CU_ASSERT_PTR_NOT_NULL(
		read_update(TELEGRAM_GROUPS_ALL, group_chat, "\"text\":\"idle talk\""));
	CU_ASSERT_PTR_NOT_NULL(read_update(TELEGRAM_GROUPS_MENTIONS, group_chat,
		"\"text\":\"yes\",\"reply_to_message\":{\"from\":{\"id\":42}}"));
	CU_ASSERT_PTR_NULL(read_update(TELEGRAM_GROUPS_MENTIONS, group_chat,
		"\"text\":\"yes\",\"reply_to_message\":{\"from\":{\"id\":43}}"));
	/* Every message of a topic answers the one that opened it. */
	CU_ASSERT_PTR_NULL(read_update(TELEGRAM_GROUPS_MENTIONS, group_chat,
		"\"text\":\"yes\",\"reply_to_message\":{\"from\":{\"id\":42},"
		"\"forum_topic_created\":{}}"));
	forget();
}

static void a_reply_names_what_it_answers(void)
{
	struct telegram_message *message = read_update(TELEGRAM_GROUPS_ALL, group_chat,
		"\"text\":\"a\",\"reply_to_message\":{\"message_id\":77}");

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_STRING_EQUAL(message->inbound.reply_to, "77");
	message = read_update(TELEGRAM_GROUPS_ALL, group_chat, "\"text\":\"a\"");
	CU_ASSERT_PTR_NULL(message->inbound.reply_to);
	message = read_update(TELEGRAM_GROUPS_ALL, group_chat,
		"\"text\":\"a\",\"reply_to_message\":{\"message_id\":77,"
		"\"forum_topic_created\":{}}");
	CU_ASSERT_PTR_NULL(message->inbound.reply_to);
	forget();
}

static void only_topics_are_threads(void)
{
	struct telegram_message *message = read_update(TELEGRAM_GROUPS_ALL, group_chat,
		"\"text\":\"a\",\"message_thread_id\":3");

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_PTR_NULL(message->inbound.target.thread_id);
	message = read_update(TELEGRAM_GROUPS_ALL, group_chat,
		"\"text\":\"a\",\"message_thread_id\":1,\"is_topic_message\":true");
	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_PTR_NULL(message->inbound.target.thread_id);
	message = read_update(TELEGRAM_GROUPS_ALL, group_chat,
		"\"text\":\"a\",\"message_thread_id\":3,\"is_topic_message\":true");
	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_STRING_EQUAL(message->inbound.target.thread_id, "3");
	forget();
}

static void attachments_are_named(void)
{
	struct telegram_message *message = read_update(TELEGRAM_GROUPS_ALL, private_chat,
		"\"caption\":\"see\",\"photo\":[{\"file_id\":\"s\",\"file_unique_id\":"
		"\"u1\"},{\"file_id\":\"L\",\"file_unique_id\":\"u2\",\"file_size\":9}]");

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_STRING_EQUAL(message->inbound.text, "see");
	CU_ASSERT_STRING_EQUAL(message->attachment.file_id, "L");
	CU_ASSERT_STRING_EQUAL(message->attachment.filename, "photo-u2.jpg");
	CU_ASSERT_EQUAL(message->attachment.bytes, 9);
	message = read_update(TELEGRAM_GROUPS_ALL, private_chat,
		"\"document\":{\"file_id\":\"d\",\"mime_type\":\"text/plain\"}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_STRING_EQUAL(message->attachment.filename, "document");
	CU_ASSERT_STRING_EQUAL(message->attachment.mime_type, "text/plain");
	CU_ASSERT_STRING_EQUAL(message->inbound.text, "");
	forget();
}

static const char *named(const char *members)
{
	struct telegram_message *message =
		read_update(TELEGRAM_GROUPS_ALL, private_chat, members);

	return message == NULL ? "" : message->named;
}

static void what_is_no_text_is_named(void)
{
	CU_ASSERT_STRING_EQUAL(named("\"sticker\":{\"emoji\":\"\xF0\x9F\x90\x84\"}"),
		"[sticker \xF0\x9F\x90\x84]");
	CU_ASSERT_STRING_EQUAL(named("\"sticker\":{}"), "[sticker]");
	CU_ASSERT_STRING_EQUAL(
		named("\"location\":{\"latitude\":52.5,\"longitude\":-13.25}"),
		"[location: 52.500000, -13.250000]");
	CU_ASSERT_STRING_EQUAL(
		named("\"venue\":{\"title\":\"Zoo\",\"address\":\"Way 1\",\"location\":{"
		      "\"latitude\":1,\"longitude\":2}},\"location\":{}"),
		"[place: Zoo, Way 1 (1.000000, 2.000000)]");
	CU_ASSERT_STRING_EQUAL(
		named("\"contact\":{\"first_name\":\"A\",\"phone_number\":\"+49\"}"),
		"[contact: A, +49]");
	CU_ASSERT_STRING_EQUAL(named("\"poll\":{\"question\":\"Tea?\",\"options\":[{"
				     "\"text\":\"Yes\"},{\"text\":\"No\"}]}"),
		"[poll: Tea? \xE2\x80\x93 Yes / No]");
	CU_ASSERT_STRING_EQUAL(
		named("\"dice\":{\"emoji\":\"D\",\"value\":6}"), "[dice D: 6]");
	forget();
}

static const char *file_of(const char *members)
{
	struct telegram_message *message =
		read_update(TELEGRAM_GROUPS_ALL, private_chat, members);
	static char text[600];

	if (message == NULL || message->attachment.file_id == NULL)
		return "";
	snprintf(text, sizeof(text), "%s %s %s", message->attachment.file_id,
		message->filename,
		message->attachment.mime_type == NULL ? "?"
						      : message->attachment.mime_type);
	return text;
}

static void every_kind_of_file_is_one(void)
{
	CU_ASSERT_STRING_EQUAL(
		file_of("\"voice\":{\"file_id\":\"v\"}"), "v voice.ogg audio/ogg");
	CU_ASSERT_STRING_EQUAL(file_of("\"audio\":{\"file_id\":\"a\",\"file_name\":\"x."
				       "flac\",\"mime_type\":"
				       "\"audio/flac\"}"),
		"a x.flac audio/flac");
	CU_ASSERT_STRING_EQUAL(
		file_of("\"video\":{\"file_id\":\"m\"}"), "m video.mp4 video/mp4");
	CU_ASSERT_STRING_EQUAL(file_of("\"video_note\":{\"file_id\":\"n\"}"),
		"n video-note.mp4 video/mp4");
	CU_ASSERT_STRING_EQUAL(file_of("\"animation\":{\"file_id\":\"g\"},\"document\":{"
				       "\"file_id\":\"d\"}"),
		"g animation.mp4 video/mp4");
	/* The largest, whatever the order; names and types that are none are not believed. */
	CU_ASSERT_STRING_EQUAL(
		file_of("\"photo\":[{\"file_id\":\"L\",\"file_unique_id\":\"u\","
			"\"width\":9,"
			"\"height\":9},{\"file_id\":\"s\",\"width\":3,\"height\":3}]"),
		"L photo-u.jpg image/jpeg");
	CU_ASSERT_STRING_EQUAL(file_of("\"document\":{\"file_id\":\"d\",\"file_name\":"
				       "\"a\\nb\",\"mime_type\":"
				       "\"text\"}"),
		"d document ?");
	forget();
}

static enum telegram_kind kind_of(const char *json, struct telegram_message *ret)
{
	struct json_object *update = NULL;
	struct telegram_bot us = bot;
	enum telegram_kind kind;

	us.groups = TELEGRAM_GROUPS_ALL;
	if (cg_json_parse(json, strlen(json), &update, NULL) != CG_OK)
		abort();
	kind = telegram_wire_read(&us, update, ret);
	cg_json_free(update);
	return kind;
}

#define GROUP "\"chat\":{\"id\":-5,\"type\":\"group\",\"title\":\"Cows\"}"

static void chats_speak_where_no_person_is_named(void)
{
	struct telegram_message message;

	CU_ASSERT_EQUAL(
		kind_of("{\"update_id\":1,\"channel_post\":{\"message_id\":2,\"chat\":{"
			"\"id\":-7,\"type\":\"channel\"},\"sender_chat\":{\"id\":-7,"
			"\"title\":\"News\"},\"text\":\"hi\"}}",
			&message),
		TELEGRAM_MESSAGE);
	CU_ASSERT_STRING_EQUAL(message.user_id, "-7");
	CU_ASSERT_STRING_EQUAL(message.display_name, "News");
	CU_ASSERT_FALSE(message.inbound.target.is_direct);
	/* An administrator who stays anonymous: the platform's own bot is no bot to us. */
	CU_ASSERT_EQUAL(
		kind_of("{\"update_id\":1,\"message\":{" GROUP
			",\"from\":{\"id\":1087968824,\"is_bot\":true},\"sender_chat\":{"
			"\"id\":-5,\"title\":\"Cows\"},\"author_signature\":\"boss\","
			"\"text\":\"hi\"}}",
			&message),
		TELEGRAM_MESSAGE);
	CU_ASSERT_STRING_EQUAL(message.user_id, "-5");
	CU_ASSERT_STRING_EQUAL(message.display_name, "Cows boss");
	CU_ASSERT_EQUAL(kind_of("{\"update_id\":1,\"message\":{" GROUP
				",\"from\":{\"id\":777000},\"is_automatic_forward\":true,"
				"\"sender_chat\":{\"id\":-7},\"text\":\"hi\"}}",
				&message),
		TELEGRAM_NOTHING);
}

static void groups_move(void)
{
	struct telegram_message message;

	CU_ASSERT_EQUAL(kind_of("{\"update_id\":1,\"message\":{" GROUP
				",\"migrate_to_chat_id\":-1005}}",
				&message),
		TELEGRAM_MOVED);
	CU_ASSERT_STRING_EQUAL(message.moved_from, "-5");
	CU_ASSERT_STRING_EQUAL(message.moved_to, "-1005");
	CU_ASSERT_EQUAL(kind_of("{\"update_id\":1,\"message\":{\"chat\":{\"id\":-1005},"
				"\"migrate_from_chat_id\":-5}}",
				&message),
		TELEGRAM_MOVED);
	CU_ASSERT_STRING_EQUAL(message.moved_from, "-5");
	CU_ASSERT_STRING_EQUAL(message.moved_to, "-1005");
}

static void presses_carry_their_token(void)
{
	const char frame[] =
		"{\"update_id\":9,\"callback_query\":{\"id\":\"q1\",\"from\":{\"id\":77,"
		"\"first_name\":\"A\"},\"message\":{\"message_id\":6,\"chat\":{\"id\":77,"
		"\"type\":\"private\"}}#}}";
	struct telegram_message dead = {.moved_to = ""};
	struct telegram_message *message =
		read_update(TELEGRAM_GROUPS_COMMANDS, frame, ",\"data\":\"apv:x\"");

	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_EQUAL(message->inbound.type, CG_EVENT_INTERACTION);
	CU_ASSERT_STRING_EQUAL(message->inbound.interaction->id, "q1");
	CU_ASSERT_STRING_EQUAL(message->inbound.interaction->token, "apv:x");
	CU_ASSERT_STRING_EQUAL(message->inbound.event_id, "9");
	CU_ASSERT_STRING_EQUAL(message->inbound.target.message_id, "6");
	CU_ASSERT_PTR_NULL(read_update(TELEGRAM_GROUPS_COMMANDS, frame, ""));
	forget();
	CU_ASSERT_EQUAL(kind_of("{\"update_id\":9,\"callback_query\":{\"id\":\"q1\","
				"\"game_short_name\":\"g\",\"from\":{\"id\":7}}}",
				&dead),
		TELEGRAM_PRESS_DEAD);
}

static void the_rest_is_ignored(void)
{
	static const char *const updates[] = {
		"{}",
		"{\"update_id\":1}",
		"{\"update_id\":\"1\",\"message\":{}}",
		"{\"update_id\":1,\"message\":{}}",
		"{\"update_id\":1,\"message\":{\"chat\":{\"id\":1,\"type\":\"private\"},"
		"\"text\":\"a\"}}",
		"{\"update_id\":1,\"message\":{\"chat\":{\"id\":1,\"type\":\"private\"},"
		"\"from\":{\"id\":2,\"is_bot\":true},\"text\":\"a\"}}",
		"{\"update_id\":1,\"message\":{\"chat\":{\"id\":1,\"type\":\"private\"},"
		"\"from\":{\"id\":2},\"new_chat_title\":\"x\"}}",
		"{\"update_id\":1,\"edited_message\":{\"text\":\"a\"}}",
	};

	for (size_t i = 0; i < sizeof(updates) / sizeof(*updates); i++)
		CU_ASSERT_PTR_NULL(read_update(TELEGRAM_GROUPS_ALL, "#", updates[i]));
}

static void long_names_are_cut_between_characters(void)
{
	char members[2048] = "\"text\":\"a\"", frame[2048];
	struct telegram_message *message;
	size_t at;

	at = (size_t)snprintf(frame, sizeof(frame),
		"{\"update_id\":1,\"message\":{\"chat\":{\"id\":1,\"type\":\"private\"},"
		"\"from\":{\"id\":2,\"first_name\":\"a");
	for (int i = 0; i < 200; i++)
		at += (size_t)snprintf(frame + at, sizeof(frame) - at, "\xE2\x82\xAC");
	snprintf(frame + at, sizeof(frame) - at, "\"},#}}");
	message = read_update(TELEGRAM_GROUPS_ALL, frame, members);
	CU_ASSERT_PTR_NOT_NULL_FATAL(message);
	CU_ASSERT_TRUE(cg_utf8_valid(message->inbound.sender.display_name,
		strlen(message->inbound.sender.display_name)));
	CU_ASSERT_EQUAL(strlen(message->inbound.sender.display_name), 250);
	forget();
}

UNIT_SUITE(telegram_wire_read, UNIT_TEST(private_text),
	UNIT_TEST(commands_may_name_a_bot), UNIT_TEST(groups_answer_when_named),
	UNIT_TEST(a_reply_names_what_it_answers), UNIT_TEST(only_topics_are_threads),
	UNIT_TEST(attachments_are_named), UNIT_TEST(what_is_no_text_is_named),
	UNIT_TEST(every_kind_of_file_is_one),
	UNIT_TEST(chats_speak_where_no_person_is_named), UNIT_TEST(groups_move),
	UNIT_TEST(presses_carry_their_token), UNIT_TEST(the_rest_is_ignored),
	UNIT_TEST(long_names_are_cut_between_characters));
