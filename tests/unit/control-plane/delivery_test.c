/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries are claimed by one, settled by who claimed them, and final when they are final. */
#include "control-plane/delivery.h"

#include "control-plane/interior.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST "/api/channels/deliveries"
#define STREAM "/api/channels/deliveries/stream"

static void create(struct fixture *f, const char *id, const char *more)
{
	char body[384];

	snprintf(body, sizeof(body),
		"{\"deliveryId\":\"%s\",\"agentId\":\"cowgate\","
		"\"channelBindingId\":\"webhook-binding\",\"provider\":\"webhook\","
		"\"target\":{\"externalChatId\":\"chat-9\"},\"eventType\":\"notice\","
		"\"payload\":{\"text\":\"hi\"}%s}",
		id, more);
	fixture_call(f, "POST", LIST, body);
}

static void settle(struct fixture *f, const char *id, const char *verb, const char *body)
{
	char path[160];

	snprintf(path, sizeof(path), LIST "/%s/%s", id, verb);
	fixture_call(f, "POST", path, body);
}

static void delivery_has_the_shape_of_the_cloud(void)
{
	struct fixture f;

	fixture_start(&f);
	create(&f, "d1", "");
	CU_ASSERT_EQUAL(f.status, 201);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "delivery"),
		"deliveryId orgId agentId channelBindingId sessionBindingId provider "
		"target "
		"eventType payload status attemptCount claimedBy lastClaimedBy "
		"claimExpiresAt "
		"nextAttemptAt lastError createdAt updatedAt");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.status"), "pending");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.payload.text"), "hi");
	create(&f, "d1",
		",\"nextAttemptAt\":\"2030-01-01T00:00:00.000Z\""); /* as it was */
	CU_ASSERT_EQUAL(f.status, 201);
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "delivery.nextAttemptAt"), "2027-01-15T08:00:00.000Z");
	fixture_call(&f, "GET", LIST "?status=pending&limit=5", NULL);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "deliveries.0.deliveryId"), "d1");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "deliveries.1"), "");
	fixture_call(&f, "GET", LIST "?status=odd", NULL);
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void stream_claims_what_is_due(void)
{
	static struct fixture_stream stream;
	struct fixture f;

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	create(&f, "d1", "");
	create(&f, "later", ",\"nextAttemptAt\":\"2027-01-15T08:00:30.000Z\"");
	fixture_open(&f, &stream, STREAM,
		"claimedBy=gateway%3Ag1&ttlMs=30000&channelBindingId=webhook-binding");
	CU_ASSERT_STRING_EQUAL(fixture_types(&stream), "channel.delivery");
	CU_ASSERT_EQUAL(stream.ids[0], -1);
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "delivery.deliveryId"), "d1");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "delivery.status"), "claimed");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "delivery.claimedBy"), "gateway:g1");
	CU_ASSERT_STRING_EQUAL(json_at(stream.last, "delivery.attemptCount"), "1");
	create(&f, "d2", ""); /* a new one comes at once */
	CU_ASSERT_EQUAL(stream.count, 2);
	/* An acknowledgement counts once, and only from the claimant. */
	settle(&f, "d1", "ack", "{\"claimedBy\":\"gateway:g2\",\"status\":\"sent\"}");
	CU_ASSERT_EQUAL(f.status, 404);
	settle(&f, "d1", "ack", "{\"claimedBy\":\"gateway:g1\",\"status\":\"sent\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.status"), "sent");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.claimedBy"), "null");
	settle(&f, "d1", "ack", "{\"claimedBy\":\"gateway:g1\",\"status\":\"sent\"}");
	CU_ASSERT_EQUAL(f.status, 404);
	settle(&f, "d2", "ack", "{\"claimedBy\":\"gateway:g1\",\"status\":\"lost\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	/* The claim of d2 runs out, and later comes due: a new reader gets both. */
	fixture_close(&stream);
	CU_ASSERT_EQUAL(f.plane->delivery_stream_count, 0);
	f.now += 30000;
	memset(&stream, 0, sizeof(stream));
	fixture_open(&f, &stream, STREAM, "claimedBy=g3");
	CU_ASSERT_EQUAL(stream.count, 2);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void failed_delivery_comes_back(void)
{
	static struct fixture_stream stream;
	struct fixture f;

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	create(&f, "d1", "");
	fixture_open(&f, &stream, STREAM, "claimedBy=g1");
	settle(&f, "d1", "ack",
		"{\"claimedBy\":\"g1\",\"status\":\"failed\",\"lastError\":\"busy\","
		"\"nextAttemptAt\":\"2027-01-15T08:00:10.000Z\"}");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.status"), "failed");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "delivery.nextAttemptAt"), "2027-01-15T08:00:10.000Z");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.lastError"), "busy");
	CU_ASSERT_EQUAL(stream.count, 1);
	settle(&f, "d1", "retry", NULL); /* the operator does not wait */
	CU_ASSERT_EQUAL(stream.count, 2);
	/* Without a time the plane chooses one, later each time. */
	settle(&f, "d1", "ack", "{\"claimedBy\":\"g1\",\"status\":\"failed\"}");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "delivery.nextAttemptAt"), "2027-01-15T08:00:02.000Z");
	CU_ASSERT_EQUAL(stream.count, 2);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void final_is_final(void)
{
	static struct fixture_stream stream;
	struct fixture f;

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	create(&f, "d1", "");
	create(&f, "d2", "");
	fixture_open(&f, &stream, STREAM, "claimedBy=g1");
	settle(&f, "d1", "retry", NULL); /* it is being sent */
	CU_ASSERT_EQUAL(f.status, 409);
	settle(&f, "d1", "ack", "{\"claimedBy\":\"g1\",\"status\":\"sent\"}");
	settle(&f, "d1", "retry", NULL);
	CU_ASSERT_EQUAL(f.status, 409);
	settle(&f, "d1", "dead-letter", NULL);
	CU_ASSERT_EQUAL(f.status, 409);
	settle(&f, "d2", "dead-letter", "{\"lastError\":\"no use\"}");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "delivery.status"), "dead");
	settle(&f, "d2", "ack", "{\"claimedBy\":\"g1\",\"status\":\"sent\"}");
	CU_ASSERT_EQUAL(f.status, 404);
	settle(&f, "d2", "retry", NULL); /* a dead letter may be taken up again */
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_EQUAL(stream.count, 3);
	settle(&f, "nope", "retry", NULL);
	CU_ASSERT_EQUAL(f.status, 404);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_claims_no_more_than_it_can_hand_over(void)
{
	static struct fixture_stream stream;
	struct fixture f;
	char id[16];

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	for (int i = 0; i < 3 * DELIVERY_PAGE; i++) {
		snprintf(id, sizeof(id), "d%d", i);
		create(&f, id, "");
	}
	stream.pause_after = 1;
	fixture_open(&f, &stream, STREAM, "claimedBy=g1");
	CU_ASSERT_EQUAL(stream.count, 1);
	fixture_call(&f, "GET", LIST "?status=pending&limit=200", NULL);
	snprintf(id, sizeof(id), "deliveries.%d", 2 * DELIVERY_PAGE - 1);
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, id), "");
	snprintf(id, sizeof(id), "deliveries.%d", 2 * DELIVERY_PAGE);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, id), "");
	stream.pause_after = 0;
	plane_resume(f.plane, stream.exchange);
	fixture_settle(&f);
	CU_ASSERT_EQUAL(stream.count, 3 * DELIVERY_PAGE);
	fixture_close(&stream);
	fixture_finish(&f);
}

