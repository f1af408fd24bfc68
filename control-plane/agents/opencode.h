/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the "opencode" agent: one server, its stream of events, and the turns that it runs.
 *
 *	opencode.c         the backend, its operations
 *	opencode_server.c  the server: ours below us, or one that runs already; calls and events
 *	opencode_turn.c    one prompt, from its session to its end
 *	opencode_look.c    what has become of it
 *	opencode_people.c  what people say to it while it runs
 *	opencode_show.c    what a turn shows of the events that are its own
 *	opencode_wire.c    the JSON
 */
#ifndef COWGATE_CONTROL_PLANE_OPENCODE_H
#define COWGATE_CONTROL_PLANE_OPENCODE_H

#include "control-plane/agents/child.h"
#include "control-plane/agents/opencode_wire.h"

#include <cowgate/sdk/sse.h>
#include <limits.h>
#include <sys/queue.h>

#define OPENCODE_TURNS 64 /* under way at once */
#define OPENCODE_CALLS 256 /* requests without an answer */
#define OPENCODE_FRAME (8u << 20) /* bytes of an event */
#define OPENCODE_ANSWER (16u << 20) /* bytes of an answer */
#define OPENCODE_MESSAGES 12 /* newest ones that a turn looks back at */
#define OPENCODE_TURN_MS 900000 /* unless the options say otherwise */
#define OPENCODE_OPEN_MS 60000 /* until the server is there and has taken the prompt */
#define OPENCODE_CALL_MS 30000 /* one request */
#define OPENCODE_CANCEL_MS 800 /* until a stopped turn ends without the server's word */
#define OPENCODE_POLL_MS 500 /* while a session is busy with something else */
#define OPENCODE_SILENCE_MS 45000 /* of the stream, which beats every 10 s */
#define OPENCODE_RETRY_MS \
	120000 /* for a model that fails, unless the options say otherwise */
#define OPENCODE_BACKOFF_MS \
	1000 /* the server waits 2, 4, 8 … of it between its attempts */
#define OPENCODE_ASKS 16 /* permissions and questions that one turn waits for */
#define OPENCODE_CHILDREN \
	32 /* sessions that an agent makes for its helpers, of one turn */
#define OPENCODE_STEERS 16 /* messages that one turn takes while it runs … */
#define OPENCODE_LOOKS 6 /* … and looks for what became of the last one of them */
#define OPENCODE_PARTS 64 /* of a turn that are known at once */
#define OPENCODE_MESSAGES_KNOWN 16 /* of the model, in one turn */
#define OPENCODE_TEXT (4u << 20) /* bytes that one turn says */

struct opencode;

/* @json is NULL for an empty answer.  CG_OK, NOT_FOUND, INVALID (it refused; @text says why),
 * NETWORK (it may not have heard of it). */
typedef void (*opencode_done)(
	void *arg, enum cg_status status, struct json_object *json, const char *text);

struct opencode_call {
	LIST_ENTRY(opencode_call) entry;
	struct opencode *opencode;
	struct cg_http_call *http;
	opencode_done done;
	void *arg;
};

LIST_HEAD(opencode_calls, opencode_call);
LIST_HEAD(opencode_turns, agent_turn);

struct opencode {
	struct agent_host host;
	const struct agent_options *options; /* borrowed */
	char directory[PATH_MAX]; /* the project's, absolute */
	char query[3 * PATH_MAX + 16]; /* "directory=…", escaped */
	char base
		[CG_ERROR_TEXT]; /* of the server, without a slash at its end; "": not known */
	char *authorization; /* owned: a header's value, "" for none */

	/* One of our own. */
	bool owns;
	struct child child;
	const char *argv[PROCESS_ARGUMENTS + 1];
	char password[64 + 32]; /* "OPENCODE_SERVER_PASSWORD=…" */
	const char *extra[2];

	/* Its events. */
	struct cg_http_call *stream;
	struct cg_sse sse;
	bool ready; /* the stream has begun */
	struct loop_timer reconnect;
	unsigned failures;
	char why[CG_ERROR_TEXT]; /* it is not ready */

	struct opencode_calls calls;
	size_t call_count;
	struct opencode_turns turns;
	size_t turn_count;
};

/* opencode_server.c */
enum cg_status opencode_server_init(struct opencode *opencode, struct cg_error *err);
void opencode_server_finish(struct opencode *opencode);
/* @path begins with '/', may have a query, and gets the directory added.  @body is adopted; NULL:
 * none.  LIMIT, NOMEM, NETWORK; else @done is called once unless the call is dropped. */
enum cg_status opencode_call(struct opencode *opencode, const char *method,
	const char *path, struct json_object *body, opencode_done done, void *arg,
	struct opencode_call **ret);
/* No callback any more; accepts NULL. */
void opencode_drop(struct opencode_call *call);

/* opencode_turn.c */
enum cg_status opencode_turn_create(struct opencode *opencode,
	const struct agent_prompt *prompt, const struct agent_sink *sink, void *arg,
	struct agent_turn **ret);
void opencode_turn_destroy(struct agent_turn *turn);
void opencode_turn_cancel(struct agent_turn *turn);
enum cg_status opencode_turn_permission(struct agent_turn *turn,
	const char *permission_id, const char *reply, const char *message);
enum cg_status opencode_turn_question(
	struct agent_turn *turn, const char *request_id, struct json_object *answers);
/* One more message while it runs.  BUSY: not now, so it waits for its own turn. */
enum cg_status opencode_turn_steer(
	struct agent_turn *turn, const struct agent_prompt *prompt);
/* An event of any session: the turn it belongs to takes it. */
void opencode_turns_event(struct opencode *opencode, const struct opencode_event *event);
/* The stream has begun, or begun again: what was missed is fetched. */
void opencode_turns_ready(struct opencode *opencode);
/* The stream has broken off. */
void opencode_turns_gone(struct opencode *opencode);

#endif
