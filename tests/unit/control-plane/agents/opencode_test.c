/* SPDX-License-Identifier: Apache-2.0 */
/* The backend: what it says of itself, and how many turns it takes. */
#include "tests/unit/control-plane/agents/opencode_rig.h"

static void it_says_whether_it_is_there(void)
{
	struct cg_error err;
	struct rig rig;

	opencode_begin(&rig);
	CU_ASSERT_EQUAL(agent_opencode.health(rig.agent, &err), CG_NETWORK);
	CU_ASSERT_STRING_EQUAL(err.text, "the server of OpenCode is starting");
	opencode_server_fake_up();
	CU_ASSERT_EQUAL(agent_opencode.health(rig.agent, NULL), CG_OK);
	opencode_server_fake_down();
	CU_ASSERT_EQUAL(agent_opencode.health(rig.agent, &err), CG_NETWORK);
	CU_ASSERT_STRING_EQUAL(err.text, "it went away");
	/* A prompt has an id of its own, so a repeat does no harm. */
	CU_ASSERT_TRUE(agent_opencode.repeatable(rig.agent, NULL));
	CU_ASSERT_TRUE(agent_opencode.remembers && agent_opencode.has_agents);
	rig_finish(&rig);
}

static void turns_are_bounded(void)
{
	const struct agent_prompt prompt = {.session_id = "s",
		.runtime_session_id = "",
		.command_id = "c",
		.text = ""};
	struct rig_turn turns[OPENCODE_TURNS];
	struct agent_turn *more;
	struct cg_error err;
	struct rig rig;

	opencode_begin(&rig);
	for (size_t i = 0; i < OPENCODE_TURNS; i++)
		rig_begin(&rig, &turns[i], "", "c", "hi");
	CU_ASSERT_EQUAL(agent_opencode.start(rig.agent, &prompt, NULL, NULL, &more, &err),
		CG_LIMIT);
	CU_ASSERT_STRING_EQUAL(err.text, "too many turns under way");
	agent_opencode.cancel(rig.agent, turns[0].turn);
	rig_settle(&rig);
	RIG_ENDED(&turns[0], AGENT_CANCELLED, "stopped");
	rig_begin(&rig, &turns[0], "", "c", "hi"); /* there is a place again */
	rig_finish(&rig); /* they end without a call */
	for (size_t i = 0; i < OPENCODE_TURNS; i++)
		CU_ASSERT_FALSE(turns[i].ended);
}

UNIT_SUITE(
	opencode, UNIT_TEST(it_says_whether_it_is_there), UNIT_TEST(turns_are_bounded));
