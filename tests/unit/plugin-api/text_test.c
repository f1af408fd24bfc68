/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define EURO "\xE2\x82\xAC"
#define COW "\xF0\x9F\x90\x84"

static void text_knows_utf8(void)
{
	static const char *const good[] = {"", "plain", "\xC2\x80", "\xDF\xBF",
		"\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
		"\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
		"eight by" EURO "tes and more " COW};
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2",
		"\xC2\x41", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
		"\xED\xBF\xBF", "\xE2\x82", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xF0\x9F\x90",
		"12345678\xFF", "1234567\xC3", "123456789012345\xE2\x82"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_TRUE(cg_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(cg_utf8_valid(bad[i], strlen(bad[i])));
	CU_ASSERT_TRUE(cg_utf8_valid("a\0b", 3));
}

/* Every code point goes there and back; surrogates do not. */
static void text_codes_every_point(void)
{
	unsigned wrong = 0;

	for (uint32_t point = 0; point <= 0x10FFFF; point++) {
		char bytes[4];
		uint32_t back = 0;
		size_t length = cg_utf8_encode(point, bytes);
		bool surrogate = point >= 0xD800 && point <= 0xDFFF;

		wrong += cg_utf8_decode(bytes, length, &back) != length;
		wrong += back != (surrogate ? CG_UTF8_REPLACEMENT : point);
		wrong += !cg_utf8_valid(bytes, length);
		wrong += cg_utf8_decode(bytes, length - 1, &back) == length;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void text_repairs(void)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 100);
	CU_ASSERT_EQUAL(cg_utf8_repair(&buffer, "a\xFF" EURO "\xE2\x82", 7), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer),
		"a\xEF\xBF\xBD" EURO "\xEF\xBF\xBD\xEF\xBF\xBD");
	cg_buffer_finish(&buffer);
	cg_buffer_init(&buffer, 2);
	CU_ASSERT_EQUAL(cg_utf8_repair(&buffer, "\xFF", 1), CG_LIMIT);
	cg_buffer_finish(&buffer);
}

static void text_measures(void)
{
	const char *text = "a\xC3\xA4" EURO COW;

	CU_ASSERT_EQUAL(cg_text_measure(text, 10, CG_UNIT_BYTES), 10);
	CU_ASSERT_EQUAL(cg_text_measure(text, 10, CG_UNIT_UTF16), 5);
	CU_ASSERT_EQUAL(cg_text_measure(text, 10, CG_UNIT_CODE_POINTS), 4);
	CU_ASSERT_EQUAL(cg_text_measure("", 0, CG_UNIT_UTF16), 0);
}

