/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line that is being typed: keys in, messages out, one row on the screen.  Pure: knows no
 * terminal, only its bytes.  A message may have several lines: pasted, continued by a backslash
 * at the end of a line, or between lines of three quotation marks.
 */
#ifndef PROVIDERS_CLI_EDITOR_H
#define PROVIDERS_CLI_EDITOR_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stdint.h>

#define EDITOR_HISTORY 100 /* messages that are remembered */
#define EDITOR_HISTORY_BYTES 65536 /* of all of them; the oldest go first */
#define EDITOR_KEY 16 /* bytes of the longest key that is understood */

enum editor_event {
	EDITOR_NONE,
	EDITOR_MESSAGE, /* it is complete: take it */
	EDITOR_END, /* Ctrl-D where nothing was typed */
};

struct editor {
	struct cg_buffer text; /* what is being typed */
	size_t cursor; /* in bytes */
	bool pasting; /* line ends belong to the text */
	char *history[EDITOR_HISTORY]; /* owned, oldest first */
	size_t history_count, history_bytes, history_at; /* at count: not in it */
	char *draft; /* owned: what was typed before the history was looked through */
	char key[EDITOR_KEY]; /* of an unfinished key or character */
	size_t key_length;
};

/* A text has at most @limit bytes; what goes beyond is not taken. */
void editor_init(struct editor *editor, size_t limit);
void editor_finish(struct editor *editor);

enum editor_event editor_feed(struct editor *editor, char byte);

/* After EDITOR_MESSAGE: append the message to @ret, remember it, begin anew. */
enum cg_status editor_take(struct editor *editor, struct cg_buffer *ret);

/* Append the row: back to its first column, @prompt, as much of the text around the cursor as
 * fits @columns, the rest cleared, the cursor in its place. */
void editor_draw(const struct editor *editor, const char *prompt, size_t columns,
	struct cg_buffer *ret);

/* Columns that a character takes: 0, 1 or 2. */
size_t editor_width(uint32_t point);

#endif
