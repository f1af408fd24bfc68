/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cli/wire.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct cli_sender terminal = {
	.instance_id = "cli", .kind = "cli", .terminal = true};
static const struct cli_sender pipe_end = {.instance_id = "cli", .kind = "cli"};

static struct cg_outbound text_of(const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "d1",
		.target = {.chat_id = "local-cli", .is_direct = true},
		.source = "**s**",
		.source_length = 5,
		.text = text,
		.text_length = text == NULL ? 0 : strlen(text)};
}

static void check(const struct cli_sender *sender, const struct cg_outbound *outbound,
	const char *expected)
{
	struct cg_buffer line;

	cg_buffer_init(&line, CLI_LINE_MAX);
	CU_ASSERT_EQUAL(cli_wire_write(sender, outbound, "m1", 0, &line), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&line), expected);
	cg_buffer_finish(&line);
}

static void a_terminal_is_not_steered(void)
{
	struct cg_outbound outbound = text_of("a\tb\n\x1B[2J\xC2\x9B\x07z");

	check(&terminal, &outbound, "a\tb\n\xEF\xBF\xBD[2J\xEF\xBF\xBD\xEF\xBF\xBDz\n\n");
}

static void a_pipe_gets_the_source(void)
{
	struct cg_outbound outbound = text_of("s");

	check(&pipe_end, &outbound,
		"{\"provider\":\"cli\",\"providerKind\":\"cli\",\"type\":\"text\","
		"\"target\":{\"provider\":\"cli\",\"providerKind\":\"cli\",\"chatId\":"
		"\"local-cli\",\"isDirect\":true,\"threadId\":null,\"userId\":null,"
		"\"messageId\":null},\"messageId\":\"m1\",\"providerDeliveryId\":\"d1\","
		"\"sentAt\":\"1970-01-01T00:00:00.000Z\",\"text\":\"**s**\","
		"\"options\":{\"deliveryId\":\"d1\",\"parseMode\":\"plain\"}}\n");
	outbound.kind = CG_OUTBOUND_ANSWER;
	outbound.interaction_id = "p";
	outbound.source = NULL;
	outbound.text = NULL;
	outbound.delivery_id = NULL;
	check(&pipe_end, &outbound,
		"{\"provider\":\"cli\",\"providerKind\":\"cli\",\"type\":"
		"\"answer_interaction\",\"interactionId\":\"p\",\"messageId\":\"m1\","
		"\"sentAt\":\"1970-01-01T00:00:00.000Z\",\"options\":{\"parseMode\":"
		"\"plain\"}}\n");
}

static void some_things_have_no_form(void)
{
	struct cg_outbound outbound = text_of("a");
	struct cg_button buttons[CLI_CHOICES + 1] = {{.label = "x", .token = "t"}};
	struct cg_buffer line;

	cg_buffer_init(&line, CLI_LINE_MAX);
	outbound.kind = CG_OUTBOUND_EDIT;
	CU_ASSERT_EQUAL(
		cli_wire_write(&terminal, &outbound, "m", 0, &line), CG_UNSUPPORTED);
	CU_ASSERT_EQUAL(
		cli_wire_write(&pipe_end, &outbound, "m", 0, &line), CG_UNSUPPORTED);
	outbound.kind = CG_OUTBOUND_BUTTONS;
	CU_ASSERT_EQUAL(
		cli_wire_write(&pipe_end, &outbound, "m", 0, &line), CG_UNSUPPORTED);
	outbound.buttons = buttons;
	outbound.button_count = CLI_CHOICES + 1;
	CU_ASSERT_EQUAL(
		cli_wire_write(&terminal, &outbound, "m", 0, &line), CG_UNSUPPORTED);
	CU_ASSERT_EQUAL(line.length, 0);
	cg_buffer_finish(&line);
}

