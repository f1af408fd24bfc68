/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "tests/support/cloud_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
	struct cloud_fake cloud;
	struct daemon *daemon;
	unsigned answers;
	bool ok;
	int status;
	size_t count; /* of a list */
	char id[64], error[128];
};

static void begin(struct asking *asking)
{
	struct cloud_client_options options = {.claimed_by = "gateway:test"};

	memset(asking, 0, sizeof(*asking));
	cloud_fake_init(&asking->cloud);
	options.transport = &asking->cloud.transport;
	options.host = &asking->cloud.host;
	asking->daemon = calloc(1, sizeof(*asking->daemon));
	CU_ASSERT_PTR_NOT_NULL_FATAL(asking->daemon);
	CU_ASSERT_EQUAL_FATAL(
		cloud_client_create(&options, &asking->daemon->cloud, NULL), CG_OK);
}

static void finish(struct asking *asking)
{
	cloud_desk_close(asking->daemon);
	cloud_client_destroy(asking->daemon->cloud);
	free(asking->daemon);
	cloud_fake_finish(&asking->cloud);
}

static void answered(void *arg, const struct operator_cloud_answer *answer)
{
	struct asking *asking = arg;

	asking->answers++;
	asking->ok = answer->ok;
	asking->status = answer->status;
	asking->count = cg_json_count(answer->json);
	snprintf(asking->id, sizeof(asking->id), "%s",
		cg_json_string_or(answer->json, "deliveryId", ""));
	snprintf(asking->error, sizeof(asking->error), "%s",
		answer->error == NULL ? "" : answer->error);
}

static struct cloud_exchange *take(struct asking *asking)
{
	struct cloud_exchange *exchange;

	cloud_fake_advance(&asking->cloud, 0);
	exchange = cloud_fake_take(&asking->cloud);
	CU_ASSERT_PTR_NOT_NULL_FATAL(exchange);
	return exchange;
}

static void cloud_desk_lists(void)
{
	const struct operator_cloud_query query = {
		.status = "dead", .channel_binding_id = "channel", .limit = 7};
	struct cloud_exchange *exchange;
	struct asking asking;

	begin(&asking);
	CU_ASSERT_TRUE(cloud_desk_list(asking.daemon, &query, answered, &asking));
	exchange = take(&asking);
	CU_ASSERT_STRING_EQUAL(exchange->path, "/api/channels/deliveries");
	CU_ASSERT_PTR_NOT_NULL(strstr(exchange->query, "status=dead"));
	CU_ASSERT_PTR_NOT_NULL(strstr(exchange->query, "channelBindingId=channel"));
	CU_ASSERT_PTR_NOT_NULL(strstr(exchange->query, "limit=7"));
	CU_ASSERT_EQUAL(asking.answers, 0);
	cloud_fake_answer(exchange, 200,
		"{\"deliveries\":[{\"deliveryId\":\"a\"},{\"deliveryId\":\"b\"}]}");
	CU_ASSERT_EQUAL(asking.answers, 1);
	CU_ASSERT_TRUE(asking.ok);
	CU_ASSERT_EQUAL(asking.count, 2);
	finish(&asking);
}

static void cloud_desk_changes(void)
{
	const struct operator_cloud_query query = {.delivery_id = "d-1",
		.channel_binding_id = "channel",
		.last_error = "nobody reads it"};
	struct cloud_exchange *exchange;
	struct asking asking;

	begin(&asking);
	CU_ASSERT_TRUE(cloud_desk_change(
		asking.daemon, OPERATOR_RETRY, &query, answered, &asking));
	exchange = take(&asking);
	CU_ASSERT_PTR_NOT_NULL(strstr(exchange->path, "/d-1/retry"));
	cloud_fake_answer(exchange, 200,
		"{\"delivery\":{\"deliveryId\":\"d-1\",\"status\":\"pending\"}}");
	CU_ASSERT_TRUE(asking.ok);
	CU_ASSERT_STRING_EQUAL(asking.id, "d-1");
	CU_ASSERT_TRUE(cloud_desk_change(
		asking.daemon, OPERATOR_DEAD_LETTER, &query, answered, &asking));
	exchange = take(&asking);
	CU_ASSERT_PTR_NOT_NULL(strstr(exchange->path, "/d-1/dead-letter"));
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(exchange->body, "lastError", ""), "nobody reads it");
	cloud_fake_answer(exchange, 409, "{\"error\":\"it is sent\"}");
	CU_ASSERT_EQUAL(asking.answers, 2);
	CU_ASSERT_FALSE(asking.ok);
	CU_ASSERT_EQUAL(asking.status, 409);
	finish(&asking);
}

static void cloud_desk_when_the_cloud_is_away(void)
{
	const struct operator_cloud_query query = {.limit = 1};
	struct asking asking;

	begin(&asking);
	asking.cloud.refuse = CG_NOMEM;
	CU_ASSERT_FALSE(cloud_desk_list(asking.daemon, &query, answered, &asking));
	CU_ASSERT_TRUE(cloud_desk_list(asking.daemon, &query, answered, &asking));
	cloud_fake_fail(take(&asking), CG_NETWORK, "the network is away");
	CU_ASSERT_EQUAL(asking.answers, 1);
	CU_ASSERT_FALSE(asking.ok);
	CU_ASSERT_EQUAL(asking.status, 0);
	CU_ASSERT(asking.error[0] != '\0');
	finish(&asking);
}

/* Whoever asked is told, and the Cloud's answer is not heard. */
static void cloud_desk_closes(void)
{
	const struct operator_cloud_query query = {.limit = 1};
	struct cloud_exchange *exchange;
	struct asking asking;

	begin(&asking);
	CU_ASSERT_TRUE(cloud_desk_list(asking.daemon, &query, answered, &asking));
	CU_ASSERT_TRUE(cloud_desk_list(asking.daemon, &query, answered, &asking));
	exchange = take(&asking);
	cloud_desk_close(asking.daemon);
	CU_ASSERT_EQUAL(asking.answers, 2);
	CU_ASSERT_FALSE(asking.ok);
	CU_ASSERT_STRING_EQUAL(asking.error, "the gateway is shutting down");
	CU_ASSERT_TRUE(exchange->cancelled);
	finish(&asking);
}

UNIT_SUITE(cloud_desk, UNIT_TEST(cloud_desk_lists), UNIT_TEST(cloud_desk_changes),
	UNIT_TEST(cloud_desk_when_the_cloud_is_away), UNIT_TEST(cloud_desk_closes));
