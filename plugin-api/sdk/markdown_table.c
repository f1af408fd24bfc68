/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as text in a fixed-width font. */
#include "markdown_table.h"

#include <cowgate/sdk/text.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_CELLS 32

struct range {
	uint32_t first, last;
};

/* Drawn two cells wide in fixed-width fonts: East Asian scripts and emoji. */
static const struct range wide[] = {
	{0x1100, 0x115F},
	{0x2E80, 0xA4CF},
	{0xAC00, 0xD7A3},
	{0xF900, 0xFAFF},
	{0xFE30, 0xFE6F},
	{0xFF00, 0xFF60},
	{0xFFE0, 0xFFE6},
	{0x1F300, 0x1FAFF},
	{0x20000, 0x3FFFD},
};

/* Drawn onto what comes before: combining marks, joiners, variation selectors. */
static const struct range narrow[] = {
	{0x0300, 0x036F},
	{0x200B, 0x200F},
	{0x20D0, 0x20FF},
	{0xFE00, 0xFE0F},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool in_ranges(const struct range *ranges, size_t count, uint32_t point)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	}
	return false;
}

static size_t text_width(const char *text, size_t length)
{
	size_t width = 0;

	for (size_t at = 0; at < length;) {
		uint32_t point = CG_UTF8_REPLACEMENT;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (in_ranges(wide, COUNT(wide), point))
			width += 2;
		else if (!in_ranges(narrow, COUNT(narrow), point))
			width += 1;
		at += step > 0 ? step : 1;
	}
	return width;
}

void cg_table_init(struct cg_table *table, size_t limit)
{
	*table = (struct cg_table){0};
	cg_buffer_init(&table->text, limit);
}

void cg_table_finish(struct cg_table *table)
{
	if (table == NULL)
		return;
	cg_buffer_finish(&table->text);
	free(table->cells);
	table->cells = NULL;
}

void cg_table_begin(struct cg_table *table, size_t columns)
{
	cg_buffer_clear(&table->text);
	table->count = 0;
	table->columns = columns;
	table->in_cell = false;
}

enum cg_status cg_table_open_cell(struct cg_table *table, enum cg_table_align align)
{
	if (table->count == CG_TABLE_CELLS)
		return CG_LIMIT;
	if (table->count == table->capacity) {
		size_t capacity = table->capacity > 0 ? table->capacity * 2 : FIRST_CELLS;
		struct cg_table_cell *cells =
			realloc(table->cells, capacity * sizeof(*cells));

		if (cells == NULL)
			return CG_NOMEM;
		table->cells = cells;
		table->capacity = capacity;
	}
	table->cells[table->count] =
		(struct cg_table_cell){.offset = table->text.length, .align = align};
	table->in_cell = true;
	return CG_OK;
}

void cg_table_close_cell(struct cg_table *table)
{
	struct cg_table_cell *cell = &table->cells[table->count++];

	cell->length = table->text.length - cell->offset;
	cell->width =
		text_width(cg_buffer_string(&table->text) + cell->offset, cell->length);
	table->in_cell = false;
}

static void repeat(struct cg_buffer *buffer, char c, size_t count)
{
	while (count-- > 0)
		cg_buffer_char(buffer, c);
}

static void write_cell(const struct cg_table *table, const struct cg_table_cell *cell,
	size_t width, struct cg_buffer *ret)
{
	const char *text = cg_buffer_string(&table->text) + cell->offset;
	size_t pad = width > cell->width ? width - cell->width : 0;
	size_t before = cell->align == CG_TABLE_RIGHT    ? pad
			: cell->align == CG_TABLE_CENTER ? pad / 2
							 : 0;

	repeat(ret, ' ', before);
	cg_buffer_add(ret, text, cell->length);
	repeat(ret, ' ', pad - before);
}

/* The rule under the header. */
static void write_rule(
	const struct cg_table *table, const size_t *widths, struct cg_buffer *ret)
{
	for (size_t column = 0; column < table->columns; column++) {
		if (column > 0)
			cg_buffer_text(ret, "-+-");
		repeat(ret, '-', widths[column]);
	}
}

/* Blanks at the end of a line mean nothing. */
static void trim_line(struct cg_buffer *buffer)
{
	size_t length = buffer->length;

	while (length > 0 && buffer->bytes[length - 1] == ' ')
		length--;
	cg_buffer_truncate(buffer, length);
}

enum cg_status cg_table_write(const struct cg_table *table, struct cg_buffer *ret)
{
	size_t *widths;

	if (table->count == 0 || table->columns == 0)
		return CG_OK;
	widths = calloc(table->columns, sizeof(*widths));
	if (widths == NULL)
		return CG_NOMEM;
	for (size_t i = 0; i < table->count; i++) {
		size_t width = table->cells[i].width;
		size_t *widest = &widths[i % table->columns];

		width = width < CG_TABLE_PAD ? width : CG_TABLE_PAD;
		*widest = width > *widest ? width : *widest;
	}
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;

		if (column > 0)
			cg_buffer_text(ret, " | ");
		write_cell(table, &table->cells[i], widths[column], ret);
		if (column + 1 < table->columns)
			continue;
		trim_line(ret);
		if (i + 1 == table->columns) {
			cg_buffer_char(ret, '\n');
			write_rule(table, widths, ret);
		}
		if (i + 1 < table->count)
			cg_buffer_char(ret, '\n');
	}
	free(widths);
	return cg_buffer_status(ret);
}
