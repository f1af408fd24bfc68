/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/echo_script.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct echo_script script;
static const struct agent_file *files;
static size_t file_count;

static void plan(const char *text)
{
	const struct agent_prompt prompt = {.command_id = "c1",
		.text = text,
		.files = files,
		.file_count = file_count};

	CU_ASSERT_EQUAL_FATAL(echo_script_init(&script, &prompt), CG_OK);
	CU_ASSERT(script.count <= ECHO_STEPS);
}

static bool is(size_t at, enum echo_kind kind, const char *text)
{
	const struct echo_step *step = &script.steps[at];

	return at < script.count && step->kind == kind &&
	       (text == NULL ? step->text == NULL
			     : step->text != NULL && strcmp(step->text, text) == 0);
}

/* Does the payload of a step hold these bytes? */
static bool holds(size_t at, const char *text)
{
	return at < script.count && script.steps[at].payload != NULL &&
	       strstr(cg_json_text(script.steps[at].payload, NULL), text) != NULL;
}

/* It comes back as it came, in pieces and then whole. */
static bool is_echo_of(const char *text)
{
	return script.count == 2 && is(0, ECHO_PIECES, text) && is(1, ECHO_WHOLE, text) &&
	       script.steps[0].count > 1;
}

static void script_answers_with_what_it_was_told(void)
{
	/* Words that need something behind them, or nothing; numbers that are none. */
	static const char *const plain[] = {"hello there", "", "ask", "ask ", "cost 1",
		"todo x", "asking for it", "Ask x", " ask x", "slow", "slow 0 x",
		"slow x", "slow 3601 x", "slow 1x", "slow -1", "stream 2", "stream 2 ",
		"stream 1001 x", "file", "file a", "file  bytes"};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		plan(plain[i]);
		if (!is_echo_of(plain[i]))
			fprintf(stderr, "not an echo: %s\n", plain[i]);
		CU_ASSERT_TRUE(is_echo_of(plain[i]));
		echo_script_finish(&script);
	}
}

static void script_fails_is_slow_and_streams(void)
{
	plan("fail no such luck");
	CU_ASSERT_EQUAL(script.count, 1);
	CU_ASSERT_TRUE(is(0, ECHO_FAIL, "no such luck"));
	echo_script_finish(&script);
	plan("slow 2 there");
	CU_ASSERT_TRUE(is(0, ECHO_REPEAT, "."));
	CU_ASSERT_EQUAL(script.steps[0].count * script.steps[0].pause_ms, 2000);
	CU_ASSERT_TRUE(is(1, ECHO_WHOLE, "there"));
	echo_script_finish(&script);
	plan("slow 3600"); /* the most */
	CU_ASSERT_EQUAL(script.steps[0].count * script.steps[0].pause_ms, 3600000);
	CU_ASSERT_TRUE(is(1, ECHO_WHOLE, "done"));
	echo_script_finish(&script);
	plan("stream 1000 a b");
	CU_ASSERT_EQUAL(script.count, 1);
	CU_ASSERT_TRUE(is(0, ECHO_PIECES, "a b"));
	CU_ASSERT_EQUAL(script.steps[0].count, ECHO_STREAM_MAX);
	CU_ASSERT_EQUAL(script.steps[0].pause_ms, ECHO_STREAM_STEP_MS);
	echo_script_finish(&script);
}

static void script_asks(void)
{
	plan("ask rm -r build");
	CU_ASSERT_EQUAL(script.count, 1);
	CU_ASSERT_TRUE(is(0, ECHO_ASK, NULL));
	CU_ASSERT_STRING_EQUAL(script.steps[0].type, "permission.requested");
	/* Its id is the command's, so that a repeat asks the same. */
	CU_ASSERT_STRING_EQUAL(script.asked, "c1:echo");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(script.steps[0].payload, "permissionId"), "c1:echo");
	CU_ASSERT_TRUE(holds(0, "[\"rm -r build\"]"));
	CU_ASSERT_TRUE(holds(0, "[\"rm *\"]")); /* what may be allowed for good */
	echo_script_finish(&script);
	plan("question How?");
	CU_ASSERT_TRUE(is(0, ECHO_ASK, NULL));
	CU_ASSERT_STRING_EQUAL(script.steps[0].type, "question.asked");
	CU_ASSERT_EQUAL(
		cg_json_count(cg_json_array(script.steps[0].payload, "questions")), 1);
	CU_ASSERT_TRUE(holds(0, "\"multiple\":false,\"custom\":true"));
	echo_script_finish(&script);
	plan("questions How?");
	CU_ASSERT_EQUAL(
		cg_json_count(cg_json_array(script.steps[0].payload, "questions")), 2);
	CU_ASSERT_TRUE(holds(0, "\"multiple\":true,\"custom\":false"));
	echo_script_finish(&script);
}

