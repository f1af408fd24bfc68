/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/subscription.h"

#include "tests/support/cloud_fake.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* What a handler saw, and what it does the next time. */
static struct {
	int opens, events, interruptions, refusals, ends, troubles;
	int64_t after, sequence, retry_ms;
	enum cloud_error error;
	char type[64];
	bool refuse; /* answer an event with false */
	bool close; /* close from inside */
	bool pause; /* pause from inside */
	bool restart; /* restart from inside */
} seen;

static struct cloud_fake fake;
static struct cloud_client *client;
static struct cloud_subscription *sub;

static void act(void)
{
	if (seen.close)
		cloud_subscription_close(sub);
	if (seen.pause)
		cloud_subscription_pause(sub);
	if (seen.restart)
		cloud_subscription_restart(sub);
}

static void on_open(void *arg, int64_t after)
{
	(void)arg;
	seen.opens++;
	seen.after = after;
	act();
}

static bool on_event(void *arg, const struct cloud_session_event *event)
{
	(void)arg;
	seen.events++;
	seen.sequence = event->sequence;
	snprintf(seen.type, sizeof(seen.type), "%s", event->type);
	act();
	return !seen.refuse;
}

static bool on_delivery(void *arg, const struct cloud_delivery *delivery)
{
	(void)arg;
	seen.events++;
	snprintf(seen.type, sizeof(seen.type), "%s", delivery->delivery_id);
	act();
	return !seen.refuse;
}

static void on_interrupted(void *arg, const struct cloud_result *why, int64_t retry_ms)
{
	(void)arg;
	seen.interruptions++;
	seen.error = why->error;
	seen.retry_ms = retry_ms;
	act();
}

static void on_trouble(void *arg, const char *message)
{
	(void)arg;
	seen.troubles++;
	snprintf(seen.type, sizeof(seen.type), "%s", message);
	act();
}

static void on_refused(void *arg, const struct cloud_result *why)
{
	(void)arg;
	seen.refusals++;
	seen.error = why->error;
	act();
}

static void on_ended(void *arg, const struct cloud_result *why)
{
	(void)arg;
	seen.ends++;
	seen.error = why->error;
	act();
}

static const struct cloud_subscription_handler handler = {
	.open = on_open,
	.session_event = on_event,
	.delivery = on_delivery,
	.interrupted = on_interrupted,
	.trouble = on_trouble,
	.refused = on_refused,
	.ended = on_ended,
};

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
	cloud_fake_init(&fake);
	/* The longest delay there is, once the attempts have failed often enough. */
	fake.random = CLOUD_RECONNECT_CAP_MS - CLOUD_RECONNECT_BASE_MS;
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

static struct cloud_exchange *follow(int64_t after)
{
	CU_ASSERT_EQUAL_FATAL(cloud_session_stream(client,
				      &(struct cloud_session_stream_params){"b/1", after},
				      &handler, &sub, NULL),
		CG_OK);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
	cloud_fake_advance(&fake, 0);
	return cloud_fake_take(&fake);
}

static bool send(struct cloud_exchange *exchange, int64_t sequence, const char *type)
{
	char json[256];

	snprintf(json, sizeof(json),
		"{\"sessionId\":\"s\",\"sequence\":%lld,\"type\":\"%s\",\"payload\":{}}",
		(long long)sequence, type);
	return cloud_fake_event(exchange, sequence, type, json);
}

static void it_follows_a_session(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(0);
	CU_ASSERT_STRING_EQUAL(stream->method, "GET");
	CU_ASSERT_STRING_EQUAL(stream->path, "/api/channels/sessions/b%2F1/events");
	CU_ASSERT_STRING_EQUAL(stream->query, "");
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_CONNECTING);
	cloud_fake_open(stream);
	CU_ASSERT_EQUAL(seen.opens, 1);
	CU_ASSERT_EQUAL(seen.after, 0);
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_OPEN);
	CU_ASSERT_TRUE(send(stream, 1, "assistant.message"));
	CU_ASSERT_EQUAL(seen.sequence, 1);
	CU_ASSERT_STRING_EQUAL(seen.type, "assistant.message");
	/* Frames that are no session events mean nothing. */
	CU_ASSERT_TRUE(cloud_fake_event(stream, 2, "x", "{\"sequence\":2}"));
	CU_ASSERT_TRUE(cloud_fake_event(stream, 2, "x", "{\"type\":\"x\"}"));
	CU_ASSERT_EQUAL(seen.events, 1);
	cloud_subscription_close(sub);
	CU_ASSERT_TRUE(stream->cancelled);
	cloud_subscription_close(NULL);
	teardown();
}

