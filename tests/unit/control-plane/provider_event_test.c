/* SPDX-License-Identifier: Apache-2.0 */
/* One platform event is worked on once, whoever asks and however often. */
#include "control-plane/provider_event.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define CLAIM "/api/channels/provider-events/claim"

static const char claim_body[] =
	"{\"provider\":\"webhook\",\"providerInstanceId\":\"webhook\","
	"\"channelBindingId\":\"webhook-binding\",\"externalWorkspaceId\":null,"
	"\"providerEventId\":\"evt-curl-1\",\"eventType\":\"message\","
	"\"claimedBy\":\"gateway:one\",\"ttlMs\":300000,\"metadata\":{}}";

static void complete(struct fixture *f, const char *event, const char *rest)
{
	char path[160], body[256];

	snprintf(path, sizeof(path), "/api/channels/provider-events/%s/complete", event);
	snprintf(body, sizeof(body), "{\"channelBindingId\":\"webhook-binding\",%s}",
		rest);
	fixture_call(f, "POST", path, body);
}

static void claim_has_the_shape_of_the_cloud(void)
{
	struct fixture f;

	fixture_start(&f);
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, ""), "event claimed duplicate");
	CU_ASSERT_STRING_EQUAL(fixture_keys(&f, "event"),
		"eventId orgId channelBindingId provider providerInstanceId "
		"externalWorkspaceId "
		"providerEventId eventType status claimedBy claimExpiresAt attemptCount "
		"retryable lastError metadata processedAt createdAt updatedAt");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.eventId"),
		"channel_provider_event_d34e5f68851c868bb2387e2c5ca5410e");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.status"), "processing");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.claimedBy"), "gateway:one");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "event.claimExpiresAt"), "2027-01-15T08:05:00.000Z");
	CU_ASSERT_STRING_EQUAL(
		fixture_text(&f, "event.metadata.channelBindingId"), "webhook-binding");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.externalWorkspaceId"), "null");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "true");
	fixture_finish(&f);
}

static void claim_is_taken_once(void)
{
	struct fixture f;
	char event[96];

	fixture_start(&f);
	fixture_call(&f, "POST", CLAIM, claim_body);
	snprintf(event, sizeof(event), "%s", fixture_text(&f, "event.eventId"));
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "false");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "duplicate"), "true");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.attemptCount"), "1");
	complete(&f, event, "\"claimedBy\":\"gateway:two\",\"status\":\"processed\"");
	CU_ASSERT_EQUAL(f.status, 404);
	complete(&f, event, "\"claimedBy\":\"gateway:one\",\"status\":\"processed\"");
	CU_ASSERT_EQUAL(f.status, 200);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.status"), "processed");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.claimedBy"), "null");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.retryable"), "false");
	CU_ASSERT_STRING_NOT_EQUAL(fixture_text(&f, "event.processedAt"), "null");
	complete(&f, event, "\"claimedBy\":\"gateway:one\",\"status\":\"processed\"");
	CU_ASSERT_EQUAL(f.status, 404);
	f.now += 24LL * 60 * 60 * 1000;
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "false");
	fixture_finish(&f);
}

static void claim_comes_back_after_expiry_and_retryable_failure(void)
{
	struct fixture f;
	char event[96];

	fixture_start(&f);
	fixture_call(&f, "POST", CLAIM, claim_body);
	snprintf(event, sizeof(event), "%s", fixture_text(&f, "event.eventId"));
	f.now += 299999;
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "false");
	f.now += 1;
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "true");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.attemptCount"), "2");
	complete(&f, event,
		"\"claimedBy\":\"gateway:one\",\"status\":\"failed\",\"lastError\":"
		"\"boom\"");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.lastError"), "boom");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.retryable"), "true");
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "true");
	complete(&f, event,
		"\"claimedBy\":\"gateway:one\",\"status\":\"failed\",\"retryable\":"
		"false");
	fixture_call(&f, "POST", CLAIM, claim_body);
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "claimed"), "false");
	fixture_finish(&f);
}

