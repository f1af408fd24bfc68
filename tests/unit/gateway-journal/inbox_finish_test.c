/* SPDX-License-Identifier: Apache-2.0 */
/* Closing messages, and what is said about them in the same transaction. */
#include "tests/unit/gateway-journal/journal_rig.h"

static void a_closed_message_is_not_read_again(void)
{
	struct rig rig;

	rig_start(&rig);
	rig_store_message(&rig, "1", "a");
	rig_store_message(&rig, "2", "b");
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, NULL, 0), CG_OK);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 2, INBOX_DEAD, NULL, 0), CG_OK);
	CU_ASSERT_EQUAL(rig_read(&rig, 0), 0);
	CU_ASSERT_EQUAL(rig_figures(&rig).inbox_dead, 1);
	rig_check_figures(&rig);
	/* The row is still the memory of its key. */
	CU_ASSERT_EQUAL(rig_store_message(&rig, "1", "a"), CG_VERDICT_DUPLICATE);
	CU_ASSERT_EQUAL(
		rig_number(&rig, "SELECT count(*) FROM inbox WHERE reason = 'deadline'"),
		1);
	rig_reopen(&rig);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void closing_twice_says_nothing_twice(void)
{
	const struct obligation o = rig_obligation("notice", "chat");
	const struct obligation other = rig_obligation("other", "chat");
	struct rig rig;

	rig_start(&rig);
	rig_store_message(&rig, "1", "a");
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_DEAD, &o, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_HANDED, &other, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 1);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT state FROM inbox"), 2);
	CU_ASSERT_EQUAL(
		rig_finish_message(&rig, 7, INBOX_HANDED, &other, 1), CG_NOT_FOUND);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

static void obligations_that_are_refused_leave_the_message_pending(void)
{
	struct obligation o[] = {
		rig_obligation("1", "chat"), rig_obligation("2", "chat")};
	struct rig rig;

	rig_init(&rig);
	rig.options.outbox_rows = 1;
	rig_open(&rig);
	rig_store_message(&rig, "1", "a");
	o[1].source = "\xff";
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_DEAD, o, 2), CG_INVALID);
	CU_ASSERT_EQUAL(rig_say(&rig, "full", "chat"), CG_OK);
	o[1].source = "b";
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_DEAD, o, 2), CG_LIMIT);
	CU_ASSERT_EQUAL(rig_read(&rig, 0), 1);
	rig_free_messages(&rig);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 1);
	CU_ASSERT_EQUAL(rig_sending(&rig, 1), CG_OK);
	CU_ASSERT_EQUAL(rig_settle_as(&rig, 1, OUTBOX_SENT, 0), CG_OK);
	CU_ASSERT_EQUAL(rig_finish_message(&rig, 1, INBOX_DEAD, o, 2), CG_OK);
	CU_ASSERT_EQUAL(rig_number(&rig, "SELECT count(*) FROM outbox"), 3);
	rig_check_figures(&rig);
	rig_finish(&rig);
}

UNIT_SUITE(inbox_finish, UNIT_TEST(a_closed_message_is_not_read_again),
	UNIT_TEST(closing_twice_says_nothing_twice),
	UNIT_TEST(obligations_that_are_refused_leave_the_message_pending));
