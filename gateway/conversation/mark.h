/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks on people's messages, where a platform has reactions: seen, done, failed.
 *
 *   seen    the message is committed and is on its way to the agent
 *   done    its turn is over and the last of what was said has its receipt
 *   failed  no answer will come
 *
 * A courtesy: each is sent once.  How far a mark has come is kept with its message, so that it goes
 * on after a restart; one whose end may not have been shown is then shown again.
 */
#ifndef COWGATE_GATEWAY_MARK_H
#define COWGATE_GATEWAY_MARK_H

#include "gateway/conversation/context.h"
#include "gateway/journal/inbox.h"

#define MARKS 1024 /* beyond it the oldest are forgotten, as they were shown last */
#define MARK_REST_MS 10000 /* at least, before the journal forgets what was shown */

enum cg_status marks_init(struct conversation *conversation);
/* Those that were not concluded when the process ended. */
void marks_restore(struct conversation *conversation);
void marks_finish(struct conversation *conversation);

/* @message goes to the agent: seen. */
void mark_seen(struct conversation *conversation, const struct inbox_message *message);
/* It becomes a prompt of that session binding … */
void mark_prompting(
	struct conversation *conversation, int64_t message_id, const char *binding_id);
/* … and has become this command. */
void mark_prompted(
	struct conversation *conversation, int64_t message_id, const char *command_id);
/* It was handed over before a restart, as a command that is not known, to that session binding. */
void mark_handed(struct conversation *conversation, const struct inbox_message *message,
	const char *binding_id);

/* What its row keeps of it when it is closed.  Borrows from the mark. */
struct inbox_mark mark_of(struct conversation *conversation, int64_t message_id);
/* Its row is closed: FAILED unless it became a prompt; @done: nothing more is to be said. */
void mark_closed(struct conversation *conversation, int64_t message_id,
	enum inbox_end end, bool done);

/* The session works on this command; NULL: not said which. */
void mark_running(struct conversation *conversation, const char *binding_id,
	const char *command_id);
/* Those of the session that the journal is to know to be running; @over: all that run.  @ret_ids
 * has room for OUTBOX_MARKED.  And: it knows. */
size_t marks_moving(struct conversation *conversation, const char *binding_id, bool over,
	int64_t *ret_ids);
void marks_moved(struct conversation *conversation, const char *binding_id);
/* The turn is over, and what it said is stored; @answer_id is the delivery id of the last of it,
 * "" if nothing was said.  @all: nothing waits either, so what has not run never will. */
void mark_ended(struct conversation *conversation, const char *binding_id,
	const char *answer_id, bool failed, bool all);
/* A delivery is sent, or dead. */
void mark_delivered(struct conversation *conversation, const char *delivery_id,
	enum outbox_state state);

#endif
