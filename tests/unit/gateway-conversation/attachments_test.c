/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/attachments.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct file_types all = {.count = 0};

static struct json_object *files_of(size_t count, int64_t bytes)
{
	struct json_object *files = cg_json_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *file = cg_json_new_object();
		char name[32];

		snprintf(name, sizeof(name), "f%zu", i);
		cg_json_put_string(file, "filename", name);
		cg_json_put_string(file, "spoolPath", "/spool/x");
		cg_json_put_int(file, "bytes", bytes);
		cg_json_append(files, file);
	}
	return files;
}

static void take(size_t count, int64_t bytes, size_t expected, const char *refused)
{
	struct inbox_message message = {
		.attachments = files_of(count, bytes), .attachment_count = count};
	struct json_object *taken;
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 1024);
	taken = attachments_take(&message, &all, &buffer);
	CU_ASSERT_EQUAL(cg_json_count(taken), expected);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), refused);
	cg_json_free(taken);
	cg_json_free(message.attachments);
	cg_buffer_finish(&buffer);
}

static void files_have_caps(void)
{
	take(0, 0, 0, "");
	take(ATTACHMENTS_MAX, 1, ATTACHMENTS_MAX, "");
	take(ATTACHMENTS_MAX + 2, -1, ATTACHMENTS_MAX, "f16, f17");
	take(2, ATTACHMENTS_BYTES / 2, 2, "");
	take(3, ATTACHMENTS_BYTES / 2, 2, "f2");
	take(1, ATTACHMENTS_BYTES + 1, 0, "f0");
}

/* Whether they go along as files or in the words. */
static void types_that_are_not_taken_are_named(void)
{
	static const char *const items[] = {"text/*"};
	const struct file_types texts = {items, 1};
	static const char *const sent[][2] = {{"a.txt", "text/plain"},
		{"setup.exe", "text/plain"}, {"b.png", "image/png"}, {"c", NULL}};
	static const char told[] = "setup.exe (programs are not taken here), "
				   "b.png (image/png: not taken here), "
				   "c (files without a type: not taken here)";
	struct inbox_message message = {
		.attachments = cg_json_new_array(), .attachment_count = 4};
	struct cg_buffer refused, text;
	struct json_object *taken;

	for (size_t i = 0; i < 4; i++) {
		struct json_object *file = cg_json_new_object();

		cg_json_put_string(file, "filename", sent[i][0]);
		cg_json_put_string(file, "mimeType", sent[i][1]);
		cg_json_put_string(file, "spoolPath", "/nonexistent");
		cg_json_append(message.attachments, file);
	}
	cg_buffer_init(&refused, 1024);
	cg_buffer_init(&text, 1024);
	taken = attachments_take(&message, &texts, &refused);
	CU_ASSERT_EQUAL(cg_json_count(taken), 1);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&refused), told);
	cg_buffer_clear(&refused);
	attachments_inline(&message, &texts, &text, &refused);
	CU_ASSERT_NSTRING_EQUAL(cg_buffer_string(&refused), "a.txt, ", 7);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&refused) + 7, told);
	cg_json_free(taken);
	cg_json_free(message.attachments);
	cg_buffer_finish(&refused);
	cg_buffer_finish(&text);
}

static const char *make_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fwrite(bytes, 1, length, file);
	fclose(file);
	return path;
}

static void add_file(struct json_object *files, const char *name, const char *path)
{
	struct json_object *file = cg_json_new_object();

	cg_json_put_string(file, "filename", name);
	cg_json_put_string(file, "spoolPath", path);
	cg_json_append(files, file);
}

static void small_texts_go_into_the_words(void)
{
	static char large[ATTACHMENTS_INLINE];
	char directory[] = "/tmp/cowgate-files-XXXXXX", paths[4][64];
	struct inbox_message message = {
		.attachments = cg_json_new_array(), .attachment_count = 6};
	struct cg_buffer text, refused;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	for (int i = 0; i < 4; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%d", directory, i);
	memset(large, 'x', sizeof(large));
	add_file(message.attachments, "a.txt", make_file(paths[0], "one\n", 4));
	add_file(message.attachments, "", make_file(paths[1], "two", 3));
	add_file(message.attachments, "image", make_file(paths[2], "\xff\xd8", 2));
	add_file(message.attachments, "nul", make_file(paths[3], "a\0b", 3));
	add_file(message.attachments, "away", NULL);
	add_file(message.attachments, "gone", "/nonexistent");
	cg_buffer_init(&text, 4 * ATTACHMENTS_INLINE);
	cg_buffer_init(&refused, 1024);
	cg_buffer_text(&text, "look");
	attachments_inline(&message, &all, &text, &refused);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&text),
		"look\n\n[a.txt]\none\n[end of a.txt]\n\n[file]\ntwo\n[end of file]");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&refused), "image, nul, away, gone");
	/* As much as fits, and not a byte more; an empty file is nothing. */
	make_file(paths[0], large, sizeof(large) - 3);
	make_file(paths[2], "x", 1);
	make_file(paths[3], "", 0);
	cg_buffer_clear(&refused);
	message.attachment_count = 4;
	attachments_inline(&message, &all, &text, &refused);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&refused), "image, nul");
	for (int i = 0; i < 4; i++)
		unlink(paths[i]);
	rmdir(directory);
	cg_json_free(message.attachments);
	cg_buffer_finish(&text);
	cg_buffer_finish(&refused);
}

UNIT_SUITE(attachments, UNIT_TEST(types_that_are_not_taken_are_named),
	UNIT_TEST(files_have_caps), UNIT_TEST(small_texts_go_into_the_words));
