/* SPDX-License-Identifier: Apache-2.0 */
/*
 * md4c's events become text and spans.
 *
 * Line ends between blocks are owed, not written, until more text comes: so a span never ends
 * in them, and nothing but text ends the result.  A span of a kind that is open already adds
 * nothing; with that, spans nest by construction and an index per kind is all the state.
 */
#include "markdown_table.h"

#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/text.h>
#include <md4c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPAN_KINDS (CG_SPAN_QUOTE + 1)
#define NOT_RECORDED SIZE_MAX
#define CONTAINERS_MAX 32 /* deeper lists and quotes are not indented further */
#define URL_MAX 2048 /* bytes; a longer one is written out */
#define LANGUAGE_MAX 32 /* bytes */
#define MARKER_MAX 24 /* bytes of "1234567890. " and a box */
#define RULE \
	"\xE2\x94\x80\xE2\x94\x80\xE2\x94\x80\xE2\x94\x80\xE2\x94\x80\xE2\x94\x80" \
	"\xE2\x94\x80\xE2\x94\x80"
#define BULLET "\xE2\x80\xA2 "
#define BOX_EMPTY "\xE2\x98\x90 "
#define BOX_DONE "\xE2\x98\x91 "

enum container_kind {
	CONTAINER_QUOTE,
	CONTAINER_LIST,
	CONTAINER_ITEM,
};

struct container {
	enum container_kind kind;
	bool tight;
	bool ordered;
	bool begun; /* a list with an item */
	unsigned number; /* of the next item */
	unsigned indent; /* of an item's text, in blanks */
};

struct open_span {
	unsigned depth; /* how many of this kind are open */
	size_t index; /* of the outermost one, or NOT_RECORDED */
};

struct link {
	unsigned depth;
	struct cg_buffer url;
	bool span; /* it is one; else its URL is written out */
	size_t start; /* of its text in the current output */
};

struct renderer {
	enum cg_status status; /* first failure */
	bool want_spans;
	struct cg_buffer text;
	struct cg_span *spans; /* owned, details too */
	size_t span_count;
	size_t span_capacity;
	struct open_span open[SPAN_KINDS];
	struct container containers[CONTAINERS_MAX];
	size_t depth; /* may exceed CONTAINERS_MAX */
	unsigned owed; /* line ends before the next text */
	bool line_start;
	bool fresh; /* right behind a marker */
	bool quote_pending; /* opens with its first line */
	bool heading_pending; /* opens with its first text */
	bool in_code;
	bool code_begun;
	char marker[MARKER_MAX]; /* of an item whose text has not begun; "" otherwise */
	char language[LANGUAGE_MAX + 1];
	struct link link;
	struct cg_table table;
};

static int fail(struct renderer *renderer, enum cg_status status)
{
	if (renderer->status == CG_OK)
		renderer->status = status;
	return renderer->status == CG_OK ? 0 : -1;
}

/* ---- Spans ---- */

static enum cg_status record_span(
	struct renderer *renderer, enum cg_span_kind kind, const char *detail)
{
	struct cg_span span = {.kind = kind, .offset = (uint32_t)renderer->text.length};

	if (renderer->span_count == renderer->span_capacity) {
		size_t capacity =
			renderer->span_capacity > 0 ? renderer->span_capacity * 2 : 16;
		struct cg_span *spans =
			realloc(renderer->spans, capacity * sizeof(*spans));

		if (spans == NULL)
			return CG_NOMEM;
		renderer->spans = spans;
		renderer->span_capacity = capacity;
	}
	if (detail != NULL) {
		span.detail = strdup(detail);
		if (span.detail == NULL)
			return CG_NOMEM;
	}
	renderer->spans[renderer->span_count++] = span;
	return CG_OK;
}

/* Begin a span at the end of the text.  Beyond the cap there are no further spans. */
static void open_span(
	struct renderer *renderer, enum cg_span_kind kind, const char *detail)
{
	struct open_span *open = &renderer->open[kind];
	enum cg_status status;

