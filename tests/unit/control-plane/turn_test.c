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

static void say(struct agent_turn *turn, const char *id, const char *text)
{
	turn->sink.append(turn->arg, id, text, strlen(text));
}

static void finish(struct agent_turn *turn, const char *id, const char *text)
{
	turn->sink.replace(turn->arg, id, text, strlen(text));
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
}

static const char *path_of(const char *binding, const char *what)
{
	static char path[160];

	snprintf(path, sizeof(path), "/api/channels/sessions/%s%s", binding, what);
	return path;
}

static void turn_tells_the_whole_story(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, path_of(binding, "/events"), NULL);
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
	finish(&f.turns[0], "m1", "hi there");
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

static void turn_collects_what_comes_quickly(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	say(&f.turns[0], "m1", "one ");
	say(&f.turns[0], "m1", " two");
	say(&f.turns[0], "m2", "other");
	f.turns[0].sink.bound(
		f.turns[0].arg, "runtime-7"); /* anything else goes after them */
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream),
		"session.status prompt.submitted assistant.message assistant.message");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.content"), "other");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.mode"), "append");
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.messages.1.content"), "one  two");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.isGenerating"), "true");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "session.opencodeSessionId"), "runtime-7");
	finish(&f.turns[0], "m1", "one two");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "more", "k2");
	CU_ASSERT_STRING_EQUAL(f.turns[1].runtime_session_id, "runtime-7");
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
		finish(&f.turns[i], key, "done");
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
	finish(&f.turns[5], "m", "done");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(f.turn_count, TURN_RUNNING + 1);
	CU_ASSERT_STRING_EQUAL(
		f.turns[TURN_RUNNING].text, "c32"); /* first come, first served */
	fixture_finish(&f);
}

static void prompt_is_stored_once(void)
{
	struct fixture f;
	char first[96];
	const char *binding, *other;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	other = fixture_bind(&f, "c2");
	fixture_prompt(&f, binding, "hello", "k1");
	snprintf(first, sizeof(first), "%s", fixture_text(&f, "command.commandId"));
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "command.commandId"), first);
	fixture_prompt(&f, binding, "something else", "k1");
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "commands.conflict");
	fixture_prompt(&f, other, "hello", "k1"); /* another chat's key is another key */
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "command.commandId"), first);
	CU_ASSERT_EQUAL(f.turn_count, 2);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_FAILED, "The model is out.");
	fixture_settle(&f);
	fixture_prompt(
		&f, binding, "hello", "k1"); /* and what failed is not done again */
	CU_ASSERT_EQUAL(f.status, 409);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "commands.failed");
	fixture_restart(&f);
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_EQUAL(f.status, 409);
	fixture_finish(&f);
}

static void prompt_queue_is_bounded(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	for (int i = 0; i <= COMMAND_PENDING; i++) { /* one runs, the rest waits */
		fixture_prompt(&f, binding, "hello", NULL);
		CU_ASSERT_EQUAL(f.status, 202);
	}
	fixture_prompt(&f, binding, "hello", NULL);
	CU_ASSERT_EQUAL(f.status, 429);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "code"), "quota.queued_commands_exceeded");
	CU_ASSERT_EQUAL(f.retry_after_ms, 5000);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "retryAfterMs"), "5000");
	finish(&f.turns[0], "m", "done");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "hello", NULL);
	CU_ASSERT_EQUAL(f.status, 202);
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

static void old_commands_are_forgotten(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "old", "k1");
	fixture_prompt(&f, binding, "older than that, and waiting", "k2");
	finish(&f.turns[0], "m", "done");
	fixture_settle(&f);
	f.now += COMMAND_KEEP_MS + 1;
	fixture_sql(&f, "UPDATE command SET id = 63 WHERE id = 2");
	fixture_prompt(&f, binding, "new", "k3");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM command"), 2);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT min(id) FROM command"), 63);
	fixture_finish(&f);
}

static void turn_failure_is_told(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=1");
	f.refuse_start = true;
	fixture_prompt(&f, binding, "hello", "k1");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	CU_ASSERT_STRING_EQUAL(
		json_at(stream.last, "payload.message"), "the agent is out");
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.status"), "errored");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.lastError"), "the agent is out");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "projection.view.errors.0.message"), "the agent is out");
	/* The next prompt heals it. */
	f.refuse_start = false;
	fixture_prompt(&f, binding, "again", "k2");
	finish(&f.turns[0], "m", "here");
	fixture_settle(&f);
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.status"), "idle");
	fixture_prompt(&f, binding, "thrice", "k3");
	f.turns[1].sink.ended(f.turns[1].arg, AGENT_UNSETTLED, NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "type"), "runtime.error");
	CU_ASSERT_PTR_NOT_NULL(strstr(json_at(stream.last, "payload.message"), "may"));
	fixture_close(&stream);
	fixture_finish(&f);
}

