/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/live.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct live_table table;

static void live_finds_what_it_made(void)
{
	struct live *one, *other;

	memset(&table, 0, sizeof(table));
	CU_ASSERT_PTR_NULL(live_any(&table));
	one = live_get(&table, 7);
	other = live_get(&table, 7 + LIVE_BUCKETS); /* the same bucket */
	CU_ASSERT_PTR_EQUAL(live_get(&table, 7), one);
	CU_ASSERT_PTR_EQUAL(live_find(&table, 7 + LIVE_BUCKETS), other);
	CU_ASSERT_PTR_NULL(live_find(&table, 8));
	live_release(&table, one);
	CU_ASSERT_PTR_NULL(live_find(&table, 7));
	CU_ASSERT_PTR_EQUAL(live_find(&table, 7 + LIVE_BUCKETS), other);
	CU_ASSERT_PTR_EQUAL(live_any(&table), other);
	live_release(&table, other);
	CU_ASSERT_PTR_NULL(live_any(&table));
}

static void live_stays_while_something_goes_on(void)
{
	struct live *one;
	char busy;

	memset(&table, 0, sizeof(table));
	one = live_get(&table, 1);
	one->turn = (struct turn *)(void *)&busy;
	live_release(&table, one);
	CU_ASSERT_PTR_EQUAL(live_find(&table, 1), one);
	one->turn = NULL;
	one->streams = (struct plane_exchange *)(void *)&busy;
	live_release(&table, one);
	CU_ASSERT_PTR_EQUAL(live_find(&table, 1), one);
	one->streams = NULL;
	live_release(&table, one);
	CU_ASSERT_PTR_NULL(live_find(&table, 1));
}

UNIT_SUITE(live, UNIT_TEST(live_finds_what_it_made),
	UNIT_TEST(live_stays_while_something_goes_on));
