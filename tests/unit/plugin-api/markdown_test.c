/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tags[] = {"b", "i", "s", "c", "pre", "a", "q"};

/* The result with its spans written as tags, which the caller frees: <a=url>name</a>. */
static char *tagged(const char *source, size_t length, bool spans)
{
	struct cg_markdown markdown = {0};
	struct cg_buffer out;
	size_t open[8];
	size_t depth = 0;
	size_t next = 0;

	CU_ASSERT_EQUAL_FATAL(
		cg_markdown_render(source, length, spans, &markdown), CG_OK);
	CU_ASSERT_EQUAL(strlen(markdown.text), markdown.length);
	cg_buffer_init(&out, 1u << 20);
	for (size_t at = 0; at <= markdown.length; at++) {
		while (depth > 0 &&
			markdown.spans[open[depth - 1]].offset +
					markdown.spans[open[depth - 1]].length ==
				at)
			cg_buffer_format(
				&out, "</%s>", tags[markdown.spans[open[--depth]].kind]);
		for (; next < markdown.span_count && markdown.spans[next].offset == at;
			next++) {
			const struct cg_span *span = &markdown.spans[next];

			CU_ASSERT_FATAL(depth < 8);
			open[depth++] = next;
			cg_buffer_format(&out, span->detail != NULL ? "<%s=%s>" : "<%s>",
				tags[span->kind], span->detail);
		}
		if (at < markdown.length)
			cg_buffer_char(&out, markdown.text[at]);
	}
	CU_ASSERT_EQUAL(depth, 0);
	CU_ASSERT_EQUAL(next, markdown.span_count);
	cg_markdown_finish(&markdown);
	return cg_buffer_take(&out, NULL);
}

static void check_form(const char *source, bool spans, const char *expected)
{
	char *got = tagged(source, strlen(source), spans);

	CU_ASSERT_STRING_EQUAL(got, expected);
	if (strcmp(got, expected) != 0)
		printf("\nsource   %s\ngot      %s\nexpected %s\n", source, got,
			expected);
	free(got);
}

static void check(const char *source, const char *expected)
{
	check_form(source, true, expected);
}

static void check_plain(const char *source, const char *expected)
{
	check_form(source, false, expected);
}

static void markdown_keeps_plain_text(void)
{
	check("", "");
	check("   \n\n", "");
	check("Hello, world.", "Hello, world.");
	check("one\ntwo  \nthree\n\n\n\nfour\n", "one\ntwo\nthree\n\nfour");
	check("a_b_c 2 * 3 * 4 <b>raw</b> **open", "a_b_c 2 * 3 * 4 <b>raw</b> **open");
	check("<script>alert(1)</script>", "<script>alert(1)</script>");
	check("\\*not\\* \\# it", "*not* # it");
}

static void markdown_marks_emphasis(void)
{
	check("**b** *i* ~~s~~ `c` ***bi***",
		"<b>b</b> <i>i</i> <s>s</s> <c>c</c> <i><b>bi</b></i>");
	check("**bold *and* more**", "<b>bold <i>and</i> more</b>");
	check("**a **b** c**", "<b>a b c</b>");
	check("`` a`b ``", "<c>a`b</c>");
	check("# One **two** `x`\ntext", "<b>One two </b><c>x</c>\n\ntext");
	/* Code stands alone: emphasis ends before it and begins again behind it. */
	check("**a `b` c *d `e`* f**",
		"<b>a </b><c>b</c><b> c <i>d </i></b><c>e</c><b> f</b>");
	check("**`a`**", "<c>a</c>");
	check("*`a` b `c`*", "<c>a</c><i> b </i><c>c</c>");
	check("[`a`](https://x.example/)", "<a=https://x.example/>a</a>");
	check("Title\n=====\ntext", "<b>Title</b>\n\ntext");
	check("#\n\ntext", "text");
	check_plain("# One **two**\n`x`", "One two\n\nx");
	/* A character of many bytes stays whole beside a mark. */
	check("**\xC3\xA4\xF0\x9F\x90\x84**\xE2\x82\xAC",
		"<b>\xC3\xA4\xF0\x9F\x90\x84</b>\xE2\x82\xAC");
}