static void buttons_are_numbers(void)
{
	const struct cg_button buttons[] = {{.label = "Approve", .token = "apv:1"},
		{.label = "De\033ny", .token = "d"}};
	struct cg_outbound outbound = text_of("May I?");
	struct cli_choices choices = {.count = 0};

	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.buttons = buttons;
	outbound.button_count = 2;
	check(&terminal, &outbound,
		"May I?\n  [1] Approve\n  [2] De\xEF\xBF\xBDny\n\n\n");
	CU_ASSERT_PTR_NULL(cli_choices_find(&choices, "1"));
	cli_choices_set(&choices, &outbound);
	CU_ASSERT_STRING_EQUAL(cli_choices_find(&choices, "1"), "apv:1");
	CU_ASSERT_STRING_EQUAL(cli_choices_find(&choices, "2"), "d");
	CU_ASSERT_PTR_NULL(cli_choices_find(&choices, "0"));
	CU_ASSERT_PTR_NULL(cli_choices_find(&choices, "3"));
	CU_ASSERT_PTR_NULL(cli_choices_find(&choices, "-1"));
	CU_ASSERT_PTR_NULL(cli_choices_find(&choices, "1 "));
	CU_ASSERT_PTR_NULL(cli_choices_find(&choices, "one"));
}

static void files_are_shown_with_their_path(void)
{
	struct cg_file file = {.filename = "a.txt",
		.mime_type = "text/plain",
		.path = "/d/a",
		.bytes = 5};
	struct cg_outbound outbound = text_of(NULL);

	outbound.kind = CG_OUTBOUND_FILE;
	outbound.file = &file;
	outbound.delivery_id = NULL;
	check(&terminal, &outbound, "[file] a.txt, 5 bytes: /d/a\n\n");
	check(&pipe_end, &outbound,
		"{\"provider\":\"cli\",\"providerKind\":\"cli\",\"type\":\"file\","
		"\"target\":{\"provider\":\"cli\",\"providerKind\":\"cli\",\"chatId\":"
		"\"local-cli\",\"isDirect\":true,\"threadId\":null,\"userId\":null,"
		"\"messageId\":null},\"file\":{\"filename\":\"a.txt\",\"mimeType\":"
		"\"text/plain\",\"sizeBytes\":5,\"path\":\"/d/a\"},\"messageId\":\"m1\","
		"\"sentAt\":\"1970-01-01T00:00:00.000Z\",\"options\":{\"parseMode\":"
		"\"plain\"}}\n");
}

static void lines_are_text_or_objects(void)
{
	static const char press[] =
		"{\"interaction\":{\"id\":\"i\",\"token\":\"apv:1\"}}";
	struct cli_message message;
	struct cg_error err;

	CU_ASSERT_EQUAL(cli_wire_read("/Ask me", 7, &message, &err), CG_OK);
	CU_ASSERT_EQUAL(message.inbound.type, CG_EVENT_COMMAND);
	CU_ASSERT_STRING_EQUAL(message.inbound.command, "ask");
	CU_ASSERT_STRING_EQUAL(message.inbound.text, "/Ask me");
	cli_message_finish(&message);
	CU_ASSERT_EQUAL_FATAL(cli_wire_read(press, strlen(press), &message, &err), CG_OK);
	CU_ASSERT_EQUAL(message.inbound.type, CG_EVENT_INTERACTION);
	CU_ASSERT_TRUE(message.inbound.interaction->is_command);
	CU_ASSERT_STRING_EQUAL(message.inbound.target.chat_id, "local-cli");
	cli_message_finish(&message);
	CU_ASSERT_EQUAL(cli_wire_read("a\0b", 3, &message, &err), CG_INVALID);
	cli_message_finish(&message);
	CU_ASSERT_EQUAL(cli_wire_read("{\"text\":\"x\"", 11, &message, &err), CG_INVALID);
	cli_message_finish(&message);
}

UNIT_SUITE(cli_wire, UNIT_TEST(a_terminal_is_not_steered),
	UNIT_TEST(a_pipe_gets_the_source), UNIT_TEST(some_things_have_no_form),
	UNIT_TEST(buttons_are_numbers), UNIT_TEST(files_are_shown_with_their_path),
	UNIT_TEST(lines_are_text_or_objects));
