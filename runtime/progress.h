/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does something that has work get on with it?  Whoever watches looks at it from time to time; time
 * is an argument, monotonic.
 */
#ifndef COWGATE_RUNTIME_PROGRESS_H
#define COWGATE_RUNTIME_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Zero is a good beginning. */
struct progress {
	bool busy; /* at the last look */
	uint64_t count;
	int64_t since_ms; /* the look that first saw it busy at this count */
};

/* For how long it has been busy while @count stood still, as far as the looks tell: a number that
 * changes with every piece of work that ends. */
int64_t progress_stall_ms(
	struct progress *progress, bool busy, uint64_t count, int64_t now_ms);

#endif
