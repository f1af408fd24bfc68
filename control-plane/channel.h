/* SPDX-License-Identifier: Apache-2.0 */
/* The channels of the configuration as rows: agent and channel bindings.  Writer thread. */
#ifndef COWGATE_CONTROL_PLANE_CHANNEL_H
#define COWGATE_CONTROL_PLANE_CHANNEL_H

#include "control-plane/change.h"
#include "control-plane/plane.h"

#define CHANNEL_AGENT "cowgate" /* the one agent of this plane */
#define CHANNEL_FIELD 257 /* an id of 256 bytes with its NUL */

struct channel {
	bool active;
	bool everyone; /* whoever writes is a member */
	char binding_id[CHANNEL_FIELD];
	char agent_id[CHANNEL_FIELD];
	char provider[CHANNEL_FIELD];
	char workspace[CHANNEL_FIELD]; /* "" for none */
};

/* Rows follow the configuration: new ones are added, vanished ones disabled, people of
 * allow_from become members and those who are no longer named become pending again. */
enum cg_status channel_apply(struct change *change, const struct plane_channel *channels,
	size_t count, const char *agent_name);

/* *@ret_found tells whether the binding exists. */
enum cg_status channel_find(struct change *change, const char *binding_id,
	struct channel *ret, bool *ret_found);
/* The active binding of a provider; *@ret_count says how many there are, only one is filled. */
enum cg_status channel_of_provider(struct change *change, const char *provider,
	const char *workspace, struct channel *ret, size_t *ret_count);

#endif
