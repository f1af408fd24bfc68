/* SPDX-License-Identifier: Apache-2.0 */
/* Which sessions the program knows, and which of them are still busy. */
#include "tests/unit/control-plane/agents/acp_rig.h"

static void the_oldest_idle_one_is_forgotten(void)
{
	struct acp_session *first, *second;
	struct rig rig;
	char id[16];

	acp_begin_ready(&rig, ACP_HELLO);
	for (int i = 0; i < ACP_SESSIONS; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		CU_ASSERT_PTR_NOT_NULL(acp_session_add(rig.agent, id));
	}
	first = acp_session_find(rig.agent, "s0");
	second = acp_session_find(rig.agent, "s1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	CU_ASSERT_PTR_NOT_NULL_FATAL(second);
	first->turn = (struct agent_turn *)(void *)&rig; /* somebody works in it */
	CU_ASSERT_PTR_NOT_NULL(acp_session_add(rig.agent, "one more"));
	CU_ASSERT_PTR_EQUAL(acp_session_find(rig.agent, "s0"), first);
	CU_ASSERT_PTR_NULL(acp_session_find(rig.agent, "s1"));
	first->turn = NULL;
	rig_finish(&rig);
}

static void busy_ones_are_never_forgotten(void)
{
	struct acp_session *session;
	struct rig rig;
	char id[16];

	acp_begin_ready(&rig, ACP_HELLO);
	for (int i = 0; i < ACP_SESSIONS; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		session = acp_session_add(rig.agent, id);
		session->turn = (struct agent_turn *)(void *)&rig;
	}
	CU_ASSERT_PTR_NULL(acp_session_add(rig.agent, "one more"));
	for (int i = 0; i < ACP_SESSIONS; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		acp_session_find(rig.agent, id)->turn = NULL;
	}
	CU_ASSERT_PTR_NOT_NULL(acp_session_add(rig.agent, "one more"));
	acp_sessions_clear(rig.agent);
	CU_ASSERT_PTR_NULL(acp_session_find(rig.agent, "one more"));
	rig_finish(&rig);
}

/* What was stopped holds its session until the program has said the last word on it. */
static void a_fence_holds_the_next_turn(void)
{
	struct rig_turn stopped, next;
	struct rig rig;

	acp_begin_prompted(&rig, &stopped);
	agent_acp.cancel(rig.agent, stopped.turn);
	CU_ASSERT_TRUE(acp_heard("\"method\":\"session/cancel\""));
	rig_pass(&rig, ACP_CANCEL_MS);
	RIG_ENDED(&stopped, AGENT_CANCELLED, "");
	rig_begin(&rig, &next, "S", "c2", "and now");
	CU_ASSERT_FALSE(acp_heard("session/prompt"));
	child_fake_say(ACP_SAYS("S", "still at the old one"));
	child_fake_say(ACP_RESULT(3, "{\"stopReason\":\"cancelled\"}"));
	CU_ASSERT_TRUE(acp_heard("and now"));
	CU_ASSERT_FALSE(rig_told(&next, "the old one"));
	child_fake_say(ACP_RESULT(4, "{\"stopReason\":\"end_turn\"}"));
	rig_settle(&rig);
	RIG_ENDED(&next, AGENT_COMPLETED, "");
	rig_finish(&rig);
}

static void a_program_that_heeds_no_stop_is_ended(void)
{
	struct rig_turn stopped;
	struct rig rig;

	acp_begin_prompted(&rig, &stopped);
	agent_acp.cancel(rig.agent, stopped.turn);
	rig_pass(&rig, ACP_CANCEL_MS);
	RIG_ENDED(&stopped, AGENT_CANCELLED, "");
	rig_pass(&rig, ACP_STUCK_MS - 1);
	CU_ASSERT_EQUAL(child_fake.restarts, 0);
	rig_pass(&rig, 1);
	CU_ASSERT_EQUAL(child_fake.restarts, 1);
	rig_finish(&rig);
}

/* … but not while it works for somebody else. */
static void it_is_not_ended_at_the_cost_of_others(void)
{
	struct rig_turn stopped, other;
	struct rig rig;

	acp_begin_prompted(&rig, &stopped);
	rig_begin(&rig, &other, "", "c2", "hi");
	child_fake_say(ACP_RESULT(4, "{\"sessionId\":\"T\"}"));
	agent_acp.cancel(rig.agent, stopped.turn);
	rig_pass(&rig, ACP_CANCEL_MS);
	RIG_ENDED(&stopped, AGENT_CANCELLED, "");
	rig_pass(&rig, 3 * ACP_STUCK_MS);
	CU_ASSERT_EQUAL(child_fake.restarts, 0);
	child_fake_say(ACP_RESULT(5, "{\"stopReason\":\"end_turn\"}"));
	rig_settle(&rig);
	RIG_ENDED(&other, AGENT_COMPLETED, "");
	rig_pass(&rig, ACP_STUCK_MS);
	CU_ASSERT_EQUAL(child_fake.restarts, 1);
	rig_finish(&rig);
}

UNIT_SUITE(acp_session, UNIT_TEST(the_oldest_idle_one_is_forgotten),
	UNIT_TEST(busy_ones_are_never_forgotten), UNIT_TEST(a_fence_holds_the_next_turn),
	UNIT_TEST(a_program_that_heeds_no_stop_is_ended),
	UNIT_TEST(it_is_not_ended_at_the_cost_of_others));