	if (open->depth++ > 0)
		return;
	open->index = NOT_RECORDED;
	if (!renderer->want_spans || renderer->table.in_cell ||
		renderer->span_count == CG_MARKDOWN_SPANS)
		return;
	status = record_span(renderer, kind, detail);
	if (status == CG_OK)
		open->index = renderer->span_count - 1;
	else
		fail(renderer, status);
}

static void close_span(struct renderer *renderer, enum cg_span_kind kind)
{
	struct open_span *open = &renderer->open[kind];

	if (open->depth == 0 || --open->depth > 0 || open->index == NOT_RECORDED)
		return;
	renderer->spans[open->index].length =
		(uint32_t)(renderer->text.length - renderer->spans[open->index].offset);
}

/* Drop the spans that turned out empty. */
static void drop_empty_spans(struct renderer *renderer)
{
	size_t kept = 0;

	for (size_t i = 0; i < renderer->span_count; i++) {
		if (renderer->spans[i].length > 0)
			renderer->spans[kept++] = renderer->spans[i];
		else
			free((void *)(uintptr_t)renderer->spans[i].detail);
	}
	renderer->span_count = kept;
}

/* ---- Text ---- */

static struct container *innermost(struct renderer *renderer)
{
	size_t depth =
		renderer->depth < CONTAINERS_MAX ? renderer->depth : CONTAINERS_MAX;

	return depth > 0 ? &renderer->containers[depth - 1] : NULL;
}

/* At least @count line ends before the next text, unless it has just begun. */
static void owe(struct renderer *renderer, unsigned count)
{
	if (renderer->text.length == 0 || renderer->fresh || renderer->marker[0] != '\0')
		return;
	if (renderer->owed < count)
		renderer->owed = count;
}

/* A block begins: a blank line, but only a new line inside a tight list. */
static void owe_block(struct renderer *renderer)
{
	const struct container *inner = innermost(renderer);

	owe(renderer,
		inner != NULL && inner->kind != CONTAINER_QUOTE && inner->tight ? 1 : 2);
}

/* Indent, and quote marks where there are no spans to show a quote. */
static void write_prefix(struct renderer *renderer)
{
	size_t depth =
		renderer->depth < CONTAINERS_MAX ? renderer->depth : CONTAINERS_MAX;

	for (size_t i = 0; i < depth; i++) {
		const struct container *container = &renderer->containers[i];
		bool begins = renderer->marker[0] != '\0' && i + 1 == depth;

		if (container->kind == CONTAINER_QUOTE && !renderer->want_spans)
			cg_buffer_text(&renderer->text, "> ");
		for (unsigned j = 0; !begins && j < container->indent; j++)
			cg_buffer_char(&renderer->text, ' ');
	}
}

/* Write the line ends that are owed, and with the first line of a quote open its span. */
static void pay(struct renderer *renderer)
{
	for (; renderer->owed > 0; renderer->owed--) {
		cg_buffer_char(&renderer->text, '\n');
		renderer->line_start = true;
	}
	if (renderer->quote_pending) {
		renderer->quote_pending = false;
		open_span(renderer, CG_SPAN_QUOTE, NULL);
	}
}

/* Make ready for text within a line: all that is owed, the prefix, an item's marker. */
static void begin_text(struct renderer *renderer)
{
	if (renderer->table.in_cell)
		return;
	pay(renderer);
	if (renderer->line_start)
		write_prefix(renderer);
	renderer->line_start = false;
	if (renderer->marker[0] != '\0') {
		cg_buffer_text(&renderer->text, renderer->marker);
		renderer->marker[0] = '\0';
		renderer->fresh = true;
	}
	if (renderer->heading_pending) {
		renderer->heading_pending = false;
		open_span(renderer, CG_SPAN_BOLD, NULL);
	}
}

/* Make ready for a block whose lines are not indented: code or a table. */
static void begin_verbatim(struct renderer *renderer)
{
	if (renderer->marker[0] != '\0') {
		begin_text(renderer);
		renderer->owed = 1;
	}
	pay(renderer);
	renderer->line_start = false;
	renderer->fresh = false;
}

static struct cg_buffer *output(struct renderer *renderer)
{
	return renderer->table.in_cell ? &renderer->table.text : &renderer->text;
}

