/* SPDX-License-Identifier: Apache-2.0 */
/* One module, loaded as the daemon does, and one instance of it on a fake host. */
#ifndef COWGATE_TESTS_CONTRACT_RIG_H
#define COWGATE_TESTS_CONTRACT_RIG_H

#include "tests/support/host_fake.h"

#include <cowgate/plugin.h>

struct rig {
	struct host_fake *host; /* owned */
	const struct cg_provider *provider;
	void *self; /* NULL until created */
};

/* The descriptor of the module that has @kind, whatever the module is called, and its provider. */
const struct cg_plugin *rig_plugin(const char *kind);
const struct cg_provider *rig_provider(const char *kind);

/* A rig for @kind with @pairs (ends with a NULL name) on top of the fallbacks.  Never fails. */
struct rig *rig_new(const char *kind, const struct settings_pair *pairs);
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
