/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads in channels that we take part in, in which we answer without being mentioned.
 *
 * The newest few hundred are remembered, also over a restart: as text, in pages that are
 * checkpoints.  A page changes with the message that begins a thread, in its transaction.
 */
#ifndef PROVIDERS_SLACK_THREADS_H
#define PROVIDERS_SLACK_THREADS_H

#include <cowgate/host.h>

#define SLACK_THREAD_PAGES 8
#define SLACK_THREAD_PAGE 1000 /* bytes, the limit of a checkpoint's value being 1024 */
#define SLACK_THREAD_NAME \
	128 /* bytes of "<channel>:<thread>"; longer ones are not kept */

struct slack_threads {
	/* "<number> <channel>:<thread> <channel>:<thread> ": the highest number is being filled */
	char pages[SLACK_THREAD_PAGES][SLACK_THREAD_PAGE + 1];
	unsigned page;
	uint64_t number;
	bool unsaved;
	char key[16];
};

void slack_threads_load(struct slack_threads *threads, const struct cg_host *host);
bool slack_threads_know(
	const struct slack_threads *threads, const char *channel, const char *thread);
void slack_threads_add(
	struct slack_threads *threads, const char *channel, const char *thread);
/* What to store with the message at hand; false: nothing has changed. */
bool slack_threads_save(struct slack_threads *threads, struct cg_checkpoint *ret);
/* It was stored. */
void slack_threads_saved(struct slack_threads *threads);

#endif
