/* SPDX-License-Identifier: Apache-2.0 */
/* What the last process left is repeated, picked up, or told as lost. */
#include "control-plane/turn.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void turn_that_may_be_repeated_is_repeated(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	f.repeatable = true;
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "before", "k0");
	agent_finish(&f.turns[0], "m0", "yes");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "hello", "k1");
	for (unsigned attempt = 2; attempt <= COMMAND_ATTEMPTS; attempt++) {
		agent_say(&f.turns[attempt - 1], "m1", "half an ans");
		fixture_restart(&f);
		CU_ASSERT_EQUAL_FATAL(f.turn_count, attempt + 1);
		CU_ASSERT_EQUAL(f.turns[attempt].attempt, attempt);
	}
	CU_ASSERT_STRING_EQUAL(f.turns[3].text, "hello");
	CU_ASSERT_STRING_EQUAL(f.turns[3].command_id, f.turns[1].command_id);
	CU_ASSERT_STRING_EQUAL(f.turns[3].history, "u:before|a:yes|");
	CU_ASSERT_PTR_NOT_NULL(strstr(f.notices, "turn.recovered"));
	/* The prompt is in the log once. */
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	CU_ASSERT_PTR_NULL(
		strstr(strstr(strstr(fixture_types(&stream), "prompt.submitted") + 1,
			       "prompt.submitted") +
				1,
			"prompt.submitted"));
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turn_is_given_up_after_some_attempts(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	f.repeatable = true;
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "poison", "k1");
	for (int i = 0; i < COMMAND_ATTEMPTS; i++)
		fixture_restart(&f);
	CU_ASSERT_EQUAL(f.turn_count, COMMAND_ATTEMPTS);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turn_that_may_not_be_repeated_is_told_as_lost(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "delete everything", "k1");
	fixture_prompt(&f, binding, "next", "k2");
	CU_ASSERT_EQUAL(f.turn_count, 1);
	fixture_crash(&f);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture_types(&stream), "runtime.error"));
	CU_ASSERT_PTR_NOT_NULL(strstr(f.notices, "turn.lost"));
	/* What waited behind it runs. */
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].text, "next");
	/* And a repeat of the hand-over is told that it had failed. */
	fixture_prompt(&f, binding, "delete everything", "k1");
	CU_ASSERT_EQUAL(f.status, 409);
	fixture_close(&stream);
	fixture_finish(&f);
}

/* A turn of the last process that its agent can pick up goes on as if nothing were. */
static void turn_is_picked_up_where_it_is(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "work", "k1");
	f.turns[0].sink.bound(f.turns[0].arg, "runtime-7");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "next", "k2");
	f.settles = CG_OK;
	fixture_crash(&f);
	CU_ASSERT_PTR_NOT_NULL(strstr(f.notices, "turn.resumed"));
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_TRUE(f.turns[1].settled);
	CU_ASSERT_EQUAL(f.turns[1].attempt, 1);
	CU_ASSERT_STRING_EQUAL(f.turns[1].runtime_session_id, "runtime-7");
	CU_ASSERT_STRING_EQUAL(f.turns[1].command_id, f.turns[0].command_id);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=3");
	agent_finish(&f.turns[1], "m1", "done");
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"assistant.message session.idle session.status prompt.submitted");
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 3);
	CU_ASSERT_STRING_EQUAL(f.turns[2].text, "next");
	CU_ASSERT_FALSE(f.turns[2].settled);
	fixture_prompt(&f, binding, "work", "k1");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.status"), "acked");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turn_of_unknown_fate_is_repeated_or_lost(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "work", "k1");
	f.settles = CG_OK;
	f.repeatable = true;
	fixture_crash(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	agent_say(&f.turns[1], "m1", "half a wor");
	f.turns[1].sink.ended(f.turns[1].arg, AGENT_UNSETTLED, NULL);
	fixture_settle(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 3);
	CU_ASSERT_FALSE(f.turns[2].settled);
	CU_ASSERT_EQUAL(f.turns[2].attempt, 2);
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), 1);
	/* And when a repeat might do harm, the person is told. */
	f.repeatable = false;
	fixture_crash(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 4);
	f.turns[3].sink.ended(f.turns[3].arg, AGENT_UNSETTLED, NULL);
	fixture_settle(&f);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.message"), TURN_LOST_TEXT);
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), 0);
	fixture_prompt(&f, binding, "work", "k1");
	CU_ASSERT_EQUAL(f.status, 409);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void accepted_prompts_survive_a_loss_of_power(void)
{
	struct fixture f;
	const char *binding;
	char key[16], chat[16];

	fixture_start_faulty(&f);
	for (int i = 0; i < 40; i++) { /* more than run at once */
		snprintf(chat, sizeof(chat), "c%d", i);
		binding = fixture_bind(&f, chat);
		snprintf(key, sizeof(key), "k%d", i);
		fixture_prompt(&f, binding, key, key);
		CU_ASSERT_EQUAL(f.status, 202);
	}
	CU_ASSERT_EQUAL(f.turn_count, TURN_RUNNING);
	f.turn_count = 0;
	f.repeatable = true;
	fixture_crash(&f);
	CU_ASSERT_EQUAL(f.turn_count, TURN_RUNNING);
	for (size_t i = 0; i < 40; i++) {
		CU_ASSERT_TRUE(f.turns[i].live);
		agent_finish(&f.turns[i], "m", "done");
		fixture_settle(&f);
	}
	CU_ASSERT_EQUAL(f.turn_count, 40);
	fixture_finish(&f);
}

UNIT_SUITE(recovery, UNIT_TEST(turn_that_may_be_repeated_is_repeated),
	UNIT_TEST(turn_is_given_up_after_some_attempts),
	UNIT_TEST(turn_that_may_not_be_repeated_is_told_as_lost),
	UNIT_TEST(turn_is_picked_up_where_it_is),
	UNIT_TEST(turn_of_unknown_fate_is_repeated_or_lost),
	UNIT_TEST(accepted_prompts_survive_a_loss_of_power));
