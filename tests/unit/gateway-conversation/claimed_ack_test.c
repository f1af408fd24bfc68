/* SPDX-License-Identifier: Apache-2.0 */
/* How claims end. */
#include "tests/unit/gateway-conversation/claimed_rig.h"

/* A channel that is not granted any more is no reason to ask for ever. */
static void claimed_gives_up_an_acknowledgement_that_is_moot(void)
{
	struct claimed_figures figures;
	struct claims claims;
	struct cloud_exchange *ack;

	begin(&claims);
	ack = send_one(&claims, "d");
	cloud_fake_answer(ack, 403, "{\"code\":\"x.y\"}");
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_REFUSED], 1);
	claimed_figures(claims.claimed, &figures);
	CU_ASSERT_FALSE(figures.refused); /* the others go on */
	CU_ASSERT_EQUAL(figures.open, 1);
	CU_ASSERT_EQUAL(closed(&claims), 0); /* there is time */
	claims.yard.rig.now_ms += CLOUD_DELIVERY_TTL_MS;
	claimed_look(claims.claimed);
	ack = take(&claims, "/deliveries/d/ack");
	cloud_fake_answer(ack, 503, NULL); /* it may still hear of it */
	claimed_look(claims.claimed);
	ack = take(&claims, "/deliveries/d/ack");
	cloud_fake_answer(ack, 403, "{\"code\":\"x.y\"}");
	CLAIMS_UNTIL(&claims, closed(&claims) == 1);
	/* Served again, it is acknowledged again and not sent again. */
	CU_ASSERT_TRUE(serve(&claims, "d", TELEGRAM, "{\"chatId\":\"c\"}"));
	ack = take(&claims, "/deliveries/d/ack");
	CU_ASSERT_STRING_EQUAL(field(ack, "status"), "sent");
	cloud_fake_answer(ack, 200, "{\"delivery\":{\"deliveryId\":\"d\"}}");
	CLAIMS_UNTIL(&claims, closed(&claims) == 1);
	CU_ASSERT_EQUAL(claims.yard.count, 1);
	finish(&claims);
}

/* Done at the Cloud and not here: the second one finds the claim gone, by nobody else's doing. */
static void claimed_ack_knows_its_own_traces(void)
{
	const struct cloud_reply who_knows = {
		.status = CG_TIMEOUT, .dispatched = true, .retry_after_ms = -1};
	struct claimed_figures figures;
	struct claims claims;
	struct cloud_exchange *ack;

	begin(&claims);
	cloud_fake_reply(send_one(&claims, "d"), &who_knows);
	claimed_look(claims.claimed);
	ack = take(&claims, "/deliveries/d/ack");
	cloud_fake_answer(ack, 404, "{\"error\":\"No.\"}");
	CLAIMS_UNTIL(&claims, closed(&claims) == 1);
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_FOREIGN], 0);
	/* With nothing in doubt, the same is somebody else's. */
	CLAIMS_UNTIL(
		&claims, (claimed_figures(claims.claimed, &figures), figures.open == 0));
	cloud_fake_answer(send_one(&claims, "e"), 404, "{\"error\":\"No.\"}");
	CLAIMS_UNTIL(&claims, closed(&claims) == 2);
	CU_ASSERT_EQUAL(claims.facts[CLAIMED_FOREIGN], 1);
	finish(&claims);
}

UNIT_SUITE(claimed_ack, UNIT_TEST(claimed_gives_up_an_acknowledgement_that_is_moot),
	UNIT_TEST(claimed_ack_knows_its_own_traces));
