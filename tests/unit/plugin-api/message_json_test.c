/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/message_json.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *parse(const char *json)
{
	struct json_object *value = NULL;

	if (cg_json_parse(json, strlen(json), &value, NULL) != CG_OK)
		abort();
	return value;
}

static void strings_are_trimmed_and_bounded(void)
{
	struct json_object *object =
		parse("{\"a\":\"  x y\\n\",\"b\":\"   \",\"c\":null,\"d\":\"12345\"}");
	struct cg_fields fields = {.object = object};

	CU_ASSERT_STRING_EQUAL(cg_fields_string(&fields, "a", 3), "x y");
	CU_ASSERT_PTR_NULL(cg_fields_string(&fields, "b", 3));
	CU_ASSERT_PTR_NULL(cg_fields_string(&fields, "c", 3));
	CU_ASSERT_PTR_NULL(cg_fields_string(&fields, "e", 3));
	CU_ASSERT_STRING_EQUAL(cg_fields_string(&fields, "d", 5), "12345");
	CU_ASSERT_EQUAL(fields.status, CG_OK);
	CU_ASSERT_PTR_NULL(cg_fields_string(&fields, "d", 4));
	CU_ASSERT_EQUAL(fields.status, CG_INVALID);
	cg_json_free(object);
}

static void the_first_complaint_is_kept(void)
{
	struct json_object *object = parse("{\"a\":1,\"b\":2,\"c\":\"ok\"}");
	struct cg_error err = {.text = ""};
	struct cg_fields fields = {.object = object, .prefix = "x.", .err = &err};

	CU_ASSERT_PTR_NULL(cg_fields_required(&fields, "a", 9));
	CU_ASSERT_PTR_NULL(cg_fields_required(&fields, "b", 9));
	CU_ASSERT_PTR_NULL(cg_fields_string(&fields, "c", 9));
	CU_ASSERT_STRING_EQUAL(err.text, "x.a must be a string");
	fields.status = CG_OK;
	CU_ASSERT_PTR_NULL(cg_fields_required(&fields, "d", 9));
	CU_ASSERT_STRING_EQUAL(err.text, "x.d is required");
	cg_json_free(object);
}

static void an_absent_object_has_no_members(void)
{
	struct cg_fields fields = {.object = NULL};

	CU_ASSERT_PTR_NULL(cg_fields_string(&fields, "a", 9));
	CU_ASSERT_EQUAL(fields.status, CG_OK);
	CU_ASSERT_PTR_NULL(cg_fields_required(&fields, "a", 9));
	CU_ASSERT_EQUAL(fields.status, CG_INVALID);
}

static void tokens_end_at_64_bytes(void)
{
	static const char good[] =
		"{\"interaction\":{\"id\":\"i\",\"token\":"
		"\"0123456789012345678901234567890123"
		"456789012345678901234567890123\",\"kind\":\"command\"}}";
	static const char bad[] = "{\"interaction\":{\"id\":\"i\",\"token\":"
				  "\"0123456789012345678901234567890123"
				  "4567890123456789012345678901234\"}}";
	struct json_object *object = parse(good);
	struct cg_inbound_parts parts;
	struct cg_inbound inbound = {.size = sizeof(inbound)};

	CU_ASSERT_EQUAL(
		cg_inbound_read_parts(object, "button", 1, &parts, &inbound, NULL),
		CG_OK);
	CU_ASSERT_TRUE(inbound.interaction->is_command);
	cg_json_free(object);
	object = parse(bad);
	CU_ASSERT_EQUAL(
		cg_inbound_read_parts(object, "button", 1, &parts, &inbound, NULL),
		CG_INVALID);
	cg_json_free(object);
}

static void contents_are_measured(void)
{
	static const struct {
		const char *json;
		enum cg_status status;
	} rows[] = {
		{"[{\"filename\":\"f\",\"bufferBase64\":\"aG\\nk=\"}]", CG_OK},
		{"[{\"filename\":\"f\",\"bufferBase64\":\"\"}]", CG_OK},
		{"[{\"filename\":\"f\",\"sizeBytes\":2,\"bufferBase64\":\"aGk=\"}]",
			CG_OK},
		{"[{\"filename\":\"f\",\"bufferBase64\":\"aGl=\"}]", CG_INVALID},
		{"[{\"filename\":\"f\",\"bufferBase64\":\"YWJj\"}]", CG_INVALID},
		{"[{\"filename\":\"f\",\"bufferBase64\":7}]", CG_INVALID},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_object *object = cg_json_new_object();
		struct cg_inbound_parts parts;
		struct cg_inbound inbound = {.size = sizeof(inbound)};

		cg_json_put(object, "attachments", parse(rows[i].json));
		CU_ASSERT_EQUAL(cg_inbound_read_parts(
					object, "button", 2, &parts, &inbound, NULL),
			rows[i].status);
		cg_json_free(object);
	}
}

static void what_was_typed_says_the_command(void)
{
	static const struct {
		const char *json, *text, *command;
	} rows[] = {
		{"{\"text\":\"stop\",\"rawText\":\" /Stop@bot now\"}", "stop", "stop"},
		{"{\"text\":\"/stop\",\"rawText\":\"hear /stop\"}", "/stop", NULL},
		{"{\"rawText\":\"/stop\"}", "/stop", "stop"},
		{"{\"text\":\"\",\"rawText\":\"x\"}", "", NULL},
		{"{\"text\":null,\"rawText\":null}", "", NULL},
		{"{\"rawText\":\"/stop\",\"interaction\":{\"id\":\"i\",\"token\":\"t\"}}",
			"t", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_object *object = parse(rows[i].json);
		struct cg_inbound_parts parts;
		struct cg_inbound inbound = {.size = sizeof(inbound)};

		CU_ASSERT_EQUAL_FATAL(cg_inbound_read_parts(object, "button", 1, &parts,
					      &inbound, NULL),
			CG_OK);
		CU_ASSERT_STRING_EQUAL(inbound.text, rows[i].text);
		CU_ASSERT_EQUAL_FATAL(
			inbound.type == CG_EVENT_COMMAND, rows[i].command != NULL);
		if (rows[i].command != NULL)
			CU_ASSERT_STRING_EQUAL(inbound.command, rows[i].command);
		cg_json_free(object);
	}
}

UNIT_SUITE(message_json, UNIT_TEST(strings_are_trimmed_and_bounded),
	UNIT_TEST(the_first_complaint_is_kept),
	UNIT_TEST(an_absent_object_has_no_members), UNIT_TEST(tokens_end_at_64_bytes),
	UNIT_TEST(contents_are_measured), UNIT_TEST(what_was_typed_says_the_command));
