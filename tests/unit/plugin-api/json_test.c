/* SPDX-License-Identifier: Apache-2.0 */
/* Asking values, building them, writing them. */
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <math.h>
#include <string.h>

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;
	struct cg_error err;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &value, &err), CG_OK);
	return value;
}

static void json_reads_without_coercing(void)
{
	struct json_object *o = parse("{\"s\":\"12\",\"i\":12,\"u\":18446744073709551615,"
				      "\"d\":1.5,\"b\":true,\"n\":null,\"a\":[1,\"x\"],"
				      "\"o\":{},\"z\":\"a\\u0000b\",\"m\":-9}");
	int64_t number = 7;
	size_t length = 0;

	CU_ASSERT_STRING_EQUAL(cg_json_string(o, "s"), "12");
	CU_ASSERT_PTR_NULL(cg_json_string(o, "i"));
	CU_ASSERT_PTR_NULL(cg_json_string(o, "n"));
	CU_ASSERT_PTR_NULL(cg_json_string(o, "missing"));
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(o, "i", "other"), "other");
	CU_ASSERT_EQUAL(cg_json_int(o, "i", -1), 12);
	CU_ASSERT_EQUAL(cg_json_int(o, "m", -1), -9);
	CU_ASSERT_EQUAL(cg_json_int(o, "s", -1), -1);
	CU_ASSERT_EQUAL(cg_json_int(o, "d", -1), -1);
	CU_ASSERT_EQUAL(cg_json_int(o, "u", -1), -1);
	CU_ASSERT_EQUAL(cg_json_int(o, "b", -1), -1);
	CU_ASSERT_TRUE(cg_json_bool(o, "b", false));
	CU_ASSERT_FALSE(cg_json_bool(o, "i", false));
	CU_ASSERT_EQUAL(cg_json_double(o, "d", 0), 1.5);
	CU_ASSERT_EQUAL(cg_json_double(o, "i", 0), 12);
	CU_ASSERT_EQUAL(cg_json_double(o, "s", 3), 3);
	CU_ASSERT_TRUE(cg_json_has(o, "n"));
	CU_ASSERT_FALSE(cg_json_has(o, "missing"));
	CU_ASSERT_PTR_NULL(cg_json_member(o, "n"));
	CU_ASSERT_PTR_NOT_NULL(cg_json_object(o, "o"));
	CU_ASSERT_PTR_NULL(cg_json_object(o, "a"));
	CU_ASSERT_PTR_NULL(cg_json_array(o, "o"));
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(o, "a")), 2);
	CU_ASSERT_EQUAL(cg_json_count(o), 0);
	CU_ASSERT_PTR_NULL(cg_json_at(cg_json_array(o, "a"), 2));
	CU_ASSERT_TRUE(cg_json_is_string(cg_json_at(cg_json_array(o, "a"), 1)));
	CU_ASSERT_TRUE(cg_json_value_int(cg_json_at(cg_json_array(o, "a"), 0), &number));
	CU_ASSERT_EQUAL(number, 1);
	/* A string with NUL is not passed off as a shorter one. */
	CU_ASSERT_PTR_NULL(cg_json_string(o, "z"));
	CU_ASSERT_EQUAL(
		memcmp(cg_json_value_string(cg_json_member(o, "z"), &length), "a\0b", 4),
		0);
	CU_ASSERT_EQUAL(length, 3);
	/* Anything may be asked of anything. */
	CU_ASSERT_PTR_NULL(cg_json_string(NULL, "s"));
	CU_ASSERT_EQUAL(cg_json_int(cg_json_member(o, "s"), "s", 5), 5);
	CU_ASSERT_FALSE(cg_json_has(NULL, "s"));
	CU_ASSERT_FALSE(cg_json_is_object(NULL));
	CU_ASSERT_EQUAL(cg_json_count(NULL), 0);
	cg_json_free(o);
	cg_json_free(NULL);
}

static void json_builds(void)
{
	struct json_object *object = cg_json_new_object();
	struct json_object *array = cg_json_new_array();
	struct json_object *copy;

	cg_json_put_string(object, "s", "a/b\"\xC3\xA4\n");
	cg_json_put_string(object, "none", NULL);
	cg_json_put_int(object, "i", INT64_MIN);
	cg_json_put_bool(object, "b", false);
	cg_json_put_null(object, "n");
	cg_json_append(array, cg_json_new_string("x"));
	cg_json_append(array, NULL);
	cg_json_put(object, "a", cg_json_ref(array));
	cg_json_put_string(object, "bad", "\xFFok\xC0\x80");
	copy = cg_json_copy(object);
	cg_json_free(object);
	CU_ASSERT_STRING_EQUAL(cg_json_text(copy, NULL),
		"{\"s\":\"a/b\\\"\xC3\xA4\\n\",\"none\":null,\"i\":-9223372036854775808,"
		"\"b\":false,\"n\":null,\"a\":[\"x\",null],\"bad\":\"\xEF\xBF\xBDok"
		"\xEF\xBF\xBD\xEF\xBF\xBD\"}");
	cg_json_free(copy);
	CU_ASSERT_STRING_EQUAL(cg_json_text(array, NULL), "[\"x\",null]");
	cg_json_free(array);
	CU_ASSERT_STRING_EQUAL(cg_json_text(NULL, NULL), "null");
	CU_ASSERT_PTR_NULL(cg_json_copy(NULL));
	CU_ASSERT_PTR_NULL(cg_json_new_string(NULL));
}

static void json_writes_doubles_shortest(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0.1, "{\"d\":0.1}"},
		{1.0 / 3, "{\"d\":0.3333333333333333}"},
		{0.1 + 0.2, "{\"d\":0.30000000000000004}"},
		{5, "{\"d\":5}"},
		{-2.5e-7, "{\"d\":-2.5e-07}"},
		{5e-324, "{\"d\":5e-324}"},
		{-1.7976931348623157e308, "{\"d\":-1.7976931348623157e+308}"},
		{NAN, "{\"d\":null}"},
		{INFINITY, "{\"d\":null}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *object = cg_json_new_object();

		cg_json_put_double(object, "d", cases[i].value);
		CU_ASSERT_STRING_EQUAL(cg_json_text(object, NULL), cases[i].text);
		cg_json_free(object);
	}
}

static void json_writes_strings(void)
{
	static const char text[] = "a\"\\\b\f\n\r\t\x01\x1F\0/\x7F\xC3\xA4\xFFz";
	struct cg_buffer buffer;
	struct json_object *value = NULL;
	struct cg_error err;
	size_t length = 0;

	cg_buffer_init(&buffer, 100);
	CU_ASSERT_EQUAL(cg_json_write_string(&buffer, text, sizeof(text) - 1), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer),
		"\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u00"
		"00/\x7F\xC3\xA4\xEF\xBF\xBDz\"");
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(buffer.bytes, buffer.length, &value, &err), CG_OK);
	CU_ASSERT_EQUAL(memcmp(cg_json_value_string(value, &length), text, 14), 0);
	CU_ASSERT_EQUAL(length, sizeof(text) - 1 + 2);
	cg_json_free(value);
	cg_buffer_finish(&buffer);
	cg_buffer_init(&buffer, 3);
	CU_ASSERT_EQUAL(cg_json_write_string(&buffer, "ab", 2), CG_LIMIT);
	cg_buffer_finish(&buffer);
}

UNIT_SUITE(json, UNIT_TEST(json_reads_without_coercing), UNIT_TEST(json_builds),
	UNIT_TEST(json_writes_doubles_shortest), UNIT_TEST(json_writes_strings));
