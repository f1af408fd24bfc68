/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the store: whole or not at all, and nothing else. */
#include "control-plane/file_store.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct shelf {
	struct file_store store;
	char path[64];
	char source[96]; /* a file beside the store that says "source" */
};

static void shelf_init(struct shelf *shelf)
{
	char path[96];
	FILE *file;

	snprintf(shelf->path, sizeof(shelf->path), "/tmp/plane-store-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(shelf->path));
	snprintf(shelf->source, sizeof(shelf->source), "%s/source", shelf->path);
	file = fopen(shelf->source, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs("source", file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/files", shelf->path);
	CU_ASSERT_EQUAL_FATAL(file_store_init(&shelf->store, path, NULL), CG_OK);
}

static bool keep_nothing(void *arg, const char *id)
{
	(void)arg;
	(void)id;
	return false;
}

static void shelf_finish(struct shelf *shelf)
{
	file_store_sweep(&shelf->store, keep_nothing, NULL);
	CU_ASSERT_EQUAL(rmdir(shelf->store.path), 0);
	unlink(shelf->source);
	CU_ASSERT_EQUAL(rmdir(shelf->path), 0);
}

static size_t files_in(const struct shelf *shelf)
{
	DIR *directory = opendir(shelf->store.path);
	const struct dirent *entry;
	size_t count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static void check_bytes(const struct shelf *shelf, const char *id, const char *expected)
{
	char *bytes = NULL;
	size_t length = 0;

	CU_ASSERT_EQUAL_FATAL(
		file_store_read(&shelf->store, id, &bytes, &length, NULL), CG_OK);
	CU_ASSERT_EQUAL(length, strlen(expected));
	CU_ASSERT_EQUAL(memcmp(bytes, expected, length), 0);
	free(bytes);
}

static void files_come_in_three_ways(void)
{
	struct shelf shelf;
	struct stat about;
	uint64_t bytes = 0;
	char path[FILE_PATH];

	shelf_init(&shelf);
	CU_ASSERT_EQUAL(stat(shelf.store.path, &about), 0);
	CU_ASSERT_EQUAL(about.st_mode & 0777, 0700);
	CU_ASSERT_EQUAL(
		file_store_link(&shelf.store, "link", shelf.source, &bytes, NULL), CG_OK);
	CU_ASSERT_EQUAL(bytes, 6);
	CU_ASSERT_EQUAL(
		file_store_copy(&shelf.store, "copy", shelf.source, &bytes, NULL), CG_OK);
	CU_ASSERT_EQUAL(file_store_write(&shelf.store, "write", "made", 4, NULL), CG_OK);
	CU_ASSERT_EQUAL(file_store_write(&shelf.store, "empty", "", 0, NULL), CG_OK);
	unlink(shelf.source); /* what was linked has a name of its own */
	check_bytes(&shelf, "link", "source");
	check_bytes(&shelf, "copy", "source");
	check_bytes(&shelf, "write", "made");
	check_bytes(&shelf, "empty", "");
	/* The same id again replaces it. */
	CU_ASSERT_EQUAL(file_store_write(&shelf.store, "write", "anew", 4, NULL), CG_OK);
	check_bytes(&shelf, "write", "anew");
	file_store_path(&shelf.store, "write", path);
	CU_ASSERT_EQUAL(stat(path, &about), 0);
	CU_ASSERT_EQUAL(about.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(files_in(&shelf), 4);
	file_store_remove(&shelf.store, "write");
	file_store_remove(&shelf.store, "never was");
	CU_ASSERT_EQUAL(files_in(&shelf), 3);
	shelf_finish(&shelf);
}

static void only_regular_files_are_taken(void)
{
	struct shelf shelf;
	struct cg_error err;
	uint64_t bytes = 7;
	char path[128];

	shelf_init(&shelf);
	snprintf(path, sizeof(path), "%s/other", shelf.path);
	CU_ASSERT_EQUAL(
		file_store_copy(&shelf.store, "a", "/nonexistent/x", &bytes, &err),
		CG_NOT_FOUND);
	CU_ASSERT_EQUAL(
		file_store_link(&shelf.store, "a", shelf.path, &bytes, &err), CG_INVALID);
	CU_ASSERT_EQUAL(symlink(shelf.source, path), 0);
	CU_ASSERT_NOT_EQUAL(
		file_store_link(&shelf.store, "a", path, &bytes, &err), CG_OK);
	unlink(path);
	/* Nobody writes into it: opening must not wait. */
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(
		file_store_copy(&shelf.store, "a", path, &bytes, &err), CG_INVALID);
	unlink(path);
	CU_ASSERT_EQUAL(bytes, 7);
	CU_ASSERT_EQUAL(files_in(&shelf), 0);
	shelf_finish(&shelf);
}

static void a_file_has_a_limit(void)
{
	struct shelf shelf;
	struct cg_error err;
	uint64_t bytes = 0;

	shelf_init(&shelf);
	CU_ASSERT_EQUAL(truncate(shelf.source, FILE_BYTES), 0);
	CU_ASSERT_EQUAL(
		file_store_copy(&shelf.store, "a", shelf.source, &bytes, &err), CG_OK);
	CU_ASSERT_EQUAL(bytes, FILE_BYTES);
	CU_ASSERT_EQUAL(truncate(shelf.source, FILE_BYTES + 1), 0);
	CU_ASSERT_EQUAL(
		file_store_copy(&shelf.store, "b", shelf.source, &bytes, &err), CG_LIMIT);
	CU_ASSERT_STRING_EQUAL(err.text, "the file is larger than 25 MiB");
	CU_ASSERT_EQUAL(
		file_store_link(&shelf.store, "b", shelf.source, &bytes, &err), CG_LIMIT);
	CU_ASSERT_EQUAL(
		file_store_write(&shelf.store, "b", "", FILE_BYTES + 1, &err), CG_LIMIT);
	CU_ASSERT_EQUAL(files_in(&shelf), 1);
	shelf_finish(&shelf);
}

static void orphans_are_swept_at_the_start(void)
{
	struct fixture f;
	char path[256], own[256];
	const char *binding;
	FILE *file;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	agent_make(&f.turns[0], "one", "a", "1", NULL);
	agent_end(&f, &f.turns[0]);
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	snprintf(own, sizeof(own), "%s.files/%s", f.path,
		fixture_text(&f, "projection.view.artifacts.0.artifactId"));
	snprintf(path, sizeof(path), "%s.files/artifact_left.part", f.path);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fclose(file);
	fixture_restart(&f);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	CU_ASSERT_EQUAL(access(own, F_OK), 0);
	fixture_finish(&f);
}

UNIT_SUITE(file_store, UNIT_TEST(files_come_in_three_ways),
	UNIT_TEST(only_regular_files_are_taken), UNIT_TEST(a_file_has_a_limit),
	UNIT_TEST(orphans_are_swept_at_the_start));
