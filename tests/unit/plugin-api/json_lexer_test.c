/* SPDX-License-Identifier: Apache-2.0 */
/* JSON cut into tokens, strictly. */
#include "plugin-api/sdk/json_lexer.h"

#include "tests/unit/unit.h"

#include <string.h>

/* The kinds of the tokens as letters; ! for what is broken. */
static const char *kinds_of(const char *text)
{
	static const char letters[] = {[CG_TOKEN_END] = '.',
		[CG_TOKEN_OBJECT_OPEN] = '{',
		[CG_TOKEN_OBJECT_CLOSE] = '}',
		[CG_TOKEN_ARRAY_OPEN] = '[',
		[CG_TOKEN_ARRAY_CLOSE] = ']',
		[CG_TOKEN_COMMA] = ',',
		[CG_TOKEN_COLON] = ':',
		[CG_TOKEN_STRING] = 's',
		[CG_TOKEN_INTEGER] = 'i',
		[CG_TOKEN_DOUBLE] = 'd',
		[CG_TOKEN_TRUE] = 't',
		[CG_TOKEN_FALSE] = 'f',
		[CG_TOKEN_NULL] = 'n',
		[CG_TOKEN_BROKEN] = '!'};
	static char kinds[64];
	struct cg_lexer lexer = {.bytes = text, .length = strlen(text)};
	struct cg_token token;
	size_t count = 0;

	do {
		token = cg_lexer_next(&lexer);
		kinds[count++] = letters[token.kind];
	} while (token.kind != CG_TOKEN_END && token.kind != CG_TOKEN_BROKEN &&
		 count < sizeof(kinds) - 1);
	kinds[count] = '\0';
	return kinds;
}

static void tokens_are_told_apart(void)
{
	CU_ASSERT_STRING_EQUAL(kinds_of(""), ".");
	CU_ASSERT_STRING_EQUAL(kinds_of(" \t\r\n"), ".");
	CU_ASSERT_STRING_EQUAL(
		kinds_of("{\"a\":[1,-2.5e3,true,false,null]}"), "{s:[i,d,t,f,n]}.");
	/* Order is not its business. */
	CU_ASSERT_STRING_EQUAL(kinds_of("]1:,"), "]i:,.");
	CU_ASSERT_STRING_EQUAL(kinds_of("0 -0 10 0.0 1e1"), "iiidd.");
}

static void what_is_no_token_is_broken(void)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{"01", "leading zero"},
		{"-", "digit expected"},
		{"1.", "digit expected"},
		{"1e", "digit expected"},
		{"1e+", "digit expected"},
		{"nul", "value expected"},
		{"'a'", "unexpected byte"},
		{"\"a", "the string does not end"},
		{"\"a\n\"", "control character in a string"},
		{"\"\xC0\x80\"", "invalid UTF-8"},
		{"\"\\x\"", "unknown escape"},
		{"\"\\u12G4\"", "\\u needs four hex digits"},
		{"\"\\u12", "\\u needs four hex digits"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cg_lexer lexer = {
			.bytes = rows[i].text, .length = strlen(rows[i].text)};
		struct cg_token token = cg_lexer_next(&lexer);

		CU_ASSERT_EQUAL(token.kind, CG_TOKEN_BROKEN);
		if (token.kind == CG_TOKEN_BROKEN)
			CU_ASSERT_STRING_EQUAL(token.problem, rows[i].problem);
		CU_ASSERT_TRUE(lexer.at <= lexer.length);
	}
}

static void check_string(
	const char *text, bool escaped, bool has_nul, const char *meaning, size_t length)
{
	struct cg_lexer lexer = {.bytes = text, .length = strlen(text)};
	struct cg_token token = cg_lexer_next(&lexer);
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 64);
	CU_ASSERT_EQUAL_FATAL(token.kind, CG_TOKEN_STRING);
	CU_ASSERT_EQUAL(token.escaped, escaped);
	CU_ASSERT_EQUAL(token.has_nul, has_nul);
	CU_ASSERT_EQUAL(cg_token_unescape(&token, &buffer), CG_OK);
	CU_ASSERT_EQUAL(buffer.length, length);
	CU_ASSERT_EQUAL(memcmp(cg_buffer_string(&buffer), meaning, length), 0);
	cg_buffer_finish(&buffer);
}

static void strings_have_a_meaning(void)
{
	check_string("\"plain\"", false, false, "plain", 5);
	check_string("\"\"", false, false, "", 0);
	check_string("\"a\\tb\\\\\"", true, false, "a\tb\\", 4);
	check_string("\"a\\u0000b\"", true, true, "a\0b", 3);
	check_string("\"\\ud83d\\ude00\"", true, false, "\xF0\x9F\x98\x80", 4);
	/* Halves of a pair that lack the other. */
	check_string("\"\\ud83d\"", true, false, "\xEF\xBF\xBD", 3);
	check_string("\"\\ud83dx\"", true, false, "\xEF\xBF\xBDx", 4);
	check_string("\"\\ude00\"", true, false, "\xEF\xBF\xBD", 3);
}

static void check_relaxed(const char *text, const char *expected)
{
	char copy[64];

	CU_ASSERT_EQUAL_FATAL(strlen(text), strlen(expected));
	memcpy(copy, text, strlen(text) + 1);
	cg_lexer_relax(copy, strlen(text));
	CU_ASSERT_STRING_EQUAL(copy, expected);
}

static void comments_become_blanks(void)
{
	check_relaxed("[1,// x\n2]", "[1,    \n2]");
	check_relaxed("[1/*\n*/,]", "[1  \n   ]");
	check_relaxed("[\"//\",\"a\\\"/*\"]", "[\"//\",\"a\\\"/*\"]");
	/* What does not end, or follows no value, is left to be refused. */
	check_relaxed("[1,/*", "[1,/*");
	check_relaxed("[,]", "[,]");
	check_relaxed("{\"a\":,}", "{\"a\":,}");
	check_relaxed("\"a\\", "\"a\\");
}

UNIT_SUITE(json_lexer, UNIT_TEST(tokens_are_told_apart),
	UNIT_TEST(what_is_no_token_is_broken), UNIT_TEST(strings_have_a_meaning),
	UNIT_TEST(comments_become_blanks));
