/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent may use in a day, by chat and in all, up to the last token. */
#include "control-plane/budget.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS (24LL * 60 * 60 * 1000)

/* Prompt, and answer it for so many tokens.  False: it was refused before the agent saw it. */
static bool spend(struct fixture *f, const char *binding, int64_t input, int64_t output)
{
	size_t before = f->turn_count;
	struct json_object *payload, *tokens;
	struct agent_turn *turn;
	char id[32];

	fixture_prompt(f, binding, "go on", NULL);
	if (f->turn_count == before)
		return false;
	turn = &f->turns[before];
	payload = cg_json_new_object();
	tokens = cg_json_new_object();
	snprintf(id, sizeof(id), "step-%zu", before);
	cg_json_put_string(payload, "id", id);
	cg_json_put_int(tokens, "input", input);
	cg_json_put_int(tokens, "output", output);
	cg_json_put(payload, "tokens", tokens);
	turn->sink.event(turn->arg, "cost.updated", payload);
	turn->sink.event(turn->arg, "cost.updated", payload); /* told twice, used once */
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
	cg_json_free(payload);
	fixture_settle(f);
	return true;
}

static void begin(struct fixture *f, int64_t per_chat, int64_t in_all)
{
	fixture_start(f);
	f->daily_tokens_per_chat = per_chat;
	f->daily_tokens = in_all;
	fixture_restart(f);
}

static void a_chat_has_its_own(void)
{
	struct fixture f;
	const char *one, *two;

	begin(&f, 30, 0);
	one = fixture_bind(&f, "c1");
	two = fixture_bind(&f, "c2");
	CU_ASSERT_TRUE(spend(&f, one, 20, 9));
	CU_ASSERT_TRUE(spend(&f, one, 1, 0)); /* one token was left */
	CU_ASSERT_FALSE(spend(&f, one, 1, 1));
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM session WHERE last_error LIKE"
				" 'This chat has used up its 30 tokens of today.%'"),
		1);
	CU_ASSERT_TRUE(spend(&f, two, 100, 100)); /* nothing was used here yet */
	CU_ASSERT_FALSE(spend(&f, two, 1, 1));
	fixture_finish(&f);
}

/* A chat that begins anew is the same chat, and so is another thread of it. */
static void a_new_beginning_is_no_way_round(void)
{
	struct fixture f;
	char again[64];

	begin(&f, 10, 0);
	CU_ASSERT_TRUE(spend(&f, fixture_bind(&f, "c1"), 10, 0));
	fixture_call(&f, "POST", "/api/channels/sessions/bind",
		"{\"channelBindingId\":\"telegram-binding\",\"provider\":\"telegram\","
		"\"externalChatId\":\"c1\",\"externalThreadId\":\"c1#2\","
		"\"externalUserId\":\"1\",\"title\":\"anew\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	snprintf(again, sizeof(again), "%s", fixture_text(&f, "binding.bindingId"));
	CU_ASSERT_FALSE(spend(&f, again, 1, 1));
	fixture_finish(&f);
}

static void all_chats_share_another(void)
{
	struct fixture f;
	const char *one, *two;

	begin(&f, 0, 30);
	one = fixture_bind(&f, "c1");
	two = fixture_bind(&f, "c2");
	CU_ASSERT_TRUE(spend(&f, one, 15, 0));
	CU_ASSERT_TRUE(spend(&f, two, 0, 15));
	CU_ASSERT_FALSE(spend(&f, one, 1, 1));
	CU_ASSERT_FALSE(spend(&f, two, 1, 1));
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM session WHERE last_error LIKE"
				" 'The agent has used up its 30 tokens of today.%'"),
		2);
	fixture_finish(&f);
}

static void it_is_counted_across_a_restart_and_anew_each_day(void)
{
	struct fixture f;
	const char *one;

	begin(&f, 10, 0);
	one = fixture_bind(&f, "c1");
	CU_ASSERT_TRUE(spend(&f, one, 10, 0));
	fixture_restart(&f);
	CU_ASSERT_FALSE(spend(&f, one, 1, 1));
	f.now += DAY_MS;
	CU_ASSERT_TRUE(spend(&f, one, 10, 0));
	CU_ASSERT_FALSE(spend(&f, one, 1, 1));
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM spent"), 2);
	f.now += 2 * DAY_MS; /* older days are not kept */
	CU_ASSERT_TRUE(spend(&f, one, 10, 0));
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM spent"), 1);
	fixture_finish(&f);
}

static void another_agent_has_its_own_purse(void)
{
	struct fixture f;
	const char *one;

	begin(&f, 10, 10);
	one = fixture_bind(&f, "c1");
	CU_ASSERT_TRUE(spend(&f, one, 10, 0));
	CU_ASSERT_FALSE(spend(&f, one, 1, 1));
	fixture_sql(&f, "UPDATE session SET agent = 'other'");
	CU_ASSERT_TRUE(spend(&f, one, 500, 0));
	CU_ASSERT_TRUE(spend(&f, one, 500, 0)); /* without limits */
	fixture_finish(&f);
}

static void without_limits_nothing_is_refused(void)
{
	struct fixture f;
	const char *one;

	begin(&f, 0, 0);
	one = fixture_bind(&f, "c1");
	CU_ASSERT_TRUE(spend(&f, one, 1000000000, 1000000000));
	CU_ASSERT_TRUE(spend(&f, one, -5, 0));
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT sum(tokens) FROM spent"), 2000000000);
	fixture_finish(&f);
}

UNIT_SUITE(budget, UNIT_TEST(a_chat_has_its_own),
	UNIT_TEST(a_new_beginning_is_no_way_round), UNIT_TEST(all_chats_share_another),
	UNIT_TEST(it_is_counted_across_a_restart_and_anew_each_day),
	UNIT_TEST(another_agent_has_its_own_purse),
	UNIT_TEST(without_limits_nothing_is_refused));
