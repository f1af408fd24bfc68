/* SPDX-License-Identifier: Apache-2.0 */
/* md4c's events become text and spans on a page; tables are collected and written whole. */
#include "markdown_page.h"
#include "markdown_table.h"

#include <cowgate/sdk/markdown.h>
#include <cowgate/sdk/text.h>
#include <md4c.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_MAX 2048 /* bytes; a longer one is written out */
#define LANGUAGE_MAX 32 /* bytes */
#define ENTITY_MAX 16 /* bytes of a name or number */
#define RULE_MARKS 8
#define RULE_MARK "\xE2\x94\x80"

struct link {
	unsigned depth;
	struct cg_buffer url;
	bool span; /* it is one; else its URL is written out */
	size_t start; /* of its text in the current output */
};

struct renderer {
	enum cg_status status; /* first failure but for the page's */
	struct cg_page page;
	struct cg_table table;
	struct link link;
	struct cg_buffer language; /* of the current code block */
	bool in_code;
	bool code_begun;
};

static void fail(struct renderer *renderer, enum cg_status status)
{
	if (renderer->status == CG_OK)
		renderer->status = status;
}

/* What a callback returns: non-zero stops md4c. */
static int outcome(struct renderer *renderer)
{
	fail(renderer, cg_page_status(&renderer->page));
	fail(renderer, cg_buffer_status(&renderer->table.text));
	return renderer->status == CG_OK ? 0 : -1;
}

/* Text goes into a table's cell or onto the page. */
static const struct cg_buffer *output(const struct renderer *renderer)
{
	return renderer->table.in_cell ? &renderer->table.text : &renderer->page.text;
}

static void write_text(struct renderer *renderer, const char *text, size_t length)
{
	if (renderer->table.in_cell)
		cg_page_write_clean(&renderer->table.text, text, length, false);
	else
		cg_page_write(&renderer->page, text, length, false);
}

static void break_line(struct renderer *renderer)
{
	if (renderer->table.in_cell)
		cg_buffer_char(&renderer->table.text, ' ');
	else
		cg_page_break_line(&renderer->page);
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
	char name[ENTITY_MAX];
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
	if (!renderer->table.in_cell)
		cg_page_begin_text(&renderer->page);
	link->start = output(renderer)->length;
	link->span = renderer->page.want_spans && !renderer->table.in_cell &&
		     renderer->page.span_count < CG_MARKDOWN_SPANS &&
		     is_linkable(&link->url);
	if (link->span)
		cg_page_open_span(
			&renderer->page, CG_SPAN_LINK, cg_buffer_string(&link->url));
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
		cg_page_close_span(&renderer->page, CG_SPAN_LINK);
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

static void open_code(struct renderer *renderer, const MD_BLOCK_CODE_DETAIL *detail)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789+#._-";
	struct cg_buffer *language = &renderer->language;

	cg_page_begin_block(&renderer->page);
	fail(renderer, read_attribute(&detail->lang, language));
	if (language->length > LANGUAGE_MAX ||
		strspn(cg_buffer_string(language), plain) != language->length)
		cg_buffer_clear(language);
	renderer->in_code = true;
	renderer->code_begun = false;
}

static void write_code(struct renderer *renderer, const char *text, size_t length)
{
	const struct cg_buffer *language = &renderer->language;

	if (!renderer->code_begun) {
		renderer->code_begun = true;
		cg_page_begin_verbatim(&renderer->page);
		cg_page_open_span(&renderer->page, CG_SPAN_PRE,
			language->length > 0 ? cg_buffer_string(language) : NULL);
	}
	cg_page_write(&renderer->page, text, length, true);
}

static void close_code(struct renderer *renderer)
{
	struct cg_buffer *text = &renderer->page.text;

	renderer->in_code = false;
	if (!renderer->code_begun)
		return;
	if (text->length > 0 && text->bytes[text->length - 1] == '\n')
		cg_buffer_truncate(text, text->length - 1);
	cg_page_close_span(&renderer->page, CG_SPAN_PRE);
}

static void write_rule(struct renderer *renderer)
{
	cg_page_begin_block(&renderer->page);
	for (int i = 0; i < RULE_MARKS; i++)
		write_text(renderer, RULE_MARK, sizeof(RULE_MARK) - 1);
}

