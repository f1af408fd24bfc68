/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/smtp.h"
#include "tests/unit/unit.h"

#include <string.h>

static void each_answer_has_its_class(void)
{
	static const struct {
		enum smtp_stage stage;
		int code;
		enum cg_outcome_class class;
		enum cg_outcome_scope scope;
	} rows[] = {
		{SMTP_GREETING, 554, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_DESTINATION},
		{SMTP_GREETING, 421, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_DESTINATION},
		{SMTP_LOGIN, 535, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
		{SMTP_LOGIN, 454, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_ACCOUNT},
		{SMTP_SENDER, 553, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
		{SMTP_SENDER, 530, CG_OUTCOME_REFUSED, CG_SCOPE_ACCOUNT},
		{SMTP_SENDER, 552, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
		{SMTP_RECIPIENT, 550, CG_OUTCOME_REFUSED, CG_SCOPE_CHAT},
		{SMTP_RECIPIENT, 451, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_CHAT},
		{SMTP_CONTENT, 554, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
		{SMTP_END, 552, CG_OUTCOME_REFUSED, CG_SCOPE_MESSAGE},
		{SMTP_END, 452, CG_OUTCOME_RATE_LIMITED, CG_SCOPE_MESSAGE},
		{SMTP_END, 250, CG_OUTCOME_SENT, CG_SCOPE_MESSAGE},
		{SMTP_END, 0, CG_OUTCOME_AMBIGUOUS, CG_SCOPE_MESSAGE},
		{SMTP_CONTENT, 0, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_DESTINATION},
		{SMTP_CONNECTING, 0, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_DESTINATION},
		{SMTP_RECIPIENT, 250, CG_OUTCOME_NOT_DISPATCHED, CG_SCOPE_DESTINATION},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct smtp_report report = {
			.stage = rows[i].stage, .code = rows[i].code, .text = "words"};
		struct cg_outcome outcome;

		smtp_judge(&report, 1, &outcome);
		CU_ASSERT_EQUAL(outcome.class, rows[i].class);
		CU_ASSERT_EQUAL(outcome.scope, rows[i].scope);
		CU_ASSERT_EQUAL(outcome.platform_status, rows[i].code);
		CU_ASSERT_EQUAL(outcome.retry_after_ms > 0,
			outcome.class == CG_OUTCOME_RATE_LIMITED);
	}
}

static void every_trouble_has_a_sentence(void)
{
	for (int trouble = SMTP_UNREACHABLE; trouble <= SMTP_LOCAL; trouble++) {
		const struct smtp_report report = {
			.stage = SMTP_GREETING, .trouble = (enum smtp_trouble)trouble};
		struct cg_outcome outcome;

		smtp_judge(&report, 1, &outcome);
		CU_ASSERT_EQUAL(outcome.class, CG_OUTCOME_NOT_DISPATCHED);
		CU_ASSERT_PTR_NOT_NULL(outcome.detail);
	}
}

static void patience_grows(void)
{
	const struct smtp_report report = {.stage = SMTP_RECIPIENT, .code = 451};
	struct cg_outcome first, later;

	smtp_judge(&report, 1, &first);
	smtp_judge(&report, 9, &later);
	CU_ASSERT_TRUE(later.retry_after_ms > first.retry_after_ms);
}

static void words_are_one_clean_line(void)
{
	struct smtp_report report = {.code = 550};
	char words[2 * SMTP_TEXT];

	smtp_report_text(&report, "no\x01 such \xFF\xC3\xA4\r\nuser");
	CU_ASSERT_STRING_EQUAL(report.text, "no such \xC3\xA4");
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	smtp_report_text(&report, words);
	CU_ASSERT_EQUAL(strlen(report.text), SMTP_TEXT - 1);
	smtp_report_text(&report, NULL);
	CU_ASSERT_STRING_EQUAL(report.text, "");
}

UNIT_SUITE(email_smtp_judge, UNIT_TEST(each_answer_has_its_class),
	UNIT_TEST(every_trouble_has_a_sentence), UNIT_TEST(patience_grows),
	UNIT_TEST(words_are_one_clean_line));
