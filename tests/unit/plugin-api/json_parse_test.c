/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for JSON, what is not, and where the caps are. */
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	const char *bytes;
	size_t length;
};

/* A literal with its length, so that NUL may be part of it. */
#define S(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

static const struct sample accepted[] = {
	S("null"),
	S(" true\n"),
	S("false"),
	S("0"),
	S("-0"),
	S("\"\""),
	S("{}"),
	S("[]"),
	S(" [ ] "),
	S("{ }"),
	S("[[]]"),
	S("[null]"),
	S("[1,2]"),
	S("[1 , 2]"),
	S("{\"a\":1}"),
	S("{\"a\" : 1 , \"b\" : 2}"),
	S("{\"\":0}"),
	S("{\"a\":{\"a\":{\"a\":1}}}"),
	S("\t\r\n [1]"),
	S("-1"),
	S("10"),
	S("0.1"),
	S("-0.0"),
	S("1e5"),
	S("1E+2"),
	S("1e-2"),
	S("0e1"),
	S("123.456e78"),
	S("9223372036854775807"),
	S("-9223372036854775808"),
	S("18446744073709551615"),
	S("1e308"),
	S("5e-324"),
	S("1e-400"),
	S("123456789012345678901234567890.0"),
	S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	S("\"\\u0041\""),
	S("\"\\uD83D\\uDE00\""),
	S("\"\\ud83d\""),
	S("\"\\ude00\\ud83d\""),
	S("\"\\u0000\""),
	S("\"\\uFFFF\""),
	S("\"\x7F\""),
	S("\"\xC2\x80\""),
	S("\"\xED\x9F\xBF\xEE\x80\x80\""),
	S("\"\xF4\x8F\xBF\xBF\""),
	S("\"/\""),
	S("\"\xE2\x80\xA8\""),
	S("[\"a\",\"a\"]"),
	S("{\"A\":1,\"a\":2}"),
	S("[{\"a\":1},{\"a\":1}]"),
	S("{\"a\":{\"b\":1},\"b\":1}"),
};

static const struct sample refused[] = {
	S(""),
	S(" "),
	S("\n"),
	S("nul"),
	S("nulll"),
	S("True"),
	S("TRUE"),
	S("undefined"),
	S("NaN"),
	S("Infinity"),
	S("-Infinity"),
	S("[NaN]"),
	S("[-Infinity]"),
	S("'a'"),
	S("{'a':1}"),
	S("['a']"),
	S("{a:1}"),
	S("\""),
	S("\"a"),
	S("\"\\"),
	S("\"\\\""),
	S("\"\\x\""),
	S("\"\\'\""),
	S("\"\\u\""),
	S("\"\\u12\""),
	S("\"\\u123g\""),
	S("\"\\U0041\""),
	S("\"\n\""),
	S("\"\t\""),
	S("\"\x01\""),
	S("\"\x1F\""),
	S("\"a\0b\""),
	S("\"\xFF\""),
	S("\"\xC0\x80\""),
	S("\"\xC1\xBF\""),
	S("\"\xE0\x80\x80\""),
	S("\"\xED\xA0\x80\""),
	S("\"\xF4\x90\x80\x80\""),
	S("\"\xE2\x82\""),
	S("\"\x80\""),
	S("\"\xC3"),
	S("\xC3"),
	S("[\"\xFF\"]"),
	S("{\"\xFF\":1}"),
	S("{\"\\u0000\":1}"),
	S("{\"a\\u0000b\":1}"),
	S("{\"a\0b\":1}"),
	S("{\"a\n\":1}"),
	S("\xEF\xBB\xBF{}"),
	S("\xFE\xFF"),
	S("1\0"),
	S("\0"),
	S("{}\0"),
	S("01"),
	S("-01"),
	S("00"),
	S("1."),
	S(".5"),
	S("-.5"),
	S("+1"),
	S("1e"),
	S("1e+"),
	S("1E-"),
	S("1.e1"),
	S("0x1F"),
	S("1_000"),
	S("--1"),
	S("-"),
	S("1a"),
	S("1 2"),
	S("-1-"),
	S("1,"),
	S("9223372036854775808e"),
	S("18446744073709551616"),
	S("-9223372036854775809"),
	S("100000000000000000000"),
	S("1e309"),
	S("-1e400"),
	S("\xEF\xBC\x91"),
	S("["),
	S("]"),
	S("[1"),
	S("[1,"),
	S("[1,]"),
	S("[,1]"),
	S("[,]"),
	S("[1,,2]"),
	S("[1 2]"),
	S("[1:2]"),
	S("[1}"),
	S("[\"a\":1]"),
	S("[[]"),
	S("[]]"),
	S("{"),
	S("}"),
	S("{\"a\""),
	S("{\"a\":"),
	S("{\"a\":1"),
	S("{\"a\":1,"),
	S("{\"a\":1,}"),
	S("{,}"),
	S("{\"a\" 1}"),
	S("{\"a\":}"),
	S("{:1}"),
	S("{1:1}"),
	S("{\"a\":1 \"b\":2}"),
	S("{\"a\",1}"),
	S("{\"a\":1]"),
	S("{\"a\":1:2}"),
	S("{null:1}"),
	S("{[1]:2}"),
	S("{} {}"),
	S("{}x"),
	S("{}}"),
	S("[] []"),
	S("\"a\" \"b\""),
	S("true false"),
	S("{\"a\":1}//"),
	S("/**/1"),
	S("// x\n1"),
	S("[1]#"),
	S("\v1"),
	S("\f1"),
	S("\xC2\xA0"
	  "1"),
	S("{\"a\":1,\"a\":1}"),
	S("{\"a\":1,\"b\":{},\"a\":{}}"),
	S("{\"a\":1,\"\\u0061\":2}"),
	S("[{\"x\":{\"k\":1,\"k\":2}}]"),
	S("{\"a\":null,\"a\":null}"),
	S("[\"a\" true]"),
	S("[1true]"),
	S("truefalse"),
	S("\"a\"1"),
	S("tru"),
	S("f"),
	S("n"),
	S("*"),
	S("{\"a\":true\"b\":1}"),
	S("\\u0031"),
	S("<null>"),
	S("[\0]"),
	S("[1\0]"),
};

