/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/claimed.h"

#include "tests/unit/gateway-conversation/claimed_rig.h"

static void claimed_is_stored_then_acknowledged(void)
{
	struct claims claims;
	struct cloud_exchange *ack;
	struct rig *rig = &claims.yard.rig;

	begin(&claims);
	CU_ASSERT_PTR_NOT_NULL(strstr(claims.stream->query, "claimedBy=gateway%3Aone"));
	CU_ASSERT_PTR_NOT_NULL(strstr(claims.stream->query, "ttlMs=120000"));
	CU_ASSERT_TRUE(
		serve(&claims, "d", TELEGRAM, "{\"chatId\":\"c\",\"threadId\":\"c\"}"));
	CLAIMS_UNTIL(&claims, rows(&claims) == 1);
	CU_ASSERT_EQUAL(
		rig_number(rig,
			"SELECT count(*) FROM outbox WHERE delivery_id = 'd' AND "
			"chat_id = 'c' AND thread_id IS NULL AND claim IS NOT NULL"),
		1);
	delivery_wake(claims.yard.delivery);
	CLAIMS_UNTIL(&claims, claims.yard.count == 1);
	CU_ASSERT_STRING_EQUAL(claims.yard.sends[0].id, "d"); /* as the Cloud calls it */
	yard_end(&claims.yard, 0, (struct cg_outcome){.class = CG_OUTCOME_SENT});
	CLAIMS_UNTIL(&claims, claims.yard.reports[OUTBOX_SENT] == 1);
	claimed_look(claims.claimed);
	ack = take(&claims, "/deliveries/d/ack");
	CU_ASSERT_STRING_EQUAL(field(ack, "status"), "sent");
	CU_ASSERT_STRING_EQUAL(field(ack, "channelBindingId"), TELEGRAM);
	CU_ASSERT_STRING_EQUAL(field(ack, "claimedBy"), "gateway:one");
	cloud_fake_answer(ack, 200, "{\"delivery\":{\"deliveryId\":\"d\"}}");
	CLAIMS_UNTIL(&claims,
		rig_number(rig, "SELECT count(*) FROM claim WHERE state = 2") == 1);
	finish(&claims);
}

static void claimed_is_dead_when_it_can_never_be_sent(void)
{
	struct claims claims;
	struct cloud_exchange *ack;

	begin(&claims);
	serve(&claims, "d", "b-elsewhere", "{\"chatId\":\"c\"}");
	ack = take(&claims, "/deliveries/d/ack");
	CU_ASSERT_STRING_EQUAL(field(ack, "status"), "dead");
	serve(&claims, "e", TELEGRAM, "{}");
	ack = take(&claims, "/deliveries/e/ack");
	CU_ASSERT_STRING_EQUAL(field(ack, "status"), "dead");
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_UNSENDABLE], 2);
	CU_ASSERT_EQUAL(rows(&claims), 0);
	finish(&claims);
}

static void claimed_gives_back_what_is_too_much(void)
{
	struct claimed_figures figures;
	struct claims claims;
	struct cloud_exchange *ack;
	char id[16];

	begin(&claims);
	for (int i = 0; i < CLAIMED_OPEN; i++) {
		snprintf(id, sizeof(id), "d-%d", i);
		CU_ASSERT_TRUE(serve(&claims, id, TELEGRAM, "{\"chatId\":\"c\"}"));
	}
	CU_ASSERT_FALSE(serve(&claims, "more", TELEGRAM, "{\"chatId\":\"c\"}"));
	CU_ASSERT_TRUE(claims.stream->cancelled); /* open, it would claim more */
	ack = take(&claims, "/deliveries/more/ack");
	CU_ASSERT_STRING_EQUAL(field(ack, "status"), "failed");
	CU_ASSERT_NOT_EQUAL(field(ack, "nextAttemptAt")[0], '\0');
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_RETURNED], 1);
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_PAUSED], 1);
	CLAIMS_UNTIL(&claims, rows(&claims) == CLAIMED_OPEN);
	claimed_figures(claims.claimed, &figures);
	CU_ASSERT_TRUE(figures.paused);
	/* Half of it goes: there is room again. */
	for (int i = 0; i < CLAIMED_OPEN; i++) {
		struct rig *rig = &claims.yard.rig;

		snprintf(id, sizeof(id), "d-%d", i);
		outbox_kill(rig->journal, id, "operator", RIG_NOW, rig_on_json, rig);
		rig_await(rig);
	}
	claimed_look(claims.claimed);
	for (;;) {
		struct cloud_exchange *next = NULL;

		CLAIMS_UNTIL(&claims, (next = cloud_fake_take(&claims.cloud)) != NULL);
		if (next->stream)
			break; /* it claims again */
		CU_ASSERT_STRING_EQUAL(field(next, "status"), "dead");
		cloud_fake_answer(next, 200, "{\"delivery\":{\"deliveryId\":\"d\"}}");
	}
	finish(&claims);
}

