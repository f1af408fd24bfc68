/* SPDX-License-Identifier: Apache-2.0 */
#include "editor.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define CTRL(letter) ((letter)-64)
#define ESCAPE 27
#define DELETE 127
#define NEWLINE_SIGN "\xE2\x8F\x8E" /* ⏎ */
#define QUOTES "\"\"\""

void editor_init(struct editor *editor, size_t limit)
{
	*editor = (struct editor){.cursor = 0};
	cg_buffer_init(&editor->text, limit);
}

void editor_finish(struct editor *editor)
{
	for (size_t i = 0; i < editor->history_count; i++)
		free(editor->history[i]);
	free(editor->draft);
	cg_buffer_finish(&editor->text);
}

/* ---- The text ---- */

static size_t step_back(const struct editor *editor, size_t at)
{
	do {
		at--;
	} while (at > 0 && ((unsigned char)editor->text.bytes[at] & 0xC0) == 0x80);
	return at;
}

static size_t step_on(const struct editor *editor, size_t at)
{
	return at + cg_text_step(editor->text.bytes + at, editor->text.length - at);
}

static void insert(struct editor *editor, const char *bytes, size_t length)
{
	size_t tail = editor->text.length - editor->cursor;

	/* What does not fit is not taken; the buffer itself stays good. */
	if (length > editor->text.limit - editor->text.length ||
		cg_buffer_add(&editor->text, bytes, length) != CG_OK)
		return;
	memmove(editor->text.bytes + editor->cursor + length,
		editor->text.bytes + editor->cursor, tail);
	memcpy(editor->text.bytes + editor->cursor, bytes, length);
	editor->cursor += length;
}

/* From @from up to @to; the cursor goes to @from. */
static void erase(struct editor *editor, size_t from, size_t to)
{
	if (editor->text.length == 0)
		return;
	memmove(editor->text.bytes + from, editor->text.bytes + to,
		editor->text.length - to);
	cg_buffer_truncate(&editor->text, editor->text.length - (to - from));
	editor->cursor = from;
}

static void erase_word(struct editor *editor)
{
	size_t at = editor->cursor;

	while (at > 0 && editor->text.bytes[at - 1] == ' ')
		at--;
	while (at > 0 && editor->text.bytes[at - 1] != ' ')
		at--;
	erase(editor, at, editor->cursor);
}

static void set_text(struct editor *editor, const char *text)
{
	cg_buffer_clear(&editor->text);
	cg_buffer_text(&editor->text, text);
	editor->cursor = editor->text.length;
}

/* ---- History ---- */

static void look_back(struct editor *editor)
{
	if (editor->history_at == 0)
		return;
	if (editor->history_at == editor->history_count) {
		free(editor->draft);
		editor->draft = strdup(cg_buffer_string(&editor->text));
	}
	set_text(editor, editor->history[--editor->history_at]);
}

static void look_forward(struct editor *editor)
{
	if (editor->history_at == editor->history_count)
		return;
	editor->history_at++;
	if (editor->history_at < editor->history_count)
		set_text(editor, editor->history[editor->history_at]);
	else
		set_text(editor, editor->draft == NULL ? "" : editor->draft);
}

static void forget_oldest(struct editor *editor)
{
	editor->history_bytes -= strlen(editor->history[0]) + 1;
	free(editor->history[0]);
	editor->history_count--;
	memmove(editor->history, editor->history + 1,
		editor->history_count * sizeof(editor->history[0]));
}

static void remember(struct editor *editor, const char *text)
{
	size_t size = strlen(text) + 1, count = editor->history_count;
	char *copy;

	if (size > EDITOR_HISTORY_BYTES || size == 1 ||
		(count > 0 && strcmp(editor->history[count - 1], text) == 0))
		return;
	copy = strdup(text);
	if (copy == NULL)
		return;
	while (editor->history_count == EDITOR_HISTORY ||
		editor->history_bytes + size > EDITOR_HISTORY_BYTES)
		forget_oldest(editor);
	editor->history[editor->history_count++] = copy;
	editor->history_bytes += size;
}

/* ---- Messages ---- */

