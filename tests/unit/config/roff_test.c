/* SPDX-License-Identifier: Apache-2.0 */
/* Text as the formatter of manual pages wants it. */
#include "config/roff.h"

#include "tests/unit/unit.h"

static void check(const char *text, const char *expected)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 256);
	roff_text(&buffer, text);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), expected);
	cg_buffer_finish(&buffer);
}

static void text_reads_as_it_is(void)
{
	check("", "");
	check("plain", "plain");
	check("a-b", "a\\-b");
	check("C:\\x", "C:\\ex");
	check("two\nlines", "two lines");
	/* At the beginning of a line these would be requests. */
	check(".env", "\\&.env");
	check("'x'", "\\&'x'");
	check("a.b'c", "a.b'c");
	/* Formatters read bytes: beyond ASCII a character has a name. */
	check("1 \xe2\x80\xa6 2", "1 \\[u2026] 2");
	check("\xf0\x9f\x90\x84", "\\[u1F404]");
	check("\xff!", "\\[uFFFD]!");
}

UNIT_SUITE(roff, UNIT_TEST(text_reads_as_it_is));
