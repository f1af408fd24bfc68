/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channels of the configuration: as rows, and in memory for everybody who asks.  A
 * list does not change while the plane lives, so that any thread may read it: other settings
 * come as another list, and the older ones stay.
 */
#ifndef COWGATE_CONTROL_PLANE_CHANNEL_H
#define COWGATE_CONTROL_PLANE_CHANNEL_H

#include "control-plane/change.h"
#include "control-plane/plane.h"

#define CHANNEL_AGENT "cowgate" /* the one agent of this plane */

struct channel {
	const char *binding_id; /* the list's, as all that follows */
	const char *agent_id;
	const char *provider;
	const char *workspace; /* "" for none */
	const char *display_name;
	const char *agent; /* who answers here; "": the default */
	char **allow_from; /* people of the configuration; "*" is left out */
	size_t allow_count;
	enum plane_mode mode;
	bool everyone; /* whoever writes is a member */
};

/* Zero is empty. */
struct channel_list {
	struct channel *channels;
	size_t count;
	struct channel_list *older; /* owned by the plane */
};

/* Copies.  On failure the list is empty. */
enum cg_status channel_list_init(struct channel_list *list,
	const struct plane_channel *channels, size_t count, struct cg_error *err);
void channel_list_finish(struct channel_list *list);

/* The active channel of this binding; NULL: unknown or switched off. */
const struct channel *channel_find(
	const struct channel_list *list, const char *binding_id);
/* A channel of the provider, and of the workspace unless that is NULL.  *@ret_count
 * says how many there are. */
const struct channel *channel_of_provider(const struct channel_list *list,
	const char *provider, const char *workspace, size_t *ret_count);

/*
 * Rows follow the configuration: new ones are added, vanished ones disabled, people of
 * allow_from become members and those who are no longer named become pending again.
 * Writer thread.
 */
enum cg_status channel_apply(
	struct change *change, const struct channel_list *list, const char *agent_name);

#endif
