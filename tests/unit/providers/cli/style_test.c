/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cli/style.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/markdown.h>
#include <string.h>

/* @source as an agent wrote it, on a terminal of @columns. */
static void check(const char *source, size_t columns, const char *expected)
{
	struct cg_markdown markdown = {0};
	struct cg_outbound outbound = {.size = sizeof(outbound)};
	struct cg_buffer shown;

	CU_ASSERT_EQUAL_FATAL(
		cg_markdown_render(source, strlen(source), true, &markdown), CG_OK);
	outbound.text = markdown.text;
	outbound.text_length = markdown.length;
	outbound.spans = markdown.spans;
	outbound.span_count = markdown.span_count;
	cg_buffer_init(&shown, 65536);
	cli_style(&outbound, columns, &shown);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&shown), expected);
	cg_buffer_finish(&shown);
	cg_markdown_finish(&markdown);
}

static void spans_become_colours(void)
{
	check("plain", 80, "plain");
	check("a **b** c", 80, "a \033[1mb\033[0m c");
	check("**b *i* b**", 80, "\033[1mb \033[3mi\033[0m\033[1m b\033[0m");
	check("`x`", 80, "\033[36mx\033[0m");
}

static void links_say_where_they_lead(void)
{
	check("[here](http://a.org)", 80, "\033[4mhere\033[0m (http://a.org)");
	check("<http://a.org>", 80, "\033[4mhttp://a.org\033[0m");
}

static void lines_break_between_words(void)
{
	check("one two three four", 9, "one two\nthree\nfour");
	check("one two three four", 0, "one two three four");
	check("a **bold word** here", 8, "a \033[1mbold\nword\033[0m\nhere");
	check("averylongwordwithoutspace x", 10, "averylongwordwithoutspace\nx");
	/* Wide characters count twice; code is left as it is. */
	check("\xE4\xBD\xA0\xE5\xA5\xBD \xE4\xBD\xA0\xE5\xA5\xBD", 6,
		"\xE4\xBD\xA0\xE5\xA5\xBD\n\xE4\xBD\xA0\xE5\xA5\xBD");
	check("```\none two three four\n```", 9, "\033[36mone two three four\033[0m");
}

static void nothing_steers_the_terminal(void)
{
	struct cg_buffer shown;

	cg_buffer_init(&shown, 1000);
	cli_style_plain("a\tb\n\x1B[2J\xC2\x9B\x07\xFFz", 13, &shown);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&shown),
		"a\tb\n\xEF\xBF\xBD[2J\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
	cg_buffer_finish(&shown);
}

/* Spans that no renderer of ours makes do no harm. */
static void foolish_spans_are_borne(void)
{
	struct cg_span spans[40];
	struct cg_outbound outbound = {
		.text = "ab", .text_length = 2, .spans = spans, .span_count = 40};
	struct cg_buffer shown;

	for (size_t i = 0; i < 40; i++)
		spans[i] = (struct cg_span){CG_SPAN_BOLD, 0, i == 3 ? 99 : 2, NULL};
	cg_buffer_init(&shown, 4096);
	cli_style(&outbound, 80, &shown);
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&shown), "ab\033[0m"));
	cg_buffer_finish(&shown);
}

UNIT_SUITE(cli_style, UNIT_TEST(spans_become_colours),
	UNIT_TEST(links_say_where_they_lead), UNIT_TEST(lines_break_between_words),
	UNIT_TEST(nothing_steers_the_terminal), UNIT_TEST(foolish_spans_are_borne));
