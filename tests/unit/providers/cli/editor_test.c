/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cli/editor.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define UP "\033[A"
#define DOWN "\033[B"
#define LEFT "\033[D"
#define RIGHT "\033[C"
#define HOME "\033[H"
#define END "\033[F"

/* Type all of @keys; the event of the last. */
static enum editor_event type(struct editor *editor, const char *keys)
{
	enum editor_event event = EDITOR_NONE;

	for (; *keys != '\0'; keys++)
		event = editor_feed(editor, *keys);
	return event;
}

static void check(struct editor *editor, const char *text)
{
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&editor->text), text);
}

/* @keys end a message, which is @message. */
static void check_message(struct editor *editor, const char *keys, const char *message)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 4096);
	CU_ASSERT_EQUAL(type(editor, keys), EDITOR_MESSAGE);
	CU_ASSERT_EQUAL(editor_take(editor, &text), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&text), message);
	check(editor, "");
	cg_buffer_finish(&text);
}

static void keys_edit_the_line(void)
{
	static const struct {
		const char *keys, *text;
	} rows[] = {
		{"abc", "abc"},
		{"ab\xC3\xA4\x7F", "ab"},
		{"ab\xF0\x9F\x98\x80" LEFT "x", "abx\xF0\x9F\x98\x80"},
		{"abc" HOME "x" END "y", "xabcy"},
		{"abc" HOME RIGHT "x", "axbc"},
		{"abc\001x\005y", "xabcy"},
		{"abc" LEFT "\033[3~", "ab"},
		{"abc" LEFT "\004", "ab"},
		{"abc" LEFT LEFT "\013", "a"},
		{"abc" LEFT "\025", "c"},
		{"one two  \027x", "one x"},
		{"\x7F\x7F" LEFT RIGHT "\013\025\027", ""},
		{"a\tb\007\033[5~c\033x", "abc"},
		{"a\xFF\x80z\xC3y\xE4\xBDx", "azyx"},
		{"a\033[1;5;99;99;99;99;99bc", "ac"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct editor editor;

		editor_init(&editor, 1000);
		CU_ASSERT_EQUAL(type(&editor, rows[i].keys), EDITOR_NONE);
		check(&editor, rows[i].text);
		editor_finish(&editor);
	}
}

static void the_end_is_ctrl_d_on_nothing(void)
{
	struct editor editor;

	editor_init(&editor, 1000);
	CU_ASSERT_EQUAL(type(&editor, "a\004"), EDITOR_NONE);
	CU_ASSERT_EQUAL(type(&editor, "\x7F\004"), EDITOR_END);
	editor_finish(&editor);
}

static void messages_may_have_lines(void)
{
	struct editor editor;

	editor_init(&editor, 1000);
	check_message(&editor, "hello\r", "hello");
	check_message(&editor, "\r", "");
	check_message(&editor, "one\\\rtwo\\\rthree\r", "one\ntwo\nthree");
	check_message(&editor, "\"\"\"\rone\r\rtwo\r\"\"\"\r", "one\n\ntwo");
	check_message(&editor, "\"\"\"inline\"\"\"\r", "inline");
	check_message(
		&editor, "\033[200~one\rtwo\tx\n\033[201~three\r", "one\ntwo\tx\nthree");
	editor_finish(&editor);
}

static void history_comes_back(void)
{
	struct editor editor;

	editor_init(&editor, 1000);
	type(&editor, UP DOWN);
	check(&editor, "");
	check_message(&editor, "one\r", "one");
	check_message(&editor, "two\\\rlines\r", "two\nlines");
	check_message(&editor, UP "\r", "two\nlines"); /* not remembered twice */
	type(&editor, "draft" UP UP);
	check(&editor, "one");
	type(&editor, UP);
	check(&editor, "one");
	type(&editor, DOWN DOWN);
	check(&editor, "draft");
	check_message(&editor, UP UP " more\r", "one more");
	CU_ASSERT_EQUAL(editor.history_count, 3);
	editor_finish(&editor);
}

static void history_has_its_caps(void)
{
	struct editor editor;
	struct cg_buffer text;
	char line[40000];

	editor_init(&editor, 100000);
	for (int i = 0; i < EDITOR_HISTORY + 5; i++) {
		char message[16];

		snprintf(message, sizeof(message), "%d", i);
		snprintf(line, sizeof(line), "%d\r", i);
		check_message(&editor, line, message);
	}
	CU_ASSERT_EQUAL(editor.history_count, EDITOR_HISTORY);
	CU_ASSERT_STRING_EQUAL(editor.history[0], "5");
	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 2] = '\r';
	line[sizeof(line) - 1] = '\0';
	type(&editor, line);
	cg_buffer_init(&text, sizeof(line));
	CU_ASSERT_EQUAL(editor_take(&editor, &text), CG_OK);
	CU_ASSERT_EQUAL(text.length, sizeof(line) - 2);
	cg_buffer_finish(&text);
	CU_ASSERT_TRUE(editor.history_bytes <= EDITOR_HISTORY_BYTES);
	editor_finish(&editor);
}

static void a_text_has_a_limit(void)
{
	struct editor editor;

	editor_init(&editor, 4);
	type(&editor, "abc\xC3\xA4z");
	check(&editor, "abcz");
	type(&editor, "q" LEFT "\x7F");
	check(&editor, "abz");
	editor_finish(&editor);
}

static void check_row(const char *keys, size_t columns, const char *row)
{
	struct editor editor;
	struct cg_buffer drawn;

	editor_init(&editor, 1000);
	cg_buffer_init(&drawn, 1000);
	type(&editor, keys);
	editor_draw(&editor, "> ", columns, &drawn);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&drawn), row);
	cg_buffer_finish(&drawn);
	editor_finish(&editor);
}

static void the_row_shows_what_is_around_the_cursor(void)
{
	check_row("", 80, "\r> \033[K\r\033[2C");
	check_row("abc" LEFT, 80, "\r> abc\033[K\r\033[4C");
	check_row("a\\\rb", 80,
		"\r> a\xE2\x8F\x8E"
		"b\033[K\r\033[5C");
	check_row("0123456789abcdef", 13, "\r> 6789abcdef\033[K\r\033[12C");
	check_row("0123456789abcdef" HOME, 13, "\r> 0123456789\033[K\r\033[2C");
	/* Wide characters take two columns, and are never cut in half. */
	check_row("\xE4\xBD\xA0\xE5\xA5\xBD", 80,
		"\r> \xE4\xBD\xA0\xE5\xA5\xBD\033[K\r\033[6C");
	check_row("123456789\xE4\xBD\xA0" HOME, 13, "\r> 123456789\033[K\r\033[2C");
}

UNIT_SUITE(cli_editor, UNIT_TEST(keys_edit_the_line),
	UNIT_TEST(the_end_is_ctrl_d_on_nothing), UNIT_TEST(messages_may_have_lines),
	UNIT_TEST(history_comes_back), UNIT_TEST(history_has_its_caps),
	UNIT_TEST(a_text_has_a_limit),
	UNIT_TEST(the_row_shows_what_is_around_the_cursor));
