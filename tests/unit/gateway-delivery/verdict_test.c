/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/verdict.h"
#include "tests/unit/unit.h"

#include <string.h>

#define NOW INT64_C(1700000000000)

/* One cell of the table: what was reported, and about which row. */
struct cell {
	enum cg_outcome_class class;
	enum cg_outcome_scope scope;
	enum cg_reconcile reconcile;
	bool edit, labelled, slot, repeated;
	unsigned failures;
	int64_t retry_after_ms;
};

static void judge(const struct cell *cell, struct outbox_result *ret)
{
	const struct outbox_row row = {
		.purpose = cell->slot ? OUTBOX_SLOT : OUTBOX_FINAL,
		.failures = cell->failures,
		.maybe_duplicate = cell->repeated,
	};
	const struct cg_outcome outcome = {
		.class = cell->class,
		.scope = cell->scope,
		.message_id = "id",
		.retry_after_ms = cell->retry_after_ms,
		.platform_status = 418,
		.detail = "short and stout",
	};
	const struct verdict_case it = {
		.row = &row,
		.outcome = &outcome,
		.reconcile = cell->reconcile,
		.edit = cell->edit,
		.labelled = cell->labelled,
		.schedule = &cg_retry_webhook,
		.now_ms = NOW,
	};

	verdict_after_send(&it, ret);
	CU_ASSERT_STRING_EQUAL(ret->outcome, verdict_class_name(cell->class));
	CU_ASSERT_STRING_EQUAL(ret->scope, verdict_scope_name(cell->scope));
	CU_ASSERT_EQUAL(ret->platform_status, 418);
	CU_ASSERT_STRING_EQUAL(ret->detail, "short and stout");
	CU_ASSERT_EQUAL(ret->now_ms, NOW);
}

/* @run for every cell of one class that a table of its own does not name. */
static void each_cell(enum cg_outcome_class class, void (*run)(const struct cell *cell))
{
	for (unsigned i = 0; i < 4 * 4 * 16; i++) {
		const struct cell cell = {
			.class = class,
			.scope = (enum cg_outcome_scope)(i & 3),
			.reconcile = (enum cg_reconcile)(i >> 2 & 3),
			.edit = i & 16,
			.labelled = i & 32,
			.slot = i & 64,
			.repeated = i & 128,
			.retry_after_ms = -1,
		};

		run(&cell);
	}
}

static void sent(const struct cell *cell)
{
	struct outbox_result result;

	judge(cell, &result);
	CU_ASSERT_EQUAL(result.state, OUTBOX_SENT);
	CU_ASSERT_STRING_EQUAL(result.receipt, "id");
	CU_ASSERT_PTR_NULL(result.reason);
}

static void not_dispatched(const struct cell *cell)
{
	struct outbox_result result;

	judge(cell, &result);
	CU_ASSERT_EQUAL(result.state, OUTBOX_PENDING);
	CU_ASSERT_EQUAL(result.not_before_ms, NOW + 4000); /* 5 s less a fifth */
	CU_ASSERT(result.counts);
	/* It says nothing about an earlier attempt. */
	CU_ASSERT_EQUAL(result.maybe_duplicate, cell->repeated);
}

static void refused(const struct cell *cell)
{
	struct outbox_result result;

	judge(cell, &result);
	if (cell->scope == CG_SCOPE_ACCOUNT) {
		CU_ASSERT_EQUAL(result.state, OUTBOX_PENDING);
		CU_ASSERT_EQUAL(result.not_before_ms, NOW);
		CU_ASSERT_FALSE(result.counts);
		CU_ASSERT_EQUAL(result.maybe_duplicate, cell->repeated);
	} else {
		CU_ASSERT_EQUAL(result.state, OUTBOX_DEAD);
		CU_ASSERT_STRING_EQUAL(result.reason, "refused");
	}
}

