/* SPDX-License-Identifier: Apache-2.0 */
/* A prompt taken from its queue, with the earlier messages that the agent is given. */
#ifndef COWGATE_CONTROL_PLANE_HISTORY_H
#define COWGATE_CONTROL_PLANE_HISTORY_H

#include "control-plane/agents/agent.h"
#include "control-plane/budget.h"
#include "control-plane/event.h"
#include "control-plane/roster.h"

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
	const struct seat *seat; /* who answers */
	struct history history;
	struct agent_file *files; /* owned, with their texts */
	size_t file_count;
	char refusal[BUDGET_TEXT]; /* it may not be asked, and why; "": it may */
};

/* Mark the session's next prompt as running and say so in its log.  Writer thread. */
struct take {
	int64_t session;
	size_t bytes; /* of earlier messages */
	const struct roster *roster;
	const struct channel_list *channels;
};
enum cg_status taken_prompt_take(
	struct change *change, const struct take *take, struct taken_prompt *ret);
void taken_prompt_finish(struct taken_prompt *taken);
/* As the agent sees it; borrowed. */
void taken_prompt_view(const struct taken_prompt *taken, struct agent_prompt *ret);

/* What is told of a prompt in the log. */
struct prompt_said {
	const char *command_id;
	const char *text;
	const char *agent;
	const struct agent_file *files;
	size_t file_count;
};
enum cg_status prompt_log(struct event_log *log, const struct prompt_said *said);

#endif
