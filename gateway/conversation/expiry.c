/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/expiry.h"

#include "gateway/conversation/draft.h"

#define EXPIRY_MS 60000

static bool is_any_asked(const struct conversation *conversation)
{
	struct journal_figures figures;

	journal_figures(conversation->parts.journal, &figures);
	return figures.inquiries > 0;
}

static void close_one(struct conversation *conversation, const struct inquiry *inquiry)
{
	struct drafts drafts = {.count = 0};
	struct draft_route route;

	if (draft_route_from_inquiry(&route, inquiry) != CG_OK)
		return; /* the next look finds it again */
	if (drafts_add_redraw(&drafts, &route, inquiry->card_id,
		    words_text(WORDS_CARD_GONE), true) == CG_OK)
		outbox_store(conversation->parts.journal, drafts.items, drafts.count,
			NULL, NULL, NULL);
	drafts_finish(&drafts);
	draft_route_finish(&route);
}

static void found(
	void *arg, enum cg_status status, const struct inquiry *inquiries, size_t count)
{
	struct conversation *conversation = arg;

	conversation->expiring = false;
	if (!conversation->running)
		return;
	for (size_t i = 0; status == CG_OK && i < count; i++)
		close_one(conversation, &inquiries[i]);
	expiry_watch(conversation);
}

void expiry_look(struct conversation *conversation)
{
	const struct clock *clock = loop_clock(conversation->parts.loop);

	if (!conversation->running || conversation->expiring ||
		!is_any_asked(conversation))
		return;
	/* By a clock that is not believable nothing is late. */
	if (!clock_sane(clock)) {
		loop_timer_set(&conversation->expiry, EXPIRY_MS);
		return;
	}
	conversation->expiring = true;
	inquiry_find_expired(
		conversation->parts.journal, clock_wall(clock), found, conversation);
}

void expiry_watch(struct conversation *conversation)
{
	if (conversation->running && !conversation->expiring &&
		!loop_timer_pending(&conversation->expiry) && is_any_asked(conversation))
		loop_timer_set(&conversation->expiry, EXPIRY_MS);
}

static void due(void *arg)
{
	expiry_look(arg);
}

enum cg_status expiry_init(struct conversation *conversation)
{
	return loop_timer_init(
		&conversation->expiry, conversation->parts.loop, due, conversation);
}

void expiry_finish(struct conversation *conversation)
{
	loop_timer_finish(&conversation->expiry);
}
