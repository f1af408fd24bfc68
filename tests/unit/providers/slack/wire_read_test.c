/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

static const struct slack_bot bot = {.user_id = "UBOT", .team_id = "T1"};
static const struct slack_bot nobody;

struct reading {
	struct slack_message *message;
	struct json_object *document;
	enum cg_status status;
};

static struct reading read_json(const struct slack_reader *reader, const char *json,
	enum cg_status (*read)(const struct slack_reader *, struct json_object *,
		struct slack_message *))
{
	struct reading reading = {.message = calloc(1, sizeof(struct slack_message))};

	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(json, strlen(json), &reading.document, NULL), CG_OK);
	reading.status = read(reader, reading.document, reading.message);
	return reading;
}

static void reading_end(struct reading *reading)
{
	slack_message_finish(reading->message);
	free(reading->message);
	cg_json_free(reading->document);
}

static void check_status(
	const struct slack_reader *reader, const char *json, enum cg_status expected)
{
	struct reading reading = read_json(reader, json, slack_wire_read_event);

	CU_ASSERT_EQUAL(reading.status, expected);
	reading_end(&reading);
}

#define EVENT(event) "{\"team_id\":\"T1\",\"event\":{" event "}}"
#define SAID(more) \
	EVENT("\"type\":\"message\",\"channel\":\"C1\",\"user\":\"U1\",\"ts\":\"1." \
	      "5\"," more)

/* The three modes, over what may be said in a channel. */
static void channels_are_answered_as_set(void)
{
	static const struct {
		const char *json;
		enum cg_status commands, mentions, all;
	} rows[] = {
		{SAID("\"text\":\"among people\""), CG_NOT_FOUND, CG_NOT_FOUND, CG_OK},
		{SAID("\"text\":\"/status\""), CG_NOT_FOUND, CG_NOT_FOUND, CG_OK},
		{SAID("\"text\":\"<@UBOT> hi\""), CG_NOT_FOUND, CG_OK, CG_OK},
		{SAID("\"text\":\"hi <@UBOT>\""), CG_NOT_FOUND, CG_OK, CG_OK},
		{SAID("\"text\":\"<@UBOT> /status\""), CG_OK, CG_OK, CG_OK},
		{SAID("\"text\":\"and\",\"thread_ts\":\"1.1\",\"parent_user_id\":"
		      "\"UBOT\""),
			CG_NOT_FOUND, CG_OK, CG_OK},
		{SAID("\"text\":\"and\",\"thread_ts\":\"1.1\",\"parent_user_id\":"
		      "\"U2\""),
			CG_NOT_FOUND, CG_NOT_FOUND, CG_OK},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slack_reader reader = {.bot = &bot};

		check_status(&reader, rows[i].json, rows[i].commands);
		reader.channels = SLACK_CHANNELS_MENTIONS;
		check_status(&reader, rows[i].json, rows[i].mentions);
		reader.channels = SLACK_CHANNELS_ALL;
		check_status(&reader, rows[i].json, rows[i].all);
	}
}

static bool knows(const void *arg, const char *channel, const char *thread)
{
	(void)arg;
	return strcmp(channel, "C1") == 0 && strcmp(thread, "1.1") == 0;
}

static void threads_that_are_known_go_on(void)
{
	const struct slack_reader reader = {
		.bot = &bot, .channels = SLACK_CHANNELS_MENTIONS, .knows = knows};

	check_status(&reader, SAID("\"text\":\"and\",\"thread_ts\":\"1.1\""), CG_OK);
	check_status(
		&reader, SAID("\"text\":\"and\",\"thread_ts\":\"1.2\""), CG_NOT_FOUND);
	/* Somebody else is meant. */
	check_status(&reader, SAID("\"text\":\"<@U2> and\",\"thread_ts\":\"1.1\""),
		CG_NOT_FOUND);
	check_status(&reader,
		SAID("\"text\":\"<@U2> <@UBOT> and\",\"thread_ts\":\"1.1\""), CG_OK);
}

/* Before auth.test has answered, the event itself says for whom it was sent. */
static void an_event_says_who_we_are(void)
{
	const struct slack_reader reader = {
		.bot = &nobody, .channels = SLACK_CHANNELS_MENTIONS};

	check_status(&reader, SAID("\"text\":\"<@UBOT> hi\""), CG_NOT_FOUND);
	check_status(&reader,
		"{\"event\":{\"type\":\"message\",\"channel\":\"C1\",\"user\":\"U1\","
		"\"ts\":\"1.5\",\"text\":\"<@UBOT> "
		"hi\"},\"authorizations\":[{\"user_id\":"
		"\"UBOT\"}]}",
		CG_OK);
	check_status(&reader,
		"{\"event\":{\"type\":\"message\",\"channel\":\"D1\",\"user\":\"UBOT\","
		"\"ts\":\"1.5\",\"text\":\"x\"},\"authorizations\":[{\"user_id\":"
		"\"UBOT\"}]}",
		CG_NOT_FOUND);
}

