/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/limiter.h"

#include <cowgate/sdk/error.h>
#include <stdbool.h>
#include <stdlib.h>

struct entry {
	uint64_t key; /* 0: free */
	int64_t window_end_ms;
	int64_t blocked_until_ms;
	uint32_t count;
};

struct limiter {
	uint64_t seed;
	struct entry entries[LIMITER_SETS][LIMITER_WAYS];
};

enum cg_status limiter_create(uint64_t seed, struct limiter **ret, struct cg_error *err)
{
	struct limiter *limiter = calloc(1, sizeof(*limiter));

	if (limiter == NULL)
		return cg_error_nomem(err);
	limiter->seed = seed;
	*ret = limiter;
	return CG_OK;
}

void limiter_destroy(struct limiter *limiter)
{
	free(limiter);
}

/* FNV-1a from a secret start, with the end of each part mixed in. */
static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return (hash ^ 0xff) * UINT64_C(1099511628211);
}

uint64_t limiter_key(const struct limiter *limiter, const char *what, const char *source,
	const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ limiter->seed;

	hash = mix(mix(mix(hash, what), source), name);
	hash ^= hash >> 29;
	return hash == 0 ? 1 : hash;
}

static bool is_over(const struct entry *entry, int64_t now_ms)
{
	return entry->window_end_ms <= now_ms && entry->blocked_until_ms <= now_ms;
}

static struct entry *find(struct limiter *limiter, uint64_t key)
{
	struct entry *set = limiter->entries[key % LIMITER_SETS];

	for (size_t i = 0; i < LIMITER_WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
	}
	return NULL;
}

/* A place for a new key: a free or finished one, else the one that ends soonest unblocked. */
static struct entry *claim(struct limiter *limiter, uint64_t key, int64_t now_ms)
{
	struct entry *set = limiter->entries[key % LIMITER_SETS], *best = &set[0];

	for (size_t i = 0; i < LIMITER_WAYS; i++) {
		bool blocked = set[i].blocked_until_ms > now_ms;
		bool best_blocked = best->blocked_until_ms > now_ms;

		if (set[i].key == 0 || is_over(&set[i], now_ms)) {
			best = &set[i];
			break;
		}
		if (blocked < best_blocked ||
			(blocked == best_blocked &&
				set[i].window_end_ms < best->window_end_ms))
			best = &set[i];
	}
	*best = (struct entry){.key = key};
	return best;
}

int64_t limiter_hit(struct limiter *limiter, uint64_t key,
	const struct limiter_rule *rule, int64_t now_ms)
{
	struct entry *entry = find(limiter, key);

	if (entry == NULL)
		entry = claim(limiter, key, now_ms);
	if (entry->blocked_until_ms > now_ms)
		return entry->blocked_until_ms - now_ms;
	if (entry->window_end_ms <= now_ms) {
		entry->window_end_ms = now_ms + rule->window_ms;
		entry->count = 0;
	}
	entry->count++;
	if (entry->count <= rule->limit)
		return 0;
	entry->blocked_until_ms =
		rule->block_ms > 0 ? now_ms + rule->block_ms : entry->window_end_ms;
	return entry->blocked_until_ms - now_ms;
}

int64_t limiter_peek(struct limiter *limiter, uint64_t key, int64_t now_ms)
{
	const struct entry *entry = find(limiter, key);

	return entry == NULL || entry->blocked_until_ms <= now_ms
		       ? 0
		       : entry->blocked_until_ms - now_ms;
}