static void markdown_links_what_is_safe(void)
{
	check("[name](https://x.org/?a=1&amp;b=2)", "<a=https://x.org/?a=1&b=2>name</a>");
	check("[**n** x](http://x.org)", "<a=http://x.org><b>n</b> x</a>");
	check("[n](tg://user?id=1) [n](MAILTO:a@b.org)",
		"<a=tg://user?id=1>n</a> <a=MAILTO:a@b.org>n</a>");
	check("https://x.org/a_b, <https://y.org>",
		"<a=https://x.org/a_b>https://x.org/a_b</a>, "
		"<a=https://y.org>https://y.org</a>");
	check("[n](javascript:alert) [n](docs/a.md) [n](#top) [n]()",
		"n (javascript:alert) n (docs/a.md) n (#top) n");
	check("[n](https://x.org/\xC2\x85) [n](<https://x.org/a b>) [n](http://)",
		"n (https://x.org/) n (https://x.org/a b) n (http://)");
	check("[](https://x.org)", "<a=https://x.org>https://x.org</a>");
	check("![alt](https://x.org/i.png) ![](https://x.org/j.png)",
		"<a=https://x.org/i.png>alt</a> "
		"<a=https://x.org/j.png>https://x.org/j.png</a>");
	check("[![badge](http://i.org)](http://o.org)", "<a=http://o.org>badge</a>");
	check("[r][1]\n\n[1]: https://x.org \"title\"", "<a=https://x.org>r</a>");
	check("<a@b.org>", "<a=mailto:a@b.org>a@b.org</a>");
	check_plain("[name](https://x.org) https://y.org <a@b.org> ![i](http://z.org)",
		"name (https://x.org) https://y.org a@b.org i (http://z.org)");
}

static void markdown_writes_out_long_urls(void)
{
	char source[2200] = "[n](http://";
	char *got;

	memset(source + 11, 'a', 2041);
	memcpy(source + 11 + 2041, ")", 2);
	got = tagged(source, strlen(source), true);
	CU_ASSERT_EQUAL(strncmp(got, "<a=http://aaa", 13), 0);
	free(got);
	memcpy(source + 11 + 2041, "a)", 3);
	got = tagged(source, strlen(source), true);
	CU_ASSERT_EQUAL(strncmp(got, "n (http://aaa", 13), 0);
	free(got);
}

static void markdown_lists(void)
{
	check("- one\n- two\n  more\n- three", "• one\n• two\n  more\n• three");
	check("3. three\n4. four\n\ntext", "3. three\n4. four\n\ntext");
	check("- a\n  - b\n    - c\n- d", "• a\n  • b\n    • c\n• d");
	check("1. a\n   - b\n2. c", "1. a\n   • b\n2. c");
	check("- a\n\n  b\n\n- c", "• a\n\n  b\n\n• c");
	check("- [ ] open\n- [x] done", "☐ open\n☑ done");
	check("9. a\n10. b\n    c", "9. a\n10. b\n    c");
	check("-\n- b\n-", "• \n• b\n• ");
	check("- - a\n- b", "• • a\n• b");
	check("- **a**\n- `b`", "• <b>a</b>\n• <c>b</c>");
	check("text\n- a\n\ntext", "text\n\n• a\n\ntext");
	check("- # head\n- b", "• <b>head</b>\n• b");
	check("- ```sh\n  ls\n  ```\n- b", "• \n<pre=sh>ls</pre>\n• b");
}

static void markdown_quotes(void)
{
	check("> a\n> b\n\nc", "<q>a\nb</q>\n\nc");
	check("> a\n>\n> > b\n\nc", "<q>a\n\nb</q>\n\nc");
	check("> - a\n> - **b**", "<q>• a\n• <b>b</b></q>");
	check("- > a\n- b", "• <q>a</q>\n• b");
	check(">\n\nx", "x");
	check("x\n\n> # h\n> t", "x\n\n<q><b>h</b>\n\nt</q>");
	check_plain("> a\n> b\n\n> c", "> a\n> b\n\n> c");
	check_plain("- > a\n  > b", "• > a\n  > b");
}

