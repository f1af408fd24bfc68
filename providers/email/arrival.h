/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mail on its way into the journal: read and stored in files on a pool thread, judged and
 * submitted on the loop.
 */
#ifndef PROVIDERS_EMAIL_ARRIVAL_H
#define PROVIDERS_EMAIL_ARRIVAL_H

#include "mail.h"

#include <cowgate/message.h>
#include <sys/queue.h>

#define ARRIVALS_MAX 32 /* at a time */
#define ARRIVALS_BYTES (64u << 20) /* of raw mail at a time */

enum arrival_end {
	ARRIVAL_STORED, /* committed, now or before */
	ARRIVAL_IGNORED, /* nothing to be answered; nothing was stored */
	ARRIVAL_BAD, /* not to be understood; the sentence says why */
	ARRIVAL_CONFLICT, /* an id that was used for another text */
	ARRIVAL_TOO_FAST, /* not now: its conversation says more than people do */
	ARRIVAL_UNAVAILABLE, /* not now */
};

/* On the loop, never from inside arrival_begin_…().  @why is set for BAD, borrowed. */
typedef void (*arrival_done)(void *arg, enum arrival_end end, const char *why);

struct email;
struct arrival;

struct arrivals {
	struct email *email;
	LIST_HEAD(arrival_list, arrival) open;
	size_t count, bytes;
};

void arrivals_init(struct arrivals *arrivals, struct email *email);
/* Forget what is open; no thread works for it any more. */
void arrivals_finish(struct arrivals *arrivals);

struct arrival_origin {
	/* Progress stored together with the message; copied.  NULL key: none. */
	const char *checkpoint_key, *checkpoint_value;
	bool truncated; /* the end of the raw mail is missing */
	int64_t received_at_ms; /* wall clock, 0: now */
	arrival_done done;
	void *arg;
};

/* Adopts @bytes (from malloc) in any case.  False: too much is open, @done will not fire. */
bool arrival_begin_raw(struct arrivals *arrivals, char *bytes, size_t length,
	const struct arrival_origin *origin);
/* Adopts what @mail owns in any case. */
bool arrival_begin_mail(struct arrivals *arrivals, struct mail *mail,
	const struct arrival_origin *origin);

#endif