static void a_clean_end_resumes_from_what_is_stored(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(5);
	CU_ASSERT_STRING_EQUAL(stream->query, "after=5");
	cloud_fake_open(stream);
	CU_ASSERT_EQUAL(seen.after, 5);
	send(stream, 6, "a");
	send(stream, 7, "b");
	send(stream, 8, "c");
	cloud_subscription_stored(sub, 7);
	cloud_subscription_stored(sub, 6); /* never back */
	CU_ASSERT_EQUAL(cloud_subscription_cursor(sub), 7);
	cloud_fake_answer(stream, 200, NULL);
	CU_ASSERT_EQUAL(seen.interruptions, 1);
	CU_ASSERT_EQUAL(seen.error, CLOUD_OK);
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_WAITING);
	CU_ASSERT_TRUE(seen.retry_ms >= CLOUD_RECONNECT_BASE_MS && seen.retry_ms <= 500);
	cloud_fake_advance(&fake, seen.retry_ms);
	stream = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(stream->query, "after=7");
	cloud_fake_open(stream);
	/* What is stored already is not shown again; what was only seen is. */
	send(stream, 7, "b");
	CU_ASSERT_EQUAL(seen.events, 3);
	send(stream, 8, "c");
	CU_ASSERT_EQUAL(seen.events, 4);
	teardown();
}

static void a_demand_for_a_snapshot_passes(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(17);
	cloud_fake_open(stream);
	send(stream, 17, "snapshot.required");
	CU_ASSERT_EQUAL(seen.events, 1);
	CU_ASSERT_STRING_EQUAL(seen.type, "snapshot.required");
	teardown();
}

static void delays_grow_to_the_cap_and_start_over(void)
{
	struct cloud_exchange *stream;
	int64_t delays[10];

	setup();
	stream = follow(0);
	for (size_t i = 0; i < 10; i++) {
		cloud_fake_fail(stream, CG_NETWORK, "reset");
		CU_ASSERT_EQUAL(seen.error, CLOUD_NETWORK);
		delays[i] = seen.retry_ms;
		cloud_fake_advance(&fake, seen.retry_ms - 1);
		CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
		cloud_fake_advance(&fake, 1);
		stream = cloud_fake_take(&fake);
		CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	}
	for (size_t i = 0; i < 10; i++) {
		int64_t high = CLOUD_RECONNECT_BASE_MS << (i + 1);

		CU_ASSERT_TRUE(delays[i] >= CLOUD_RECONNECT_BASE_MS);
		CU_ASSERT_TRUE(delays[i] <= high && delays[i] <= CLOUD_RECONNECT_CAP_MS);
	}
	CU_ASSERT_EQUAL(delays[9], CLOUD_RECONNECT_CAP_MS);

	/* Full jitter: with no luck at all, the base. */
	fake.random = 0;
	cloud_fake_fail(stream, CG_NETWORK, "reset");
	CU_ASSERT_EQUAL(seen.retry_ms, CLOUD_RECONNECT_BASE_MS);
	fake.random = CLOUD_RECONNECT_CAP_MS - CLOUD_RECONNECT_BASE_MS;
	cloud_fake_advance(&fake, seen.retry_ms);

	/* An event starts them over. */
	stream = cloud_fake_take(&fake);
	cloud_fake_open(stream);
	send(stream, 1, "a");
	cloud_fake_fail(stream, CG_NETWORK, "reset");
	CU_ASSERT_EQUAL(seen.retry_ms, delays[0]);
	teardown();
}

static void a_connection_that_held_counts_as_good(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(0);
	for (int i = 0; i < 6; i++) {
		cloud_fake_fail(stream, CG_NETWORK, "reset");
		cloud_fake_advance(&fake, seen.retry_ms);
		stream = cloud_fake_take(&fake);
	}
	cloud_fake_open(stream);
	cloud_fake_advance(&fake, CLOUD_RECONNECT_CAP_MS);
	cloud_fake_answer(stream, 200, NULL);
	CU_ASSERT_TRUE(seen.retry_ms <= 500);
	teardown();
}

static void retry_after_is_honoured(void)
{
	struct cloud_exchange *stream;

	setup();
	fake.random = 0;
	stream = follow(0);
	cloud_fake_answer(stream, 429, "{\"retryAfterMs\":5000}");
	CU_ASSERT_EQUAL(seen.error, CLOUD_RATE_LIMITED);
	CU_ASSERT_EQUAL(seen.retry_ms, 5000 + CLOUD_RECONNECT_BASE_MS);
	cloud_fake_advance(&fake, seen.retry_ms);
	stream = cloud_fake_take(&fake);
	cloud_fake_answer(stream, 503, "{\"retryAfterMs\":864000000}");
	CU_ASSERT_EQUAL(
		seen.retry_ms, CLOUD_RETRY_AFTER_CAP_MS + CLOUD_RECONNECT_BASE_MS);
	teardown();
}