static void markdown_keeps_code_as_it_is(void)
{
	check("```c\nif (a < b) {\n\n  *x* = `y`;\n}\n```",
		"<pre=c>if (a < b) {\n\n  *x* = `y`;\n}</pre>");
	check("a\n```\nx\n```\nb", "a\n\n<pre>x</pre>\n\nb");
	check("```c++ title=x\nx\n```", "<pre=c++>x</pre>");
	check("```<b>\nx\n```", "<pre>x</pre>");
	check("```averyveryverylongnameofalanguagex\nx\n```", "<pre>x</pre>");
	check("```\n```\nx", "x");
	check("    indented\n    code\n\nx", "<pre>indented\ncode</pre>\n\nx");
	check("```sh\nunclosed", "<pre=sh>unclosed</pre>");
	check_plain("```c\n  x\n```", "  x");
	check("---\n\na\n\n***", "────────\n\na\n\n────────");
}

static void markdown_aligns_tables(void)
{
	check("| Name | Qty |\n|:-----|----:|\n| Apple | 3 |\n| **日本** | 12 |\n",
		"<pre>Name  | Qty\n------+----\nApple |   3\n日本  |  12</pre>");
	check("|a|b|c|\n|---|:---:|---|\n|1|222|\n|x|y|z|too many|\n\nend",
		"<pre>a |  b  | c\n--+-----+--\n1 | 222 |\nx |  y  | z</pre>\n\nend");
	check("|a|\n|---|\n|[n](http://x.org) `c`|",
		"<pre>a\n------------------\nn (http://x.org) c</pre>");
	check_plain("|a|\n|---|\n|b|", "a\n-\nb");
}

static void markdown_decodes_entities(void)
{
	check("&amp;&lt;&gt;&quot;&copy;&hellip;&euro;", "&<>\"©…€");
	check("&#65;&#x42;&#x1F404;", "AB\xF0\x9F\x90\x84");
	check("&#0; &#xD800; &#x110000; &#27;",
		"\xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD");
	check("&nosuch; &AMP &; &#; &CounterClockwiseContourIntegral;",
		"&nosuch; &AMP &; &#; &CounterClockwiseContourIntegral;");
}

static void markdown_survives_any_bytes(void)
{
	static const char bytes[] = "a\xFF"
				    "b\0c\x1B[31m\x07 \xC2\x9B";
	char *got = tagged(bytes, sizeof(bytes) - 1, true);

	CU_ASSERT_STRING_EQUAL(got, "a\xEF\xBF\xBD"
				    "b\xEF\xBF\xBD"
				    "c[31m ");
	free(got);
}

/* md4c opens a span that it never closes when the closing mark lies in a URL. */
static void markdown_outlives_unclosed_spans(void)
{
	check("**a http://x.org/b**c\n\n**d**",
		"a <a=http://x.org/b**c>http://x.org/b**c</a>\n\n<b>d</b>");
	check("- *a http://x.org/b*c\n- *d*",
		"• a <a=http://x.org/b*c>http://x.org/b*c</a>\n• <i>d</i>");
}

/* Nor does the byte behind its input matter to it any more: here a bracket. */
static void markdown_reads_no_further_than_its_input(void)
{
	char *got = tagged("a\n\n![i](ht`*c)", 13, true);

	CU_ASSERT_STRING_EQUAL(got, "a\n\n![i](ht`*c");
	free(got);
}

