/* SPDX-License-Identifier: Apache-2.0 */
/* A table collected cell by cell, then written as aligned text.  Private to the SDK. */
#ifndef COWGATE_SDK_MARKDOWN_TABLE_H
#define COWGATE_SDK_MARKDOWN_TABLE_H

#include <cowgate/sdk/buffer.h>
#include <stdbool.h>
#include <stddef.h>

#define CG_TABLE_CELLS 65536 /* in one table; LIMIT beyond */
#define CG_TABLE_PAD 40 /* columns are padded to at most so many characters */

enum cg_table_align {
	CG_TABLE_LEFT,
	CG_TABLE_CENTER,
	CG_TABLE_RIGHT,
};

struct cg_table_cell {
	size_t offset; /* in text */
	size_t length;
	size_t width; /* in character cells of a terminal */
	enum cg_table_align align;
};

struct cg_table {
	struct cg_buffer text; /* of all cells */
	struct cg_table_cell *cells; /* owned; row by row */
	size_t count;
	size_t capacity;
	size_t columns;
	bool in_cell;
};

void cg_table_init(struct cg_table *table, size_t limit);
void cg_table_finish(struct cg_table *table);

/* Forget the last table; the next one has @columns columns, its first row is the header. */
void cg_table_begin(struct cg_table *table, size_t columns);

/* A cell is what is appended to table->text between these two. */
enum cg_status cg_table_open_cell(struct cg_table *table, enum cg_table_align align);
void cg_table_close_cell(struct cg_table *table);

/* Append all rows to @ret, without a line end after the last. */
enum cg_status cg_table_write(const struct cg_table *table, struct cg_buffer *ret);

#endif