static void silence_means_reconnect(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(0);
	cloud_fake_open(stream);
	cloud_fake_advance(&fake, CLOUD_STREAM_SILENCE_MS - 1);
	cloud_fake_alive(stream);
	cloud_fake_advance(&fake, CLOUD_STREAM_SILENCE_MS - 1);
	CU_ASSERT_FALSE(stream->cancelled);
	CU_ASSERT_EQUAL(seen.interruptions, 0);
	cloud_fake_advance(&fake, 1);
	CU_ASSERT_TRUE(stream->cancelled);
	CU_ASSERT_EQUAL(seen.interruptions, 1);
	CU_ASSERT_EQUAL(seen.error, CLOUD_TIMEOUT);
	cloud_fake_advance(&fake, seen.retry_ms);
	/* One that never opens is silent too. */
	stream = cloud_fake_take(&fake);
	cloud_fake_advance(&fake, CLOUD_STREAM_SILENCE_MS);
	CU_ASSERT_TRUE(stream->cancelled);
	CU_ASSERT_EQUAL(seen.interruptions, 2);
	teardown();
}

static void a_quiet_transport_may_be_silent(void)
{
	struct cloud_exchange *stream;

	setup();
	fake.transport.quiet = true;
	stream = follow(0);
	cloud_fake_open(stream);
	cloud_fake_advance(&fake, 100 * CLOUD_STREAM_SILENCE_MS);
	CU_ASSERT_FALSE(stream->cancelled);
	CU_ASSERT_TRUE(send(stream, 1, "a"));
	CU_ASSERT_EQUAL(seen.events, 1);
	teardown();
}

static void a_refusal_rests_until_restart(void)
{
	static const int statuses[] = {401, 403};

	setup();
	for (size_t i = 0; i < 2; i++) {
		struct cloud_exchange *stream = follow(0);

		seen.refusals = 0;
		cloud_fake_answer(stream, statuses[i], "{\"error\":\"no\"}");
		CU_ASSERT_EQUAL(seen.refusals, 1);
		CU_ASSERT_EQUAL(
			cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_REFUSED);
		cloud_fake_advance(&fake, 3600000);
		cloud_subscription_resume(sub);
		cloud_subscription_pause(sub);
		cloud_subscription_rewind(sub, 3);
		cloud_fake_advance(&fake, 0);
		CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
		cloud_subscription_restart(sub);
		cloud_fake_advance(&fake, 0);
		stream = cloud_fake_take(&fake);
		CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
		CU_ASSERT_STRING_EQUAL(stream->query, "after=3");
		cloud_subscription_close(sub);
	}
	CU_ASSERT_EQUAL(seen.interruptions, 0);
	teardown();
}

static void not_found_is_the_end(void)
{
	setup();
	cloud_fake_answer(follow(0), 404, NULL);
	CU_ASSERT_EQUAL(seen.ends, 1);
	CU_ASSERT_EQUAL(seen.error, CLOUD_NOT_FOUND);
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_ENDED);
	cloud_subscription_restart(sub);
	cloud_fake_advance(&fake, 3600000);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
	teardown();
}

/* Deliveries are no one thing that could be gone. */
static void deliveries_are_never_not_found(void)
{
	const char *bindings[] = {"b"};
	struct cloud_delivery_stream_params params = {bindings, 1, 0};

	setup();
	CU_ASSERT_EQUAL_FATAL(
		cloud_delivery_stream(client, &params, &handler, &sub, NULL), CG_OK);
	cloud_fake_advance(&fake, 0);
	cloud_fake_answer(cloud_fake_take(&fake), 404, NULL);
	CU_ASSERT_EQUAL(seen.ends, 0);
	CU_ASSERT_EQUAL(seen.interruptions, 1);
	cloud_fake_advance(&fake, seen.retry_ms);
	CU_ASSERT_PTR_NOT_NULL(cloud_fake_take(&fake));
	teardown();
}

