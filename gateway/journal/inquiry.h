/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent has asked in a chat and waits for: a permission, or an answer to a question.
 *
 *   open -> taken -> decided         somebody pressed or wrote; the agent's server took it
 *   taken -> open                    it did not
 *   open -> gone                     decided elsewhere, too late, or the agent has moved on
 *
 * A row is stored in the transaction that stores its card (struct obligation), and kept for as
 * long as finished deliveries are, so that a late press gets an honest answer.  Of the open ones
 * of a chat the newest INQUIRY_OPEN count.
 */
#ifndef COWGATE_GATEWAY_INQUIRY_H
#define COWGATE_GATEWAY_INQUIRY_H

#include "gateway/journal/journal.h"

#define INQUIRY_OPEN 64 /* of one chat; older ones are gone */
#define INQUIRY_TOKEN_MAX 32 /* bytes of ours; a button carries it and a few more */
#define INQUIRY_CODE_MAX 16
#define INQUIRY_OPTIONS_MAX (16u << 10) /* bytes of JSON */
#define INQUIRY_CARD_MAX (64u << 10)
#define INQUIRY_ANSWER_MAX 4096
#define INQUIRY_WHO_MAX 256

enum inquiry_kind {
	INQUIRY_PERMISSION,
	INQUIRY_QUESTION,
};

enum inquiry_state {
	INQUIRY_IS_OPEN,
	INQUIRY_IS_TAKEN, /* a message is about to decide it */
	INQUIRY_IS_DECIDED,
	INQUIRY_IS_GONE,
};

/* What is stored with the card that asks.  The rest of a row is the card's own. */
struct inquiry_seed {
	enum inquiry_kind kind;
	const char *token; /* what a button carries, random */
	const char *code; /* what a person types, short */
	const char *target_id; /* the agent's id of what it asked */
	const char *agent_id; /* of the session's binding; may be NULL */
	const char *options; /* JSON, the caller's own; may be NULL */
	/* what is asked, for the redraw; NULL: the source of the card */
	const char *card;
	int64_t expires_ms; /* wall clock */
};

/* One row.  Strings are borrowed during the call that hands it over. */
struct inquiry {
	int64_t id;
	enum inquiry_kind kind;
	enum inquiry_state state;
	bool is_direct;
	int64_t created_ms, expires_ms;
	int64_t closed_ms; /* 0: open or taken */
	int64_t taken_by; /* id of the message that decides or decided it, 0: none */
	const char *token, *code;
	const char *card_id; /* delivery id of the card */
	const char *target_id;
	const char *agent_id; /* NULL: not known */
	const char *instance, *chat_id, *thread_id, *user_id, *context;
	const char *session_id, *binding_id;
	const char *options; /* or NULL */
	const char *card; /* what the card says, Markdown */
	const char *answer, *decided_by; /* NULL: nobody has decided */
};

typedef void (*inquiry_found)(
	void *arg, enum cg_status status, const struct inquiry *inquiries, size_t count);

/* By @token, in any state, one at most; without it the open ones of a chat thread, newest
 * first: all of them, or the one of @code (in any case of letters), or the one whose card has that
 * receipt. */
struct inquiry_query {
	const char *token;
	const char *instance, *chat_id, *thread_id;
	const char *code, *receipt;
};
void inquiry_find(struct journal *journal, const struct inquiry_query *query,
	inquiry_found found, void *arg);

/* Those not decided whose time is over, oldest first, at most INQUIRY_OPEN. */
void inquiry_find_expired(
	struct journal *journal, int64_t now_ms, inquiry_found found, void *arg);

/* open -> taken by the message of that id.  CONFLICT when it is not open; OK when the same
 * message has taken it before. */
struct inquiry_taking {
	int64_t id;
	int64_t message_id;
	const char *answer;
	const char *decided_by; /* as a person reads it */
};
void inquiry_take(struct journal *journal, const struct inquiry_taking *taking,
	journal_done done, void *arg);

/* taken -> open, decided or gone.  CONFLICT when it has moved on. */
void inquiry_settle(struct journal *journal, int64_t id, enum inquiry_state to,
	journal_done done, void *arg);

#endif
