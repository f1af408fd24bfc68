/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Obligations: what must reach a chat.  One row a part, carrying its whole route.
 *
 *   pending -> sending -> sent
 *   sending -> pending(not_before)   known non-delivery or rate limit
 *   sending -> unknown               bytes may have arrived, or the process died
 *   unknown -> pending | sent | dead by the provider's means of reconciling
 *   any unfinished -> dead(reason)   definite refusal, attempts, absolute deadline, operator
 *   pending -> superseded            a slot whose final came before it was sent
 *   any unfinished -> superseded     a slot or a redraw that came to nothing: not missed
 *
 * `sending` is committed before a byte leaves; the receipt is committed before anything else.
 */
#ifndef COWGATE_GATEWAY_OUTBOX_H
#define COWGATE_GATEWAY_OUTBOX_H

#include "gateway/journal/inbox_mark.h"
#include "gateway/journal/inquiry.h"
#include "gateway/journal/journal.h"

#include <cowgate/outbound.h>

#define OUTBOX_CLOSED ":closed" /* behind the id of a card: its redraw's */
#define OUTBOX_PARTS 64 /* of one obligation */
#define OUTBOX_MARKED 64 /* marks that move with a cursor */
#define OUTBOX_STORE 256 /* obligations stored together */
#define OUTBOX_STORE_BYTES (16u << 20) /* of their texts */
#define OUTBOX_TEXT_MAX (1u << 20) /* bytes of one part */
#define OUTBOX_DETAIL_MAX 4096 /* bytes of a platform's last response */

enum outbox_state {
	OUTBOX_PENDING,
	OUTBOX_SENDING,
	OUTBOX_SENT,
	OUTBOX_UNKNOWN,
	OUTBOX_DEAD,
	OUTBOX_SUPERSEDED,
};
const char *outbox_state_name(enum outbox_state state); /* "pending" … */

/* Why it is sent: decides priority between lanes, retry schedule and deadline. */
enum outbox_purpose {
	OUTBOX_FINAL, /* an answer's final text */
	OUTBOX_SLOT, /* the first text of a streamed answer, to be edited into the final */
	OUTBOX_APPROVAL, /* asks for a decision */
	OUTBOX_QUESTION,
	OUTBOX_FILE,
	OUTBOX_ERROR, /* a runtime error shown to the person */
	OUTBOX_NOTICE, /* the gateway's own words: commands, waiting, pairing */
	OUTBOX_DELIVERY, /* claimed from the Cloud or created by an operator */
	OUTBOX_REDRAW, /* a card after its decision: an edit of it or nothing */
};
const char *outbox_purpose_name(enum outbox_purpose purpose);

/* One part to be stored.  Strings are copied. */
struct obligation {
	/* unique, deterministic: a second store of it is a no-op */
	const char *delivery_id;
	const char *instance;
	struct cg_target target;
	enum outbox_purpose purpose;
	enum cg_outbound_kind kind; /* TEXT, EDIT, BUTTONS or FILE */
	const char *source; /* Markdown, NUL-ended */
	/* FINAL: delivery_id of the slot it replaces; REDRAW: of the card; NULL: none */
	const char *slot_id;
	/* What the card asks, stored if it is; copied.  NULL: nothing. */
	const struct inquiry_seed *asks;
	/* REDRAW: stored only if what a card asked is open, which is closed by it: the card of
	 * slot_id, or whose id begins with that and a colon.  @source then goes behind what the
	 * card said, and the row's id is the card's with OUTBOX_CLOSED behind it. */
	bool closes;
	const struct cg_button *buttons;
	size_t button_count;
	/* Without a path its content is @source, and lies in the row. */
	const struct cg_file *file;
	const char *session_id, *binding_id; /* where it came from; may be NULL */
	const char *claim; /* JSON: a Cloud delivery's claim; NULL: local */
	unsigned part, parts; /* from 1; 1 of 1 */
	int64_t deadline_ms; /* wall clock; 0: by the instance, hooks.lifetime_ms */
	bool silent;
};

