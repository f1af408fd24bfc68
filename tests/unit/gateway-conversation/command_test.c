/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/command.h"

#include "tests/unit/gateway-conversation/conversation_rig.h"

#define STANDING(cost) \
	"{\"session\":{\"sessionId\":\"sess-0\",\"status\":\"idle\"},\"projection\":" \
	"{\"sequence\":1,\"view\":{\"sessionCost\":" cost "}}}"

/* Claim, identity; then what the command does; then the end. */
static void begin(
	struct talk *talk, const char *event_id, const char *name, const char *args)
{
	talk_command(talk, event_id, name, args);
	talk_admit(talk);
}

static void end(struct talk *talk, int64_t closed, const char *said)
{
	const char *all;
	size_t length = strlen(said);

	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, closed);
	all = talk_said(talk);
	/* What was said last. */
	CU_ASSERT_FATAL(strlen(all) >= length);
	CU_ASSERT_STRING_EQUAL(all + strlen(all) - length, said);
	CU_ASSERT_EQUAL(talk->facts[CONVERSATION_PROMPTED], 0);
}

static void command_is_one_of_ours(void)
{
	static char ours[][8] = {
		"help", "start", "new", "stop", "status", "approve", "deny"};
	static char theirs[][8] = {"", "helper", "NEW", "model"};
	struct inbox_message message = {.type = CG_EVENT_COMMAND};

	for (size_t i = 0; i < 7; i++) {
		message.command = ours[i];
		message.type = CG_EVENT_COMMAND;
		CU_ASSERT_PTR_NOT_NULL(chat_command_find(&message));
		message.type = CG_EVENT_MESSAGE;
		CU_ASSERT_PTR_NULL(chat_command_find(&message));
	}
	message.type = CG_EVENT_COMMAND;
	for (size_t i = 0; i < 4; i++) {
		message.command = theirs[i];
		CU_ASSERT_PTR_NULL(chat_command_find(&message));
	}
	message.command = NULL;
	CU_ASSERT_PTR_NULL(chat_command_find(&message));
}

static void command_of_the_agent_is_a_prompt(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_command(&talk, "e1", "model", "big");
	talk_until_prompt(&talk);
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_COMMAND], 0);
	talk_finish(&talk);
}

static void command_help(void)
{
	struct talk talk;

	talk_init(&talk);
	begin(&talk, "e1", "help", "");
	end(&talk, 1, words_text(WORDS_HELP));
	begin(&talk, "e2", "start", "");
	end(&talk, 2, words_text(WORDS_HELP));
	CU_ASSERT_EQUAL(talk.facts[CONVERSATION_COMMAND], 2);
	talk_finish(&talk);
}

static void command_is_not_for_strangers(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_command(&talk, "e1", "approve", "K7M2");
	talk_answer(&talk, TALK_CLAIM, 200, TALK_CLAIMED);
	talk_answer(&talk, TALK_IDENTITY, 200,
		"{\"identity\":{\"identityId\":\"x\",\"role\":\"viewer\","
		"\"status\":\"pending\"}}");
	end(&talk, 1, "");
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "");
	talk_finish(&talk);
}

/* A session of the chat, as an earlier run left it. */
static void remember(struct talk *talk, unsigned generation)
{
	const struct cursor cursor = {.binding_id = "bind-0",
		.session_id = "sess-0",
		.instance = "telegram",
		.chat_id = "chat",
		.user_id = "user",
		.epoch = "e1",
		.generation = generation,
		.active_ms = RIG_NOW};

	cursor_store(talk->yard.rig.journal, &cursor, rig_done, &talk->yard.rig);
	rig_await(&talk->yard.rig);
	CU_ASSERT_EQUAL(talk->yard.rig.status, CG_OK);
}

