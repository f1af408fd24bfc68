/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/rota.h"

#include "gateway/conversation/stream.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

static void turn_comes(struct talk *talk)
{
	struct loop_timer *timer = &talk->conversation->rota.turn;

	CU_ASSERT_TRUE_FATAL(loop_timer_pending(timer));
	loop_timer_clear(timer);
	timer->fire(timer->arg);
	TALK_UNTIL(talk, !talk->conversation->rota.listing);
}

static void rota_takes_turns(void)
{
	struct talk talk;

	talk_init(&talk);
	talk_converse(&talk);
	/* Who is young keeps the place. */
	CU_ASSERT_FALSE(rota_make_room(talk.conversation));
	talk.yard.rig.now_ms += ROTA_TURN_MS;
	CU_ASSERT_TRUE(rota_make_room(talk.conversation));
	CU_ASSERT_PTR_NULL(stream_find(talk.conversation, "bind-1"));
	CU_ASSERT_EQUAL(talk.conversation->rota.count, 1);
	CU_ASSERT_FALSE(rota_make_room(talk.conversation)); /* there is none left */
	/* Its work is not finished, so it has a turn again, from its cursor. */
	turn_comes(&talk);
	CU_ASSERT_PTR_NOT_NULL(stream_find(talk.conversation, "bind-1"));
	CU_ASSERT_EQUAL(talk.conversation->rota.count, 0);
	CU_ASSERT_FALSE(loop_timer_pending(&talk.conversation->rota.turn));
	talk_finish(&talk);
}

static void rota_leaves_out_what_is_settled(void)
{
	struct talk talk;

	talk_init(&talk);
	rota_park(talk.conversation, "done");
	rota_park(talk.conversation, "done");
	CU_ASSERT_EQUAL(talk.conversation->rota.count, 1);
	turn_comes(&talk); /* the journal does not know it as open */
	CU_ASSERT_EQUAL(talk.conversation->rota.count, 0);
	CU_ASSERT_EQUAL(talk.conversation->stream_count, 0);
	CU_ASSERT_FALSE(loop_timer_pending(&talk.conversation->rota.turn));
	talk_finish(&talk);
}

static void rota_remembers_so_many(void)
{
	struct talk talk;
	char id[16];

	talk_init(&talk);
	for (int i = 0; i <= ROTA_PARKED; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		rota_park(talk.conversation, id);
	}
	CU_ASSERT_EQUAL(talk.conversation->rota.count, ROTA_PARKED);
	CU_ASSERT_TRUE(talk.conversation->rota.more); /* the rest is in the journal */
	talk_finish(&talk);
}

UNIT_SUITE(rota, UNIT_TEST(rota_takes_turns), UNIT_TEST(rota_leaves_out_what_is_settled),
	UNIT_TEST(rota_remembers_so_many));
