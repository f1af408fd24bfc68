/* SPDX-License-Identifier: Apache-2.0 */
/* The page that Markdown is rendered onto: what is owed, indents, marks, spans. */
#include "plugin-api/sdk/markdown_page.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void say(struct cg_page *page, const char *text)
{
	cg_page_begin_text(page);
	cg_page_write(page, text, strlen(text), false);
}

/* Spans as "kind offset+length" in one string. */
static const char *spans_of(const struct cg_page *page)
{
	static char text[256];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < page->span_count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%d %u+%u",
			i > 0 ? "; " : "", (int)page->spans[i].kind,
			(unsigned)page->spans[i].offset, (unsigned)page->spans[i].length);
	return text;
}

static const char *span(enum cg_span_kind kind, unsigned offset, unsigned length)
{
	static char text[32];

	snprintf(text, sizeof(text), "%d %u+%u", (int)kind, offset, length);
	return text;
}

static void line_ends_are_owed_until_text_comes(void)
{
	struct cg_page page;

	cg_page_init(&page, 4096, true);
	cg_page_begin_block(&page);
	say(&page, "one");
	cg_page_begin_block(&page);
	cg_page_begin_block(&page);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&page.text), "one");
	say(&page, "two");
	cg_page_begin_block(&page);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&page.text), "one\n\ntwo");
	CU_ASSERT_EQUAL(cg_page_status(&page), CG_OK);
	cg_page_finish(&page);
}

static void items_have_marks_and_their_text_an_indent(void)
{
	struct cg_page page;

	cg_page_init(&page, 4096, true);
	cg_page_begin_block(&page);
	cg_page_open_list(&page, true, 9, true);
	cg_page_open_item(&page, CG_PAGE_NO_TASK);
	say(&page, "nine");
	cg_page_close_item(&page);
	cg_page_open_item(&page, CG_PAGE_NO_TASK);
	say(&page, "ten");
	cg_page_break_line(&page);
	say(&page, "more");
	cg_page_close_item(&page);
	cg_page_close_list(&page);
	CU_ASSERT_STRING_EQUAL(
		cg_buffer_string(&page.text), "9. nine\n10. ten\n    more");
	cg_page_finish(&page);
}

static void spans_of_a_kind_do_not_nest(void)
{
	struct cg_page page;

	cg_page_init(&page, 4096, true);
	cg_page_begin_block(&page);
	cg_page_begin_text(&page);
	cg_page_open_span(&page, CG_SPAN_BOLD, NULL);
	say(&page, "a");
	cg_page_open_span(&page, CG_SPAN_BOLD, NULL);
	say(&page, "b");
	cg_page_close_span(&page, CG_SPAN_BOLD);
	say(&page, "c");
	cg_page_close_span(&page, CG_SPAN_BOLD);
	cg_page_close_span(&page, CG_SPAN_BOLD); /* was never opened */
	cg_page_end_spans(&page);
	CU_ASSERT_STRING_EQUAL(spans_of(&page), span(CG_SPAN_BOLD, 0, 3));
	cg_page_finish(&page);
}

/* Platforms refuse a text in which code overlaps emphasis. */
static void code_stands_alone(void)
{
	struct cg_page page;
	char expected[64];

	cg_page_init(&page, 4096, true);
	cg_page_begin_block(&page);
	cg_page_begin_text(&page);
	cg_page_open_span(&page, CG_SPAN_BOLD, NULL);
	say(&page, "ab");
	cg_page_open_span(&page, CG_SPAN_CODE, NULL);
	say(&page, "cd");
	cg_page_close_span(&page, CG_SPAN_CODE);
	say(&page, "ef");
	cg_page_close_span(&page, CG_SPAN_BOLD);
	cg_page_end_spans(&page);
	snprintf(expected, sizeof(expected), "%d 0+2; %d 2+2; %d 4+2", (int)CG_SPAN_BOLD,
		(int)CG_SPAN_CODE, (int)CG_SPAN_BOLD);
	CU_ASSERT_STRING_EQUAL(spans_of(&page), expected);
	cg_page_finish(&page);
}

static void a_quote_is_marked_where_spans_are_not_wanted(void)
{
	struct cg_page page;

	cg_page_init(&page, 4096, false);
	cg_page_begin_block(&page);
	cg_page_open_quote(&page);
	cg_page_begin_block(&page);
	say(&page, "said");
	cg_page_close_quote(&page);
	cg_page_end_spans(&page);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&page.text), "> said");
	CU_ASSERT_EQUAL(page.span_count, 0);
	cg_page_finish(&page);
}

static void control_characters_are_left_out(void)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 64);
	cg_page_write_clean(&text, "a\x01\x1B[0mb\nc", 9, false);
	CU_ASSERT_PTR_NULL(strchr(cg_buffer_string(&text), '\x1B'));
	CU_ASSERT_PTR_NULL(strchr(cg_buffer_string(&text), '\n'));
	cg_buffer_clear(&text);
	cg_page_write_clean(&text, "a\nb", 3, true);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&text), "a\nb");
	cg_buffer_finish(&text);
}

static void a_page_has_a_limit(void)
{
	struct cg_page page;

	cg_page_init(&page, 4, true);
	cg_page_begin_block(&page);
	say(&page, "fives");
	CU_ASSERT_EQUAL(cg_page_status(&page), CG_LIMIT);
	cg_page_finish(&page);
}

UNIT_SUITE(markdown_page, UNIT_TEST(line_ends_are_owed_until_text_comes),
	UNIT_TEST(items_have_marks_and_their_text_an_indent),
	UNIT_TEST(spans_of_a_kind_do_not_nest), UNIT_TEST(code_stands_alone),
	UNIT_TEST(a_quote_is_marked_where_spans_are_not_wanted),
	UNIT_TEST(control_characters_are_left_out), UNIT_TEST(a_page_has_a_limit));
