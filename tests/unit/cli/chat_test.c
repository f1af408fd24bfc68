/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/daemon.h"
#include "tests/unit/cli/rig.h"

#include <stdlib.h>
#include <string.h>

#define RESOLVE "POST /api/channels/identities/resolve"
#define BIND "POST /api/channels/sessions/bind"
#define PROMPT "POST /api/channels/sessions/prompt"
#define EVENTS "GET /api/channels/sessions/b%2F1/events?after=7"
#define BOUND \
	"{\"binding\":{\"bindingId\":\"b/1\"},\"session\":{\"session\":{\"sessionId\":" \
	"\"s-1\"},\"projection\":{\"sequence\":7,\"view\":{}}}}"
#define BEGINNING RIG_ANSWER(RESOLVE, 200, "{}"), RIG_ANSWER(BIND, 200, BOUND)

#define EVENT(type, payload) \
	"event: " type "\ndata: {\"sequence\":8,\"payload\":" payload "}\n\n"
#define TEXT(id, mode, text) \
	EVENT("assistant.message", "{\"messageId\":\"" id "\",\"mode\":\"" mode \
				   "\",\"content\":\"" text "\"}")
#define IDLE EVENT("session.idle", "{}")

/* A prompt, its answer as it grows, and the end of the input. */
static void an_answer_is_shown_as_it_grows(void)
{
	static const struct rig_answer answers[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM, .types = "Hello?\n"},
		{.request = PROMPT,
			.status = 202,
			.body = "{}",
			.says = TEXT("m-1", "replace", "Good") TEXT(
				"m-1", "replace", "Good day") TEXT("m-1", "append", "!")
				TEXT("m-2", "replace", "More") IDLE,
			.types = ""},
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig.typing = true;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "Good day!\nMore\n"));
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	CU_ASSERT_TRUE(rig_has(rig.requests, RESOLVE
		" {\"provider\":\"" DAEMON_CHAT "\",\"channelBindingId\":\"" DAEMON_CHAT
		"\",\"externalUserId\":\"terminal\"}\n" BIND
		" {\"provider\":\"" DAEMON_CHAT "\",\"channelBindingId\":\"" DAEMON_CHAT
		"\",\"externalUserId\":\"terminal\",\"externalChatId\":\"terminal\","
		"\"externalThreadId\":\"terminal\",\"title\":\"Terminal\"}\n" EVENTS
		"\n" PROMPT
		" {\"bindingId\":\"b/1\",\"text\":\"Hello?\",\"idempotencyKey\":\""));
	rig_end(&rig);
}

static void a_session_has_a_name_and_lines_have_words(void)
{
	static const struct rig_answer answers[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM, .types = " \n/quit\nnever\n"},
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig.typing = true;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_chat, "chat", "--session", "work", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"externalChatId\":\"work\""));
	CU_ASSERT_PTR_NULL(strstr(rig.requests, PROMPT)); /* blank, quit, and after it */
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

/* The last line may lack its end, and its answer is waited for. */
static void the_last_line_is_a_prompt_too(void)
{
	static const struct rig_answer answers[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM, .types = ""},
		{.request = PROMPT,
			.status = 202,
			.body = "{}",
			.says = TEXT("m-1", "replace", "Late") IDLE},
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig.typing = true;
	rig.input = "One last thing";
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"text\":\"One last thing\""));
	CU_ASSERT_TRUE(rig_same(rig.out, "Late\n"));
	rig_end(&rig);
}

/* stdin may be a file. */
static void a_file_is_said_line_by_line(void)
{
	static const struct rig_answer answers[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM},
		{.request = PROMPT,
			.status = 202,
			.body = "{}",
			.says = TEXT("m-1", "replace", "Yes.") IDLE},
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig.input = "Will you?\n";
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"text\":\"Will you?\""));
	CU_ASSERT_TRUE(rig_same(rig.out, "Yes.\n"));
	rig_end(&rig);
}

