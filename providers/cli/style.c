/* SPDX-License-Identifier: Apache-2.0 */
#include "style.h"

#include "editor.h"

#include <cowgate/sdk/text.h>
#include <string.h>

#define DEPTH 16 /* spans within spans that are shown; deeper ones are plain */
#define NO_BREAK SIZE_MAX

struct page {
	const struct cg_outbound *outbound;
	struct cg_buffer *ret;
	size_t columns;
	size_t next; /* span that has not begun */
	const struct cg_span *open[DEPTH]; /* outermost first */
	size_t depth;
	size_t column; /* of what comes next */
	size_t gap,
		gap_column; /* where the line may be broken, and the column after it */
};

static const char *code_of(enum cg_span_kind kind)
{
	static const char *const codes[] = {
		[CG_SPAN_BOLD] = "\033[1m",
		[CG_SPAN_ITALIC] = "\033[3m",
		[CG_SPAN_STRIKE] = "\033[9m",
		[CG_SPAN_CODE] = "\033[36m",
		[CG_SPAN_PRE] = "\033[36m",
		[CG_SPAN_LINK] = "\033[4m",
		[CG_SPAN_QUOTE] = "\033[2m",
	};

	return codes[kind];
}

/* All that is open, anew: terminals have no way to end one of several. */
static void show_styles(struct page *page)
{
	cg_buffer_text(page->ret, "\033[0m");
	for (size_t i = 0; i < page->depth; i++)
		cg_buffer_text(page->ret, code_of(page->open[i]->kind));
}

static bool is_in_block(const struct page *page)
{
	for (size_t i = 0; i < page->depth; i++) {
		if (page->open[i]->kind == CG_SPAN_PRE)
			return true;
	}
	return false;
}

/* A space becomes a line end when what follows it has come too far. */
static void wrap(struct page *page)
{
	if (page->columns == 0 || page->column <= page->columns ||
		page->gap == NO_BREAK || is_in_block(page))
		return;
	page->ret->bytes[page->gap] = '\n';
	page->column -= page->gap_column;
	page->gap = NO_BREAK;
}

static void show(struct page *page, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t point = 0;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step == 0 ||
			(cg_text_is_control(point) && point != '\n' && point != '\t')) {
			cg_buffer_text(page->ret, CG_UTF8_REPLACEMENT_TEXT);
			page->column++;
		} else {
			cg_buffer_add(page->ret, text + at, step);
			page->column += point == '\t' ? 8 : editor_width(point);
		}
		if (point == '\n') {
			page->column = 0;
			page->gap = NO_BREAK;
		} else if (point == ' ' && cg_buffer_status(page->ret) == CG_OK) {
			page->gap = page->ret->length - 1;
			page->gap_column = page->column;
		}
		wrap(page);
		at += step == 0 ? 1 : step;
	}
}

/* A link says where it leads, unless that is what it says anyway. */
static void show_target(struct page *page, const struct cg_span *span)
{
	const char *text = page->outbound->text + span->offset;
	size_t length;

	if (span->kind != CG_SPAN_LINK || span->detail == NULL)
		return;
	length = strlen(span->detail);
	if (length == span->length && memcmp(text, span->detail, length) == 0)
		return;
	show(page, " (", 2);
	show(page, span->detail, length);
	show(page, ")", 1);
}

static void end_spans(struct page *page, size_t at)
{
	while (page->depth > 0) {
		const struct cg_span *span = page->open[page->depth - 1];

		if (span->offset + span->length > at)
			break;
		page->depth--;
		show_styles(page);
		show_target(page, span);
	}
}

static void begin_spans(struct page *page, size_t at)
{
	const struct cg_outbound *outbound = page->outbound;

	while (page->next < outbound->span_count &&
		outbound->spans[page->next].offset <= at) {
		const struct cg_span *span = &outbound->spans[page->next++];

		if (span->length == 0 || page->depth == DEPTH ||
			span->offset + span->length > outbound->text_length)
			continue;
		page->open[page->depth++] = span;
		cg_buffer_text(page->ret, code_of(span->kind));
	}
}

/* Where the styles change next. */
static size_t next_change(const struct page *page)
{
	const struct cg_outbound *outbound = page->outbound;
	size_t change = outbound->text_length;

	if (page->next < outbound->span_count &&
		outbound->spans[page->next].offset < change)
		change = outbound->spans[page->next].offset;
	if (page->depth > 0) {
		const struct cg_span *span = page->open[page->depth - 1];

		if (span->offset + span->length < change)
			change = span->offset + span->length;
	}
	return change;
}

void cli_style(const struct cg_outbound *outbound, size_t columns, struct cg_buffer *ret)
{
	struct page page = {
		.outbound = outbound, .ret = ret, .columns = columns, .gap = NO_BREAK};
	size_t at = 0;

	while (at < outbound->text_length) {
		size_t change;

		end_spans(&page, at);
		begin_spans(&page, at);
		change = next_change(&page);
		show(&page, outbound->text + at, change - at);
		at = change;
	}
	end_spans(&page, at);
}

void cli_style_plain(const char *text, size_t length, struct cg_buffer *ret)
{
	const struct cg_outbound outbound = {.text = text, .text_length = length};

	cli_style(&outbound, 0, ret);
}
