/* SPDX-License-Identifier: Apache-2.0 */
/* Commands are stored once, in order, and up to a cap. */
#include "control-plane/command.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

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
	agent_finish(&f.turns[0], "m", "done");
	fixture_settle(&f);
	fixture_prompt(&f, binding, "hello", NULL);
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
	agent_finish(&f.turns[0], "m", "done");
	fixture_settle(&f);
	f.now += COMMAND_KEEP_MS + 1;
	fixture_sql(&f, "UPDATE command SET id = 63 WHERE id = 2");
	fixture_prompt(&f, binding, "new", "k3");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM command"), 2);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT min(id) FROM command"), 63);
	fixture_finish(&f);
}

/* Each step of its life comes from one other, whoever else tries. */
static void a_command_has_one_way(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "first", "k1");
	fixture_prompt(&f, binding, "second", "k2");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM command WHERE status = "
					"'running' AND attempt_count = 1 AND open = 1"),
		1);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM command WHERE status = "
					"'pending' AND attempt_count = 0 AND open = 1"),
		1);
	agent_finish(&f.turns[0], "m1", "done");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM command WHERE status = "
					"'acked' AND acked_at > 0 AND open IS NULL"),
		1);
	f.turns[1].sink.ended(f.turns[1].arg, AGENT_FAILED, "no luck");
	fixture_settle(&f);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM command WHERE status = 'failed'"
				" AND last_error_code = 'agent_failed'"
				" AND last_error_summary = 'no luck' AND open IS NULL"),
		1);
	/* What is over does not begin again. */
	fixture_restart(&f);
	CU_ASSERT_EQUAL(f.turn_count, 2);
	fixture_finish(&f);
}

UNIT_SUITE(command, UNIT_TEST(prompt_is_stored_once), UNIT_TEST(prompt_queue_is_bounded),
	UNIT_TEST(old_commands_are_forgotten), UNIT_TEST(a_command_has_one_way));
