/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepting goes before processing: how many messages are handed over while many come in.
 *
 * Handing a message over costs ten times what accepting it costs, on the same disk.  A sender
 * whose message is not accepted in time has to repeat it or gives it up; a message that is
 * accepted is safe and can wait.  So while more come in than any agent could answer, a small
 * share is handed over all the same, evenly, and the rest waits in the journal.
 */
#ifndef COWGATE_GATEWAY_PACE_H
#define COWGATE_GATEWAY_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_WINDOW_MS 100
#define PACE_CROWD 200 /* stored in a window: more is a crowd */
#define PACE_SHARE 20 /* handed over in a window while there is a crowd */

/* Zero is a beginning. */
struct pace {
	int64_t since_ms; /* beginning of the window */
	uint64_t stored; /* when it began */
	size_t begun; /* in it */
	bool crowded; /* the window before was, or this one is already */
};

/* May one more be handed over?  @stored: messages stored since the start of the program. */
bool pace_allows(struct pace *pace, int64_t now_ms, uint64_t stored);
/* One more is handed over. */
void pace_count(struct pace *pace);
/* After a refusal: until the next window. */
int64_t pace_wait_ms(const struct pace *pace, int64_t now_ms);

#endif
