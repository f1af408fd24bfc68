/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/chat_ask.h"

#include "tests/unit/cli/rig.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define INTERACTIONS "POST /api/channels/interactions"

static const struct chat_place place = {
	.word = "chat",
	.provider = "cli",
	.user = "terminal",
	.chat = "room",
	.session = "s-1",
	.binding = "b-1",
};

static const struct rig_answer taken[] = {
	RIG_ANSWER(INTERACTIONS, 201, "{\"plaintextToken\":\"t-1\"}"),
	RIG_ANSWER(INTERACTIONS "/resolve", 200, "{}"), RIG_ANSWERS_END};

static struct json_object *parse(const char *text)
{
	struct json_object *json = NULL;

	if (cg_json_parse(text, strlen(text), &json, NULL) != CG_OK)
		printf("the test is no JSON: %s\n", text);
	return json;
}

/* A script, an argument a step: "view {…}", "TYPE {…}" an event, "refuse", else a line that the
 * person types.  Whether a line was an answer is printed. */
static int play(int argc, char **argv)
{
	static struct chat_asks asks;

	for (int i = 1; i < argc; i++) {
		char *brace = strchr(argv[i], '{');
		struct json_object *json = NULL;

		if (strcmp(argv[i], "refuse") == 0) {
			chat_asks_refuse(&asks, &place);
			continue;
		}
		if (brace == NULL) {
			puts(chat_asks_answer(&asks, &place, argv[i]) ? "[answer]"
								      : "[prompt]");
			continue;
		}
		json = parse(brace);
		brace[-1] = '\0';
		if (strcmp(argv[i], "view") == 0)
			chat_asks_begin(&asks, json);
		else
			chat_asks_event(&asks, argv[i], json);
		cg_json_free(json);
	}
	printf("%zu open\n", asks.count);
	chat_asks_finish(&asks);
	return 0;
}

#define LEAVE \
	"permission.requested {\"permissionId\":\"p-1\",\"tool\":\"bash\"," \
	"\"input\":{\"command\":\"ls\"}}"
#define LEAVE_SHOWN \
	"? The agent asks for leave: ls\n" \
	"  /approve, /always, or /deny and why\n"

static void leave_is_given_with_a_token(void)
{
	static const struct {
		const char *line, *answer;
	} rows[] = {
		{"/approve", "\"response\":\"allow\""},
		{"/always", "\"response\":\"always\""},
		{"/deny  too risky", "\"response\":\"reject\",\"message\":\"too risky\""},
	};
	struct cg_buffer wanted;
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_run(&rig, play, "chat", LEAVE, rows[i].line, NULL);
		CU_ASSERT_TRUE(rig_same(rig.out, LEAVE_SHOWN "[answer]\n0 open\n"));
		cg_buffer_init(&wanted, 4096);
		cg_buffer_format(&wanted,
			INTERACTIONS " {\"sessionId\":\"s-1\",\"sessionBindingId\":"
				     "\"b-1\",\"kind\":\"permission\",\"targetId\":"
				     "\"p-1\"}\n" INTERACTIONS
				     "/resolve {%s,\"token\":\"t-1\",\"provider\":"
				     "\"cli\",\"externalUserId\":\"terminal\","
				     "\"externalChatId\":\"room\","
				     "\"externalThreadId\":\"room\"}\n",
			rows[i].answer);
		CU_ASSERT_TRUE(rig_same(rig.requests, cg_buffer_string(&wanted)));
		cg_buffer_finish(&wanted);
	}
	rig_end(&rig);
}

#define QUESTIONS \
	"question.asked {\"requestId\":\"q-1\",\"questions\":[" \
	"{\"question\":\"Which?\",\"options\":[{\"label\":\"red\"},{\"label\":" \
	"\"blue\"}]},{\"question\":\"And?\",\"multiple\":true,\"options\":[" \
	"{\"label\":\"one\"},{\"label\":\"two\"}]}]}"

