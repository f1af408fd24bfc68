/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/wire.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct telegram_verdict judge(
	int status, const char *body, enum cg_outbound_kind kind, size_t spans)
{
	const struct cg_span span = {.kind = CG_SPAN_BOLD, .length = 1};
	const struct cg_outbound outbound = {.size = sizeof(outbound),
		.kind = kind,
		.target = {.chat_id = "9", .message_id = "12"},
		.text = "a",
		.text_length = 1,
		.spans = &span,
		.span_count = spans};
	const struct cg_http_response response = {.size = sizeof(response),
		.status = status,
		.body = body,
		.length = strlen(body),
		.retry_after_ms = -1};
	struct telegram_answer answer;
	struct telegram_verdict verdict;

	telegram_answer_init(&answer, &response);
	telegram_answer_judge(&answer, &outbound, &verdict);
	verdict.outcome.detail = NULL; /* borrowed from the answer */
	telegram_answer_finish(&answer);
	return verdict;
}

#define REFUSAL(code, text, more) \
	"{\"ok\":false,\"error_code\":" #code ",\"description\":\"" text "\"" more "}"

static void codes_decide(void)
{
	struct telegram_verdict verdict;

	verdict = judge(200, REFUSAL(403, "Forbidden", ""), CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(verdict.outcome.scope, CG_SCOPE_CHAT);
	verdict = judge(500, "{\"message\":\"no Bot API\"}", CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_AMBIGUOUS);
	verdict = judge(400,
		REFUSAL(400, "group chat was upgraded",
			",\"parameters\":{\"migrate_to_chat_id\":-100}"),
		CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.scope, CG_SCOPE_CHAT);
}

/* What stands on the way refuses with pages of its own, which condemn neither bot nor message. */
static void a_page_on_the_way_is_no_refusal(void)
{
	static const int statuses[] = {302, 401, 403, 404, 407, 451};
	struct telegram_verdict verdict;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		verdict = judge(statuses[i], "<html>", CG_OUTBOUND_TEXT, 0);
		CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
		CU_ASSERT_EQUAL(verdict.outcome.scope, CG_SCOPE_DESTINATION);
	}
	verdict = judge(413, "<html>", CG_OUTBOUND_FILE, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_REFUSED);
	CU_ASSERT_EQUAL(verdict.outcome.scope, CG_SCOPE_MESSAGE);
	verdict = judge(429, "<html>", CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_RATE_LIMITED);
	verdict = judge(502, "<html>", CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_AMBIGUOUS);
	verdict = judge(200, "<html>", CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_AMBIGUOUS);
}

static void waits_are_believed_within_a_day(void)
{
	struct telegram_verdict verdict;

	verdict = judge(429, REFUSAL(429, "Slow", ",\"parameters\":{\"retry_after\":35}"),
		CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(verdict.outcome.retry_after_ms, 35000);
	verdict = judge(429,
		REFUSAL(429, "Slow", ",\"parameters\":{\"retry_after\":9999999}"),
		CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.retry_after_ms, -1);
}

static void words_decide_where_codes_do_not(void)
{
	struct telegram_verdict verdict;

	verdict = judge(400, REFUSAL(400, "Bad Request: MESSAGE IS NOT MODIFIED: x", ""),
		CG_OUTBOUND_EDIT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(verdict.message_id, "12");
	verdict = judge(
		400, REFUSAL(400, "message is not modified", ""), CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_REFUSED);
	verdict = judge(400, REFUSAL(400, "Bad Request: ENTITIES_TOO_LONG", ""),
		CG_OUTBOUND_TEXT, 1);
	CU_ASSERT_TRUE(verdict.plainer);
	verdict = judge(400, REFUSAL(400, "Bad Request: ENTITIES_TOO_LONG", ""),
		CG_OUTBOUND_TEXT, 0);
	CU_ASSERT_FALSE(verdict.plainer);
	verdict = judge(400, REFUSAL(400, "Bad Request: chat not found", ""),
		CG_OUTBOUND_TEXT, 1);
	CU_ASSERT_FALSE(verdict.plainer);
}

static void receipts_are_numbers(void)
{
	struct telegram_verdict verdict = judge(
		200, "{\"ok\":true,\"result\":{\"message_id\":7}}", CG_OUTBOUND_TEXT, 0);

	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(verdict.message_id, "7");
	verdict = judge(200, "{\"ok\":true,\"result\":true}", CG_OUTBOUND_ANSWER, 0);
	CU_ASSERT_EQUAL(verdict.outcome.class, CG_OUTCOME_SENT);
	CU_ASSERT_STRING_EQUAL(verdict.message_id, "");
}

UNIT_SUITE(telegram_answer, UNIT_TEST(codes_decide),
	UNIT_TEST(a_page_on_the_way_is_no_refusal),
	UNIT_TEST(waits_are_believed_within_a_day),
	UNIT_TEST(words_decide_where_codes_do_not), UNIT_TEST(receipts_are_numbers));