static void break_line(struct renderer *renderer)
{
	if (renderer->table.in_cell) {
		cg_buffer_char(&renderer->table.text, ' ');
		return;
	}
	begin_text(renderer);
	cg_buffer_char(&renderer->text, '\n');
	renderer->line_start = true;
}

/* Append text without control characters.  Line ends in it are kept in code only. */
static void write_text(struct renderer *renderer, const char *text, size_t length)
{
	struct cg_buffer *out = output(renderer);
	size_t good = 0;

	if (length == 0)
		return;
	begin_text(renderer);
	renderer->fresh = false;
	for (size_t at = 0; at < length;) {
		uint32_t point = CG_UTF8_REPLACEMENT;
		size_t step = cg_utf8_decode(text + at, length - at, &point);
		bool kept = !cg_text_is_control(point) || point == '\t' ||
			    (point == '\n' && renderer->in_code);

		step = step > 0 ? step : 1;
		if (!kept) {
			cg_buffer_add(out, text + good, at - good);
			if (point == '\n')
				cg_buffer_char(out, ' ');
			good = at + step;
		}
		at += step;
	}
	cg_buffer_add(out, text + good, length - good);
}

/* ---- Entities ---- */

/* The code point of "&name;" or "&#number;"; 0 when it is not known. */
static uint32_t entity_point(const char *text, size_t length)
{
	static const struct {
		const char *name;
		uint32_t point;
	} entities[] = {
#define ENTITY(name, point) {name, point},
#include "markdown_entity.def"
#undef ENTITY
	};
	char name[16];
	uint32_t point = 0;

	if (length < 3 || length - 2 >= sizeof(name))
		return 0;
	memcpy(name, text + 1, length - 2);
	name[length - 2] = '\0';
	if (name[0] == '#') {
		bool hex = name[1] == 'x' || name[1] == 'X';

		point = (uint32_t)strtoul(name + 1 + hex, NULL, hex ? 16 : 10);
		return point == 0 || cg_text_is_control(point) ? CG_UTF8_REPLACEMENT
							       : point;
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]) && point == 0;
		i++) {
		if (strcmp(entities[i].name, name) == 0)
			point = entities[i].point;
	}
	return point;
}

/* What a piece of md4c's text stands for.  @scratch holds a decoded character. */
static const char *decode_piece(
	MD_TEXTTYPE type, const char *text, size_t *length, char scratch[4])
{
	uint32_t point = 0;

	if (type == MD_TEXT_NULLCHAR)
		point = CG_UTF8_REPLACEMENT;
	else if (type == MD_TEXT_ENTITY)
		point = entity_point(text, *length);
	if (point == 0)
		return text;
	*length = cg_utf8_encode(point, scratch);
	return scratch;
}

static enum cg_status read_attribute(const MD_ATTRIBUTE *attribute, struct cg_buffer *ret)
{
	cg_buffer_clear(ret);
	if (attribute->text == NULL)
		return CG_OK;
	for (size_t i = 0; attribute->substr_offsets[i] < attribute->size; i++) {
		MD_OFFSET start = attribute->substr_offsets[i];
		size_t length = attribute->substr_offsets[i + 1] - start;
		char scratch[4];
		const char *piece = decode_piece(attribute->substr_types[i],
			attribute->text + start, &length, scratch);

		cg_buffer_add(ret, piece, length);
	}
	return cg_buffer_status(ret);
}

/* ---- Links ---- */

/* Only what a person may safely tap becomes a link. */
static bool is_linkable(const struct cg_buffer *url)
{
	static const char *const schemes[] = {"http://", "https://", "mailto:", "tg://"};
	const char *text = cg_buffer_string(url);

	if (url->length > URL_MAX || strchr(text, ' ') != NULL ||
		!cg_text_clean(text, url->length, URL_MAX))
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t length = strlen(schemes[i]);

		if (strncasecmp(text, schemes[i], length) == 0)
			return url->length > length;
	}
	return false;
}

