/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/quote.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static void check(const char *in, const char *wanted)
{
	struct cg_buffer out;

	cg_buffer_init(&out, 1u << 20);
	CU_ASSERT_EQUAL(quote_cut(&out, in, strlen(in), false), CG_OK);
	if (strcmp(cg_buffer_string(&out), wanted) != 0)
		fprintf(stderr, "[%s] became [%s]\n", in, cg_buffer_string(&out));
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&out), wanted);
	cg_buffer_finish(&out);
}

static void history_below_is_cut(void)
{
	check("Yes.\n\nOn Mon, 1 Jan 2024 at 10:00, Agent <a@b.org> wrote:\n> old\n>\n> "
	      "older\n",
		"Yes.");
	check("Yes.\r\n\r\nOn Mon, Jan 1, 2024 at 10:00 AM A Very Long Name Indeed\r\n"
	      "<agent@example.org> wrote:\r\n\r\n> old\r\n",
		"Yes.");
	check("Ja.\n\nAm 01.01.24 um 10:00 schrieb Agent:\n> alt\n", "Ja.");
	check("Oui.\n\nLe lun. 1 janv. 2024 à 10:00, Agent <a@b.org> a écrit :\n> vieux",
		"Oui.");
	check("Да.\n\n1 янв. 2024 г., 10:00 Агент <a@b.org> пишет:\n> старое", "Да.");
	check("はい\n\n2024年1月1日(月) 10:00 Agent <a@b.org>:\n> 古い\n", "はい");
	check("Yes.\n\n-----Original Message-----\nFrom: Agent\nSent: Monday\nText",
		"Yes.");
	check("Yes.\n\n________________________________\nFrom: Agent <a@b.org>\n"
	      "Sent: Monday\nTo: Ada\nSubject: Re: x\n\nold text\n",
		"Yes.");
	check("Ja.\n\nVon: Agent\nGesendet: Montag\nAn: Ada\nBetreff: x\n\nalt", "Ja.");
	check("Yes.\n\nOn 1 Jan 2024 Agent wrote:\n\nnot marked at all\n", "Yes.");
}

static void an_answer_below_is_kept(void)
{
	check("On Monday 1 Jan, Agent <a@b.org> wrote:\n> old\n> text\n\nMy answer\n",
		"My answer");
	check("> old\nMy answer", "My answer");
}

static void answers_in_between_keep_what_they_answer(void)
{
	const char text[] = "> one?\nYes.\n\n> two?\nNo.";

	check(text, text);
}

static void signatures_are_cut(void)
{
	check("Hello\n-- \nAda\nExample Ltd\n", "Hello");
	check("Hello\n\nSent from my iPhone", "Hello");
	check("Hello\n\n-- \nAda\n\nOn 1 Jan 2024, A <a@b.org> wrote:\n> x", "Hello");
}

static void what_only_looks_like_it_stays(void)
{
	check("From: here to there\nis far", "From: here to there\nis far");
	check("On the other hand:\nnothing", "On the other hand:\nnothing");
	check("a -- b\n--- rule", "a -- b\n--- rule");
	check("x > y\n>", "x > y");
	check("", "");
}

static void nothing_of_ones_own_is_everything(void)
{
	check("> only\n> this\n", "> only\n> this");
}

static void forwards_are_whole(void)
{
	const char text[] = "See below\n\nFrom: X\nSent: Y\nTo: Z\nSubject: Q\n\nbody";
	struct cg_buffer out;

	cg_buffer_init(&out, 4096);
	CU_ASSERT_EQUAL(quote_cut(&out, text, strlen(text), true), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&out), text);
	cg_buffer_finish(&out);
	CU_ASSERT_TRUE(quote_is_forward("Fwd: x"));
	CU_ASSERT_TRUE(quote_is_forward(" WG: x"));
	CU_ASSERT_FALSE(quote_is_forward("Re: x"));
}

static void subjects_lose_their_marks(void)
{
	CU_ASSERT_STRING_EQUAL(quote_bare_subject("Re: AW: re:  Plan: B"), "Plan: B");
	CU_ASSERT_STRING_EQUAL(quote_bare_subject("Fwd: Plan"), "Fwd: Plan");
	CU_ASSERT_STRING_EQUAL(quote_bare_subject(""), "");
}

UNIT_SUITE(email_quote, UNIT_TEST(history_below_is_cut),
	UNIT_TEST(an_answer_below_is_kept),
	UNIT_TEST(answers_in_between_keep_what_they_answer),
	UNIT_TEST(signatures_are_cut), UNIT_TEST(what_only_looks_like_it_stays),
	UNIT_TEST(nothing_of_ones_own_is_everything), UNIT_TEST(forwards_are_whole),
	UNIT_TEST(subjects_lose_their_marks));