/* Does it begin with three quotation marks that no others have closed yet? */
static bool is_open_block(const char *text, size_t length)
{
	return length >= 3 && memcmp(text, QUOTES, 3) == 0 &&
	       (length < 6 || memcmp(text + length - 3, QUOTES, 3) != 0);
}

static enum editor_event enter(struct editor *editor)
{
	const char *text = cg_buffer_string(&editor->text);
	size_t length = editor->text.length;

	if (editor->pasting || is_open_block(text, length)) {
		insert(editor, "\n", 1);
		return EDITOR_NONE;
	}
	if (length > 0 && text[length - 1] == '\\') {
		editor->cursor = length;
		erase(editor, length - 1, length);
		insert(editor, "\n", 1);
		return EDITOR_NONE;
	}
	return EDITOR_MESSAGE;
}

enum cg_status editor_take(struct editor *editor, struct cg_buffer *ret)
{
	const char *text = cg_buffer_string(&editor->text);
	size_t length = editor->text.length;
	enum cg_status status;

	remember(editor, text);
	if (length >= 6 && memcmp(text, QUOTES, 3) == 0) {
		text += 3;
		length -= 6;
		if (length > 0 && text[0] == '\n') {
			text++;
			length--;
		}
		if (length > 0 && text[length - 1] == '\n')
			length--;
	}
	status = cg_buffer_add(ret, text, length);
	cg_buffer_clear(&editor->text);
	editor->cursor = 0;
	editor->history_at = editor->history_count;
	return status;
}

/* ---- Keys ---- */

static enum editor_event control(struct editor *editor, char key)
{
	size_t length = editor->text.length;

	switch (key) {
	case '\r':
	case '\n':
		return enter(editor);
	case CTRL('D'):
		if (length == 0)
			return EDITOR_END;
		if (editor->cursor < length)
			erase(editor, editor->cursor, step_on(editor, editor->cursor));
		break;
	case DELETE:
	case CTRL('H'):
		if (editor->cursor > 0)
			erase(editor, step_back(editor, editor->cursor), editor->cursor);
		break;
	case CTRL('A'):
		editor->cursor = 0;
		break;
	case CTRL('E'):
		editor->cursor = length;
		break;
	case CTRL('K'):
		erase(editor, editor->cursor, length);
		break;
	case CTRL('U'):
		erase(editor, 0, editor->cursor);
		break;
	case CTRL('W'):
		erase_word(editor);
		break;
	case CTRL('P'):
		look_back(editor);
		break;
	case CTRL('N'):
		look_forward(editor);
		break;
	case '\t':
		if (editor->pasting)
			insert(editor, "\t", 1);
		break;
	default: /* means nothing here */
		break;
	}
	return EDITOR_NONE;
}

/* What a terminal sends for a key; it is complete. */
static void sequence(struct editor *editor, const char *key)
{
	static const struct {
		const char *sequence;
		char key;
	} keys[] = {
		{"\033[A", CTRL('P')},
		{"\033OA", CTRL('P')},
		{"\033[B", CTRL('N')},
		{"\033OB", CTRL('N')},
		{"\033[H", CTRL('A')},
		{"\033[1~", CTRL('A')},
		{"\033[7~", CTRL('A')},
		{"\033[F", CTRL('E')},
		{"\033[4~", CTRL('E')},
		{"\033[8~", CTRL('E')},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].sequence) == 0)
			control(editor, keys[i].key);
	}
	if (strcmp(key, "\033[D") == 0 && editor->cursor > 0)
		editor->cursor = step_back(editor, editor->cursor);
	else if (strcmp(key, "\033[C") == 0 && editor->cursor < editor->text.length)
		editor->cursor = step_on(editor, editor->cursor);
	else if (strcmp(key, "\033[3~") == 0 && editor->cursor < editor->text.length)
		control(editor, CTRL('D'));
	else if (strcmp(key, "\033[200~") == 0)
		editor->pasting = true;
	else if (strcmp(key, "\033[201~") == 0)
		editor->pasting = false;
}

/* Is the key that begins with ESC complete?  ESC, then [ or O, then up to a final byte. */
static bool is_complete(const char *key, size_t length)
{
	if (length < 2)
		return false;
	if (key[1] != '[' && key[1] != 'O')
		return true;
	return length > 2 && key[length - 1] >= '@' && key[length - 1] <= '~';
}

