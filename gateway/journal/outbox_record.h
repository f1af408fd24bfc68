/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries as the operator sees them.  Private to the journal. */
#ifndef COWGATE_GATEWAY_OUTBOX_RECORD_H
#define COWGATE_GATEWAY_OUTBOX_RECORD_H

#include "gateway/journal/outbox_row.h"

struct json_object;

/* The record of a row; the caller owns *@ret.  NOT_FOUND. */
enum cg_status outbox_record(struct transaction *tx, int64_t id, struct json_object **ret,
	struct cg_error *err);

/* The id of a delivery.  NOT_FOUND. */
enum cg_status outbox_find(struct transaction *tx, const char *delivery_id,
	int64_t *ret_id, struct cg_error *err);

#endif
