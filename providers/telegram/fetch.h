/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file that a person has sent: asked for by getFile, then fetched into the spool.
 *
 * A file that cannot be had is named with one sentence; its message never waits for it longer
 * than the two deadlines of fetch.c.
 */
#ifndef PROVIDERS_TELEGRAM_FETCH_H
#define PROVIDERS_TELEGRAM_FETCH_H

#include "wire.h"

#include <cowgate/sdk/download.h>
#include <cowgate/sdk/spool.h>

struct telegram;

struct telegram_fetch {
	struct telegram *telegram; /* borrowed */
	enum telegram_fetch_state {
		TELEGRAM_FETCH_WAITING,
		TELEGRAM_FETCH_RUNNING,
		TELEGRAM_FETCH_DONE,
	} state;
	struct cg_http_call *call; /* getFile */
	struct cg_download *download;
	void (*done)(void *arg); /* never from inside telegram_fetch_start() */
	void *arg;
	const char *file_id, *mime_type; /* borrowed from the update */
	int64_t bytes; /* as announced, then as they came; -1: unknown */
	const char *failure; /* "could not be …"; NULL: none */
	char filename[256];
	char path[CG_SPOOL_PATH]; /* owned file; "": there is none */
};

/* @message's attachment; @done once for each start. */
void telegram_fetch_init(struct telegram_fetch *fetch, struct telegram *telegram,
	const struct telegram_message *message, void (*done)(void *arg), void *arg);
/* Runs, or is done at once with a failure. */
void telegram_fetch_start(struct telegram_fetch *fetch);
/* It ends here; a file that was fetched goes unless it was kept. */
void telegram_fetch_finish(struct telegram_fetch *fetch);
/* The file is somebody else's from now on. */
void telegram_fetch_keep(struct telegram_fetch *fetch);

#endif