static void write_table(struct renderer *renderer)
{
	cg_page_begin_verbatim(&renderer->page);
	cg_page_open_span(&renderer->page, CG_SPAN_PRE, NULL);
	fail(renderer, cg_table_write(&renderer->table, &renderer->page.text));
	cg_page_close_span(&renderer->page, CG_SPAN_PRE);
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

static enum cg_page_task item_task(const MD_BLOCK_LI_DETAIL *detail)
{
	if (!detail->is_task)
		return CG_PAGE_NO_TASK;
	return detail->task_mark == ' ' ? CG_PAGE_TASK_OPEN : CG_PAGE_TASK_DONE;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;
	const MD_BLOCK_UL_DETAIL *ul = detail;
	const MD_BLOCK_OL_DETAIL *ol = detail;
	const MD_BLOCK_TABLE_DETAIL *table = detail;

	/* A URL that holds a closing mark makes md4c forget to close what the mark ends. */
	cg_page_forget_inline(&renderer->page);
	renderer->link.depth = 0;
	switch (type) {
	case MD_BLOCK_QUOTE:
		cg_page_open_quote(&renderer->page);
		break;
	case MD_BLOCK_UL:
		cg_page_open_list(&renderer->page, false, 0, ul->is_tight != 0);
		break;
	case MD_BLOCK_OL:
		cg_page_open_list(&renderer->page, true, ol->start, ol->is_tight != 0);
		break;
	case MD_BLOCK_LI:
		cg_page_open_item(&renderer->page, item_task(detail));
		break;
	case MD_BLOCK_HR:
		write_rule(renderer);
		break;
	case MD_BLOCK_H:
		cg_page_open_heading(&renderer->page);
		break;
	case MD_BLOCK_CODE:
		open_code(renderer, detail);
		break;
	case MD_BLOCK_P:
		cg_page_begin_block(&renderer->page);
		break;
	case MD_BLOCK_TABLE:
		cg_page_begin_block(&renderer->page);
		cg_table_begin(&renderer->table, table->col_count);
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		fail(renderer, cg_table_open_cell(&renderer->table, cell_align(detail)));
		break;
	default:
		break;
	}
	return outcome(renderer);
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;

	(void)detail;
	switch (type) {
	case MD_BLOCK_QUOTE:
		cg_page_close_quote(&renderer->page);
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		cg_page_close_list(&renderer->page);
		break;
	case MD_BLOCK_LI:
		cg_page_close_item(&renderer->page);
		break;
	case MD_BLOCK_H:
		cg_page_close_heading(&renderer->page);
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
	return outcome(renderer);
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
	} else if (!renderer->table.in_cell && emphasis_kind(type, &kind)) {
		cg_page_begin_text(&renderer->page);
		cg_page_open_span(&renderer->page, kind, NULL);
	}
	return outcome(renderer);
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
	struct renderer *renderer = arg;
	enum cg_span_kind kind;

	(void)detail;
	if (type == MD_SPAN_A || type == MD_SPAN_IMG)
		close_link(renderer);
	else if (!renderer->table.in_cell && emphasis_kind(type, &kind))
		cg_page_close_span(&renderer->page, kind);
	return outcome(renderer);
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
	return outcome(renderer);
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
		fail(renderer, CG_NOMEM); /* the only failure of md4c's own */
	return renderer->status;
}

/* Move the page's text and spans out. */
static enum cg_status take_page(struct cg_page *page, struct cg_markdown *ret)
{
	struct cg_markdown markdown = {0};

	cg_page_end_spans(page);
	markdown.text = cg_buffer_take(&page->text, &markdown.length);
	if (markdown.text == NULL)
		return CG_NOMEM;
	markdown.spans = page->spans;
	markdown.span_count = page->span_count;
	page->spans = NULL;
	page->span_count = 0;
	*ret = markdown;
	return CG_OK;
}

/*
 * What md4c gets to read: valid UTF-8 that ends in a line end, for behind a link cut short by
 * the end of its input md4c looks at one byte more, and must not find a bracket there.
 */
static enum cg_status copy_source(
	const char *source, size_t length, struct cg_buffer *ret)
{
	cg_utf8_repair(ret, source, length);
	return cg_buffer_char(ret, '\n');
}

enum cg_status cg_markdown_render(
	const char *source, size_t length, bool spans, struct cg_markdown *ret)
{
	struct renderer renderer = {0};
	struct cg_buffer copy;
	enum cg_status status;

	if (length > CG_MARKDOWN_MAX)
		return CG_LIMIT;
	cg_page_init(&renderer.page, CG_MARKDOWN_MAX, spans);
	cg_table_init(&renderer.table, CG_MARKDOWN_MAX);
	cg_buffer_init(&renderer.link.url, CG_MARKDOWN_MAX);
	cg_buffer_init(&renderer.language, CG_MARKDOWN_MAX);
	cg_buffer_init(&copy, CG_MARKDOWN_MAX + 1);
	status = copy_source(source, length, &copy);
	if (status == CG_OK)
		status = render(&renderer, cg_buffer_string(&copy), copy.length);
	if (status == CG_OK)
		status = take_page(&renderer.page, ret);
	cg_buffer_finish(&copy);
	cg_buffer_finish(&renderer.language);
	cg_buffer_finish(&renderer.link.url);
	cg_table_finish(&renderer.table);
	cg_page_finish(&renderer.page);
	return status;
}

void cg_markdown_finish(struct cg_markdown *markdown)
{
	if (markdown == NULL)
		return;
	free(markdown->text);
	cg_page_free_spans(markdown->spans, markdown->span_count);
	*markdown = (struct cg_markdown){0};
}
