/* SPDX-License-Identifier: Apache-2.0 */
/* One completion for each send, and the right class for whatever the network does. */
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EACH_HTTP_SUBJECT(subject) EACH_SUBJECT(subject) if (subject->http)

static void every_status_has_its_class(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		for (const struct subject_outcome *expected = subject->outcomes;
			expected->status != 0; expected++) {
			struct rig *rig = subject_up(subject);
			struct cg_outbound outbound = host_fake_text("hello");
			struct host_fake_sent sent;

			rig_send(rig, &outbound, &sent);
			host_fake_answer(host_fake_open_call(rig->host), expected->status,
				subject->answer(expected->status));
			CU_ASSERT_EQUAL(sent.count, 1);
			CU_ASSERT_EQUAL(sent.outcome.class, expected->class);
			CU_ASSERT_EQUAL(sent.outcome.scope, expected->scope);
			CU_ASSERT_EQUAL(sent.outcome.platform_status, expected->status);
			CU_ASSERT_STRING_EQUAL(
				sent.message_id, expected->status == 200 ? "77" : "");
			host_fake_pass(rig->host, 60000);
			CU_ASSERT_EQUAL(sent.count, 1);
			rig_destroy(rig);
		}
	}
}

static void every_fault_has_its_class(void)
{
	static const struct {
		enum cg_http_result result;
		enum cg_outcome_class class;
	} faults[] = {
		{CG_HTTP_NOT_DISPATCHED, CG_OUTCOME_NOT_DISPATCHED},
		{CG_HTTP_NO_ANSWER, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_TIMED_OUT, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_POLICY, CG_OUTCOME_REFUSED},
		{CG_HTTP_CANCELLED, CG_OUTCOME_AMBIGUOUS},
		{CG_HTTP_TOO_LARGE, CG_OUTCOME_SENT},
	};

	EACH_HTTP_SUBJECT(subject)
	{
		for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
			struct rig *rig = subject_up(subject);
			struct cg_outbound outbound = host_fake_text("hello");
			struct host_fake_sent sent;

			rig_send(rig, &outbound, &sent);
			host_fake_fault(host_fake_open_call(rig->host), faults[i].result);
			CU_ASSERT_EQUAL(sent.count, 1);
			CU_ASSERT_EQUAL(sent.outcome.class, faults[i].class);
			if (faults[i].result == CG_HTTP_POLICY)
				CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_DESTINATION);
			rig_destroy(rig);
		}
	}
}

static void retry_after_is_kept(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		struct cg_outbound outbound = host_fake_text("hello");
		struct host_fake_sent sent;

		rig_send(rig, &outbound, &sent);
		host_fake_answer_later(host_fake_open_call(rig->host), 429, 7000);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_RATE_LIMITED);
		CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, 7000);
		rig_send(rig, &outbound, &sent);
		host_fake_answer_later(host_fake_open_call(rig->host), 503, 9000);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
		CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, 9000);
		rig_destroy(rig);
	}
}

/* No slot for an exchange: nothing left, and the completion still comes from outside. */
static void what_cannot_start_was_not_dispatched(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		struct cg_outbound outbound = host_fake_text("hello");
		struct host_fake_sent sent;

		rig->host->refuse_http = true;
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_FALSE(sent.inside);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
		rig_destroy(rig);
	}
}

static void exchanges_keep_to_the_rules(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		struct cg_outbound outbound = host_fake_text("hello");
		struct host_fake_sent sent;
		const struct cg_http_call *call;

		rig_send(rig, &outbound, &sent);
		call = host_fake_open_call(rig->host);
		CU_ASSERT_PTR_NOT_NULL_FATAL(call);
		CU_ASSERT_EQUAL(call->flags & CG_HTTP_IDEMPOTENT, 0);
		CU_ASSERT_NOT_EQUAL(call->flags & CG_HTTP_SECRET_URL, 0);
		CU_ASSERT_TRUE(call->timeout_ms <= outbound.timeout_ms);
		CU_ASSERT_FALSE(settings_fake_leaks(&rig->host->settings, call->body));
		CU_ASSERT_STRING_EQUAL(call->method, "POST");
		rig_destroy(rig);
	}
}

static void check_text(const struct subject *subject, size_t length, bool taken)
{
	struct rig *rig = subject_up(subject);
	struct host_fake_sent sent;
	char *text = calloc(1, length + 1);
	struct cg_outbound outbound;

	memset(text, 'x', length);
	outbound = host_fake_text(text);
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_EQUAL(host_fake_open_call(rig->host) != NULL, taken && subject->http);
	host_fake_pass(rig->host, 1);
	if (!taken) {
		CU_ASSERT_EQUAL(sent.count, 1);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
		CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_MESSAGE);
	} else if (!subject->http) {
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_SENT);
	}
	rig_destroy(rig);
	free(text);
}

static void text_ends_at_its_limit(void)
{
	EACH_SUBJECT(subject)
	{
		size_t limit = subject_capabilities(subject).max_text;

		if (subject->takes_stdio || subject->own_server)
			continue;
		check_text(subject, limit, true);
		check_text(subject, limit + 1, false);
	}
}

