/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-window limits per key, with a block that outlives its window.  Bounded: a full set
 * gives up the entry that ends soonest and does not block.  Time is an argument.
 */
#ifndef COWGATE_GATEWAY_LIMITER_H
#define COWGATE_GATEWAY_LIMITER_H

#include <cowgate/status.h>
#include <stdint.h>

#define LIMITER_SETS 2048
#define LIMITER_WAYS 4 /* 8192 keys in all */

struct limiter;

struct limiter_rule {
	uint32_t limit; /* hits in a window; the next is refused */
	int64_t window_ms;
	int64_t block_ms; /* from the refused hit; 0: until the window ends */
};

/* @seed makes the places of keys unpredictable. */
enum cg_status limiter_create(uint64_t seed, struct limiter **ret, struct cg_error *err);
void limiter_destroy(struct limiter *limiter);

/* The key of a source and a configured name; "" for a part that does not matter. */
uint64_t limiter_key(const struct limiter *limiter, const char *what, const char *source,
	const char *name);

/* Count a hit.  0: allowed; else milliseconds until it is allowed again. */
int64_t limiter_hit(struct limiter *limiter, uint64_t key,
	const struct limiter_rule *rule, int64_t now_ms);
/* As limiter_hit() without counting: only an active block refuses. */
int64_t limiter_peek(struct limiter *limiter, uint64_t key, int64_t now_ms);

#endif
