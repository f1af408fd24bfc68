/* SPDX-License-Identifier: Apache-2.0 */
/* Text, indents, item marks and spans of rendered Markdown. */
#include "markdown_page.h"

#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SPANS 16
#define NOT_RECORDED SIZE_MAX
#define QUOTE_MARK "> "
#define BULLET "\xE2\x80\xA2 "
#define BOX_OPEN "\xE2\x98\x90 "
#define BOX_DONE "\xE2\x98\x91 "

void cg_page_init(struct cg_page *page, size_t limit, bool want_spans)
{
	*page = (struct cg_page){.want_spans = want_spans, .line_start = true};
	cg_buffer_init(&page->text, limit);
}

void cg_page_finish(struct cg_page *page)
{
	if (page == NULL)
		return;
	cg_buffer_finish(&page->text);
	cg_page_free_spans(page->spans, page->span_count);
	page->spans = NULL;
	page->span_count = page->span_capacity = 0;
}

enum cg_status cg_page_status(const struct cg_page *page)
{
	return page->status != CG_OK ? page->status : cg_buffer_status(&page->text);
}

/* ---- Spans ---- */

static void free_detail(const struct cg_span *span)
{
	/* The struct lends details to providers, so they are const there. */
	free((void *)(uintptr_t)span->detail);
}

void cg_page_free_spans(struct cg_span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_detail(&spans[i]);
	free(spans);
}

static enum cg_status record_span(
	struct cg_page *page, enum cg_span_kind kind, const char *detail)
{
	struct cg_span span = {.kind = kind, .offset = (uint32_t)page->text.length};

	if (page->span_count == page->span_capacity) {
		size_t capacity =
			page->span_capacity > 0 ? page->span_capacity * 2 : FIRST_SPANS;
		struct cg_span *spans = realloc(page->spans, capacity * sizeof(*spans));

		if (spans == NULL)
			return CG_NOMEM;
		page->spans = spans;
		page->span_capacity = capacity;
	}
	if (detail != NULL) {
		span.detail = strdup(detail);
		if (span.detail == NULL)
			return CG_NOMEM;
	}
	page->spans[page->span_count++] = span;
	return CG_OK;
}

void cg_page_open_span(struct cg_page *page, enum cg_span_kind kind, const char *detail)
{
	enum cg_status status;

	if (page->open[kind].depth++ > 0)
		return;
	page->open[kind].index = NOT_RECORDED;
	if (!page->want_spans || page->span_count == CG_MARKDOWN_SPANS)
		return;
	status = record_span(page, kind, detail);
	if (status == CG_OK)
		page->open[kind].index = page->span_count - 1;
	else if (page->status == CG_OK)
		page->status = status;
}

void cg_page_close_span(struct cg_page *page, enum cg_span_kind kind)
{
	size_t index = page->open[kind].index;

	if (page->open[kind].depth == 0 || --page->open[kind].depth > 0)
		return;
	if (index != NOT_RECORDED)
		page->spans[index].length =
			(uint32_t)(page->text.length - page->spans[index].offset);
}

void cg_page_forget_inline(struct cg_page *page)
{
	for (int kind = 0; kind < CG_PAGE_SPAN_KINDS; kind++) {
		if (kind != CG_SPAN_QUOTE)
			page->open[kind].depth = 0;
	}
}

static uint32_t span_end(const struct cg_span *span)
{
	return span->offset + span->length;
}

/*
 * Code stands alone: platforms refuse a text in which it overlaps emphasis.  Emphasis ends before
 * code and begins again behind it; code inside a link is only the link.
 */

static bool is_code(const struct cg_span *span)
{
	return span->kind == CG_SPAN_CODE || span->kind == CG_SPAN_PRE;
}

static bool is_emphasis(const struct cg_span *span)
{
	return span->kind == CG_SPAN_BOLD || span->kind == CG_SPAN_ITALIC ||
	       span->kind == CG_SPAN_STRIKE;
}

static void drop_code_in_links(struct cg_page *page)
{
	uint32_t link_end = 0;
	size_t kept = 0;

	for (size_t i = 0; i < page->span_count; i++) {
		struct cg_span span = page->spans[i];

		if (span.kind == CG_SPAN_LINK)
			link_end = span_end(&span);
		if (is_code(&span) && span.offset < link_end)
			free_detail(&span);
		else
			page->spans[kept++] = span;
	}
	page->span_count = kept;
}

static void add_piece(
	struct cg_page *page, enum cg_span_kind kind, uint32_t from, uint32_t to)
{
	if (from >= to || page->span_count == CG_MARKDOWN_SPANS)
		return;
	if (record_span(page, kind, NULL) != CG_OK)
		return; /* a little less is emphasised */
	page->spans[page->span_count - 1].offset = from;
	page->spans[page->span_count - 1].length = to - from;
}