static void turn_can_be_stopped(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_call(&f, "POST", path_of(binding, "/abort"), NULL);
	CU_ASSERT_EQUAL(f.status, 202);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "aborted"), "false");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	fixture_prompt(&f, binding, "next", "k2");
	fixture_call(&f, "POST", path_of(binding, "/abort"), "{\"queued\":true}");
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

static void turn_that_may_be_repeated_is_repeated(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	f.repeatable = true;
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "before", "k0");
	finish(&f.turns[0], "m0", "yes");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "hello", "k1");
	for (unsigned attempt = 2; attempt <= COMMAND_ATTEMPTS; attempt++) {
		say(&f.turns[attempt - 1], "m1", "half an ans");
		fixture_restart(&f);
		CU_ASSERT_EQUAL_FATAL(f.turn_count, attempt + 1);
		CU_ASSERT_EQUAL(f.turns[attempt].attempt, attempt);
	}
	CU_ASSERT_STRING_EQUAL(f.turns[3].text, "hello");
	CU_ASSERT_STRING_EQUAL(f.turns[3].command_id, f.turns[1].command_id);
	CU_ASSERT_STRING_EQUAL(f.turns[3].history, "u:before|a:yes|");
	CU_ASSERT_PTR_NOT_NULL(strstr(f.notices, "turn.recovered"));
	/* The prompt is in the log once. */
	fixture_open(&f, &stream, path_of(binding, "/events"), NULL);
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
	fixture_open(&f, &stream, path_of(binding, "/events"), NULL);
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
	fixture_open(&f, &stream, path_of(binding, "/events"), NULL);
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
	say(&f.turns[0], "m1", "hi");
	finish(&f.turns[0], "m1", "hi there");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(database_commits(f.plane->database) - commits, 2);
	CU_ASSERT_EQUAL(plane_active_turns(f.plane), 0);
	/* What waits behind a running one is taken when that has ended. */
	fixture_prompt(&f, binding, "second", "k2");
	fixture_prompt(&f, binding, "third", "k3");
	CU_ASSERT_EQUAL(f.turn_count, 2);
	finish(&f.turns[1], "m2", "done");
	fixture_settle(&f);
	CU_ASSERT_EQUAL_FATAL(f.turn_count, 3);
	CU_ASSERT_STRING_EQUAL(f.turns[2].text, "third");
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
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=3");
	finish(&f.turns[1], "m1", "done");
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
	say(&f.turns[1], "m1", "half a wor");
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
	fixture_open(&f, &stream, path_of(binding, "/events"), NULL);
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
		finish(&f.turns[i], "m", "done");
		fixture_settle(&f);
	}
	CU_ASSERT_EQUAL(f.turn_count, 40);
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
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=1");
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

static void turn_keeps_its_words_while_the_store_fails(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start_faulty(&f);
	binding = fixture_bind(&f, "c1");
	fixture_open(&f, &stream, path_of(binding, "/events"), "after=1");
	fixture_prompt(&f, binding, "hello", "k1");
	fixture_sql(&f, "SELECT 1");
	fault_vfs_fail_syncs(SQLITE_IOERR_FSYNC, NULL);
	finish(&f.turns[0], "m1", "a precious answer");
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
	fixture_call(&f, "GET", path_of(binding, "/snapshot"), NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "projection.view.messages.1.content"),
		"a precious answer");
	fixture_close(&stream);
	fixture_finish(&f);
}

UNIT_SUITE(turn, UNIT_TEST(turn_tells_the_whole_story),
	UNIT_TEST(turn_collects_what_comes_quickly),
	UNIT_TEST(turns_of_a_session_follow_each_other),
	UNIT_TEST(turns_of_sessions_run_side_by_side_to_a_cap),
	UNIT_TEST(prompt_is_stored_once), UNIT_TEST(prompt_queue_is_bounded),
	UNIT_TEST(turn_failure_is_told), UNIT_TEST(chats_that_wait_are_bounded),
	UNIT_TEST(old_commands_are_forgotten), UNIT_TEST(turn_can_be_stopped),
	UNIT_TEST(turn_that_may_be_repeated_is_repeated),
	UNIT_TEST(turn_is_given_up_after_some_attempts),
	UNIT_TEST(turn_that_may_not_be_repeated_is_told_as_lost),
	UNIT_TEST(quick_answer_costs_two_commits),
	UNIT_TEST(turn_is_picked_up_where_it_is),
	UNIT_TEST(turn_of_unknown_fate_is_repeated_or_lost),
	UNIT_TEST(accepted_prompts_survive_a_loss_of_power),
	UNIT_TEST(turn_that_says_too_much_is_stopped),
	UNIT_TEST(turn_keeps_its_words_while_the_store_fails));
