/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions inside the transactions of others.  Private to the journal; on the writer. */
#ifndef COWGATE_GATEWAY_INQUIRY_ROW_H
#define COWGATE_GATEWAY_INQUIRY_ROW_H

#include "gateway/journal/inquiry.h"
#include "gateway/journal/operation.h"

/* The card's side of a row.  Texts are borrowed. */
struct inquiry_card {
	const char *card_id, *card;
	const char *instance, *chat_id, *thread_id, *user_id, *context;
	const char *session_id, *binding_id;
	bool is_direct;
};

/* Does @seed keep its limits? */
bool inquiry_seed_valid(const struct inquiry_seed *seed);

enum cg_status inquiry_insert(struct transaction *tx, const struct inquiry_seed *seed,
	const struct inquiry_card *card, int64_t now_ms, struct journal_change *change,
	struct cg_error *err);

/*
 * What a card asks is gone: the card of that id, or the open one whose id begins with it and a
 * colon.  *@ret_card is what it said and *@ret_id its id, the caller's; NULL when none is open,
 * or somebody is deciding it.
 */
enum cg_status inquiry_close(struct transaction *tx, const char *card_id, int64_t now_ms,
	struct journal_change *change, char **ret_card, char **ret_id,
	struct cg_error *err);

/* Nobody waits for the answers any more: the open ones of a session end now. */
enum cg_status inquiry_abandon(struct transaction *tx, const char *binding_id,
	int64_t now_ms, struct cg_error *err);

#endif