static bool goes_before(const struct cg_span *left, const struct cg_span *right)
{
	return left->offset != right->offset ? left->offset < right->offset
					     : left->length > right->length;
}

/* The pieces stand behind the others: each finds its place, equals keep theirs. */
static void sort_pieces(struct cg_page *page, size_t sorted)
{
	for (size_t i = sorted; i < page->span_count; i++) {
		struct cg_span piece = page->spans[i];
		size_t at = i;

		for (; at > 0 && goes_before(&piece, &page->spans[at - 1]); at--)
			page->spans[at] = page->spans[at - 1];
		page->spans[at] = piece;
	}
}

static void stand_code_alone(struct cg_page *page)
{
	size_t count = page->span_count;

	for (size_t i = 0; i < count; i++) {
		enum cg_span_kind kind = page->spans[i].kind;
		uint32_t end = span_end(&page->spans[i]), from = end;

		if (!is_emphasis(&page->spans[i]))
			continue;
		for (size_t k = i + 1; k < count && page->spans[k].offset < end; k++) {
			const struct cg_span *code = &page->spans[k];

			if (!is_code(code))
				continue;
			if (from == end) /* the first: what stands before it stays */
				page->spans[i].length =
					code->offset - page->spans[i].offset;
			else
				add_piece(page, kind, from, code->offset);
			from = span_end(&page->spans[k]);
		}
		add_piece(page, kind, from, end);
	}
	sort_pieces(page, count);
	count = page->span_count;
	page->span_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (page->spans[i].length > 0)
			page->spans[page->span_count++] = page->spans[i];
	}
}

void cg_page_end_spans(struct cg_page *page)
{
	size_t around
		[CG_PAGE_SPAN_KINDS]; /* spans that hold the current one; one a kind */
	size_t depth = 0;
	size_t kept = 0;

	for (size_t i = 0; i < page->span_count; i++) {
		struct cg_span span = page->spans[i];
		const struct cg_span *outer = NULL;

		while (depth > 0 &&
			span_end(&page->spans[around[depth - 1]]) <= span.offset)
			depth--;
		if (depth > 0)
			outer = &page->spans[around[depth - 1]];
		if (outer != NULL && span_end(&span) > span_end(outer))
			span.length = span_end(outer) - span.offset;
		if (span.length == 0) {
			free_detail(&span);
			continue;
		}
		around[depth++] = kept;
		page->spans[kept++] = span;
	}
	page->span_count = kept;
	drop_code_in_links(page);
	stand_code_alone(page);
}

/* ---- Text ---- */

static size_t box_count(const struct cg_page *page)
{
	return page->depth < CG_PAGE_DEPTH ? page->depth : CG_PAGE_DEPTH;
}

static struct cg_page_box *innermost(struct cg_page *page)
{
	size_t count = box_count(page);

	return count > 0 ? &page->boxes[count - 1] : NULL;
}

static bool has_marker(const struct cg_page *page)
{
	return page->marker[0] != '\0';
}

/* At least @count line ends before the next text, unless a place for text has just begun. */
static void owe(struct cg_page *page, unsigned count)
{
	if (page->text.length == 0 || page->fresh || has_marker(page))
		return;
	if (page->owed < count)
		page->owed = count;
}

void cg_page_begin_block(struct cg_page *page)
{
	const struct cg_page_box *inner = innermost(page);

	owe(page, inner != NULL && inner->kind != CG_PAGE_QUOTE && inner->tight ? 1 : 2);
}

/* The item that the pending marker belongs to: its first line is indented by the marker. */
static size_t marked_item(const struct cg_page *page)
{
	size_t index = box_count(page);

	while (index > 0 && page->boxes[index - 1].kind != CG_PAGE_ITEM)
		index--;
	return has_marker(page) && index > 0 ? index - 1 : SIZE_MAX;
}

/* Indent, and quote marks where there are no spans to show a quote. */
static void write_prefix(struct cg_page *page)
{
	size_t marked = marked_item(page);

	for (size_t i = 0; i < box_count(page); i++) {
		const struct cg_page_box *box = &page->boxes[i];

		if (box->kind == CG_PAGE_QUOTE && !page->want_spans)
			cg_buffer_text(&page->text, QUOTE_MARK);
		for (unsigned j = 0; i != marked && j < box->indent; j++)
			cg_buffer_char(&page->text, ' ');
	}
}

/* Write the line ends that are owed, and with the first line of a quote open its span. */
static void pay(struct cg_page *page)
{
	for (; page->owed > 0; page->owed--) {
		cg_buffer_char(&page->text, '\n');
		page->line_start = true;
	}
	if (page->quote_pending) {
		page->quote_pending = false;
		cg_page_open_span(page, CG_SPAN_QUOTE, NULL);
	}
}

