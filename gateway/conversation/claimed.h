/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Cloud wants sent: claimed by the delivery stream, stored, sent like anything else,
 * acknowledged.
 *
 *   delivery stream -> claim and its rows, one transaction -> outbox -> lane
 *   rows finished -> claim settled -> acknowledged -> closed
 *
 * No send begins that could not end inside its claim.  What cannot be sent in time is
 * acknowledged as failed with the time of the next attempt, and the Cloud tries again.  When too
 * much waits, the stream is closed and what was claimed beyond is given back.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_CLAIMED_H
#define COWGATE_GATEWAY_CLAIMED_H

#include "gateway/conversation/conversation.h"

#define CLAIMED_OPEN 256 /* claims at a time; beyond it the stream is closed */

enum claimed_fact {
	CLAIMED_CONNECTED,
	CLAIMED_LOST, /* the stream will reconnect: detail says why */
	CLAIMED_REFUSED, /* 401 or 403: the stream rests */
	CLAIMED_TROUBLE, /* the Cloud reported it inside the stream; once a minute */
	CLAIMED_PAUSED, /* too much waits: nothing is claimed for now */
	CLAIMED_RETURNED, /* a delivery was given back: detail is its id */
	CLAIMED_UNSENDABLE, /* acknowledged as dead at once: detail says why */
	/* Somebody acknowledged under our name what we had claimed: detail is the delivery's id. */
	CLAIMED_FOREIGN,
};

struct claimed_options {
	const struct conversation_channel *channels; /* borrowed */
	size_t channel_count;
	int64_t send_ms; /* the longest that one send can take */
	uint64_t (*random)(void *arg);
	void (*fact)(void *arg, enum claimed_fact fact, const char *detail);
	void *arg;
};

struct claimed;

enum cg_status claimed_create(const struct conversation_parts *parts,
	const struct claimed_options *options, struct claimed **ret,
	struct cg_error *err);
void claimed_destroy(struct claimed *claimed);

/* Settle what an earlier process left, and claim.  Without a channel nothing is claimed. */
void claimed_start(struct claimed *claimed);
/* Claim nothing more; what is finished is still acknowledged. */
void claimed_stop(struct claimed *claimed);
/* Other channels (borrowed in place of those before) and another longest send.  The stream is
 * opened anew for them; what is claimed goes on. */
void claimed_change(struct claimed *claimed, const struct conversation_channel *channels,
	size_t channel_count, int64_t send_ms);
/* The token may be good again: ask anew if the stream was refused. */
void claimed_retry(struct claimed *claimed);

/* A row of a claim has a new state. */
void claimed_look(struct claimed *claimed);
/* The outbox may have room again. */
void claimed_room(struct claimed *claimed);

struct claimed_figures {
	size_t open; /* claims under way */
	bool connected;
	bool paused; /* too much waits */
	bool refused;
	bool foreign; /* somebody else claims under our name */
};
void claimed_figures(const struct claimed *claimed, struct claimed_figures *ret);

#endif
