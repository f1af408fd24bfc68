/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/attachment.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void kinds_are_told_by_type_and_name(void)
{
	const struct agent_file picture = {"a", "image/PNG", "/a", 1};
	const struct agent_file drawing = {"a.svg", "image/svg+xml", "/a", 1};
	const struct agent_file text = {"a", "text/csv", "/a", 1};
	const struct agent_file code = {"a.C", NULL, "/a", 1};
	const struct agent_file bytes = {"a.py", "application/octet-stream", "/a", 1};
	const struct agent_file film = {"a.txt", "video/mp4", "/a", 1};
	const struct agent_file nameless = {NULL, NULL, "/a", 1};

	CU_ASSERT_TRUE(attachment_is_image(&picture));
	CU_ASSERT_FALSE(attachment_is_image(&drawing));
	CU_ASSERT_FALSE(attachment_is_text(&picture));
	CU_ASSERT_TRUE(attachment_is_text(&text));
	CU_ASSERT_TRUE(attachment_is_text(&code));
	CU_ASSERT_TRUE(attachment_is_text(&bytes));
	CU_ASSERT_FALSE(attachment_is_text(&film));
	CU_ASSERT_FALSE(attachment_is_text(&nameless));
}

static void bytes_come_whole_or_not_at_all(void)
{
	char path[] = "/tmp/cowgate-attachment-XXXXXX";
	int fd = mkstemp(path);
	const struct agent_file file = {"f", NULL, path, 5};
	const struct agent_file gone = {"f", NULL, "/no/such/file", 5};
	struct cg_buffer buffer;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "hello", 5), 5);
	close(fd);
	cg_buffer_init(&buffer, 64);
	CU_ASSERT_EQUAL(attachment_read(&file, &buffer), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "hello");
	CU_ASSERT_EQUAL(attachment_read(&gone, &buffer), CG_IO);
	cg_buffer_clear(&buffer);
	CU_ASSERT_EQUAL(attachment_base64(&file, 5, &buffer), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "aGVsbG8=");
	cg_buffer_clear(&buffer);
	CU_ASSERT_EQUAL(attachment_base64(&file, 4, &buffer), CG_LIMIT);
	CU_ASSERT_EQUAL(buffer.length, 0);
	cg_buffer_finish(&buffer);
	unlink(path);
}

static void urls_are_escaped(void)
{
	const struct agent_file file = {"f", NULL, "/a b/\xc3\xa4%.txt", 5};
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 256);
	CU_ASSERT_EQUAL(attachment_url(&file, &buffer), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "file:///a%20b/%C3%A4%25.txt");
	cg_buffer_finish(&buffer);
}

UNIT_SUITE(attachment, UNIT_TEST(kinds_are_told_by_type_and_name),
	UNIT_TEST(bytes_come_whole_or_not_at_all), UNIT_TEST(urls_are_escaped));
