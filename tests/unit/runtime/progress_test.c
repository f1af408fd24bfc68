/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/progress.h"
#include "tests/unit/unit.h"

static void what_stands_still_is_told_by_its_age(void)
{
	struct progress progress = {0};

	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 7, 1000), 0);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 7, 1001), 1);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 7, 61000), 60000);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 8, 61001), 0);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 8, 61003), 2);
}

/* However long it rests, and also before the first look at work that has no number yet. */
static void what_rests_does_not_stand_still(void)
{
	struct progress progress = {0};

	CU_ASSERT_EQUAL(progress_stall_ms(&progress, false, 0, 1000), 0);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, false, 0, 900000), 0);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 0, 900001), 0);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 0, 900011), 10);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, false, 0, 900012), 0);
	CU_ASSERT_EQUAL(progress_stall_ms(&progress, true, 0, 900013), 0);
}

UNIT_SUITE(progress, UNIT_TEST(what_stands_still_is_told_by_its_age),
	UNIT_TEST(what_rests_does_not_stand_still));
