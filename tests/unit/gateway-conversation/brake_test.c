/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/brake.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define WALL INT64_C(1700000000000)

struct place {
	struct brake *brake;
	int64_t now_ms; /* monotonic; the wall clock is WALL later */
	int64_t rest_ms;
};

static struct place a_place(void)
{
	struct place place = {.brake = calloc(1, sizeof(struct brake)), .now_ms = 5000};

	CU_ASSERT_PTR_NOT_NULL_FATAL(place.brake);
	return place;
}

static void say(struct place *place, uint64_t lane)
{
	brake_said(place->brake, lane, WALL + place->now_ms, true);
	brake_said(place->brake, lane, WALL + place->now_ms, false);
}

static enum brake_verdict hear(struct place *place, uint64_t lane)
{
	return brake_heard(
		place->brake, lane, WALL + place->now_ms, place->now_ms, &place->rest_ms);
}

/* An answer, and @after_ms later a message. */
static enum brake_verdict turn(struct place *place, uint64_t lane, int64_t after_ms)
{
	say(place, lane);
	place->now_ms += after_ms;
	return hear(place, lane);
}

/* As many turns as it takes; how many those were. */
static unsigned turns_until_it_rests(struct place *place, uint64_t lane, int64_t after_ms)
{
	unsigned turns = 1;

	while (turns < 1000 && turn(place, lane, after_ms) != BRAKE_BEGINS)
		turns++;
	return turns;
}

static void brake_stops_the_thirtieth_quick_message(void)
{
	struct place place = a_place();

	CU_ASSERT_EQUAL(hear(&place, 7), BRAKE_FREE);
	for (int i = 1; i < BRAKE_TURNS; i++)
		CU_ASSERT_EQUAL(turn(&place, 7, BRAKE_QUICK_MS), BRAKE_FREE);
	CU_ASSERT_EQUAL(turn(&place, 7, BRAKE_QUICK_MS), BRAKE_BEGINS);
	CU_ASSERT_EQUAL(place.rest_ms, BRAKE_REST_MS);
	/* Other chats are not concerned. */
	CU_ASSERT_EQUAL(turn(&place, 8, 1), BRAKE_FREE);
	place.now_ms += BRAKE_REST_MS - 2;
	CU_ASSERT_EQUAL(hear(&place, 7), BRAKE_RESTS);
	place.now_ms += 1;
	CU_ASSERT_EQUAL(hear(&place, 7), BRAKE_FREE);
	free(place.brake);
}

static void brake_lets_people_talk(void)
{
	struct place place = a_place();

	for (int i = 0; i < 200; i++) {
		int64_t after_ms = i % (BRAKE_TURNS - 1) == 0 ? BRAKE_QUICK_MS + 1 : 10;

		CU_ASSERT_EQUAL(turn(&place, 7, after_ms), BRAKE_FREE);
	}
	/* Several messages before one answer, as a program never writes. */
	for (int i = 0; i < 200; i++) {
		CU_ASSERT_EQUAL(turn(&place, 8, 10), BRAKE_FREE);
		if (i % 20 == 0)
			CU_ASSERT_EQUAL(hear(&place, 8), BRAKE_FREE);
	}
	/* Nothing is said at all. */
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(hear(&place, 9), BRAKE_FREE);
	free(place.brake);
}

/* What was written before the answer came out is no answer to it. */
static void brake_knows_what_is_no_answer(void)
{
	struct place place = a_place();

	hear(&place, 7);
	for (int i = 0; i < 200; i++) {
		say(&place, 7);
		CU_ASSERT_EQUAL(brake_heard(place.brake, 7, WALL + place.now_ms - 1,
					place.now_ms, &place.rest_ms),
			BRAKE_FREE);
	}
	/* One that came before the receipt is; its receipt makes no second one of it. */
	for (int i = 1; i < BRAKE_TURNS; i++) {
		brake_said(place.brake, 7, WALL + place.now_ms, true);
		CU_ASSERT_EQUAL(hear(&place, 7), BRAKE_FREE);
		brake_said(place.brake, 7, WALL + place.now_ms, false);
	}
	CU_ASSERT_EQUAL(hear(&place, 7), BRAKE_FREE); /* one too many for one answer */
	free(place.brake);
}

