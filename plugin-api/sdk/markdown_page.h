/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that Markdown is rendered onto: text with its indents and item marks, and spans
 * over it.  Knows nothing of Markdown's syntax.  Private to the SDK.
 *
 * Line ends between blocks are owed, not written, until more text comes: so a span never ends
 * in them and the page ends in text.  A span of a kind that is open already adds nothing; with
 * that an index per kind is all the state there is, even where md4c closes what it never opened.
 */
#ifndef COWGATE_SDK_MARKDOWN_PAGE_H
#define COWGATE_SDK_MARKDOWN_PAGE_H

#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stddef.h>

#define CG_PAGE_SPAN_KINDS (CG_SPAN_QUOTE + 1)
#define CG_PAGE_DEPTH 32 /* deeper lists and quotes are not indented further */
#define CG_PAGE_MARKER 24 /* bytes of "1234567890. " with a box */

struct cg_page_box {
	enum cg_page_box_kind {
		CG_PAGE_QUOTE,
		CG_PAGE_LIST,
		CG_PAGE_ITEM,
	} kind;
	bool tight; /* LIST, ITEM: no blank lines between blocks */
	bool ordered; /* LIST */
	bool begun; /* LIST: it has an item */
	unsigned number; /* LIST: of the next item */
	unsigned indent; /* ITEM: of its text, in blanks */
};

struct cg_page {
	struct cg_buffer text;
	struct cg_span *spans; /* owned, details too; sorted by offset, outer first */
	size_t span_count;
	size_t span_capacity;
	enum cg_status status; /* first failure but for those of text */
	bool want_spans;
	/* The rest is how far the page is. */
	struct {
		unsigned depth; /* how many of this kind are open */
		size_t index; /* of the outermost one */
	} open[CG_PAGE_SPAN_KINDS];
	struct cg_page_box boxes[CG_PAGE_DEPTH];
	size_t depth; /* may exceed CG_PAGE_DEPTH */
	unsigned owed; /* line ends before the next text */
	bool line_start;
	bool fresh; /* right behind an item's marker */
	bool quote_pending; /* a quote's span opens with its first line */
	bool heading_pending; /* a heading's span opens with its first text */
	char marker[CG_PAGE_MARKER]; /* of an item whose text has not begun, or "" */
};

void cg_page_init(struct cg_page *page, size_t limit, bool want_spans);
void cg_page_finish(struct cg_page *page);

/* First failure of the text or of a span. */
enum cg_status cg_page_status(const struct cg_page *page);

/* Begin a span at the end of the text; beyond CG_MARKDOWN_SPANS it is counted only. */
void cg_page_open_span(struct cg_page *page, enum cg_span_kind kind, const char *detail);
void cg_page_close_span(struct cg_page *page, enum cg_span_kind kind);
/* What md4c opened inside a line and never closed ends unrecorded with its block. */
void cg_page_forget_inline(struct cg_page *page);
/* To be called once at the end: spans without text go, overlapping ones are cut to nest. */
void cg_page_end_spans(struct cg_page *page);
void cg_page_free_spans(struct cg_span *spans, size_t count);

/* A block begins: after a blank line, but after a mere line end inside a tight list. */
void cg_page_begin_block(struct cg_page *page);
/* Text within a line follows: write what is owed, the indent, an item's marker. */
void cg_page_begin_text(struct cg_page *page);
/* Lines that are not indented follow: code or a table. */
void cg_page_begin_verbatim(struct cg_page *page);

/* Append text: without control characters, and with line ends only when @verbatim. */
void cg_page_write(struct cg_page *page, const char *text, size_t length, bool verbatim);
void cg_page_break_line(struct cg_page *page);

/* The same for any buffer, without indents. */
void cg_page_write_clean(
	struct cg_buffer *buffer, const char *text, size_t length, bool verbatim);

void cg_page_open_heading(struct cg_page *page);
void cg_page_close_heading(struct cg_page *page);
void cg_page_open_quote(struct cg_page *page);
void cg_page_close_quote(struct cg_page *page);
void cg_page_open_list(struct cg_page *page, bool ordered, unsigned start, bool tight);
void cg_page_close_list(struct cg_page *page);

enum cg_page_task {
	CG_PAGE_NO_TASK,
	CG_PAGE_TASK_OPEN,
	CG_PAGE_TASK_DONE,
};
void cg_page_open_item(struct cg_page *page, enum cg_page_task task);
void cg_page_close_item(struct cg_page *page);

#endif
