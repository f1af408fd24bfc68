/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/mrkdwn.h"
#include "tests/unit/unit.h"

#include <string.h>

static void check_escape(const char *text, const char *expected)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 4096);
	slack_escape(&buffer, text, strlen(text));
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), expected);
	cg_buffer_finish(&buffer);
}

static void nothing_that_is_said_is_markup(void)
{
	check_escape("", "");
	check_escape("a & b", "a &amp; b");
	check_escape("<!channel> <@U1> <https://x|y>",
		"&lt;!channel&gt; &lt;@U1&gt; &lt;https://x|y&gt;");
	check_escape("&lt;", "&amp;lt;");
	check_escape("a\tb\nc\x01\x1b[0m\x7f", "a\tb\nc[0m");
	check_escape("Gr\xC3\xBC\xC3\x9F"
		     "e \xF0\x9F\x90\x84\xC2\x85",
		"Gr\xC3\xBC\xC3\x9F"
		"e \xF0\x9F\x90\x84");
}

static void lengths_are_those_of_what_is_sent(void)
{
	CU_ASSERT_EQUAL(slack_escaped_units("", 0), 0);
	CU_ASSERT_EQUAL(slack_escaped_units("a&<>", 4), 1 + 5 + 4 + 4);
	CU_ASSERT_EQUAL(slack_escaped_units("\xF0\x9F\x90\x84", 4), 2);
	CU_ASSERT_EQUAL(slack_escaped_prefix("a&b", 3, 5), 1);
	CU_ASSERT_EQUAL(slack_escaped_prefix("a&b", 3, 6), 2);
	CU_ASSERT_EQUAL(slack_escaped_prefix("a&b", 3, 7), 3);
	CU_ASSERT_EQUAL(slack_escaped_prefix("\xF0\x9F\x90\x84x", 5, 3), 0);
}

static const char *name(const void *arg, const char *user_id)
{
	(void)arg;
	return strcmp(user_id, "U1") == 0 ? "Ann" : NULL;
}

static void check_unescape(const char *text, const char *expected)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 4096);
	slack_unescape(&buffer, text, name, NULL);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), expected);
	cg_buffer_finish(&buffer);
}

static void marks_become_what_a_person_reads(void)
{
	check_unescape(
		"a &lt;b&gt; &amp;amp; &amp &unknown;", "a <b> &amp; &amp &unknown;");
	check_unescape("<@U1> and <@U2> and <@U3|carl>", "@Ann and @U2 and @carl");
	check_unescape("<#C1|general> <#C2>", "#general #C2");
	check_unescape("<!here> <!subteam^S1|@team> <!date^1^{x}|yesterday>",
		"@here @team yesterday");
	check_unescape("<https://x.org/?a=1&amp;b=2>", "https://x.org/?a=1&b=2");
	check_unescape("<https://x.org|x.org>", "https://x.org");
	check_unescape("<https://x.org|a &amp; b>", "a & b (https://x.org)");
	check_unescape("<mailto:a@x.org|a@x.org>", "a@x.org");
}

static void what_is_no_mark_is_text(void)
{
	check_unescape("1 < 2", "1 < 2");
	check_unescape("<", "<");
	check_unescape("<>", "");
	check_unescape("<|>", "|");
	check_unescape("<@>", "@");
	check_unescape("<a\nb>", "<a\nb>");
	check_unescape("<<@U1>>", "<@U1>");
}

static void mentions_are_whole_ids(void)
{
	CU_ASSERT_TRUE(slack_mentions("hi <@U1>", "U1"));
	CU_ASSERT_TRUE(slack_mentions("<@U12> <@U1|ann>", "U1"));
	CU_ASSERT_FALSE(slack_mentions("<@U12>", "U1"));
	CU_ASSERT_FALSE(slack_mentions("@U1 &lt;@U1&gt;", "U1"));
	CU_ASSERT_FALSE(slack_mentions("<@U1|ann", "U1"));
	CU_ASSERT_FALSE(slack_mentions("<@>", ""));
	CU_ASSERT_TRUE(slack_mentions_anyone("<@U7>"));
	CU_ASSERT_FALSE(slack_mentions_anyone("a@b &lt;@"));
	CU_ASSERT_STRING_EQUAL(slack_after_mention(" <@U1>: /help", "U1"), "/help");
	CU_ASSERT_STRING_EQUAL(slack_after_mention("<@U1|x>", "U1"), "");
	CU_ASSERT_STRING_EQUAL(slack_after_mention(" <@U2> /help", "U1"), " <@U2> /help");
}

UNIT_SUITE(slack_mrkdwn, UNIT_TEST(nothing_that_is_said_is_markup),
	UNIT_TEST(lengths_are_those_of_what_is_sent),
	UNIT_TEST(marks_become_what_a_person_reads), UNIT_TEST(what_is_no_mark_is_text),
	UNIT_TEST(mentions_are_whole_ids));
