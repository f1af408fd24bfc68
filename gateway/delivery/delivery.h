/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbox to platform: what is due, one in flight a lane, the outcome, the receipt.  There is no
 * other retrier.  Previews (typing, edits between first and final text) live in memory here,
 * latest wins, and go out only when no obligation of their lane is waiting.
 */
#ifndef COWGATE_GATEWAY_DELIVERY_H
#define COWGATE_GATEWAY_DELIVERY_H

#include "gateway/delivery/outlet.h"
#include "gateway/journal/outbox.h"
#include "runtime/loop.h"

struct delivery;

/* What happened to a part, for metrics, log and the operator.  Borrowed during the call. */
struct delivery_report {
	const struct outbox_row *row;
	enum outbox_state state; /* after the commit */
	const struct cg_outcome *outcome; /* NULL for deadline and operator */
	int64_t latency_ms; /* from creation to receipt, SENT only */
	const char *reason; /* DEAD */
};

struct delivery_options {
	size_t concurrency; /* sends in flight, 1..256 */
	size_t window; /* rows held in memory */
	int64_t send_timeout_ms; /* of one provider call */
	/* Where a file that lies in its row is put while it is sent; borrowed. */
	const char *spool_dir;
	uint64_t (*random)(void *arg);
	void (*report)(void *arg, const struct delivery_report *report);
	/* An instance's account was refused: its lanes are paused until delivery_resume(). */
	void (*account_refused)(void *arg, const char *instance, const char *detail);
	void *arg;
};

enum cg_status delivery_create(struct loop *loop, struct journal *journal,
	const struct outlet *outlet, const struct delivery_options *options,
	struct delivery **ret, struct cg_error *err);
void delivery_destroy(struct delivery *delivery);

/* Recover what was in flight, then begin.  @started tells what was found. */
void delivery_start(struct delivery *delivery,
	void (*started)(
		void *arg, enum cg_status status, const struct outbox_recovery *recovery),
	void *arg);
/* No new sends; @drained once nothing is in flight. */
void delivery_drain(struct delivery *delivery, void (*drained)(void *arg), void *arg);

/* New rows, a provider that can send again, a moved clock: look again. */
void delivery_wake(struct delivery *delivery);
void delivery_pause(struct delivery *delivery, const char *instance);
void delivery_resume(struct delivery *delivery, const char *instance);

/* Of the sends that begin from now on. */
void delivery_set_timeout(struct delivery *delivery, int64_t send_timeout_ms);

size_t delivery_in_flight(const struct delivery *delivery);

/* Where a preview goes. */
struct delivery_route {
	const char *instance;
	struct cg_target target;
};

/*
 * Show @source as the current text of a streamed answer whose slot is @slot_id (a delivery id
 * of purpose OUTBOX_SLOT).  At most one edit per chat and second; dropped when refused, when
 * the slot has no receipt yet only the latest is kept.  @length in bytes.
 */
void delivery_preview(struct delivery *delivery, const struct delivery_route *route,
	const char *slot_id, const char *source, size_t length);
/* The answer is complete or gone: forget the slot's previews. */
void delivery_preview_end(struct delivery *delivery, const char *slot_id);

/* Show "typing" until @until_mono_ms, renewed as the platform needs it; a later call moves it;
 * 0 ends it.  One lease a route, at most 1024. */
void delivery_typing(struct delivery *delivery, const struct delivery_route *route,
	int64_t until_mono_ms);

/* Answer a pressed button: once, never repeated, nothing is stored. */
void delivery_answer(struct delivery *delivery, const struct delivery_route *route,
	const char *interaction_id, const char *text, bool alert);

/* Mark the person's message target.message_id, where the platform can: once, nothing is stored.
 * The mark takes the place of an earlier one, whose end it waits for.  It waits for the account's
 * rate and for a channel that cannot send now, for a minute at most. */
void delivery_react(struct delivery *delivery, const struct delivery_route *route,
	enum cg_reaction reaction);

#endif
