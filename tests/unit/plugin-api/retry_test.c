/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/retry.h>

/* Every delay lies within a fifth of what the schedule says, and both ends are reached. */
static void check(const struct cg_retry_schedule *schedule, unsigned failed, int64_t ms)
{
	int64_t low = INT64_MAX;
	int64_t high = 0;

	for (uint64_t random = 0; random < 10000; random++) {
		int64_t delay = cg_retry_delay(
			schedule, failed, random * UINT64_C(0x9E3779B97F4A7C15));

		low = delay < low ? delay : low;
		high = delay > high ? delay : high;
	}
	CU_ASSERT_TRUE(low >= ms - ms / 5 && low < ms - ms / 6);
	CU_ASSERT_TRUE(high <= ms + ms / 5 && high > ms + ms / 6);
}

static void retry_follows_the_chat_schedule(void)
{
	const int64_t seconds[] = {1, 5, 15, 60, 300, 300};

	for (unsigned i = 0; i < 6; i++)
		check(&cg_retry_chat, i + 1, seconds[i] * 1000);
	check(&cg_retry_chat, 1000000, 300000);
}

static void retry_ends_for_webhooks(void)
{
	const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 36000};

	for (unsigned i = 0; i < 7; i++)
		check(&cg_retry_webhook, i + 1, seconds[i] * 1000);
	CU_ASSERT_EQUAL(cg_retry_delay(&cg_retry_webhook, 8, 1), -1);
	CU_ASSERT_EQUAL(cg_retry_delay(&cg_retry_webhook, UINT32_MAX, 1), -1);
}

static void retry_reconnects_within_bounds(void)
{
	for (unsigned failed = 0; failed < 200; failed++) {
		int64_t high = failed < 6 ? 1000LL << failed : 60000;
		int64_t seen = 0;

		high = high < 60000 ? high : 60000;
		for (uint64_t random = 0; random < 1000; random++) {
			int64_t delay = cg_retry_reconnect(1000, 60000, failed,
				random * UINT64_C(0x9E3779B97F4A7C15));

			CU_ASSERT_TRUE(delay >= 1000 && delay <= high);
			seen = delay > seen ? delay : seen;
		}
		CU_ASSERT_TRUE(seen >= high - high / 10);
	}
	CU_ASSERT_EQUAL(cg_retry_reconnect(5000, 1000, 3, 7), 1000);
	CU_ASSERT_TRUE(cg_retry_reconnect(1, INT64_MAX, UINT32_MAX, UINT64_MAX) > 0);
}

UNIT_SUITE(retry, UNIT_TEST(retry_follows_the_chat_schedule),
	UNIT_TEST(retry_ends_for_webhooks), UNIT_TEST(retry_reconnects_within_bounds));