static void what_goes_wrong_is_shown(void)
{
	static const struct rig_answer refused[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM, .types = "Hello?\n"},
		{.request = PROMPT,
			.status = 429,
			.body = "{\"error\":\"Slowly.\"}",
			.types = ""},
		RIG_ANSWERS_END};
	static const struct rig_answer failed[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM, .types = "Hello?\n"},
		{.request = PROMPT,
			.status = 202,
			.body = "{}",
			.says = TEXT("m-1", "replace", "I") "data: no JSON\n\n" EVENT(
				"runtime.error", "{\"message\":\"It broke.\"}"),
			.types = ""},
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.typing = true;
	rig.answers = refused;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate chat: Slowly.\n"));
	rig.answers = failed;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "I\n⚠ It broke.\n"));
	rig_end(&rig);
}

static void a_gateway_that_goes_ends_it(void)
{
	static const struct rig_answer gone[] = {
		BEGINNING, RIG_ANSWER(EVENTS, RIG_HANG_UP, NULL), RIG_ANSWERS_END};
	static const struct rig_answer refused[] = {
		RIG_ANSWER(RESOLVE, 403, "{\"error\":\"No.\"}"), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.typing = true;
	rig.answers = gone;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate chat: the gateway has gone\n"));
	rig.answers = refused;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate chat: No.\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.requests, BIND));
	rig.gateway = RIG_ABSENT;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate chat: no gateway runs here ("));
	rig_end(&rig);
}

/* Nobody who has gone leaves the agent waiting. */
static void an_end_of_the_input_refuses_what_is_asked(void)
{
	static const struct rig_answer answers[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM, .types = "Do it\n"},
		{.request = PROMPT,
			.status = 202,
			.body = "{}",
			.says = EVENT("permission.requested",
				"{\"permissionId\":\"p-1\",\"tool\":\"bash\"}"),
			.types = ""},
		RIG_ANSWER("POST /api/channels/interactions", 201,
			"{\"plaintextToken\":\"t\"}"),
		{.request = "POST /api/channels/interactions/resolve",
			.status = 200,
			.body = "{}",
			.says = IDLE},
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.typing = true;
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "? The agent asks for leave: bash\n"));
	CU_ASSERT_TRUE(rig_has(rig.requests, "{\"response\":\"reject\",\"message\":"
					     "\"nobody is left to answer\""));
	rig_end(&rig);
}

static void it_takes_a_session(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", "--session", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.err,
		"cowgate chat: it takes --session NAME and nothing else\n"
		"usage: cowgate chat [--session NAME]\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", "hello", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

#define LINE_MAX_BYTES ((size_t)(64u << 10))

/* One that is too long is not sent in part, neither its beginning nor its end. */
static void a_line_has_a_cap(void)
{
	static const struct rig_answer answers[] = {BEGINNING,
		{.request = EVENTS, .status = RIG_STREAM},
		{.request = PROMPT, .status = 202, .body = "{}", .says = IDLE},
		RIG_ANSWERS_END};
	static const char rest[] = "\nshort\n/quit\n";
	char *line = malloc(3 * LINE_MAX_BYTES);
	struct rig rig;

	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	rig_begin(&rig);
	rig.answers = answers;
	rig.input = line;
	memset(line, 'x', 2 * LINE_MAX_BYTES);
	memcpy(line + 2 * LINE_MAX_BYTES, rest, sizeof(rest));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate chat: that line is too long\n"));
	CU_ASSERT_TRUE(rig_has(rig.requests, "\"text\":\"short\""));
	CU_ASSERT_PTR_NULL(strstr(rig.requests, "xxxx"));
	/* At the cap it is whole. */
	line[LINE_MAX_BYTES] = '\0';
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.requests, line));
	line[LINE_MAX_BYTES] = 'x';
	line[LINE_MAX_BYTES + 1] = '\0';
	CU_ASSERT_EQUAL(rig_run(&rig, cli_chat, "chat", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate chat: that line is too long\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.requests, PROMPT));
	rig_end(&rig);
	free(line);
}

UNIT_SUITE(chat, UNIT_TEST(an_answer_is_shown_as_it_grows),
	UNIT_TEST(a_session_has_a_name_and_lines_have_words),
	UNIT_TEST(the_last_line_is_a_prompt_too), UNIT_TEST(a_file_is_said_line_by_line),
	UNIT_TEST(what_goes_wrong_is_shown), UNIT_TEST(a_gateway_that_goes_ends_it),
	UNIT_TEST(an_end_of_the_input_refuses_what_is_asked),
	UNIT_TEST(it_takes_a_session), UNIT_TEST(a_line_has_a_cap));
