/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Obligations under construction: they own their strings, are split for the channel before
 * rows exist, and have ids that a replay of the same events makes again.
 */
#ifndef COWGATE_GATEWAY_DRAFT_H
#define COWGATE_GATEWAY_DRAFT_H

#include "gateway/delivery/delivery.h"
#include "gateway/journal/cursor.h"
#include "gateway/journal/inbox.h"
#include "gateway/journal/outbox.h"

#define DRAFT_ID_MAX 512 /* bytes of a delivery id */

/* Where a conversation's words go.  Strings are owned. */
struct draft_route {
	char *instance;
	char *chat_id;
	char *thread_id; /* NULL: none */
	char *user_id; /* NULL: unknown */
	char *context; /* the provider's own; NULL: none */
	char *agent_id; /* the Cloud's, of the session's binding; NULL: not known */
	char *session_id, *binding_id; /* NULL: none */
	bool is_direct;
};

/* Copies; on failure @route is empty. */
enum cg_status draft_route_from_cursor(
	struct draft_route *route, const struct cursor *cursor);
enum cg_status draft_route_from_message(
	struct draft_route *route, const struct inbox_message *message);
enum cg_status draft_route_from_inquiry(
	struct draft_route *route, const struct inquiry *inquiry);
void draft_route_finish(struct draft_route *route);
void draft_route_view(const struct draft_route *route, struct delivery_route *ret);

/* A list for one transaction. */
struct drafts {
	struct obligation *items; /* owned, with their texts, buttons and seed */
	size_t count;
	size_t capacity;
};

void drafts_finish(struct drafts *drafts);
/* They go the way of @route, which they borrow from now on. */
void drafts_reroute(struct drafts *drafts, const struct draft_route *route);

struct draft_text {
	const char *delivery_id;
	const char *source;
	enum outbox_purpose purpose;
	const char *slot_id; /* or NULL */
};

/*
 * Add a text, in as many parts as the channel needs.  Ids are the given one, or with ":chunk:n"
 * when there are several.  @route is borrowed until the drafts are stored or finished.
 */
enum cg_status drafts_add_text(struct drafts *drafts, const struct outlet *outlet,
	const struct draft_route *route, const struct draft_text *text);

/* Add a file, which stays where it is until its receipt; or, with @content, one that is stored
 * with the row and has no path. */
enum cg_status drafts_add_file(struct drafts *drafts, const struct draft_route *route,
	const char *delivery_id, const struct cg_file *file, const char *content);

struct card;
/* Add a card with what it asks, copied, good until @expires_ms.  One part. */
enum cg_status drafts_add_card(struct drafts *drafts, const struct draft_route *route,
	const char *delivery_id, const struct card *card, int64_t expires_ms);

/*
 * Add the edit that a card gets when it is decided or gone.  With @closes it is stored only if
 * nobody has decided, ends that, and @source goes behind what the card said (@card_id may then be
 * the beginning of one, before a colon); without it @source
 * is all of the text.
 */
enum cg_status drafts_add_redraw(struct drafts *drafts, const struct draft_route *route,
	const char *card_id, const char *source, bool closes);

#endif
