/* SPDX-License-Identifier: Apache-2.0 */
/* What has become of a prompt when the stream broke off, or the server went. */
#include "tests/unit/control-plane/agents/opencode_rig.h"

static void a_break_of_the_stream_is_bridged(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_server_fake_down();
	opencode_server_fake_up();
	CU_ASSERT_TRUE(opencode_asked("GET /session/S/message?"));
	opencode_list(turn.turn->message_id, "");
	opencode_server_fake_answer("/session/status", "{\"S\":{\"type\":\"busy\"}}");
	/* It still works: whoever was asked meanwhile is asked. */
	opencode_server_fake_answer("/permission",
		"[{\"id\":\"per_1\",\"sessionID\":\"S\",\"permission\":\"bash\"},"
		"{\"id\":\"per_2\",\"sessionID\":\"T\",\"permission\":\"bash\"}]");
	opencode_server_fake_answer(
		"/question", "[{\"id\":\"que_1\",\"sessionID\":\"S\",\"questions\":[]}]");
	CU_ASSERT_TRUE(rig_told(&turn, "per_1"));
	CU_ASSERT_FALSE(rig_told(&turn, "per_2"));
	CU_ASSERT_TRUE(rig_told(&turn, "que_1"));
	opencode_session_is_idle();
	opencode_list(turn.turn->message_id, "stop");
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

static void an_answer_that_was_cut_off_is_asked_for_once_more(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	for (int i = 0; i < 2; i++) {
		opencode_server_fake_down();
		opencode_server_fake_up();
		opencode_list(turn.turn->message_id, "");
		CU_ASSERT_FALSE(turn.ended);
		cg_buffer_clear(&opencode_server_fake.asked);
		opencode_server_fake_answer("/session/status", "{}");
		CU_ASSERT_EQUAL(opencode_asked("prompt_async"), i == 0);
		opencode_server_fake_answer("/prompt_async", NULL);
	}
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "stopped in the middle of its answer");
	rig_finish(&rig);
}

static void what_may_have_acted_is_not_asked_for_again(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_tool_is("running", "call_1");
	opencode_server_fake_down();
	opencode_server_fake_up();
	opencode_list(turn.turn->message_id, "");
	opencode_server_fake_answer("/session/status", "{}");
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_UNSETTLED, "");
	rig_finish(&rig);
}

static void expect_end(const char *error, enum agent_end end, const char *why)
{
	struct rig_turn turn;
	struct rig rig;
	char list[512];

	opencode_begin_running(&rig, &turn);
	opencode_session_is_idle();
	snprintf(list, sizeof(list),
		"[{\"info\":{\"id\":\"" NEWEST "\",\"role\":\"assistant\",\"parentID\":"
		"\"%s\",\"time\":{\"completed\":1}%s}}]",
		turn.turn->message_id, error);
	opencode_server_fake_answer("/message?", list);
	rig_settle(&rig);
	RIG_ENDED(&turn, end, why);
	rig_finish(&rig);
}

static void the_last_message_says_how_it_ended(void)
{
	expect_end("", AGENT_COMPLETED, "");
	expect_end(",\"error\":{\"name\":\"MessageAbortedError\"}", AGENT_FAILED,
		"the agent was stopped");
	expect_end(
		",\"error\":{\"name\":\"APIError\",\"data\":{\"message\":\"no money\"}}",
		AGENT_FAILED, "the agent failed: no money");
}

static void a_server_that_cannot_tell_is_told_of(void)
{
	struct rig_turn turn;
	struct rig rig;

	opencode_begin_running(&rig, &turn);
	opencode_session_is_idle();
	opencode_server_fake_refuse("/message?", CG_INVALID);
	rig_settle(&rig);
	RIG_ENDED(&turn, AGENT_FAILED, "the server of OpenCode failed: it refused");
	rig_finish(&rig);
}

UNIT_SUITE(opencode_look, UNIT_TEST(a_break_of_the_stream_is_bridged),
	UNIT_TEST(an_answer_that_was_cut_off_is_asked_for_once_more),
	UNIT_TEST(what_may_have_acted_is_not_asked_for_again),
	UNIT_TEST(the_last_message_says_how_it_ended),
	UNIT_TEST(a_server_that_cannot_tell_is_told_of));
