/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates on their way into the journal, whichever way they came.
 *
 * A message's files are fetched first, a few at a time.  Messages of one chat are submitted in
 * the order in which they came; others do not wait for them.
 */
#ifndef PROVIDERS_TELEGRAM_INTAKE_H
#define PROVIDERS_TELEGRAM_INTAKE_H

#include "fetch.h"

#include <sys/queue.h>

#define TELEGRAM_ARRIVALS 512 /* at once */
#define TELEGRAM_FETCHES 4 /* files at once */

struct telegram_arrival;

struct telegram_intake {
	struct telegram *telegram; /* borrowed */
	TAILQ_HEAD(telegram_arrivals, telegram_arrival) open;
	size_t count;
	bool stopping;
};

enum telegram_added {
	TELEGRAM_ADDED, /* the verdict will come */
	TELEGRAM_NOT_OURS, /* nothing will: it needs no answer from us */
	TELEGRAM_FULL, /* it must come again later */
};

void telegram_intake_init(struct telegram_intake *intake, struct telegram *telegram);

/*
 * Take @count updates, more than one being an album.  @done fires once, never from inside.
 * Nothing is submitted before telegram_intake_run().
 */
enum telegram_added telegram_intake_add(struct telegram_intake *intake,
	struct json_object *const *updates, size_t count, cg_submit_done done, void *arg);
/* The next getUpdates offset rides with the newest arrival; false: it cannot. */
bool telegram_intake_ride(struct telegram_intake *intake, int64_t offset);
void telegram_intake_run(struct telegram_intake *intake);

/* What was not submitted yet is given back as UNAVAILABLE. */
void telegram_intake_stop(struct telegram_intake *intake);
/* For ops->destroy(): everything is. */
void telegram_intake_finish(struct telegram_intake *intake);

#endif