static int64_t still(const struct clock *clock)
{
	(void)clock;
	return RIG_NOW;
}

static void serve_claimed_at(struct claims *claims, const char *id, int64_t at_ms)
{
	char json[512], at[CG_TIME_TEXT], until[CG_TIME_TEXT];

	cg_time_format(at_ms, at);
	cg_time_format(at_ms + CLOUD_DELIVERY_TTL_MS, until);
	snprintf(json, sizeof(json),
		"{\"delivery\":{\"deliveryId\":\"%s\",\"channelBindingId\":\"" TELEGRAM
		"\",\"eventType\":\"notice\",\"target\":{\"chatId\":\"c\"},"
		"\"payload\":{\"text\":\"hi\"},\"claimedBy\":\"gateway:one\","
		"\"updatedAt\":\"%s\",\"claimExpiresAt\":\"%s\"}}",
		id, at, until);
	CU_ASSERT_TRUE(cloud_fake_event(claims->stream, -1, "channel.delivery", json));
}

static int64_t time_left(struct claims *claims, const char *id)
{
	char sql[128];
	int64_t ends;

	snprintf(sql, sizeof(sql),
		"SELECT send_by_ms FROM claim WHERE delivery_id = '%s'", id);
	CLAIMS_UNTIL(claims, (ends = rig_number(&claims->yard.rig, sql)) > 0);
	return ends - claims->yard.rig.now_ms + 20000;
}

/* A clock that is set must not make every claim look as if it had lapsed on its way. */
static void claimed_forgets_how_the_clocks_were_when_one_is_set(void)
{
	struct claims claims;
	struct rig *rig = &claims.yard.rig;

	begin(&claims);
	rig->clock.mono_ms = still; /* the stream has just been opened */
	serve_claimed_at(
		&claims, "a", RIG_NOW - 3600000); /* the Cloud's clock is behind */
	CU_ASSERT_EQUAL(time_left(&claims, "a"), CLOUD_DELIVERY_TTL_MS);
	rig->now_ms += 86400000; /* ours is set: nothing was on its way for a day */
	serve_claimed_at(&claims, "b", RIG_NOW - 3600000);
	CU_ASSERT_EQUAL(time_left(&claims, "b"), CLOUD_DELIVERY_TTL_MS);
	rig->now_ms -= 2 * 86400000; /* and back */
	serve_claimed_at(&claims, "c", RIG_NOW - 3600000);
	CU_ASSERT_EQUAL(time_left(&claims, "c"), CLOUD_DELIVERY_TTL_MS);
	finish(&claims);
}

/* What was on its way for a while has less of its claim left. */
static void claimed_counts_the_way_against_the_claim(void)
{
	struct claims claims;

	begin(&claims);
	serve_claimed_at(&claims, "a", RIG_NOW);
	claims.yard.rig.now_ms += 30000;
	serve_claimed_at(&claims, "b", RIG_NOW);
	CU_ASSERT_EQUAL(time_left(&claims, "b"), CLOUD_DELIVERY_TTL_MS - 30000);
	finish(&claims);
}

static void claimed_tells_of_trouble_once_a_minute(void)
{
	struct claims claims;

	begin(&claims);
	for (int second = 0; second < 180; second++) {
		CU_ASSERT_TRUE(cloud_fake_event(
			claims.stream, -1, "error", "{\"error\":\"quota\"}"));
		claims.yard.rig.now_ms += 1000;
	}
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_TROUBLE], 3);
	finish(&claims);
}

static void claimed_rests_when_it_is_refused(void)
{
	struct claimed_figures figures;
	struct claims claims;

	begin(&claims);
	cloud_fake_answer(claims.stream, 403, "{\"code\":\"x.y\"}");
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_REFUSED], 1);
	claimed_figures(claims.claimed, &figures);
	CU_ASSERT_TRUE(figures.refused);
	CU_ASSERT_FALSE(figures.connected);
	cloud_fake_advance(&claims.cloud, 3600000);
	CU_ASSERT_PTR_NULL(cloud_fake_take(&claims.cloud));
	claimed_retry(claims.claimed);
	CU_ASSERT_TRUE(take(&claims, "/deliveries/stream")->stream);
	finish(&claims);
}

UNIT_SUITE(claimed, UNIT_TEST(claimed_is_stored_then_acknowledged),
	UNIT_TEST(claimed_is_dead_when_it_can_never_be_sent),
	UNIT_TEST(claimed_gives_back_what_is_too_much),
	UNIT_TEST(claimed_forgets_how_the_clocks_were_when_one_is_set),
	UNIT_TEST(claimed_counts_the_way_against_the_claim),
	UNIT_TEST(claimed_tells_of_trouble_once_a_minute),
	UNIT_TEST(claimed_rests_when_it_is_refused));
