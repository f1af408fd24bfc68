/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the "acp" agent: one program, its sessions, and the turns that run in them.
 *
 *	acp.c          the backend, and what the program is told and asks
 *	acp_session.c  sessions that the running program knows
 *	acp_turn.c     one prompt, from its session to its end
 *	acp_show.c     what it shows and asks meanwhile
 *	acp_wire.c     the JSON
 */
#ifndef COWGATE_CONTROL_PLANE_ACP_H
#define COWGATE_CONTROL_PLANE_ACP_H

#include "control-plane/agents/acp_wire.h"
#include "control-plane/agents/child.h"

#include <limits.h>
#include <sys/queue.h>

#define ACP_TURNS 64 /* under way at once */
#define ACP_SESSIONS \
	1024 /* remembered; the oldest idle one is opened again when needed */
#define ACP_REQUESTS 256 /* of ours without an answer */
#define ACP_ASKS 16 /* permissions that one turn waits for */
#define ACP_TEXT (4u << 20) /* bytes that one turn says */
#define ACP_TURN_MS 900000 /* unless the options say otherwise */
#define ACP_OPEN_MS 60000 /* until the program and the session are there */
#define ACP_CANCEL_MS 800 /* until a stopped turn ends without the agent's word */
#define ACP_STUCK_MS 10000 /* … and until the program is ended for it */

struct acp;

/* Answer to a request.  Both NULL: the program is gone. */
typedef void (*acp_done)(
	void *arg, struct json_object *result, struct json_object *error);

struct acp_request {
	LIST_ENTRY(acp_request) entry;
	int64_t number;
	acp_done done;
	void *arg;
};

struct acp_session {
	LIST_ENTRY(acp_session) entry;
	struct acp *acp;
	char *id;
	struct agent_turn *turn; /* NULL: idle */
	/* The request of a turn that has ended before its answer came: until then the
	 * program still works on it, and no other turn may begin. */
	struct acp_request *fence;
	struct loop_timer stuck;
	double cost; /* up to now, as the program tells it; -1: not known */
};

LIST_HEAD(acp_turns, agent_turn);
LIST_HEAD(acp_sessions, acp_session);
LIST_HEAD(acp_requests, acp_request);

struct acp {
	struct agent_host host;
	const struct agent_options *options; /* borrowed */
	char directory[PATH_MAX]; /* where sessions work, absolute */
	struct child child;
	bool ready; /* initialised */
	struct loop_timer patience; /* with a program that does not initialise */
	struct acp_abilities abilities;
	int64_t last_number;
	struct acp_requests requests;
	size_t request_count;
	struct acp_sessions sessions;
	size_t session_count;
	struct acp_turns turns;
	size_t turn_count;
	bool talked_nonsense; /* since its start */
	char why[CG_ERROR_TEXT]; /* it is not ready */
};

/* acp.c.  @params is adopted.  LIMIT, NETWORK, NOMEM; else @done is called once, or never when
 * the request is forgotten.  *@ret may be kept until then. */
enum cg_status acp_call(struct acp *acp, const char *method, struct json_object *params,
	acp_done done, void *arg, struct acp_request **ret);
void acp_forget(struct acp *acp, struct acp_request *request);
void acp_tell(struct acp *acp, const char *method, struct json_object *params);
void acp_answer(struct acp *acp, struct json_object *id, struct json_object *result);

/* acp_session.c */
struct acp_session *acp_session_find(struct acp *acp, const char *id);
/* NULL without memory, or when all that are remembered are busy. */
struct acp_session *acp_session_add(struct acp *acp, const char *id);
/* Hold the session until @request is answered; a program that never does is ended. */
void acp_session_fence(struct acp_session *session, struct acp_request *request);
/* The program is gone, and with it all of them.  No turn holds one any more. */
void acp_sessions_clear(struct acp *acp);

/* acp_turn.c */
enum cg_status acp_turn_create(struct acp *acp, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret);
void acp_turn_destroy(struct agent_turn *turn);
void acp_turn_cancel(struct agent_turn *turn);
/* Those that wait may go on: the program is ready, or a session is free. */
void acp_turns_go_on(struct acp *acp);
/* The program is gone; all requests are forgotten. */
void acp_turns_lost(struct acp *acp, const char *why);

/* acp_show.c */
/* What the program sends for the turn's session. */
void acp_turn_update(struct agent_turn *turn, struct json_object *update);
/* False: too many are open. */
bool acp_turn_ask(
	struct agent_turn *turn, struct json_object *id, struct json_object *params);
/* NOT_FOUND: it is not open. */
enum cg_status acp_turn_permission(
	struct agent_turn *turn, const char *permission_id, const char *reply);

#endif