static void limited(const struct cell *cell)
{
	struct cell told = *cell;
	struct outbox_result result;

	judge(cell, &result);
	CU_ASSERT_EQUAL(result.state, OUTBOX_PENDING);
	CU_ASSERT_EQUAL(result.not_before_ms, NOW + VERDICT_LIMITED_MS);
	CU_ASSERT_FALSE(result.counts);
	CU_ASSERT_EQUAL(result.maybe_duplicate, cell->repeated);
	told.retry_after_ms = 0;
	judge(&told, &result);
	CU_ASSERT_EQUAL(result.not_before_ms, NOW);
	told.retry_after_ms = 3600000;
	judge(&told, &result);
	CU_ASSERT_EQUAL(result.not_before_ms, NOW + 3600000);
}

/* What may have arrived: the columns are purpose and what was said of it before. */
enum fate { AGAIN, UNKNOWN, DEAD };
enum { PLAIN, LABELLED, REPEATED, SLOT, SLOT_REPEATED, KINDS };

static const enum fate fates[4][KINDS] = {
	[CG_RECONCILE_NONE] = {UNKNOWN, DEAD, UNKNOWN, DEAD, DEAD},
	[CG_RECONCILE_IDEMPOTENCY_KEY] = {AGAIN, AGAIN, AGAIN, AGAIN, AGAIN},
	[CG_RECONCILE_QUERY] = {UNKNOWN, DEAD, UNKNOWN, UNKNOWN, UNKNOWN},
	[CG_RECONCILE_REPEAT_ONCE] = {UNKNOWN, DEAD, DEAD, DEAD, DEAD},
};

static void ambiguous(const struct cell *cell)
{
	unsigned kind = cell->labelled ? LABELLED : cell->repeated ? REPEATED : PLAIN;
	enum fate fate;
	struct outbox_result result;

	if (cell->slot && !cell->labelled)
		kind = cell->repeated ? SLOT_REPEATED : SLOT;
	fate = cell->edit ? AGAIN : fates[cell->reconcile][kind];
	judge(cell, &result);
	switch (fate) {
	case AGAIN:
		CU_ASSERT_EQUAL(result.state, OUTBOX_PENDING);
		CU_ASSERT_EQUAL(result.not_before_ms, NOW + 4000);
		CU_ASSERT(result.counts);
		CU_ASSERT(result.maybe_duplicate);
		break;
	case UNKNOWN:
		CU_ASSERT_EQUAL(result.state, OUTBOX_UNKNOWN);
		CU_ASSERT_EQUAL(result.not_before_ms, NOW + VERDICT_UNKNOWN_MS);
		break;
	case DEAD:
		CU_ASSERT_EQUAL(result.state, OUTBOX_DEAD);
		CU_ASSERT_STRING_EQUAL(result.reason, "ambiguous");
		break;
	}
}

static void verdict_of_every_cell(void)
{
	each_cell(CG_OUTCOME_SENT, sent);
	each_cell(CG_OUTCOME_NOT_DISPATCHED, not_dispatched);
	each_cell(CG_OUTCOME_REFUSED, refused);
	each_cell(CG_OUTCOME_RATE_LIMITED, limited);
	each_cell(CG_OUTCOME_AMBIGUOUS, ambiguous);
}

/* An outage that answers: the answer to a person outlives it, labelled. */
static void verdict_of_a_platform_that_says_it_failed(void)
{
	struct outbox_row row = {.purpose = OUTBOX_FINAL, .maybe_duplicate = true};
	const struct cg_outcome outcome = {
		.class = CG_OUTCOME_AMBIGUOUS,
		.scope = CG_SCOPE_DESTINATION,
		.retry_after_ms = -1,
		.platform_status = 502,
	};
	struct verdict_case it = {
		.row = &row,
		.outcome = &outcome,
		.reconcile = CG_RECONCILE_NONE,
		.labelled = true,
		.schedule = &cg_retry_chat,
		.now_ms = NOW,
	};
	struct outbox_result result;

	for (row.failures = 0; row.failures < 10; row.failures++) {
		verdict_after_send(&it, &result);
		CU_ASSERT_EQUAL(result.state, OUTBOX_PENDING);
		CU_ASSERT(result.counts);
		CU_ASSERT(result.maybe_duplicate);
	}
	/* Not yet labelled: it is found out first, whether it has arrived. */
	it.labelled = false;
	verdict_after_send(&it, &result);
	CU_ASSERT_EQUAL(result.state, OUTBOX_UNKNOWN);
}

