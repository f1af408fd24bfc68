/* SPDX-License-Identifier: Apache-2.0 */
/* What a running turn has asked people and waits for, and until when.  Loop thread. */
#ifndef COWGATE_CONTROL_PLANE_ASK_H
#define COWGATE_CONTROL_PLANE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASK_MOST 64 /* open at once; what comes beyond waits until the turn ends */
#define ASK_LIFE_MS (30 * 60 * 1000) /* then it is refused in nobody's name */

struct ask {
	char *id; /* owned */
	bool question; /* else a permission */
	int64_t until; /* monotonic */
};

/* Zero is empty. */
struct ask_list {
	struct ask items[ASK_MOST]; /* oldest first */
	size_t count;
};

void ask_list_finish(struct ask_list *list);
/* False beyond ASK_MOST and without memory. */
bool ask_add(struct ask_list *list, const char *id, bool question, int64_t until);
void ask_remove(struct ask_list *list, const char *id);
/* Move the oldest one out if its time is over; the caller frees its id. */
bool ask_take_due(struct ask_list *list, int64_t now, struct ask *ret);

#endif
