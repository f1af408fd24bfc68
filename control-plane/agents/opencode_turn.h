/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of the "opencode" agent, as opencode_turn.c and opencode_show.c share it. */
#ifndef COWGATE_CONTROL_PLANE_OPENCODE_TURN_H
#define COWGATE_CONTROL_PLANE_OPENCODE_TURN_H

#include "control-plane/agents/opencode.h"
#include "control-plane/agents/prompt_copy.h"

enum opencode_state {
	OPENCODE_WAITING, /* for the server */
	OPENCODE_OPENING, /* its session is being made */
	OPENCODE_LOOKING, /* at what has become of the prompt */
	OPENCODE_PROMPTING, /* the prompt is on its way */
	OPENCODE_RUNNING,
	OPENCODE_STOPPING, /* told to stop, and given a moment */
	OPENCODE_OVER,
};

struct opencode_ask {
	char id[OPENCODE_ID];
	bool question;
};

struct opencode_known {
	char id[OPENCODE_ID];
	enum opencode_part_kind kind;
	bool stale; /* told whole from the past: pieces may be in it already */
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct opencode *opencode; /* borrowed */
	struct agent_sink sink;
	void *arg;
	enum opencode_state state;
	char session_id[OPENCODE_ID]; /* "" until there is one */
	char message_id[OPENCODE_ID]; /* of the prompt */
	struct prompt_copy prompt;
	struct opencode_call *call; /* the one request that is waited for */
	bool known; /* the server may have the prompt: look before it is sent */
	bool resent;
	bool idle; /* the session has come to rest since the prompt went out */

	/* What people have said since; the newest is the last. */
	char steers[OPENCODE_STEERS][OPENCODE_ID]; /* its messages */
	size_t steer_count;
	struct opencode_call *steering; /* it is on its way */
	bool unheard; /* no message of the model answers the newest yet */
	unsigned looks; /* at a session that rests without having heard it */

	/* What was seen of it. */
	bool acted; /* a tool has done something */
	char calling[OPENCODE_ID]; /* a tool that may be doing something; "": none */
	size_t shown; /* bytes */
	bool said_too_much;
	int64_t failing_ms; /* monotonic: the model fails since then; 0: it does not */
	char error[CG_ERROR_TEXT];
	char messages[OPENCODE_MESSAGES_KNOWN][OPENCODE_ID]; /* rings, as the next two */
	size_t message_count;
	struct opencode_known parts[OPENCODE_PARTS];
	size_t part_count;
	char children[OPENCODE_CHILDREN][OPENCODE_ID];
	size_t child_count;
	struct opencode_ask asks[OPENCODE_ASKS];
	size_t ask_count;

	struct loop_timer deadline;
	/* until it runs; or until a server that is gone is given up */
	struct loop_timer open;
	struct loop_timer poll; /* the next look, or the end of stopping */
	struct loop_task begin;
	struct loop_task reap;
};

/* ---- opencode_turn.c ---- */

#define OPENCODE_PATH 512 /* bytes of a request's path */

void opencode_end(struct agent_turn *turn, enum agent_end end, const char *message);
void opencode_fail(struct agent_turn *turn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Nothing can be done now: go on in a moment, or when the server is back. */
void opencode_later(struct agent_turn *turn);
/* The server works on it: from now on its events tell. */
void opencode_runs(struct agent_turn *turn);
/* The one request that is waited for; @body is adopted.  What goes wrong is dealt with. */
void opencode_ask_server(struct agent_turn *turn, const char *method, const char *path,
	struct json_object *body, opencode_done done);
/* "/session/ID" and @rest. */
void opencode_path(
	const struct agent_turn *turn, const char *rest, char ret[OPENCODE_PATH]);
void opencode_send(struct agent_turn *turn);
void opencode_open_session(struct agent_turn *turn);

/* ---- opencode_look.c ---- */

/* Read what has become of the prompt, and go on from there. */
void opencode_look(struct agent_turn *turn);
/* The same for a session that has not seen the prompt: is it free?  An answer to
 * /session/status. */
void opencode_rest_or_not(
	void *arg, enum cg_status status, struct json_object *json, const char *text);
/* The server does not know the session any more. */
void opencode_session_lost(struct agent_turn *turn);

/* ---- opencode_people.c ---- */

/* Is it the turn's prompt, or something that was said since? */
bool opencode_is_prompt(const struct agent_turn *turn, const char *message_id);
/* The model answers that message. */
void opencode_heed(struct agent_turn *turn, const char *message_id);
/* It will not answer the newest any more: the person is told, if there is one that it has not. */
void opencode_not_heard(struct agent_turn *turn);

/* ---- opencode_show.c ---- */

/* A message that is not the agent's: told in its place, whole. */
void opencode_note(struct agent_turn *turn, const char *what, const char *text);

/* The model's message is one of this turn's. */
void opencode_know_message(struct agent_turn *turn, const char *message_id);
/* The newest that is known; "" for none. */
const char *opencode_newest_message(const struct agent_turn *turn);
/* A part of one of them; @past: from the list of messages, not as it happened. */
void opencode_show_part(struct agent_turn *turn, struct json_object *json, bool past);
void opencode_show_delta(struct agent_turn *turn, const struct opencode_event *event);
/* Ask the person, unless it was asked before. */
void opencode_show_ask(
	struct agent_turn *turn, struct json_object *properties, bool question);
/* It was answered, by us or elsewhere.  False: it was not open. */
bool opencode_forget_ask(struct agent_turn *turn, const char *id);
/* May a tool have done something? */
bool opencode_acted(const struct agent_turn *turn);
bool opencode_is_child(const struct agent_turn *turn, const char *session_id);
void opencode_know_child(struct agent_turn *turn, const char *session_id);

#endif
