/* SPDX-License-Identifier: Apache-2.0 */
/* Obligations on their way into the outbox.  Private to the journal. */
#ifndef COWGATE_GATEWAY_OBLIGATION_H
#define COWGATE_GATEWAY_OBLIGATION_H

#include "gateway/journal/operation.h"
#include "gateway/journal/outbox.h"

#define OUTBOX_ID_MAX 512
#define OUTBOX_CLAIM_MAX (64u << 10)
#define OUTBOX_BUTTONS 64 /* of one obligation */
#define OUTBOX_BUTTONS_MAX (64u << 10)

struct obligation_batch; /* copies of obligations, and the room that they take */

/*
 * INVALID: one breaks a limit.  LIMIT: the outbox is full.  NOMEM.  On CG_OK the batch takes
 * room in the outbox until it is released, which is after its commit.
 */
enum cg_status obligation_batch_create(struct journal *journal,
	const struct obligation *obligations, size_t count,
	struct obligation_batch **ret);
/* Accepts NULL. */
void obligation_batch_release(struct obligation_batch *batch, struct journal *journal);

/* On the writer: store those that are not stored yet, counting them in @operation. */
enum cg_status obligation_batch_insert(const struct obligation_batch *batch,
	struct transaction *tx, struct operation *operation, struct cg_error *err);

#endif
