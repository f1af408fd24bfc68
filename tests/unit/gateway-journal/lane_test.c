/* SPDX-License-Identifier: Apache-2.0 */
/* The first unfinished row of each lane is its head, and no other. */
#include "gateway/journal/lane.h"

#include "tests/unit/gateway-journal/journal_rig.h"

static void lanes_differ_by_every_part(void)
{
	CU_ASSERT_EQUAL(outbox_lane("a", "b", NULL), outbox_lane("a", "b", ""));
	CU_ASSERT_NOT_EQUAL(outbox_lane("a", "b", NULL), outbox_lane("a", "b", "c"));
	CU_ASSERT_NOT_EQUAL(outbox_lane("a", "b", NULL), outbox_lane("x", "b", NULL));
	CU_ASSERT_NOT_EQUAL(outbox_lane("a", "bc", NULL), outbox_lane("ab", "c", NULL));
}

/* What a person waits for goes first. */
static void answers_come_before_files(void)
{
	CU_ASSERT_EQUAL(outbox_rank(OUTBOX_FINAL), 0);
	CU_ASSERT_EQUAL(outbox_rank(OUTBOX_APPROVAL), 0);
	CU_ASSERT_EQUAL(outbox_rank(OUTBOX_SLOT), 1);
	CU_ASSERT_EQUAL(outbox_rank(OUTBOX_FILE), 2);
	CU_ASSERT_EQUAL(outbox_rank(OUTBOX_DELIVERY), OUTBOX_RANKS - 1);
}

/* The delivery that is the head of the chat "chat"; -1: none, or more than one. */
static int64_t head(struct rig *rig)
{
	if (rig_number(rig, "SELECT count(*) FROM outbox WHERE head = 1") != 1)
		return -1;
	return rig_number(rig, "SELECT id FROM outbox WHERE head = 1");
}

static void the_head_moves_on_when_it_finishes(void)
{
	struct rig rig;

	rig_start(&rig);
	CU_ASSERT_EQUAL(head(&rig), -1);
	rig_say(&rig, "1", "chat");
	rig_say(&rig, "2", "chat");
	rig_say(&rig, "3", "chat");
	CU_ASSERT_EQUAL(head(&rig), 1);
	/* In the middle nothing changes. */
	outbox_kill(rig.journal, "2", NULL, rig.now_ms, rig_on_json, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(head(&rig), 1);
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_UNKNOWN, RIG_NOW);
	CU_ASSERT_EQUAL(head(&rig), 1);
	rig_settle_as(&rig, 1, OUTBOX_SENT, 0);
	CU_ASSERT_EQUAL(head(&rig), 3);
	rig_sending(&rig, 3);
	rig_settle_as(&rig, 3, OUTBOX_SENT, 0);
	CU_ASSERT_EQUAL(head(&rig), -1);
	rig_say(&rig, "4", "chat");
	CU_ASSERT_EQUAL(head(&rig), 4);
	rig_finish(&rig);
}

static void an_old_row_that_comes_back_is_the_head(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_say(&rig, "1", "chat");
	rig_say(&rig, "2", "chat");
	rig_say(&rig, "3", "chat");
	rig_sending(&rig, 1);
	rig_settle_as(&rig, 1, OUTBOX_DEAD, 0);
	CU_ASSERT_EQUAL(head(&rig), 2);
	outbox_retry(rig.journal, "1", rig.now_ms, rig_on_json, &rig);
	rig_await(&rig);
	CU_ASSERT_EQUAL(rig.status, CG_OK);
	CU_ASSERT_EQUAL(head(&rig), 1);
	rig_finish(&rig);
}

UNIT_SUITE(lane, UNIT_TEST(lanes_differ_by_every_part),
	UNIT_TEST(answers_come_before_files),
	UNIT_TEST(the_head_moves_on_when_it_finishes),
	UNIT_TEST(an_old_row_that_comes_back_is_the_head));
