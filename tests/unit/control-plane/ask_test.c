/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn has asked, oldest first. */
#include "control-plane/ask.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static void the_oldest_is_due_first(void)
{
	struct ask_list list = {0};
	struct ask ask;

	CU_ASSERT_TRUE(ask_add(&list, "a", false, 10));
	CU_ASSERT_TRUE(ask_add(&list, "b", true, 20));
	CU_ASSERT_FALSE(ask_take_due(&list, 9, &ask));
	CU_ASSERT_TRUE_FATAL(ask_take_due(&list, 10, &ask));
	CU_ASSERT_STRING_EQUAL(ask.id, "a");
	CU_ASSERT_FALSE(ask.question);
	free(ask.id);
	CU_ASSERT_FALSE(ask_take_due(&list, 19, &ask));
	CU_ASSERT_TRUE_FATAL(ask_take_due(&list, 100, &ask));
	CU_ASSERT_TRUE(ask.question);
	free(ask.id);
	CU_ASSERT_FALSE(ask_take_due(&list, 100, &ask));
	CU_ASSERT_EQUAL(list.count, 0);
}

static void what_is_asked_again_has_all_its_time_anew(void)
{
	struct ask_list list = {0};
	struct ask ask;

	ask_add(&list, "a", false, 10);
	ask_add(&list, "b", false, 11);
	ask_add(&list, "a", false, 20);
	CU_ASSERT_EQUAL(list.count, 2);
	CU_ASSERT_TRUE_FATAL(ask_take_due(&list, 15, &ask));
	CU_ASSERT_STRING_EQUAL(ask.id, "b");
	free(ask.id);
	CU_ASSERT_FALSE(ask_take_due(&list, 19, &ask));
	ask_remove(&list, "nothing");
	ask_remove(&list, "a");
	CU_ASSERT_EQUAL(list.count, 0);
	ask_list_finish(&list);
}

static void so_many_are_open_at_once(void)
{
	struct ask_list list = {0};
	char id[16];

	for (int i = 0; i < ASK_MOST; i++) {
		snprintf(id, sizeof(id), "%d", i);
		CU_ASSERT_TRUE(ask_add(&list, id, false, i));
	}
	CU_ASSERT_FALSE(ask_add(&list, "more", false, 0));
	CU_ASSERT_TRUE(ask_add(&list, "7", false, 0)); /* it has a place */
	CU_ASSERT_EQUAL(list.count, ASK_MOST);
	ask_list_finish(&list);
	CU_ASSERT_EQUAL(list.count, 0);
	ask_list_finish(&list);
}

UNIT_SUITE(ask, UNIT_TEST(the_oldest_is_due_first),
	UNIT_TEST(what_is_asked_again_has_all_its_time_anew),
	UNIT_TEST(so_many_are_open_at_once));
