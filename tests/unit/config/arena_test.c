/* SPDX-License-Identifier: Apache-2.0 */
#include "config/arena.h"

#include "tests/unit/unit.h"

#include <stdint.h>
#include <string.h>

static void pieces_are_zeroed_and_aligned(void)
{
	struct arena arena = {0};

	for (size_t size = 1; size < 300; size++) {
		unsigned char *piece = arena_alloc(&arena, size);

		CU_ASSERT_PTR_NOT_NULL_FATAL(piece);
		CU_ASSERT_EQUAL((uintptr_t)piece % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			CU_ASSERT_EQUAL(piece[i], 0);
		memset(piece, 0xff, size);
	}
	arena_finish(&arena);
}

static void large_pieces_have_their_own_block(void)
{
	struct arena arena = {0};
	char *small = arena_text(&arena, "small");
	char *large = arena_alloc(&arena, 100000);

	memset(large, 'x', 100000);
	CU_ASSERT_STRING_EQUAL(small, "small");
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 0));
	arena_finish(&arena);
}

static void failure_is_remembered(void)
{
	struct arena arena = {0};

	CU_ASSERT_PTR_NULL(arena_alloc(&arena, SIZE_MAX));
	CU_ASSERT_TRUE(arena.failed);
	CU_ASSERT_PTR_NULL(arena_alloc(&arena, 1));
	CU_ASSERT_PTR_NULL(arena_text(&arena, "x"));
	arena_finish(&arena);
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 1));
	arena_finish(&arena);
}

static void texts_are_copied_and_trimmed(void)
{
	static const struct {
		const char *text, *trimmed;
	} rows[] = {
		{"a", "a"},
		{"  a b \t\r\n", "a b"},
		{" \n ", NULL},
		{"", NULL},
	};
	struct arena arena = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = arena_trim(&arena, rows[i].text, strlen(rows[i].text));

		if (rows[i].trimmed == NULL)
			CU_ASSERT_PTR_NULL(text)
		else
			CU_ASSERT_STRING_EQUAL(text, rows[i].trimmed);
	}
	CU_ASSERT_PTR_NULL(arena_trim(&arena, NULL, 0));
	CU_ASSERT_PTR_NULL(arena_text(&arena, NULL));
	CU_ASSERT_STRING_EQUAL(arena_copy(&arena, "abcdef", 3), "abc");
	CU_ASSERT_STRING_EQUAL(arena_format(&arena, "%s-%d", "n", 7), "n-7");
	arena_finish(&arena);
}

UNIT_SUITE(arena, UNIT_TEST(pieces_are_zeroed_and_aligned),
	UNIT_TEST(large_pieces_have_their_own_block), UNIT_TEST(failure_is_remembered),
	UNIT_TEST(texts_are_copied_and_trimmed));
