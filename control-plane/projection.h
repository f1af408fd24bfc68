/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session looks like now: messages, tool calls, what is asked, cost.
 *
 * Kept as rows, one step per event, so that a delta of a long chat costs as much as
 * one of a short chat; the view is put together when a snapshot is asked for.  A tool
 * call or question keeps its place when it changes, and what a later event leaves out
 * stays.  Writer thread.
 */
#ifndef COWGATE_CONTROL_PLANE_PROJECTION_H
#define COWGATE_CONTROL_PLANE_PROJECTION_H

#include "control-plane/event.h"

#define PROJECTION_MESSAGES 500 /* newest messages in a view … */
#define PROJECTION_BYTES (2 * 1024 * 1024) /* … or so many bytes of them */
#define PROJECTION_ENTRIES 500 /* tool calls, artifacts, … each */

/* Apply the event that is log->last. */
enum cg_status projection_apply(
	struct event_log *log, const char *type, struct json_object *payload);

/* At the end of a turn: put the text of open messages together … */
enum cg_status projection_close_messages(struct event_log *log);
/* … and answer what is still asked with a refusal, as events that say why: expired,
 * turn_ended. */
enum cg_status projection_refuse_questions(struct event_log *log, const char *reason);

/* Forget what came before @position, but for what is open. */
enum cg_status projection_prune(struct change *change, int64_t session, int64_t position);

/* {tenantId, sessionId, sequence, view, updatedAt}; NULL when there is no such
 * session. */
enum cg_status projection_record(
	struct change *change, int64_t session, struct json_object **ret);

#endif
