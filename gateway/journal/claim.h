/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries that are claimed from a Cloud, from the claim to its acknowledgement.
 *
 *   open -> settled -> closed
 *
 * A claim is open while its rows in the outbox are; it is settled when they are finished, or
 * taken back because no send of them could end inside the claim; it is closed when the Cloud
 * knows.  A closed claim stays for a while: a delivery that is served again although it was
 * sent is acknowledged again, not sent again.
 */
#ifndef COWGATE_GATEWAY_CLAIM_H
#define COWGATE_GATEWAY_CLAIM_H

#include "gateway/journal/outbox.h"

#define CLAIM_KEY 65 /* hexadecimal digits and NUL */
#define CLAIM_PAGE 32 /* settled claims at a time */
#define CLAIM_ERROR 512 /* bytes of a reason, NUL included */
#define CLAIM_ID_MAX 512 /* bytes of an id or a name */

enum claim_outcome {
	CLAIM_SENT,
	CLAIM_RETURNED, /* not sent, or not all of it: to be tried again */
	CLAIM_DEAD, /* refused for good */
};

/* What a claim was when its delivery came. */
enum claim_standing {
	CLAIM_NEW,
	CLAIM_RUNNING, /* its rows are under way; the claim lasts longer now */
	CLAIM_REPEATED, /* sent or refused before: only to be acknowledged again */
	CLAIM_REOPENED, /* returned, or dead and tried again: what was not sent is due */
};

/* The name of a delivery in this journal: ids are unique within a channel binding only. */
void claim_key(
	const char *channel_binding_id, const char *delivery_id, char ret[CLAIM_KEY]);

struct claim_seed {
	const char *delivery_id;
	const char *channel_binding_id;
	const char *claimed_by; /* as the Cloud wrote it down */
	/* A send that begins later cannot end inside the claim. */
	int64_t send_by_ms;
};

/*
 * Store the claim with its obligations, whose `claim` is its key.  EXISTS: an obligation's
 * delivery_id is taken by something else; nothing is stored.  LIMIT and INVALID as
 * outbox_store().
 */
void claim_store(struct journal *journal, const struct claim_seed *seed,
	const struct obligation *obligations, size_t count,
	void (*done)(void *arg, enum cg_status status, enum claim_standing standing),
	void *arg);

/* A settled claim.  Strings lie inside. */
struct claim {
	char key[CLAIM_KEY];
	char delivery_id[CLAIM_ID_MAX + 1];
	char channel_binding_id[CLAIM_ID_MAX + 1];
	char claimed_by[CLAIM_ID_MAX + 1];
	enum claim_outcome outcome;
	int64_t send_by_ms;
	int64_t next_ms; /* RETURNED: not before; 0: nobody said */
	int64_t created_ms;
	char error[CLAIM_ERROR]; /* "" none */
};

/*
 * Settle what is finished, take back what cannot be sent in time, and tell of settled claims, at
 * most CLAIM_PAGE, borrowed.  @open claims are not closed, these included, and the next has to be
 * looked at again at @next_ms (0: none).
 */
void claim_collect(struct journal *journal, int64_t now_ms,
	void (*page)(void *arg, enum cg_status status, const struct claim *claims,
		size_t count, int64_t open, int64_t next_ms),
	void *arg);

/* The Cloud knows. */
void claim_close(struct journal *journal, const char *key, int64_t now_ms,
	journal_done done, void *arg);

#endif
