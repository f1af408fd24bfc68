/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/choice.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static const struct inquiry permission = {.kind = INQUIRY_PERMISSION};
static const struct inquiry question = {.kind = INQUIRY_QUESTION,
	.is_direct = true,
	.options = "{\"options\":[\"red\",\"green\"],\"custom\":false,\"questions\":1}"};
static const struct inquiry free_question = {.kind = INQUIRY_QUESTION,
	.is_direct = true,
	.options = "{\"options\":[],\"custom\":true,\"questions\":1}"};
static const struct inquiry two_questions = {.kind = INQUIRY_QUESTION,
	.is_direct = true,
	.options = "{\"options\":[],\"custom\":true,\"questions\":2}"};

static enum words outcome;
static enum cloud_answer answer;
static char said[512], answers[256];

/* @full: the other side takes all that there is. */
static void apply(const struct choice *choice, const struct inquiry *inquiry, bool full)
{
	const struct choice_powers powers = {.always = full, .reasons = full};
	struct cg_buffer buffer;
	struct choice_result result = {.said = &buffer};

	cg_buffer_init(&buffer, 4096);
	choice_apply(choice, inquiry, &powers, &result);
	outcome = result.outcome;
	answer = result.answer;
	snprintf(said, sizeof(said), "%s", cg_buffer_string(&buffer));
	snprintf(answers, sizeof(answers), "%s",
		result.answers == NULL ? "" : cg_json_text(result.answers, NULL));
	cg_json_free(result.answers);
	cg_buffer_finish(&buffer);
}

static void a_press_is_read(void)
{
	struct choice choice;

	CU_ASSERT(choice_from_press(&choice, "y.token"));
	CU_ASSERT_EQUAL(choice.verb, CHOICE_APPROVE);
	CU_ASSERT_STRING_EQUAL(choice.token, "token");
	CU_ASSERT(choice_from_press(&choice, "a.t") && choice.verb == CHOICE_ALWAYS);
	CU_ASSERT(choice_from_press(&choice, "n.t") && choice.verb == CHOICE_DENY);
	CU_ASSERT(choice_from_press(&choice, "r.t") && choice.verb == CHOICE_REJECT);
	CU_ASSERT(choice_from_press(&choice, "12.t") && choice.option == 12);
	CU_ASSERT_FALSE(choice_from_press(&choice, NULL));
	CU_ASSERT_FALSE(choice_from_press(&choice, ""));
	CU_ASSERT_FALSE(choice_from_press(&choice, "y."));
	CU_ASSERT_FALSE(choice_from_press(&choice, "z.t"));
	CU_ASSERT_FALSE(choice_from_press(&choice, "123.t"));
	CU_ASSERT_FALSE(choice_from_press(&choice, "1x.t"));
	CU_ASSERT_FALSE(
		choice_from_press(&choice, "y.a-token-longer-than-any-of-ours-is"));
}

static void commands_take_a_code_or_none(void)
{
	struct choice choice;

	choice_from_command(&choice, CHOICE_APPROVE, NULL);
	CU_ASSERT_STRING_EQUAL(choice.code, "");
	choice_from_command(&choice, CHOICE_APPROVE, " k7qx always");
	CU_ASSERT_STRING_EQUAL(choice.code, "k7qx");
	CU_ASSERT_EQUAL(choice.verb, CHOICE_ALWAYS);
	choice_from_command(&choice, CHOICE_APPROVE, "always");
	CU_ASSERT_STRING_EQUAL(choice.code, "");
	CU_ASSERT_EQUAL(choice.verb, CHOICE_ALWAYS);
	/* A long word never means "the only one". */
	choice_from_command(&choice, CHOICE_APPROVE, "ABCDEFGHIJKLMNOPQRST");
	CU_ASSERT_STRING_EQUAL(choice.code, "ABCDEFGHIJKLMNOP");
	choice_from_command(&choice, CHOICE_DENY, "K7QX not now");
	CU_ASSERT(choice.reason);
	CU_ASSERT_STRING_EQUAL(choice.text, "not now");
	/* Of the only one, all of it may be the reason; of a person it never is. */
	CU_ASSERT(choice_forget_code(&choice));
	CU_ASSERT_STRING_EQUAL(choice.text, "K7QX not now");
	choice_from_command(&choice, CHOICE_DENY, "K7QX");
	CU_ASSERT_FALSE(choice_forget_code(&choice));
	choice_from_command(&choice, CHOICE_APPROVE, "K7QX now");
	CU_ASSERT_FALSE(choice_forget_code(&choice));
	choice_from_command(&choice, CHOICE_ANSWER, "push it");
	CU_ASSERT_STRING_EQUAL(choice.code, "push");
	CU_ASSERT_STRING_EQUAL(choice.text, "it");
	CU_ASSERT(choice_forget_code(&choice));
	CU_ASSERT_STRING_EQUAL(choice.text, "push it");
	CU_ASSERT_FALSE(choice_forget_code(&choice));
	choice_from_command(&choice, CHOICE_ANSWER, "extraordinarily-long words");
	CU_ASSERT_STRING_EQUAL(choice.code, "");
	CU_ASSERT_STRING_EQUAL(choice.text, "extraordinarily-long words");
}