/* Links inside links (a badge) belong to the outer one. */
static void open_link(struct renderer *renderer, const MD_ATTRIBUTE *url)
{
	struct link *link = &renderer->link;

	if (link->depth++ > 0)
		return;
	fail(renderer, read_attribute(url, &link->url));
	begin_text(renderer);
	link->start = output(renderer)->length;
	link->span = renderer->want_spans && !renderer->table.in_cell &&
		     renderer->span_count < CG_MARKDOWN_SPANS && is_linkable(&link->url);
	if (link->span)
		open_span(renderer, CG_SPAN_LINK, cg_buffer_string(&link->url));
}

static void close_link(struct renderer *renderer)
{
	struct link *link = &renderer->link;
	const struct cg_buffer *out = output(renderer);
	const char *url = cg_buffer_string(&link->url);
	const char *name;
	size_t length;

	if (link->depth == 0 || --link->depth > 0)
		return;
	if (out->length == link->start)
		write_text(renderer, url, link->url.length);
	if (link->span) {
		close_span(renderer, CG_SPAN_LINK);
		return;
	}
	name = cg_buffer_string(out) + link->start;
	length = out->length - link->start;
	if (strncasecmp(url, "mailto:", 7) == 0 && strcmp(url + 7, name) == 0)
		return;
	if (link->url.length == 0 ||
		(length == link->url.length && memcmp(url, name, length) == 0))
		return;
	write_text(renderer, " (", 2);
	write_text(renderer, url, link->url.length);
	write_text(renderer, ")", 1);
}

/* ---- Blocks ---- */

static void push(struct renderer *renderer, struct container container)
{
	if (renderer->depth < CONTAINERS_MAX)
		renderer->containers[renderer->depth] = container;
	renderer->depth++;
}

static void pop(struct renderer *renderer)
{
	if (renderer->depth > 0)
		renderer->depth--;
}

static void open_list(struct renderer *renderer, bool ordered, unsigned start, bool tight)
{
	owe_block(renderer);
	push(renderer, (struct container){.kind = CONTAINER_LIST,
			       .ordered = ordered,
			       .number = start,
			       .tight = tight});
}

static void open_item(struct renderer *renderer, const MD_BLOCK_LI_DETAIL *detail)
{
	struct container *list = innermost(renderer);
	struct container item = {.kind = CONTAINER_ITEM};
	const char *box = "";
	int length;

	if (renderer->marker[0] != '\0')
		begin_text(renderer); /* "- - a": both marks in one line */
	if (list->begun)
		owe(renderer, list->tight ? 1 : 2);
	list->begun = true;
	item.tight = list->tight;
	if (detail->is_task)
		box = detail->task_mark == ' ' ? BOX_EMPTY : BOX_DONE;
	if (list->ordered)
		length = snprintf(renderer->marker, sizeof(renderer->marker), "%u. %s",
			list->number++, box);
	else
		length = snprintf(renderer->marker, sizeof(renderer->marker), "%s",
			*box != '\0' ? box : BULLET);
	item.indent = (unsigned)cg_text_measure(
		renderer->marker, (size_t)length, CG_UNIT_CODE_POINTS);
	push(renderer, item);
}

static void close_item(struct renderer *renderer)
{
	if (renderer->marker[0] != '\0')
		begin_text(renderer); /* an empty item is still an item */
	renderer->fresh = false;
	pop(renderer);
}

static void open_quote(struct renderer *renderer)
{
	if (renderer->marker[0] != '\0')
		begin_text(renderer);
	owe_block(renderer);
	push(renderer, (struct container){.kind = CONTAINER_QUOTE});
	if (renderer->open[CG_SPAN_QUOTE].depth > 0)
		open_span(renderer, CG_SPAN_QUOTE, NULL); /* counts, records nothing */
	else
		renderer->quote_pending = true;
}

static void close_quote(struct renderer *renderer)
{
	pop(renderer);
	if (renderer->quote_pending)
		renderer->quote_pending = false;
	else
		close_span(renderer, CG_SPAN_QUOTE);
}

