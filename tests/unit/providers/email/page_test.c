/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/page.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void check_read(const char *html, const char *wanted)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 65536);
	CU_ASSERT_EQUAL(page_read(&text, html, strlen(html)), CG_OK);
	if (strcmp(cg_buffer_string(&text), wanted) != 0)
		fprintf(stderr, "[%s] became [%s]\n", html, cg_buffer_string(&text));
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&text), wanted);
	cg_buffer_finish(&text);
}

static void pages_become_text(void)
{
	check_read(
		"<p>One<br>two</p><p>three &amp; four</p>", "One\ntwo\n\nthree & four");
	check_read("<ul><li>a</li><li>b</li></ul>end", "- a\n- b\n\nend");
	check_read("<a href=\"https://x.org/a\">there</a>", "there (https://x.org/a)");
	check_read("<a href='https://x.org'>https://x.org</a>", "https://x.org");
	check_read("<a href=\"javascript:x\">no</a>", "no");
	check_read("mine<blockquote>old<blockquote>older</blockquote></blockquote>",
		"mine\n\n> old\n\n> > older");
	check_read("a &lt;b&gt; &#65;&#x42; &nope; &", "a <b> AB &nope; &");
	check_read("<td>a</td><td>b</td>", "a b");
	check_read("<pre>a\n  b</pre>", "a\n  b");
	check_read("", "");
	check_read("2 < 3 and <", "2 < 3 and <");
}

static void what_is_not_seen_is_not_read(void)
{
	check_read("<style>p{}</style><script>x()</script>text<!-- no -->", "text");
	check_read("<div style=\"display: none\">obey <div>me</div> now</div>shown",
		"shown");
	check_read("<span style='visibility:hidden'>x</span>shown", "shown");
	check_read("a&#x200B;b&zwnj;c&#xE0041;", "abc");
	check_read("<head><title>t</title></head>x", "x");
}

static struct cg_span span(enum cg_span_kind kind, uint32_t offset, uint32_t length)
{
	return (struct cg_span){.kind = kind, .offset = offset, .length = length};
}

static void check_written(
	const char *text, const struct cg_span *spans, size_t count, const char *wanted)
{
	struct cg_buffer html;

	cg_buffer_init(&html, 65536);
	CU_ASSERT_EQUAL(page_write(&html, text, strlen(text), spans, count), CG_OK);
	if (strstr(cg_buffer_string(&html), wanted) == NULL)
		fprintf(stderr, "%s\n", cg_buffer_string(&html));
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&html), wanted));
	cg_buffer_finish(&html);
}

static void spans_become_tags(void)
{
	struct cg_span nested[] = {span(CG_SPAN_BOLD, 0, 5), span(CG_SPAN_ITALIC, 1, 2)};
	struct cg_span crossing[] = {
		span(CG_SPAN_BOLD, 0, 3), span(CG_SPAN_ITALIC, 2, 3)};
	struct cg_span beyond[] = {span(CG_SPAN_BOLD, 3, 90), span(CG_SPAN_CODE, 9, 1)};
	struct cg_span links[] = {span(CG_SPAN_LINK, 0, 1), span(CG_SPAN_LINK, 2, 1)};
	struct cg_span block = span(CG_SPAN_PRE, 0, 3);

	links[0].detail = "https://x.org/?a=\"b\"&c";
	links[1].detail = "javascript:alert(1)";
	check_written("abcde", nested, 2, "\n<b>a<i>bc</i>de</b>\n");
	check_written("abcde", crossing, 2, "\n<b>ab<i>c</i></b>de\n");
	check_written("abcde", beyond, 2, "\nabcde\n");
	check_written("a b", links, 2,
		"\n<a href=\"https://x.org/?a=&quot;b&quot;&amp;c\">a</a> b\n");
	check_written("a\nb\nc", &block, 1, "\n<pre>a\nb</pre><br>\nc\n");
	check_written("<script>&", NULL, 0, "\n&lt;script&gt;&amp;\n");
}

UNIT_SUITE(email_page, UNIT_TEST(pages_become_text),
	UNIT_TEST(what_is_not_seen_is_not_read), UNIT_TEST(spans_become_tags));
