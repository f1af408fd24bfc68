/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long polling: who we are, no webhook, then getUpdates for ever.
 *
 * Telegram forgets what lies below the offset that is asked for, so the next getUpdates leaves
 * only when the whole batch has its verdicts, and never asks beyond a message that could not be
 * stored.
 */
#ifndef PROVIDERS_TELEGRAM_POLL_H
#define PROVIDERS_TELEGRAM_POLL_H

#include "wire.h"

#include <cowgate/host.h>

struct telegram;

/* A submitted update that waits for its verdict. */
struct telegram_pending {
	struct telegram_poll *poll;
	int64_t update_id;
};

struct telegram_poll {
	struct telegram *telegram; /* borrowed */
	bool started;
	enum telegram_step {
		TELEGRAM_GET_ME,
		TELEGRAM_DELETE_WEBHOOK,
		TELEGRAM_GET_UPDATES,
	} step;
	struct cg_http_call *call; /* under way */
	struct cg_timer *timer; /* until the next one */
	unsigned failures; /* in a row */
	int64_t heard_ms; /* monotonic: last answer to getUpdates, or the first start */
	int64_t conflict_ms; /* monotonic: since when another one polls; 0: none does */

	int64_t asked_ms; /* monotonic: when the last getUpdates left */
	int64_t offset; /* next to ask for; 0: not known */
	unsigned limit; /* updates to ask for */
	struct telegram_pending pending[TELEGRAM_BATCH];
	size_t open; /* verdicts to come */
	bool empty; /* nothing was in the last batch */
	bool rode; /* the offset was stored with the only message */
	int64_t end; /* offset behind the batch */
	int64_t held; /* first update that could not be stored; 0: none */
};

void telegram_poll_init(struct telegram_poll *poll, struct telegram *telegram);
void telegram_poll_start(struct telegram_poll *poll);
void telegram_poll_stop(struct telegram_poll *poll);

#endif