/* How far a session has been rendered; moves in the transaction that stores its obligations. */
struct outbox_cursor {
	const char *binding_id; /* session binding */
	const char *epoch;
	int64_t sequence;
	bool abandons; /* the turn is over: what the session asked and is open ends now */
	struct inbox_mark_move marks; /* of messages whose turn began or ended by then */
};

/*
 * Store obligations, and a cursor (NULL: none), in one transaction, in the order given.
 * A delivery_id that is stored already is skipped: a repeat is harmless.  A FINAL whose slot
 * has never been tried supersedes it.  A cursor of a binding that is not stored is skipped.
 * LIMIT when the outbox is full: nothing is stored, nothing is lost, the caller pauses.
 * INVALID: a field is missing, too long or not UTF-8, or there are more than OUTBOX_STORE
 * obligations or OUTBOX_STORE_BYTES of text.
 */
void outbox_store(struct journal *journal, const struct obligation *obligations,
	size_t count, const struct outbox_cursor *cursor, journal_done done, void *arg);

/* Room for more obligations?  False: streams pause until hooks.outbox_ready or a send ends.
 * While it is true, one more store is accepted whole; so the cap is exceeded by one store less
 * one row at most. */
bool outbox_has_room(const struct journal *journal);

/* First in, first out: the lane of a route.  No thread and an empty one are the same. */
uint64_t outbox_lane(const char *instance, const char *chat_id, const char *thread_id);

/* One unfinished part in memory.  Strings lie inside the row: none is freed or replaced alone. */
struct outbox_row {
	int64_t id;
	uint64_t lane; /* hash of instance, chat and thread: first in, first out */
	char *delivery_id;
	char *instance;
	char *chat_id, *thread_id, *user_id, *message_id; /* target */
	char *context; /* of the target, the provider's own; NULL: none */
	bool is_direct;
	enum outbox_state state;
	enum outbox_purpose purpose;
	enum cg_outbound_kind kind;
	char *source;
	char *slot_id;
	bool slot_lost; /* the slot may stand in the chat all the same, and nobody knows where */
	char *slot_receipt; /* message id of the slot once it was sent; NULL: send anew */
	/* NULL or an array of {label, token, style, row}: style is an enum cg_button_style as a
	 * number, row is true where a button starts a row. */
	struct json_object *buttons;
	char *file_name, *file_mime,
		*file_path; /* a name without a path: source is the file */
	uint64_t file_bytes;
	char *claim;
	unsigned part, parts;
	unsigned attempts; /* sends begun */
	unsigned failures; /* that count towards the schedule: not rate limits */
	bool maybe_duplicate; /* an earlier attempt may have arrived: say so if it is sent again */
	bool silent;
	int64_t created_ms, not_before_ms, deadline_ms;
};
void outbox_row_destroy(struct outbox_row *row);

#define OUTBOX_DUE_MAX 256
#define OUTBOX_DUE_BYTES \
	(8u << 20) /* a page ends early behind this, but has one row at least */

/*
 * The next rows for the scheduler: heads of lanes that are not in @busy (a callback asked on
 * the loop is not possible on the writer: the caller passes a sorted array), pending or
 * unknown, with not_before_ms <= @now_ms.  Only the head of a lane decides: while it waits, its
 * lane waits.  Rows beyond their deadline are returned like the others.
 *
 * Three priorities act between lanes: approvals, questions, finals, errors and notices; then
 * slots; then files and deliveries.  Within one, who has been due longer comes first (a row
 * that has never been tried is due since it was stored), then the lower id.
 *
 * @next_due_ms is when the next waiting head of a lane that is not paused becomes due, later
 * than @now_ms, 0: none; rows that are due and did not fit do not count.  The callee takes
 * rows and array over.
 */
struct outbox_query {
	const uint64_t *busy; /* lanes in flight or held, sorted; copied */
	size_t busy_count;
	int64_t now_ms;
	size_t limit; /* at most OUTBOX_DUE_MAX */
	/* Instances that cannot send now: their lanes are passed over at no cost.  Copied. */
	const char *const *paused;
	size_t paused_count;
};
void outbox_due(struct journal *journal, const struct outbox_query *query,
	void (*page)(void *arg, enum cg_status status, struct outbox_row **rows,
		size_t count, int64_t next_due_ms),
	void *arg);

