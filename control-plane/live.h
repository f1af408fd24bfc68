/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that something is going on in: a turn, or readers of their stream.  Loop
 * thread. */
#ifndef COWGATE_CONTROL_PLANE_LIVE_H
#define COWGATE_CONTROL_PLANE_LIVE_H

#include <stddef.h>
#include <stdint.h>

#define LIVE_BUCKETS 1024

struct plane_exchange;
struct turn;

struct live {
	int64_t session;
	struct live *next;
	struct plane_exchange *streams; /* linked by next_stream */
	struct turn *turn; /* NULL: nothing waits or runs */
};

/* Zero is empty. */
struct live_table {
	struct live *buckets[LIVE_BUCKETS];
};

struct live *live_find(struct live_table *table, int64_t session);
/* Find or make; NULL without memory. */
struct live *live_get(struct live_table *table, int64_t session);
/* Forget it when nothing is going on any more. */
void live_release(struct live_table *table, struct live *live);
/* Any one of them; NULL when the table is empty. */
struct live *live_any(struct live_table *table);

#endif
