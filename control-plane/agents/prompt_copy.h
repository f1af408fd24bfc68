/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn keeps of its prompt, which it only borrows while it is started. */
#ifndef COWGATE_CONTROL_PLANE_PROMPT_COPY_H
#define COWGATE_CONTROL_PLANE_PROMPT_COPY_H

#include "control-plane/agents/agent.h"

/* Command, text, agent, attempt and files; no history and no sessions.  Zero may be finished. */
struct prompt_copy {
	struct agent_prompt view; /* into what follows */
	char *command_id;
	char *text;
	char *agent; /* may be NULL */
	struct agent_file *files; /* with strings of their own */
};

/* NOMEM; what there is then is to be finished all the same. */
enum cg_status prompt_copy_init(
	struct prompt_copy *copy, const struct agent_prompt *prompt);
void prompt_copy_finish(struct prompt_copy *copy);

#endif
