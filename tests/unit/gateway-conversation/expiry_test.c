/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/expiry.h"

#include "gateway/conversation/card.h"
#include "tests/unit/gateway-conversation/conversation_rig.h"

#define GONE "SELECT count(*) FROM outbox WHERE source LIKE '%No longer open%'"

static void ask(struct talk *talk)
{
	talk_init(talk);
	talk_converse(talk);
	talk_event(talk, 1, "permission.requested",
		"{\"permissionId\":\"p\",\"tool\":\"bash\",\"input\":{}}");
	talk_await_credit(talk);
	CU_ASSERT(loop_timer_pending(&talk->conversation->expiry));
}

static void fire(struct talk *talk)
{
	loop_timer_clear(&talk->conversation->expiry);
	talk->conversation->expiry.fire(talk->conversation->expiry.arg);
	TALK_UNTIL(talk, !talk->conversation->expiring);
	talk_rest(talk);
}

static void a_card_says_when_its_time_is_over(void)
{
	struct talk talk;

	ask(&talk);
	talk.yard.rig.now_ms += CARD_LIFE_MS - 1;
	fire(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, GONE), 0);
	CU_ASSERT(loop_timer_pending(&talk.conversation->expiry));
	talk.yard.rig.now_ms += 1;
	talk.yard.rig.sane = false; /* by a clock that nobody believes nothing is late */
	fire(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, GONE), 0);
	talk.yard.rig.sane = true;
	fire(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, GONE), 1);
	fire(&talk);
	CU_ASSERT_FALSE(loop_timer_pending(&talk.conversation->expiry));
	talk_finish(&talk);
}

static void what_ended_while_we_were_away_is_said_after_a_restart(void)
{
	struct talk talk;

	ask(&talk);
	talk.yard.rig.now_ms += CARD_LIFE_MS;
	talk_restart(&talk);
	TALK_UNTIL(&talk, talk_count(&talk, GONE) == 1);
	talk_finish(&talk);
}

static void a_turn_that_ends_takes_its_questions_with_it(void)
{
	struct talk talk;

	ask(&talk);
	talk_event(&talk, 2, "session.aborted", NULL);
	talk_await_credit(&talk);
	TALK_UNTIL(&talk, talk_count(&talk, GONE) == 1);
	talk_finish(&talk);
}

static void what_is_decided_elsewhere_is_said_at_once(void)
{
	struct talk talk;

	ask(&talk);
	talk_event(&talk, 2, "permission.resolved", "{\"permissionId\":\"p\"}");
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, GONE), 1);
	talk_event(&talk, 3, "permission.resolved", "{\"permissionId\":\"p\"}");
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, GONE), 1);
	talk_finish(&talk);
}

/* An agent that was restarted asks the same again: another card, with buttons that work. */
static void what_is_asked_again_has_a_card_again(void)
{
	struct talk talk;

	ask(&talk);
	talk_event(&talk, 2, "permission.resolved", "{\"permissionId\":\"p\"}");
	talk_await_credit(&talk);
	talk_event(&talk, 3, "permission.requested",
		"{\"permissionId\":\"p\",\"tool\":\"bash\",\"input\":{}}");
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, "SELECT count(*) FROM inquiry"), 2);
	CU_ASSERT_EQUAL(
		talk_count(&talk, "SELECT count(*) FROM inquiry WHERE state = 0"), 1);
	talk_event(&talk, 4, "permission.resolved", "{\"permissionId\":\"p\"}");
	talk_await_credit(&talk);
	CU_ASSERT_EQUAL(talk_count(&talk, GONE), 2);
	talk_finish(&talk);
}

UNIT_SUITE(expiry, UNIT_TEST(what_is_asked_again_has_a_card_again),
	UNIT_TEST(a_card_says_when_its_time_is_over),
	UNIT_TEST(what_ended_while_we_were_away_is_said_after_a_restart),
	UNIT_TEST(a_turn_that_ends_takes_its_questions_with_it),
	UNIT_TEST(what_is_decided_elsewhere_is_said_at_once));