static void markdown_is_bounded(void)
{
	size_t size = CG_MARKDOWN_MAX + 1;
	char *source = malloc(size);
	struct cg_markdown markdown = {0};

	memset(source, 'x', size);
	CU_ASSERT_EQUAL(cg_markdown_render(source, size, true, &markdown), CG_LIMIT);
	CU_ASSERT_EQUAL(cg_markdown_render(source, size - 1, true, &markdown), CG_OK);
	CU_ASSERT_EQUAL(markdown.length, size - 1);
	cg_markdown_finish(&markdown);
	/* Text may be longer than its source. */
	for (size_t i = 0; i + 1 < size - 1; i += 2)
		memcpy(source + i, "-\n", 2);
	CU_ASSERT_EQUAL(cg_markdown_render(source, size - 1, true, &markdown), CG_LIMIT);
	CU_ASSERT_PTR_NULL(markdown.text);
	/* Beyond the cap there are no further spans, but all of the text. */
	for (size_t i = 0; i < (CG_MARKDOWN_SPANS + 10) * 6; i += 6)
		memcpy(source + i, "**x** ", 6);
	size = (CG_MARKDOWN_SPANS + 10) * 6 - 1;
	CU_ASSERT_EQUAL(cg_markdown_render(source, size, true, &markdown), CG_OK);
	CU_ASSERT_EQUAL(markdown.span_count, CG_MARKDOWN_SPANS);
	CU_ASSERT_EQUAL(markdown.length, (CG_MARKDOWN_SPANS + 10) * 2 - 1);
	cg_markdown_finish(&markdown);
	cg_markdown_finish(&markdown);
	cg_markdown_finish(NULL);
	free(source);
}

/* A table of too many cells is refused, one more row than fits. */
static void markdown_bounds_tables(void)
{
	char *source = malloc(CG_MARKDOWN_MAX);
	struct cg_markdown markdown = {0};
	size_t length = 0;

	length += (size_t)snprintf(source, 100, "|a|b|c|d|\n|---|---|---|---|\n");
	for (int i = 0; i < 65536 / 4 - 1; i++, length += 9)
		memcpy(source + length, "|1|2|3|4\n", 9);
	CU_ASSERT_EQUAL(cg_markdown_render(source, length, true, &markdown), CG_OK);
	cg_markdown_finish(&markdown);
	memcpy(source + length, "|1|2|3|4\n", 9);
	CU_ASSERT_EQUAL(
		cg_markdown_render(source, length + 9, true, &markdown), CG_LIMIT);
	free(source);
}

/* Deep nesting costs neither stack nor indent without end. */
static void markdown_bounds_nesting(void)
{
	char source[3000];
	struct cg_markdown markdown = {0};

	for (int plain = 0; plain < 2; plain++) {
		memset(source, '>', sizeof(source) - 1);
		source[sizeof(source) - 1] = 'x';
		CU_ASSERT_EQUAL(
			cg_markdown_render(source, sizeof(source), !plain, &markdown),
			CG_OK);
		CU_ASSERT_TRUE(markdown.length <= 2 * 32 + 1);
		CU_ASSERT_EQUAL(markdown.span_count, plain ? 0 : 1);
		cg_markdown_finish(&markdown);
		for (size_t i = 0; i + 2 < sizeof(source); i += 2)
			memcpy(source + i, "- ", 2);
		CU_ASSERT_EQUAL(
			cg_markdown_render(source, sizeof(source), !plain, &markdown),
			CG_OK);
		cg_markdown_finish(&markdown);
	}
}

UNIT_SUITE(markdown, UNIT_TEST(markdown_keeps_plain_text),
	UNIT_TEST(markdown_marks_emphasis), UNIT_TEST(markdown_links_what_is_safe),
	UNIT_TEST(markdown_writes_out_long_urls), UNIT_TEST(markdown_lists),
	UNIT_TEST(markdown_quotes), UNIT_TEST(markdown_keeps_code_as_it_is),
	UNIT_TEST(markdown_aligns_tables), UNIT_TEST(markdown_decodes_entities),
	UNIT_TEST(markdown_survives_any_bytes),
	UNIT_TEST(markdown_outlives_unclosed_spans),
	UNIT_TEST(markdown_reads_no_further_than_its_input),
	UNIT_TEST(markdown_is_bounded), UNIT_TEST(markdown_bounds_tables),
	UNIT_TEST(markdown_bounds_nesting));
