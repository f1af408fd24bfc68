/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agents of the plane, by name.  The first one is the default.  It does not change
 * while the plane lives, so that any thread may look names up; the agents themselves
 * belong to the loop.
 */
#ifndef COWGATE_CONTROL_PLANE_ROSTER_H
#define COWGATE_CONTROL_PLANE_ROSTER_H

#include "control-plane/channel.h"

#define ROSTER_MOST 32 /* agents of one plane */

/* One agent. */
struct seat {
	const char *name; /* the roster's, as the next one */
	const char *model; /* may be NULL */
	const struct agent_ops *ops;
	struct agent_options options; /* for the backend's life; strings are borrowed */
	void *self; /* owned: the backend */
};

/* Zero is empty. */
struct roster {
	struct seat *seats;
	size_t count;
};

/* Makes the backends.  On failure the roster is empty.  LIMIT, CONFLICT: a name twice. */
enum cg_status roster_init(struct roster *roster, const struct agent_host *host,
	const struct plane_options *options, struct cg_error *err);
/* End the agents; the names stay until roster_finish(), for the writer thread. */
void roster_stop(struct roster *roster);
void roster_finish(struct roster *roster);

/* NULL: there is none of that name. */
const struct seat *roster_find(const struct roster *roster, const char *name);
/* "a, b and c", cut to fit. */
void roster_names(const struct roster *roster, char *ret, size_t size);

/*
 * Who answers in a session: whom the person chose, else the agent that the prompt names
 * (@wanted, may be NULL), else its channel's, else the default.  Writer thread.
 */
enum cg_status roster_seat(const struct roster *roster, struct change *change,
	const struct channel_list *channels, int64_t session, const char *wanted,
	const struct seat **ret);

#endif