static void questions_are_answered_one_by_one(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	rig_run(&rig, play, "chat", QUESTIONS, "2", "1, other ,,3", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out,
		"? Which?\n  1  red\n  2  blue\n"
		"  answer with words or a number, or /reject\n"
		"? And?\n  1  one\n  2  two\n"
		"  answer with words or numbers, commas between, or /reject\n"
		"[answer]\n[answer]\n0 open\n"));
	/* A number beyond the list is words; nothing between commas is nothing. */
	CU_ASSERT_TRUE(rig_has(rig.requests,
		"{\"answers\":[[\"blue\"],[\"one\",\"other\",\"3\"]],\"token\""));
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"kind\":\"question\""));
	/* A comma is a word where one answer is wanted. */
	rig_run(&rig, play, "chat", QUESTIONS, "red, or not", "/reject never mind", NULL);
	CU_ASSERT_TRUE(rig_has(
		rig.requests, "{\"reject\":true,\"message\":\"never mind\",\"token\""));
	CU_ASSERT_TRUE(rig_has(rig.out, "0 open\n"));
	rig_end(&rig);
}

static void only_what_is_waited_for_is_an_answer(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	/* Words of an answer are never prompts; other words are, unless it is a question. */
	rig_run(&rig, play, "chat", "/approve", "hello", "/approved", LEAVE, "hello",
		"/reject", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out,
		"The agent is not waiting for "
		"that.\n[answer]\n[prompt]\n[prompt]\n" LEAVE_SHOWN
		"[prompt]\nThe agent is not waiting for that.\n[answer]\n"
		"1 open\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

static void what_was_asked_first_is_answered_first(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	rig_run(&rig, play, "chat", LEAVE, LEAVE,
		"permission.requested {\"permissionId\":\"p-2\",\"tool\":\"write\"}",
		"permission.resolved {\"permissionId\":\"p-1\"}",
		"permission.resolved {\"permissionId\":\"p-9\"}", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out,
		LEAVE_SHOWN "? The agent asks for leave: write\n"
			    "  /approve, /always, or /deny and why\n1 open\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, "")); /* answered elsewhere */
	rig_end(&rig);
}

static void what_was_open_is_shown_again(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = taken;
	rig_run(&rig, play, "chat",
		"view "
		"{\"pendingApprovals\":[{\"id\":\"p-1\",\"description\":\"Run\\u001b["
		"2J\\nit\"}],"
		"\"pendingQuestions\":[{\"id\":\"q-1\",\"questions\":[{\"question\":"
		"\"Why?\"}]},{\"id\":\"q-2\",\"questions\":[]}]}",
		"refuse", NULL);
	/* An agent does not steer the terminal; a question of nothing is none. */
	CU_ASSERT_TRUE(rig_has(rig.out, "? The agent asks for leave: Run [2J it\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "? Why?\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "0 open\n"));
	CU_ASSERT_TRUE(rig_has(rig.requests, "{\"response\":\"reject\",\"message\":"
					     "\"nobody is left to answer\",\"token\""));
	CU_ASSERT_TRUE(rig_has(rig.requests, "{\"reject\":true,\"message\":"
					     "\"nobody is left to answer\",\"token\""));
	rig_end(&rig);
}

static void an_answer_that_is_refused_is_said(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER(INTERACTIONS, 503, "{\"error\":\"Not now.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig_run(&rig, play, "chat", LEAVE, "/approve", NULL);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate chat: Not now.\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.requests, "/resolve")); /* without a token */
	CU_ASSERT_TRUE(rig_has(rig.out, "0 open\n"));
	rig_end(&rig);
}

static int fill(int argc, char **argv)
{
	static struct chat_asks asks;
	char text[64];

	(void)argc;
	(void)argv;
	for (int i = 0; i < CHAT_ASKS + 1; i++) {
		struct json_object *json;

		snprintf(text, sizeof(text), "{\"permissionId\":\"p-%d\"}", i);
		json = parse(text);
		chat_asks_event(&asks, "permission.requested", json);
		cg_json_free(json);
	}
	printf("%zu, the last %s\n", asks.count, asks.items[asks.count - 1].id);
	chat_asks_finish(&asks);
	printf("%zu\n", asks.count);
	return 0;
}

static void there_is_a_cap(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_run(&rig, fill, "chat", NULL);
	CU_ASSERT_TRUE(rig_has(rig.out, "64, the last p-63\n0\n"));
	rig_end(&rig);
}

UNIT_SUITE(chat_ask, UNIT_TEST(leave_is_given_with_a_token),
	UNIT_TEST(questions_are_answered_one_by_one),
	UNIT_TEST(only_what_is_waited_for_is_an_answer),
	UNIT_TEST(what_was_asked_first_is_answered_first),
	UNIT_TEST(what_was_open_is_shown_again),
	UNIT_TEST(an_answer_that_is_refused_is_said), UNIT_TEST(there_is_a_cap));
