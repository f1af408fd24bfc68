/* SPDX-License-Identifier: Apache-2.0 */
/* The last steps of an errand; that they come in order, are repeated and refused, errand_test.c
 * shows. */
#include "tests/unit/gateway-conversation/conversation_rig.h"

static const char *sent(const struct talk *talk, const char *key)
{
	return cg_json_string_or(talk->current->body, key, "(none)");
}

/* The chat has had a session before. */
static void remember(struct talk *talk, const char *epoch)
{
	const struct cursor cursor = {.binding_id = "bind-1",
		.session_id = "sess-1",
		.instance = "telegram",
		.chat_id = "chat",
		.user_id = "user",
		.generation = 2,
		.epoch = epoch,
		.sequence = 41,
		.active_ms = RIG_NOW};

	cursor_store(talk->yard.rig.journal, &cursor, rig_done, &talk->yard.rig);
	rig_await(&talk->yard.rig);
	CU_ASSERT_EQUAL_FATAL(talk->yard.rig.status, CG_OK);
}

static void threads_have_an_id_in_each_generation(void)
{
	char chat[] = "chat", thread[] = "topic", ret[16];
	struct inbox_message message = {.chat_id = chat};

	errand_thread_id(&message, 0, ret, sizeof(ret));
	CU_ASSERT_STRING_EQUAL(ret, "chat");
	errand_thread_id(&message, 3, ret, sizeof(ret));
	CU_ASSERT_STRING_EQUAL(ret, "chat~3");
	message.thread_id = thread;
	errand_thread_id(&message, 0, ret, sizeof(ret));
	CU_ASSERT_STRING_EQUAL(ret, "topic");
	errand_thread_id(&message, 12, ret, sizeof(ret));
	CU_ASSERT_STRING_EQUAL(ret, "topic~12");
	errand_thread_id(&message, 12, ret, 4);
	CU_ASSERT_STRING_EQUAL(ret, "top");
}

static void handover_goes_on_with_the_session_of_the_chat(void)
{
	struct talk talk;

	talk_init(&talk);
	remember(&talk, "e1");
	talk_hear(&talk, "e1", "chat", "and now?");
	talk_admit(&talk);
	talk_expect(&talk, TALK_BIND);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "externalThreadId"), "chat~2");
	/* What was rendered here counts, not what the other side has heard of it. */
	cloud_fake_answer(talk.current, 200,
		"{\"binding\":{\"bindingId\":\"bind-1\",\"sessionId\":\"sess-1\","
		"\"lastEventSequence\":7},\"session\":{\"session\":{\"sessionId\":\"sess-"
		"1\"}}}");
	talk_expect(&talk, TALK_PROMPT);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "bindingId"), "bind-1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(talk.stream);
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=41");
	talk_finish(&talk);
}

/* Another binding than the one that is known: there is nothing to go by but the mirror. */
static void handover_takes_the_mirror_s_word_for_a_new_binding(void)
{
	struct talk talk;

	talk_init(&talk);
	remember(&talk, "e1");
	talk_hear(&talk, "e1", "chat", "and now?");
	talk_admit(&talk);
	talk_answer(&talk, TALK_BIND, 200,
		"{\"binding\":{\"bindingId\":\"bind-9\",\"sessionId\":\"sess-9\","
		"\"agentId\":\"agent-9\",\"lastEventSequence\":7},"
		"\"session\":{\"session\":{\"sessionId\":\"sess-9\"}}}");
	talk_expect(&talk, TALK_PROMPT);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "bindingId"), "bind-9");
	CU_ASSERT_PTR_NOT_NULL_FATAL(talk.stream);
	CU_ASSERT_PTR_NOT_NULL(strstr(talk.stream->path, "/bind-9/events"));
	CU_ASSERT_STRING_EQUAL(talk.stream->query, "after=7");
	/* Remembered before the prompt was made, as expecting an answer. */
	CU_ASSERT_EQUAL(talk_count(&talk,
				"SELECT count(*) FROM cursor WHERE binding_id = 'bind-9'"
				" AND session_id = 'sess-9' AND agent_id = 'agent-9'"
				" AND generation = 2 AND open = 1"),
		1);
	talk_finish(&talk);
}

/* What is remembered already is not stored once more for each message. */
static void handover_remembers_once(void)
{
	struct talk talk;
	int64_t active;

	talk_init(&talk);
	talk_converse(&talk);
	active = talk_count(&talk, "SELECT active_ms FROM cursor");
	CU_ASSERT(active > 0);
	talk.yard.rig.now_ms += 5000;
	talk_hear(&talk, "e2", "chat", "more");
	talk_until_prompt(&talk);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "text"), "more");
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT active_ms FROM cursor"), active);
	talk_finish(&talk);
}

/* A session's title is the beginning of its first message, in whole characters. */
static void handover_gives_a_title(void)
{
	char text[400] = "", title[400] = "";
	struct talk talk;

	for (int i = 0; i < 100; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "\xc3\xa4");
		if (i < 80)
			snprintf(title + strlen(title), sizeof(title) - strlen(title),
				"\xc3\xa4");
	}
	talk_init(&talk);
	talk_hear(&talk, "e1", "chat", text);
	talk_admit(&talk);
	talk_expect(&talk, TALK_BIND);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "title"), title);
	cloud_fake_answer(talk.current, 200, TALK_BOUND);
	talk_expect(&talk, TALK_PROMPT);
	CU_ASSERT_STRING_EQUAL(sent(&talk, "text"), text);
	talk_finish(&talk);
}

/* Whose sessions they are is not known before the probe: nobody else's cursor is used. */
static void handover_waits_for_the_probe(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.conversation->probed = false;
	talk_hear(&talk, "e1", "chat", "hello");
	talk_admit(&talk);
	talk_expect_nothing(&talk);
	talk.conversation->probed = true;
	talk_retry(&talk);
	talk_expect(&talk, TALK_BIND);
	talk_finish(&talk);
}

UNIT_SUITE(handover, UNIT_TEST(threads_have_an_id_in_each_generation),
	UNIT_TEST(handover_goes_on_with_the_session_of_the_chat),
	UNIT_TEST(handover_takes_the_mirror_s_word_for_a_new_binding),
	UNIT_TEST(handover_remembers_once), UNIT_TEST(handover_gives_a_title),
	UNIT_TEST(handover_waits_for_the_probe));