static void a_guest_has_its_team_behind_its_id(void)
{
	static const struct {
		const char *json, *user;
	} rows[] = {
		{EVENT("\"type\":\"message\",\"channel\":\"D1\",\"user\":\"U1\",\"ts\":"
		       "\"1\",\"text\":\"x\",\"team\":\"T1\""),
			"U1"},
		{EVENT("\"type\":\"message\",\"channel\":\"D1\",\"user\":\"U1\",\"ts\":"
		       "\"1\",\"text\":\"x\",\"team\":\"T1\",\"user_team\":\"T2\""),
			"U1@T2"},
		/* Within an organisation ids are unique. */
		{"{\"team_id\":\"T1\",\"enterprise_id\":\"E1\",\"event\":{\"type\":"
		 "\"message\",\"channel\":\"D1\",\"user\":\"U1\",\"ts\":\"1\",\"text\":"
		 "\"x\",\"user_team\":\"T2\"}}",
			"U1"},
	};
	const struct slack_reader reader = {.bot = &bot};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading reading =
			read_json(&reader, rows[i].json, slack_wire_read_event);

		CU_ASSERT_EQUAL(reading.status, CG_OK);
		CU_ASSERT_STRING_EQUAL(
			reading.message->inbound.sender.user_id, rows[i].user);
		CU_ASSERT_STRING_EQUAL(
			reading.message->inbound.target.user_id, rows[i].user);
		reading_end(&reading);
	}
}

/* Half an id might be somebody else's. */
static void an_id_that_is_too_long_is_no_id(void)
{
	const struct slack_reader reader = {.bot = &bot};

	check_status(&reader,
		EVENT("\"type\":\"message\",\"channel\":\"D1\",\"ts\":\"1\",\"text\":"
		      "\"x\",\"user\":\"U12345678901234567890123456789012345678901234567"
		      "890123456789012\""),
		CG_OK);
	check_status(&reader,
		EVENT("\"type\":\"message\",\"channel\":\"D1\",\"ts\":\"1\",\"text\":"
		      "\"x\",\"user\":\"U12345678901234567890123456789012345678901234567"
		      "8901234567890123\""),
		CG_INVALID);
}

static void files_are_named_with_where_they_are(void)
{
	const struct slack_reader reader = {.bot = &bot};
	struct reading reading = read_json(&reader,
		EVENT("\"type\":\"message\",\"subtype\":\"file_share\",\"channel\":"
		      "\"D1\","
		      "\"user\":\"U1\",\"ts\":\"1\",\"text\":\"\",\"files\":["
		      "{\"id\":\"F1\",\"name\":\"a.png\",\"mimetype\":\"image/png\","
		      "\"size\":7,\"url_private\":\"u1\",\"url_private_download\":\"u2\"}"
		      ","
		      "{\"id\":\"F2\",\"mode\":\"tombstone\"},7,"
		      "{\"id\":\"F3\",\"title\":\"a sheet\",\"is_external\":true,"
		      "\"url_private\":\"u3\"},{}]"),
		slack_wire_read_event);
	const struct slack_message *message = reading.message;

	CU_ASSERT_EQUAL(reading.status, CG_OK);
	CU_ASSERT_EQUAL_FATAL(message->inbound.attachment_count, 3);
	CU_ASSERT_STRING_EQUAL(message->attachments[0].filename, "a.png");
	CU_ASSERT_EQUAL(message->attachments[0].bytes, 7);
	CU_ASSERT_STRING_EQUAL(message->urls[0], "u2");
	CU_ASSERT_STRING_EQUAL(message->attachments[1].filename, "a sheet");
	CU_ASSERT_PTR_NULL(message->urls[1]);
	CU_ASSERT_STRING_EQUAL(message->attachments[2].filename, "file");
	CU_ASSERT_EQUAL(message->attachments[2].bytes, -1);
	reading_end(&reading);
}

