/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/split.h>
#include <cowgate/sdk/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COW "\xF0\x9F\x90\x84"

/* The parts, each between angle brackets, as one string that the caller frees. */
static char *split_text(const char *source, enum cg_text_unit unit, size_t limit)
{
	struct cg_parts parts = {0};
	struct cg_buffer all;

	cg_buffer_init(&all, 1u << 20);
	CU_ASSERT_EQUAL(
		cg_split(source, strlen(source), unit, limit, 1000, &parts), CG_OK);
	for (size_t i = 0; i < parts.count; i++) {
		CU_ASSERT_EQUAL(strlen(parts.items[i].text), parts.items[i].length);
		CU_ASSERT_TRUE(cg_text_measure(parts.items[i].text, parts.items[i].length,
				       unit) <= limit);
		cg_buffer_format(&all, "<%s>", parts.items[i].text);
	}
	cg_parts_finish(&parts);
	return cg_buffer_take(&all, NULL);
}

static void check(const char *source, const char *expected)
{
	char *got = split_text(source, CG_UNIT_BYTES, 40);

	CU_ASSERT_STRING_EQUAL(got, expected);
	if (strcmp(got, expected) != 0)
		printf("\ngot      %s\nexpected %s\n", got, expected);
	free(got);
}

static void split_leaves_short_texts_alone(void)
{
	check("", "");
	check("short", "<short>");
	check("  \n short \n ", "<  \n short \n >");
	check("0123456789012345678901234567890123456789",
		"<0123456789012345678901234567890123456789>");
}

static void split_prefers_blank_lines(void)
{
	check("First paragraph it is.\n\nSecond one.\nIts second line is here.",
		"<First paragraph it is.><Second one.\nIts second line is here.>");
	/* But not one that leaves the part nearly empty. */
	check("Hi.\n\nSecond one, a longer one.\nIts second line is here.",
		"<Hi.\n\nSecond one, a longer one.><Its second line is here.>");
	check("First line of the text is here,\nsecond line is longer here and on",
		"<First line of the text is here,><second line is longer here and on>");
	check("One line only, with many words in it, and it goes on",
		"<One line only, with many words in it,><and it goes on>");
}

static void split_drops_blanks_at_cuts_only(void)
{
	check("First paragraph it is.   \n \n\t\n\n  Second one, with an indent.\n",
		"<First paragraph it is.><  Second one, with an indent.\n>");
	check("  lead is kept, and  so  are  inner        blanks.",
		"<  lead is kept, and  so  are  inner><blanks.>");
	check("                                                  ", "");
	check("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
	      "\nx\n\n\n",
		"<x\n\n\n>");
}

static void split_cuts_words_at_last(void)
{
	check("0123456789012345678901234567890123456789abc",
		"<0123456789012345678901234567890123456789><abc>");
	check("see 012345678901234567890123456789012345678901234567890123456789",
		"<see><0123456789012345678901234567890123456789><01234567890123456789>");
}

static void split_keeps_inline_markup_whole(void)
{
	check("Read the text and [the linked page](http://x.org/) now",
		"<Read the text and><[the linked page](http://x.org/) now>");
	check("Please run this: `make all the things ok` and wait",
		"<Please run this:><`make all the things ok` and wait>");
	check("Mind the gap now: **this is very important** here",
		"<Mind the gap now:><**this is very important** here>");
	/* A lone mark must not make parts tiny. */
	check("2 ** 3 is eight, as everybody knows who has learned it",
		"<2 ** 3 is eight, as everybody knows who><has learned it>");
}

static void split_closes_and_opens_fences(void)
{
	check("```c\nint one = 1;\nint two = 2;\nint three = 3;\nint four = 4;\n```",
		"<```c\nint one = 1;\nint two = 2;\n```><```c\nint three = 3;\nint four "
		"= "
		"4;\n```>");
	check("~~~~ sh\necho one && echo two\necho three\n~~~~\nAnd then some.",
		"<~~~~ sh\necho one && echo two\n~~~~><~~~~ sh\necho three\n~~~~\nAnd "
		"then "
		"some.>");
	/* A fence begins its own part rather than be torn. */
	check("Some words before it\n```c\nint one = 1;\nint t = 2;\n```",
		"<Some words before it><```c\nint one = 1;\nint t = 2;\n```>");
	/* Indent and blank lines of code stay. */
	check("```\n  if (x)\n\n    then_what();\n\n    else_what();\n```",
		"<```\n  if (x)\n\n    then_what();\n\n```><```\n    else_what();\n```>");
	/* A line of code that is too long is cut like any other. */
	check("```\n01234567890123456789012345678901234567890123456789\n```",
		"<```\n01234567890123456789012345678901\n```><```\n"
		"234567890123456789\n```>");
}

