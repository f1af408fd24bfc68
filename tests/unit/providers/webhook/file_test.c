/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/file.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "{\"file\":{\"data\":\""
#define END "\"}}"

static struct webhook_file file;

static enum cg_status encode(const char *path, uint64_t limit)
{
	const struct cg_file what = {.path = path};
	struct cg_buffer head;

	cg_buffer_init(&head, 64);
	cg_buffer_text(&head, HEAD);
	CU_ASSERT_EQUAL_FATAL(webhook_file_init(&file, &what, limit, &head), CG_OK);
	cg_buffer_finish(&head); /* it was copied */
	webhook_file_encode(&file);
	return file.status;
}

/* A file of @length bytes, all 'a'; @path gets its name. */
static void make(char path[64], size_t length)
{
	FILE *stream;

	snprintf(path, 64, "/tmp/cowgate-file-XXXXXX");
	stream = fdopen(mkstemp(path), "wb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	for (size_t i = 0; i < length; i++)
		fputc('a', stream);
	fclose(stream);
}

static void a_file_is_base64_between_head_and_end(void)
{
	char path[64];

	make(path, 4);
	CU_ASSERT_EQUAL(encode(path, 100), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&file.body), HEAD "YWFhYQ==" END);
	webhook_file_finish(&file);
	unlink(path);
}

/* Only the last piece may be padded. */
static void blocks_join_without_a_seam(void)
{
	static const size_t lengths[] = {3071, 3072, 3073, 6144, 10000};
	char path[64];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		const size_t encoded = 4 * ((lengths[i] + 2) / 3);
		const size_t padding = (3 - lengths[i] % 3) % 3;
		const char *text;

		make(path, lengths[i]);
		CU_ASSERT_EQUAL(encode(path, lengths[i]), CG_OK); /* at its limit */
		text = cg_buffer_string(&file.body) + strlen(HEAD);
		CU_ASSERT_EQUAL(file.body.length, strlen(HEAD) + encoded + strlen(END));
		CU_ASSERT_EQUAL(strcspn(text, "=\""), encoded - padding);
		CU_ASSERT_STRING_EQUAL(text + encoded, END);
		webhook_file_finish(&file);
		unlink(path);
	}
}

static void a_file_that_grew_is_refused(void)
{
	char path[64];

	make(path, 10);
	CU_ASSERT_EQUAL(encode(path, 9), CG_INVALID);
	CU_ASSERT_STRING_EQUAL(
		file.err.text, "the file is larger than it was said to be");
	webhook_file_finish(&file);
	unlink(path);
}

static void what_cannot_be_read_says_so(void)
{
	char path[64];

	CU_ASSERT_EQUAL(encode("/nowhere/file", 9), CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "cannot be opened"));
	webhook_file_finish(&file);
	CU_ASSERT_EQUAL(encode("/tmp", 9), CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(file.err.text, "cannot be read"));
	webhook_file_finish(&file);
	/* A pipe that nobody writes to is no file to wait for. */
	make(path, 0);
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(encode(path, 9), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&file.body), HEAD END);
	webhook_file_finish(&file);
	unlink(path);
}

UNIT_SUITE(webhook_file, UNIT_TEST(a_file_is_base64_between_head_and_end),
	UNIT_TEST(blocks_join_without_a_seam), UNIT_TEST(a_file_that_grew_is_refused),
	UNIT_TEST(what_cannot_be_read_says_so));
