/* SPDX-License-Identifier: Apache-2.0 */
/* A prompt taken from its queue, with the earlier messages that the agent is given. */
#ifndef COWGATE_CONTROL_PLANE_HISTORY_H
#define COWGATE_CONTROL_PLANE_HISTORY_H

#include "control-plane/agents/agent.h"
#include "control-plane/change.h"

#define HISTORY_MESSAGES 512 /* at most, whatever the budget */
#define HISTORY_TOKEN_BYTES 4 /* a token is about so many bytes */

struct history {
	struct agent_message *messages; /* owned, with their texts; oldest first */
	size_t count;
};

/* Newest messages within @bytes, whole ones only, beginning with one of the person's. */
enum cg_status history_read(
	struct change *change, int64_t session, size_t bytes, struct history *ret);
void history_finish(struct history *history);

struct taken_prompt {
	char command_id[HASHED_ID];
	char session_id[HASHED_ID];
	char *runtime_session_id; /* owned, as the next two */
	char *agent;
	char *text; /* NULL: nothing was taken */
	unsigned attempt;
	bool more; /* another prompt waits behind it */
	struct history history;
};

/* Mark the session's next prompt as running and say so in its log.  Writer thread. */
enum cg_status taken_prompt_take(
	struct change *change, int64_t session, size_t bytes, struct taken_prompt *ret);
void taken_prompt_finish(struct taken_prompt *taken);
/* As the agent sees it; borrowed. */
void taken_prompt_view(const struct taken_prompt *taken, struct agent_prompt *ret);

#endif