void cg_page_begin_text(struct cg_page *page)
{
	pay(page);
	if (page->line_start)
		write_prefix(page);
	page->line_start = false;
	if (has_marker(page)) {
		cg_buffer_text(&page->text, page->marker);
		page->marker[0] = '\0';
		page->fresh = true;
	}
	if (page->heading_pending) {
		page->heading_pending = false;
		cg_page_open_span(page, CG_SPAN_BOLD, NULL);
	}
}

void cg_page_begin_verbatim(struct cg_page *page)
{
	if (has_marker(page)) {
		cg_page_begin_text(page);
		page->owed = 1;
	}
	pay(page);
	page->line_start = false;
	page->fresh = false;
}

void cg_page_write_clean(
	struct cg_buffer *buffer, const char *text, size_t length, bool verbatim)
{
	size_t good = 0; /* start of what has not been copied */

	for (size_t at = 0; at < length;) {
		uint32_t point = CG_UTF8_REPLACEMENT;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		step = step > 0 ? step : 1;
		if (cg_text_is_control(point) && point != '\t' &&
			!(point == '\n' && verbatim)) {
			cg_buffer_add(buffer, text + good, at - good);
			if (point == '\n')
				cg_buffer_char(buffer, ' ');
			good = at + step;
		}
		at += step;
	}
	cg_buffer_add(buffer, text + good, length - good);
}

void cg_page_write(struct cg_page *page, const char *text, size_t length, bool verbatim)
{
	if (length == 0)
		return;
	cg_page_begin_text(page);
	page->fresh = false;
	cg_page_write_clean(&page->text, text, length, verbatim);
}

void cg_page_break_line(struct cg_page *page)
{
	cg_page_begin_text(page);
	cg_buffer_char(&page->text, '\n');
	page->line_start = true;
}

/* ---- Blocks ---- */

static void push(struct cg_page *page, struct cg_page_box box)
{
	if (page->depth < CG_PAGE_DEPTH)
		page->boxes[page->depth] = box;
	page->depth++;
}

static void pop(struct cg_page *page)
{
	if (page->depth > 0)
		page->depth--;
}

void cg_page_open_heading(struct cg_page *page)
{
	cg_page_begin_block(page);
	page->heading_pending = true;
}

void cg_page_close_heading(struct cg_page *page)
{
	if (!page->heading_pending)
		cg_page_close_span(page, CG_SPAN_BOLD);
	page->heading_pending = false;
}

void cg_page_open_quote(struct cg_page *page)
{
	bool same_line = has_marker(page);

	if (same_line) {
		cg_page_begin_text(page);
		if (!page->want_spans)
			cg_buffer_text(&page->text, QUOTE_MARK);
	}
	cg_page_begin_block(page);
	push(page, (struct cg_page_box){.kind = CG_PAGE_QUOTE});
	if (page->open[CG_SPAN_QUOTE].depth > 0)
		cg_page_open_span(page, CG_SPAN_QUOTE, NULL); /* counts, no more */
	else
		page->quote_pending = true;
}

void cg_page_close_quote(struct cg_page *page)
{
	pop(page);
	if (page->quote_pending)
		page->quote_pending = false;
	else
		cg_page_close_span(page, CG_SPAN_QUOTE);
}

void cg_page_open_list(struct cg_page *page, bool ordered, unsigned start, bool tight)
{
	cg_page_begin_block(page);
	push(page, (struct cg_page_box){.kind = CG_PAGE_LIST,
			   .ordered = ordered,
			   .number = start,
			   .tight = tight});
}

void cg_page_close_list(struct cg_page *page)
{
	pop(page);
}

void cg_page_open_item(struct cg_page *page, enum cg_page_task task)
{
	static const char *const boxes[] = {"", BOX_OPEN, BOX_DONE};
	struct cg_page_box item = {.kind = CG_PAGE_ITEM};
	struct cg_page_box *list = innermost(page);

	if (has_marker(page))
		cg_page_begin_text(page); /* "- - a": both marks in one line */
	if (list == NULL)
		return;
	if (list->begun)
		owe(page, list->tight ? 1 : 2);
	list->begun = true;
	item.tight = list->tight;
	if (list->ordered)
		snprintf(page->marker, sizeof(page->marker), "%u. %s", list->number++,
			boxes[task]);
	else
		cg_text_copy(page->marker, sizeof(page->marker),
			task != CG_PAGE_NO_TASK ? boxes[task] : BULLET);
	item.indent = (unsigned)cg_text_measure(
		page->marker, strlen(page->marker), CG_UNIT_CODE_POINTS);
	push(page, item);
}

void cg_page_close_item(struct cg_page *page)
{
	if (has_marker(page))
		cg_page_begin_text(page); /* an empty item is still an item */
	page->fresh = false;
	pop(page);
}
