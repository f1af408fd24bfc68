/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line to the platform: which bot we are, by which way updates come, and whether they still
 * do.  Polling asks for them without end; in webhook mode the platform calls, and is asked now
 * and then whether it gets through.
 *
 * Hearing has a clock of its own: what is sent meanwhile proves nothing about it.
 */
#ifndef PROVIDERS_TELEGRAM_LINE_H
#define PROVIDERS_TELEGRAM_LINE_H

#include "batch.h"

struct telegram_line {
	struct telegram *telegram; /* borrowed */
	bool started;
	enum telegram_step {
		TELEGRAM_GET_ME,
		TELEGRAM_DELETE_WEBHOOK,
		TELEGRAM_SET_WEBHOOK,
		TELEGRAM_SET_COMMANDS,
		TELEGRAM_GET_UPDATES, /* again and again */
		TELEGRAM_WATCH, /* again and again: getWebhookInfo */
	} step;
	struct cg_http_call *call; /* under way */
	struct cg_timer *timer; /* until the next one */
	unsigned failures; /* in a row */
	int64_t heard_ms; /* monotonic: last sign of updates, or the first start */
	int64_t conflict_ms; /* monotonic: since when another one polls; 0: none does */
	int64_t asked_ms; /* monotonic: when the last getUpdates left */
	int64_t called_ms; /* wall clock: last authentic call of the platform; 0: none */
	struct telegram_batch batch;
};

void telegram_line_init(struct telegram_line *line, struct telegram *telegram);
void telegram_line_start(struct telegram_line *line);
void telegram_line_stop(struct telegram_line *line);

/* The batch is done with: ask for the next one, @delay_ms from now. */
void telegram_line_go_on(struct telegram_line *line, int64_t delay_ms);
/* How long ago the last getUpdates left. */
int64_t telegram_line_asked(const struct telegram_line *line);

/* Does the line take calls of the platform now? */
bool telegram_line_takes_calls(const struct telegram_line *line);
/* One has come. */
void telegram_line_called(struct telegram_line *line);

#endif
