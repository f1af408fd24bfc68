/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/live.h"

#include <stdlib.h>

static struct live **bucket(struct live_table *table, int64_t session)
{
	return &table->buckets[(uint64_t)session % LIVE_BUCKETS];
}

struct live *live_find(struct live_table *table, int64_t session)
{
	struct live *live = *bucket(table, session);

	while (live != NULL && live->session != session)
		live = live->next;
	return live;
}

struct live *live_get(struct live_table *table, int64_t session)
{
	struct live *live = live_find(table, session);
	struct live **first = bucket(table, session);

	if (live != NULL)
		return live;
	live = calloc(1, sizeof(*live));
	if (live == NULL)
		return NULL;
	live->session = session;
	live->next = *first;
	*first = live;
	return live;
}

void live_release(struct live_table *table, struct live *live)
{
	struct live **link = bucket(table, live->session);

	if (live->streams != NULL || live->turn != NULL)
		return;
	while (*link != live)
		link = &(*link)->next;
	*link = live->next;
	free(live);
}

struct live *live_any(struct live_table *table)
{
	for (size_t i = 0; i < LIVE_BUCKETS; i++) {
		if (table->buckets[i] != NULL)
			return table->buckets[i];
	}
	return NULL;
}
