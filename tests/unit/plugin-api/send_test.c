/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/send.h>
#include <string.h>

/* A host with one timer, which is all that sends under way ask for. */
static struct {
	cg_callback fire;
	void *arg;
	int started, cancelled_calls;
	bool refuse;
} host_state;

static char timer_storage;

static struct cg_timer *start_timer(
	const struct cg_host *host, int64_t delay_ms, cg_callback fire, void *arg)
{
	(void)host;
	CU_ASSERT_EQUAL(delay_ms, 0);
	if (host_state.refuse)
		return NULL;
	CU_ASSERT_PTR_NULL(host_state.fire);
	host_state.fire = fire;
	host_state.arg = arg;
	host_state.started++;
	return (struct cg_timer *)(void *)&timer_storage;
}

static void cancel_call(const struct cg_host *host, struct cg_http_call *call)
{
	(void)host, (void)call;
	host_state.cancelled_calls++;
}

static const struct cg_host host = {
	.size = sizeof(host), .timer_start = start_timer, .http_cancel = cancel_call};

static bool turn(void)
{
	cg_callback fire = host_state.fire;

	host_state.fire = NULL;
	if (fire != NULL)
		fire(host_state.arg);
	return fire != NULL;
}

static struct cg_sends sends;
static char told[16]; /* letters in the order of their completions */

/* What a completion does beyond being told. */
static enum reaction { PLAIN, OPEN_NEXT, CANCEL_OTHER } reaction;
static char letters[] = "abcdef";

static void done(void *arg, const struct cg_outcome *outcome)
{
	size_t length = strlen(told);

	CU_ASSERT_EQUAL(outcome->size, sizeof(*outcome));
	told[length] = *(char *)arg;
	told[length + 1] = '\0';
	if (*(char *)arg != 'a')
		return;
	if (reaction == OPEN_NEXT)
		cg_send_refuse(cg_send_open(&sends, NULL, done, &letters[5]), "no");
	if (reaction == CANCEL_OTHER)
		cg_sends_cancel(&sends, &letters[1]);
}

static void begin(enum reaction what)
{
	memset(&host_state, 0, sizeof(host_state));
	told[0] = '\0';
	reaction = what;
	cg_sends_init(&sends, &host, NULL);
}

static struct cg_send *open_letter(int index)
{
	return cg_send_open(&sends, NULL, done, &letters[index]);
}

static void decided_sends_are_told_in_order_on_the_next_turn(void)
{
	begin(PLAIN);
	for (int i = 0; i < 4; i++)
		cg_send_refuse(open_letter(i), "no");
	CU_ASSERT_STRING_EQUAL(told, "");
	CU_ASSERT_EQUAL(host_state.started, 1);
	turn();
	CU_ASSERT_STRING_EQUAL(told, "abcd");
	CU_ASSERT_FALSE(turn());
	cg_sends_finish(&sends);
}

/* What a completion asks for is told on the turn after, so that a chain cannot starve the loop. */
static void a_completion_may_send_again(void)
{
	begin(OPEN_NEXT);
	cg_send_refuse(open_letter(0), "no");
	turn();
	CU_ASSERT_STRING_EQUAL(told, "a");
	turn();
	CU_ASSERT_STRING_EQUAL(told, "af");
	cg_sends_finish(&sends);
}

static void a_completion_may_cancel_another(void)
{
	begin(CANCEL_OTHER);
	for (int i = 0; i < 3; i++)
		cg_send_refuse(open_letter(i), "no");
	turn();
	CU_ASSERT_STRING_EQUAL(told, "abc");
	cg_sends_finish(&sends);
}