static void verdict_follows_the_schedule(void)
{
	static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 36000};
	struct cell cell = {.class = CG_OUTCOME_NOT_DISPATCHED, .retry_after_ms = -1};
	struct outbox_result result;

	for (; cell.failures < 7; cell.failures++) {
		judge(&cell, &result);
		CU_ASSERT_EQUAL(result.not_before_ms, NOW + seconds[cell.failures] * 800);
	}
	judge(&cell, &result);
	CU_ASSERT_EQUAL(result.state, OUTBOX_DEAD);
	CU_ASSERT_STRING_EQUAL(result.reason, "attempts");
	/* What the platform asks for wins only when it is longer. */
	cell.failures = 0;
	cell.retry_after_ms = 3999;
	judge(&cell, &result);
	CU_ASSERT_EQUAL(result.not_before_ms, NOW + 4000);
	cell.retry_after_ms = 4001;
	judge(&cell, &result);
	CU_ASSERT_EQUAL(result.not_before_ms, NOW + 4001);
}

static void verdict_of_what_is_unknown(void)
{
	static const enum verdict_unknown plain[] = {
		[CG_RECONCILE_NONE] = VERDICT_LABEL,
		[CG_RECONCILE_IDEMPOTENCY_KEY] = VERDICT_REPEAT,
		[CG_RECONCILE_QUERY] = VERDICT_ASK,
		[CG_RECONCILE_REPEAT_ONCE] = VERDICT_REPEAT,
	};
	static const enum verdict_unknown slots[] = {
		[CG_RECONCILE_NONE] = VERDICT_DROP,
		[CG_RECONCILE_IDEMPOTENCY_KEY] = VERDICT_REPEAT,
		[CG_RECONCILE_QUERY] = VERDICT_ASK,
		[CG_RECONCILE_REPEAT_ONCE] = VERDICT_DROP,
	};
	char receipt[] = "77";

	for (unsigned i = 0; i < 4; i++) {
		const struct outbox_row text = {.kind = CG_OUTBOUND_TEXT};
		const struct outbox_row slot = {.purpose = OUTBOX_SLOT};
		const struct outbox_row edit = {.kind = CG_OUTBOUND_EDIT};
		const struct outbox_row final = {.slot_receipt = receipt};

		CU_ASSERT_EQUAL(verdict_unknown(&text, (enum cg_reconcile)i), plain[i]);
		CU_ASSERT_EQUAL(verdict_unknown(&slot, (enum cg_reconcile)i), slots[i]);
		/* An edit repeats, whoever has to take it. */
		CU_ASSERT_EQUAL(
			verdict_unknown(&edit, (enum cg_reconcile)i), VERDICT_REPEAT);
		CU_ASSERT_EQUAL(
			verdict_unknown(&final, (enum cg_reconcile)i), VERDICT_REPEAT);
	}
	CU_ASSERT(verdict_labels(CG_RECONCILE_NONE));
	CU_ASSERT(verdict_labels(CG_RECONCILE_QUERY));
	CU_ASSERT_FALSE(verdict_labels(CG_RECONCILE_IDEMPOTENCY_KEY));
	CU_ASSERT_FALSE(verdict_labels(CG_RECONCILE_REPEAT_ONCE));
}

static void verdict_names_are_what_the_operator_reads(void)
{
	CU_ASSERT_STRING_EQUAL(
		verdict_class_name(CG_OUTCOME_NOT_DISPATCHED), "not_dispatched");
	CU_ASSERT_STRING_EQUAL(
		verdict_class_name(CG_OUTCOME_RATE_LIMITED), "rate_limited");
	CU_ASSERT_STRING_EQUAL(verdict_scope_name(CG_SCOPE_MESSAGE), "message");
	CU_ASSERT_STRING_EQUAL(verdict_scope_name(CG_SCOPE_DESTINATION), "destination");
}

UNIT_SUITE(verdict, UNIT_TEST(verdict_of_every_cell),
	UNIT_TEST(verdict_of_a_platform_that_says_it_failed),
	UNIT_TEST(verdict_follows_the_schedule), UNIT_TEST(verdict_of_what_is_unknown),
	UNIT_TEST(verdict_names_are_what_the_operator_reads));