static void open_code(struct renderer *renderer, const MD_BLOCK_CODE_DETAIL *detail)
{
	struct cg_buffer *language = &renderer->link.url; /* no link is open here */
	size_t length;

	owe_block(renderer);
	renderer->language[0] = '\0';
	fail(renderer, read_attribute(&detail->lang, language));
	length = strspn(cg_buffer_string(language),
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+#._-");
	if (length == language->length && length <= LANGUAGE_MAX)
		cg_text_copy(renderer->language, sizeof(renderer->language),
			cg_buffer_string(language));
	renderer->in_code = true;
	renderer->code_begun = false;
}

static void write_code(struct renderer *renderer, const char *text, size_t length)
{
	if (!renderer->code_begun) {
		renderer->code_begun = true;
		begin_verbatim(renderer);
		open_span(renderer, CG_SPAN_PRE,
			renderer->language[0] != '\0' ? renderer->language : NULL);
	}
	write_text(renderer, text, length);
}

static void close_code(struct renderer *renderer)
{
	struct cg_buffer *text = &renderer->text;

	renderer->in_code = false;
	if (!renderer->code_begun)
		return;
	if (text->length > 0 && text->bytes[text->length - 1] == '\n')
		cg_buffer_truncate(text, text->length - 1);
	close_span(renderer, CG_SPAN_PRE);
}

static void write_table(struct renderer *renderer)
{
	begin_verbatim(renderer);
	open_span(renderer, CG_SPAN_PRE, NULL);
	fail(renderer, cg_table_write(&renderer->table, &renderer->text));
	close_span(renderer, CG_SPAN_PRE);
}

static enum cg_table_align cell_align(const MD_BLOCK_TD_DETAIL *detail)
{
	switch (detail->align) {
	case MD_ALIGN_RIGHT:
		return CG_TABLE_RIGHT;
	case MD_ALIGN_CENTER:
		return CG_TABLE_CENTER;
	default:
		return CG_TABLE_LEFT;
	}
}

/* ---- md4c's callbacks; non-zero stops it ---- */

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;
	const MD_BLOCK_UL_DETAIL *ul = detail;
	const MD_BLOCK_OL_DETAIL *ol = detail;
	const MD_BLOCK_TABLE_DETAIL *table = detail;

	switch (type) {
	case MD_BLOCK_QUOTE:
		open_quote(renderer);
		break;
	case MD_BLOCK_UL:
		open_list(renderer, false, 0, ul->is_tight != 0);
		break;
	case MD_BLOCK_OL:
		open_list(renderer, true, ol->start, ol->is_tight != 0);
		break;
	case MD_BLOCK_LI:
		open_item(renderer, detail);
		break;
	case MD_BLOCK_HR:
		owe_block(renderer);
		write_text(renderer, RULE, strlen(RULE));
		break;
	case MD_BLOCK_H:
		owe_block(renderer);
		renderer->heading_pending = true;
		break;
	case MD_BLOCK_CODE:
		open_code(renderer, detail);
		break;
	case MD_BLOCK_P:
		owe_block(renderer);
		break;
	case MD_BLOCK_TABLE:
		owe_block(renderer);
		cg_table_begin(&renderer->table, table->col_count);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		return fail(renderer,
			cg_table_open_cell(&renderer->table, cell_align(detail)));
	default:
		break;
	}
	return fail(renderer, cg_buffer_status(&renderer->text));
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;

	(void)detail;
	switch (type) {
	case MD_BLOCK_QUOTE:
		close_quote(renderer);
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		pop(renderer);
		break;
	case MD_BLOCK_LI:
		close_item(renderer);
		break;
	case MD_BLOCK_H:
		if (!renderer->heading_pending)
			close_span(renderer, CG_SPAN_BOLD);
		renderer->heading_pending = false;
		break;
	case MD_BLOCK_CODE:
		close_code(renderer);
		break;
	case MD_BLOCK_TABLE:
		write_table(renderer);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		cg_table_close_cell(&renderer->table);
		break;
	default:
		break;
	}
	return fail(renderer, cg_buffer_status(&renderer->text));
}