static void strings_are_kept_until_told(void)
{
	struct cg_send *send;
	char id[128], detail[600];

	begin(PLAIN);
	memset(id, 'i', sizeof(id) - 1);
	memset(detail, 'd', sizeof(detail) - 1);
	id[sizeof(id) - 1] = detail[sizeof(detail) - 1] = '\0';
	send = open_letter(0);
	cg_send_end_later(send, &(struct cg_outcome){.size = sizeof(struct cg_outcome),
					.message_id = id,
					.detail = detail});
	memset(id, 'x', sizeof(id) - 1);
	CU_ASSERT_EQUAL(strspn(send->outcome.message_id, "i"), CG_SEND_MESSAGE_ID - 1);
	CU_ASSERT_EQUAL(strspn(send->outcome.detail, "d"), CG_ERROR_TEXT - 1);
	turn();
	CU_ASSERT_STRING_EQUAL(told, "a");
	cg_sends_finish(&sends);
}

/* Without a timer the daemon's deadline ends it, with the outcome that it had. */
static void a_send_without_a_timer_ends_by_cancel(void)
{
	begin(PLAIN);
	host_state.refuse = true;
	cg_send_refuse(open_letter(0), "no");
	CU_ASSERT_FALSE(turn());
	cg_sends_cancel(&sends, &letters[0]);
	CU_ASSERT_STRING_EQUAL(told, "a");
	cg_sends_cancel(&sends, &letters[0]);
	CU_ASSERT_STRING_EQUAL(told, "a");
	cg_sends_finish(&sends);
}

static void cancel_takes_the_exchange_back(void)
{
	struct cg_send *send;

	begin(PLAIN);
	send = open_letter(0);
	send->call = (struct cg_http_call *)(void *)&timer_storage;
	cg_sends_cancel(&sends, &letters[0]);
	CU_ASSERT_EQUAL(host_state.cancelled_calls, 1);
	CU_ASSERT_STRING_EQUAL(told, "a");
	cg_sends_finish(&sends);
}

static void finish_tells_nobody(void)
{
	begin(PLAIN);
	open_letter(0);
	cg_send_refuse(open_letter(1), "no");
	cg_sends_finish(&sends);
	CU_ASSERT_STRING_EQUAL(told, "");
}

static void exchanges_have_their_classes(void)
{
	static const struct {
		enum cg_http_result result;
		int status;
		enum cg_outcome_class class;
	} rows[] = {
		{CG_HTTP_DONE, 200, CG_OUTCOME_SENT},
		{CG_HTTP_DONE, 299, CG_OUTCOME_SENT},
		{CG_HTTP_DONE, 300, CG_OUTCOME_REFUSED},
		{CG_HTTP_DONE, 428, CG_OUTCOME_REFUSED},
		{CG_HTTP_DONE, 429, CG_OUTCOME_RATE_LIMITED},
		{CG_HTTP_DONE, 499, CG_OUTCOME_REFUSED},
		{CG_HTTP_DONE, 500, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_DONE, 0, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_TOO_LARGE, 200, CG_OUTCOME_SENT},
		{CG_HTTP_TOO_LARGE, 404, CG_OUTCOME_REFUSED},
		{CG_HTTP_TOO_LARGE, 0, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_NOT_DISPATCHED, 0, CG_OUTCOME_NOT_DISPATCHED},
		{CG_HTTP_NO_ANSWER, 0, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_TIMED_OUT, 0, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_POLICY, 0, CG_OUTCOME_REFUSED},
		{CG_HTTP_CANCELLED, 0, CG_OUTCOME_AMBIGUOUS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct cg_http_response response = {.size = sizeof(response),
			.result = rows[i].result,
			.status = rows[i].status,
			.retry_after_ms = 5};
		struct cg_outcome outcome;

		cg_outcome_of_http(&response, &outcome);
		CU_ASSERT_EQUAL(outcome.class, rows[i].class);
		CU_ASSERT_EQUAL(outcome.platform_status, rows[i].status);
	}
}

UNIT_SUITE(send, UNIT_TEST(decided_sends_are_told_in_order_on_the_next_turn),
	UNIT_TEST(a_completion_may_send_again),
	UNIT_TEST(a_completion_may_cancel_another),
	UNIT_TEST(strings_are_kept_until_told),
	UNIT_TEST(a_send_without_a_timer_ends_by_cancel),
	UNIT_TEST(cancel_takes_the_exchange_back), UNIT_TEST(finish_tells_nobody),
	UNIT_TEST(exchanges_have_their_classes));
