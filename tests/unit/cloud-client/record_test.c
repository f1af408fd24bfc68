/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/record.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct json_object *parse(const char *json)
{
	struct json_object *object = NULL;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), &object, NULL), CG_OK);
	return object;
}

/* What makes a record what it is; without it nothing is touched. */
static void a_record_without_its_id_is_none(void)
{
	struct json_object *empty = parse("{\"status\":\"active\",\"id\":7}");
	struct cloud_delivery delivery = {.delivery_id = "untouched"};
	struct cloud_provider_event event;
	struct cloud_identity identity;
	struct cloud_session_binding binding;
	struct cloud_session_event session_event;
	struct cloud_interaction interaction;
	struct cloud_artifact artifact;
	struct cloud_command command;

	CU_ASSERT_FALSE(cloud_delivery_read(empty, &delivery));
	CU_ASSERT_STRING_EQUAL(delivery.delivery_id, "untouched");
	CU_ASSERT_FALSE(cloud_delivery_read(NULL, &delivery));
	CU_ASSERT_FALSE(cloud_provider_event_read(empty, &event));
	CU_ASSERT_FALSE(cloud_identity_read(empty, &identity));
	CU_ASSERT_FALSE(cloud_session_binding_read(empty, &binding));
	CU_ASSERT_FALSE(cloud_session_event_read(empty, &session_event));
	CU_ASSERT_FALSE(cloud_interaction_read(empty, &interaction));
	CU_ASSERT_FALSE(cloud_artifact_read(empty, &artifact));
	CU_ASSERT_FALSE(cloud_command_read(empty, &command));
	cg_json_free(empty);
}

static void a_delivery_has_its_target_under_either_name(void)
{
	static const char *const targets[] = {
		("{\"externalChatId\":\"c\",\"externalThreadId\":\"t\","
		 "\"externalUserId\":"
		 "\"u\",\"lastChatMessageId\":\"m\"}"),
		("{\"chatId\":\"c\",\"threadId\":\"t\",\"userId\":\"u\",\"messageId\":"
		 "\"m\"}"),
		("{\"externalChatId\":\"c\",\"chatId\":\"other\",\"threadId\":\"t\","
		 "\"userId\":\"u\",\"messageId\":\"m\"}")};

	for (size_t i = 0; i < 3; i++) {
		struct json_object *object = parse("{\"deliveryId\":\"d\"}");
		struct cloud_delivery delivery;

		cg_json_put(object, "target", parse(targets[i]));
		CU_ASSERT_TRUE(cloud_delivery_read(object, &delivery));
		CU_ASSERT_STRING_EQUAL(delivery.external_chat_id, "c");
		CU_ASSERT_STRING_EQUAL(delivery.external_thread_id, "t");
		CU_ASSERT_STRING_EQUAL(delivery.external_user_id, "u");
		CU_ASSERT_STRING_EQUAL(delivery.last_chat_message_id, "m");
		CU_ASSERT_PTR_EQUAL(delivery.record, object);
		cg_json_free(object);
	}
}

/* Null, absent and of another type are the same: not told. */
static void what_is_not_told_has_a_value_of_its_own(void)
{
	static const char *const records[] = {"{\"deliveryId\":\"d\"}",
		("{\"deliveryId\":\"d\",\"claimedBy\":null,\"target\":null,"
		 "\"payload\":null,\"updatedAt\":null,\"provider\":null}"),
		("{\"deliveryId\":\"d\",\"claimedBy\":7,\"target\":[],\"payload\":\"x\","
		 "\"updatedAt\":\"yesterday\",\"provider\":{},\"attemptCount\":\"1\"}")};

	for (size_t i = 0; i < 3; i++) {
		struct json_object *object = parse(records[i]);
		struct cloud_delivery delivery;

		CU_ASSERT_TRUE(cloud_delivery_read(object, &delivery));
		CU_ASSERT_PTR_NULL(delivery.claimed_by);
		CU_ASSERT_PTR_NULL(delivery.target);
		CU_ASSERT_PTR_NULL(delivery.payload);
		CU_ASSERT_PTR_NULL(delivery.text);
		CU_ASSERT_PTR_NULL(delivery.external_chat_id);
		CU_ASSERT_STRING_EQUAL(delivery.provider, "");
		CU_ASSERT_EQUAL(delivery.updated_ms, -1);
		CU_ASSERT_EQUAL(delivery.claim_expires_ms, -1);
		CU_ASSERT_EQUAL(delivery.attempt_count, 0);
		cg_json_free(object);
	}
}

static void text_is_before_message(void)
{
	struct json_object *object = parse(
		"{\"deliveryId\":\"d\",\"payload\":{\"message\":\"m\",\"text\":\"t\"},"
		"\"updatedAt\":\"2026-11-22T00:36:14.455Z\"}");
	struct cloud_delivery delivery;

	CU_ASSERT_TRUE(cloud_delivery_read(object, &delivery));
	CU_ASSERT_STRING_EQUAL(delivery.text, "t");
	CU_ASSERT_EQUAL(delivery.updated_ms % 1000, 455);
	cg_json_free(object);
}

static void an_artifact_has_bytes_or_a_path(void)
{
	static const struct {
		const char *json;
		bool good;
	} rows[] = {{"{\"artifactId\":\"a\",\"dataBase64\":\"\"}", true},
		{"{\"id\":\"a\",\"path\":\"/x\"}", true},
		{"{\"artifactId\":\"a\"}", false},
		{"{\"artifactId\":\"a\",\"dataBase64\":null}", false},
		{"{\"dataBase64\":\"aGk=\"}", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *object = parse(rows[i].json);
		struct cloud_artifact artifact;

		CU_ASSERT_EQUAL(cloud_artifact_read(object, &artifact), rows[i].good);
		if (rows[i].good) {
			CU_ASSERT_STRING_EQUAL(artifact.artifact_id, "a");
			CU_ASSERT_STRING_EQUAL(
				artifact.content_type, "application/octet-stream");
			CU_ASSERT_EQUAL(artifact.size, -1);
			CU_ASSERT_PTR_EQUAL(artifact.record, object);
		}
		cg_json_free(object);
	}
}

static void lists_are_read_one_at_a_time(void)
{
	struct json_object *array = parse("{\"a\":[{\"deliveryId\":\"d\"},7]}");
	struct cloud_deliveries list = {.array = cg_json_array(array, "a"), .count = 2};
	struct cloud_delivery delivery;

	CU_ASSERT_TRUE(cloud_deliveries_at(&list, 0, &delivery));
	CU_ASSERT_FALSE(cloud_deliveries_at(&list, 1, &delivery));
	CU_ASSERT_FALSE(cloud_deliveries_at(&list, 2, &delivery));
	cg_json_free(array);
}

UNIT_SUITE(record, UNIT_TEST(a_record_without_its_id_is_none),
	UNIT_TEST(a_delivery_has_its_target_under_either_name),
	UNIT_TEST(what_is_not_told_has_a_value_of_its_own),
	UNIT_TEST(text_is_before_message), UNIT_TEST(an_artifact_has_bytes_or_a_path),
	UNIT_TEST(lists_are_read_one_at_a_time));
