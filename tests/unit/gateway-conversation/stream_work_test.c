/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/stream_inside.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

static struct stream *stream_of(struct talk *talk)
{
	return stream_find(talk->conversation, "bind-1");
}

static void fire(struct loop_timer *timer)
{
	CU_ASSERT(loop_timer_pending(timer));
	loop_timer_clear(timer);
	timer->fire(timer->arg);
}

static bool tool(struct talk *talk, int64_t sequence, const char *id, const char *command)
{
	char json[256];

	snprintf(json, sizeof(json),
		"{\"id\":\"%s\",\"name\":\"bash\",\"status\":\"running\",\"input\":"
		"{\"command\":\"%s\"}}",
		id, command);
	return talk_event(talk, sequence, "tool.call", json);
}

/* The receipt of the only message so far. */
static void receive(struct talk *talk)
{
	yard_await(&talk->yard, 1);
	yard_receipt(&talk->yard, 0, "900");
	TALK_UNTIL(talk, delivery_in_flight(talk->yard.delivery) == 0);
}

static void tools_are_one_line_that_becomes_the_answer(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	CU_ASSERT(tool(&talk, 1, "call_1", "ls"));
	receive(&talk);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].text, "⚙ bash: ls");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].id, "sess-1:call_1:work");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0);
	/* Its end and its updates say nothing new. */
	talk_event(&talk, 2, "tool.call", "{\"id\":\"call_1\",\"status\":\"complete\"}");
	tool(&talk, 3, "call_1", "ls");
	talk.yard.rig.now_ms += 1000;
	tool(&talk, 4, "call_2", "rm x");
	yard_await(&talk.yard, 2);
	CU_ASSERT_EQUAL(talk.yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].text, "⚙ bash: rm x (step 2)");
	yard_receipt(&talk.yard, 1, NULL);
	talk_says(&talk, 5, "m1", "done");
	talk_event(&talk, 6, "session.idle", NULL);
	talk_await_credit(&talk);
	yard_await(&talk.yard, 3);
	CU_ASSERT_EQUAL(talk.yard.sends[2].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].edited, "900");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].text, "done");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].id, "sess-1:m1");
	talk_finish(&talk);
}

static void todos_are_part_of_the_line(void)
{
	static const char two[] =
		"{\"todos\":[{\"content\":\"read\",\"status\":\"completed\"},"
		"{\"content\":\"write\",\"status\":\"in_progress\"}]}";
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_event(&talk, 1, "todos.updated", "{\"todos\":[]}");
	CU_ASSERT_STRING_EQUAL(stream_of(&talk)->work.key, "");
	talk_event(&talk, 2, "todos.updated", two);
	receive(&talk);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].text, "⚙ write · 1 of 2 done");
	talk.yard.rig.now_ms += 1000;
	tool(&talk, 3, "call_1", "ls");
	yard_await(&talk.yard, 2);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].text, "⚙ bash: ls · 1 of 2 done");
	yard_receipt(&talk.yard, 1, NULL);
	talk_says(&talk, 4, "m1", "done");
	talk_event(&talk, 5, "session.idle", NULL);
	talk_await_credit(&talk);
	yard_await(&talk.yard, 3);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].text, "done");
	talk_finish(&talk);
}

static void without_an_answer_the_line_says_what_was_done(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	tool(&talk, 1, "call_1", "ls");
	receive(&talk);
	talk_event(&talk, 2, "session.idle", NULL);
	talk_await_credit(&talk);
	yard_await(&talk.yard, 2);
	CU_ASSERT_EQUAL(talk.yard.sends[1].kind, CG_OUTBOUND_EDIT);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].text, "✓ bash: ls");
	talk_finish(&talk);
}

static void a_channel_that_cannot_edit_gets_no_line(void)
{
	struct talk talk;

	talk_init(&talk);
	talk.yard.capabilities.edit = false;
	talk_converse(&talk);
	tool(&talk, 1, "call_1", "ls");
	talk_says(&talk, 2, "m1", "done");
	talk_event(&talk, 3, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_STRING_EQUAL(talk_said(&talk), "done");
	talk_finish(&talk);
}

static void a_silent_turn_says_that_it_works(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	tool(&talk, 1, "call_1", "make");
	receive(&talk);
	talk.yard.rig.now_ms += 180000;
	fire(&stream_of(&talk)->silence);
	yard_await(&talk.yard, 2);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[1].text, "⚙ bash: make (3 min)");
	yard_receipt(&talk.yard, 1, NULL);
	talk.yard.rig.now_ms += 180000;
	fire(&stream_of(&talk)->silence);
	yard_await(&talk.yard, 3);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[2].text, "⚙ bash: make (6 min)");
	yard_receipt(&talk.yard, 2, NULL);
	talk_event(&talk, 2, "session.idle", NULL);
	CU_ASSERT_FALSE(loop_timer_pending(&stream_of(&talk)->silence));
	talk_await_credit(&talk);
	talk_finish(&talk);
}

/* A model that falls silent in the middle of its first words shows them all the same. */
static void an_open_text_gets_its_slot_by_time(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	talk_says(&talk, 1, "m1", "Let me think");
	fire(&stream_of(&talk)->slow);
	yard_await(&talk.yard, 1);
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].text, "Let me think");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].id, "sess-1:m1:slot");
	CU_ASSERT_EQUAL(talk_cursor(&talk), 0);
	yard_receipt(&talk.yard, 0, "900");
	talk_says(&talk, 2, "m1", ".");
	talk_event(&talk, 3, "session.idle", NULL);
	talk_await_credit(&talk);
	CU_ASSERT_FALSE(loop_timer_pending(&stream_of(&talk)->slow));
	talk_finish(&talk);
}

static void a_line_is_made_again_after_a_restart(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	tool(&talk, 1, "call_1", "ls");
	receive(&talk);
	talk_restart(&talk);
	talk_reconnect(&talk);
	tool(&talk, 1, "call_1", "ls");
	talk_says(&talk, 2, "m1", "done");
	talk_event(&talk, 3, "session.idle", NULL);
	talk_await_credit(&talk);
	yard_await(&talk.yard, 1);
	/* The line of before becomes the answer. */
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].edited, "900");
	CU_ASSERT_STRING_EQUAL(talk.yard.sends[0].text, "done");
	talk_finish(&talk);
}

UNIT_SUITE(stream_work, UNIT_TEST(tools_are_one_line_that_becomes_the_answer),
	UNIT_TEST(todos_are_part_of_the_line),
	UNIT_TEST(without_an_answer_the_line_says_what_was_done),
	UNIT_TEST(a_channel_that_cannot_edit_gets_no_line),
	UNIT_TEST(a_silent_turn_says_that_it_works),
	UNIT_TEST(an_open_text_gets_its_slot_by_time),
	UNIT_TEST(a_line_is_made_again_after_a_restart));
