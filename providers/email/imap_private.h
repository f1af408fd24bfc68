/* SPDX-License-Identifier: Apache-2.0 */
/* A mailbox that is read, for imap.c, and how far it was read, for imap_place.c. */
#ifndef PROVIDERS_EMAIL_IMAP_PRIVATE_H
#define PROVIDERS_EMAIL_IMAP_PRIVATE_H

#include "email.h"
#include "imap.h"
#include "imap_link.h"

#define IMAP_BATCH 64 /* UIDs of one SEARCH that are kept */
#define IMAP_WINDOW 10000 /* numbers searched at once: the answer is one line */
#define IMAP_VALUE 32 /* bytes of a checkpoint's value, NUL included */

enum imap_state {
	OFF, /* no connection; perhaps one is being made */
	ASKING, /* CAPABILITY */
	SELECTING,
	STORING_BEGIN, /* the first checkpoint is being committed */
	SEARCHING,
	FETCHING,
	STORING, /* a mail is on its way into the journal */
	MARKING,
	HOLDING, /* the journal could not take a mail, or the server not give it */
	ENTERING, /* IDLE was asked for */
	IDLING,
	LEAVING, /* DONE was said */
	POLLING, /* between two SEARCHes without IDLE */
};

struct imap {
	struct email *email; /* borrowed */
	bool started;
	bool connecting; /* a thread has it */
	enum imap_state state;
	struct imap_link *link; /* owned; NULL: none */
	struct imap_link *opened; /* the thread's result */
	enum imap_link_result result;
	struct cg_timer *timer; /* what is waited for */
	unsigned failures; /* in a row */
	int64_t heard_ms; /* monotonic: the mailbox was at hand */

	struct cg_buffer in; /* not understood yet */
	size_t literal_max;
	unsigned tag; /* of the last command */
	bool can_idle, read_only, news;
	uint32_t validity, next; /* as the server says */
	uint32_t last; /* read up to this UID */
	bool renumbered; /* look for the last days instead of the last UID */
	char key[32]; /* of the checkpoint */
	uint32_t uids[IMAP_BATCH];
	size_t uid_count, uid_at;
	bool fetched; /* the mail of the current FETCH has come */
	unsigned denied; /* times in a row that the server did not give a mail */
};

/* The name of this mailbox's checkpoint. */
void imap_place_init(struct imap *imap);
/* What was stored last; false: nothing was. */
bool imap_place_load(const struct imap *imap, uint32_t *ret_validity, uint32_t *ret_last);
/* The checkpoint's value for having read up to @last. */
void imap_place_write(const struct imap *imap, uint32_t last, char ret[IMAP_VALUE]);
/* Store progress without a message.  Should it be lost, the mail is passed over once more. */
void imap_place_pass(const struct imap *imap, uint32_t uid);
/* What to search for from here on: what is newer, or the last days of a mailbox that was numbered
 * anew.  Of very many the first IMAP_WINDOW numbers. */
void imap_place_search(const struct imap *imap, char ret[64]);
/* Nothing was found.  True: there are numbers behind these, to be searched next. */
bool imap_place_go_on(struct imap *imap);

#endif