static void split_knows_what_is_no_fence(void)
{
	check("```c `x` is no fence because of these\nand goes on and on",
		"<```c `x` is no fence because of these><and goes on and on>");
	check("``` \nshort ``` inside\n`` \n~~~\nmore lines\n  ````  \nOutside the "
	      "block.",
		"<``` \nshort ``` inside\n`` \n~~~\n```><```\nmore lines\n  ````>"
		"<Outside the block.>");
}

static void split_survives_crowded_fences(void)
{
	/* The language is left out where it would take a quarter of the part. */
	check("```averyveryverylonglanguage\nint one = 1;\nint two = 2;\n```",
		"<```averyveryverylonglanguage\nint \n```><```\none = 1;\nint two = "
		"2;\n```>");
	/* The marks themselves take too much: nothing is inserted. */
	check("```````````````\nint one = 1;\nint two = 2;\n```````````````\nend",
		"<```````````````\nint one = 1;><int two = 2;\n```````````````\nend>");
}

static void split_counts_in_the_platform_unit(void)
{
	char source[4 * 33 + 1] = "";
	char *got;

	for (int i = 0; i < 33; i++)
		memcpy(source + (size_t)i * 4, COW, 5);
	got = split_text(source, CG_UNIT_CODE_POINTS, 32);
	CU_ASSERT_STRING_EQUAL(got + strlen(got) - 7, "><" COW ">");
	free(got);
	got = split_text(source, CG_UNIT_UTF16, 33); /* an odd limit tears no pair */
	CU_ASSERT_EQUAL(strlen(got), 33 * 4 + 3 * 2);
	free(got);
	got = split_text(source, CG_UNIT_BYTES, 35);
	CU_ASSERT_EQUAL(strlen(got), 33 * 4 + 5 * 2);
	free(got);
}

static void split_has_limits(void)
{
	char source[200];
	struct cg_parts parts = {0};

	memset(source, 'x', sizeof(source));
	CU_ASSERT_EQUAL(cg_split(source, 10, CG_UNIT_BYTES, 31, 10, &parts), CG_INVALID);
	CU_ASSERT_EQUAL(
		cg_split(source, sizeof(source), CG_UNIT_BYTES, 50, 3, &parts), CG_LIMIT);
	CU_ASSERT_PTR_NULL(parts.items);
	CU_ASSERT_EQUAL(
		cg_split(source, sizeof(source), CG_UNIT_BYTES, 50, 4, &parts), CG_OK);
	CU_ASSERT_EQUAL(parts.count, 4);
	cg_parts_finish(&parts);
	cg_parts_finish(&parts);
	cg_parts_finish(NULL);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* Append @text without blanks and without what fences may add: marks and the language "Q". */
static void add_essence(struct cg_buffer *buffer, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr(" \t\r\n`~Q", text[i]) == NULL)
			cg_buffer_char(buffer, text[i]);
	}
}

