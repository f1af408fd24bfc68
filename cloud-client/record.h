/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Cloud tells, as structs.
 *
 * Strings are views into the JSON that they were read from, and die with it.  A string that
 * the Cloud did not send is "" where something always stands, and NULL where the comment says
 * so.  Times are wall milliseconds, -1 when absent.  Unknown members are ignored.
 */
#ifndef COWGATE_CLOUD_CLIENT_RECORD_H
#define COWGATE_CLOUD_CLIENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* A platform event that was claimed before it is worked on. */
struct cloud_provider_event {
	const char *event_id;
	const char *status; /* received, processing, processed, failed */
	const char *claimed_by; /* NULL: nobody */
	int64_t claim_expires_ms;
	int64_t attempt_count;
	bool retryable;
	const char *last_error; /* NULL: none */
	bool claimed; /* by this call; false in the reply to complete */
	bool duplicate;
};

/* A person at a platform.  Without pairing, pairing_code is NULL. */
struct cloud_identity {
	const char *identity_id;
	const char *provider;
	const char *external_workspace_id; /* NULL: none */
	const char *external_user_id;
	const char *account_id; /* NULL: none */
	const char *role; /* owner, admin, member, approver, viewer */
	const char *status; /* active, disabled, pending */
	const char *display_name; /* NULL: not known */
	const char *pairing_code; /* to be told to a pending person */
	int64_t pairing_expires_ms;
	bool pairing_notify; /* this is the moment to tell: at most once in a while */
	int64_t created_ms;
};

/* A chat thread bound to a session. */
struct cloud_session_binding {
	const char *binding_id;
	const char *agent_id;
	const char *channel_binding_id;
	const char *session_id;
	const char *provider;
	const char *external_workspace_id; /* NULL: none */
	const char *external_chat_id;
	const char *external_thread_id;
	const char *last_chat_message_id; /* NULL: none */
	int64_t last_event_sequence;
	int64_t last_workspace_sequence;
	const char *status;
};

/* A session and what it shows; see cloud_snapshot(). */
struct cloud_session_snapshot {
	const char *session_id;
	const char *status; /* idle, running, closed, errored */
	const char *title; /* NULL: none */
	int64_t sequence; /* of the projection; 0 without one */
	struct json_object *view; /* projection.view; NULL without one */
};

struct cloud_bound {
	struct cloud_session_binding binding;
	struct cloud_session_snapshot session;
};

struct cloud_command {
	const char *command_id;
	const char *session_id;
	/* prompt, abort, permission.respond, question.reply, question.reject */
	const char *kind;
	const char *status; /* pending, running, acked, failed */
	const char *error; /* NULL: none */
};

struct cloud_cursor {
	bool applied; /* false: stale; binding holds what the Cloud has */
	struct cloud_session_binding binding;
};

/* Someone may answer this once.  The token is only in the reply to create. */
struct cloud_interaction {
	const char *interaction_id;
	const char *session_id;
	const char *session_binding_id; /* NULL: none */
	const char *kind; /* permission, question */
	const char *target_id;
	const char *status; /* pending, used, expired */
	int64_t expires_ms;
	const char *token; /* NULL: not told */
};

struct cloud_resolution {
	struct cloud_interaction interaction;
	struct cloud_command command;
	/* accepted, but could not be worked on at once; NULL: none */
	const char *processing_error;
};

struct cloud_artifact {
	/* all of it: whoever keeps a reference keeps its texts */
	struct json_object *record;
	const char *artifact_id;
	const char *filename;
	const char *content_type; /* "application/octet-stream" if not told */
	const char *path; /* NULL: the bytes follow */
	const char *data_base64; /* "" with a path */
	size_t data_length; /* of data_base64 */
	int64_t size; /* decoded, as told; -1: not told */
};

/* One event of a session's stream. */
struct cloud_session_event {
	int64_t sequence;
	/* "assistant.message"; unknown ones may come and mean nothing */
	const char *type;
	const char *session_id;
	const char *event_id;
	struct json_object *payload; /* object; NULL if absent */
	int64_t created_ms;
};

/* Something the Cloud wants sent. */
struct cloud_delivery {
	const char *delivery_id;
	const char *agent_id;
	const char *channel_binding_id;
	const char *session_binding_id; /* NULL: none */
	const char *provider;
	const char *event_type;
	const char *status; /* pending, claimed, sent, failed, dead */
	struct json_object *target; /* object or NULL */
	struct json_object *payload; /* object or NULL */
	int64_t attempt_count;
	const char *claimed_by; /* NULL: nobody */
	int64_t claim_expires_ms;
	int64_t next_attempt_ms;
	const char *last_error; /* NULL: none */
	int64_t created_ms;
	int64_t updated_ms; /* of a claimed one: when it was claimed */
	/* The target, under any of its accepted names; NULL: not given. */
	const char *external_chat_id;
	const char *external_thread_id;
	const char *external_user_id;
	const char *last_chat_message_id;
	const char *text; /* payload.text or payload.message; NULL: neither */
	struct json_object *record; /* all of it, as it came */
};

/* Lists: read one at a time. */
struct cloud_deliveries {
	struct json_object *array;
	size_t count;
};

struct cloud_people {
	struct json_object *array;
	size_t count;
};

/* Readers.  False: @object lacks what makes the record what it is (its id); *@ret is then
 * untouched. */
bool cloud_provider_event_read(
	struct json_object *object, struct cloud_provider_event *ret);
bool cloud_identity_read(struct json_object *object, struct cloud_identity *ret);
/* Only the pairing members of @ret. */
void cloud_pairing_read(struct json_object *object, struct cloud_identity *ret);
bool cloud_session_binding_read(
	struct json_object *object, struct cloud_session_binding *ret);
bool cloud_session_snapshot_read(
	struct json_object *object, struct cloud_session_snapshot *ret);
bool cloud_command_read(struct json_object *object, struct cloud_command *ret);
bool cloud_interaction_read(struct json_object *object, struct cloud_interaction *ret);
bool cloud_artifact_read(struct json_object *object, struct cloud_artifact *ret);
bool cloud_session_event_read(
	struct json_object *object, struct cloud_session_event *ret);
bool cloud_delivery_read(struct json_object *object, struct cloud_delivery *ret);

bool cloud_deliveries_at(
	const struct cloud_deliveries *list, size_t index, struct cloud_delivery *ret);
bool cloud_people_at(
	const struct cloud_people *list, size_t index, struct cloud_identity *ret);

#endif
