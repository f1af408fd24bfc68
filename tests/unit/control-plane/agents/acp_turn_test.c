/* SPDX-License-Identifier: Apache-2.0 */
/* A prompt's way: its session, its end, and what becomes of it when the program goes. */
#include "tests/unit/control-plane/agents/acp_rig.h"

static void a_new_session_is_made_and_kept(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_ready(&rig, ACP_HELLO);
	rig_begin(&rig, &turn, "", "c1", "hello");
	CU_ASSERT_TRUE(
		acp_heard("\"method\":\"session/new\",\"params\":{\"cwd\":\"/work\""));
	child_fake_say(ACP_RESULT(2, "{\"sessionId\":\"S\"}"));
	CU_ASSERT_STRING_EQUAL(turn.bound, "S");
	child_fake_say(ACP_RESULT(3, "{\"stopReason\":\"end_turn\"}"));
	rig_settle(&rig);
	CU_ASSERT_TRUE(rig_told(&turn, "(The agent ended without an answer.)"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	/* It is known from now on. */
	rig_begin(&rig, &turn, "S", "c2", "again");
	CU_ASSERT_TRUE(acp_heard("session/prompt"));
	rig_finish(&rig);
	cg_buffer_finish(&turn.log);
}

static void an_old_session_is_loaded(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_ready(&rig, ACP_HELLO_LOADS);
	rig_begin(&rig, &turn, "old", "c1", "hello");
	CU_ASSERT_TRUE(acp_heard("\"method\":\"session/load\""));
	child_fake_say(ACP_SAYS("old", "said long ago"));
	child_fake_say(ACP_RESULT(2, "{}"));
	CU_ASSERT_TRUE(acp_heard("session/prompt"));
	CU_ASSERT_EQUAL(turn.log.length, 0); /* its past is not said again */
	child_fake_say(ACP_RESULT(3, "{\"stopReason\":\"max_tokens\"}"));
	rig_settle(&rig);
	CU_ASSERT_TRUE(rig_told(&turn, "length limit"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

static void what_is_forgotten_is_told(void)
{
	static const char *const hellos[] = {ACP_HELLO, ACP_HELLO_LOADS};
	struct rig_turn turn;
	struct rig rig;

	for (size_t loads = 0; loads < 2; loads++) {
		acp_begin_ready(&rig, hellos[loads]);
		rig_begin(&rig, &turn, "old", "c1", "hello");
		if (loads)
			child_fake_say("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{"
				       "\"message\":\"no such session\"}}");
		CU_ASSERT_TRUE(acp_heard("session/new"));
		CU_ASSERT_TRUE(rig_told(&turn, "does not remember"));
		rig_finish(&rig);
		cg_buffer_finish(&turn.log);
	}
}

static void expect_failure(const char *answer, const char *why)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_say(answer);
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, why);
	rig_finish(&rig);
}

static void ends_that_are_no_answers(void)
{
	struct rig_turn turn;
	struct rig rig;

	expect_failure("{\"id\":3,\"error\":{\"message\":\"overloaded\"}}",
		"the agent failed: overloaded");
	expect_failure(ACP_RESULT(3, "{\"stopReason\":\"refusal\"}"), "refused to go on");
	expect_failure(
		ACP_RESULT(3, "{\"stopReason\":\"cancelled\"}"), "stopped by itself");
	acp_begin_ready(&rig, ACP_HELLO);
	rig_begin(&rig, &turn, "", "c1", "hello");
	child_fake_say("{\"id\":2,\"error\":{\"message\":\"Authentication required\"}}");
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "cannot begin a session: Authentication required");
	rig_begin(&rig, &turn, "", "c2", "hello");
	child_fake_say(ACP_RESULT(3, "{\"sessionId\":\" \"}"));
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "it gave no session");
	rig_finish(&rig);
}

static void a_turn_waits_for_the_program_but_not_for_ever(void)
{
	struct rig_turn turn, other;
	struct rig rig;

	acp_begin(&rig);
	rig_begin(&rig, &turn, "", "c1", "hello");
	rig_pass(&rig, ACP_OPEN_MS - 1);
	CU_ASSERT_FALSE(turn.ended);
	rig_pass(&rig, 1);
	RIG_ENDED(&turn, AGENT_FAILED, "the agent is not there: it is starting");
	/* Its session, too, has its time. */
	rig_begin(&rig, &other, "", "c2", "hello");
	child_fake_start();
	child_fake_say(ACP_HELLO);
	CU_ASSERT_TRUE(acp_heard("session/new"));
	rig_pass(&rig, ACP_OPEN_MS);
	RIG_ENDED(&other, AGENT_FAILED, "did not open a session in time");
	rig_finish(&rig);
}

static void a_turn_has_its_time(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	rig_pass(&rig, ACP_TURN_MS);
	CU_ASSERT_TRUE(acp_heard("session/cancel"));
	RIG_ENDED(&turn, AGENT_FAILED, "took too long");
	rig_finish(&rig);
}

/* In each stage, and with what the program says to it. */
static void it_can_be_stopped(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin(&rig); /* nobody is there */
	rig_begin(&rig, &turn, "", "c1", "hello");
	agent_acp.cancel(rig.agent, turn.turn);
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	rig_finish(&rig);

	acp_begin_ready(&rig, ACP_HELLO); /* no session yet */
	rig_begin(&rig, &turn, "", "c1", "hello");
	agent_acp.cancel(rig.agent, turn.turn);
	child_fake_say(ACP_RESULT(2, "{\"sessionId\":\"S\"}"));
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	CU_ASSERT_FALSE(acp_heard("session/prompt"));
	rig_finish(&rig);

	acp_begin_prompted(&rig, &turn);
	agent_acp.cancel(rig.agent, turn.turn);
	agent_acp.cancel(rig.agent, turn.turn);
	CU_ASSERT_FALSE(turn.ended);
	child_fake_say(ACP_RESULT(3, "{\"stopReason\":\"cancelled\"}"));
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	rig_finish(&rig);
}

static void nothing_said_is_asked_once_more(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_die("signal 9 ended it");
	rig_settle(&rig);
	CU_ASSERT_FALSE(turn.ended);
	child_fake_start();
	child_fake_say(ACP_RESULT(4, "{\"protocolVersion\":1,\"agentCapabilities\":{"
				     "\"loadSession\":true}}"));
	CU_ASSERT_TRUE(acp_heard("\"id\":5,\"method\":\"session/load\""));
	child_fake_say(ACP_RESULT(5, "{}"));
	CU_ASSERT_TRUE(acp_heard("session/prompt"));
	child_fake_die("signal 9 ended it");
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "stopped in the middle: signal 9 ended it");
	rig_finish(&rig);
}

