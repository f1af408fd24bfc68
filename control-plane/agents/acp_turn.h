/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of the "acp" agent, as acp_turn.c and acp_show.c share it. */
#ifndef COWGATE_CONTROL_PLANE_ACP_TURN_H
#define COWGATE_CONTROL_PLANE_ACP_TURN_H

#include "control-plane/agents/acp.h"
#include "control-plane/agents/prompt_copy.h"

#define ACP_ID 256 /* bytes of a message's or a permission's id */

enum acp_turn_state {
	ACP_WAITING, /* for the program, or for its session to be free */
	ACP_OPENING,
	ACP_PROMPTED,
	ACP_STOPPING, /* told to stop, and given a moment */
	ACP_OVER,
};

struct acp_ask {
	LIST_ENTRY(acp_ask) entry;
	char id[ACP_ID];
	struct json_object *request_id; /* a reference, as the next */
	struct json_object *params;
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct acp *acp; /* borrowed */
	struct agent_sink sink;
	void *arg;
	enum acp_turn_state state;
	char *session_id; /* "" until there is one */
	struct acp_session *session; /* borrowed while it is ours */
	struct acp_request *request; /* the one under way */
	struct prompt_copy prompt;
	bool fresh; /* the session has no past */
	bool begun_again;
	bool acted; /* a tool has done something */
	char calling[ACP_ID]; /* one that may be doing something; "": none */
	size_t shown; /* bytes */
	unsigned message; /* number of the one that is being said, from 1 */
	bool speaking; /* … and it has begun */
	char *foreign; /* the program's own id of it; NULL: it gives none */
	double cost; /* of the session up to now; -1: not told */
	LIST_HEAD(, acp_ask) asks;
	size_t ask_count;
	unsigned asked;
	struct loop_timer deadline;
	struct loop_timer moment; /* to open, or to stop */
	struct loop_task begin;
	struct loop_task reap;
};

/* ---- acp_turn.c ---- */

void acp_turn_fail(struct agent_turn *turn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Tell the program to stop working on the prompt. */
void acp_turn_tell_cancel(struct agent_turn *turn);

/* ---- acp_show.c ---- */

/* A message that is not the agent's. */
void acp_show_note(struct agent_turn *turn, const char *what, const char *text);
/* The program waits for nobody who is not there. */
void acp_show_refuse_asks(struct agent_turn *turn);
/* Nobody is left who waits. */
void acp_show_drop_asks(struct agent_turn *turn);

#endif
