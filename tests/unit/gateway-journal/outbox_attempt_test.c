/* SPDX-License-Identifier: Apache-2.0 */
/* How attempts ended is kept, bounded, and goes with the delivery. */
#include "gateway/journal/forget.h"
#include "gateway/journal/outbox_row.h"
#include "gateway/journal/story.h"

#include "tests/unit/gateway-journal/journal_rig.h"

/* The first delivery is tried, and ends like that. */
static void attempt(struct rig *rig, enum outbox_state state, const char *why)
{
	const struct outbox_result result = {
		.state = state,
		.now_ms = rig->now_ms,
		.not_before_ms = rig->now_ms,
		.outcome = state == OUTBOX_SENT ? "sent" : "refused",
		.scope = "message",
		.platform_status = state == OUTBOX_SENT ? 200 : 500,
		.detail = why,
	};

	CU_ASSERT_EQUAL(rig_sending(rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle(rig, 1, &result), CG_OK);
	rig->now_ms += 1000;
}

static int64_t kept(struct rig *rig)
{
	return rig_number(rig, "SELECT count(*) FROM attempt");
}

static struct json_object *steps_of(struct rig *rig, const char *id)
{
	journal_story(rig->journal, id, rig_on_json, rig);
	rig_await(rig);
	return cg_json_array(
		cg_json_at(cg_json_array(rig->json, "outbound"), 0), "steps");
}

static bool tells(struct json_object *steps, size_t at, const char *words)
{
	return strstr(cg_json_string_or(cg_json_at(steps, at), "text", ""), words) !=
	       NULL;
}

/* Most deliveries are this: they write no second page. */
static void a_first_attempt_that_arrives_is_told_by_its_row(void)
{
	struct json_object *steps;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	attempt(&rig, OUTBOX_SENT, NULL);
	CU_ASSERT_EQUAL(kept(&rig), 0);
	steps = steps_of(&rig, "1");
	CU_ASSERT_EQUAL(cg_json_count(steps), 2);
	CU_ASSERT(tells(steps, 1, "attempt 1 ended as"));
	rig_finish(&rig);
}

static void each_attempt_is_told_in_order(void)
{
	struct json_object *steps;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	attempt(&rig, OUTBOX_PENDING, "the first reason");
	attempt(&rig, OUTBOX_PENDING, "the second reason");
	attempt(&rig, OUTBOX_SENT, NULL);
	steps = steps_of(&rig, "1");
	CU_ASSERT_EQUAL_FATAL(cg_json_count(steps), 4);
	CU_ASSERT(tells(
		steps, 1, "attempt 1 ended as refused, which applies to the message"));
	CU_ASSERT(tells(steps, 1, "the platform said 500 the first reason"));
	CU_ASSERT(tells(steps, 2, "attempt 2 ended as refused"));
	CU_ASSERT(tells(steps, 2, "the second reason"));
	CU_ASSERT(tells(steps, 3, "attempt 3 ended as"));
	rig_finish(&rig);
}

static void the_newest_are_kept(void)
{
	struct rig rig;
	char why[32];

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	for (int i = 1; i <= OUTBOX_ATTEMPTS + 3; i++) {
		snprintf(why, sizeof(why), "reason %d", i);
		attempt(&rig, OUTBOX_PENDING, why);
	}
	CU_ASSERT_EQUAL(kept(&rig), OUTBOX_ATTEMPTS);
	CU_ASSERT(tells(steps_of(&rig, "1"), 1, "attempt 4 "));
	CU_ASSERT(tells(steps_of(&rig, "1"), OUTBOX_ATTEMPTS, "attempt 23 "));
	rig_finish(&rig);
}

/* Twenty long answers of a platform would be more than the message. */
static void what_the_platform_said_is_cut(void)
{
	char said[2001];
	struct rig rig;

	memset(said, 'x', sizeof(said) - 1);
	said[sizeof(said) - 1] = '\0';
	rig_start(&rig);
	rig_say(&rig, "1", "a");
	attempt(&rig, OUTBOX_PENDING, said);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT length(detail) FROM attempt"), 300);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT length(detail) FROM outbox"), 2000);
	rig_finish(&rig);
}

static void they_go_with_their_delivery(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "b");
	attempt(&rig, OUTBOX_PENDING, "the first reason");
	attempt(&rig, OUTBOX_DEAD, "the second reason");
	CU_ASSERT_EQUAL(kept(&rig), 2);
	rig.now_ms += INT64_C(30) * 24 * 3600 * 1000;
	rig_reopen(&rig);
	journal_start_retention(rig.journal);
	rig_turn(&rig);
	while (journal_pending(rig.journal) > 0)
		loop_turn(rig.loop);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 1);
	CU_ASSERT_EQUAL(kept(&rig), 0);
	rig_finish(&rig);
}

static void they_are_forgotten_with_it(void)
{
	const struct journal_forget what = {
		.instance = "telegram", .chat_id = "a", .keep_binding = "kept"};
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	attempt(&rig, OUTBOX_PENDING, "what the platform said of it");
	CU_ASSERT_EQUAL(kept(&rig), 1);
	journal_forget(rig.journal, &what, rig_done, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 1);
	CU_ASSERT_EQUAL(kept(&rig), 0);
	rig_finish(&rig);
}

UNIT_SUITE(outbox_attempt, UNIT_TEST(a_first_attempt_that_arrives_is_told_by_its_row),
	UNIT_TEST(each_attempt_is_told_in_order), UNIT_TEST(the_newest_are_kept),
	UNIT_TEST(what_the_platform_said_is_cut), UNIT_TEST(they_go_with_their_delivery),
	UNIT_TEST(they_are_forgotten_with_it));
