/* SPDX-License-Identifier: Apache-2.0 */
/* What people see of a turn while it runs, and what they are asked. */
#include "tests/unit/control-plane/agents/acp_rig.h"

#include <stdlib.h>

#define TOOL(status) \
	ACP_UPDATE("S", \
		"{\"sessionUpdate\":\"tool_call\",\"toolCallId\":\"t1\",\"title\":" \
		"\"rm x\",\"status\":\"" status "\"}")

static void a_message_grows_until_something_comes_between(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_say(ACP_SAYS("S", "one "));
	child_fake_say(ACP_SAYS("S", "two"));
	child_fake_say(TOOL("in_progress"));
	child_fake_say(ACP_SAYS("S", "three"));
	CU_ASSERT_TRUE(rig_told(&turn, "replace c1:answer:1 one \n"
				       "append c1:answer:1 two\n"
				       "event tool.call "));
	CU_ASSERT_TRUE(rig_told(&turn, "replace c1:answer:2 three\n"));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void messages_that_have_names_keep_apart(void)
{
	static const char *const updates[] = {
		ACP_UPDATE("S",
			"{\"sessionUpdate\":\"agent_message_chunk\",\"messageId\":"
			"\"a\",\"content\":{\"type\":\"text\",\"text\":\"1\"}}"),
		ACP_UPDATE("S",
			"{\"sessionUpdate\":\"agent_message_chunk\",\"messageId\":"
			"\"a\",\"content\":{\"type\":\"text\",\"text\":\"2\"}}"),
		ACP_UPDATE("S",
			"{\"sessionUpdate\":\"agent_message_chunk\",\"messageId\":"
			"\"b\",\"content\":{\"type\":\"text\",\"text\":\"3\"}}"),
	};
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	for (size_t i = 0; i < 3; i++)
		child_fake_say(updates[i]);
	CU_ASSERT_TRUE(rig_told(&turn, "replace c1:answer:1 1\n"
				       "append c1:answer:1 2\n"
				       "replace c1:answer:2 3\n"));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void thoughts_are_shown_on_demand(void)
{
	static const char thought[] =
		ACP_UPDATE("S", "{\"sessionUpdate\":\"agent_thought_chunk\",\"content\":{"
				"\"type\":\"text\","
				"\"text\":\"hmm\"}}");
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_say(thought);
	CU_ASSERT_FALSE(rig_told(&turn, "hmm"));
	rig.options.show_thoughts = true; /* borrowed for the backend's life */
	child_fake_say(thought);
	CU_ASSERT_TRUE(rig_told(&turn, "hmm"));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void more_than_can_be_shown_ends_the_turn(void)
{
	static const char head[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{"
		"\"sessionId\":\"S\",\"update\":{\"sessionUpdate\":\"agent_message_"
		"chunk\","
		"\"content\":{\"type\":\"text\",\"text\":\"";
	static const char tail[] = "\"}}}}";
	size_t length = ACP_TEXT;
	char *line = malloc(sizeof(head) + length + sizeof(tail));
	struct rig_turn turn;
	struct rig rig;

	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	memcpy(line, head, sizeof(head) - 1);
	memset(line + sizeof(head) - 1, 'x', length);
	memcpy(line + sizeof(head) - 1 + length, tail, sizeof(tail));
	acp_begin_prompted(&rig, &turn);
	child_fake_say(line); /* exactly as much as there may be */
	CU_ASSERT_FALSE(turn.ended);
	child_fake_say(ACP_SAYS("S", "y"));
	CU_ASSERT_TRUE(acp_heard("session/cancel"));
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "said more than can be shown");
	rig_finish(&rig);
	free(line);
}

static void a_permission_is_answered_by_kind(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_say(ACP_WANTS("S", "x-1", "t1"));
	CU_ASSERT_TRUE(rig_told(&turn, "event permission.requested "));
	CU_ASSERT_TRUE(rig_told(&turn, "\"permissionId\":\"c1:permission:1\""));
	CU_ASSERT_EQUAL(agent_acp.permission(
				rig.agent, turn.turn, "c1:permission:9", "once", NULL),
		CG_NOT_FOUND);
	CU_ASSERT_EQUAL(agent_acp.permission(
				rig.agent, turn.turn, "c1:permission:1", "once", NULL),
		CG_OK);
	CU_ASSERT_TRUE(acp_heard("\"id\":\"x-1\",\"result\":{\"outcome\":{\"outcome\":"
				 "\"selected\",\"optionId\":\"o\"}}"));
	CU_ASSERT_EQUAL(agent_acp.permission(
				rig.agent, turn.turn, "c1:permission:1", "once", NULL),
		CG_NOT_FOUND); /* the first answer counts */
	child_fake_say(ACP_WANTS("S", "x-2", "t2"));
	CU_ASSERT_EQUAL(agent_acp.permission(
				rig.agent, turn.turn, "c1:permission:2", "reject", "no"),
		CG_OK);
	CU_ASSERT_TRUE(acp_heard("\"optionId\":\"r\""));
	/* Leave for ever is not what was given. */
	child_fake_say(
		"{\"id\":\"x-3\",\"method\":\"session/request_permission\",\"params\":{"
		"\"sessionId\":\"S\",\"options\":[{\"optionId\":\"a\",\"kind\":"
		"\"allow_always\"}]}}");
	CU_ASSERT_EQUAL(agent_acp.permission(
				rig.agent, turn.turn, "c1:permission:3", "once", NULL),
		CG_UNSUPPORTED);
	CU_ASSERT_TRUE(acp_heard("\"cancelled\""));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void too_many_questions_are_refused(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	for (int i = 0; i < ACP_ASKS; i++)
		child_fake_say(ACP_WANTS("S", "x", "t"));
	CU_ASSERT_FALSE(acp_heard("cancelled"));
	child_fake_say(ACP_WANTS("S", "last", "t"));
	CU_ASSERT_TRUE(acp_heard("\"id\":\"last\",\"result\":{\"outcome\":{\"outcome\":"
				 "\"cancelled\"}}"));
	/* A stop answers them all: the program waits for nobody. */
	agent_acp.cancel(rig.agent, turn.turn);
	CU_ASSERT_TRUE(acp_heard("\"id\":\"x\",\"result\":{\"outcome\":{\"outcome\":"
				 "\"cancelled\"}}"));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

/* What waits for leave has done nothing, although the program says that it runs. */
static void a_tool_that_waits_has_not_acted(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_say(TOOL("in_progress"));
	child_fake_say(ACP_WANTS("S", "x-1", "t1"));
	child_fake_die("gone");
	rig_settle(&rig);
	CU_ASSERT_FALSE(turn.ended); /* it is asked once more */
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);

	acp_begin_prompted(&rig, &turn);
	child_fake_say(ACP_WANTS("S", "x-1", "t1"));
	CU_ASSERT_EQUAL(agent_acp.permission(
				rig.agent, turn.turn, "c1:permission:1", "once", NULL),
		CG_OK);
	child_fake_die("gone");
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_UNSETTLED, ""); /* it may have begun at once */
	rig_finish(&rig);
}

UNIT_SUITE(acp_show, UNIT_TEST(a_message_grows_until_something_comes_between),
	UNIT_TEST(messages_that_have_names_keep_apart),
	UNIT_TEST(thoughts_are_shown_on_demand),
	UNIT_TEST(more_than_can_be_shown_ends_the_turn),
	UNIT_TEST(a_permission_is_answered_by_kind),
	UNIT_TEST(too_many_questions_are_refused),
	UNIT_TEST(a_tool_that_waits_has_not_acted));