static void what_was_said_or_done_is_not_asked_again(void)
{
	static const char *const updates[] = {
		ACP_SAYS("S", "half"),
		ACP_UPDATE("S", "{\"sessionUpdate\":\"tool_call\",\"toolCallId\":\"t\","
				"\"status\":\"in_progress\"}"),
		ACP_UPDATE("S", "{\"sessionUpdate\":\"tool_call\",\"toolCallId\":\"t\","
				"\"status\":\"completed\"}"),
	};
	struct rig_turn turn;
	struct rig rig;

	for (size_t i = 0; i < 3; i++) {
		acp_begin_prompted(&rig, &turn);
		child_fake_say(updates[i]);
		child_fake_die("gone");
		rig_settle(&rig);
		if (i == 0)
			RIG_ENDED(&turn, AGENT_FAILED, "stopped in the middle");
		else
			RIG_ENDED(&turn, AGENT_UNSETTLED, "");
		rig_finish(&rig);
	}
}

/* Of what a session has cost in all, a turn reports its own part. */
static void costs_are_of_one_turn(void)
{
	struct rig_turn turn;
	struct rig rig;

	acp_begin_prompted(&rig, &turn);
	child_fake_say(ACP_UPDATE("S", "{\"sessionUpdate\":\"usage_update\",\"cost\":{"
				       "\"amount\":0.5,\"currency\":\"USD\"}}"));
	child_fake_say(ACP_RESULT(3, "{\"stopReason\":\"end_turn\"}"));
	rig_settle(&rig);
	CU_ASSERT_TRUE(rig_told(&turn, "\"cost\":0.5"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_begin(&rig, &turn, "S", "c2", "more");
	child_fake_say(ACP_UPDATE("S", "{\"sessionUpdate\":\"usage_update\",\"cost\":{"
				       "\"amount\":0.75,\"currency\":\"USD\"}}"));
	child_fake_say(ACP_RESULT(4, "{\"stopReason\":\"end_turn\"}"));
	rig_settle(&rig);
	CU_ASSERT_TRUE(rig_told(&turn, "\"cost\":0.25"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

UNIT_SUITE(acp_turn, UNIT_TEST(a_new_session_is_made_and_kept),
	UNIT_TEST(an_old_session_is_loaded), UNIT_TEST(what_is_forgotten_is_told),
	UNIT_TEST(ends_that_are_no_answers),
	UNIT_TEST(a_turn_waits_for_the_program_but_not_for_ever),
	UNIT_TEST(a_turn_has_its_time), UNIT_TEST(it_can_be_stopped),
	UNIT_TEST(nothing_said_is_asked_once_more),
	UNIT_TEST(what_was_said_or_done_is_not_asked_again),
	UNIT_TEST(costs_are_of_one_turn));
