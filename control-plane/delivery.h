/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that the plane wants sent to a chat, outside any session: created by the
 * operator, claimed by a gateway, acknowledged by who holds the claim.  Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_DELIVERY_H
#define COWGATE_CONTROL_PLANE_DELIVERY_H

#include "control-plane/change.h"
#include "control-plane/channel.h"

#define DELIVERY_OPEN 10000 /* unsettled rows */
#define DELIVERY_KEEP 10000 /* settled rows kept; the oldest go */
#define DELIVERY_PAGE 16 /* claimed at once by a stream */
#define DELIVERY_BINDINGS 64 /* channels that one stream names */

struct delivery_seed {
	const struct channel *channel;
	const char *delivery_id; /* NULL: a new one */
	const char *session_binding_id;
	const char *event_type;
	struct json_object *target; /* borrowed objects */
	struct json_object *payload;
	int64_t next_attempt_at; /* 0: now */
};

/* Create it, or give the one that exists under this id.  LIMIT: too many are unsettled. */
enum cg_status delivery_insert(struct change *change, const struct delivery_seed *seed,
	struct json_object **ret);

struct delivery_claim {
	const char *claimed_by;
	const char *last_claimed_by;
	int64_t ttl_ms;
	const char *const *bindings; /* none: every channel */
	size_t binding_count;
};

/* Claim what is due, at most DELIVERY_PAGE, as frames of the change.  *@ret_next is
 * when the next one is due (0: nothing waits), now when the page is full. */
enum cg_status delivery_claim_due(
	struct change *change, const struct delivery_claim *claim, int64_t *ret_next);

/* Names one delivery.  An id may be used by several channels: then the channel must be
 * said. */
struct delivery_name {
	const char *delivery_id;
	const char *channel_binding_id; /* NULL: not said */
};

struct delivery_ack {
	const char *claimed_by;
	const char *state; /* sent, failed, dead */
	const char *last_error;
	int64_t next_attempt_at; /* 0: the plane chooses */
	const char *last_claimed_by; /* the token that holds it; NULL: whichever */
};

/* *@ret is NULL when no claim of this claimant matches, or the name is ambiguous. */
enum cg_status delivery_acknowledge(struct change *change,
	const struct delivery_name *name, const struct delivery_ack *ack,
	struct json_object **ret);

/* By the operator.  CONFLICT: its state does not allow it; *@ret NULL: not found. */
enum cg_status delivery_retry(struct change *change, const struct delivery_name *name,
	struct json_object **ret);
enum cg_status delivery_bury(struct change *change, const struct delivery_name *name,
	const char *last_error, struct json_object **ret);

struct delivery_filter {
	const char *delivery_id; /* each NULL: any */
	const char *state;
	const char *channel_binding_id;
	const char *last_claimed_by;
	int64_t limit;
};
enum cg_status delivery_list(struct change *change, const struct delivery_filter *filter,
	struct json_object *array);

#endif
