/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/guard.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static void conversations_have_a_speed(void)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	char sender[32];

	CU_ASSERT_PTR_NOT_NULL_FATAL(guard);
	for (int i = 0; i < GUARD_MAILS; i++)
		CU_ASSERT_TRUE(guard_allow(guard, "a", "t", i));
	CU_ASSERT_FALSE(guard_allow(guard, "a", "t", 100));
	CU_ASSERT_TRUE(guard_allow(guard, "a", "u", 100));
	CU_ASSERT_FALSE(guard_allow(guard, "a", "t", GUARD_WINDOW_MS - 1));
	/* Strangers without number do not push the busy one out. */
	for (int i = 0; i < 2 * GUARD_ENTRIES; i++) {
		snprintf(sender, sizeof(sender), "s%d", i);
		CU_ASSERT_TRUE(guard_allow(guard, sender, "t", 200));
	}
	CU_ASSERT_FALSE(guard_allow(guard, "a", "t", 300));
	CU_ASSERT_TRUE(guard_allow(guard, "a", "t", GUARD_WINDOW_MS));
	free(guard);
}

/* The window of a conversation begins with its first mail, not with its last. */
static void a_window_ends_for_each_by_itself(void)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	CU_ASSERT_PTR_NOT_NULL_FATAL(guard);
	for (int i = 0; i < GUARD_MAILS; i++) {
		CU_ASSERT_TRUE(guard_allow(guard, "early", "t", 0));
		CU_ASSERT_TRUE(guard_allow(guard, "late", "t", GUARD_WINDOW_MS / 2));
	}
	CU_ASSERT_TRUE(guard_allow(guard, "early", "t", GUARD_WINDOW_MS));
	CU_ASSERT_FALSE(guard_allow(guard, "late", "t", GUARD_WINDOW_MS));
	CU_ASSERT_TRUE(
		guard_allow(guard, "late", "t", GUARD_WINDOW_MS + GUARD_WINDOW_MS / 2));
	free(guard);
}

/* What is said by "a" in "bc" counts nothing against "ab" in "c". */
static void sender_and_thread_do_not_run_together(void)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	CU_ASSERT_PTR_NOT_NULL_FATAL(guard);
	for (int i = 0; i < GUARD_MAILS; i++)
		CU_ASSERT_TRUE(guard_allow(guard, "a", "bc", 0));
	CU_ASSERT_FALSE(guard_allow(guard, "a", "bc", 0));
	CU_ASSERT_TRUE(guard_allow(guard, "ab", "c", 0));
	free(guard);
}

UNIT_SUITE(email_guard, UNIT_TEST(conversations_have_a_speed),
	UNIT_TEST(a_window_ends_for_each_by_itself),
	UNIT_TEST(sender_and_thread_do_not_run_together));
