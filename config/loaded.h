/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration with what only this floor sees: where each value came from, and its memory. */
#ifndef COWGATE_CONFIG_LOADED_H
#define COWGATE_CONFIG_LOADED_H

#include "config/agent.h"
#include "config/arena.h"
#include "config/provider.h"
#include "config/value.h"

struct config_loaded {
	struct config config; /* first: its pointer is ours */
	struct arena arena; /* all texts, lists and provider values */
	/* secrets in them are owned; config has views */
	struct value values[CONFIG_OPTIONS];
	struct config_provider *providers; /* the same array as config.providers */
	struct agent_values *agents; /* of config.agents, whose secrets are theirs */
	/* What a reload could not change stays this one's, which is held; NULL: nothing was kept. */
	struct config *base;
	struct agent_values *own_agents; /* read with it, in force or not; to be wiped */
	size_t own_agent_count;
	unsigned owners;
};

static inline const struct config_loaded *config_loaded(const struct config *config)
{
	return (const struct config_loaded *)(const void *)config;
}

#endif