/* @rows rows of buttons, @count in all, with tokens of @token bytes. */
static bool takes_buttons(
	const struct subject *subject, size_t rows, size_t count, size_t token)
{
	struct rig *rig = subject_up(subject);
	struct cg_outbound outbound = host_fake_text("choose");
	struct cg_button *buttons = calloc(count, sizeof(*buttons));
	char *text = calloc(1, token + 1);
	struct host_fake_sent sent;
	bool taken;

	memset(text, 't', token);
	for (size_t i = 0; i < count; i++)
		buttons[i] = (struct cg_button){
			.label = "ok", .token = text, .starts_row = i < rows};
	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.buttons = buttons;
	outbound.button_count = count;
	rig_send(rig, &outbound, &sent);
	taken = host_fake_open_call(rig->host) != NULL;
	host_fake_pass(rig->host, 1);
	CU_ASSERT_EQUAL(sent.count, !taken);
	rig_destroy(rig);
	free(buttons);
	free(text);
	return taken;
}

static void buttons_end_at_their_limits(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		const struct cg_capabilities can = subject_capabilities(subject);
		size_t rows = can.max_button_rows, most = can.max_buttons;
		size_t token = can.max_button_token;

		CU_ASSERT_FALSE(takes_buttons(subject, 1, most + 1, 1));
		if (most == 0)
			continue;
		CU_ASSERT_TRUE(takes_buttons(subject, rows, most, token));
		CU_ASSERT_FALSE(takes_buttons(subject, rows, most + 1, token));
		if (rows < most)
			CU_ASSERT_FALSE(takes_buttons(subject, rows + 1, most, token));
		CU_ASSERT_FALSE(takes_buttons(subject, 1, 1, token + 1));
		CU_ASSERT_FALSE(takes_buttons(subject, 1, 1, 0));
	}
}

static void what_is_missing_or_unsupported_is_refused(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		struct cg_outbound edit = host_fake_text("x"), answer = edit, file = edit;
		struct host_fake_sent sent;

		edit.kind = CG_OUTBOUND_EDIT;
		answer.kind = CG_OUTBOUND_ANSWER;
		answer.interaction_id = NULL;
		file.kind = CG_OUTBOUND_FILE;
		for (int i = 0; i < 3; i++) {
			rig_send(rig, i == 0 ? &edit : (i == 1 ? &answer : &file), &sent);
			CU_ASSERT_PTR_NULL(host_fake_open_call(rig->host));
			host_fake_pass(rig->host, 0);
			CU_ASSERT_EQUAL(sent.count, 1);
			CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
			CU_ASSERT_TRUE(strlen(sent.detail) > 0);
		}
		rig_destroy(rig);
	}
}

/* The completion's argument is the daemon's name for the send. */
static struct cg_outcome cancelled;
static int cancelled_count;

static void count_cancelled(void *arg, const struct cg_outcome *outcome)
{
	(void)arg;
	cancelled = *outcome;
	cancelled_count++;
}

static void cancel_ends_a_send_once(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		const struct cg_provider_ops *ops = rig->provider->ops;
		struct cg_outbound outbound = host_fake_text("hello");
		const struct cg_http_call *call;
		int name, stranger;

		cancelled_count = 0;
		ops->send(rig->self, &outbound, count_cancelled, &name);
		call = host_fake_open_call(rig->host);
		ops->cancel(rig->self, &stranger);
		CU_ASSERT_EQUAL(cancelled_count, 0);
		ops->cancel(rig->self, &name);
		CU_ASSERT_TRUE(call->cancelled);
		CU_ASSERT_EQUAL(cancelled_count, 1);
		CU_ASSERT_EQUAL(cancelled.class, CG_OUTCOME_AMBIGUOUS);
		ops->cancel(rig->self, &name);
		host_fake_pass(rig->host, 60000);
		CU_ASSERT_EQUAL(cancelled_count, 1);
		rig_destroy(rig);
	}
}

static void sends_outlive_a_stop(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		struct cg_outbound outbound = host_fake_text("hello");
		struct host_fake_sent before, after;
		struct cg_http_call *call;

		rig_send(rig, &outbound, &before);
		call = host_fake_open_call(rig->host);
		rig->provider->ops->stop(rig->self);
		CU_ASSERT_TRUE(call->open);
		host_fake_answer(call, 200, subject->answer(200));
		CU_ASSERT_EQUAL(before.count, 1);
		rig_send(rig, &outbound, &after);
		host_fake_answer(
			host_fake_open_call(rig->host), 200, subject->answer(200));
		CU_ASSERT_EQUAL(after.outcome.class, CG_OUTCOME_SENT);
		rig_destroy(rig);
	}
}

static void nothing_fires_after_destroy(void)
{
	EACH_HTTP_SUBJECT(subject)
	{
		struct rig *rig = subject_up(subject);
		struct cg_outbound outbound = host_fake_text("hello");
		struct host_fake_sent open, decided;

		rig_send(rig, &outbound, &open);
		outbound.kind = CG_OUTBOUND_FILE;
		rig_send(rig, &outbound, &decided);
		rig_destroy(rig);
		CU_ASSERT_EQUAL(open.count, 0);
		CU_ASSERT_EQUAL(decided.count, 0);
	}
}

UNIT_SUITE(send, UNIT_TEST(every_status_has_its_class),
	UNIT_TEST(every_fault_has_its_class), UNIT_TEST(retry_after_is_kept),
	UNIT_TEST(what_cannot_start_was_not_dispatched),
	UNIT_TEST(exchanges_keep_to_the_rules), UNIT_TEST(text_ends_at_its_limit),
	UNIT_TEST(buttons_end_at_their_limits),
	UNIT_TEST(what_is_missing_or_unsupported_is_refused),
	UNIT_TEST(cancel_ends_a_send_once), UNIT_TEST(sends_outlive_a_stop),
	UNIT_TEST(nothing_fires_after_destroy));
