/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/mirror.h"

#include "tests/unit/gateway-conversation/conversation_rig.h"

#define CURSOR_PATH "/api/channels/cursor"

static void begin(struct talk *talk, bool on)
{
	talk_prepare(talk, NULL);
	talk->options.mirror = on;
	talk_open(talk);
	talk_start(talk);
}

static void time_comes(struct talk *talk)
{
	struct loop_timer *timer = &talk->conversation->mirror.timer;

	CU_ASSERT_TRUE_FATAL(loop_timer_pending(timer));
	loop_timer_clear(timer);
	timer->fire(timer->arg);
}

static void expect(struct talk *talk, const char *binding, int64_t sequence)
{
	struct cloud_exchange *exchange = talk_expect(talk, CURSOR_PATH);

	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(exchange->body, "bindingId", ""), binding);
	CU_ASSERT_EQUAL(cg_json_int(exchange->body, "lastEventSequence", -1), sequence);
}

static void mirror_collects(void)
{
	struct talk talk;

	begin(&talk, true);
	mirror_note(talk.conversation, "a", 5);
	mirror_note(talk.conversation, "b", 3);
	mirror_note(talk.conversation, "a", 9);
	mirror_note(talk.conversation, "c", 0); /* nothing of it was rendered */
	talk_expect_nothing(&talk); /* before its time */
	time_comes(&talk);
	expect(&talk, "a", 9);
	talk_expect_nothing(&talk); /* one after the other */
	cloud_fake_answer(talk.current, 200, "{}");
	expect(&talk, "b", 3);
	cloud_fake_answer(talk.current, 200, "{}");
	talk_expect_nothing(&talk);
	CU_ASSERT_EQUAL(talk.conversation->mirror.count, 0);
	CU_ASSERT_FALSE(loop_timer_pending(&talk.conversation->mirror.timer));
	talk_finish(&talk);
}

static void mirror_goes_on_after_what_fails(void)
{
	struct talk talk;

	begin(&talk, true);
	mirror_note(talk.conversation, "gone", 1);
	mirror_note(talk.conversation, "a", 2);
	mirror_note(talk.conversation, "b", 3);
	time_comes(&talk);
	expect(&talk, "gone", 1);
	cloud_fake_answer(talk.current, 404, NULL);
	expect(&talk, "a", 2);
	/* A Cloud that fails is left alone for a while; the rest is kept. */
	cloud_fake_answer(talk.current, 503, NULL);
	talk_expect_nothing(&talk);
	CU_ASSERT_EQUAL(talk.conversation->mirror.count, 1);
	time_comes(&talk);
	expect(&talk, "b", 3);
	talk_finish(&talk); /* while the call is under way */
}

static void mirror_has_room_for_so_many(void)
{
	struct talk talk;
	char id[16];

	begin(&talk, true);
	for (int i = 0; i <= MIRROR_SESSIONS; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		mirror_note(talk.conversation, id, 1);
	}
	CU_ASSERT_EQUAL(talk.conversation->mirror.count, MIRROR_SESSIONS);
	mirror_note(talk.conversation, "s0", 7); /* it is there already */
	time_comes(&talk);
	expect(&talk, "s0", 7);
	talk_finish(&talk);
}

static void mirror_of_an_embedded_plane_is_none(void)
{
	struct talk talk;

	begin(&talk, false);
	mirror_note(talk.conversation, "a", 5);
	CU_ASSERT_EQUAL(talk.conversation->mirror.count, 0);
	CU_ASSERT_FALSE(loop_timer_pending(&talk.conversation->mirror.timer));
	talk_finish(&talk);
}

UNIT_SUITE(mirror, UNIT_TEST(mirror_collects), UNIT_TEST(mirror_goes_on_after_what_fails),
	UNIT_TEST(mirror_has_room_for_so_many),
	UNIT_TEST(mirror_of_an_embedded_plane_is_none));
