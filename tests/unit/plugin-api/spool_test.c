/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD \
	"{\"attachments\":[{\"filename\":\"a\"},{\"filename\":\"b\",\"bufferBase64\":\""

static int made, allowed;

static enum cg_status spool_create(const struct cg_host *host, uint64_t limit,
	int *ret_fd, char *ret_path, size_t path_size, struct cg_error *err)
{
	(void)host, (void)limit, (void)err;
	if (made == allowed)
		return CG_FULL;
	made++;
	snprintf(ret_path, path_size, "/tmp/cowgate-spool-XXXXXX");
	*ret_fd = mkstemp(ret_path);
	return *ret_fd < 0 ? CG_IO : CG_OK;
}

static const struct cg_host host = {.size = sizeof(host), .spool_create = spool_create};

/* A message with one file of @bytes bytes, its base64 in lines of @line characters. */
static struct json_object *message_of(size_t bytes, size_t line)
{
	uint8_t *content = malloc(bytes + 1);
	char *text = malloc(4 * (bytes / 3 + 1) + 1), *json;
	size_t length, at;
	struct json_object *body = NULL;

	for (size_t i = 0; i < bytes; i++)
		content[i] = (uint8_t)(i * 13);
	length = cg_base64(content, bytes, text);
	json = malloc(3 * length + 128);
	at = sizeof(HEAD) - 1;
	memcpy(json, HEAD, at);
	for (size_t i = 0; i < length; i++) {
		json[at++] = text[i];
		if ((i + 1) % line == 0) {
			memcpy(json + at, "\\n", 2);
			at += 2;
		}
	}
	memcpy(json + at, "\"}]}", 5);
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, at + 4, &body, NULL), CG_OK);
	free(json);
	free(text);
	free(content);
	return body;
}

static void check_file(const char *path, size_t bytes)
{
	struct stat stat_;
	FILE *file = fopen(path, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(stat(path, &stat_), 0);
	CU_ASSERT_EQUAL((size_t)stat_.st_size, bytes);
	for (size_t i = 0; i < bytes; i++)
		CU_ASSERT_EQUAL(getc(file), (uint8_t)(i * 13));
	fclose(file);
}

/* Sizes around the block that is decoded at once, with blanks in every place. */
static void contents_become_files(void)
{
	static const size_t sizes[] = {0, 1, 2, 3, 3071, 3072, 3073, 6144, 9001};
	static const size_t lines[] = {1, 3, 4, 76, 100000};

	allowed = 1000;
	for (size_t i = 0; i < 45; i++) {
		struct json_object *body = message_of(sizes[i / 5], lines[i % 5]);
		struct cg_spool_inline *files = calloc(1, sizeof(*files));
		struct cg_inbound_parts parts = {.attachments = {{.size = 0}}};
		const char *path;

		CU_ASSERT_TRUE(cg_spool_inline_any(body));
		CU_ASSERT_EQUAL(
			cg_spool_inline_open(files, &host, body, &parts, NULL), CG_OK);
		CU_ASSERT_PTR_NULL(parts.attachments[0].spool_path);
		path = parts.attachments[1].spool_path;
		CU_ASSERT_PTR_NOT_NULL_FATAL(path);
		cg_spool_inline_write(files);
		CU_ASSERT_EQUAL(files->status, CG_OK);
		check_file(path, sizes[i / 5]);
		cg_spool_inline_finish(files, i % 2 == 0);
		CU_ASSERT_EQUAL(access(path, F_OK) == 0, i % 2 == 0);
		unlink(path);
		free(files);
		cg_json_free(body);
	}
}

static void no_room_is_no_file(void)
{
	struct json_object *body = message_of(10, 100);
	struct cg_spool_inline *files = calloc(1, sizeof(*files));
	struct cg_inbound_parts parts = {.attachments = {{.size = 0}}};

	made = allowed = 0;
	CU_ASSERT_EQUAL(cg_spool_inline_open(files, &host, body, &parts, NULL), CG_FULL);
	cg_spool_inline_finish(files, false);
	free(files);
	cg_json_free(body);
}

static void messages_without_contents_need_none(void)
{
	static const char *const bodies[] = {"{}", "[]", "{\"attachments\":7}",
		"{\"attachments\":[]}", "{\"attachments\":[{\"filename\":\"a\"}]}"};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct json_object *body = NULL;

		CU_ASSERT_EQUAL(
			cg_json_parse(bodies[i], strlen(bodies[i]), &body, NULL), CG_OK);
		CU_ASSERT_FALSE(cg_spool_inline_any(body));
		cg_json_free(body);
	}
}

static void syncing_needs_a_file(void)
{
	char path[] = "/tmp/cowgate-spool-XXXXXX";
	int fd = mkstemp(path);

	CU_ASSERT_EQUAL(cg_spool_sync(fd, path), CG_OK);
	CU_ASSERT_EQUAL(cg_spool_sync(fd, "/nonexistent/file"), CG_IO);
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL(cg_spool_sync(-1, path), CG_IO);
}

UNIT_SUITE(spool, UNIT_TEST(contents_become_files), UNIT_TEST(no_room_is_no_file),
	UNIT_TEST(messages_without_contents_need_none), UNIT_TEST(syncing_needs_a_file));
