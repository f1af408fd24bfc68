/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <stdlib.h>
#include <string.h>

static void buffer_collects(void)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 1000);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "");
	CU_ASSERT_EQUAL(cg_buffer_text(&buffer, "one"), CG_OK);
	CU_ASSERT_EQUAL(cg_buffer_char(&buffer, ' '), CG_OK);
	CU_ASSERT_EQUAL(cg_buffer_add(&buffer, "t\0o", 3), CG_OK);
	CU_ASSERT_EQUAL(cg_buffer_format(&buffer, "%03d", 7), CG_OK);
	CU_ASSERT_EQUAL(buffer.length, 10);
	CU_ASSERT_EQUAL(memcmp(buffer.bytes, "one t\0o007", 11), 0);
	cg_buffer_drop(&buffer, 4);
	CU_ASSERT_EQUAL(memcmp(buffer.bytes, "t\0o007", 7), 0);
	cg_buffer_truncate(&buffer, 1);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "t");
	cg_buffer_truncate(&buffer, 5);
	CU_ASSERT_EQUAL(buffer.length, 1);
	cg_buffer_drop(&buffer, 9);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "");
	cg_buffer_finish(&buffer);
	cg_buffer_finish(NULL);
}

static void buffer_stops_at_its_limit(void)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 70);
	for (int i = 0; i < 70; i++)
		CU_ASSERT_EQUAL(cg_buffer_char(&buffer, 'x'), CG_OK);
	CU_ASSERT_TRUE(buffer.capacity <= 71);
	CU_ASSERT_EQUAL(cg_buffer_char(&buffer, 'y'), CG_LIMIT);
	CU_ASSERT_EQUAL(buffer.length, 70);
	/* A failure lasts, so that a gap never goes unnoticed. */
	cg_buffer_truncate(&buffer, 10);
	CU_ASSERT_EQUAL(cg_buffer_char(&buffer, 'y'), CG_LIMIT);
	CU_ASSERT_EQUAL(cg_buffer_status(&buffer), CG_LIMIT);
	cg_buffer_clear(&buffer);
	CU_ASSERT_EQUAL(cg_buffer_status(&buffer), CG_OK);
	CU_ASSERT_EQUAL(cg_buffer_format(&buffer, "%71s", "x"), CG_LIMIT);
	CU_ASSERT_EQUAL(buffer.length, 0);
	cg_buffer_clear(&buffer);
	CU_ASSERT_EQUAL(cg_buffer_format(&buffer, "%70s", "x"), CG_OK);
	CU_ASSERT_EQUAL(buffer.length, 70);
	cg_buffer_finish(&buffer);
}

static void buffer_gives_back_large_memory(void)
{
	static char block[100000];
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 1u << 20);
	cg_buffer_add(&buffer, block, 1000);
	cg_buffer_clear(&buffer);
	CU_ASSERT_PTR_NOT_NULL(buffer.bytes);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "");
	cg_buffer_add(&buffer, block, sizeof(block));
	cg_buffer_clear(&buffer);
	CU_ASSERT_PTR_NULL(buffer.bytes);
	CU_ASSERT_EQUAL(cg_buffer_text(&buffer, "again"), CG_OK);
	cg_buffer_finish(&buffer);
}

static void buffer_moves_out(void)
{
	struct cg_buffer buffer;
	size_t length = 99;
	char *bytes;

	cg_buffer_init(&buffer, 4);
	bytes = cg_buffer_take(&buffer, &length);
	CU_ASSERT_STRING_EQUAL(bytes, "");
	CU_ASSERT_EQUAL(length, 0);
	free(bytes);
	cg_buffer_text(&buffer, "four");
	bytes = cg_buffer_take(&buffer, NULL);
	CU_ASSERT_STRING_EQUAL(bytes, "four");
	CU_ASSERT_EQUAL(buffer.length, 0);
	free(bytes);
	cg_buffer_text(&buffer, "fiver");
	CU_ASSERT_PTR_NULL(cg_buffer_take(&buffer, NULL));
	CU_ASSERT_EQUAL(cg_buffer_status(&buffer), CG_LIMIT);
	cg_buffer_finish(&buffer);
}

UNIT_SUITE(buffer, UNIT_TEST(buffer_collects), UNIT_TEST(buffer_stops_at_its_limit),
	UNIT_TEST(buffer_gives_back_large_memory), UNIT_TEST(buffer_moves_out));