static void command_stop(void)
{
	static const struct {
		int status;
		const char *json;
		enum words words;
	} answers[] = {
		{200, "{\"aborted\":true}", WORDS_STOPPED},
		{200, "{\"aborted\":false}", WORDS_NOTHING_TO_STOP},
		{404, NULL, WORDS_NOTHING_TO_STOP},
	};
	struct talk talk;

	talk_init(&talk);
	begin(&talk, "e0", "stop", "");
	end(&talk, 1, words_text(WORDS_NOTHING_TO_STOP)); /* no session yet */
	remember(&talk, 0);
	for (int i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "e%d", i + 1);
		begin(&talk, id, "stop", "");
		talk_answer(&talk, "/bind-0/abort", 503, NULL);
		talk_retry(&talk);
		talk_answer(&talk, "/bind-0/abort", answers[i].status, answers[i].json);
		end(&talk, i + 2, words_text(answers[i].words));
	}
	talk.conversation->can_abort = false;
	begin(&talk, "e9", "stop", "");
	end(&talk, 5, words_text(WORDS_CANNOT_STOP));
	talk_finish(&talk);
}

static void command_status(void)
{
	struct talk talk;

	talk_init(&talk);
	begin(&talk, "e0", "status", "");
	end(&talk, 1, words_text(WORDS_NO_SESSION));
	remember(&talk, 0);
	begin(&talk, "e1", "status", "");
	talk_answer(&talk, "/sessions/bind-0/snapshot", 503, NULL);
	talk_retry(&talk);
	talk_answer(&talk, "/sessions/bind-0/snapshot", 200, STANDING("0"));
	talk_answer(&talk, "/sessions/bind-0", 503, NULL);
	talk_retry(&talk);
	talk_answer(&talk, "/sessions/bind-0", 200, "{\"busy\":false,\"queued\":0}");
	end(&talk, 2, words_text(WORDS_IDLE));
	begin(&talk, "e2", "status", "");
	talk_answer(&talk, "/sessions/bind-0/snapshot", 200, STANDING("0.25"));
	talk_answer(&talk, "/sessions/bind-0", 200,
		"{\"busy\":true,\"queued\":2,\"agent\":\"build\",\"model\":\"big-1\"}");
	end(&talk, 3,
		"The agent is working.\nAgent: build\nModel: big-1\nWaiting: 2\n"
		"Cost so far: $0.2500");
	begin(&talk, "e3", "status", "");
	talk_answer(&talk, "/sessions/bind-0/snapshot", 404, NULL);
	end(&talk, 4, words_text(WORDS_NO_SESSION));
	talk_finish(&talk);
}

/* A Cloud that tells no status has a projection all the same. */
static void command_status_of_a_plain_cloud(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.extensions = NULL;
	talk_open(&talk);
	talk_start(&talk);
	remember(&talk, 0);
	begin(&talk, "e1", "status", "");
	talk_answer(&talk, "/sessions/bind-0/snapshot", 200, STANDING("1.5"));
	end(&talk, 1, "The agent is idle.\nCost so far: $1.5000");
	begin(&talk, "e2", "agent", "");
	end(&talk, 2, words_text(WORDS_NO_AGENTS));
	talk_finish(&talk);
}

static void command_agent(void)
{
	struct talk talk;

	talk_prepare(&talk, NULL);
	talk.extensions =
		"{\"extensions\":[\"session.status\",\"agents\"],\"epoch\":\"e1\"}";
	talk_open(&talk);
	talk_start(&talk);
	begin(&talk, "e1", "agent", "");
	talk_answer(&talk, "/agents", 200,
		"{\"agents\":[{\"name\":\"echo\",\"backend\":\"echo\"},"
		"{\"name\":\"clever\",\"backend\":\"openai\",\"model\":\"big\"}]}");
	end(&talk, 1, "choose one by /agent NAME:\n- echo\n- clever, by openai, big");
	begin(&talk, "e2", "agent", "clever please");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_expect(&talk, "/sessions/bind-1/agent");
	CU_ASSERT_STRING_EQUAL(cg_json_string(talk.current->body, "agent"), "clever");
	cloud_fake_answer(
		talk.current, 200, "{\"agent\":\"clever\",\"backend\":\"openai\"}");
	end(&talk, 2, "From now on answers: clever.");
	begin(&talk, "e3", "agent", "nobody");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_answer(&talk, "/sessions/bind-1/agent", 404,
		"{\"error\":\"There is no agent called "
		"nobody.\",\"code\":\"agents.unknown\"}");
	end(&talk, 3, "There is no agent called nobody.");
	talk_finish(&talk);
}