/* The bytes in memory of their very size, so that a read beyond them is found. */
static enum cg_status parse_exact(const struct sample *sample, struct json_object **ret)
{
	struct cg_error err;
	char *copy = malloc(sample->length > 0 ? sample->length : 1);
	enum cg_status status;

	memcpy(copy, sample->bytes, sample->length);
	status = cg_json_parse(copy, sample->length, ret, &err);
	free(copy);
	return status;
}

static void json_accepts_what_is_json(void)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		struct json_object *value = NULL;
		struct json_object *again = NULL;
		enum cg_status status = parse_exact(&accepted[i], &value);
		struct sample written;

		CU_ASSERT_EQUAL(status, CG_OK);
		if (status != CG_OK)
			printf("refused: %s\n", accepted[i].bytes);
		/* And what is written of it reads as the same again. */
		written.bytes = cg_json_text(value, &written.length);
		CU_ASSERT_EQUAL(parse_exact(&written, &again), CG_OK);
		CU_ASSERT_STRING_EQUAL(cg_json_text(again, NULL), written.bytes);
		cg_json_free(again);
		cg_json_free(value);
	}
}

static void json_refuses_what_is_none(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct json_object *untouched = (struct json_object *)&untouched;
		struct json_object *value = untouched;
		enum cg_status status = parse_exact(&refused[i], &value);

		CU_ASSERT_EQUAL(status, CG_INVALID);
		CU_ASSERT_PTR_EQUAL(value, untouched);
		if (status != CG_INVALID)
			printf("accepted: %s (%zu)\n", refused[i].bytes, i);
	}
}

static void json_says_where(void)
{
	struct json_object *value;
	struct cg_error err;

	CU_ASSERT_EQUAL(cg_json_parse("{\"a\":\n tru}", 11, &value, &err), CG_INVALID);
	CU_ASSERT_EQUAL(err.status, CG_INVALID);
	CU_ASSERT_STRING_EQUAL(err.text, "JSON: value expected at byte 7");
}

static char *nested(size_t depth)
{
	char *text = calloc(1, 2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

static void json_caps_nesting(void)
{
	char *fits = nested(CG_JSON_DEPTH);
	char *deep = nested(CG_JSON_DEPTH + 1);
	char *abyss = nested(100000);
	struct json_object *value = NULL;
	struct cg_error err;

	CU_ASSERT_EQUAL(cg_json_parse(fits, strlen(fits), &value, &err), CG_OK);
	cg_json_free(value);
	CU_ASSERT_EQUAL(cg_json_parse(deep, strlen(deep), &value, &err), CG_LIMIT);
	CU_ASSERT_EQUAL(cg_json_parse(abyss, strlen(abyss), &value, &err), CG_LIMIT);
	free(fits);
	free(deep);
	free(abyss);
}

static void json_caps_values(void)
{
	struct json_object *value = NULL;
	struct cg_buffer text;
	struct cg_error err;

	/* The array is a value too. */
	cg_buffer_init(&text, 1u << 20);
	cg_buffer_text(&text, "[0");
	for (int i = 0; i < CG_JSON_KEYS - 2; i++)
		cg_buffer_text(&text, ",0");
	cg_buffer_char(&text, ']');
	CU_ASSERT_EQUAL(cg_json_parse(text.bytes, text.length, &value, &err), CG_OK);
	CU_ASSERT_EQUAL(cg_json_count(value), CG_JSON_KEYS - 1);
	cg_json_free(value);
	cg_buffer_truncate(&text, text.length - 1);
	cg_buffer_text(&text, ",0]");
	CU_ASSERT_EQUAL(cg_json_parse(text.bytes, text.length, &value, &err), CG_LIMIT);
	cg_buffer_finish(&text);
}

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;
	struct cg_error err;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &value, &err), CG_OK);
	return value;
}

