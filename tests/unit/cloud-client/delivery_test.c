/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/delivery.h"

#include "tests/support/cloud_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct cloud_fake fake;
static struct cloud_client *client;
static int answered; /* records that came */

static const char reply[] =
	"{\"delivery\":{\"deliveryId\":\"wf-42\",\"agentId\":\"a\",\"channelBindingId\":"
	"\"b\","
	"\"target\":{\"chatId\":\"-1\",\"externalThreadId\":\"9\",\"threadId\":\"8\"},"
	"\"eventType\":\"workflow.completed\",\"payload\":{\"message\":\"Done\"},"
	"\"status\":\"claimed\",\"attemptCount\":3,\"claimedBy\":\"gateway:g1\","
	"\"nextAttemptAt\":\"2026-11-22T00:00:00.000Z\",\"lastError\":null}}";

static void setup(void)
{
	answered = 0;
	cloud_fake_init(&fake);
	CU_ASSERT_EQUAL_FATAL(
		cloud_client_create(
			&(struct cloud_client_options){.transport = &fake.transport,
				.host = &fake.host,
				.claimed_by = "gateway:g1"},
			&client, NULL),
		CG_OK);
}

static void teardown(void)
{
	cloud_client_destroy(client);
	cloud_fake_finish(&fake);
}

static void exchange(const char *path, const char *body)
{
	struct cloud_exchange *call = cloud_fake_take(&fake);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	CU_ASSERT_STRING_EQUAL(call->method, "POST");
	CU_ASSERT_STRING_EQUAL(call->path, path);
	CU_ASSERT_STRING_EQUAL(cg_json_text(call->body, NULL), body);
	cloud_fake_answer(call, 200, reply);
}

