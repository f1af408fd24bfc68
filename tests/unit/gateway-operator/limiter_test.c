/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/limiter.h"
#include "tests/unit/unit.h"

static const struct limiter_rule window = {.limit = 3, .window_ms = 60000};
static const struct limiter_rule block = {
	.limit = 3, .window_ms = 60000, .block_ms = 600000};

static struct limiter *make(void)
{
	struct limiter *limiter = NULL;

	CU_ASSERT_EQUAL_FATAL(limiter_create(7, &limiter, NULL), CG_OK);
	return limiter;
}

static void limiter_allows_so_many_in_a_window(void)
{
	struct limiter *limiter = make();

	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &window, 1000 + i), 0);
	CU_ASSERT_EQUAL(limiter_peek(limiter, 1, 1003), 0); /* allowed so far */
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &window, 2000), 59000);
	CU_ASSERT_EQUAL(limiter_peek(limiter, 1, 2000), 59000);
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &window, 60999), 1);
	CU_ASSERT_EQUAL(limiter_hit(limiter, 2, &window, 60999), 0); /* another key */
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &window, 61000), 0);
	limiter_destroy(limiter);
}

static void limiter_block_outlives_its_window(void)
{
	struct limiter *limiter = make();

	for (int i = 0; i < 3; i++)
		limiter_hit(limiter, 1, &block, 0);
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &block, 59999), 600000);
	/* The window rolls over; the block stands. */
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &block, 60000), 599999);
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &block, 659998), 1);
	CU_ASSERT_EQUAL(limiter_peek(limiter, 1, 659999), 0);
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &block, 659999), 0);
	limiter_destroy(limiter);
}

static void limiter_hits_while_blocked_do_not_lengthen_it(void)
{
	struct limiter *limiter = make();

	for (int i = 0; i < 4; i++)
		limiter_hit(limiter, 1, &block, 0);
	for (int64_t now = 0; now < 600000; now += 1000)
		CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &block, now), 600000 - now);
	CU_ASSERT_EQUAL(limiter_hit(limiter, 1, &block, 600000), 0);
	limiter_destroy(limiter);
}

/* Keys of one set: LIMITER_WAYS places. */
static uint64_t key_of(unsigned i)
{
	return (uint64_t)LIMITER_SETS * (i + 1) + 5;
}

static void limiter_gives_up_what_ends_soonest(void)
{
	struct limiter *limiter = make();

	for (unsigned i = 0; i < LIMITER_WAYS; i++)
		limiter_hit(limiter, key_of(i), &window, 1000 - i); /* the last first */
	limiter_hit(limiter, key_of(9), &window, 1000);
	/* key_of(LIMITER_WAYS - 1) is forgotten; the others are not. */
	for (unsigned i = 0; i + 1 < LIMITER_WAYS; i++) {
		limiter_hit(limiter, key_of(i), &window, 1000);
		limiter_hit(limiter, key_of(i), &window, 1000);
		CU_ASSERT(limiter_hit(limiter, key_of(i), &window, 1000) > 0);
	}
	limiter_destroy(limiter);
}

static void limiter_never_drops_a_block_for_another_key(void)
{
	struct limiter *limiter = make();

	for (unsigned i = 0; i + 1 < LIMITER_WAYS; i++)
		for (int k = 0; k < 4; k++)
			limiter_hit(limiter, key_of(i), &block, 0);
	/* A flood of new keys fights for the one place that is left. */
	for (unsigned i = 100; i < 1100; i++)
		CU_ASSERT_EQUAL(limiter_hit(limiter, key_of(i), &window, 50000), 0);
	for (unsigned i = 0; i + 1 < LIMITER_WAYS; i++)
		CU_ASSERT_EQUAL(limiter_peek(limiter, key_of(i), 50000), 550000);
	/* What is over goes first. */
	for (unsigned i = 100; i < 200; i++)
		limiter_hit(limiter, key_of(i), &window, 600000);
	CU_ASSERT_EQUAL(limiter_hit(limiter, key_of(0), &block, 600001), 0);
	limiter_destroy(limiter);
}

static void limiter_keys_are_of_all_their_parts(void)
{
	struct limiter *limiter = make(), *other = NULL;
	uint64_t key = limiter_key(limiter, "request", "10.0.0.1", "telegram");

	CU_ASSERT_EQUAL(key, limiter_key(limiter, "request", "10.0.0.1", "telegram"));
	CU_ASSERT_NOT_EQUAL(key, limiter_key(limiter, "failure", "10.0.0.1", "telegram"));
	CU_ASSERT_NOT_EQUAL(key, limiter_key(limiter, "request", "10.0.0.2", "telegram"));
	CU_ASSERT_NOT_EQUAL(key, limiter_key(limiter, "request", "10.0.0.1", "slack"));
	CU_ASSERT_NOT_EQUAL(
		limiter_key(limiter, "a", "bc", ""), limiter_key(limiter, "ab", "c", ""));
	CU_ASSERT_EQUAL_FATAL(limiter_create(8, &other, NULL), CG_OK);
	CU_ASSERT_NOT_EQUAL(key, limiter_key(other, "request", "10.0.0.1", "telegram"));
	limiter_destroy(limiter);
	limiter_destroy(other);
	limiter_destroy(NULL);
}

UNIT_SUITE(limiter, UNIT_TEST(limiter_allows_so_many_in_a_window),
	UNIT_TEST(limiter_block_outlives_its_window),
	UNIT_TEST(limiter_hits_while_blocked_do_not_lengthen_it),
	UNIT_TEST(limiter_gives_up_what_ends_soonest),
	UNIT_TEST(limiter_never_drops_a_block_for_another_key),
	UNIT_TEST(limiter_keys_are_of_all_their_parts));