static void json_unescapes(void)
{
	struct json_object *value =
		parse("\"\\u00e4\\ud83d\\ude00\\ud83d!\\udc00\\/\\n\\u0041"
		      "\\ud83d\\u0041\\ud83d\\n\"");

	CU_ASSERT_STRING_EQUAL(cg_json_value_string(value, NULL),
		"\xC3\xA4\xF0\x9F\x98\x80\xEF\xBF\xBD!\xEF\xBF\xBD/\nA\xEF\xBF\xBD"
		"A\xEF\xBF\xBD\n");
	cg_json_free(value);
	value = parse("{\"k\\u00e9y\":1}");
	CU_ASSERT_EQUAL(cg_json_int(value, "k\xC3\xA9y", 0), 1);
	cg_json_free(value);
}

static void json_keeps_numbers_as_they_came(void)
{
	static const char *const texts[] = {"[1.0,1.10,1e2,0.1,-0.0]",
		"[18446744073709551615,-9223372036854775808,0]",
		"{\"big\":123456789012345678901234567890.5}"};

	for (size_t i = 0; i < 3; i++) {
		struct json_object *value = parse(texts[i]);
		struct json_object *copy = cg_json_copy(value);

		CU_ASSERT_STRING_EQUAL(cg_json_text(value, NULL), texts[i]);
		cg_json_free(value);
		CU_ASSERT_STRING_EQUAL(cg_json_text(copy, NULL), texts[i]);
		cg_json_free(copy);
	}
}

static void json_relaxes_comments_and_commas(void)
{
	static const char *const good[] = {
		"// head\n{\"a\": 1, /* in\nside */ \"b\": [1, 2,], // tail\n}",
		"{\"a\":1,\"b\":[1,2,/**/\n],/* x */}",
		"{\"a\":1,\"b\":[1,2]}//",
		"/***/{\"a\":1,\"b\":[1,2]}/*//*/",
	};
	static const char *const bad[] = {"[,]", "[1,,]", "{,}", "{\"a\":,}", "[1,2",
		"1,", "/*", "[1]/* x", "/", "[1 / 2]", "{\"a\",}", "[/*]", "\"a // b\n\"",
		"", "// only"};
	struct json_object *value = NULL;
	struct cg_error err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(
			cg_json_parse_relaxed(good[i], strlen(good[i]), &value, &err),
			CG_OK);
		CU_ASSERT_STRING_EQUAL(
			cg_json_text(value, NULL), "{\"a\":1,\"b\":[1,2]}");
		cg_json_free(value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(
			cg_json_parse_relaxed(bad[i], strlen(bad[i]), &value, &err),
			CG_INVALID);
	/* Strings are left alone, and offsets stay those of the source. */
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse_relaxed("[\"a//b,]\\\"/*c*/\",]", 18, &value, &err), CG_OK);
	CU_ASSERT_STRING_EQUAL(
		cg_json_value_string(cg_json_at(value, 0), NULL), "a//b,]\"/*c*/");
	cg_json_free(value);
	CU_ASSERT_EQUAL(
		cg_json_parse_relaxed("/* c */ [1, x]", 14, &value, &err), CG_INVALID);
	CU_ASSERT_STRING_EQUAL(err.text, "JSON: unexpected byte at byte 12");
}

UNIT_SUITE(json_parse, UNIT_TEST(json_accepts_what_is_json),
	UNIT_TEST(json_refuses_what_is_none), UNIT_TEST(json_says_where),
	UNIT_TEST(json_caps_nesting), UNIT_TEST(json_caps_values),
	UNIT_TEST(json_unescapes), UNIT_TEST(json_keeps_numbers_as_they_came),
	UNIT_TEST(json_relaxes_comments_and_commas));
