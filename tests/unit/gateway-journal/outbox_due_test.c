/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows the scheduler gets, and in which order. */
#include "tests/unit/gateway-journal/journal_rig.h"

static struct outbox_query query_now(const struct rig *rig)
{
	return (struct outbox_query){.now_ms = rig->now_ms, .limit = OUTBOX_DUE_MAX};
}

static void a_lane_is_first_in_first_out(void)
{
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "a");
	rig_say(&rig, "3", "b");
	query = query_now(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "1 3");
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	/* In flight: the lane waits, asked with or without it. */
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "3");
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_SENT, 0), CG_OK);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "2 3");
	rig_finish(&rig);
}

/* The head decides: while it waits for its time, so does what is behind it. */
static void a_waiting_head_holds_its_lane(void)
{
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "a");
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW + 1000), CG_OK);
	CU_ASSERT_EQUAL(rig_due(&rig), 0);
	CU_ASSERT_EQUAL(rig.next_due_ms, RIG_NOW + 1000);
	rig.now_ms = RIG_NOW + 999;
	CU_ASSERT_EQUAL(rig_due(&rig), 0);
	rig.now_ms = RIG_NOW + 1000;
	query = query_now(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "1");
	CU_ASSERT_EQUAL(rig.next_due_ms, 0);
	rig_finish(&rig);
}

static void unknown_rows_hold_their_lane_and_come_back(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "a");
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_UNKNOWN, RIG_NOW + 5), CG_OK);
	CU_ASSERT_EQUAL(rig_due(&rig), 0);
	rig.now_ms += 5;
	CU_ASSERT_EQUAL_FATAL(rig_due(&rig), 1);
	CU_ASSERT_EQUAL(rig.rows[0]->state, OUTBOX_UNKNOWN);
	CU_ASSERT_EQUAL(rig.rows[0]->attempts, 1);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static int compare_lanes(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void busy_lanes_are_passed_over(void)
{
	uint64_t busy[] = {
		outbox_lane("telegram", "a", NULL), outbox_lane("telegram", "c", "")};
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig_say(&rig, "2", "b");
	rig_say(&rig, "3", "c");
	rig_say(&rig, "4", "d");
	qsort(busy, 2, sizeof(busy[0]), compare_lanes);
	query = query_now(&rig);
	query.busy = busy;
	query.busy_count = 2;
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "2 4");
	query.limit = 1;
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "2");
	rig_finish(&rig);
}

static void paused_instances_are_passed_over(void)
{
	const char *paused[] = {"other", "telegram"};
	struct obligation o = rig_obligation("2", "a");
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	o.instance = "slack";
	rig_oblige(&rig, &o, 1);
	query = query_now(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "1 2");
	query.paused = paused;
	query.paused_count = 2;
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "2");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW + 7);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "2");
	CU_ASSERT_EQUAL(rig.next_due_ms, 0);
	rig_finish(&rig);
}

static void say_as(struct rig *rig, const char *id, const char *instance,
	enum outbox_purpose purpose)
{
	struct obligation o = rig_obligation(id, id);

	o.purpose = purpose;
	o.instance = instance;
	CU_ASSERT_EQUAL(rig_oblige(rig, &o, 1), CG_OK);
}

static void priority_acts_between_lanes(void)
{
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	say_as(&rig, "file", "telegram", OUTBOX_FILE);
	say_as(&rig, "delivery", "slack", OUTBOX_DELIVERY);
	say_as(&rig, "slot", "slack", OUTBOX_SLOT);
	say_as(&rig, "notice", "telegram", OUTBOX_NOTICE);
	say_as(&rig, "error", "slack", OUTBOX_ERROR);
	say_as(&rig, "final", "telegram", OUTBOX_FINAL);
	say_as(&rig, "question", "slack", OUTBOX_QUESTION);
	say_as(&rig, "approval", "email", OUTBOX_APPROVAL);
	query = query_now(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query),
		"notice error final question approval slot file delivery");
	query.limit = 6;
	CU_ASSERT_STRING_EQUAL(
		rig_due_ids(&rig, &query), "notice error final question approval slot");
	rig_finish(&rig);
}

/* It never acts inside one. */
static void an_approval_waits_for_the_file_before_it(void)
{
	struct obligation o[] = {rig_obligation("file", "a"), rig_obligation("ask", "a")};
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	o[0].purpose = OUTBOX_FILE;
	o[1].purpose = OUTBOX_APPROVAL;
	rig_oblige(&rig, o, 2);
	query = query_now(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "file");
	rig_finish(&rig);
}

static void among_equals_the_longest_due_comes_first(void)
{
	struct outbox_query query;
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "a");
	rig.now_ms += 10;
	rig_say(&rig, "2", "b");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_PENDING, RIG_NOW + 20);
	rig.now_ms += 15;
	rig_say(&rig, "3", "c");
	query = query_now(&rig);
	CU_ASSERT_STRING_EQUAL(rig_due_ids(&rig, &query), "2 1 3");
	rig_finish(&rig);
}

static void rows_beyond_their_deadline_are_returned(void)
{
	struct obligation o = rig_obligation("1", "a");
	struct rig rig;

	rig_start(&rig);
	o.deadline_ms = RIG_NOW + 1;
	rig_oblige(&rig, &o, 1);
	rig.now_ms += 1000;
	CU_ASSERT_EQUAL(rig_due(&rig), 1);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static void a_page_is_bounded_in_bytes(void)
{
	static char text[OUTBOX_TEXT_MAX + 1];
	struct rig rig;
	char id[16];

	rig_start(&rig);
	memset(text, 'x', OUTBOX_TEXT_MAX);
	for (int i = 0; i < 10; i++) {
		struct obligation o = rig_obligation(id, id);

		snprintf(id, sizeof(id), "%d", i);
		o.source = text;
		CU_ASSERT_EQUAL(rig_oblige(&rig, &o, 1), CG_OK);
	}
	CU_ASSERT_EQUAL(rig_due(&rig), OUTBOX_DUE_BYTES / OUTBOX_TEXT_MAX);
	rig_free_rows(&rig);
	rig_finish(&rig);
}

static void questions_that_make_no_sense_are_refused(void)
{
	struct outbox_query query = {.now_ms = RIG_NOW};
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(rig_ask(&rig, &query), 0);
	CU_ASSERT_EQUAL(rig.status, CG_INVALID);
	query.limit = OUTBOX_DUE_MAX + 1;
	rig_ask(&rig, &query);
	CU_ASSERT_EQUAL(rig.status, CG_INVALID);
	query.limit = OUTBOX_DUE_MAX;
	rig_ask(&rig, &query);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	rig_finish(&rig);
}

UNIT_SUITE(outbox_due, UNIT_TEST(a_lane_is_first_in_first_out),
	UNIT_TEST(a_waiting_head_holds_its_lane),
	UNIT_TEST(unknown_rows_hold_their_lane_and_come_back),
	UNIT_TEST(busy_lanes_are_passed_over),
	UNIT_TEST(paused_instances_are_passed_over),
	UNIT_TEST(priority_acts_between_lanes),
	UNIT_TEST(an_approval_waits_for_the_file_before_it),
	UNIT_TEST(among_equals_the_longest_due_comes_first),
	UNIT_TEST(rows_beyond_their_deadline_are_returned),
	UNIT_TEST(a_page_is_bounded_in_bytes),
	UNIT_TEST(questions_that_make_no_sense_are_refused));