/* It came before the receipt, and is heard behind it. */
static void brake_hears_what_overtook_the_receipt(void)
{
	struct place place = a_place();

	hear(&place, 7);
	for (int i = 1; i <= BRAKE_TURNS; i++) {
		int64_t begun_ms = WALL + place.now_ms;

		brake_said(place.brake, 7, begun_ms, true);
		place.now_ms += 5;
		brake_said(place.brake, 7, WALL + place.now_ms, false);
		CU_ASSERT_EQUAL(brake_heard(place.brake, 7, begun_ms + 1, place.now_ms,
					&place.rest_ms),
			i < BRAKE_TURNS ? BRAKE_FREE : BRAKE_BEGINS);
	}
	free(place.brake);
}

/* A send may take long: the time runs from its end. */
static void brake_counts_from_the_receipt(void)
{
	struct place place = a_place();

	hear(&place, 7);
	for (int i = 1; i <= BRAKE_TURNS; i++) {
		brake_said(place.brake, 7, WALL + place.now_ms, true);
		place.now_ms += 5 * BRAKE_QUICK_MS;
		brake_said(place.brake, 7, WALL + place.now_ms, false);
		CU_ASSERT_EQUAL(
			hear(&place, 7), i < BRAKE_TURNS ? BRAKE_FREE : BRAKE_BEGINS);
	}
	free(place.brake);
}

static void brake_rests_longer_each_time(void)
{
	struct place place = a_place();
	int64_t expected_ms = BRAKE_REST_MS;

	hear(&place, 7);
	for (int i = 0; i < 12; i++) {
		CU_ASSERT_EQUAL(turns_until_it_rests(&place, 7, 1), BRAKE_TURNS);
		CU_ASSERT_EQUAL(place.rest_ms, expected_ms);
		place.now_ms += place.rest_ms;
		expected_ms *= 2;
		if (expected_ms > BRAKE_REST_MAX_MS)
			expected_ms = BRAKE_REST_MAX_MS;
	}
	place.now_ms += 2 * BRAKE_REST_MAX_MS;
	CU_ASSERT_EQUAL(turns_until_it_rests(&place, 7, 1), BRAKE_TURNS);
	CU_ASSERT_EQUAL(place.rest_ms, BRAKE_REST_MS);
	free(place.brake);
}

/* A set is full: who was heard last longest ago makes room, and nobody else. */
static void brake_keeps_who_is_heard(void)
{
	struct place place = a_place();

	for (uint64_t i = 0; i <= BRAKE_WAYS; i++) {
		place.now_ms++;
		turn(&place, 7 + i * BRAKE_SETS, 1);
	}
	CU_ASSERT_EQUAL(place.brake->chats[7][0].lane, 7 + BRAKE_WAYS * BRAKE_SETS);
	CU_ASSERT_EQUAL(place.brake->chats[7][1].lane, 7 + BRAKE_SETS);
	/* Talk in chats that nobody is heard in takes no room. */
	say(&place, 7 + 9 * BRAKE_SETS);
	CU_ASSERT_EQUAL(place.brake->chats[7][1].lane, 7 + BRAKE_SETS);
	free(place.brake);
}

UNIT_SUITE(brake, UNIT_TEST(brake_stops_the_thirtieth_quick_message),
	UNIT_TEST(brake_lets_people_talk), UNIT_TEST(brake_knows_what_is_no_answer),
	UNIT_TEST(brake_hears_what_overtook_the_receipt),
	UNIT_TEST(brake_counts_from_the_receipt), UNIT_TEST(brake_rests_longer_each_time),
	UNIT_TEST(brake_keeps_who_is_heard));