static void claim_names_its_channel(void)
{
	struct fixture f;

	fixture_start(&f);
	/* One active channel of the provider: it is meant. */
	fixture_call(&f, "POST", CLAIM,
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"webhook\","
		"\"providerEventId\":\"evt-curl-1\",\"eventType\":\"message\","
		"\"claimedBy\":\"g\"}");
	CU_ASSERT_STRING_EQUAL(fixture_text(&f, "event.eventId"),
		"channel_provider_event_d34e5f68851c868bb2387e2c5ca5410e");
	fixture_call(&f, "POST", CLAIM,
		"{\"provider\":\"nobody\",\"providerInstanceId\":\"x\","
		"\"providerEventId\":\"1\","
		"\"eventType\":\"message\",\"claimedBy\":\"g\"}");
	CU_ASSERT_EQUAL(f.status, 403);
	fixture_call(&f, "POST", CLAIM,
		"{\"provider\":\"telegram\",\"providerInstanceId\":\"x\","
		"\"channelBindingId\":\"webhook-binding\",\"providerEventId\":\"1\","
		"\"eventType\":\"message\",\"claimedBy\":\"g\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_call(&f, "POST", CLAIM,
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"x\","
		"\"channelBindingId\":\"webhook-binding\",\"externalWorkspaceId\":\"T1\","
		"\"providerEventId\":\"1\",\"eventType\":\"message\",\"claimedBy\":"
		"\"g\"}");
	CU_ASSERT_EQUAL(f.status, 400);
	fixture_finish(&f);
}

static void claim_refuses_bad_fields(void)
{
	static const char *const bodies[] = {
		"{}",
		"{\"provider\":7,\"providerInstanceId\":\"w\",\"providerEventId\":\"1\","
		"\"eventType\":\"message\",\"claimedBy\":\"g\"}",
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"w\","
		"\"providerEventId\":\"1\","
		"\"eventType\":\"dance\",\"claimedBy\":\"g\"}",
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"w\","
		"\"providerEventId\":\"  \","
		"\"eventType\":\"message\",\"claimedBy\":\"g\"}",
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"w\","
		"\"providerEventId\":\"1\","
		"\"eventType\":\"message\",\"claimedBy\":\"g\",\"ttlMs\":-1}",
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"w\","
		"\"providerEventId\":\"1\","
		"\"eventType\":\"message\",\"claimedBy\":\"g\",\"metadata\":[1]}",
	};
	struct fixture f;

	fixture_start(&f);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		fixture_call(&f, "POST", CLAIM, bodies[i]);
		CU_ASSERT_EQUAL(f.status, 400);
		CU_ASSERT_STRING_EQUAL(fixture_text(&f, "code"), "request.invalid");
	}
	fixture_finish(&f);
}

static void claim_numbered(struct fixture *f, int number)
{
	char body[256];

	snprintf(body, sizeof(body),
		"{\"provider\":\"webhook\",\"providerInstanceId\":\"w\","
		"\"providerEventId\":\"e%d\",\"eventType\":\"message\","
		"\"claimedBy\":\"g\"}",
		number);
	fixture_call(f, "POST", CLAIM, body);
	CU_ASSERT_EQUAL(f->status, 200);
}

static void old_events_are_forgotten(void)
{
	struct fixture f;

	fixture_start(&f);
	for (int i = 0; i < PROVIDER_EVENT_SWEEP; i++)
		claim_numbered(&f, i);
	f.now += PROVIDER_EVENT_KEEP_MS;
	claim_numbered(&f, 0); /* touched: it is young again */
	f.now += 1;
	for (int i = 0; i < PROVIDER_EVENT_SWEEP; i++)
		claim_numbered(&f, 1000 + i);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM provider_event"),
		PROVIDER_EVENT_SWEEP + 1);
	fixture_finish(&f);
}

static void events_are_bounded(void)
{
	struct fixture f;

	fixture_start(&f);
	for (int i = 0; i < 4; i++)
		claim_numbered(&f, i);
	fixture_sql(&f, "UPDATE provider_event SET status = 'processed' WHERE id > 1");
	/* As if as many had come as are kept. */
	fixture_sql(&f, "UPDATE provider_event SET id = 200063 WHERE id = 4");
	claim_numbered(&f, 5);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM provider_event"), 3);
	/* What is being worked on stays. */
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT min(id) FROM provider_event"), 1);
	CU_ASSERT_EQUAL(PROVIDER_EVENT_ROWS, 200000);
	fixture_finish(&f);
}

UNIT_SUITE(provider_event, UNIT_TEST(old_events_are_forgotten),
	UNIT_TEST(events_are_bounded), UNIT_TEST(claim_has_the_shape_of_the_cloud),
	UNIT_TEST(claim_is_taken_once),
	UNIT_TEST(claim_comes_back_after_expiry_and_retryable_failure),
	UNIT_TEST(claim_names_its_channel), UNIT_TEST(claim_refuses_bad_fields));
