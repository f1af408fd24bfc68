/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/line_reader.h"

#include <string.h>

void line_reader_init(
	struct line_reader *reader, size_t limit, line_handler handler, void *arg)
{
	*reader = (struct line_reader){.limit = limit, .handler = handler, .arg = arg};
	cg_buffer_init(&reader->pending, limit + 1);
}

void line_reader_finish(struct line_reader *reader)
{
	if (reader == NULL)
		return;
	cg_buffer_finish(&reader->pending);
}

static void give(struct line_reader *reader, bool whole)
{
	struct cg_buffer *line = &reader->pending;

	if (line->length > 0 && line->bytes[line->length - 1] == '\r')
		cg_buffer_truncate(line, line->length - 1);
	if (line->length > reader->limit) {
		cg_buffer_truncate(line, reader->limit);
		whole = false;
	}
	reader->handler(reader->arg, cg_buffer_string(line), line->length, whole);
	cg_buffer_clear(line);
}

/* Part of a line, without its end. */
static enum cg_status take(struct line_reader *reader, const char *bytes, size_t length)
{
	size_t room = reader->limit + 1 - reader->pending.length;
	enum cg_status status;

	if (reader->skipping)
		return CG_OK;
	status = cg_buffer_add(&reader->pending, bytes, length < room ? length : room);
	if (status != CG_OK) {
		cg_buffer_clear(&reader->pending);
		reader->skipping = true;
	} else if (length > room) {
		give(reader, false);
		reader->skipping = true;
	}
	return status;
}

enum cg_status line_reader_feed(
	struct line_reader *reader, const char *bytes, size_t length)
{
	enum cg_status status = CG_OK;

	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end == NULL ? length : (size_t)(end - bytes);
		enum cg_status taken = take(reader, bytes, part);

		status = status == CG_OK ? taken : status;
		if (end == NULL)
			break;
		if (!reader->skipping)
			give(reader, true);
		reader->skipping = false;
		bytes += part + 1;
		length -= part + 1;
	}
	return status;
}

void line_reader_end(struct line_reader *reader)
{
	if (!reader->skipping && reader->pending.length > 0)
		give(reader, true);
	reader->skipping = false;
}
