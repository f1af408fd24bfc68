/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/wire.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct telegram_entities made;

static void make(const char *text, const struct cg_span *spans, size_t count)
{
	const struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = CG_OUTBOUND_TEXT,
		.text = text,
		.text_length = strlen(text),
		.spans = spans,
		.span_count = count};

	telegram_entities_make(&outbound, &made);
}

static void check(size_t index, enum cg_span_kind kind, size_t offset, size_t length)
{
	CU_ASSERT_TRUE_FATAL(index < made.count);
	CU_ASSERT_EQUAL(made.items[index].span->kind, kind);
	CU_ASSERT_EQUAL(made.items[index].offset, offset);
	CU_ASSERT_EQUAL(made.items[index].length, length);
}

/* An umlaut is two bytes and one unit, a cow four bytes and two units. */
static void places_count_in_utf16(void)
{
	static const struct cg_span spans[] = {
		{.kind = CG_SPAN_BOLD, .offset = 0, .length = 2},
		{.kind = CG_SPAN_ITALIC, .offset = 2, .length = 4},
		{.kind = CG_SPAN_STRIKE, .offset = 6, .length = 1},
	};

	make("\xC3\xA4\xF0\x9F\x90\x84x", spans, 3);
	CU_ASSERT_EQUAL(made.count, 3);
	check(0, CG_SPAN_BOLD, 0, 1);
	check(1, CG_SPAN_ITALIC, 1, 2);
	check(2, CG_SPAN_STRIKE, 3, 1);
}

static void code_cuts_what_is_around_it(void)
{
	static const struct cg_span spans[] = {
		{.kind = CG_SPAN_BOLD, .offset = 0, .length = 9},
		{.kind = CG_SPAN_CODE, .offset = 3, .length = 3},
	};

	make("abcdefghi", spans, 2);
	CU_ASSERT_EQUAL(made.count, 3);
	check(0, CG_SPAN_BOLD, 0, 3);
	check(1, CG_SPAN_CODE, 3, 3);
	check(2, CG_SPAN_BOLD, 6, 3);
}

static void code_at_an_edge_leaves_no_empty_piece(void)
{
	static const struct cg_span spans[] = {
		{.kind = CG_SPAN_BOLD, .offset = 0, .length = 6},
		{.kind = CG_SPAN_CODE, .offset = 0, .length = 3},
		{.kind = CG_SPAN_CODE, .offset = 3, .length = 3},
	};

	make("abcdef", spans, 3);
	CU_ASSERT_EQUAL(made.count, 2);
	check(0, CG_SPAN_CODE, 0, 3);
	check(1, CG_SPAN_CODE, 3, 3);
}

static void nothing_is_said_twice(void)
{
	static const struct cg_span spans[] = {
		{.kind = CG_SPAN_QUOTE, .offset = 0, .length = 6},
		{.kind = CG_SPAN_QUOTE, .offset = 1, .length = 3},
		{.kind = CG_SPAN_CODE, .offset = 4, .length = 2}, /* a quote may */
		{.kind = CG_SPAN_LINK, .offset = 6, .length = 3, .detail = "https://a"},
		{.kind = CG_SPAN_CODE, .offset = 6, .length = 3}, /* a link may not */
		{.kind = CG_SPAN_PRE, .offset = 9, .length = 3},
		{.kind = CG_SPAN_BOLD, .offset = 10, .length = 1},
	};

	make("abcdefghijkl", spans, 7);
	CU_ASSERT_EQUAL(made.count, 4);
	check(0, CG_SPAN_QUOTE, 0, 6);
	check(1, CG_SPAN_CODE, 4, 2);
	check(2, CG_SPAN_LINK, 6, 3);
	check(3, CG_SPAN_PRE, 9, 3);
}

static void what_lies_outside_is_dropped(void)
{
	static const struct cg_span spans[] = {
		{.kind = CG_SPAN_BOLD, .offset = 0, .length = 0},
		{.kind = CG_SPAN_BOLD, .offset = 2, .length = 2},
		{.kind = CG_SPAN_BOLD, .offset = 4, .length = 1},
		{.kind = CG_SPAN_BOLD, .offset = 1, .length = UINT32_MAX},
		{.kind = CG_SPAN_LINK, .offset = 0, .length = 1}, /* to nowhere */
		{.kind = CG_SPAN_ITALIC, .offset = 2, .length = 1},
	};

	make("abc", spans, 6);
	CU_ASSERT_EQUAL(made.count, 1);
	check(0, CG_SPAN_ITALIC, 2, 1);
}

static void pieces_end_at_a_hundred_too(void)
{
	struct cg_span spans[101] = {{.kind = CG_SPAN_BOLD, .offset = 0, .length = 300}};
	char text[301];

	memset(text, 'a', 300);
	text[300] = '\0';
	for (uint32_t i = 1; i < 101; i++)
		spans[i] = (struct cg_span){
			.kind = CG_SPAN_CODE, .offset = 3 * (i - 1) + 1, .length = 1};
	make(text, spans, 101); /* a hundred of code, a hundred and one of bold */
	CU_ASSERT_EQUAL(made.count, TELEGRAM_ENTITIES);
}

UNIT_SUITE(telegram_entities, UNIT_TEST(places_count_in_utf16),
	UNIT_TEST(code_cuts_what_is_around_it),
	UNIT_TEST(code_at_an_edge_leaves_no_empty_piece),
	UNIT_TEST(nothing_is_said_twice), UNIT_TEST(what_lies_outside_is_dropped),
	UNIT_TEST(pieces_end_at_a_hundred_too));
