/* SPDX-License-Identifier: Apache-2.0 */
/* The agents that this build has. */
#include "control-plane/agents/agent.h"

#include <string.h>

static const struct agent_ops *const agents[] = {
	&agent_acp,
	&agent_echo,
	&agent_openai,
	&agent_opencode,
};

const struct agent_ops *agent_find(const char *name)
{
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		if (strcmp(agents[i]->name, name) == 0)
			return agents[i];
	}
	return NULL;
}