static void a_choice_fits_what_it_can_answer(void)
{
	struct inquiry group = free_question;
	struct choice choice;

	choice_from_command(&choice, CHOICE_APPROVE, "");
	CU_ASSERT(choice_fits(&choice, &permission));
	CU_ASSERT_FALSE(choice_fits(&choice, &question));
	choice_from_command(&choice, CHOICE_ANSWER, "x");
	CU_ASSERT_FALSE(choice_fits(&choice, &permission));
	CU_ASSERT(choice_fits(&choice, &question));
	choice_from_command(&choice, CHOICE_REJECT, "");
	CU_ASSERT(choice_fits(&choice, &permission) && choice_fits(&choice, &question));
	choice_from_reply(&choice, "text", false);
	CU_ASSERT(choice_fits(&choice, &free_question));
	CU_ASSERT_FALSE(choice_fits(&choice, &question)); /* takes its options only */
	CU_ASSERT_FALSE(choice_fits(&choice, &two_questions));
	CU_ASSERT_FALSE(choice_fits(&choice, &permission));
	group.is_direct = false; /* people talk to each other there */
	CU_ASSERT_FALSE(choice_fits(&choice, &group));
	/* Who answers the card means it. */
	choice_from_reply(&choice, "text", true);
	CU_ASSERT(choice_fits(&choice, &group) && choice_fits(&choice, &question));
	CU_ASSERT(choice_fits(&choice, &two_questions));
	CU_ASSERT_FALSE(choice_fits(&choice, &permission));
}

static void permissions_are_decided(void)
{
	struct choice choice;

	choice_from_command(&choice, CHOICE_APPROVE, NULL);
	apply(&choice, &permission, false);
	CU_ASSERT_EQUAL(answer, CLOUD_ANSWER_ALLOW);
	CU_ASSERT_STRING_EQUAL(said, "Approved");
	choice_from_command(&choice, CHOICE_ALWAYS, NULL);
	apply(&choice, &permission, false);
	CU_ASSERT_STRING_EQUAL(said, "");
	CU_ASSERT_EQUAL(outcome, WORDS_NO_ALWAYS);
	apply(&choice, &permission, true);
	CU_ASSERT_EQUAL(answer, CLOUD_ANSWER_ALLOW_ALWAYS);
	choice_from_command(&choice, CHOICE_DENY, "K7QX because");
	apply(&choice, &permission, false);
	CU_ASSERT_EQUAL(answer, CLOUD_ANSWER_DENY);
	CU_ASSERT_EQUAL(outcome, WORDS_DONE_DENIED_BARE);
	apply(&choice, &permission, true);
	CU_ASSERT_EQUAL(outcome, WORDS_DONE_DENIED_WHY);
	CU_ASSERT_STRING_EQUAL(choice.text, "because");
	choice_from_command(&choice, CHOICE_DENY, "K7QX");
	apply(&choice, &permission, true);
	CU_ASSERT_EQUAL(outcome, WORDS_DONE_DENIED);
	choice_from_press(&choice, "3.t");
	apply(&choice, &permission, true);
	CU_ASSERT_STRING_EQUAL(said, "");
}

static void questions_are_answered(void)
{
	struct choice choice;

	choice_from_press(&choice, "1.t");
	apply(&choice, &question, false);
	CU_ASSERT_EQUAL(answer, CLOUD_ANSWER_TEXTS);
	CU_ASSERT_STRING_EQUAL(answers, "[\"green\"]");
	CU_ASSERT_STRING_EQUAL(said, "Answered: green");
	choice_from_press(&choice, "2.t");
	apply(&choice, &question, false);
	CU_ASSERT_STRING_EQUAL(said, "");
	choice_from_reply(&choice, "1", false);
	apply(&choice, &question, false);
	CU_ASSERT_STRING_EQUAL(answers, "[\"red\"]");
	choice_from_reply(&choice, "GREEN", false);
	apply(&choice, &question, false);
	CU_ASSERT_STRING_EQUAL(answers, "[\"green\"]");
	choice_from_reply(&choice, "blue", false);
	apply(&choice, &question, false);
	CU_ASSERT_EQUAL(outcome, WORDS_NOT_AN_OPTION);
	CU_ASSERT_STRING_EQUAL(said, "");
	apply(&choice, &free_question, false);
	CU_ASSERT_STRING_EQUAL(answers, "[\"blue\"]");
	choice_from_reply(&choice, "one\n\ntwo", false);
	apply(&choice, &two_questions, false);
	CU_ASSERT_STRING_EQUAL(answers, "[\"one\",\"two\"]");
	choice_from_reply(&choice, "one", false);
	apply(&choice, &two_questions, false);
	CU_ASSERT_EQUAL(outcome, WORDS_ONE_LINE_EACH);
	CU_ASSERT_STRING_EQUAL(said, "");
	choice_from_command(&choice, CHOICE_ANSWER, " ");
	apply(&choice, &free_question, false);
	CU_ASSERT_EQUAL(outcome, WORDS_ANSWER_MISSING);
	choice_from_command(&choice, CHOICE_REJECT, NULL);
	apply(&choice, &question, false);
	CU_ASSERT_EQUAL(answer, CLOUD_ANSWER_REJECT);
	CU_ASSERT_STRING_EQUAL(answers, "");
}

UNIT_SUITE(choice, UNIT_TEST(a_press_is_read), UNIT_TEST(commands_take_a_code_or_none),
	UNIT_TEST(a_choice_fits_what_it_can_answer), UNIT_TEST(permissions_are_decided),
	UNIT_TEST(questions_are_answered));
