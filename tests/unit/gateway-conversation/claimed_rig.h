/* SPDX-License-Identifier: Apache-2.0 */
/* Claimed deliveries between a real journal and a scripted Cloud. */
#ifndef COWGATE_TESTS_CLAIMED_RIG_H
#define COWGATE_TESTS_CLAIMED_RIG_H

#include "cloud-client/subscription.h"
#include "gateway/conversation/claimed.h"
#include "tests/support/cloud_fake.h"
#include "tests/unit/gateway-delivery/delivery_rig.h"

#define TELEGRAM "b-telegram"

struct claims {
	struct yard yard; /* first: the journal, the loop, the clock, the outlet */
	struct cloud_fake cloud;
	struct cloud_client *client;
	struct claimed *claimed;
	struct conversation_channel channel;
	struct cloud_exchange *stream;
	unsigned facts[CLAIMED_FOREIGN + 1];
};

/* The Cloud's clock stands, but what is due now comes. */
#define CLAIMS_UNTIL(claims, condition) \
	YARD_UNTIL( \
		&(claims)->yard, (cloud_fake_advance(&(claims)->cloud, 0), (condition)))

static inline void on_fact(void *arg, enum claimed_fact fact, const char *detail)
{
	(void)detail;
	((struct claims *)arg)->facts[fact]++;
}

static inline uint64_t no_chance(void *arg)
{
	(void)arg;
	return 0;
}

static inline struct cloud_exchange *take(struct claims *claims, const char *path)
{
	struct cloud_exchange *exchange = NULL;

	CLAIMS_UNTIL(claims, (exchange = cloud_fake_take(&claims->cloud)) != NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(exchange->path, path));
	return exchange;
}

static inline void begin(struct claims *claims)
{
	struct cloud_client_options options = {.claimed_by = "gateway:one"};
	struct conversation_parts parts;
	struct claimed_options how;

	memset(claims, 0, sizeof(*claims));
	yard_init(&claims->yard, NULL);
	cloud_fake_init(&claims->cloud);
	options.transport = &claims->cloud.transport;
	options.host = &claims->cloud.host;
	CU_ASSERT_EQUAL_FATAL(
		cloud_client_create(&options, &claims->client, NULL), CG_OK);
	claims->channel = (struct conversation_channel){
		.instance = "telegram", .binding_id = TELEGRAM};
	parts = (struct conversation_parts){.loop = claims->yard.rig.loop,
		.journal = claims->yard.rig.journal,
		.outlet = &claims->yard.outlet,
		.client = claims->client};
	how = (struct claimed_options){.channels = &claims->channel,
		.channel_count = 1,
		.send_ms = 20000,
		.random = no_chance,
		.fact = on_fact,
		.arg = claims};
	CU_ASSERT_EQUAL_FATAL(
		claimed_create(&parts, &how, &claims->claimed, NULL), CG_OK);
	claimed_start(claims->claimed);
	claims->stream = take(claims, "/deliveries/stream");
	cloud_fake_open(claims->stream);
	CU_ASSERT_EQUAL(claims->facts[CLAIMED_CONNECTED], 1);
}

static inline void finish(struct claims *claims)
{
	rig_close(&claims->yard.rig);
	claimed_destroy(claims->claimed);
	delivery_destroy(claims->yard.delivery);
	claims->yard.delivery = NULL;
	cloud_client_destroy(claims->client);
	loop_turn(claims->yard.rig.loop);
	cloud_fake_finish(&claims->cloud);
	yard_finish(&claims->yard);
}

static inline bool serve(
	struct claims *claims, const char *id, const char *binding, const char *target)
{
	char json[512];

	snprintf(json, sizeof(json),
		"{\"delivery\":{\"deliveryId\":\"%s\",\"channelBindingId\":\"%s\","
		"\"eventType\":\"notice\",\"target\":%s,\"payload\":{\"text\":\"hi\"},"
		"\"claimedBy\":\"gateway:one\",\"status\":\"claimed\"}}",
		id, binding, target);
	return cloud_fake_event(claims->stream, -1, "channel.delivery", json);
}

static inline int64_t rows(struct claims *claims)
{
	return rig_number(&claims->yard.rig, "SELECT count(*) FROM outbox");
}

static inline const char *field(const struct cloud_exchange *exchange, const char *key)
{
	return cg_json_string_or(exchange->body, key, "");
}

/* Sent, and settled; its acknowledgement is the next call. */
static inline struct cloud_exchange *send_one(struct claims *claims, const char *id)
{
	char path[64];
	size_t sent = claims->yard.count;

	CU_ASSERT_TRUE(serve(claims, id, TELEGRAM, "{\"chatId\":\"c\"}"));
	CLAIMS_UNTIL(claims, rows(claims) == (int64_t)sent + 1);
	delivery_wake(claims->yard.delivery);
	CLAIMS_UNTIL(claims, claims->yard.count == sent + 1);
	yard_end(&claims->yard, sent, (struct cg_outcome){.class = CG_OUTCOME_SENT});
	CLAIMS_UNTIL(claims, claims->yard.reports[OUTBOX_SENT] == sent + 1);
	claimed_look(claims->claimed);
	snprintf(path, sizeof(path), "/deliveries/%s/ack", id);
	return take(claims, path);
}

static inline int64_t closed(struct claims *claims)
{
	return rig_number(
		&claims->yard.rig, "SELECT count(*) FROM claim WHERE state = 2");
}

#endif
