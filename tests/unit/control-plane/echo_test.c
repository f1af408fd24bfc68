/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/control-plane/agent_rig.h"

#include <stdlib.h>
#include <unistd.h>

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

static void asks_for_leave(void)
{
	setup();
	rig.reply = "once";
	rig_prompt(&rig, "ask rm -r build");
	CU_ASSERT_EQUAL(rig.end, AGENT_COMPLETED);
	CU_ASSERT_STRING_EQUAL(rig_log(&rig),
		"event permission.requested {\"permissionId\":\"c1:echo\",\"id\":"
		"\"c1:echo\",\"tool\":\"bash\",\"title\":\"Run a command\",\"input\":"
		"{\"resources\":[\"rm -r build\"],\"save\":[\"rm *\"],\"command\":"
		"\"rm -r build\"},\"description\":\"rm -r build\"}\n"
		"replace c1:answer allowed once\n");
	rig.reply = "always";
	rig_prompt(&rig, "ask ls");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "allowed always");
	rig.reply = "reject";
	rig_prompt(&rig, "ask ls");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "denied");
	rig.why = "not on a Sunday";
	rig_prompt(&rig, "ask ls");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "denied: not on a Sunday");
	rig_prompt(&rig, "ask");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "ask");
	rig_finish(&rig);
}

/* An answer that nobody waits for is refused, and a waiting turn can be stopped. */
static void waits_only_for_what_it_asked(void)
{
	setup();
	CU_ASSERT_EQUAL(rig_start(&rig, "ask ls"), CG_OK);
	CU_ASSERT_EQUAL(
		agent_echo.permission(rig.agent, rig.turn, "c1:echo", "once", NULL),
		CG_NOT_FOUND);
	for (int i = 0; i < 1000 && rig.events == 0; i++)
		loop_turn(rig.loop);
	CU_ASSERT_EQUAL(rig.events, 1);
	CU_ASSERT_EQUAL(
		agent_echo.permission(rig.agent, rig.turn, "c2:echo", "once", NULL),
		CG_NOT_FOUND);
	agent_echo.cancel(rig.agent, rig.turn);
	rig_wait(&rig);
	CU_ASSERT_EQUAL(rig.end, AGENT_CANCELLED);
	CU_ASSERT_EQUAL(rig.shown, 0);
	rig_finish(&rig);
}

static void asks_questions(void)
{
	setup();
	rig_prompt(&rig, "question Tea?");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "not answered");
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig),
		"{\"requestId\":\"c1:echo\",\"id\":\"c1:echo\",\"questions\":[{"
		"\"header\":"
		"\"Choice\",\"question\":\"Tea?\",\"options\":[{\"label\":\"yes\","
		"\"description\":\"the first\"},"));
	cg_json_parse("[[\"yes\"],[\"red\",\"blue\"]]", 24, &rig.answers, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.answers);
	rig_prompt(&rig, "questions Tea?");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "answer 1: yes\nanswer 2: red, blue");
	cg_json_free(rig.answers);
	rig_finish(&rig);
}

static void shows_tools_todos_and_cost(void)
{
	setup();
	rig_prompt(&rig, "tool make");
	CU_ASSERT_EQUAL(rig.events, 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig),
		"event tool.call {\"id\":\"c1:echo\",\"name\":\"bash\",\"input\":"
		"{\"command\":\"make\"},\"status\":\"pending\"}\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig),
		"event tool.call "
		"{\"id\":\"c1:echo\",\"input\":{},\"status\":\"complete\","
		"\"output\":\"make\"}\n"));
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "The tool said: make");
	rig_prompt(&rig, "todo");
	CU_ASSERT_EQUAL(rig.events, 2);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "Two of three are done.");
	rig_prompt(&rig, "cost");
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_log(&rig),
		"event cost.updated {\"id\":\"c1:echo\",\"cost\":0.0021,\"tokens\":"
		"{\"input\":900,\"output\":40,\"reasoning\":0}}\n"));
	rig_finish(&rig);
}

static void makes_a_file(void)
{
	setup();
	rig_prompt(&rig, "file a.txt two words");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(rig_log(&rig), "artifact c1:echo a.txt text/plain two words\n"));
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "a.txt has 9 bytes.");
	rig_prompt(&rig, "file a.txt");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "file a.txt");
	rig_finish(&rig);
}

static void tells_of_attached_files(void)
{
	char path[] = "/tmp/echo-file-XXXXXX";
	int fd = mkstemp(path);
	const struct agent_file files[] = {
		{"a.bin", "application/octet-stream", path, 5},
		{"b.png", "image/png", "/nonexistent", 1},
	};

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "12345", 5), 5);
	close(fd);
	setup();
	rig.files = files;
	rig.file_count = 2;
	rig_prompt(&rig, "slow 9 look at this");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig),
		"a.bin (application/octet-stream, 5 bytes)\nb.png (image/png, not "
		"readable)");
	rig_finish(&rig);
	unlink(path);
}

static void stream_comes_in_pieces(void)
{
	setup();
	rig_prompt(&rig, "stream 2 **bold** text");
	CU_ASSERT_STRING_EQUAL(
		rig_log(&rig), "replace c1:answer **bold*\nappend c1:answer * text\n");
	rig_prompt(&rig, "stream 1001 x");
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "stream 1001 x");
	rig_finish(&rig);
}

static void slow_can_be_steered(void)
{
	const struct agent_prompt more = {.text = "faster"};

	setup();
	CU_ASSERT_EQUAL(rig_start(&rig, "slow 1"), CG_OK);
	CU_ASSERT_EQUAL(agent_echo.steer(rig.agent, rig.turn, &more), CG_OK);
	CU_ASSERT_EQUAL(agent_echo.steer(rig.agent, rig.turn, &more), CG_OK);
	rig_wait(&rig);
	CU_ASSERT_STRING_EQUAL(rig_text(&rig), "done\nheard: faster\nheard: faster");
	CU_ASSERT_EQUAL(rig_start(&rig, "quick"), CG_OK);
	CU_ASSERT_EQUAL(agent_echo.steer(rig.agent, rig.turn, &more), CG_BUSY);
	rig_wait(&rig);
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
	UNIT_TEST(slow_can_be_stopped), UNIT_TEST(asks_for_leave),
	UNIT_TEST(waits_only_for_what_it_asked), UNIT_TEST(asks_questions),
	UNIT_TEST(shows_tools_todos_and_cost), UNIT_TEST(makes_a_file),
	UNIT_TEST(tells_of_attached_files), UNIT_TEST(stream_comes_in_pieces),
	UNIT_TEST(slow_can_be_steered),
	UNIT_TEST(turns_have_a_cap_and_die_with_the_agent));
