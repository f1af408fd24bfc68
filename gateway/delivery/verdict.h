/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a provider reported to what becomes of a row.  Pure: everything it depends on is an
 * argument, so every cell of the table has a test.
 */
#ifndef COWGATE_GATEWAY_VERDICT_H
#define COWGATE_GATEWAY_VERDICT_H

#include "gateway/journal/outbox.h"

#include <cowgate/capability.h>
#include <cowgate/sdk/retry.h>

/* An ambiguous send holds its chat for so long before it is resolved. */
#define VERDICT_UNKNOWN_MS 5000
/* A provider that names no time for "later". */
#define VERDICT_LIMITED_MS 30000

struct verdict_case {
	const struct outbox_row *row;
	const struct cg_outcome *outcome;
	enum cg_reconcile reconcile;
	bool edit; /* what was asked for was an edit of a known message: a repeat is harmless */
	bool labelled; /* it said already that it may be a repeat */
	const struct cg_retry_schedule *schedule;
	int64_t now_ms; /* wall clock */
	uint64_t random;
};

/* Strings of @ret borrow from the outcome or are constant. */
void verdict_after_send(const struct verdict_case *it, struct outbox_result *ret);

/* What to do with a row whose fate is not known, before anything is sent. */
enum verdict_unknown {
	VERDICT_REPEAT, /* as it is: the receiver drops twins, or an edit repeats */
	VERDICT_ASK, /* the platform can tell */
	VERDICT_LABEL, /* send again, saying that it may be a repeat */
	VERDICT_DROP, /* a slot: its final is sent anew anyway */
};
enum verdict_unknown verdict_unknown(
	const struct outbox_row *row, enum cg_reconcile reconcile);
/* Must a new message (no edit) that may have arrived before say so? */
bool verdict_labels(enum cg_reconcile reconcile);

const char *verdict_class_name(enum cg_outcome_class class);
const char *verdict_scope_name(enum cg_outcome_scope scope);

#endif
