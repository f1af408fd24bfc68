/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/fake/script.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct fake_script script;

static void check_step(enum cg_outcome_class class, int64_t number, bool lost)
{
	struct fake_step step = fake_script_next(&script);

	CU_ASSERT_EQUAL(step.class, class);
	CU_ASSERT_EQUAL(step.number, number);
	CU_ASSERT_EQUAL(step.lost, lost);
}

static void without_a_script_all_is_sent(void)
{
	static const char *const none[] = {NULL, "", "   "};

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		CU_ASSERT_EQUAL(fake_script_parse(none[i], &script, NULL), CG_OK);
		CU_ASSERT_EQUAL(script.count, 0);
		check_step(CG_OUTCOME_SENT, -1, false);
		check_step(CG_OUTCOME_SENT, -1, false);
	}
}

static void steps_go_round(void)
{
	CU_ASSERT_EQUAL(fake_script_parse(" sent , rate_limited:200,lost,ambiguous ,"
					  "refused,not_dispatched,rate_limited,",
				&script, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(script.count, 7);
	for (int round = 0; round < 2; round++) {
		check_step(CG_OUTCOME_SENT, -1, false);
		check_step(CG_OUTCOME_RATE_LIMITED, 200, true);
		check_step(CG_OUTCOME_AMBIGUOUS, -1, true);
		check_step(CG_OUTCOME_AMBIGUOUS, -1, false);
		check_step(CG_OUTCOME_REFUSED, -1, true);
		check_step(CG_OUTCOME_NOT_DISPATCHED, -1, true);
		check_step(CG_OUTCOME_RATE_LIMITED, -1, true);
	}
}

static void what_is_no_step_is_named(void)
{
	static const char *const wrong[] = {"sentt", "sent,,sent",
		"rate_limited:", "rate_limited:-1", "rate_limited:1s", ":5", "SENT",
		"a_step_that_is_longer_than_any_word_could_ever_be_and_then_some_more"};
	struct cg_error err;

	CU_ASSERT_EQUAL(fake_script_parse("lost", &script, NULL), CG_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		err.text[0] = '\0';
		CU_ASSERT_EQUAL(fake_script_parse(wrong[i], &script, &err), CG_INVALID);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "faults"));
		CU_ASSERT_EQUAL(script.count, 1); /* as it was */
	}
}

static void sixty_four_steps_are_the_most(void)
{
	char text[5 * (FAKE_STEPS + 1) + 1] = "";
	struct cg_error err;

	for (size_t i = 0; i < FAKE_STEPS; i++)
		snprintf(text + 5 * i, sizeof(text) - 5 * i, "lost,");
	CU_ASSERT_EQUAL(fake_script_parse(text, &script, &err), CG_OK);
	CU_ASSERT_EQUAL(script.count, FAKE_STEPS);
	snprintf(text + 5 * FAKE_STEPS, sizeof(text) - 5 * FAKE_STEPS, "lost");
	CU_ASSERT_EQUAL(fake_script_parse(text, &script, &err), CG_LIMIT);
}

UNIT_SUITE(fake_script, UNIT_TEST(without_a_script_all_is_sent),
	UNIT_TEST(steps_go_round), UNIT_TEST(what_is_no_step_is_named),
	UNIT_TEST(sixty_four_steps_are_the_most));
