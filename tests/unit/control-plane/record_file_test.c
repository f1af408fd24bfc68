/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a turn has made, before the store has them. */
#include "control-plane/file_store.h"
#include "control-plane/record.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path of an empty file that is the test's. */
static const char *large_file(void)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/plane-made-XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
	return path;
}

static void a_file_that_cannot_be_kept_is_told(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding, *path = large_file();
	char sentence[128];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=3");
	CU_ASSERT_EQUAL(truncate(path, AGENT_ARTIFACT + 1), 0);
	agent_make(&f.turns[0], NULL, "large.iso", NULL, path);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "assistant.message");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.content"),
		"The file large.iso could not be kept: the file is larger than 25 MiB.");
	unlink(path);
	agent_make(&f.turns[0], NULL, "gone", NULL, path);
	fixture_settle(&f);
	snprintf(sentence, sizeof(sentence), "%.33s",
		json_at(stream.last, "payload.content"));
	CU_ASSERT_STRING_EQUAL(sentence, "The file gone could not be kept: ");
	agent_end(&f, &f.turns[0]);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM file"), 0);
	fixture_close(&stream);
	fixture_finish(&f);
}

/* What is told by reference costs no memory here; what comes in memory is bounded. */
static void bytes_that_wait_are_bounded(void)
{
	static char much[AGENT_ARTIFACT / 2 + 1];
	const struct agent_artifact half = {
		.filename = "half", .data = much, .length = sizeof(much)};
	const struct agent_artifact named = {.filename = "named", .path = "/somewhere"};
	struct record_list list = {0};

	CU_ASSERT_EQUAL(record_artifact(&list, "session", &half), CG_OK);
	CU_ASSERT_STRING_EQUAL(list.last->file->problem, "");
	CU_ASSERT_STRING_EQUAL(list.last->file->mime_type, "application/octet-stream");
	CU_ASSERT_EQUAL(record_artifact(&list, "session", &half), CG_OK);
	CU_ASSERT_STRING_EQUAL(list.last->file->problem, "too many files at once");
	CU_ASSERT_EQUAL(list.last->text.length, 0);
	CU_ASSERT_EQUAL(record_artifact(&list, "session", &named), CG_OK);
	CU_ASSERT_STRING_EQUAL(list.last->file->problem, "");
	CU_ASSERT_EQUAL(list.files, 3);
	CU_ASSERT_EQUAL(list.file_bytes, sizeof(much));
	record_list_finish(&list);
}

/* A store that fails leaves a sentence, and the next file is not held up. */
static void each_file_is_put_into_the_store_once(void)
{
	const struct agent_artifact one = {
		.id = "one", .filename = "../a", .data = "1", .length = 1};
	const struct agent_artifact gone = {.filename = "b", .path = "/nonexistent/b"};
	struct file_store store;
	struct record_list list = {0};
	char path[64] = "/tmp/plane-record-XXXXXX", made[FILE_PATH];

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
	CU_ASSERT_EQUAL_FATAL(file_store_init(&store, path, NULL), CG_OK);
	CU_ASSERT_EQUAL(record_artifact(&list, "session", &gone), CG_OK);
	CU_ASSERT_EQUAL(record_artifact(&list, "session", &one), CG_OK);
	CU_ASSERT_STRING_EQUAL(list.last->name, "a");
	record_keep_files(&list, &store);
	CU_ASSERT_FALSE(list.first->file->kept);
	CU_ASSERT_STRING_NOT_EQUAL(list.first->file->problem, "");
	CU_ASSERT_TRUE(list.last->file->kept);
	CU_ASSERT_EQUAL(list.last->file->bytes, 1);
	file_store_path(&store, list.last->file->id, made);
	CU_ASSERT_EQUAL(unlink(made), 0);
	record_keep_files(&list, &store); /* it is kept: nothing is written again */
	CU_ASSERT_NOT_EQUAL(access(made, F_OK), 0);
	record_list_finish(&list);
	rmdir(path);
}

UNIT_SUITE(record_file, UNIT_TEST(a_file_that_cannot_be_kept_is_told),
	UNIT_TEST(bytes_that_wait_are_bounded),
	UNIT_TEST(each_file_is_put_into_the_store_once));
