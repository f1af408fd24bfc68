/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/pace.h"
#include "tests/unit/unit.h"

/* How many are handed over in one window, out of @wanted. */
static size_t begin(struct pace *pace, int64_t now_ms, uint64_t stored, size_t wanted)
{
	size_t begun = 0;

	while (begun < wanted && pace_allows(pace, now_ms, stored)) {
		pace_count(pace);
		begun++;
	}
	return begun;
}

static void pace_is_free_without_a_crowd(void)
{
	struct pace pace = {0};
	uint64_t stored = 0;

	for (int64_t now = 1000; now < 3000; now += PACE_WINDOW_MS) {
		CU_ASSERT_EQUAL(begin(&pace, now, stored, 5000), 5000);
		stored += PACE_CROWD; /* the most that is no crowd */
	}
}

static void pace_shares_in_a_crowd(void)
{
	struct pace pace = {0};
	uint64_t stored = 0;
	size_t begun = 0;

	CU_ASSERT_EQUAL(begin(&pace, 1000, stored, 100), 100);
	stored = PACE_CROWD;
	for (int64_t now = 1000 + PACE_WINDOW_MS; now < 2000; now += 10) {
		stored += PACE_CROWD; /* ten times too many */
		begun += begin(&pace, now, stored, 1000);
	}
	/* Neither starved nor more than its share: nine windows. */
	CU_ASSERT_EQUAL(begun, 9 * PACE_SHARE);
	CU_ASSERT_EQUAL(begin(&pace, 2000, stored, 1000), PACE_SHARE);
	/* The first window without a crowd is judged at its end. */
	CU_ASSERT_EQUAL(begin(&pace, 2000 + PACE_WINDOW_MS, stored, 1000), 1000);
}

static void pace_sees_a_crowd_at_once(void)
{
	struct pace pace = {0};

	CU_ASSERT_EQUAL(begin(&pace, 1000, 0, PACE_SHARE + 1), PACE_SHARE + 1);
	CU_ASSERT_TRUE(pace_allows(&pace, 1001, PACE_CROWD));
	CU_ASSERT_FALSE(pace_allows(&pace, 1001, PACE_CROWD + 1));
}

static void pace_says_when_to_ask_again(void)
{
	struct pace pace = {0};

	begin(&pace, 1000, 0, 1);
	begin(&pace, 1000 + PACE_WINDOW_MS, PACE_CROWD + 1, 1000);
	CU_ASSERT_FALSE(pace_allows(&pace, 1001 + PACE_WINDOW_MS, 0));
	CU_ASSERT_EQUAL(pace_wait_ms(&pace, 1001 + PACE_WINDOW_MS), PACE_WINDOW_MS - 1);
	CU_ASSERT_EQUAL(pace_wait_ms(&pace, 5000), 0);
}

static void pace_takes_an_old_burst_for_what_it_is(void)
{
	struct pace pace = {0};

	begin(&pace, 1000, 0, 1);
	/* Many, but over a minute in which nobody asked. */
	CU_ASSERT_EQUAL(begin(&pace, 61000, PACE_CROWD * 100, 1000), 1000);
	CU_ASSERT_EQUAL(begin(&pace, 121000, PACE_CROWD * 1000, 1000), PACE_SHARE);
}

UNIT_SUITE(pace, UNIT_TEST(pace_is_free_without_a_crowd),
	UNIT_TEST(pace_shares_in_a_crowd), UNIT_TEST(pace_sees_a_crowd_at_once),
	UNIT_TEST(pace_says_when_to_ask_again),
	UNIT_TEST(pace_takes_an_old_burst_for_what_it_is));
