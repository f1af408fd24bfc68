/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/line_reader.h"
#include "tests/unit/unit.h"

#include <string.h>

#define LIMIT 8

/* "line|" for a whole line, "line~" for one that was cut. */
struct heard {
	struct line_reader reader;
	struct cg_buffer text;
};

static void on_line(void *arg, const char *line, size_t length, bool whole)
{
	struct heard *heard = arg;

	CU_ASSERT_EQUAL(line[length], '\0');
	cg_buffer_add(&heard->text, line, length);
	cg_buffer_char(&heard->text, whole ? '|' : '~');
}

static void heard_init(struct heard *heard)
{
	cg_buffer_init(&heard->text, 4096);
	line_reader_init(&heard->reader, LIMIT, on_line, heard);
}

static void heard_finish(struct heard *heard)
{
	line_reader_finish(&heard->reader);
	cg_buffer_finish(&heard->text);
}

static void expect(const char *fed, const char *wanted)
{
	/* In one piece, and byte by byte. */
	for (size_t step = strlen(fed); step > 0; step = step > 1 ? 1 : 0) {
		struct heard heard;

		heard_init(&heard);
		for (size_t at = 0; at < strlen(fed); at += step)
			CU_ASSERT_EQUAL(
				line_reader_feed(&heard.reader, fed + at, step), CG_OK);
		line_reader_end(&heard.reader);
		CU_ASSERT_STRING_EQUAL(cg_buffer_string(&heard.text), wanted);
		heard_finish(&heard);
	}
}

static void lines_end_in_either_way(void)
{
	expect("one\ntwo\r\n\nfour", "one|two||four|");
	expect("a\rb\n", "a\rb|");
	expect("", "");
	expect("\n", "|");
}

static void a_line_at_the_limit_is_whole(void)
{
	expect("12345678\n", "12345678|");
	expect("12345678\r\n", "12345678|");
	expect("12345678", "12345678|");
}

static void a_longer_line_is_cut_once(void)
{
	expect("123456789\nnext\n", "12345678~next|");
	expect("12345678901234567890\nnext\n", "12345678~next|");
	expect("123456789", "12345678~");
	expect("123456789012", "12345678~");
}

UNIT_SUITE(line_reader, UNIT_TEST(lines_end_in_either_way),
	UNIT_TEST(a_line_at_the_limit_is_whole), UNIT_TEST(a_longer_line_is_cut_once));