/* One more byte of a key that begins with ESC; one too long is swallowed up to its end. */
static void feed_key(struct editor *editor, char byte)
{
	if (editor->key_length == EDITOR_KEY - 1)
		editor->key_length--;
	editor->key[editor->key_length++] = byte;
	editor->key[editor->key_length] = '\0';
	if (!is_complete(editor->key, editor->key_length))
		return;
	editor->key_length = 0;
	sequence(editor, editor->key);
}

enum editor_event editor_feed(struct editor *editor, char byte)
{
	unsigned char next = (unsigned char)byte;
	uint32_t point;

	if (editor->key_length > 0 && editor->key[0] == ESCAPE) {
		feed_key(editor, byte);
		return EDITOR_NONE;
	}
	if (next < 0x80 || next >= 0xC2)
		editor->key_length = 0; /* what was there is no character */
	if (next == ESCAPE) {
		feed_key(editor, byte);
		return EDITOR_NONE;
	}
	if (next < 32 || next == DELETE)
		return control(editor, byte);
	editor->key[editor->key_length++] = byte;
	if (cg_utf8_decode(editor->key, editor->key_length, &point) > 0) {
		if (!cg_text_is_control(point))
			insert(editor, editor->key, editor->key_length);
	} else if (editor->key_length < 4 && (unsigned char)editor->key[0] >= 0xC2) {
		return EDITOR_NONE; /* the rest of the character is to come */
	}
	editor->key_length = 0;
	return EDITOR_NONE;
}

/* ---- The row ---- */

size_t editor_width(uint32_t point)
{
	static const struct {
		uint32_t first, last;
		size_t width;
	} ranges[] = {
		{0x0300, 0x036F, 0},
		{0x1100, 0x115F, 2},
		{0x200B, 0x200F, 0},
		{0x20D0, 0x20FF, 0},
		{0x2E80, 0x303E, 2},
		{0x3041, 0xA4CF, 2},
		{0xAC00, 0xD7A3, 2},
		{0xF900, 0xFAFF, 2},
		{0xFE00, 0xFE0F, 0},
		{0xFE30, 0xFE6F, 2},
		{0xFF00, 0xFF60, 2},
		{0xFFE0, 0xFFE6, 2},
		{0x1F300, 0x1F64F, 2},
		{0x1F680, 0x1F6FF, 2},
		{0x1F900, 0x1FAFF, 2},
		{0x20000, 0x3FFFD, 2},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return ranges[i].width;
	}
	return 1;
}

/* Columns of the text from @from to @to, each line end being one. */
static size_t measure(const struct editor *editor, size_t from, size_t to)
{
	size_t columns = 0;

	while (from < to) {
		uint32_t point = 0;

		cg_utf8_decode(
			editor->text.bytes + from, editor->text.length - from, &point);
		columns += editor_width(point);
		from = step_on(editor, from);
	}
	return columns;
}

void editor_draw(const struct editor *editor, const char *prompt, size_t columns,
	struct cg_buffer *ret)
{
	size_t left = cg_text_measure(prompt, strlen(prompt), CG_UNIT_CODE_POINTS);
	size_t room = columns > left + 8 ? columns - left - 1 : 8;
	size_t start = 0, drawn = 0, before;

	before = measure(editor, 0, editor->cursor);
	while (before > room) {
		size_t next = step_on(editor, start);

		before -= measure(editor, start, next);
		start = next;
	}
	cg_buffer_format(ret, "\r%s", prompt);
	for (size_t at = start; at < editor->text.length;) {
		size_t next = step_on(editor, at), width = measure(editor, at, next);
		char c = editor->text.bytes[at];

		if (drawn + width > room)
			break;
		if (c == '\n')
			cg_buffer_text(ret, NEWLINE_SIGN);
		else if (c == '\t')
			cg_buffer_char(ret, ' ');
		else
			cg_buffer_add(ret, editor->text.bytes + at, next - at);
		drawn += width;
		at = next;
	}
	cg_buffer_format(ret, "\033[K\r\033[%zuC", left + before);
}