static void command_new_begins_the_next_generation(void)
{
	struct talk talk;

	talk_init(&talk);
	remember(&talk, 0);
	begin(&talk, "e1", "new", "");
	/* What still runs would speak into the new conversation. */
	talk_expect(&talk, "/bind-0/abort");
	cloud_fake_answer(talk.current, 200, "{\"aborted\":true}");
	talk_expect(&talk, TALK_BIND);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalThreadId", ""), "chat~1");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalChatId", ""), "chat");
	cloud_fake_answer(talk.current, 503, NULL);
	talk_retry(&talk); /* the same generation, not one more */
	talk_expect(&talk, TALK_BIND);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalThreadId", ""), "chat~1");
	cloud_fake_answer(talk.current, 200, TALK_BOUND);
	end(&talk, 1, words_text(WORDS_NEW));
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT generation FROM cursor WHERE"
					  " binding_id = 'bind-1' AND open = 0"),
		1);
	/* From here on messages go there, and answers come back to the chat itself. */
	talk_hear(&talk, "e2", "chat", "text");
	talk_admit(&talk);
	talk_expect(&talk, TALK_BIND);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalThreadId", ""), "chat~1");
	cloud_fake_answer(talk.current, 200, TALK_BOUND);
	talk_answer(&talk, TALK_PROMPT, 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(&talk, 2);
	cloud_fake_open(talk.stream);
	talk_says(&talk, 1, "m1", "answer");
	talk_event(&talk, 2, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM outbox WHERE source ="
					  " 'answer' AND chat_id = 'chat' AND thread_id"
					  " IS NULL"),
		1);
	talk_finish(&talk);
}

static void command_new_needs_no_session_before_it(void)
{
	struct talk talk;

	talk_init(&talk);
	begin(&talk, "e1", "new", "");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	end(&talk, 1, words_text(WORDS_NEW));
	talk_finish(&talk);
}

static void command_approve_and_deny(void)
{
	static const char *const verbs[] = {"approve", "deny"};
	static const enum words words[] = {WORDS_APPROVED, WORDS_DENIED};

	for (int i = 0; i < 2; i++) {
		struct talk talk;
		char path[32];

		talk_init(&talk);
		snprintf(path, sizeof(path), "/%s", verbs[i]);
		begin(&talk, "e1", verbs[i], " ");
		end(&talk, 1, words_text(WORDS_NOTHING_ASKED));
		begin(&talk, "e2", verbs[i], " K7M2 please");
		talk_answer(&talk, path, 503, NULL);
		talk_retry(&talk);
		talk_expect(&talk, path);
		CU_ASSERT_STRING_EQUAL(
			cg_json_string_or(talk.current->body, "code", ""), "K7M2");
		CU_ASSERT_STRING_EQUAL(
			cg_json_string_or(talk.current->body, "externalUserId", ""),
			"user"); /* who says so */
		cloud_fake_answer(talk.current, 200,
			"{\"person\":{\"identityId\":\"p\",\"role\":\"member\","
			"\"status\":\"active\"}}");
		end(&talk, 2, words_text(words[i]));
		begin(&talk, "e2b", verbs[i], "K7M2");
		talk_expect(&talk, path);
		talk.cloud.refuse = CG_LIMIT; /* too many calls are under way */
		cloud_fake_answer(talk.current, 503, NULL);
		talk_retry(&talk);
		talk_retry(&talk);
		talk_answer(&talk, path, 404, NULL);
		end(&talk, 3, words_text(WORDS_CODE_UNKNOWN));
		begin(&talk, "e3", verbs[i], "NOPE");
		talk_answer(&talk, path, 404, NULL);
		end(&talk, 4, words_text(WORDS_CODE_UNKNOWN));
		talk_finish(&talk);
	}
}

UNIT_SUITE(command, UNIT_TEST(command_is_one_of_ours),
	UNIT_TEST(command_of_the_agent_is_a_prompt), UNIT_TEST(command_help),
	UNIT_TEST(command_is_not_for_strangers), UNIT_TEST(command_stop),
	UNIT_TEST(command_status), UNIT_TEST(command_status_of_a_plain_cloud),
	UNIT_TEST(command_agent), UNIT_TEST(command_new_begins_the_next_generation),
	UNIT_TEST(command_new_needs_no_session_before_it),
	UNIT_TEST(command_approve_and_deny));