static void credit_pauses_and_resumes(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(0);
	cloud_fake_open(stream);
	seen.refuse = true;
	CU_ASSERT_FALSE(send(stream, 1, "a"));
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_PAUSED);
	/* A paused stream is not blamed for its silence. */
	cloud_fake_advance(&fake, 10 * CLOUD_STREAM_SILENCE_MS);
	CU_ASSERT_FALSE(stream->cancelled);
	seen.refuse = false;
	cloud_subscription_resume(sub);
	CU_ASSERT_EQUAL(stream->resumed, 1);
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_OPEN);
	cloud_subscription_resume(sub);
	CU_ASSERT_EQUAL(stream->resumed, 1);
	CU_ASSERT_TRUE(send(stream, 2, "b"));
	cloud_fake_advance(&fake, CLOUD_STREAM_SILENCE_MS);
	CU_ASSERT_TRUE(stream->cancelled);
	teardown();
}

static void an_end_while_paused_waits_for_credit(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(0);
	cloud_fake_open(stream);
	seen.refuse = true;
	send(stream, 1, "a");
	cloud_fake_answer(stream, 200, NULL);
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_PAUSED);
	cloud_fake_advance(&fake, 3600000);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
	cloud_subscription_stored(sub, 1);
	cloud_subscription_resume(sub);
	cloud_fake_advance(&fake, 0);
	stream = cloud_fake_take(&fake);
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	CU_ASSERT_STRING_EQUAL(stream->query, "after=1");
	teardown();
}

static void pause_gives_the_connection_up(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(0);
	cloud_fake_open(stream);
	cloud_subscription_pause(sub);
	CU_ASSERT_TRUE(stream->cancelled);
	cloud_subscription_restart(sub); /* stays paused */
	cloud_fake_advance(&fake, 3600000);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
	cloud_subscription_resume(sub);
	cloud_fake_advance(&fake, 0);
	CU_ASSERT_PTR_NOT_NULL(cloud_fake_take(&fake));
	teardown();
}

static void rewind_goes_either_way(void)
{
	struct cloud_exchange *stream;

	setup();
	stream = follow(9);
	cloud_fake_open(stream);
	cloud_subscription_rewind(sub, 4);
	CU_ASSERT_TRUE(stream->cancelled);
	cloud_fake_advance(&fake, 0);
	stream = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(stream->query, "after=4");
	cloud_subscription_rewind(sub, 0);
	cloud_fake_advance(&fake, 0);
	stream = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(stream->query, "");
	teardown();
}

/* Each handler function may close, pause or restart what calls it. */
static void it_survives_its_own_callbacks(void)
{
	for (int action = 0; action < 3; action++) {
		for (int where = 0; where < 6; where++) {
			struct cloud_exchange *stream;

			setup();
			stream = follow(0);
			if (where != 0)
				cloud_fake_open(stream);
			seen.close = action == 0;
			seen.pause = action == 1;
			seen.restart = action == 2;
			switch (where) {
			case 0:
				cloud_fake_open(stream);
				break;
			case 1:
				CU_ASSERT_FALSE(send(stream, 1, "a"));
				break;
			case 2:
				CU_ASSERT_FALSE(cloud_fake_event(
					stream, -1, "error", "{\"error\":\"quota\"}"));
				CU_ASSERT_STRING_EQUAL(seen.type, "quota");
				break;
			case 3:
				cloud_fake_answer(stream, 200, NULL);
				break;
			case 4:
				cloud_fake_answer(stream, 401, NULL);
				break;
			default:
				cloud_fake_answer(stream, 404, NULL);
				break;
			}
			CU_ASSERT_TRUE(stream->over);
			cloud_fake_advance(&fake, 0);
			/* A restart connects again, but for what has ended. */
			CU_ASSERT_EQUAL(cloud_fake_take(&fake) != NULL,
				action == 2 && where != 5);
			teardown();
		}
	}
}

static void a_start_that_fails_is_tried_again(void)
{
	setup();
	CU_ASSERT_EQUAL_FATAL(cloud_session_stream(client,
				      &(struct cloud_session_stream_params){"b", 0},
				      &handler, &sub, NULL),
		CG_OK);
	fake.refuse = CG_LIMIT;
	cloud_fake_advance(&fake, 0);
	CU_ASSERT_EQUAL(seen.interruptions, 1);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&fake));
	cloud_fake_advance(&fake, seen.retry_ms);
	CU_ASSERT_PTR_NOT_NULL(cloud_fake_take(&fake));
	teardown();
}