static void more_files_than_there_is_room_for_are_left_out(void)
{
	const struct slack_reader reader = {.bot = &bot};
	char json[2048] = "{\"event\":{\"type\":\"message\",\"channel\":\"D1\",\"user\":"
			  "\"U1\",\"ts\":\"1\",\"files\":[{\"id\":\"F\"}";
	struct reading reading;

	for (int i = 0; i < SLACK_FILES; i++)
		strncat(json, ",{\"id\":\"F\"}", sizeof(json) - strlen(json) - 1);
	strncat(json, "]}}", sizeof(json) - strlen(json) - 1);
	reading = read_json(&reader, json, slack_wire_read_event);
	CU_ASSERT_EQUAL(reading.status, CG_OK);
	CU_ASSERT_EQUAL(reading.message->inbound.attachment_count, SLACK_FILES);
	reading_end(&reading);
}

static void check_command(const char *form, enum cg_status status,
	enum cg_event_type type, const char *command, const char *text)
{
	const struct slack_reader reader = {.bot = &bot};
	struct slack_message *message = calloc(1, sizeof(*message));

	CU_ASSERT_EQUAL(
		slack_wire_read_command(&reader, form, strlen(form), message), status);
	if (status == CG_OK) {
		CU_ASSERT_EQUAL(message->inbound.type, type);
		CU_ASSERT_STRING_EQUAL(message->inbound.text, text);
	}
	if (status == CG_OK && type == CG_EVENT_COMMAND)
		CU_ASSERT_STRING_EQUAL(message->inbound.command, command);
	slack_message_finish(message);
	free(message);
}

#define FORM "user_id=U1&channel_id=D1&trigger_id=1&text="

static void the_first_word_is_the_command(void)
{
	check_command(FORM, CG_OK, CG_EVENT_COMMAND, "help", "help");
	check_command(FORM "status", CG_OK, CG_EVENT_COMMAND, "status", "status");
	check_command(FORM "%2Fnew", CG_OK, CG_EVENT_COMMAND, "new", "/new");
	check_command(FORM "1+%2B+1", CG_OK, CG_EVENT_MESSAGE, "", "1 + 1");
	check_command(
		FORM "sum+a+%26lt%3B+b", CG_OK, CG_EVENT_COMMAND, "sum", "sum a < b");
	check_command("user_id=U1&channel_id=D1&text=x", CG_INVALID, 0, "", "");
	check_command("channel_id=D1&trigger_id=1", CG_INVALID, 0, "", "");
	check_command(FORM "%ff", CG_INVALID, 0, "", "");
	check_command(FORM "%zz", CG_INVALID, 0, "", "");
}

static void presses_without_a_value_are_not_ours(void)
{
	static const char *const rows[] = {
		"{}",
		"{\"actions\":[{\"value\":\"t\"}]}",
		"{\"actions\":[{}],\"user\":{\"id\":\"U1\"},\"channel\":{\"id\":\"C1\"},"
		"\"trigger_id\":\"1\"}",
		"{\"actions\":[{\"value\":\"t\"}],\"user\":{\"id\":\"U1\"},\"trigger_"
		"id\":"
		"\"1\"}",
	};
	const struct slack_reader reader = {.bot = &bot};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct reading reading =
			read_json(&reader, rows[i], slack_wire_read_press);

		CU_ASSERT_EQUAL(reading.status, CG_NOT_FOUND);
		reading_end(&reading);
	}
}

static void who_somebody_is(void)
{
	static const char full[] = "{\"user\":{\"name\":\"ann\",\"real_name\":\"Ann B\","
				   "\"profile\":{\"display_name\":\"\"}}}";
	struct json_object *document = NULL;
	struct slack_bot me = {.user_id = ""};

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(full, strlen(full), &document, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(slack_wire_read_name(document), "Ann B");
	CU_ASSERT_FALSE(slack_wire_read_auth(document, &me));
	CU_ASSERT_PTR_NULL(slack_wire_read_name(NULL));
	cg_json_free(document);
}

UNIT_SUITE(slack_wire_read, UNIT_TEST(channels_are_answered_as_set),
	UNIT_TEST(threads_that_are_known_go_on), UNIT_TEST(an_event_says_who_we_are),
	UNIT_TEST(a_guest_has_its_team_behind_its_id),
	UNIT_TEST(an_id_that_is_too_long_is_no_id),
	UNIT_TEST(files_are_named_with_where_they_are),
	UNIT_TEST(more_files_than_there_is_room_for_are_left_out),
	UNIT_TEST(the_first_word_is_the_command),
	UNIT_TEST(presses_without_a_value_are_not_ours), UNIT_TEST(who_somebody_is));
