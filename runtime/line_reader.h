/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as they come, lines as they were meant: LF or CRLF, of bounded length.  Pure. */
#ifndef COWGATE_RUNTIME_LINE_READER_H
#define COWGATE_RUNTIME_LINE_READER_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>

/*
 * @line ends with NUL after @length bytes, its end of line not included.  @whole is false for a
 * line that is longer than the limit: it is given cut, once, and its rest is skipped.
 */
typedef void (*line_handler)(void *arg, const char *line, size_t length, bool whole);

struct line_reader {
	struct cg_buffer pending; /* at most limit bytes and a CR */
	size_t limit;
	bool skipping; /* the rest of a line that was too long */
	line_handler handler;
	void *arg;
};

void line_reader_init(
	struct line_reader *reader, size_t limit, line_handler handler, void *arg);
void line_reader_finish(struct line_reader *reader);

/* The handler must not feed or finish its own reader.  NOMEM: a line is lost. */
enum cg_status line_reader_feed(
	struct line_reader *reader, const char *bytes, size_t length);

/* No more will come: a last line without an end counts. */
void line_reader_end(struct line_reader *reader);

#endif
