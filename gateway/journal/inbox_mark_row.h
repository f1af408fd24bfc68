/* SPDX-License-Identifier: Apache-2.0 */
/* Marks, for the transactions that move them with something else.  Private to the journal. */
#ifndef COWGATE_GATEWAY_INBOX_MARK_ROW_H
#define COWGATE_GATEWAY_INBOX_MARK_ROW_H

#include "gateway/journal/inbox_mark.h"
#include "gateway/journal/operation.h"

enum cg_status inbox_mark_write(
	struct transaction *tx, const struct inbox_mark_move *move, struct cg_error *err);

#endif
