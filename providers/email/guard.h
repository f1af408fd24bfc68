/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much one conversation may say in a while, so that two machines that answer each other stop.
 * Pure; kept in memory only, since a loop fills it again at once.
 */
#ifndef PROVIDERS_EMAIL_GUARD_H
#define PROVIDERS_EMAIL_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_MAILS 20 /* of one conversation */
#define GUARD_WINDOW_MS 600000 /* in so long */
#define GUARD_ENTRIES 512 /* conversations that are remembered, the busiest longest */

struct guard {
	struct guard_entry {
		uint64_t key; /* hash of sender and thread; 0: free */
		int64_t since_ms; /* monotonic: begin of its window */
		unsigned count;
	} entries[GUARD_ENTRIES];
};

/* Count one mail at monotonic @now_ms.  False: it is one too many and was not counted. */
bool guard_allow(
	struct guard *guard, const char *sender, const char *thread, int64_t now_ms);

#endif
