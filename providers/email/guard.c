/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <cowgate/sdk/crypto.h>
#include <string.h>

static uint64_t key_of(const char *sender, const char *thread)
{
	const char *parts[] = {sender, thread};
	uint8_t hash[CG_SHA256];
	uint64_t key;

	cg_sha256_joined(parts, 2, hash);
	memcpy(&key, hash, sizeof(key));
	return key == 0 ? 1 : key;
}

bool guard_allow(
	struct guard *guard, const char *sender, const char *thread, int64_t now_ms)
{
	uint64_t key = key_of(sender, thread);
	struct guard_entry *room = &guard->entries[0];

	for (size_t i = 0; i < GUARD_ENTRIES; i++) {
		struct guard_entry *entry = &guard->entries[i];

		if (entry->key != 0 && now_ms - entry->since_ms >= GUARD_WINDOW_MS)
			entry->key = 0;
		if (entry->key == key) {
			if (entry->count >= GUARD_MAILS)
				return false;
			entry->count++;
			return true;
		}
		/* A free one, else the one that has said least. */
		if (room->key != 0 && (entry->key == 0 || entry->count < room->count))
			room = entry;
	}
	*room = (struct guard_entry){.key = key, .since_ms = now_ms, .count = 1};
	return true;
}