static size_t make_source(uint64_t *state, char *source, size_t size)
{
	static const char *const pieces[] = {"word ", "a", "\n", "\n\n", " ", "\t",
		"```\n", "```Q\n", "\n```\n", "\n~~~~ QQQ\n", "\n~~~~\n", "`w`", "``w",
		"**", "[x](y) ", COW, "\xC3\xA4", "\xE2\x82\xAC",
		"longerwordwithoutanyblanks", "\r\n", "    ",
		"\n  ````QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n", "\n``````````````\n"};
	size_t want = (size_t)(next_random(state) % (size - 64));
	size_t length = 0;

	while (length < want) {
		const char *piece =
			pieces[next_random(state) % (sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(source + length, piece, strlen(piece));
		length += strlen(piece);
	}
	return length;
}

/* Whatever the text: parts fit, are not blank, tear no character and lose nothing but blanks. */
static void split_loses_nothing(void)
{
	static char source[2048];
	uint64_t state = 7;
	unsigned wrong = 0;

	for (int round = 0; round < 4000; round++) {
		size_t length = make_source(&state, source, sizeof(source));
		size_t limit = 32 + (size_t)(next_random(&state) % 200);
		enum cg_text_unit unit = (enum cg_text_unit)(round % 3);
		struct cg_parts parts = {0};
		struct cg_buffer before, after;
		unsigned bad = 0;

		cg_buffer_init(&before, 1u << 20);
		cg_buffer_init(&after, 1u << 20);
		add_essence(&before, source, length);
		bad += cg_split(source, length, unit, limit, 4096, &parts) != CG_OK;
		for (size_t i = 0; i < parts.count; i++) {
			const struct cg_part *part = &parts.items[i];

			add_essence(&after, part->text, part->length);
			bad += cg_text_measure(part->text, part->length, unit) > limit;
			bad += !cg_utf8_valid(part->text, part->length);
			bad += parts.count > 1 && cg_text_blank(part->text);
		}
		bad += strcmp(cg_buffer_string(&before), cg_buffer_string(&after)) != 0;
		if (bad > 0 && wrong++ == 0)
			printf("\nround %d, limit %zu, unit %d: %.*s\n", round, limit,
				(int)unit, (int)length, source);
		cg_buffer_finish(&before);
		cg_buffer_finish(&after);
		cg_parts_finish(&parts);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* Fences that parts hold are closed in the part that opens them. */
static void split_balances_fences(void)
{
	char source[4096] = "Intro\n";
	struct cg_parts parts = {0};
	size_t length = strlen(source);

	for (int i = 0; i < 40; i++)
		length += (size_t)snprintf(source + length, sizeof(source) - length,
			"%s line %d of the source text\n",
			i % 7 == 3   ? "```js\n"
			: i % 7 == 6 ? "```\n"
				     : "a",
			i);
	for (size_t limit = 64; limit < 400; limit++) {
		CU_ASSERT_EQUAL_FATAL(
			cg_split(source, length, CG_UNIT_UTF16, limit, 400, &parts),
			CG_OK);
		for (size_t i = 0; i + 1 < parts.count; i++) {
			unsigned marks = 0;

			for (const char *at = parts.items[i].text;
				(at = strstr(at, "```")) != NULL; at += 3)
				marks++;
			CU_ASSERT_EQUAL(marks % 2, 0);
			CU_ASSERT_PTR_NULL(strstr(parts.items[i].text, "```js\n```"));
		}
		cg_parts_finish(&parts);
	}
}

static void check_block(const char *source, size_t from, const char *expected)
{
	struct cg_fenced block;
	char text[200];

	if (!cg_fenced_next(source, strlen(source), from, &block)) {
		CU_ASSERT_PTR_NULL(expected);
		return;
	}
	snprintf(text, sizeof(text), "%zu-%zu %zu %.*s|%.*s", block.at, block.end,
		block.indent, (int)block.info_length, source + block.info,
		(int)(block.code_end - block.code), source + block.code);
	CU_ASSERT_PTR_NOT_NULL_FATAL(expected);
	CU_ASSERT_STRING_EQUAL(text, expected);
}

static void split_finds_fenced_blocks(void)
{
	static const char two[] = "a\n```c\nx\n\ny\n```\n~~~\n```\n~~~~";

	check_block(two, 0, "2-15 0 c|x\n\ny\n");
	check_block(two, 15, "16-28 0 |```\n");
	check_block(two, 28, NULL);
	check_block("", 0, NULL);
	check_block("```\n```", 0, "0-7 0 |");
	check_block("  ``` js  \n  x\n```\n", 0, "0-18 2 js|  x\n");
	check_block("```c", 0, NULL);
	check_block("````\n```\nx", 0, NULL); /* a shorter fence ends nothing */
	check_block("``` a`b\n```", 0, NULL); /* inline code opens nothing, then no end */
}

UNIT_SUITE(split, UNIT_TEST(split_finds_fenced_blocks),
	UNIT_TEST(split_leaves_short_texts_alone), UNIT_TEST(split_prefers_blank_lines),
	UNIT_TEST(split_drops_blanks_at_cuts_only), UNIT_TEST(split_cuts_words_at_last),
	UNIT_TEST(split_keeps_inline_markup_whole),
	UNIT_TEST(split_closes_and_opens_fences), UNIT_TEST(split_knows_what_is_no_fence),
	UNIT_TEST(split_survives_crowded_fences),
	UNIT_TEST(split_counts_in_the_platform_unit), UNIT_TEST(split_has_limits),
	UNIT_TEST(split_loses_nothing), UNIT_TEST(split_balances_fences));