static void text_cuts_between_characters(void)
{
	const char *text = "a\xC3\xA4" EURO COW;
	const size_t utf16[] = {0, 1, 3, 6, 6, 10, 10};
	const size_t points[] = {0, 1, 3, 6, 10};
	const size_t bytes[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

	for (size_t i = 0; i < 7; i++)
		CU_ASSERT_EQUAL(cg_text_prefix(text, 10, CG_UNIT_UTF16, i), utf16[i]);
	for (size_t i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(
			cg_text_prefix(text, 10, CG_UNIT_CODE_POINTS, i), points[i]);
	for (size_t i = 0; i < 11; i++)
		CU_ASSERT_EQUAL(cg_text_prefix(text, 10, CG_UNIT_BYTES, i), bytes[i]);
	CU_ASSERT_EQUAL(cg_text_step("", 0), 0);
	CU_ASSERT_EQUAL(cg_text_step("\xFF\xFF", 2), 1);
	CU_ASSERT_EQUAL(cg_text_step(COW, 4), 4);
}

static void text_copies(void)
{
	char small[5];

	cg_text_copy(small, sizeof(small), "ab" EURO);
	CU_ASSERT_STRING_EQUAL(small, "ab");
	cg_text_copy(small, sizeof(small), "a" EURO);
	CU_ASSERT_STRING_EQUAL(small, "a" EURO);
	cg_text_copy(small, 1, "abc");
	CU_ASSERT_STRING_EQUAL(small, "");
	cg_text_copy(small, 0, "abc");
}

static void text_judges_cleanliness(void)
{
	CU_ASSERT_TRUE(cg_text_clean("chat-1 \xC2\xA0" EURO, 12, 12));
	CU_ASSERT_FALSE(cg_text_clean("chat-1 \xC2\xA0" EURO, 12, 11));
	CU_ASSERT_FALSE(cg_text_clean("a\nb", 3, 10));
	CU_ASSERT_FALSE(cg_text_clean("a\0b", 3, 10));
	CU_ASSERT_FALSE(cg_text_clean("a\x7F", 2, 10));
	CU_ASSERT_FALSE(cg_text_clean("a\xC2\x85", 3, 10));
	CU_ASSERT_FALSE(cg_text_clean("a\xFF", 2, 10));
	CU_ASSERT_TRUE(cg_text_blank(NULL));
	CU_ASSERT_TRUE(cg_text_blank(" \t\r\n\v\f"));
	CU_ASSERT_FALSE(cg_text_blank("  x "));
}

static void text_writes_times(void)
{
	char text[CG_TIME_TEXT];
	int64_t back = 0;

	cg_time_format(INT64_C(1795316645678), text);
	CU_ASSERT_STRING_EQUAL(text, "2026-11-22T03:04:05.678Z");
	cg_time_format(0, text);
	CU_ASSERT_STRING_EQUAL(text, "1970-01-01T00:00:00.000Z");
	cg_time_format(-1, text);
	CU_ASSERT_STRING_EQUAL(text, "1969-12-31T23:59:59.999Z");
	cg_time_format(INT64_C(951782400000), text);
	CU_ASSERT_STRING_EQUAL(text, "2000-02-29T00:00:00.000Z");
	cg_time_format(INT64_MAX, text);
	CU_ASSERT_STRING_EQUAL(text, "9999-12-31T23:59:59.999Z");
	cg_time_format(INT64_MIN, text);
	CU_ASSERT_STRING_EQUAL(text, "0001-01-01T00:00:00.000Z");
	/* All days of 800 years, at odd times. */
	for (int64_t ms = INT64_C(-12622780800000); ms < INT64_C(12622780800000);
		ms += 86399999) {
		cg_time_format(ms, text);
		if (!cg_time_parse(text, &back) || back != ms)
			break;
	}
	CU_ASSERT_TRUE(back >= INT64_C(12622780800000) - 86399999);
}

static void text_reads_times(void)
{
	static const char *const bad[] = {"", "2026-11-22", "2026-11-22T03:04:05",
		"2026-11-22 03:04:05Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+1",
		"2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100",
		"0000-01-01T00:00:00Z", "-026-01-01T00:00:00Z", "2026-1-01T00:00:00Z"};
	int64_t ms = 0;

	CU_ASSERT_TRUE(cg_time_parse("2026-11-22T03:04:05Z", &ms));
	CU_ASSERT_EQUAL(ms, INT64_C(1795316645000));
	CU_ASSERT_TRUE(cg_time_parse("2026-11-22T03:04:05.6789012Z", &ms));
	CU_ASSERT_EQUAL(ms, INT64_C(1795316645678));
	CU_ASSERT_TRUE(cg_time_parse("2026-11-22T03:04:05.5Z", &ms));
	CU_ASSERT_EQUAL(ms, INT64_C(1795316645500));
	CU_ASSERT_TRUE(cg_time_parse("2026-11-22T04:34:05+01:30", &ms));
	CU_ASSERT_EQUAL(ms, INT64_C(1795316645000));
	CU_ASSERT_TRUE(cg_time_parse("2026-11-21T22:04:05-05:00", &ms));
	CU_ASSERT_EQUAL(ms, INT64_C(1795316645000));
	ms = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool read = cg_time_parse(bad[i], &ms);

		CU_ASSERT_FALSE(read);
		if (read)
			printf("accepted time \"%s\"\n", bad[i]);
	}
	CU_ASSERT_EQUAL(ms, 7);
}

static void text_reads_integers(void)
{
	static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1x", "0x1", "--1",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999"};
	int64_t value = 0;

	CU_ASSERT_TRUE(cg_parse_int("0", &value) && value == 0);
	CU_ASSERT_TRUE(cg_parse_int("-12", &value) && value == -12);
	CU_ASSERT_TRUE(cg_parse_int("007", &value) && value == 7);
	CU_ASSERT_TRUE(cg_parse_int("9223372036854775807", &value) && value == INT64_MAX);
	CU_ASSERT_TRUE(
		cg_parse_int("-9223372036854775808", &value) && value == INT64_MIN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(cg_parse_int(bad[i], &value));
	CU_ASSERT_EQUAL(value, INT64_MIN);
}

static void text_reads_commands(void)
{
	static const char *const bad[] = {"", "hello", " /new", "/", "/ new", "/1x",
		"/_x", "//x", "/usr/bin", "/a@", "/a@ x", "/\xC3\xA4", "/a.b",
		"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"/a@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};
	struct cg_command command;

	CU_ASSERT_TRUE(cg_command_parse("/new", &command));
	CU_ASSERT_STRING_EQUAL(command.name, "new");
	CU_ASSERT_STRING_EQUAL(command.mention, "");
	CU_ASSERT_STRING_EQUAL(command.args, "");
	CU_ASSERT_TRUE(cg_command_parse("/ApproVe_1-x@Cow_Bot \t\n tok  two ", &command));
	CU_ASSERT_STRING_EQUAL(command.name, "approve_1-x");
	CU_ASSERT_STRING_EQUAL(command.mention, "Cow_Bot");
	CU_ASSERT_STRING_EQUAL(command.args, "tok  two ");
	CU_ASSERT_TRUE(cg_command_parse("/ask\nwhy?", &command));
	CU_ASSERT_STRING_EQUAL(command.args, "why?");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(cg_command_parse(bad[i], &command));
	CU_ASSERT_STRING_EQUAL(command.name, "ask");
	CU_ASSERT_TRUE(cg_command_parse(
		"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		&command));
	CU_ASSERT_EQUAL(strlen(command.name), 63);
}

UNIT_SUITE(text, UNIT_TEST(text_knows_utf8), UNIT_TEST(text_codes_every_point),
	UNIT_TEST(text_repairs), UNIT_TEST(text_measures),
	UNIT_TEST(text_cuts_between_characters), UNIT_TEST(text_copies),
	UNIT_TEST(text_judges_cleanliness), UNIT_TEST(text_writes_times),
	UNIT_TEST(text_reads_times), UNIT_TEST(text_reads_integers),
	UNIT_TEST(text_reads_commands));
