/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of a provider on a fake host.  The contract suite has the provider from a module;
 * a unit test has it compiled in, cg_plugin.providers[0], and looks inside.
 */
#ifndef COWGATE_TESTS_RIG_H
#define COWGATE_TESTS_RIG_H

#include "tests/support/host_fake.h"

#include <cowgate/plugin.h>

/* Unit tests: of the provider that is compiled in. */
extern const struct cg_plugin cg_plugin;

struct rig {
	struct host_fake *host; /* owned */
	const struct cg_provider *provider;
	void *self; /* NULL until created */
};

/* With @pairs (ends with a NULL name) on top of the fallbacks.  Never fails. */
struct rig *rig_new(
	const struct cg_provider *provider, const struct settings_pair *pairs);
/* Destroys the instance, if any, as the daemon does: all is taken back first. */
void rig_destroy(struct rig *rig);

/* ops->create(); @err may be NULL. */
enum cg_status rig_create(struct rig *rig, struct cg_error *err);
/* Create and start, both of which must succeed. */
void rig_up(struct rig *rig);

/* Send; the completion fills @sent. */
void rig_send(
	struct rig *rig, const struct cg_outbound *outbound, struct host_fake_sent *sent);
/* The daemon waits no longer for the send that fills @sent. */
void rig_cancel(struct rig *rig, struct host_fake_sent *sent);

#endif
