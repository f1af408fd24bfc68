/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session seen from its chat, and what our own plane offers beyond the Cloud.  The events
 * are a stream: cloud-client/subscription.h.
 */
#ifndef COWGATE_CLOUD_CLIENT_SESSION_H
#define COWGATE_CLOUD_CLIENT_SESSION_H

#include "cloud-client/channel.h"

#define CLOUD_ARTIFACT_BYTES (25u << 20) /* of a file that the agent made */
/* Bytes of JSON that bring the whole of a session. */
#define CLOUD_SNAPSHOT_REPLY (32u << 20)

/* What the other side offers beyond the Cloud's API.  Nothing, with today's Cloud. */
struct cloud_extensions {
	struct json_object *names; /* array or NULL */
	const char *epoch; /* of its store: cursors belong to one; "" if not told */
};

bool cloud_extensions_have(const struct cloud_extensions *extensions, const char *name);

struct cloud_abort {
	bool aborted; /* false: nothing was running */
	int64_t dropped; /* prompts that waited and will not run */
};

struct cloud_forgotten {
	int64_t sessions;
	bool agent_keeps; /* the agent has a record of its own */
};

struct cloud_session_status {
	bool busy; /* a turn runs */
	int64_t queued; /* commands that wait */
	const char *agent; /* NULL: not told */
	const char *model; /* NULL: not told */
};

/* Someone who can answer. */
struct cloud_agent {
	const char *name;
	const char *backend; /* "" if not told */
	const char *model; /* NULL: not told */
};

struct cloud_agents {
	struct json_object *array;
	size_t count;
};

/* False when it has no name; *@ret is then untouched. */
bool cloud_agent_read(struct json_object *object, struct cloud_agent *ret);
bool cloud_agents_at(
	const struct cloud_agents *list, size_t index, struct cloud_agent *ret);

typedef void (*cloud_snapshot_done)(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot);
typedef void (*cloud_artifact_done)(void *arg, const struct cloud_result *result,
	const struct cloud_artifact *artifact);
typedef void (*cloud_extensions_done)(void *arg, const struct cloud_result *result,
	const struct cloud_extensions *extensions);
typedef void (*cloud_abort_done)(
	void *arg, const struct cloud_result *result, const struct cloud_abort *abort);
typedef void (*cloud_forgotten_done)(void *arg, const struct cloud_result *result,
	const struct cloud_forgotten *forgotten);
typedef void (*cloud_session_status_done)(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status);
typedef void (*cloud_agents_done)(
	void *arg, const struct cloud_result *result, const struct cloud_agents *agents);
typedef void (*cloud_agent_done)(
	void *arg, const struct cloud_result *result, const struct cloud_agent *agent);
typedef void (*cloud_people_done)(
	void *arg, const struct cloud_result *result, const struct cloud_people *people);

struct cloud_session_params {
	const char *binding_id; /* of the session */
};

/* The session and its projection. */
enum cg_status cloud_snapshot(struct cloud_client *client,
	const struct cloud_session_params *params, cloud_snapshot_done done, void *arg,
	struct cloud_call **ret);

struct cloud_artifact_params {
	const char *binding_id; /* of the session */
	const char *artifact_id;
	bool by_path; /* extension "artifacts.path": where it lies instead of its bytes */
	/* of the file: an answer that brings more is TOO_LARGE; 0: 25 MiB */
	uint64_t max_bytes;
};

/* A file that the agent made, with its bytes as base64 or where they lie. */
enum cg_status cloud_get_artifact(struct cloud_client *client,
	const struct cloud_artifact_params *params, cloud_artifact_done done, void *arg,
	struct cloud_call **ret);

/* The probe.  A Cloud that has no such route (404, or 403) gives CLOUD_OK without names. */
enum cg_status cloud_probe_extensions(struct cloud_client *client,
	cloud_extensions_done done, void *arg, struct cloud_call **ret);

/* Extension "session.abort": stop what the session does. */
enum cg_status cloud_abort_session(struct cloud_client *client,
	const struct cloud_session_params *params, cloud_abort_done done, void *arg,
	struct cloud_call **ret);

#define CLOUD_FORGET 64 /* threads in one call */

struct cloud_forget_params {
	const char *channel_binding_id;
	const struct cloud_actor *actor; /* who asks for it */
	const char *external_chat_id;
	const char *const *external_thread_ids;
	size_t count; /* of them, 1 to CLOUD_FORGET */
};

/* Extension "session.forget": delete the sessions of these threads with all that they hold. */
enum cg_status cloud_forget_threads(struct cloud_client *client,
	const struct cloud_forget_params *params, cloud_forgotten_done done, void *arg,
	struct cloud_call **ret);

/* Extension "session.status": what the session does. */
enum cg_status cloud_get_status(struct cloud_client *client,
	const struct cloud_session_params *params, cloud_session_status_done done,
	void *arg, struct cloud_call **ret);

/* Extension "agents": who can answer … */
enum cg_status cloud_list_agents(struct cloud_client *client, cloud_agents_done done,
	void *arg, struct cloud_call **ret);

struct cloud_choice_params {
	const char *binding_id; /* of the session */
	const char *agent;
};

/* … and who shall from now on.  NOT_FOUND: nobody of that name (agents.unknown); the message
 * says who is there.  CONFLICT: the agent is working. */
enum cg_status cloud_choose_agent(struct cloud_client *client,
	const struct cloud_choice_params *params, cloud_agent_done done, void *arg,
	struct cloud_call **ret);

/* Extension "people", to all of the following: everyone who is known. */
enum cg_status cloud_list_people(struct cloud_client *client, cloud_people_done done,
	void *arg, struct cloud_call **ret);

struct cloud_pairing_params {
	const char *code;
	/* Who says so; judged by their role.  NULL: the gateway itself. */
	const struct cloud_actor *actor;
};

/* Let a pending person in, or keep them out, by the code they were told. */
enum cg_status cloud_approve_person(struct cloud_client *client,
	const struct cloud_pairing_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret);
enum cg_status cloud_deny_person(struct cloud_client *client,
	const struct cloud_pairing_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret);

struct cloud_person_params {
	const char *identity_id;
	const char *role; /* NULL: unchanged */
	const char *status; /* NULL: unchanged */
};

enum cg_status cloud_update_person(struct cloud_client *client,
	const struct cloud_person_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret);
/* The record is what was removed; its identity_id is "" when the reply does not say. */
enum cg_status cloud_remove_person(struct cloud_client *client,
	const struct cloud_person_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret);

#endif
