/* SPDX-License-Identifier: Apache-2.0 */
/* Content that lies in its row, as a file while it is sent. */
#include "gateway/delivery/content.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void rows_with_content_are_told_apart(void)
{
	CU_ASSERT_TRUE(
		content_is_in(&(struct outbox_row){.file_name = (char[]){"a.py"}}));
	CU_ASSERT_FALSE(content_is_in(&(struct outbox_row){.source = (char[]){"text"}}));
	CU_ASSERT_FALSE(content_is_in(&(struct outbox_row){
		.file_name = (char[]){"a.py"}, .file_path = (char[]){"/tmp/a"}}));
}

static void a_file_says_what_the_row_says(void)
{
	struct outbox_row row = {
		.file_name = (char[]){"a.py"}, .source = (char[]){"print(1)\n"}};
	char directory[] = "/tmp/cowgate-content-XXXXXX", text[32] = "";
	char *path = NULL, *other = NULL;
	struct stat about;
	FILE *file;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	CU_ASSERT_EQUAL_FATAL(content_write(&row, directory, &path), CG_OK);
	CU_ASSERT_EQUAL_FATAL(content_write(&row, directory, &other), CG_OK);
	CU_ASSERT_STRING_NOT_EQUAL(path, other);
	CU_ASSERT_EQUAL(stat(path, &about), 0);
	CU_ASSERT_EQUAL(about.st_mode & 0777, 0600);
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof(text), file));
	fclose(file);
	CU_ASSERT_STRING_EQUAL(text, "print(1)\n");
	content_remove(path);
	content_remove(other);
	content_remove(NULL);
	/* Nothing is left behind, and where nothing can be written nothing is given out. */
	CU_ASSERT_EQUAL(rmdir(directory), 0);
	path = directory;
	CU_ASSERT_EQUAL(content_write(&row, directory, &path), CG_IO);
	CU_ASSERT_PTR_EQUAL(path, directory);
}

UNIT_SUITE(content, UNIT_TEST(rows_with_content_are_told_apart),
	UNIT_TEST(a_file_says_what_the_row_says));
