/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of files: names, ids, how long they are kept, and how many. */
#include "control-plane/file.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void old_files_go(void)
{
	struct fixture f;
	const char *binding;
	char path[256], kept[256];

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	agent_make(&f.turns[0], "one", "a", "1", NULL);
	fixture_settle(&f);
	fixture_call(&f, "GET", fixture_path(binding, "/snapshot"), NULL);
	snprintf(path, sizeof(path), "/artifacts/%s?transfer=path",
		fixture_text(&f, "projection.view.artifacts.0.artifactId"));
	fixture_call(&f, "GET", fixture_path(binding, path), NULL);
	snprintf(kept, sizeof(kept), "%s", fixture_text(&f, "artifact.path"));
	f.now += FILE_KEEP_MS + 1;
	fixture_call(&f, "GET", fixture_path(binding, path), NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	CU_ASSERT_EQUAL(access(kept, F_OK), 0);
	f.now += 60 * 60 * 1000;
	agent_make(&f.turns[0], "two", "b", "2", NULL);
	agent_end(&f, &f.turns[0]);
	CU_ASSERT_NOT_EQUAL(access(kept, F_OK), 0);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM file"), 1);
	fixture_finish(&f);
}

static void check_name(const char *name, const char *expected)
{
	char text[FILE_NAME];

	file_name(name, text);
	CU_ASSERT_STRING_EQUAL(text, expected);
}

static void names_are_harmless(void)
{
	char longer[2 * FILE_NAME + 2], text[FILE_NAME];

	check_name("a.txt", "a.txt");
	check_name("/etc/passwd", "passwd");
	check_name("../../x", "x");
	check_name("..", "file");
	check_name("", "file");
	check_name("dir/", "file");
	check_name(".hidden", "hidden");
	check_name("a\nb\x7f\\c", "abc");
	check_name("a\xFF\xC3\xA4", "a\xC3\xA4");
	/* Never within a character. */
	longer[0] = 'a';
	for (size_t i = 0; i < FILE_NAME; i++)
		memcpy(longer + 1 + 2 * i, "\xC3\xA4", 2);
	longer[2 * FILE_NAME + 1] = '\0';
	file_name(longer, text);
	CU_ASSERT_EQUAL(strlen(text), FILE_NAME - 1);
	CU_ASSERT_EQUAL((unsigned char)text[FILE_NAME - 2], 0xA4);
}

static void ids_are_the_same_for_each_attempt(void)
{
	char one[HASHED_ID], other[HASHED_ID];

	file_attachment_id("command", 0, one);
	file_attachment_id("command", 0, other);
	CU_ASSERT_STRING_EQUAL(one, other);
	file_attachment_id("command", 1, other);
	CU_ASSERT_STRING_NOT_EQUAL(one, other);
	file_artifact_id("session", "a", one);
	file_artifact_id("session", "a", other);
	CU_ASSERT_STRING_EQUAL(one, other);
	/* An artifact that its agent has no name for is a new one each time. */
	file_artifact_id("session", NULL, one);
	file_artifact_id("session", NULL, other);
	CU_ASSERT_STRING_NOT_EQUAL(one, other);
}

static void an_artifact_has_the_shape_of_the_cloud(void)
{
	const struct file file = {.file_id = "artifact_1",
		.filename = "a b\xC3\xA4.txt",
		.mime_type = "text/plain",
		.bytes = 7,
		.created_at = 1800000000000};
	struct json_object *record = file_json(&file, "session");

	CU_ASSERT_STRING_EQUAL(cg_json_string_or(record, "filePath", ""),
		"cloud-artifact://artifact_1/a%20b%C3%A4.txt");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(record, "sessionId", ""), "session");
	CU_ASSERT_EQUAL(cg_json_int(record, "size", 0), 7);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(record, "createdAt", ""), "2027-01-15T08:00:00.000Z");
	cg_json_free(record);
}

static void files_are_bounded(void)
{
	struct fixture f;
	struct fixture_stream stream = {0};
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "make", "k1");
	agent_make(&f.turns[0], "one", "a", "1", NULL);
	fixture_settle(&f);
	CU_ASSERT_EQUAL(fixture_sql(&f, "UPDATE file SET bytes = 2147483648"), 0);
	fixture_open(&f, &stream, fixture_path(binding, "/events"), "after=4");
	agent_make(&f.turns[0], "two", "b", "2", NULL);
	fixture_settle(&f);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "payload.content"),
		"The file b could not be kept: too many files are kept already.");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM file"), 1);
	fixture_close(&stream);
	fixture_finish(&f);
}

UNIT_SUITE(file, UNIT_TEST(old_files_go), UNIT_TEST(names_are_harmless),
	UNIT_TEST(ids_are_the_same_for_each_attempt),
	UNIT_TEST(an_artifact_has_the_shape_of_the_cloud), UNIT_TEST(files_are_bounded));
