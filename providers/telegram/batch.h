/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one getUpdates brought, until all of it is stored.
 *
 * Telegram forgets what lies below the offset that is asked for, so the next getUpdates leaves
 * only when the whole batch has its verdicts, and never asks beyond a message that could not be
 * stored.
 *
 * An album comes as one update a picture.  One that ends a batch may go on in the next, so it
 * stays at Telegram for a moment and is asked for again, until it grows no more.
 */
#ifndef PROVIDERS_TELEGRAM_BATCH_H
#define PROVIDERS_TELEGRAM_BATCH_H

#include "wire.h"

#include <cowgate/host.h>

struct telegram;

/* A message that waits for its verdict. */
struct telegram_pending {
	struct telegram_batch *batch;
	int64_t update_id;
};

struct telegram_batch {
	struct telegram *telegram; /* borrowed */
	int64_t offset; /* next to ask for; 0: not known */
	unsigned limit; /* updates to ask for */
	struct telegram_pending pending[TELEGRAM_BATCH];
	size_t count; /* messages of the batch that are for us */
	size_t open; /* their verdicts to come */
	bool empty; /* nothing was in it */
	bool rode; /* the offset was stored with the only message */
	int64_t end; /* offset behind the batch */
	int64_t held; /* first update that could not be stored; 0: none */
	int64_t album; /* first update of an album that is waited for; 0: none */
	size_t album_size; /* as it was last */
	unsigned album_waits; /* times it was waited for */
	bool waits; /* the end is an album that may go on */
};

void telegram_batch_init(struct telegram_batch *batch, struct telegram *telegram);
/* The stored offset of the bot that we are. */
void telegram_batch_load(struct telegram_batch *batch);
/* Take the result of getUpdates; telegram_line_go_on() follows, perhaps at once. */
void telegram_batch_take(struct telegram_batch *batch, struct json_object *updates);

#endif
