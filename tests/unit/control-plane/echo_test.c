/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/control-plane/agent_rig.h"

static struct agent_rig rig;

static void setup(void)
{
	rig_init(&rig, &agent_echo);
	CU_ASSERT_EQUAL_FATAL(rig_create(&rig, NULL), CG_OK);
}

static void agents_are_found_by_name(void)
{
	CU_ASSERT_PTR_EQUAL(agent_find("echo"), &agent_echo);
	CU_ASSERT_PTR_EQUAL(agent_find("openai"), &agent_openai);
	CU_ASSERT_PTR_NULL(agent_find("Echo"));
	CU_ASSERT_PTR_NULL(agent_find(""));
}

static void text_comes_back_in_pieces(void)
{
	setup();
	rig_prompt(&rig, "one two three");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_STRING_EQUAL(rig_log(&rig),
		"replace c1:answer one \nappend c1:answer two \nappend c1:answer thre\n"
		"append c1:answer e\nreplace c1:answer one two three\n");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "one two three");
	CU_ASSERT_TRUE(agent_echo.repeatable(rig.agent, NULL));
	CU_ASSERT_EQUAL(agent_echo.health(rig.agent, NULL), CG_OK);
	rig_finish(&rig);
}

static void characters_stay_whole(void)
{
	setup();
	rig_prompt(&rig, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
	CU_ASSERT_STRING_EQUAL(rig_log(&rig),
		"replace c1:answer \xf0\x9f\x98\x80\nappend c1:answer \xf0\x9f\x98\x80\n"
		"replace c1:answer \xf0\x9f\x98\x80\xf0\x9f\x98\x80\n");
	rig_finish(&rig);
}

static void fail_fails(void)
{
	setup();
	rig_prompt(&rig, "fail no such luck");
	CU_ASSERT_EQUAL(rig.end, AGENT_FAILED);
	CU_ASSERT_STRING_EQUAL(rig.message, "no such luck");
	CU_ASSERT_EQUAL(rig.shown, 0);
	rig_finish(&rig);
}

static void slow_shows_that_it_lives(void)
{
	setup();
	rig_prompt(&rig, "slow 1 there");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_EQUAL(rig.shown, 6);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "there");
	/* What is no number of seconds is echoed. */
	rig_prompt(&rig, "slow 0 x");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "slow 0 x");
	rig_prompt(&rig, "slow down");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "slow down");
	rig_prompt(&rig, "slow 3601");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "slow 3601");
	rig_finish(&rig);
}

static void slow_can_be_stopped(void)
{
	setup();
	rig.cancel_at = 1; /* from inside the sink */
	rig_prompt(&rig, "slow 3600");
	CU_ASSERT_EQUAL(rig.end, AGENT_CANCELLED);
	CU_ASSERT_EQUAL(rig.shown, 1);
	/* And before anything happened. */
	rig.cancel_at = 0;
	CU_ASSERT_EQUAL(rig_start(&rig, "hello"), CG_OK);
	agent_echo.cancel(rig.agent, rig.turn);
	rig_wait(&rig);
	CU_ASSERT_EQUAL(rig.end, AGENT_CANCELLED);
	CU_ASSERT_EQUAL(rig.shown, 1);
	rig_finish(&rig);
}

static void turns_have_a_cap_and_die_with_the_agent(void)
{
	size_t count = 0;

	setup();
	while (rig_start(&rig, "slow 9") == CG_OK)
		count++;
	CU_ASSERT_EQUAL(count, 1024);
	loop_turn(rig.loop);
	rig_finish(&rig);
	CU_ASSERT_EQUAL(rig.ended, 0);
}

UNIT_SUITE(echo, UNIT_TEST(agents_are_found_by_name),
	UNIT_TEST(text_comes_back_in_pieces), UNIT_TEST(characters_stay_whole),
	UNIT_TEST(fail_fails), UNIT_TEST(slow_shows_that_it_lives),
	UNIT_TEST(slow_can_be_stopped),
	UNIT_TEST(turns_have_a_cap_and_die_with_the_agent));
