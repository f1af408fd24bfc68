/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a session has no gaps, and keeps what is new. */
#include "control-plane/event.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void sequences_have_no_gap(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "one", "k1");
	agent_tell(&f.turns[0], "tool.call", "{\"id\":\"c1\"}");
	agent_tell(&f.turns[0], "something.new", "{}");
	agent_finish(&f.turns[0], "m1", "done");
	fixture_settle(&f);
	fixture_restart(&f);
	fixture_prompt(&f, binding, "two", "k2");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT min(sequence) FROM event"), 1);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT max(sequence) - count(*) FROM event"), 0);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT last_event_sequence - (SELECT max(sequence) FROM "
				"event) FROM session"),
		0);
	fixture_finish(&f);
}

/* An id says what it is about, so that a repeat is seen to be one. */
static void ids_are_the_session_s_own(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;
	char expected[160];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	fixture_prompt(&f, binding, "one", "k1");
	agent_tell(&f.turns[0], "tool.call", "{\"id\":\"c1\"}");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(stream.ids[stream.count - 1], 4);
	snprintf(expected, sizeof(expected), "%s:4", json_at(stream.last, "sessionId"));
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "eventId"), expected);
	/* As it went out it comes back. */
	fixture_close(&stream);
	memset(&stream, 0, sizeof(stream));
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=3");
	CU_ASSERT_EQUAL(stream.count, 1);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "eventId"), expected);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.id"), "c1");
	fixture_close(&stream);
	fixture_finish(&f);
}

static void a_session_that_is_not_there_has_no_log(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_call(&f, "GET", fixture_path("nobody", "/snapshot"), NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM event"), 0);
	fixture_finish(&f);
}

UNIT_SUITE(event, UNIT_TEST(sequences_have_no_gap), UNIT_TEST(ids_are_the_session_s_own),
	UNIT_TEST(a_session_that_is_not_there_has_no_log));