/* After a start: rows that were `sending` became `unknown`.  How many of each there were. */
struct outbox_recovery {
	int64_t pending, unknown;
};
void outbox_recover(struct journal *journal,
	void (*done)(
		void *arg, enum cg_status status, const struct outbox_recovery *recovery),
	void *arg);

/* Transitions.  Each compares the state it comes from: CONFLICT when the row has moved on. */

/* pending or unknown -> sending, attempts + 1.  Bytes may leave only after CG_OK. */
void outbox_sending(struct journal *journal, int64_t id, journal_done done, void *arg);

/* What has become of a part so far.  NOT_FOUND: it is not stored. */
void outbox_state_of(struct journal *journal, const char *delivery_id,
	void (*done)(void *arg, enum cg_status status, enum outbox_state state),
	void *arg);

struct outbox_result {
	enum outbox_state state; /* SENT, PENDING, UNKNOWN, DEAD or SUPERSEDED */
	const char *receipt; /* SENT: platform message id, may be NULL */
	int64_t not_before_ms; /* PENDING, UNKNOWN */
	bool counts; /* PENDING: a failure of the schedule, not a rate limit */
	bool maybe_duplicate; /* PENDING: an earlier attempt may have arrived */
	const char *outcome; /* class name, for the operator: "refused" */
	const char *scope;
	const char *reason; /* short: "deadline", "attempts", "refused", "operator" */
	int platform_status;
	const char *detail; /* last response */
	int64_t now_ms;
};
/* sending or unknown or pending -> result. */
void outbox_settle(struct journal *journal, int64_t id,
	const struct outbox_result *result, journal_done done, void *arg);

/*
 * Store obligations under ids that a program chose.  EXISTS: all of them are there and say the
 * same in the same place; CONFLICT: some are there, or say something else.  Otherwise as
 * outbox_store().
 */
void outbox_say(struct journal *journal, const struct obligation *obligations,
	size_t count, journal_done done, void *arg);

/* A row as the operator sees it: JSON in the shape of a delivery record. */
struct outbox_filter {
	const char *delivery_id; /* NULL: any */
	/* delivery record status (pending, claimed, sent, failed, dead) or NULL */
	const char *status;
	const char *instance; /* or NULL */
	int limit; /* 1..200 */
};
/* @deliveries is an array that the callee borrows. */
void outbox_list(struct journal *journal, const struct outbox_filter *filter,
	void (*done)(void *arg, enum cg_status status, struct json_object *deliveries),
	void *arg);

/* Operator: dead or failed -> pending, due now, keeping its schedule; CONFLICT when sent or in
 * flight; NOT_FOUND; DENIED when it is a Cloud's.  The record after the change. */
void outbox_retry(struct journal *journal, const char *delivery_id, int64_t now_ms,
	void (*done)(void *arg, enum cg_status status, struct json_object *delivery),
	void *arg);
#define OUTBOX_REVIVE 200 /* rows of one call; the oldest come first */
struct outbox_revival {
	int64_t since_ms; /* given up then or later */
	const char *instance; /* NULL: any */
	bool dry; /* only say which */
	int64_t now_ms;
};
/* Operator: all that is dead since then -> pending, as by outbox_retry(), in one transaction.
 * What is a Cloud's stays.  @deliveries is an array of records that the callee borrows. */
void outbox_revive(struct journal *journal, const struct outbox_revival *revival,
	void (*done)(void *arg, enum cg_status status, struct json_object *deliveries),
	void *arg);
/* Operator: any unfinished row that is not in flight -> dead(reason). */
void outbox_kill(struct journal *journal, const char *delivery_id, const char *reason,
	int64_t now_ms,
	void (*done)(void *arg, enum cg_status status, struct json_object *delivery),
	void *arg);

#endif
