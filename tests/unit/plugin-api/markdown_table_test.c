/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as text in columns. */
#include "plugin-api/sdk/markdown_table.h"

#include "tests/unit/unit.h"

#include <string.h>

static void add(struct cg_table *table, enum cg_table_align align, const char *text)
{
	CU_ASSERT_EQUAL(cg_table_open_cell(table, align), CG_OK);
	cg_buffer_text(&table->text, text);
	cg_table_close_cell(table);
}

static void check(const struct cg_table *table, const char *expected)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 4096);
	CU_ASSERT_EQUAL(cg_table_write(table, &text), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&text), expected);
	cg_buffer_finish(&text);
}

static void columns_are_as_wide_as_their_widest(void)
{
	struct cg_table table;

	cg_table_init(&table, 4096);
	check(&table, "");
	cg_table_begin(&table, 3);
	add(&table, CG_TABLE_LEFT, "a");
	add(&table, CG_TABLE_CENTER, "b");
	add(&table, CG_TABLE_RIGHT, "c");
	add(&table, CG_TABLE_LEFT, "one");
	add(&table, CG_TABLE_CENTER, "three");
	add(&table, CG_TABLE_RIGHT, "four");
	check(&table, "a   |   b   |    c\n"
		      "----+-------+-----\n"
		      "one | three | four");
	/* The next one begins afresh. */
	cg_table_begin(&table, 1);
	add(&table, CG_TABLE_LEFT, "x");
	check(&table, "x\n-");
	cg_table_finish(&table);
	cg_table_finish(NULL);
}

/* Fixed-width fonts draw some letters two cells wide, and some onto the one before. */
static void width_is_what_a_terminal_draws(void)
{
	struct cg_table table;

	cg_table_init(&table, 4096);
	cg_table_begin(&table, 2);
	add(&table, CG_TABLE_LEFT, "\xE4\xB8\xAD\xE6\x96\x87"); /* two wide ones */
	add(&table, CG_TABLE_LEFT, "x");
	add(&table, CG_TABLE_LEFT, "e\xCC\x81"); /* with an accent of its own */
	add(&table, CG_TABLE_LEFT, "y");
	check(&table, "\xE4\xB8\xAD\xE6\x96\x87 | x\n"
		      "-----+--\n"
		      "e\xCC\x81    | y");
	cg_table_finish(&table);
}

static void a_long_cell_widens_nobody_for_ever(void)
{
	struct cg_table table;
	char text[CG_TABLE_PAD + 11] = "";
	char expected[256];

	memset(text, 'x', CG_TABLE_PAD + 10);
	cg_table_init(&table, 4096);
	cg_table_begin(&table, 1);
	add(&table, CG_TABLE_LEFT, text);
	memset(expected, 0, sizeof(expected));
	memcpy(expected, text, CG_TABLE_PAD + 10);
	expected[CG_TABLE_PAD + 10] = '\n';
	memset(expected + CG_TABLE_PAD + 11, '-', CG_TABLE_PAD);
	check(&table, expected);
	cg_table_finish(&table);
}

static void cells_are_bounded(void)
{
	struct cg_table table;

	cg_table_init(&table, 1);
	cg_table_begin(&table, 2);
	for (size_t i = 0; i < CG_TABLE_CELLS; i++)
		add(&table, CG_TABLE_LEFT, "");
	CU_ASSERT_EQUAL(cg_table_open_cell(&table, CG_TABLE_LEFT), CG_LIMIT);
	CU_ASSERT_EQUAL(table.count, CG_TABLE_CELLS);
	cg_table_finish(&table);
}

UNIT_SUITE(markdown_table, UNIT_TEST(columns_are_as_wide_as_their_widest),
	UNIT_TEST(width_is_what_a_terminal_draws),
	UNIT_TEST(a_long_cell_widens_nobody_for_ever), UNIT_TEST(cells_are_bounded));
