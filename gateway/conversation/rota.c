/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/rota.h"

#include "gateway/conversation/stream.h"
#include "gateway/conversation/stream_inside.h"

#include <stdlib.h>
#include <string.h>

struct parked {
	TAILQ_ENTRY(parked) link;
	char binding_id[];
};

void rota_park(struct conversation *conversation, const char *binding_id)
{
	struct rota *rota = &conversation->rota;
	size_t length = strlen(binding_id) + 1;
	struct parked *parked, *other;

	TAILQ_FOREACH (other, &rota->parked, link) {
		if (strcmp(other->binding_id, binding_id) == 0)
			return;
	}
	/* Without a place in memory it is found again in the journal. */
	rota->more = true;
	parked = rota->count < ROTA_PARKED ? malloc(sizeof(*parked) + length) : NULL;
	if (parked == NULL)
		return;
	memcpy(parked->binding_id, binding_id, length);
	TAILQ_INSERT_TAIL(&rota->parked, parked, link);
	rota->count++;
	if (!loop_timer_pending(&rota->turn))
		loop_timer_set(&rota->turn, ROTA_TURN_MS);
}

static void forget(struct rota *rota, struct parked *parked)
{
	TAILQ_REMOVE(&rota->parked, parked, link);
	rota->count--;
	free(parked);
}

bool rota_make_room(struct conversation *conversation)
{
	int64_t now = conversation_mono_ms(conversation);
	struct stream *stream;

	TAILQ_FOREACH (stream, &conversation->streams, link) {
		if (stream->expected > 0 || stream->storing || stream->drafts.count > 0 ||
			now - stream->opened_ms < ROTA_TURN_MS)
			continue;
		/* Its cursor stays before what it shows: nothing of it is lost. */
		if (stream->open)
			rota_park(conversation, stream->route.binding_id);
		stream_destroy(stream);
		return true;
	}
	return false;
}

static const struct cursor *find(
	const struct cursor *cursors, size_t count, const char *binding_id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(cursors[i].binding_id, binding_id) == 0)
			return &cursors[i];
	}
	return NULL;
}

/* In their order, a part of the streams in each turn; what is settled meanwhile is left out. */
static void take_turns(
	struct conversation *conversation, const struct cursor *cursors, size_t count)
{
	struct rota *rota = &conversation->rota;
	size_t left = conversation->options.streams / ROTA_SHARE + 1,
	       waiting = rota->count;

	while (left > 0 && waiting-- > 0) {
		struct parked *parked = TAILQ_FIRST(&rota->parked);
		const struct cursor *cursor = find(cursors, count, parked->binding_id);
		struct stream *stream = stream_find(conversation, parked->binding_id);
		enum cg_status status;

		if (cursor == NULL || stream != NULL) {
			forget(rota, parked);
			continue;
		}
		status = stream_open(conversation, cursor, &stream, NULL);
		if (status != CG_OK)
			return; /* all are busy, or young */
		stream_remember(stream, cursor);
		forget(rota, parked);
		left--;
	}
}

static void listed(
	void *arg, enum cg_status status, const struct cursor *cursors, size_t count)
{
	struct conversation *conversation = arg;
	struct rota *rota = &conversation->rota;

	rota->listing = false;
	if (!conversation->running)
		return;
	if (status == CG_OK) {
		rota->more = false;
		for (size_t i = 0; i < count; i++) {
			if (stream_find(conversation, cursors[i].binding_id) == NULL)
				rota_park(conversation, cursors[i].binding_id);
		}
		take_turns(conversation, cursors, count);
	}
	if (rota->count > 0 || rota->more || status != CG_OK)
		loop_timer_set(&rota->turn, ROTA_TURN_MS);
}

static void turn_came(void *arg)
{
	struct conversation *conversation = arg;

	if (!conversation->running || conversation->rota.listing)
		return;
	conversation->rota.listing = true;
	cursor_list_open(conversation->parts.journal,
		conversation->options.streams + ROTA_PARKED, listed, conversation);
}

void rota_look(struct conversation *conversation)
{
	loop_timer_set(&conversation->rota.turn, ROTA_TURN_MS);
}

enum cg_status rota_init(struct conversation *conversation)
{
	TAILQ_INIT(&conversation->rota.parked);
	return loop_timer_init(&conversation->rota.turn, conversation->parts.loop,
		turn_came, conversation);
}

void rota_finish(struct conversation *conversation)
{
	struct rota *rota = &conversation->rota;

	while (!TAILQ_EMPTY(&rota->parked))
		forget(rota, TAILQ_FIRST(&rota->parked));
	loop_timer_finish(&rota->turn);
}
