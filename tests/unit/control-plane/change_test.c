/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/change.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static void ids_are_those_of_the_cloud(void)
{
	char id[HASHED_ID];

	hashed_id("channel_session_",
		(const char *const[]){"default", "webhook", "", "curl-chat", "curl-chat"},
		5, id);
	CU_ASSERT_STRING_EQUAL(id, "channel_session_c1befa62eb4cb956549a0cae4026bfb2");
	hashed_id("channel_command_",
		(const char *const[]){
			"default", "a1ab9f88-b123-4bf4-b914-429eda495652", "evt-curl-1"},
		3, id);
	CU_ASSERT_STRING_EQUAL(id, "channel_command_d6d52c78be79e272e36ba1268a404f6c");
}

static void random_ids_are_uuids(void)
{
	char one[RANDOM_ID], other[RANDOM_ID];

	random_id(one);
	random_id(other);
	CU_ASSERT_STRING_NOT_EQUAL(one, other);
	CU_ASSERT_EQUAL(strlen(one), 36);
	CU_ASSERT_EQUAL(one[14], '4');
	CU_ASSERT_PTR_NOT_NULL(strchr("89ab", one[19]));
	CU_ASSERT_TRUE(
		one[8] == '-' && one[13] == '-' && one[18] == '-' && one[23] == '-');
}

static void frames_keep_their_order_and_move(void)
{
	struct change change = {0};
	struct published *list;

	CU_ASSERT_EQUAL(
		change_publish(&change, 1, 7, "first", cg_json_new_object()), CG_OK);
	CU_ASSERT_EQUAL(
		change_publish(&change, 1, 8, "second", cg_json_new_object()), CG_OK);
	list = change_take_published(&change);
	CU_ASSERT_PTR_NULL(change.first);
	CU_ASSERT_STRING_EQUAL(list->type, "first");
	CU_ASSERT_EQUAL(list->next->sequence, 8);
	published_free(list);
	CU_ASSERT_EQUAL(change_publish(&change, 1, 9, "third", NULL), CG_OK);
	change_finish(&change);
	change_finish(&change);
}

static void values_become_json(void)
{
	struct json_object *object = cg_json_new_object();

	cg_json_put_time(object, "time", 1800000000000);
	cg_json_put_time(object, "never", 0);
	put_stored(object, "stored", "{\"a\":[1]}");
	put_stored(object, "nothing", NULL);
	put_optional(object, "empty", "");
	put_optional(object, "text", "x");
	CU_ASSERT_STRING_EQUAL(cg_json_text(object, NULL),
		"{\"time\":\"2027-01-15T08:00:00.000Z\",\"never\":null,\"stored\":{\"a\":"
		"[1]},"
		"\"nothing\":null,\"empty\":null,\"text\":\"x\"}");
	cg_json_free(object);
}

UNIT_SUITE(change, UNIT_TEST(ids_are_those_of_the_cloud), UNIT_TEST(random_ids_are_uuids),
	UNIT_TEST(frames_keep_their_order_and_move), UNIT_TEST(values_become_json));
