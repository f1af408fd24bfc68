/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receiver that does not answer is left alone for a while, then asked by one delivery, and
 * by the rest only when that one got through.  Pure: time is an argument, any clock that does
 * not go back.
 */
#ifndef PROVIDERS_WEBHOOK_BREAKER_H
#define PROVIDERS_WEBHOOK_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_FAILURES 5 /* in a row */
#define BREAKER_FIRST_MS 30000 /* left alone; doubled by each probe that fails */
#define BREAKER_LAST_MS 300000
#define BREAKER_PROBE_MS 2000 /* before the others ask how the probe went */

/* All zeros: closed. */
struct breaker {
	unsigned failures; /* in a row */
	int64_t span_ms; /* left alone for so long; 0: closed */
	int64_t until_ms;
	bool probing; /* the one delivery is on its way */
};

/* May a delivery begin?  0: yes, and its end must be told; else come again after so long. */
int64_t breaker_ask(struct breaker *breaker, int64_t now_ms);
/* How it ended: did the receiver answer at all?  True when that opens or closes the breaker. */
bool breaker_tell(struct breaker *breaker, bool answered, int64_t now_ms);
/* A delivery that was let through never began. */
void breaker_forget(struct breaker *breaker);
bool breaker_is_open(const struct breaker *breaker);

#endif
