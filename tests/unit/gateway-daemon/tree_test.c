/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/tree.h"

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char root[64], from[96], to[96];
};

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

static bool has(const char *directory, const char *name, const char *text)
{
	char path[256], found[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
	fclose(file);
	return strcmp(found, text) == 0;
}

static void place_make(struct place *place)
{
	snprintf(place->root, sizeof(place->root), "/tmp/cowgate-tree-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->root));
	snprintf(place->from, sizeof(place->from), "%s/from", place->root);
	snprintf(place->to, sizeof(place->to), "%s/to", place->root);
	CU_ASSERT_EQUAL_FATAL(mkdir(place->from, 0755), 0);
}

static void tree_is_copied_once(void)
{
	struct place place;
	struct stat info;
	char path[256];

	place_make(&place);
	write_file(place.from, "a", "first");
	write_file(place.from, "half.part", "not yet");
	snprintf(path, sizeof(path), "%s/link", place.from);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
	CU_ASSERT_EQUAL(tree_copy(place.from, place.to, NULL), CG_OK);
	write_file(place.from, "a", "second");
	write_file(place.from, "b", "late");
	CU_ASSERT_EQUAL(tree_copy(place.from, place.to, NULL), CG_OK);
	CU_ASSERT(has(place.to, "a", "first"));
	CU_ASSERT(has(place.to, "b", "late"));
	CU_ASSERT_FALSE(has(place.to, "half.part", "not yet"));
	snprintf(path, sizeof(path), "%s/link", place.to);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/a", place.to);
	CU_ASSERT_EQUAL(stat(path, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(tree_copy("/nonexistent/from", place.to, NULL), CG_OK);
	CU_ASSERT_EQUAL(tree_remove(place.root, NULL), CG_OK);
	CU_ASSERT_NOT_EQUAL(access(place.root, F_OK), 0);
	CU_ASSERT_EQUAL(tree_remove(place.root, NULL), CG_OK); /* gone already */
}

static void write_list(const char *directory, const char *line)
{
	char path[256];
	FILE *sums;

	snprintf(path, sizeof(path), "%s/SUMS", directory);
	sums = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(sums);
	fputs(line, sums);
	fclose(sums);
}

static void sums_tell_what_has_changed(void)
{
	static const char *const bad[] = {"", "short\n",
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  "
		"../a\n",
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  "
		"/etc/passwd\n"};
	struct place place;

	place_make(&place);
	CU_ASSERT_EQUAL(tree_check(place.from, "SUMS", NULL), CG_NOT_FOUND);
	write_file(place.from, "a", "hello");
	write_list(place.from,
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  a\n");
	CU_ASSERT_EQUAL(tree_check(place.from, "SUMS", NULL), CG_OK);
	write_file(place.from, "a", "hullo");
	CU_ASSERT_EQUAL(tree_check(place.from, "SUMS", NULL), CG_INVALID);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_list(place.from, bad[i]);
		CU_ASSERT_EQUAL(tree_check(place.from, "SUMS", NULL), CG_INVALID);
	}
	/* What is written is what is read. */
	CU_ASSERT_EQUAL(tree_remove(place.root, NULL), CG_OK);
	place_make(&place);
	write_file(place.from, "a", "hello");
	write_file(place.from, "b", "");
	CU_ASSERT_EQUAL(mkdir(place.to, 0700), 0);
	{
		char path[256];
		FILE *sums;

		snprintf(path, sizeof(path), "%s/SUMS", place.root);
		sums = fopen(path, "w");
		CU_ASSERT_PTR_NOT_NULL_FATAL(sums);
		CU_ASSERT_EQUAL(tree_sums(sums, place.from, "from/", NULL), CG_OK);
		fclose(sums);
	}
	CU_ASSERT_EQUAL(tree_check(place.root, "SUMS", NULL), CG_OK);
	write_file(place.from, "b", "x");
	CU_ASSERT_EQUAL(tree_check(place.root, "SUMS", NULL), CG_INVALID);
	CU_ASSERT_EQUAL(tree_remove(place.root, NULL), CG_OK);
}

UNIT_SUITE(tree, UNIT_TEST(tree_is_copied_once), UNIT_TEST(sums_tell_what_has_changed));
