/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool's broom: files that people sent lie there until their message is handed over, and
 * files that a Cloud's agent made until they are sent.  At the start and then hourly, what no
 * pending message or part names and is older than SPOOL_KEEP_MS is removed.  Loop thread only; the directory is read on the offload pool.
 */
#ifndef COWGATE_GATEWAY_SPOOL_H
#define COWGATE_GATEWAY_SPOOL_H

#include "gateway/journal/journal.h"

/* A file is younger than this while its message is on its way into the journal. */
#define SPOOL_KEEP_MS (INT64_C(15) * 60 * 1000)
#define SPOOL_SWEEP_MS (INT64_C(60) * 60 * 1000)

struct spool;

struct spool_options {
	struct loop *loop;
	struct offload *offload;
	struct journal *journal;
	const char *directory; /* borrowed for its life */
	/* What a sweep has removed, told if it is anything; may be NULL. */
	void (*swept)(void *arg, size_t files);
	void *arg;
};

enum cg_status spool_create(
	const struct spool_options *options, struct spool **ret, struct cg_error *err);
/* No further sweep; before the pool goes.  NULL is accepted. */
void spool_stop(struct spool *spool);
/* After the pool and the journal are closed, which call back. */
void spool_destroy(struct spool *spool);

/* Sweep now, and from then on. */
void spool_start(struct spool *spool);

#endif
