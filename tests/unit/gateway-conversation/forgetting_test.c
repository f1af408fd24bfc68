/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/forgetting.h"

#include "gateway/conversation/stream.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

#define FORGET "/sessions/forget"

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
}

static void begin(struct talk *talk, const char *event_id, const char *args)
{
	talk_command(talk, event_id, "forget", args);
	talk_admit(talk);
}

static void end(struct talk *talk, int64_t closed, const char *said)
{
	const char *all;

	talk_answer(talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_await_closed(talk, closed);
	all = talk_said(talk);
	CU_ASSERT_FATAL(strlen(all) >= strlen(said));
	CU_ASSERT_STRING_EQUAL(all + strlen(all) - strlen(said), said);
}

static void only_the_word_yes_confirms(void)
{
	static const char *const args[] = {"", "now", "yes please", "yesterday", "y"};
	struct talk talk;

	talk_init(&talk);
	talk.conversation->can_forget = true;
	for (int64_t i = 0; i < 5; i++) {
		char id[8];

		snprintf(id, sizeof(id), "e%lld", (long long)i);
		begin(&talk, id, args[i]);
		end(&talk, i + 1, words_text(WORDS_FORGET_ASK));
	}
	talk.conversation->can_forget = false;
	begin(&talk, "e9", NULL);
	end(&talk, 6, words_text(WORDS_FORGET_ASK_HERE));
	talk_finish(&talk);
}

static void it_is_forgotten_there_and_here(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.conversation->can_forget = true;
	remember(&talk, 1);
	begin(&talk, "e1", " Yes ");
	talk_answer(&talk, "/bind-0/abort", 200, "{\"aborted\":true}");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_expect(&talk, FORGET);
	CU_ASSERT_STRING_EQUAL(
		cg_json_text(
			cg_json_array(talk.current->body, "externalThreadIds"), NULL),
		"[\"chat~1\",\"chat\"]");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(talk.current->body, "externalUserId", ""), "user");
	cloud_fake_answer(talk.current, 429, NULL); /* the agent is being stopped */
	talk_retry(&talk);
	talk_answer(&talk, FORGET, 200, "{\"forgotten\":1,\"agentKeeps\":false}");
	end(&talk, 1, words_text(WORDS_FORGOTTEN));
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM cursor"), 1);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT generation FROM cursor WHERE"
					  " binding_id = 'bind-1'"),
		2);
	talk_finish(&talk);
}

static void an_agent_with_a_memory_is_named(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.conversation->can_forget = true;
	begin(&talk, "e1", "yes");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	talk_answer(&talk, FORGET, 200, "{\"forgotten\":1,\"agentKeeps\":true}");
	end(&talk, 1, words_text(WORDS_FORGOTTEN_BUT_AGENT));
	talk_finish(&talk);
}

/* A Cloud that cannot forget: here it is deleted, and that is what is said. */
static void what_the_other_side_keeps_is_said(void)
{
	struct talk talk;

	talk_init(&talk);
	remember(&talk, 0);
	begin(&talk, "e1", "yes");
	talk_answer(&talk, "/bind-0/abort", 200, "{\"aborted\":false}");
	talk_answer(&talk, TALK_BIND, 200, TALK_BOUND);
	end(&talk, 1, words_text(WORDS_FORGOTTEN_HERE));
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM cursor"), 1);
	talk_finish(&talk);
}

/* What was said before it reaches the agent before it, and is forgotten with the rest. */
static void it_waits_its_turn(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.conversation->can_forget = true;
	talk_hear(&talk, "e1", "chat", "said before");
	talk_until_prompt(&talk);
	talk_command(&talk, "e2", "forget", "yes");
	talk_expect_nothing(&talk);
	cloud_fake_answer(talk.current, 202, TALK_PROMPTED);
	talk_answer(&talk, TALK_COMPLETE, 200, TALK_COMPLETED);
	talk_admit(&talk);
	talk_answer(&talk, "/bind-1/abort", 200, "{\"aborted\":true}");
	talk_answer(&talk, TALK_BIND, 200,
		"{\"binding\":{\"agentId\":\"agent-1\",\"bindingId\":\"bind-2\","
		"\"sessionId\":\"sess-2\",\"lastEventSequence\":0},"
		"\"session\":{\"session\":{\"sessionId\":\"sess-2\"}}}");
	talk_answer(&talk, FORGET, 200, "{\"forgotten\":1,\"agentKeeps\":false}");
	end(&talk, 2, words_text(WORDS_FORGOTTEN));
	CU_ASSERT_PTR_NULL(stream_find(talk.conversation, "bind-1"));
	CU_ASSERT_EQUAL(talk_count(&talk,
				"SELECT count(*) FROM inbox WHERE text = 'said before'"),
		0);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM inbox"), 2);
	talk_finish(&talk);
}

UNIT_SUITE(forgetting, UNIT_TEST(only_the_word_yes_confirms),
	UNIT_TEST(it_is_forgotten_there_and_here),
	UNIT_TEST(an_agent_with_a_memory_is_named),
	UNIT_TEST(what_the_other_side_keeps_is_said), UNIT_TEST(it_waits_its_turn));
