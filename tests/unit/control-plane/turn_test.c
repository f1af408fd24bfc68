/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts run in order, are stored before they are shown, and survive a crash honestly. */
#include "control-plane/turn.h"

#include "control-plane/interior.h"
#include "tests/faults/fault_vfs.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void turn_tells_the_whole_story(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), NULL);
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(
		fixture_keys(&f, ""), "binding command processed view projectionFence");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "command"),
		"commandId tenantId userId sessionId kind payload targetLeaseToken "
		"createdSequence createdAt status claimedBy claimedLeaseToken "
		"attemptCount "
		"availableAt lastErrorCode lastErrorSummary ackedAt error");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.payload.agent"), "build");
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 1);
	CU_ASSERT_STRING_EQUAL(f.turns[0].text, "hello");
	CU_ASSERT_EQUAL(f.turns[0].attempt, 1);
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), 1);
	f.turns[0].sink.replace(f.turns[0].arg, "m1", "hi", 2);
	fixture_settle(&f);
	agent_finish(&f.turns[0], "m1", "hi there");
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"session.created session.status prompt.submitted assistant.message "
		"assistant.message session.idle");
	for (size_t i = 0; i < stream.count; i++)
		CU_ASSERT_EQUAL(stream.ids[i], (int64_t)i + 1);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "session.idle");
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), 0);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turns_of_a_session_follow_each_other(void)
{
	struct fixture f;
	const char *binding;
	char key[16];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	for (int i = 0; i < 4; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		fixture_prompt(&f, binding, key, key);
		snprintf(key, sizeof(key), "%d", i + 1);
		CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.createdSequence"), key);
	}
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(f.turn_count, i + 1);
		snprintf(key, sizeof(key), "k%d", (int)i);
		CU_ASSERT_STRING_EQUAL(f.turns[i].text, key);
		agent_finish(&f.turns[i], key, "done");
		fixture_settle(&f);
	}
	CU_ASSERT_STRING_EQUAL(
		f.turns[3].history, "u:k0|a:done|u:k1|a:done|u:k2|a:done|");
	fixture_finish(&f);
}

static void turns_of_sessions_run_side_by_side_to_a_cap(void)
{
	struct fixture f;
	char chat[16];

	fixture_start(&f);
	for (int i = 0; i < TURN_RUNNING + 2; i++) {
		snprintf(chat, sizeof(chat), "c%d", i);
		fixture_prompt(&f, fixture_bind(&f, chat), chat, NULL);
	}
	CU_ASSERT_EQUAL(f.turn_count, TURN_RUNNING);
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), TURN_RUNNING);
	agent_finish(&f.turns[5], "m", "done");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(f.turn_count, TURN_RUNNING + 1);
	CU_ASSERT_STRING_EQUAL(
		f.turns[TURN_RUNNING].text, "c32"); /* first come, first served */
	fixture_finish(&f);
}

static void chats_that_wait_are_bounded(void)
{
	struct fixture f;
	const char *binding;
	size_t waiting;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	waiting = f.plane->turn_count;
	f.plane->turn_count = TURN_SESSIONS; /* as if so many chats had a turn */
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 429);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "quota.queue_full");
	f.plane->turn_count = waiting;
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 202);
	fixture_finish(&f);
}

/* A prompt that needs not wait is stored and begun in one transaction, and an answer that
 * takes no time is stored in another one. */
static void quick_answer_costs_two_commits(void)
{
	struct fixture f;
	const char *binding;
	uint64_t commits;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	commits = database_commits(f.plane->database);
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 1);
	CU_ASSERT_EQUAL(database_commits(f.plane->database) - commits, 1);
	agent_say(&f.turns[0], "m1", "hi");
	agent_finish(&f.turns[0], "m1", "hi there");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(database_commits(f.plane->database) - commits, 2);
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), 0);
	/* What waits behind a running one is taken when that has ended. */
	fixture_prompt(&f, binding, "second", "k2");
	fixture_prompt(&f, binding, "third", "k3");
	CU_ASSERT_EQUAL(f.turn_count, 2);
	agent_finish(&f.turns[1], "m2", "done");
	fixture_settle(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 3);
	CU_ASSERT_STRING_EQUAL(f.turns[2].text, "third");
	fixture_finish(&f);
}

static void turn_keeps_its_words_while_the_store_fails(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	fixture_sql(&f, "SELECT 1");
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	agent_finish(&f.turns[0], "m1", "a precious answer");
	fixture_settle(&f);
	CU_ASSERT_STRING_NOT_EQUAL(json_at(stream.last, "type"), "session.idle");
	CU_ASSERT_PTR_NOT_NULL(strstr(f.notices, "turn.store_failed"));
	fault_vfs_fail_syncs(SQLITE_OK, NULL);
	for (int i = 0;
		i < 500 && strcmp(json_at(stream.last, "type"), "session.idle") != 0;
		i++) {
		poll(NULL, 0, 10);
		fixture_settle(&f);
	}
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "session.idle");
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.messages.1.content"),
		"a precious answer");
	fixture_close(&stream);
	fixture_finish(&f);
}

UNIT_SUITE(turn, UNIT_TEST(turn_tells_the_whole_story),
	UNIT_TEST(turns_of_a_session_follow_each_other),
	UNIT_TEST(turns_of_sessions_run_side_by_side_to_a_cap),
	UNIT_TEST(chats_that_wait_are_bounded), UNIT_TEST(quick_answer_costs_two_commits),
	UNIT_TEST(turn_keeps_its_words_while_the_store_fails));
