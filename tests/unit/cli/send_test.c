/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/outbox.h"
#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rig_answer taken[] = {
	RIG_ANSWER("POST /deliveries", 202, "{\"deliveryId\":\"d-1\"}"), RIG_ANSWERS_END};

static void a_chat_and_a_thread_are_told_apart(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_send, "send", "--to", "telegram:-100", "Hello", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests,
		"POST /deliveries {\"target\":{\"chatId\":\"-100\"},"
		"\"provider\":\"telegram\",\"text\":\"Hello\"}\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, "d-1\n"));
	/* A thread may have colons. */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_send, "send", "Hello", "--idempotency-key", "k",
				"--to", "slack:C1:t:2", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests,
		"POST /deliveries {\"target\":{\"chatId\":\"C1\",\"threadId\":\"t:2\"},"
		"\"provider\":\"slack\",\"text\":\"Hello\",\"idempotencyKey\":\"k\"}\n"));
	rig_end(&rig);
}

static void the_answer_is_shown(void)
{
	static const struct rig_answer again[] = {
		RIG_ANSWER("POST /deliveries", 200,
			"{\"deliveryId\":\"d-1\",\"repeated\":true}"),
		RIG_ANSWERS_END};
	static const struct rig_answer refused[] = {
		RIG_ANSWER("POST /deliveries", 503, "{\"error\":\"The disk is full.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = again;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_send, "send", "--to", "a:b", "x", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out, "d-1  (it had been said: nothing was done)\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_send, "send", "--to", "a:b", "x", "--json", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out, "{\"deliveryId\":\"d-1\",\"repeated\":true}\n"));
	rig.answers = refused;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_send, "send", "--to", "a:b", "x", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate send: The disk is full.\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

static void stdin_is_a_text_without_its_last_line_break(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	rig.input = "one\n\ntwo\n\n";
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_send, "send", "--to", "a:b", "-", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"text\":\"one\\n\\ntwo\\n\"}"));
	rig_end(&rig);
}

/* Nothing behind a NUL is lost in silence. */
static int send_with_nul(int argc, char **argv)
{
	if (freopen(argv[--argc], "r", stdin) == NULL)
		return CLI_OK;
	return cli_send(argc, argv);
}

static void a_nul_makes_it_no_text(void)
{
	struct rig rig;
	FILE *file;

	rig_begin(&rig);
	rig.answers = taken;
	file = fopen(rig_path(&rig, "nul"), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fwrite("a\0b", 1, 3, file);
	fclose(file);
	CU_ASSERT_EQUAL(rig_run(&rig, send_with_nul, "send", "--to", "a:b", "-",
				rig_path(&rig, "nul"), NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "stdin is no text"));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

static void stdin_has_a_cap(void)
{
	char *text = malloc(OUTBOX_TEXT_MAX + 3);
	struct rig rig;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, 'x', OUTBOX_TEXT_MAX + 1);
	text[OUTBOX_TEXT_MAX - 1] = '\0';
	rig_begin(&rig);
	rig.answers = taken;
	rig.input = text;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_send, "send", "--to", "a:b", "-", NULL), CLI_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.requests, text));
	text[OUTBOX_TEXT_MAX - 1] = 'x';
	text[OUTBOX_TEXT_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_send, "send", "--to", "a:b", "-", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate send: stdin is no text, or longer "
					 "than a message may be\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
	free(text);
}

static void what_is_not_understood_is_not_sent(void)
{
	static const struct {
		const char *arguments[4], *says;
	} rows[] = {
		{{"Hello"}, "it takes --to and one text, or - for stdin"},
		{{"--to", "a:b"}, "it takes --to and one text, or - for stdin"},
		{{"Hello", "--to"}, "it takes --to and one text, or - for stdin"},
		{{"--to", "a:b", "one", "two"}, "it takes --to and one text"},
		{{"--to", "a:b", "--loud", "x"}, "it takes --to and one text"},
		{{"--to", "a", "x"}, "--to takes INSTANCE:CHAT or INSTANCE:CHAT:THREAD"},
		{{"--to", ":b", "x"}, "--to takes INSTANCE:CHAT"},
		{{"--to", "a:", "x"}, "--to takes INSTANCE:CHAT"},
	};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *arguments = rows[i].arguments;

		CU_ASSERT_EQUAL(rig_run(&rig, cli_send, "send", arguments[0],
					arguments[1], arguments[2], arguments[3], NULL),
			CLI_USAGE);
		CU_ASSERT_TRUE(rig_has(rig.err, rows[i].says));
		CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	}
	rig_end(&rig);
}

UNIT_SUITE(send, UNIT_TEST(a_chat_and_a_thread_are_told_apart),
	UNIT_TEST(the_answer_is_shown),
	UNIT_TEST(stdin_is_a_text_without_its_last_line_break),
	UNIT_TEST(stdin_has_a_cap), UNIT_TEST(a_nul_makes_it_no_text),
	UNIT_TEST(what_is_not_understood_is_not_sent));
