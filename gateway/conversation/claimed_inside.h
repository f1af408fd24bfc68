/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of claimed deliveries share: how they come in, and how they end. */
#ifndef COWGATE_GATEWAY_CLAIMED_INSIDE_H
#define COWGATE_GATEWAY_CLAIMED_INSIDE_H

#include "cloud-client/delivery.h"
#include "cloud-client/subscription.h"
#include "gateway/conversation/claimed.h"
#include "gateway/journal/claim.h"

#include <sys/queue.h>

#define CLAIMED_RETURN_MS 15000 /* what was given back is due again not before … */
#define CLAIMED_SPREAD_MS 60000 /* … and spread over so long */

struct ack;
struct arrival;

struct claimed {
	struct conversation_parts parts;
	struct claimed_options options;
	struct cloud_subscription *subscription;
	LIST_HEAD(, arrival) arrivals;
	LIST_HEAD(, ack) acks; /* at most CLAIM_PAGE */
	size_t arriving, acking, open;
	struct loop_task look;
	/* the next look: a claim ends, or an acknowledgement is repeated */
	struct loop_timer timer;
	int64_t opened_ms; /* monotonic: the stream, the last time */
	int64_t trouble_ms; /* monotonic: told last, if troubled */
	/* Our clock less the Cloud's, as the fastest delivery tells it. */
	int64_t skew_ms;
	bool skew_known;
	unsigned failures;
	bool running, collecting, again, connected, refused, paused, foreign, troubled;
	/* An acknowledgement may have arrived although nobody said so: a second one finds the
	 * claim gone, and that is nobody else's doing. */
	bool doubtful;
};

/* claimed.c */
int64_t claimed_wall_ms(const struct claimed *claimed);
void claimed_tell(
	const struct claimed *claimed, enum claimed_fact fact, const char *detail);
/* When what is given back is due again, by our clock. */
int64_t claimed_return_ms(const struct claimed *claimed);
/* Our time in the Cloud's. */
int64_t claimed_cloud_ms(const struct claimed *claimed, int64_t our_ms);

void claimed_resume(struct claimed *claimed); /* the stream, if there is room again */

/* claimed_ack.c: settle and acknowledge what can be, whenever claimed_look() asks for it. */
enum cg_status claimed_ack_init(struct claimed *claimed);
void claimed_ack_finish(struct claimed *claimed);

#endif
