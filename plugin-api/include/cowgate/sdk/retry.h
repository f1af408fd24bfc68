/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again: pure arithmetic over a schedule, time and randomness as arguments. */
#ifndef COWGATE_SDK_RETRY_H
#define COWGATE_SDK_RETRY_H

#include <stddef.h>
#include <stdint.h>

struct cg_retry_schedule {
	const int64_t *delays_ms;
	size_t count;
	int64_t tail_ms; /* after the last entry: repeat this; -1: no further attempt */
};

extern const struct cg_retry_schedule
	cg_retry_chat; /* 1, 5, 15, 60 s, then every 5 min */
extern const struct cg_retry_schedule
	cg_retry_webhook; /* 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h */

/*
 * Delay before the attempt after @failed attempts (from 1), with jitter of 20 % either way
 * drawn from @random; -1 when there is none.
 */
int64_t cg_retry_delay(
	const struct cg_retry_schedule *schedule, unsigned failed, uint64_t random);

/* Full jitter: uniform in base .. min(cap, base * 2^failed), for reconnects. */
int64_t cg_retry_reconnect(
	int64_t base_ms, int64_t cap_ms, unsigned failed, uint64_t random);

#endif
