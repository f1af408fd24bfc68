/* SPDX-License-Identifier: Apache-2.0 */
#include "config/members.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(text, strlen(text), &value, NULL), CG_OK);
	return value;
}

static void names_come_in_order(void)
{
	static const char *const names[] = {"a", "b\"}", "", "c\\", "ü", "d"};
	struct json_object *object =
		parse("{\"a\":{\"x\":[1,{\"y\":2}]},\"b\\\"}\":\"},{\",\"\":[],"
		      "\"c\\\\\":null,\"\\u00fc\":\"\\\"\",\"d\":-1.5}");
	struct members members;
	size_t count = 0;

	for (members_begin(&members, object); members_next(&members); count++) {
		CU_ASSERT_FATAL(count < 6);
		CU_ASSERT_STRING_EQUAL(members.name, names[count]);
		CU_ASSERT_TRUE(cg_json_has(object, members.name));
	}
	CU_ASSERT_EQUAL(count, 6);
	cg_json_free(object);
}

static void other_values_have_no_members(void)
{
	static const char *const texts[] = {
		"{}", "[]", "[\"a\"]", "\"a\"", "1", "null", "true"};
	struct members members;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct json_object *value = parse(texts[i]);

		members_begin(&members, value);
		CU_ASSERT_FALSE(members_next(&members));
		cg_json_free(value);
	}
}

static void names_at_the_cap(void)
{
	struct json_object *object = cg_json_new_object();
	char name[MEMBERS_NAME + 1];
	struct members members;

	memset(name, 'n', MEMBERS_NAME);
	name[MEMBERS_NAME] = '\0';
	cg_json_put_int(object, name, 1); /* one too long: skipped */
	name[MEMBERS_NAME - 1] = '\0';
	cg_json_put_int(object, name, 2);
	members_begin(&members, object);
	CU_ASSERT_TRUE(members_next(&members));
	CU_ASSERT_STRING_EQUAL(members.name, name);
	CU_ASSERT_FALSE(members_next(&members));
	cg_json_free(object);
}

static void merging_is_deep_and_replaces_arrays(void)
{
	static const struct {
		const char *base, *over, *merged;
	} rows[] = {
		{"{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
		{"{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":3,\"z\":4}}",
			"{\"a\":{\"x\":1,\"y\":3,\"z\":4}}"},
		{"{\"a\":[1,2,3]}", "{\"a\":[4]}", "{\"a\":[4]}"},
		{"{\"a\":{\"x\":1}}", "{\"a\":5}", "{\"a\":5}"},
		{"{\"a\":5}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}"},
		{"{\"a\":1}", "{\"a\":null}", "{\"a\":null}"},
		{"{\"a\":1}",
			"{\"__proto__\":{\"p\":1},\"constructor\":1,\"prototype\":1}",
			"{\"a\":1}"},
		{"{}", "{\"a\":{\"__proto__\":1,\"b\":2}}", "{\"a\":{\"b\":2}}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_object *base = parse(rows[i].base);
		struct json_object *over = parse(rows[i].over);

		members_merge(base, over);
		CU_ASSERT_STRING_EQUAL(cg_json_text(base, NULL), rows[i].merged);
		CU_ASSERT_STRING_EQUAL(cg_json_text(over, NULL), rows[i].over);
		cg_json_free(base);
		cg_json_free(over);
	}
}

UNIT_SUITE(members, UNIT_TEST(names_come_in_order),
	UNIT_TEST(other_values_have_no_members), UNIT_TEST(names_at_the_cap),
	UNIT_TEST(merging_is_deep_and_replaces_arrays));