/* The span kind of md4c's emphasis, false for what is none. */
static bool emphasis_kind(MD_SPANTYPE type, enum cg_span_kind *ret)
{
	switch (type) {
	case MD_SPAN_EM:
		*ret = CG_SPAN_ITALIC;
		return true;
	case MD_SPAN_STRONG:
		*ret = CG_SPAN_BOLD;
		return true;
	case MD_SPAN_DEL:
		*ret = CG_SPAN_STRIKE;
		return true;
	case MD_SPAN_CODE:
		*ret = CG_SPAN_CODE;
		return true;
	default:
		return false;
	}
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;
	const MD_SPAN_A_DETAIL *link = detail;
	const MD_SPAN_IMG_DETAIL *image = detail;
	enum cg_span_kind kind;

	if (type == MD_SPAN_A) {
		open_link(renderer, &link->href);
	} else if (type == MD_SPAN_IMG) {
		open_link(renderer, &image->src);
	} else if (emphasis_kind(type, &kind)) {
		begin_text(renderer);
		open_span(renderer, kind, NULL);
	}
	return fail(renderer, cg_buffer_status(output(renderer)));
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;
	enum cg_span_kind kind;

	(void)detail;
	if (type == MD_SPAN_A || type == MD_SPAN_IMG)
		close_link(renderer);
	else if (emphasis_kind(type, &kind))
		close_span(renderer, kind);
	return fail(renderer, cg_buffer_status(output(renderer)));
}

static int take_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *arg)
{
	struct renderer *renderer = arg;
	size_t length = size;
	char scratch[4];
	const char *piece = decode_piece(type, text, &length, scratch);

	if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
		break_line(renderer);
	else if (renderer->in_code)
		write_code(renderer, piece, length);
	else
		write_text(renderer, piece, length);
	return fail(renderer, cg_buffer_status(output(renderer)));
}

static enum cg_status render(struct renderer *renderer, const char *source, size_t length)
{
	const MD_PARSER parser = {
		.flags = MD_FLAG_STRIKETHROUGH | MD_FLAG_TABLES | MD_FLAG_TASKLISTS |
			 MD_FLAG_PERMISSIVEURLAUTOLINKS | MD_FLAG_NOHTML,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = take_text,
	};

	if (md_parse(source, (MD_SIZE)length, &parser, renderer) != 0)
		fail(renderer, CG_NOMEM); /* its only failure but for the callbacks' */
	return renderer->status;
}

static void free_spans(struct cg_span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)spans[i].detail);
	free(spans);
}

enum cg_status cg_markdown_render(
	const char *source, size_t length, bool spans, struct cg_markdown *ret)
{
	struct renderer renderer = {.want_spans = spans, .line_start = true};
	struct cg_buffer repaired;
	enum cg_status status = CG_LIMIT;

	if (length > CG_MARKDOWN_MAX)
		return CG_LIMIT;
	cg_buffer_init(&renderer.text, CG_MARKDOWN_MAX);
	cg_buffer_init(&renderer.link.url, CG_MARKDOWN_MAX);
	cg_table_init(&renderer.table, CG_MARKDOWN_MAX);
	cg_buffer_init(&repaired, CG_MARKDOWN_MAX);
	if (!cg_utf8_valid(source, length)) {
		status = cg_utf8_repair(&repaired, source, length);
		if (status != CG_OK)
			goto out;
		source = cg_buffer_string(&repaired);
		length = repaired.length;
	}
	status = render(&renderer, source, length);
	if (status != CG_OK)
		goto out;
	drop_empty_spans(&renderer);
	ret->text = cg_buffer_take(&renderer.text, &ret->length);
	if (ret->text == NULL) {
		status = CG_NOMEM;
		goto out;
	}
	ret->spans = renderer.spans;
	ret->span_count = renderer.span_count;
	renderer.spans = NULL;
	renderer.span_count = 0;

out:
	free_spans(renderer.spans, renderer.span_count);
	cg_buffer_finish(&repaired);
	cg_table_finish(&renderer.table);
	cg_buffer_finish(&renderer.link.url);
	cg_buffer_finish(&renderer.text);
	return status;
}

void cg_markdown_finish(struct cg_markdown *markdown)
{
	if (markdown == NULL)
		return;
	free(markdown->text);
	free_spans(markdown->spans, markdown->span_count);
	*markdown = (struct cg_markdown){0};
}
