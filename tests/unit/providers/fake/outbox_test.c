/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/fake/fake.h"
#include "tests/support/host_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All that is remembered, parsed; to be freed. */
static struct json_object *remembered(const struct fake *fake)
{
	struct json_object *array = NULL;
	struct cg_buffer text;

	fake_outbox_write(fake, &text);
	CU_ASSERT_EQUAL_FATAL(cg_buffer_status(&text), CG_OK);
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(cg_buffer_string(&text), text.length, &array, NULL), CG_OK);
	cg_buffer_finish(&text);
	return array;
}

static void a_ring_keeps_the_latest(void)
{
	const struct cg_outbound outbound = host_fake_text("hi");
	struct json_object *all;
	struct fake fake = {.delivered = 0};
	char id[16];

	all = remembered(&fake);
	CU_ASSERT_EQUAL(cg_json_count(all), 0);
	cg_json_free(all);
	for (int i = 1; i <= FAKE_REMEMBERED + 1; i++) {
		snprintf(id, sizeof(id), "m%d", i);
		CU_ASSERT_EQUAL(fake_outbox_add(&fake, &outbound, id, NULL), CG_OK);
		if (i == FAKE_REMEMBERED) {
			all = remembered(&fake);
			CU_ASSERT_EQUAL(cg_json_count(all), FAKE_REMEMBERED);
			CU_ASSERT_STRING_EQUAL(
				cg_json_string(cg_json_at(all, 0), "messageId"), "m1");
			cg_json_free(all);
		}
	}
	all = remembered(&fake);
	CU_ASSERT_EQUAL(cg_json_count(all), FAKE_REMEMBERED);
	CU_ASSERT_STRING_EQUAL(cg_json_string(cg_json_at(all, 0), "messageId"), "m2");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(cg_json_at(all, FAKE_REMEMBERED - 1), "messageId"),
		"m257");
	cg_json_free(all);
	fake_outbox_finish(&fake);
}

static void each_kind_tells_what_it_has(void)
{
	static const struct cg_button button = {.label = "Yes", .token = "apv:1"};
	static const struct cg_file file = {.filename = "a.txt", .bytes = 7};
	struct cg_outbound outbound = host_fake_text("hi");
	struct json_object *all, *line;
	struct fake fake = {.delivered = 0};

	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.buttons = &button;
	outbound.button_count = 1;
	fake_outbox_add(&fake, &outbound, "m1", NULL);
	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "m0";
	fake_outbox_add(&fake, &outbound, "m2", NULL);
	outbound.kind = CG_OUTBOUND_FILE;
	outbound.file = &file;
	outbound.text = NULL;
	fake_outbox_add(&fake, &outbound, "m3", NULL);
	all = remembered(&fake);
	line = cg_json_at(all, 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string(line, "type"), "buttons");
	CU_ASSERT_STRING_EQUAL(cg_json_string(line, "deliveryId"), "delivery-1");
	CU_ASSERT_STRING_EQUAL(cg_json_string(line, "chatId"), "1");
	CU_ASSERT_EQUAL(cg_json_int(line, "attempt", 0), 1);
	line = cg_json_at(cg_json_array(line, "buttons"), 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string(line, "token"), "apv:1");
	line = cg_json_at(all, 1);
	CU_ASSERT_STRING_EQUAL(cg_json_string(line, "editedId"), "m0");
	CU_ASSERT_FALSE(cg_json_has(line, "buttons"));
	line = cg_json_at(all, 2);
	CU_ASSERT_FALSE(cg_json_has(line, "text"));
	CU_ASSERT_STRING_EQUAL(cg_json_string(line, "filename"), "a.txt");
	CU_ASSERT_EQUAL(cg_json_int(line, "bytes", 0), 7);
	cg_json_free(all);
	fake_outbox_finish(&fake);
}

static void the_file_has_a_line_each(void)
{
	struct cg_outbound outbound = host_fake_text("a\nb");
	char path[] = "/tmp/cowgate-outbox-XXXXXX", line[4096];
	struct fake fake = {.outbox_path = path};
	struct stat stat_now;
	FILE *stream;
	int lines = 0;

	close(mkstemp(path));
	unlink(path); /* it makes its own */
	CU_ASSERT_EQUAL(fake_outbox_add(&fake, &outbound, "m1", NULL), CG_OK);
	CU_ASSERT_EQUAL(fake_outbox_add(&fake, &outbound, "m2", NULL), CG_OK);
	CU_ASSERT_EQUAL_FATAL(stat(path, &stat_now), 0);
	CU_ASSERT_EQUAL(stat_now.st_mode & 0777, 0600);
	stream = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	while (fgets(line, sizeof(line), stream) != NULL) {
		lines++;
		CU_ASSERT_PTR_NOT_NULL(strstr(line, lines == 1 ? "\"m1\"" : "\"m2\""));
	}
	fclose(stream);
	CU_ASSERT_EQUAL(lines, 2);
	unlink(path);
	fake_outbox_finish(&fake);
}

static void what_is_not_written_is_not_remembered(void)
{
	struct cg_outbound outbound = host_fake_text("hi");
	struct fake fake = {.outbox_path = "/nowhere/outbox"};
	struct cg_error err = {.text = ""};
	size_t length = 1u << 20;
	char *text = malloc(length);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(fake_outbox_add(&fake, &outbound, "m1", &err), CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "outboxFile"));
	CU_ASSERT_EQUAL(fake.delivered, 0);
	memset(text, 'a', length);
	outbound.text = text;
	outbound.text_length = length; /* and the members beside it */
	fake.outbox_path = NULL;
	CU_ASSERT_EQUAL(fake_outbox_add(&fake, &outbound, "m1", &err), CG_LIMIT);
	CU_ASSERT_EQUAL(fake.delivered, 0);
	free(text);
	fake_outbox_finish(&fake);
}

UNIT_SUITE(fake_outbox, UNIT_TEST(a_ring_keeps_the_latest),
	UNIT_TEST(each_kind_tells_what_it_has), UNIT_TEST(the_file_has_a_line_each),
	UNIT_TEST(what_is_not_written_is_not_remembered));
