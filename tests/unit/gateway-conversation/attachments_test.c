/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/attachments.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

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
	taken = attachments_take(&message, &buffer);
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

UNIT_SUITE(attachments, UNIT_TEST(files_have_caps));
