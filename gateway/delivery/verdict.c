/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/verdict.h"

const char *verdict_class_name(enum cg_outcome_class class)
{
	static const char *const names[] = {
		[CG_OUTCOME_SENT] = "sent",
		[CG_OUTCOME_NOT_DISPATCHED] = "not_dispatched",
		[CG_OUTCOME_REFUSED] = "refused",
		[CG_OUTCOME_RATE_LIMITED] = "rate_limited",
		[CG_OUTCOME_AMBIGUOUS] = "ambiguous",
	};

	return names[class];
}

const char *verdict_scope_name(enum cg_outcome_scope scope)
{
	static const char *const names[] = {
		[CG_SCOPE_MESSAGE] = "message",
		[CG_SCOPE_CHAT] = "chat",
		[CG_SCOPE_ACCOUNT] = "account",
		[CG_SCOPE_DESTINATION] = "destination",
	};

	return names[scope];
}

static void later(const struct verdict_case *it, int64_t delay_ms, bool counts,
	struct outbox_result *ret)
{
	ret->state = OUTBOX_PENDING;
	ret->not_before_ms = it->now_ms + delay_ms;
	ret->counts = counts;
	ret->maybe_duplicate = it->row->maybe_duplicate;
}

static void dead(const char *reason, struct outbox_result *ret)
{
	ret->state = OUTBOX_DEAD;
	ret->reason = reason;
}

/* By the schedule; what the platform asked for wins when it is longer. */
static void by_schedule(const struct verdict_case *it, struct outbox_result *ret)
{
	int64_t delay = cg_retry_delay(it->schedule, it->row->failures + 1, it->random);

	if (delay < 0) {
		dead("attempts", ret);
		return;
	}
	if (it->outcome->retry_after_ms > delay)
		delay = it->outcome->retry_after_ms;
	later(it, delay, true, ret);
}

static void refused(const struct verdict_case *it, struct outbox_result *ret)
{
	if (it->outcome->scope == CG_SCOPE_ACCOUNT)
		later(it, 0, false, ret); /* the account is the trouble, not the row */
	else
		dead("refused", ret);
}

/* A slot whose fate cannot be asked: its final is sent anew anyway. */
static bool is_disposable(const struct outbox_row *row, enum cg_reconcile reconcile)
{
	return row->purpose == OUTBOX_SLOT && reconcile != CG_RECONCILE_QUERY &&
	       reconcile != CG_RECONCILE_IDEMPOTENCY_KEY;
}

static void ambiguous(const struct verdict_case *it, struct outbox_result *ret)
{
	bool repeated = it->labelled || (it->reconcile == CG_RECONCILE_REPEAT_ONCE &&
						it->row->maybe_duplicate);
	/* A platform that says itself that it failed will say when it is well again; until then
	 * it did nothing with most of what it was given, and a copy is labelled anyway. */
	bool told = it->labelled && it->outcome->platform_status >= 500;

	if (it->reconcile == CG_RECONCILE_IDEMPOTENCY_KEY || it->edit || told) {
		by_schedule(it, ret);
		ret->maybe_duplicate = true;
	} else if (repeated || is_disposable(it->row, it->reconcile)) {
		dead("ambiguous", ret); /* a third copy would help nobody */
	} else {
		ret->state = OUTBOX_UNKNOWN;
		ret->not_before_ms = it->now_ms + VERDICT_UNKNOWN_MS;
	}
}

void verdict_after_send(const struct verdict_case *it, struct outbox_result *ret)
{
	const struct cg_outcome *outcome = it->outcome;

	*ret = (struct outbox_result){
		.outcome = verdict_class_name(outcome->class),
		.scope = verdict_scope_name(outcome->scope),
		.platform_status = outcome->platform_status,
		.detail = outcome->detail,
		.now_ms = it->now_ms,
	};
	switch (outcome->class) {
	case CG_OUTCOME_SENT:
		ret->state = OUTBOX_SENT;
		ret->receipt = outcome->message_id;
		break;
	case CG_OUTCOME_NOT_DISPATCHED:
		by_schedule(it, ret);
		break;
	case CG_OUTCOME_REFUSED:
		refused(it, ret);
		break;
	case CG_OUTCOME_RATE_LIMITED:
		later(it,
			outcome->retry_after_ms >= 0 ? outcome->retry_after_ms
						     : VERDICT_LIMITED_MS,
			false, ret);
		break;
	case CG_OUTCOME_AMBIGUOUS:
		ambiguous(it, ret);
		break;
	}
}

enum verdict_unknown verdict_unknown(
	const struct outbox_row *row, enum cg_reconcile reconcile)
{
	if (row->kind == CG_OUTBOUND_EDIT || row->slot_receipt != NULL)
		return VERDICT_REPEAT;
	if (is_disposable(row, reconcile))
		return VERDICT_DROP;
	switch (reconcile) {
	case CG_RECONCILE_IDEMPOTENCY_KEY:
	case CG_RECONCILE_REPEAT_ONCE:
		return VERDICT_REPEAT;
	case CG_RECONCILE_QUERY:
		return VERDICT_ASK;
	case CG_RECONCILE_NONE:
		break;
	}
	return VERDICT_LABEL;
}

bool verdict_labels(enum cg_reconcile reconcile)
{
	switch (reconcile) {
	case CG_RECONCILE_NONE:
	case CG_RECONCILE_QUERY: /* it was asked, and could not tell */
		return true;
	case CG_RECONCILE_IDEMPOTENCY_KEY:
	case CG_RECONCILE_REPEAT_ONCE:
		break;
	}
	return false;
}
