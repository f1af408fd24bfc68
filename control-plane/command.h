/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of a session: prompts in order, answers and aborts beside them.  Writer
 * thread.
 *
 * A prompt is pending, then running, then acked or failed.  A repeat under the same id
 * is the same command; the same id with another content is a conflict.
 */
#ifndef COWGATE_CONTROL_PLANE_COMMAND_H
#define COWGATE_CONTROL_PLANE_COMMAND_H

#include "control-plane/ask.h"
#include "control-plane/change.h"
#include "control-plane/roster.h"

#define COMMAND_PENDING 64 /* prompts of one session that wait */
#define COMMAND_ATTEMPTS 3 /* starts of one prompt, crashes included */
#define COMMAND_KEEP_MS (30LL * 24 * 60 * 60 * 1000) /* settled ones, for repeats */
#define COMMAND_SWEEP 64 /* one sweep of so many rows in so many commands */

struct command {
	int64_t id; /* row */
	int64_t session;
	struct json_object *record; /* owned, as the API shows it */
};

void command_finish(struct command *command);

enum command_verdict {
	COMMAND_NEW,
	COMMAND_REPEAT, /* the same one, already stored */
	COMMAND_FAILED, /* the same one, and it had failed */
	COMMAND_CONFLICT, /* another content under this id */
	COMMAND_QUEUE_FULL,
};

struct command_seed {
	int64_t session;
	const char *session_id;
	int64_t sequence; /* the session's next */
	const char *command_id;
	const char *kind;
	const char *identity_id; /* of the person who says it; NULL: not known */
	struct json_object *payload; /* borrowed */
};

/* Store it as pending.  *@ret is filled for NEW and REPEAT. */
enum cg_status command_enqueue(struct change *change, const struct command_seed *seed,
	enum command_verdict *ret_verdict, struct command *ret);
enum cg_status command_find(
	struct change *change, const char *command_id, struct command *ret);

/* A pending prompt is started. */
enum cg_status command_begin(struct change *change, const char *command_id);
/* Back to pending, to be taken again. */
enum cg_status command_return(struct change *change, const char *command_id);
enum cg_status command_ack(struct change *change, const char *command_id);
enum cg_status command_fail(struct change *change, const char *command_id,
	const char *code, const char *summary);
/* Give up the prompts of a session that have not begun. */
enum cg_status command_drop_pending(
	struct change *change, int64_t session, int64_t *ret_dropped);

struct command_load {
	bool busy; /* a prompt is running */
	int64_t queued;
};
enum cg_status command_load(
	struct change *change, int64_t session, struct command_load *ret);

/* A prompt that was running when the process died. */
struct lost_command {
	struct lost_command *next;
	int64_t session;
	char command_id[HASHED_ID];
	char session_id[HASHED_ID];
	char *runtime_session_id; /* owned, as the next three */
	char *agent;
	char *text;
	unsigned attempt;
	const struct seat *seat; /* who was answering */
	struct ask_list asked; /* what it had asked people, without times */
};

/* The prompts that are marked running: no more than turns run at once. */
enum cg_status command_lost(struct change *change, const struct roster *roster,
	const struct channel_list *channels, struct lost_command **ret);
/* Answers whose turn is gone; session 0: of all sessions. */
enum cg_status command_fail_answers(struct change *change, int64_t session);
void lost_command_free(struct lost_command *list);

/* The next session after @session that has a prompt waiting; 0: none. */
enum cg_status command_next_session(struct change *change, int64_t session, int64_t *ret);

#endif