static void deliveries_are_claimed_by_name(void)
{
	static const char *const ids[] = {"binding one", "b2"};
	struct cloud_exchange *stream;

	setup();
	CU_ASSERT_EQUAL_FATAL(cloud_delivery_stream(client,
				      &(struct cloud_delivery_stream_params){ids, 2, 0},
				      &handler, &sub, NULL),
		CG_OK);
	cloud_fake_advance(&fake, 0);
	stream = cloud_fake_take(&fake);
	CU_ASSERT_STRING_EQUAL(stream->path, "/api/channels/deliveries/stream");
	CU_ASSERT_STRING_EQUAL(stream->query, "claimedBy=gateway%3Ag1&ttlMs=120000&"
					      "channelBindingId=binding%20one&"
					      "channelBindingId=b2");
	cloud_fake_open(stream);
	CU_ASSERT_TRUE(cloud_fake_event(stream, -1, "channel.delivery",
		"{\"delivery\":{\"deliveryId\":\"d1\",\"target\":{\"chatId\":\"7\"}}}"));
	CU_ASSERT_STRING_EQUAL(seen.type, "d1");
	CU_ASSERT_TRUE(cloud_fake_event(stream, -1, "channel.delivery", "{}"));
	CU_ASSERT_EQUAL(seen.events, 1);
	CU_ASSERT_TRUE(cloud_fake_event(stream, -1, "error", "{\"error\":\"quota\"}"));
	CU_ASSERT_EQUAL(seen.troubles, 1);
	CU_ASSERT_EQUAL(cloud_subscription_state(sub), CLOUD_SUBSCRIPTION_OPEN);
	/* The same again on the next connection. */
	cloud_fake_answer(stream, 200, NULL);
	cloud_fake_advance(&fake, seen.retry_ms);
	CU_ASSERT_STRING_EQUAL(cloud_fake_take(&fake)->query, stream->query);
	teardown();
}

static void what_to_follow_must_be_named(void)
{
	const char *ids[CLOUD_DELIVERY_BINDINGS + 1];
	struct cloud_delivery_stream_params deliveries = {ids, 0, 0};
	struct cg_error err;

	setup();
	sub = NULL;
	CU_ASSERT_EQUAL(
		cloud_session_stream(client, &(struct cloud_session_stream_params){0},
			&handler, &sub, &err),
		CG_INVALID);
	for (size_t i = 0; i < CLOUD_DELIVERY_BINDINGS + 1; i++)
		ids[i] = "b";
	CU_ASSERT_EQUAL(cloud_delivery_stream(client, &deliveries, &handler, &sub, &err),
		CG_INVALID);
	deliveries.channel_binding_count = CLOUD_DELIVERY_BINDINGS + 1;
	CU_ASSERT_EQUAL(cloud_delivery_stream(client, &deliveries, &handler, &sub, &err),
		CG_INVALID);
	CU_ASSERT_PTR_NULL(sub);
	deliveries.channel_binding_count = CLOUD_DELIVERY_BINDINGS;
	CU_ASSERT_EQUAL(
		cloud_delivery_stream(client, &deliveries, &handler, &sub, &err), CG_OK);
	teardown();
}

static void streams_have_a_cap(void)
{
	struct cloud_session_stream_params params = {"b", 0};
	struct cg_error err;

	setup();
	for (size_t i = 0; i < CLOUD_CLIENT_SUBSCRIPTIONS; i++)
		CU_ASSERT_EQUAL_FATAL(
			cloud_session_stream(client, &params, &handler, &sub, NULL),
			CG_OK);
	CU_ASSERT_EQUAL(
		cloud_session_stream(client, &params, &handler, &sub, &err), CG_LIMIT);
	cloud_subscription_close(sub);
	CU_ASSERT_EQUAL(
		cloud_session_stream(client, &params, &handler, &sub, &err), CG_OK);
	teardown();
}

UNIT_SUITE(subscription, UNIT_TEST(it_follows_a_session),
	UNIT_TEST(a_clean_end_resumes_from_what_is_stored),
	UNIT_TEST(a_demand_for_a_snapshot_passes),
	UNIT_TEST(delays_grow_to_the_cap_and_start_over),
	UNIT_TEST(a_connection_that_held_counts_as_good),
	UNIT_TEST(retry_after_is_honoured), UNIT_TEST(silence_means_reconnect),
	UNIT_TEST(a_quiet_transport_may_be_silent),
	UNIT_TEST(a_refusal_rests_until_restart), UNIT_TEST(not_found_is_the_end),
	UNIT_TEST(deliveries_are_never_not_found), UNIT_TEST(credit_pauses_and_resumes),
	UNIT_TEST(an_end_while_paused_waits_for_credit),
	UNIT_TEST(pause_gives_the_connection_up), UNIT_TEST(rewind_goes_either_way),
	UNIT_TEST(it_survives_its_own_callbacks),
	UNIT_TEST(a_start_that_fails_is_tried_again),
	UNIT_TEST(deliveries_are_claimed_by_name),
	UNIT_TEST(what_to_follow_must_be_named), UNIT_TEST(streams_have_a_cap));