static void stream_serves_the_channels_it_names(void)
{
	static struct fixture_stream stream;
	struct fixture f;

	memset(&stream, 0, sizeof(stream));
	fixture_start(&f);
	create(&f, "d1", "");
	fixture_open(&f, &stream, STREAM,
		"claimedBy=g1&channelBindingId=telegram-binding&channelBindingId=cli-"
		"binding");
	CU_ASSERT_TRUE(stream.opened);
	CU_ASSERT_EQUAL(stream.count, 0);
	fixture_close(&stream);
	memset(&stream, 0, sizeof(stream));
	fixture_open(&f, &stream, STREAM, "claimedBy=g1&channelBindingId=nobody");
	CU_ASSERT_EQUAL(stream.end_status, 403);
	fixture_close(&stream);
	fixture_call(&f, "POST", LIST,
		"{\"channelBindingId\":\"nobody\",\"target\":{},\"payload\":{},"
		"\"eventType\":\"notice\"}");
	CU_ASSERT_EQUAL(f.status, 403);
	fixture_finish(&f);
}

static void deliveries_are_bounded(void)
{
	struct fixture f;

	fixture_start(&f);
	create(&f, "d0", "");
	fixture_sql(&f,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 9999)"
		" INSERT INTO delivery (delivery_id, agent_id, channel_binding_id, "
		"provider,"
		" target, event_type, payload, status, next_attempt_at, due, created_at,"
		" updated_at) SELECT 'x' || i, agent_id, channel_binding_id, provider, "
		"target,"
		" event_type, payload, status, next_attempt_at, due, created_at, "
		"updated_at"
		" FROM n, delivery WHERE delivery_id = 'd0'");
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM delivery"), DELIVERY_OPEN);
	create(&f, "d1", "");
	CU_ASSERT_EQUAL(f.status, 429);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "quota.deliveries_exceeded");
	create(&f, "d0", ""); /* a repeat is none more */
	CU_ASSERT_EQUAL(f.status, 201);
	settle(&f, "d0", "dead-letter", NULL);
	create(&f, "d1", "");
	CU_ASSERT_EQUAL(f.status, 201);
	/* Settled ones make room, oldest first. */
	fixture_sql(&f, "UPDATE delivery SET due = NULL, status = 'sent'");
	create(&f, "d2", "");
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM delivery WHERE due IS NULL"),
		DELIVERY_KEEP);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM delivery WHERE delivery_id = 'd0'"),
		0);
	fixture_finish(&f);
}

static void delivery_streams_are_bounded(void)
{
	static struct fixture_stream streams[PLANE_DELIVERY_STREAMS + 1];
	struct fixture f;

	memset(streams, 0, sizeof(streams));
	fixture_start(&f);
	for (int i = 0; i <= PLANE_DELIVERY_STREAMS; i++)
		fixture_open(&f, &streams[i], STREAM, "claimedBy=g1");
	CU_ASSERT_TRUE(streams[PLANE_DELIVERY_STREAMS - 1].opened);
	CU_ASSERT_EQUAL(streams[PLANE_DELIVERY_STREAMS].end_status, 429);
	for (int i = 0; i <= PLANE_DELIVERY_STREAMS; i++)
		fixture_close(&streams[i]);
	fixture_finish(&f);
}

UNIT_SUITE(delivery, UNIT_TEST(deliveries_are_bounded),
	UNIT_TEST(delivery_streams_are_bounded),
	UNIT_TEST(delivery_has_the_shape_of_the_cloud),
	UNIT_TEST(stream_claims_what_is_due), UNIT_TEST(failed_delivery_comes_back),
	UNIT_TEST(final_is_final), UNIT_TEST(stream_claims_no_more_than_it_can_hand_over),
	UNIT_TEST(stream_serves_the_channels_it_names));
