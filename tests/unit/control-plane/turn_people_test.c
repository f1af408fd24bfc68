/* SPDX-License-Identifier: Apache-2.0 */
/* What a running turn hears from people. */
#include "control-plane/turn.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void turn_can_be_stopped(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_call(&f, "POST", fixture_path(binding, "/abort"), NULL);
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "aborted"), "false");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	fixture_prompt(&f, binding, "next", "k2");
	fixture_call(&f, "POST", fixture_path(binding, "/abort"), "{\"queued\":true}");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "aborted"), "true");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "dropped"), "1");
	CU_ASSERT_TRUE(f.turns[0].cancelled);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_CANCELLED, NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "session.aborted");
	CU_ASSERT_EQUAL(f.turn_count, 1);
	fixture_prompt(&f, binding, "third", "k3");
	CU_ASSERT_EQUAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].text, "third");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void a_message_steers_the_running_turn(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	f.channels[0].mode = PLANE_STEER;
	f.steers = true;
	fixture_restart(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "hello", "k1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=3");
	fixture_prompt(&f, binding, "faster", "k2");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(f.turns[0].steered, "faster");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "prompt.submitted");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.text"), "faster");
	/* Where it cannot be taken it waits. */
	f.steers = false;
	fixture_prompt(&f, binding, "later", "k3");
	CU_ASSERT_STRING_EQUAL(f.turns[0].steered, "faster");
	agent_end(&f, &f.turns[0]);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].text, "later");
	/* A repeat of what was taken in is no new prompt. */
	fixture_prompt(&f, binding, "faster", "k2");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.status"), "acked");
	CU_ASSERT_EQUAL(f.turn_count, 2);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void prompt_in_mode(
	struct fixture *f, const char *binding, const char *text, const char *mode)
{
	char body[512];

	snprintf(body, sizeof(body),
		"{\"bindingId\":\"%s\",\"externalUserId\":\"1\",\"text\":\"%s\","
		"\"mode\":\"%s\"}",
		binding, text, mode);
	fixture_call(f, "POST", "/api/channels/sessions/prompt", body);
}

static void a_message_interrupts_the_running_turn(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "hello", "k1");
	prompt_in_mode(&f, binding, "no, this", "interrupt");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_TRUE(f.turns[0].cancelled);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_CANCELLED, NULL);
	fixture_settle(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 2);
	CU_ASSERT_STRING_EQUAL(f.turns[1].text, "no, this");
	prompt_in_mode(&f, binding, "x", "sideways");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_prompt(&f, binding, "and this", "k4"); /* the default: it waits */
	CU_ASSERT_FALSE(f.turns[1].cancelled);
	CU_ASSERT_EQUAL(f.turn_count, 2);
	fixture_finish(&f);
}

UNIT_SUITE(turn_people, UNIT_TEST(turn_can_be_stopped),
	UNIT_TEST(a_message_steers_the_running_turn),
	UNIT_TEST(a_message_interrupts_the_running_turn));
