/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that change outbox rows share.  Private to the journal; all on the writer. */
#ifndef COWGATE_GATEWAY_OUTBOX_ROW_H
#define COWGATE_GATEWAY_OUTBOX_ROW_H

#include "gateway/journal/operation.h"
#include "gateway/journal/outbox.h"

/* The whole backlog, and those of it of which nobody knows whether they have arrived. */
#define OUTBOX_COUNT_UNFINISHED \
	"SELECT count(*) FROM outbox INDEXED BY outbox_lane WHERE finished_ms IS NULL"
#define OUTBOX_COUNT_UNKNOWN \
	"SELECT count(*) FROM outbox INDEXED BY outbox_lane" \
	" WHERE finished_ms IS NULL AND state = 3"

/* Where a row stands before it is changed. */
struct outbox_standing {
	enum outbox_state state;
	int64_t lane, attempts;
	bool head;
};

bool outbox_unfinished(enum outbox_state state);

/* CONFLICT when there is no such row: it was there when its id was learnt. */
enum cg_status outbox_load_state(struct transaction *tx, int64_t id,
	struct outbox_standing *ret, struct cg_error *err);

/*
 * outbox_attempt.c: keep how the attempt ended that the row tells of now, and of each row the
 * newest OUTBOX_ATTEMPTS, with the first 300 characters of what the platform said.  A first attempt that arrives is told by the row alone: most are that,
 * and would pay for a second page.
 */
#define OUTBOX_ATTEMPTS 20
enum cg_status outbox_keep_attempt(
	struct transaction *tx, int64_t id, struct cg_error *err);

/* CONFLICT, said the same way everywhere. */
enum cg_status outbox_moved_on(struct cg_error *err);

/* A row goes from one state to another: what that does to the figures. */
void outbox_count_move(
	struct journal_change *change, enum outbox_state from, enum outbox_state to);

#endif
