/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order inside a lane.  Private to the journal; all on the writer.
 *
 * Of the unfinished rows of a lane exactly one, the one that was stored first, has head = 1; no
 * finished row has it.  So what may be sent next is an index over heads, however many rows
 * wait behind them and however many lanes there are.
 */
#ifndef COWGATE_GATEWAY_LANE_H
#define COWGATE_GATEWAY_LANE_H

#include "gateway/journal/outbox.h"

#define OUTBOX_RANKS 3

/* Priority between lanes, 0 first. */
int outbox_rank(enum outbox_purpose purpose);

enum cg_status lane_is_empty(
	struct transaction *tx, int64_t lane, bool *ret, struct cg_error *err);

/* A row of the lane has finished: make the first one left the head, if it is not yet. */
enum cg_status lane_promote(struct transaction *tx, int64_t lane, struct cg_error *err);

/* An old row is unfinished again: make the first one the head and no other. */
enum cg_status lane_reopen(struct transaction *tx, int64_t lane, struct cg_error *err);

#endif
