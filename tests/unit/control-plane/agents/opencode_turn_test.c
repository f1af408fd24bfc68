/* SPDX-License-Identifier: Apache-2.0 */
/* A prompt's way through OpenCode: its session, its end, its limits. */
#include "tests/unit/control-plane/agents/opencode_rig.h"

static void a_prompt_is_sent_once_and_ends(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig);
	rig_begin(&rig, &turn, "", "c1", "hello\nand more");
	CU_ASSERT_FALSE(opencode_asked("session")); /* nobody is there yet */
	opencode_server_fake_up();
	rig_settle(&rig);
	rig_pass(&rig, OPENCODE_POLL_MS);
	CU_ASSERT_TRUE(opencode_asked("POST /session {\"title\":\"hello\"}"));
	opencode_server_fake_answer("/session", "{\"id\":\"S\"}");
	CU_ASSERT_STRING_EQUAL(turn.bound, "S");
	CU_ASSERT_TRUE(
		opencode_asked("POST /session/S/prompt_async {\"messageID\":\"msg_0"));
	opencode_server_fake_answer("/prompt_async", NULL);
	opencode_model_begins(NEWEST, turn.turn->message_id);
	opencode_model_says("prt_1", "hi");
	opencode_session_is_idle();
	CU_ASSERT_TRUE(opencode_asked("GET /session/S/message?"));
	CU_ASSERT_TRUE(opencode_list(turn.turn->message_id, "stop"));
	rig_settle(&rig);
	CU_ASSERT_TRUE(rig_told(&turn, "replace c1:answer:prt_1 hi\n"));
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

static void an_old_session_is_asked_for_first(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig);
	opencode_server_fake_up();
	rig_begin(&rig, &turn, "S", "c1", "hello");
	CU_ASSERT_TRUE(opencode_asked("GET /session/status"));
	/* It works on something else: that is waited for, but not for ever. */
	opencode_server_fake_answer("/session/status", "{\"S\":{\"type\":\"busy\"}}");
	CU_ASSERT_FALSE(opencode_asked("prompt_async"));
	rig_pass(&rig, OPENCODE_POLL_MS);
	CU_ASSERT_TRUE(opencode_asked("GET /session/status"));
	rig_pass(&rig, OPENCODE_OPEN_MS);
	RIG_ENDED(&turn, AGENT_FAILED, "still busy with something else");
	rig_begin(&rig, &turn, "S", "c2", "hello");
	opencode_server_fake_answer("/session/status", "{}");
	CU_ASSERT_TRUE(opencode_asked("prompt_async"));
	opencode_server_fake_refuse("/prompt_async", CG_INVALID);
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "refused the message: it refused");
	rig_finish(&rig);
}

static void a_session_that_is_gone_is_made_anew(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig);
	opencode_server_fake_up();
	rig_begin(&rig, &turn, "old", "c1", "hello");
	opencode_server_fake_answer("/session/status", "{}");
	opencode_server_fake_refuse("/prompt_async", CG_NOT_FOUND);
	CU_ASSERT_TRUE(rig_told(&turn, "lost this conversation"));
	CU_ASSERT_TRUE(opencode_asked("POST /session {"));
	opencode_server_fake_answer(
		"/session", "{\"id\":\"../S\"}"); /* good for no path */
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "cannot begin a session: it gave none");
	rig_finish(&rig);
}

static void a_server_that_does_not_come_is_given_up(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig);
	rig_begin(&rig, &turn, "", "c1", "hello");
	rig_pass(&rig, OPENCODE_OPEN_MS - 1);
	CU_ASSERT_FALSE(turn.ended);
	rig_pass(&rig, 1);
	RIG_ENDED(&turn, AGENT_FAILED, "the agent is not there: it is starting");
	rig_finish(&rig);
}

static void a_message_that_is_too_long_is_told(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig);
	opencode_server_fake_up();
	opencode_server_fake.full = true;
	rig_begin(&rig, &turn, "", "c1", "hello");
	RIG_ENDED(&turn, AGENT_FAILED, "too long for the agent");
	rig_finish(&rig);
}

static void it_can_be_stopped(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin(&rig); /* before it has begun */
	rig_begin(&rig, &turn, "", "c1", "hello");
	agent_opencode.cancel(rig.agent, turn.turn);
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	rig_finish(&rig);

	opencode_begin_running(&rig, &turn); /* the server says so */
	agent_opencode.cancel(rig.agent, turn.turn);
	CU_ASSERT_TRUE(opencode_asked("POST /session/S/abort"));
	CU_ASSERT_FALSE(turn.ended);
	opencode_session_is_idle();
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	rig_finish(&rig);

	opencode_begin_running(&rig, &turn); /* it says nothing */
	agent_opencode.cancel(rig.agent, turn.turn);
	agent_opencode.cancel(rig.agent, turn.turn);
	rig_pass(&rig, OPENCODE_CANCEL_MS);
	RIG_ENDED(&turn, AGENT_CANCELLED, "stopped");
	rig_finish(&rig);
}

static void a_model_that_fails_has_its_time(void)
{
	static const char retry[] = "{\"sessionID\":\"S\",\"status\":{\"type\":\"retry\","
				    "\"attempt\":%s,\"message\":\"%s\"}}";
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_event_of("session.status", retry, "1", "overloaded");
	CU_ASSERT_TRUE(rig_told(&turn, "the model failed (overloaded); trying again"));
	rig_pass(&rig, OPENCODE_RETRY_MS - 8000);
	opencode_event_of("session.status", retry, "2", "overloaded");
	CU_ASSERT_FALSE(turn.ended);
	/* The next attempt would begin when nobody waits any more. */
	opencode_event_of("session.status", retry, "5", "overloaded");
	CU_ASSERT_TRUE(opencode_asked("/abort"));
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "the model does not answer: overloaded");
	rig_finish(&rig);
}

static void a_turn_has_its_time(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	rig_pass(&rig, OPENCODE_TURN_MS);
	CU_ASSERT_TRUE(opencode_asked("/abort"));
	RIG_ENDED(&turn, AGENT_FAILED, "took too long");
	rig_finish(&rig);
}

UNIT_SUITE(opencode_turn, UNIT_TEST(a_prompt_is_sent_once_and_ends),
	UNIT_TEST(an_old_session_is_asked_for_first),
	UNIT_TEST(a_session_that_is_gone_is_made_anew),
	UNIT_TEST(a_server_that_does_not_come_is_given_up),
	UNIT_TEST(a_message_that_is_too_long_is_told), UNIT_TEST(it_can_be_stopped),
	UNIT_TEST(a_model_that_fails_has_its_time), UNIT_TEST(a_turn_has_its_time));
