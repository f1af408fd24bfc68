/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/wire.h"
#include "tests/unit/unit.h"

#include <string.h>

/* Every row of the table, once more from the outside. */
static const struct {
	const char *code;
	enum cg_outcome_class class;
	enum cg_outcome_scope scope;
} rows[] = {
#define SLACK_ERROR(code, class, scope) {code, CG_OUTCOME_##class, CG_SCOPE_##scope},
#include "providers/slack/errors.def"
#undef SLACK_ERROR
};

static struct slack_verdict judge(enum cg_outbound_kind kind, int status,
	const char *body, struct slack_answer *answer)
{
	const struct cg_http_response response = {.size = sizeof(response),
		.result = CG_HTTP_DONE,
		.status = status,
		.body = body,
		.length = strlen(body),
		.retry_after_ms = -1};
	const struct cg_outbound outbound = {
		.kind = kind, .target = {.message_id = "1.1"}};
	struct slack_verdict verdict;

	slack_answer_init(answer, &response);
	slack_answer_judge(answer, &response, &outbound, &verdict);
	return verdict;
}

static void codes_mean_what_the_table_says(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char body[256] = "{\"ok\":false,\"error\":\"";
		struct slack_answer answer;
		struct slack_verdict verdict;

		strncat(body, rows[i].code, sizeof(body) - strlen(body) - 1);
		strncat(body, "\"}", sizeof(body) - strlen(body) - 1);
		verdict = judge(CG_OUTBOUND_TEXT, 200, body, &answer);
		CU_ASSERT_EQUAL(verdict.outcome.class, rows[i].class);
		CU_ASSERT_EQUAL(verdict.outcome.scope, rows[i].scope);
		CU_ASSERT_STRING_EQUAL(verdict.outcome.detail, rows[i].code);
		/* A 5xx was perhaps carried out, whatever it says. */
		slack_answer_finish(&answer);
		verdict = judge(CG_OUTBOUND_TEXT, 503, body, &answer);
		CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_AMBIGUOUS);
		slack_answer_finish(&answer);
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(rows[i].code, rows[k].code);
	}
}

static void what_is_no_word_is_not_shown(void)
{
	static const char *const bodies[] = {
		"{\"ok\":false,\"error\":\"xoxb-1-secret\"}",
		"{\"ok\":false,\"error\":\"Two Words\"}",
		"{\"ok\":false,\"error\":7}",
		"{\"ok\":false}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct slack_answer answer;
		struct slack_verdict verdict =
			judge(CG_OUTBOUND_TEXT, 200, bodies[i], &answer);

		CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_REFUSED);
		CU_ASSERT_EQUAL(verdict.outcome.scope, CG_SCOPE_MESSAGE);
		CU_ASSERT_PTR_NULL(verdict.outcome.detail);
		slack_answer_finish(&answer);
	}
}

static void an_answer_of_nobody_proves_nothing(void)
{
	static const char *const bodies[] = {"", "ok", "[]", "{}", "{\"ok\":", "null"};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct slack_answer answer;
		struct slack_verdict verdict =
			judge(CG_OUTBOUND_TEXT, 200, bodies[i], &answer);

		CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_AMBIGUOUS);
		slack_answer_finish(&answer);
	}
}

/* What stands on the way refuses with pages of its own, which condemn neither app nor message. */
static void a_page_on_the_way_is_no_refusal(void)
{
	static const struct {
		int status;
		enum cg_outcome_class class;
	} pages[] = {
		{200, CG_OUTCOME_AMBIGUOUS},
		{302, CG_OUTCOME_NOT_DISPATCHED},
		{403, CG_OUTCOME_NOT_DISPATCHED},
		{404, CG_OUTCOME_NOT_DISPATCHED},
		{407, CG_OUTCOME_NOT_DISPATCHED},
		{413, CG_OUTCOME_REFUSED},
		{429, CG_OUTCOME_RATE_LIMITED},
		{502, CG_OUTCOME_AMBIGUOUS},
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		struct slack_answer answer;
		struct slack_verdict verdict =
			judge(CG_OUTBOUND_TEXT, pages[i].status, "<html>", &answer);

		CU_ASSERT_EQUAL(verdict.outcome.class, pages[i].class);
		CU_ASSERT_NOT_EQUAL(verdict.outcome.scope, CG_SCOPE_ACCOUNT);
		slack_answer_finish(&answer);
	}
}

UNIT_SUITE(slack_answer, UNIT_TEST(codes_mean_what_the_table_says),
	UNIT_TEST(a_page_on_the_way_is_no_refusal),
	UNIT_TEST(what_is_no_word_is_not_shown),
	UNIT_TEST(an_answer_of_nobody_proves_nothing));
