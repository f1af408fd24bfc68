/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent reports of a turn. */
#include "tests/faults/fault_vfs.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <string.h>

static void turn_collects_what_comes_quickly(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	agent_say(&f.turns[0], "m1", "one ");
	agent_say(&f.turns[0], "m1", " two");
	agent_say(&f.turns[0], "m2", "other");
	f.turns[0].sink.bound(
		f.turns[0].arg, "runtime-7"); /* anything else goes after them */
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"session.status prompt.submitted assistant.message assistant.message");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.content"), "other");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.mode"), "append");
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.messages.1.content"), "one  two");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.isGenerating"), "true");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "session.opencodeSessionId"), "runtime-7");
	agent_finish(&f.turns[0], "m1", "one two");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "more", "k2");
	CU_ASSERT_STRING_EQUAL(f.turns[1].runtime_session_id, "runtime-7");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turn_failure_is_told(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=1");
	f.refuse_start = true;
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	CU_ASSERT_STRING_EQUAL(
		json_at(stream.last, "payload.message"), "the agent is out");
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.status"), "errored");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.lastError"), "the agent is out");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.errors.0.message"), "the agent is out");
	/* The next prompt heals it. */
	f.refuse_start = false;
	fixture_prompt(&f, binding, "again", "k2");
	agent_finish(&f.turns[0], "m", "here");
	fixture_settle(&f);
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.status"), "idle");
	fixture_prompt(&f, binding, "thrice", "k3");
	f.turns[1].sink.ended(f.turns[1].arg, AGENT_UNSETTLED, NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	CU_ASSERT_PTR_NOT_NULL(strstr(json_at(stream.last, "payload.message"), "may"));
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turn_that_says_too_much_is_stopped(void)
{
	static char much[300 * 1024];
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;
	struct agent_turn *turn;

	memset(much, 'x', sizeof(much));
	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	turn = &f.turns[0];
	/* While the disk stands still, everything collects. */
	fault_vfs_hold_syncs();
	for (int i = 0; i < 8; i++) {
		turn->sink.append(turn->arg, "m1", much, sizeof(much));
		loop_turn(f.loop);
	}
	CU_ASSERT_TRUE(turn->cancelled);
	turn->sink.ended(turn->arg, AGENT_CANCELLED, NULL);
	fault_vfs_release_syncs();
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	CU_ASSERT_PTR_NOT_NULL(strstr(json_at(stream.last, "payload.message"), "faster"));
	fixture_close(&stream);
	fixture_finish(&f);
}

UNIT_SUITE(turn_report, UNIT_TEST(turn_collects_what_comes_quickly),
	UNIT_TEST(turn_failure_is_told), UNIT_TEST(turn_that_says_too_much_is_stopped));