static void on_delivery(void *arg, const struct cloud_result *result,
	const struct cloud_delivery *delivery)
{
	(void)arg;
	CU_ASSERT_EQUAL(result->error, CLOUD_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(delivery);
	answered++;
	CU_ASSERT_STRING_EQUAL(delivery->delivery_id, "wf-42");
	CU_ASSERT_STRING_EQUAL(delivery->external_chat_id, "-1");
	CU_ASSERT_STRING_EQUAL(delivery->external_thread_id, "9");
	CU_ASSERT_PTR_NULL(delivery->external_user_id);
	CU_ASSERT_STRING_EQUAL(delivery->text, "Done");
	CU_ASSERT_EQUAL(delivery->attempt_count, 3);
	CU_ASSERT_STRING_EQUAL(delivery->claimed_by, "gateway:g1");
	CU_ASSERT_EQUAL(delivery->next_attempt_ms, 1795305600000);
	CU_ASSERT_EQUAL(delivery->claim_expires_ms, -1);
	CU_ASSERT_PTR_NULL(delivery->last_error);
}

static void acknowledges(void)
{
	struct cloud_ack_params params = {.delivery_id = "wf 42",
		.channel_binding_id = "b",
		.outcome = CLOUD_DELIVERY_SENT,
		.next_attempt_ms = 1795305600000};

	setup();
	CU_ASSERT_EQUAL(cloud_ack(client, &params, on_delivery, NULL, NULL), CG_OK);
	exchange("/api/channels/deliveries/wf%2042/ack",
		"{\"channelBindingId\":\"b\",\"claimedBy\":\"gateway:g1\",\"status\":"
		"\"sent\"}");
	params.outcome = CLOUD_DELIVERY_FAILED;
	params.claimed_by = "gateway:old";
	params.last_error = "busy";
	CU_ASSERT_EQUAL(cloud_ack(client, &params, on_delivery, NULL, NULL), CG_OK);
	exchange("/api/channels/deliveries/wf%2042/ack",
		"{\"channelBindingId\":\"b\",\"claimedBy\":\"gateway:old\",\"status\":"
		"\"failed\","
		"\"lastError\":\"busy\",\"nextAttemptAt\":\"2026-11-22T00:00:00.000Z\"}");
	params.outcome = CLOUD_DELIVERY_DEAD;
	CU_ASSERT_EQUAL(cloud_ack(client, &params, on_delivery, NULL, NULL), CG_OK);
	exchange("/api/channels/deliveries/wf%2042/ack",
		"{\"channelBindingId\":\"b\",\"claimedBy\":\"gateway:old\",\"status\":"
		"\"dead\","
		"\"lastError\":\"busy\"}");
	CU_ASSERT_EQUAL(answered, 3);
	params.channel_binding_id = NULL;
	CU_ASSERT_EQUAL(cloud_ack(client, &params, on_delivery, NULL, NULL), CG_INVALID);
	teardown();
}

static void on_list(
	void *arg, const struct cloud_result *result, const struct cloud_deliveries *list)
{
	struct cloud_delivery delivery;

	(void)arg;
	CU_ASSERT_EQUAL(result->error, CLOUD_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	answered++;
	CU_ASSERT_EQUAL(list->count, 2);
	CU_ASSERT_TRUE(cloud_deliveries_at(list, 1, &delivery));
	CU_ASSERT_STRING_EQUAL(delivery.delivery_id, "d2");
	CU_ASSERT_PTR_NULL(delivery.text);
	CU_ASSERT_FALSE(cloud_deliveries_at(list, 2, &delivery));
}

static void lists(void)
{
	struct cloud_list_params params = {0};
	struct cloud_exchange *call;

	setup();
	CU_ASSERT_EQUAL(
		cloud_list_deliveries(client, &params, on_list, NULL, NULL), CG_OK);
	call = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(call->path, "/api/channels/deliveries");
	CU_ASSERT_STRING_EQUAL(call->query, "");
	cloud_fake_answer(call, 200,
		"{\"deliveries\":[{\"deliveryId\":\"d1\"},{\"deliveryId\":\"d2\"}]}");
	params = (struct cloud_list_params){"d", "sent", "b", 5};
	CU_ASSERT_EQUAL(cloud_list_deliveries(client, &params, NULL, NULL, NULL), CG_OK);
	call = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(
		call->query, "deliveryId=d&status=sent&channelBindingId=b&limit=5");
	CU_ASSERT_EQUAL(answered, 1);
	teardown();
}

static void operators_change(void)
{
	struct cloud_delivery_params params = {"d", "b", "given up"};

	setup();
	CU_ASSERT_EQUAL(
		cloud_retry_delivery(client, &params, on_delivery, NULL, NULL), CG_OK);
	exchange("/api/channels/deliveries/d/retry", "{\"channelBindingId\":\"b\"}");
	CU_ASSERT_EQUAL(
		cloud_dead_letter(client, &params, on_delivery, NULL, NULL), CG_OK);
	exchange("/api/channels/deliveries/d/dead-letter",
		"{\"channelBindingId\":\"b\",\"lastError\":\"given up\"}");
	CU_ASSERT_EQUAL(answered, 2);
	teardown();
}

static void creates(void)
{
	struct cloud_create_delivery_params params = {
		.delivery_id = "wf-42",
		.agent_id = "a",
		.channel_binding_id = "b",
		.provider = "telegram",
		.event_type = "notice",
		.target = cg_json_new_object(),
		.payload = cg_json_new_object(),
	};

	setup();
	CU_ASSERT_EQUAL(
		cloud_create_delivery(client, &params, on_delivery, NULL, NULL), CG_OK);
	exchange("/api/channels/deliveries",
		"{\"deliveryId\":\"wf-42\",\"agentId\":\"a\",\"channelBindingId\":\"b\","
		"\"provider\":\"telegram\",\"eventType\":\"notice\",\"target\":{},"
		"\"payload\":{}}");
	CU_ASSERT_EQUAL(answered, 1);
	cg_json_free(params.target);
	params.target = NULL;
	CU_ASSERT_EQUAL(cloud_create_delivery(client, &params, on_delivery, NULL, NULL),
		CG_INVALID);
	cg_json_free(params.payload);
	teardown();
}

UNIT_SUITE(delivery, UNIT_TEST(acknowledges), UNIT_TEST(lists),
	UNIT_TEST(operators_change), UNIT_TEST(creates));
