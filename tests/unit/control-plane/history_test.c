/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent is told of earlier messages. */
#include "control-plane/history.h"

#include "control-plane/interior.h"
#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <string.h>

static void exchange(
	struct fixture *f, const char *binding, const char *prompt, const char *answer)
{
	struct agent_turn *turn;

	fixture_prompt(f, binding, prompt, NULL);
	turn = &f->turns[f->turn_count - 1];
	turn->sink.replace(turn->arg, prompt, answer, strlen(answer));
	turn->sink.ended(turn->arg, AGENT_COMPLETED, NULL);
	fixture_settle(f);
}

static void history_fits_its_budget(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	f.plane->history_bytes = 24;
	binding = fixture_bind(&f, "c1");
	exchange(&f, binding, "one-----", "answer-1");
	CU_ASSERT_STRING_EQUAL(f.turns[0].history, "");
	exchange(&f, binding, "two-----", "answer-2");
	CU_ASSERT_STRING_EQUAL(f.turns[1].history, "u:one-----|a:answer-1|");
	/* Three messages fit, but never an answer without its question. */
	exchange(&f, binding, "three---", "answer-3");
	CU_ASSERT_STRING_EQUAL(f.turns[2].history, "u:two-----|a:answer-2|");
	f.plane->history_bytes = 7; /* nothing fits: whole messages only */
	exchange(&f, binding, "four----", "answer-4");
	CU_ASSERT_STRING_EQUAL(f.turns[3].history, "");
	fixture_finish(&f);
}

static void history_is_of_one_session(void)
{
	struct fixture f;

	fixture_start(&f);
	exchange(&f, fixture_bind(&f, "c1"), "here", "yes");
	exchange(&f, fixture_bind(&f, "c2"), "there", "no");
	CU_ASSERT_STRING_EQUAL(f.turns[1].history, "");
	exchange(&f, fixture_bind(&f, "c1"), "again", "yes");
	CU_ASSERT_STRING_EQUAL(f.turns[2].history, "u:here|a:yes|");
	fixture_finish(&f);
}

static void history_skips_what_failed_silently(void)
{
	struct fixture f;
	const char *binding;

	fixture_start(&f);
	binding = fixture_bind(&f, "c1");
	fixture_prompt(&f, binding, "first", NULL);
	f.turns[0].sink.ended(f.turns[0].arg, AGENT_FAILED, "no");
	fixture_settle(&f);
	exchange(&f, binding, "second", "yes");
	CU_ASSERT_STRING_EQUAL(f.turns[1].history, "u:first|");
	fixture_finish(&f);
}

UNIT_SUITE(history, UNIT_TEST(history_fits_its_budget),
	UNIT_TEST(history_is_of_one_session),
	UNIT_TEST(history_skips_what_failed_silently));
