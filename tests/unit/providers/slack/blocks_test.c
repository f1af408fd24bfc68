/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/markdown.h>
#include <string.h>

#define RICH(elements) "[{\"type\":\"rich_text\",\"elements\":[" elements "]}]"
#define SECTION(elements) "{\"type\":\"rich_text_section\",\"elements\":[" elements "]}"
#define QUOTE(elements) "{\"type\":\"rich_text_quote\",\"elements\":[" elements "]}"
#define PRE(elements) "{\"type\":\"rich_text_preformatted\",\"elements\":[" elements "]}"
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define STYLED(text, style) \
	"{\"type\":\"text\",\"text\":\"" text "\",\"style\":{" style "}}"

static void check_outbound(
	const struct cg_outbound *outbound, bool spans, const char *expected)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 65536);
	slack_blocks_write(outbound, spans, &buffer);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), expected);
	cg_buffer_finish(&buffer);
}

/* Markdown as an agent writes it. */
static void check(const char *source, bool spans, const char *expected)
{
	struct cg_markdown markdown;
	struct cg_outbound outbound = {.kind = CG_OUTBOUND_TEXT};

	CU_ASSERT_EQUAL_FATAL(
		cg_markdown_render(source, strlen(source), true, &markdown), CG_OK);
	outbound.text = markdown.text;
	outbound.text_length = markdown.length;
	outbound.spans = markdown.spans;
	outbound.span_count = markdown.span_count;
	check_outbound(&outbound, spans, expected);
	cg_markdown_finish(&markdown);
}

static void letters_mean_themselves(void)
{
	check("plain", true, RICH(SECTION(TEXT("plain"))));
	check("a <!channel> & \\*b\\*", true, RICH(SECTION(TEXT("a <!channel> & *b*"))));
	check("\"q\" \\\\", true, RICH(SECTION(TEXT("\\\"q\\\" \\\\"))));
}

static void styles_nest(void)
{
	check("a **b *c* d** ~~e~~ `f`", true,
		RICH(SECTION(TEXT("a ") "," STYLED("b ", "\"bold\":true") "," STYLED(
			"c", "\"bold\":true,\"italic\":true") "," STYLED(" d",
			"\"bold\":true") "," TEXT(" ") "," STYLED("e",
			"\"strike\":true") "," TEXT(" ") "," STYLED("f",
			"\"code\":true"))));
	check("a **b**", false, RICH(SECTION(TEXT("a b"))));
}

static void links_go_where_they_say(void)
{
	check("see [**it**](https://x.org/?a=1&b=2).", true,
		RICH(SECTION(
			TEXT("see ") ",{\"type\":\"link\",\"url\":\"https://x.org/"
				     "?a=1&b=2\",\"text\":\"it\",\"style\":{\"bold\":"
				     "true}}," TEXT("."))));
	/* Slack would refuse the whole message for a scheme that it does not know. */
	check("[x](tg://resolve)", true, RICH(SECTION(TEXT("x"))));
}

static void boxes_stand_on_lines_of_their_own(void)
{
	check("a\n\n```c\nint x;\ny\n```\n\nb", true,
		RICH(SECTION(TEXT("a")) "," PRE(TEXT("int x;\\ny")) "," SECTION(
			TEXT("b"))));
	check("> q *r*\n\nb", true,
		RICH(QUOTE(TEXT("q ") "," STYLED("r", "\"italic\":true")) "," SECTION(
			TEXT("b"))));
	check("```\nonly\n```", true, RICH(PRE(TEXT("only"))));
	check("a\n\n> q", true, RICH(SECTION(TEXT("a")) "," QUOTE(TEXT("q"))));
}

static void spans_that_lie_are_passed_over(void)
{
	static const struct cg_span spans[] = {
		{CG_SPAN_BOLD, 0, 0, NULL},
		{CG_SPAN_LINK, 0, 1, NULL},
		{CG_SPAN_BOLD, 1, 99, NULL},
		{CG_SPAN_BOLD, 50, 1, NULL},
	};
	const struct cg_outbound outbound = {.kind = CG_OUTBOUND_TEXT,
		.text = "abc",
		.text_length = 3,
		.spans = spans,
		.span_count = 4};

	check_outbound(&outbound, true, RICH(SECTION(TEXT("a") "," TEXT("bc"))));
}

static void buttons_stand_in_rows(void)
{
	static const struct cg_button buttons[] = {
		{"Approve", "apv:1", CG_BUTTON_GOOD, true},
		{"Deny", "den:1", CG_BUTTON_DANGER, false},
		{"Later", "ltr:1", CG_BUTTON_PLAIN, true},
	};
	const struct cg_outbound outbound = {.kind = CG_OUTBOUND_BUTTONS,
		.text = "ok?",
		.text_length = 3,
		.buttons = buttons,
		.button_count = 3};

	check_outbound(&outbound, true,
		"[{\"type\":\"rich_text\",\"elements\":[" SECTION(
			TEXT("ok?")) "]},"
				     "{\"type\":\"actions\",\"elements\":["
				     "{\"type\":\"button\",\"action_id\":\"cowgate-1\","
				     "\"text\":{\"type\":"
				     "\"plain_text\",\"emoji\":true,\"text\":\"Approve\"}"
				     ",\"value\":\"apv:1\","
				     "\"style\":\"primary\"},"
				     "{\"type\":\"button\",\"action_id\":\"cowgate-2\","
				     "\"text\":{\"type\":"
				     "\"plain_text\",\"emoji\":true,\"text\":\"Deny\"},"
				     "\"value\":\"den:1\","
				     "\"style\":\"danger\"}]},"
				     "{\"type\":\"actions\",\"elements\":["
				     "{\"type\":\"button\",\"action_id\":\"cowgate-3\","
				     "\"text\":{\"type\":"
				     "\"plain_text\",\"emoji\":true,\"text\":\"Later\"},"
				     "\"value\":\"ltr:1\"}]}]");
}

UNIT_SUITE(slack_blocks, UNIT_TEST(letters_mean_themselves), UNIT_TEST(styles_nest),
	UNIT_TEST(links_go_where_they_say), UNIT_TEST(boxes_stand_on_lines_of_their_own),
	UNIT_TEST(spans_that_lie_are_passed_over), UNIT_TEST(buttons_stand_in_rows));
