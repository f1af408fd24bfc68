/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/breaker.h"

#include "tests/unit/unit.h"

static void fail(struct breaker *breaker, int times)
{
	for (int i = 0; i < times; i++) {
		CU_ASSERT_EQUAL(breaker_ask(breaker, 0), 0);
		CU_ASSERT_EQUAL(breaker_tell(breaker, false, 0), i == 4);
	}
}

static void five_failures_in_a_row_open_it(void)
{
	struct breaker breaker = {.failures = 0};

	fail(&breaker, 4);
	CU_ASSERT_FALSE(breaker_tell(&breaker, true, 0));
	fail(&breaker, 4);
	CU_ASSERT_FALSE(breaker_is_open(&breaker));
	CU_ASSERT_TRUE(breaker_tell(&breaker, false, 0));
	CU_ASSERT_TRUE(breaker_is_open(&breaker));
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 0), 30000);
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 29999), 1);
}

static void one_probe_decides(void)
{
	struct breaker breaker = {.failures = 0};

	fail(&breaker, 5);
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 30000), 0);
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 30000), BREAKER_PROBE_MS);
	CU_ASSERT_FALSE(breaker_tell(&breaker, false, 31000));
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 31000), 60000);
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 91000), 0);
	CU_ASSERT_TRUE(breaker_tell(&breaker, true, 91000));
	CU_ASSERT_FALSE(breaker_is_open(&breaker));
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 91000), 0);
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 91000), 0);
}

static void it_is_never_left_alone_for_longer_than_five_minutes(void)
{
	struct breaker breaker = {.failures = 0};
	int64_t now = 0;

	fail(&breaker, 5);
	for (int i = 0; i < 40; i++) {
		now += breaker_ask(&breaker, now);
		CU_ASSERT_EQUAL(breaker_ask(&breaker, now), 0);
		breaker_tell(&breaker, false, now);
		CU_ASSERT_TRUE(breaker_ask(&breaker, now) <= BREAKER_LAST_MS);
	}
	CU_ASSERT_EQUAL(breaker_ask(&breaker, now), BREAKER_LAST_MS);
}

/* Deliveries that had begun before fail, too: that is the same failure. */
static void stragglers_do_not_prolong_it(void)
{
	struct breaker breaker = {.failures = 0};

	fail(&breaker, 5);
	CU_ASSERT_FALSE(breaker_tell(&breaker, false, 20000));
	CU_ASSERT_EQUAL(breaker_ask(&breaker, 20000), 10000);
}

UNIT_SUITE(webhook_breaker, UNIT_TEST(five_failures_in_a_row_open_it),
	UNIT_TEST(one_probe_decides),
	UNIT_TEST(it_is_never_left_alone_for_longer_than_five_minutes),
	UNIT_TEST(stragglers_do_not_prolong_it));
