/* SPDX-License-Identifier: Apache-2.0 */
/* The agents of the configuration, as their backends take them. */
#ifndef COWGATE_GATEWAY_DAEMON_AGENTS_H
#define COWGATE_GATEWAY_DAEMON_AGENTS_H

#include "config/config.h"
#include "control-plane/agents/agent.h"

/* NULL: this build has none. */
const struct agent_ops *agents_backend(enum config_agent_backend backend);

/* Of the one called @named, NULL for the default; strings are borrowed from @config. */
void agents_options(const struct config *config, const struct config_agent *named,
	struct agent_options *ret);

/*
 * Start one by itself, on a loop of its own, wait until it can answer, and end it.  Blocks.
 * TIMEOUT or what went wrong, with a sentence; @keeper as in daemon_options.
 */
enum cg_status agents_try(const struct config *config, const struct config_agent *named,
	const char *keeper, int64_t patience_ms, struct cg_error *err);

#endif
