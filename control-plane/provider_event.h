/* SPDX-License-Identifier: Apache-2.0 */
/* What platforms sent, each claimed once: the second claim of an event is a duplicate.
 * Writer thread. */
#ifndef COWGATE_CONTROL_PLANE_PROVIDER_EVENT_H
#define COWGATE_CONTROL_PLANE_PROVIDER_EVENT_H

#include "control-plane/change.h"
#include "control-plane/channel.h"

#define PROVIDER_EVENT_KEEP_MS \
	(30LL * 24 * 60 * 60 * 1000) /* platforms repeat within it */
#define PROVIDER_EVENT_ROWS 200000 /* kept at most; settled ones go first */
#define PROVIDER_EVENT_SWEEP 64 /* one sweep of so many rows in so many claims */

struct provider_claim {
	const char *provider;
	const char *instance;
	const char *event_id; /* the platform's */
	const char *event_type;
	const char *claimed_by;
	int64_t ttl_ms;
	struct json_object *metadata; /* borrowed, may be NULL */
};

/* *@ret is the caller's record; *@ret_claimed tells whether the claimant may go on. */
enum cg_status provider_event_claim(struct change *change, const struct channel *channel,
	const struct provider_claim *claim, struct json_object **ret, bool *ret_claimed);

/* Settle it.  *@ret is NULL when @claimed_by does not hold it. */
struct provider_outcome {
	const char *channel; /* binding it must belong to; NULL: any */
	const char *claimed_by;
	bool processed; /* else failed */
	bool retryable;
	const char *last_error; /* may be NULL */
};
enum cg_status provider_event_complete(struct change *change, const char *event_id,
	const struct provider_outcome *outcome, struct json_object **ret);

#endif