/* A command of one very long word: what may be allowed for good is cut between characters. */
static void script_cuts_a_long_word_in_whole_characters(void)
{
	char text[128] = "ask x", wanted[128] = "[\"x";

	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "\xc3\xa4");
	for (int i = 0; i < 29; i++)
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted),
			"\xc3\xa4");
	snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), " *\"]");
	plan(text);
	CU_ASSERT_TRUE(holds(0, wanted));
	echo_script_finish(&script);
}

static void script_tells_of_tools_todos_and_cost(void)
{
	static const char *const states[] = {"pending", "running", "complete"};

	plan("tool ls -l");
	CU_ASSERT_EQUAL_FATAL(script.count, 5);
	for (size_t i = 0; i < 3; i++) {
		char status[32];

		snprintf(status, sizeof(status), "\"status\":\"%s\"", states[i]);
		CU_ASSERT_TRUE(is(i, ECHO_EVENT, NULL));
		CU_ASSERT_STRING_EQUAL(script.steps[i].type, "tool.call");
		CU_ASSERT_TRUE(holds(i, status));
		CU_ASSERT_TRUE(holds(i, "\"id\":\"c1:echo\""));
	}
	CU_ASSERT_TRUE(holds(2, "\"output\":\"ls -l\""));
	CU_ASSERT_TRUE(is(4, ECHO_WHOLE, "The tool said: ls -l"));
	echo_script_finish(&script);
	plan("todo");
	CU_ASSERT_EQUAL_FATAL(script.count, 4);
	CU_ASSERT_STRING_EQUAL(script.steps[0].type, "todos.updated");
	CU_ASSERT_FALSE(holds(0, "completed"));
	CU_ASSERT_TRUE(holds(1, "completed"));
	echo_script_finish(&script);
	plan("cost");
	CU_ASSERT_EQUAL_FATAL(script.count, 3);
	CU_ASSERT_STRING_EQUAL(script.steps[0].type, "cost.updated");
	CU_ASSERT_EQUAL(cg_json_int(cg_json_object(script.steps[0].payload, "tokens"),
				"input", 0),
		900);
	echo_script_finish(&script);
}

static void script_makes_files_and_lists_them(void)
{
	char path[] = "/tmp/cowgate-echo-XXXXXX";
	const struct agent_file two[] = {
		{.filename = "a.txt", .mime_type = "text/plain", .path = path},
		{.filename = "b", .mime_type = "image/png", .path = "/nonexistent/b"}};
	int fd = mkstemp(path);

	plan("file notes.txt three words here");
	CU_ASSERT_TRUE(is(0, ECHO_FILE, "three words here"));
	CU_ASSERT_STRING_EQUAL(script.steps[0].type, "notes.txt");
	CU_ASSERT_TRUE(is(2, ECHO_WHOLE, "notes.txt has 16 bytes."));
	echo_script_finish(&script);
	CU_ASSERT_EQUAL(write(fd, "12345", 5), 5);
	close(fd);
	files = two;
	file_count = 2;
	plan("fail whatever is said with them"); /* files come first */
	CU_ASSERT_TRUE(is_echo_of("a.txt (text/plain, 5 bytes)\n"
				  "b (image/png, not readable)"));
	echo_script_finish(&script);
	files = NULL;
	file_count = 0;
	unlink(path);
}

UNIT_SUITE(echo_script, UNIT_TEST(script_answers_with_what_it_was_told),
	UNIT_TEST(script_fails_is_slow_and_streams), UNIT_TEST(script_asks),
	UNIT_TEST(script_cuts_a_long_word_in_whole_characters),
	UNIT_TEST(script_tells_of_tools_todos_and_cost),
	UNIT_TEST(script_makes_files_and_lists_them));
