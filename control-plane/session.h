/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, and the chat threads that are bound to them.  Writer thread. */
#ifndef COWGATE_CONTROL_PLANE_SESSION_H
#define COWGATE_CONTROL_PLANE_SESSION_H

#include "control-plane/change.h"
#include "control-plane/channel.h"

#define SESSION_TITLE 256 /* bytes kept of a title */

/* A chat thread bound to a session. */
struct binding {
	int64_t id; /* row, 0: not found */
	int64_t session; /* row of its session */
	int64_t last_command; /* sequence of the session's newest command */
	struct json_object *record; /* owned, as the API shows it */
	struct json_object *session_record; /* owned: so is its session */
};

void binding_finish(struct binding *binding);
/* A text of the record, "" when it is null. */
const char *binding_text(const struct binding *binding, const char *key);

/* {session, projection}, without the projection. */
struct json_object *binding_pair(const struct binding *binding);

/* Names a chat thread. */
struct thread_key {
	const char *provider;
	const char *workspace; /* "" for none */
	const char *chat;
	const char *thread;
};

enum cg_status binding_by_thread(
	struct change *change, const struct thread_key *key, struct binding *ret);
enum cg_status binding_by_id(
	struct change *change, const char *binding_id, struct binding *ret);
/* The newest active binding of a session, for lists. */
enum cg_status binding_by_row(struct change *change, int64_t id, struct binding *ret);

/* What a new binding starts with. */
struct binding_seed {
	const char *title; /* NULL: none */
	int64_t last_event_sequence;
	int64_t last_workspace_sequence;
	const char *last_chat_message_id;
};

/* Make the session and bind the thread to it.  session.created is stored, not
 * published. */
enum cg_status binding_create(struct change *change, const struct channel *channel,
	const struct thread_key *key, const struct binding_seed *seed,
	struct binding *ret);

/* What has been shown.  *@ret_ok: false when a stored sequence is later (nothing
 * changes). */
struct cursor {
	int64_t event_sequence;
	int64_t workspace_sequence;
	bool has_message; /* false: keep what is stored */
	const char *message_id; /* NULL clears */
};
enum cg_status binding_set_cursor(struct change *change, struct binding *binding,
	const struct cursor *cursor, bool *ret_ok);

#endif
