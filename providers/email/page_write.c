/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* What is open: where it ends and how it is closed. */
struct open_span {
	size_t end;
	const char *close;
};

struct writer {
	struct cg_buffer *html;
	struct open_span open[PAGE_DEPTH];
	size_t depth;
	size_t raw; /* blocks open in which line ends are kept as they are */
};

static void escape(struct cg_buffer *html, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		switch (text[i]) {
		case '&':
			cg_buffer_text(html, "&amp;");
			break;
		case '<':
			cg_buffer_text(html, "&lt;");
			break;
		case '>':
			cg_buffer_text(html, "&gt;");
			break;
		case '"':
			cg_buffer_text(html, "&quot;");
			break;
		default:
			cg_buffer_char(html, text[i]);
		}
	}
}

static void write_text(struct writer *writer, const char *text, size_t length)
{
	while (length > 0) {
		const char *line = memchr(text, '\n', length);
		size_t part = line == NULL ? length : (size_t)(line - text);

		escape(writer->html, text, part);
		if (line == NULL)
			return;
		cg_buffer_text(writer->html, writer->raw > 0 ? "\n" : "<br>\n");
		text += part + 1;
		length -= part + 1;
	}
}

static bool may_link(const char *url)
{
	return url != NULL && (strncasecmp(url, "https://", 8) == 0 ||
				      strncasecmp(url, "http://", 7) == 0 ||
				      strncasecmp(url, "mailto:", 7) == 0);
}

static void open_span(struct writer *writer, const struct cg_span *span)
{
	static const char *const tags[][2] = {
		[CG_SPAN_BOLD] = {"<b>", "</b>"},
		[CG_SPAN_ITALIC] = {"<i>", "</i>"},
		[CG_SPAN_STRIKE] = {"<s>", "</s>"},
		[CG_SPAN_CODE] = {"<code>", "</code>"},
		[CG_SPAN_PRE] = {"<pre>", "</pre>"},
		[CG_SPAN_LINK] = {"", "</a>"},
		[CG_SPAN_QUOTE] = {"<blockquote>", "</blockquote>"},
	};

	if (writer->depth == PAGE_DEPTH ||
		(span->kind == CG_SPAN_LINK && !may_link(span->detail)))
		return;
	writer->open[writer->depth++] =
		(struct open_span){span->offset + span->length, tags[span->kind][1]};
	cg_buffer_text(writer->html, tags[span->kind][0]);
	if (span->kind == CG_SPAN_LINK) {
		cg_buffer_text(writer->html, "<a href=\"");
		escape(writer->html, span->detail, strlen(span->detail));
		cg_buffer_text(writer->html, "\">");
	}
	writer->raw += span->kind == CG_SPAN_PRE;
}

static void close_one(struct writer *writer)
{
	const char *close = writer->open[--writer->depth].close;

	cg_buffer_text(writer->html, close);
	writer->raw -= strcmp(close, "</pre>") == 0;
}

/* Where the next span ends, at the latest @limit. */
static size_t next_end(const struct writer *writer, size_t limit)
{
	for (size_t i = 0; i < writer->depth; i++) {
		if (writer->open[i].end < limit)
			limit = writer->open[i].end;
	}
	return limit;
}

/* Write up to @until, closing on the way what ends there.  One that crosses another ends with it. */
static size_t write_until(
	struct writer *writer, const char *text, size_t at, size_t until)
{
	for (;;) {
		size_t end = next_end(writer, until);

		write_text(writer, text + at, end - at);
		at = end;
		if (next_end(writer, SIZE_MAX) > at)
			return at;
		while (next_end(writer, SIZE_MAX) <= at)
			close_one(writer);
	}
}

enum cg_status page_write(struct cg_buffer *html, const char *text, size_t length,
	const struct cg_span *spans, size_t count)
{
	struct writer writer = {.html = html};
	size_t at = 0;

	cg_buffer_text(html,
		"<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n");
	for (size_t i = 0; i < count; i++) {
		const struct cg_span *span = &spans[i];

		if (span->length == 0 || span->offset < at || span->offset > length ||
			span->length > length - span->offset)
			continue;
		at = write_until(&writer, text, at, span->offset);
		open_span(&writer, span);
	}
	write_until(&writer, text, at, length);
	while (writer.depth > 0)
		close_one(&writer);
	cg_buffer_text(html, "\n</body></html>\n");
	return cg_buffer_status(html);
}
