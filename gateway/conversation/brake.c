/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/brake.h"

#include <stddef.h>

static struct brake_chat *find(struct brake *brake, uint64_t lane)
{
	struct brake_chat *set = brake->chats[lane % BRAKE_SETS];

	for (size_t i = 0; i < BRAKE_WAYS; i++) {
		if (set[i].lane == lane)
			return &set[i];
	}
	return NULL;
}

/* Only a chat that is heard can loop: it gets its place then. */
static struct brake_chat *find_room(struct brake *brake, uint64_t lane)
{
	struct brake_chat *set = brake->chats[lane % BRAKE_SETS], *room = &set[0];

	for (size_t i = 1; i < BRAKE_WAYS; i++) {
		if (set[i].heard_ms < room->heard_ms)
			room = &set[i];
	}
	*room = (struct brake_chat){.lane = lane};
	return room;
}

void brake_said(struct brake *brake, uint64_t lane, int64_t wall_ms, bool begins)
{
	struct brake_chat *chat = find(brake, lane);

	/* Who answers before we know that it has arrived has answered already. */
	if (chat == NULL || (!begins && !chat->said))
		return;
	if (begins)
		chat->begun_ms = wall_ms;
	chat->said = true;
	chat->said_ms = wall_ms;
}

static int64_t rest_of(const struct brake_chat *chat)
{
	int64_t rest = BRAKE_REST_MS;

	for (unsigned i = 0; i < chat->rests && rest < BRAKE_REST_MAX_MS; i++)
		rest *= 2;
	return rest < BRAKE_REST_MAX_MS ? rest : BRAKE_REST_MAX_MS;
}

enum brake_verdict brake_heard(struct brake *brake, uint64_t lane, int64_t received_ms,
	int64_t mono_ms, int64_t *ret_rest_ms)
{
	struct brake_chat *chat = find(brake, lane);
	bool quick;

	if (chat == NULL)
		chat = find_room(brake, lane);
	quick = chat->said && received_ms >= chat->begun_ms &&
		received_ms - chat->said_ms <= BRAKE_QUICK_MS;
	chat->said = false;
	chat->heard_ms = mono_ms;
	if (mono_ms < chat->rests_until_ms)
		return BRAKE_RESTS;
	chat->turns = quick ? chat->turns + 1 : 0;
	if (chat->turns < BRAKE_TURNS)
		return BRAKE_FREE;
	if (chat->rests > 0 && mono_ms - chat->rested_ms > 2 * BRAKE_REST_MAX_MS)
		chat->rests = 0; /* a long time ago */
	*ret_rest_ms = rest_of(chat);
	chat->turns = 0;
	chat->rests++;
	chat->rested_ms = mono_ms;
	chat->rests_until_ms = mono_ms + *ret_rest_ms;
	return BRAKE_BEGINS;
}
