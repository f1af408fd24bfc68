/* SPDX-License-Identifier: Apache-2.0 */
#include <cowgate/sdk/program.h>

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* first/tool is a directory, second/tool a program, third/plain a file that is none. */
struct place {
	char directory[64];
	char path[512]; /* PATH: all three */
	char tool[128];
	char *before; /* what PATH was */
};

static void make_file(const char *path, mode_t mode)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fclose(file);
	CU_ASSERT_EQUAL_FATAL(chmod(path, mode), 0);
}

static void place_make(struct place *place)
{
	static const char *const names[] = {"first", "second", "third", "first/tool"};
	char path[128];

	place->before = strdup(getenv("PATH"));
	snprintf(place->directory, sizeof(place->directory), "/tmp/cowgate-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->directory));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", place->directory, names[i]);
		CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	}
	snprintf(place->tool, sizeof(place->tool), "%s/second/tool", place->directory);
	make_file(place->tool, 0700);
	snprintf(path, sizeof(path), "%s/third/plain", place->directory);
	make_file(path, 0600);
	snprintf(place->path, sizeof(place->path), "%s/first:%s/second:%s/third",
		place->directory, place->directory, place->directory);
	setenv("PATH", place->path, 1);
}

static void place_clear(struct place *place)
{
	static const char *const names[] = {"third/plain", "third", "second/tool",
		"second", "first/tool", "first", ""};
	char path[128];

	setenv("PATH", place->before, 1);
	free(place->before);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", place->directory, names[i]);
		CU_ASSERT_EQUAL(remove(path), 0);
	}
}

static void the_first_that_can_be_run_is_found(void)
{
	struct place place;
	char found[CG_PROGRAM_PATH];

	place_make(&place);
	CU_ASSERT_TRUE(cg_program_find("tool", found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, place.tool);
	CU_ASSERT_FALSE(cg_program_find("plain", found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, "");
	CU_ASSERT_FALSE(cg_program_find("nothing", NULL, 0));
	CU_ASSERT_FALSE(cg_program_find("", NULL, 0)); /* not the directory itself */
	place_clear(&place);
}

static void a_name_with_a_slash_is_not_searched(void)
{
	struct place place;
	char found[CG_PROGRAM_PATH], path[128];

	place_make(&place);
	CU_ASSERT_TRUE(cg_program_find(place.tool, found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, place.tool);
	snprintf(path, sizeof(path), "%s/first/tool", place.directory);
	CU_ASSERT_FALSE(cg_program_find(path, NULL, 0)); /* a directory */
	CU_ASSERT_FALSE(cg_program_find("second/tool", NULL, 0));
	place_clear(&place);
}

static void an_empty_directory_is_the_current_one(void)
{
	struct place place;
	char found[CG_PROGRAM_PATH], here[CG_PROGRAM_PATH];

	place_make(&place);
	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(here, sizeof(here)));
	snprintf(found, sizeof(found), "%s/second", place.directory);
	CU_ASSERT_EQUAL_FATAL(chdir(found), 0);
	setenv("PATH", "/nonexistent:", 1);
	CU_ASSERT_TRUE(cg_program_find("tool", found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, "./tool");
	unsetenv("PATH");
	CU_ASSERT_FALSE(cg_program_find("tool", NULL, 0));
	CU_ASSERT_EQUAL(chdir(here), 0);
	place_clear(&place);
}

static void what_does_not_fit_is_not_found(void)
{
	struct place place;
	char found[128];
	char *long_path = malloc(CG_PROGRAM_PATH + 256);
	size_t length;

	place_make(&place);
	length = strlen(place.tool);
	CU_ASSERT_TRUE(cg_program_find("tool", found, length + 1));
	CU_ASSERT_FALSE(cg_program_find("tool", found, length));
	CU_ASSERT_STRING_EQUAL(found, "");
	/* A directory whose name is too long does not end the search. */
	CU_ASSERT_PTR_NOT_NULL_FATAL(long_path);
	memset(long_path, 'x', CG_PROGRAM_PATH);
	snprintf(long_path + CG_PROGRAM_PATH, 256, ":%s/second", place.directory);
	setenv("PATH", long_path, 1);
	CU_ASSERT_TRUE(cg_program_find("tool", found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, place.tool);
	free(long_path);
	place_clear(&place);
}

UNIT_SUITE(program, UNIT_TEST(the_first_that_can_be_run_is_found),
	UNIT_TEST(a_name_with_a_slash_is_not_searched),
	UNIT_TEST(an_empty_directory_is_the_current_one),
	UNIT_TEST(what_does_not_fit_is_not_found));
