/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in: claim an event, find the person, bind the chat, prompt, and answer what the
 * agent asked.  The shape of the calls is told in cloud-client/client.h.
 */
#ifndef COWGATE_CLOUD_CLIENT_CHANNEL_H
#define COWGATE_CLOUD_CLIENT_CHANNEL_H

#include "cloud-client/client.h"
#include "cloud-client/record.h"

#define CLOUD_CLAIM_TTL_MS 300000

/* Where a message came from; externals as the platform names them. */
struct cloud_actor {
	const char *identity_id; /* NULL where it is not known yet */
	const char *provider;
	const char *external_workspace_id; /* NULL: none */
	const char *external_user_id;
};

typedef void (*cloud_provider_event_done)(void *arg, const struct cloud_result *result,
	const struct cloud_provider_event *event);
typedef void (*cloud_identity_done)(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity);
typedef void (*cloud_bound_done)(
	void *arg, const struct cloud_result *result, const struct cloud_bound *bound);
typedef void (*cloud_command_done)(void *arg, const struct cloud_result *result,
	const struct cloud_command *command);
typedef void (*cloud_cursor_done)(
	void *arg, const struct cloud_result *result, const struct cloud_cursor *cursor);
typedef void (*cloud_interaction_done)(void *arg, const struct cloud_result *result,
	const struct cloud_interaction *interaction);
typedef void (*cloud_resolution_done)(void *arg, const struct cloud_result *result,
	const struct cloud_resolution *resolution);

struct cloud_claim_params {
	const char *provider;
	const char *provider_instance_id;
	const char *provider_event_id;
	const char *event_type; /* message, command, interaction */
	const char *channel_binding_id; /* NULL: the Cloud finds it */
	const char *external_workspace_id; /* NULL: that of the binding */
	int64_t ttl_ms; /* 0: CLOUD_CLAIM_TTL_MS */
	struct json_object *metadata; /* borrowed; NULL: none */
};

/* Say that this gateway works on a platform event. */
enum cg_status cloud_claim(struct cloud_client *client,
	const struct cloud_claim_params *params, cloud_provider_event_done done,
	void *arg, struct cloud_call **ret);

struct cloud_complete_params {
	const char *event_id;
	const char *channel_binding_id; /* NULL: not said */
	bool processed; /* false: failed */
	bool retryable; /* of a failure */
	const char *last_error; /* of a failure; NULL: none */
};

/* Say that it is done.  NOT_FOUND: the claim is no longer ours. */
enum cg_status cloud_complete(struct cloud_client *client,
	const struct cloud_complete_params *params, cloud_provider_event_done done,
	void *arg, struct cloud_call **ret);

struct cloud_identity_params {
	struct cloud_actor actor; /* identity_id is not used */
	const char *channel_binding_id;
	const char *username; /* NULL: not known */
	const char *display_name; /* NULL: not known */
};

/* Who is this?  Strangers are written down as pending viewers. */
enum cg_status cloud_resolve_identity(struct cloud_client *client,
	const struct cloud_identity_params *params, cloud_identity_done done, void *arg,
	struct cloud_call **ret);

struct cloud_bind_params {
	struct cloud_actor actor;
	const char *channel_binding_id;
	const char *external_chat_id;
	const char *external_thread_id; /* NULL: the chat's own id */
	const char *title; /* NULL: none */
};

/* The session of a chat thread, made if there is none. */
enum cg_status cloud_bind(struct cloud_client *client,
	const struct cloud_bind_params *params, cloud_bound_done done, void *arg,
	struct cloud_call **ret);

struct cloud_thread_params {
	const char *provider;
	const char *external_workspace_id; /* NULL: none */
	const char *external_chat_id;
	const char *external_thread_id; /* NULL: the chat's own id */
};

/* The session of a chat thread if there is one; else NOT_FOUND. */
enum cg_status cloud_by_thread(struct cloud_client *client,
	const struct cloud_thread_params *params, cloud_bound_done done, void *arg,
	struct cloud_call **ret);

struct cloud_prompt_params {
	struct cloud_actor actor;
	const char *binding_id; /* of the session */
	const char *text;
	const char *agent; /* NULL: the Cloud's default */
	const char *idempotency_key; /* a repeat with it does no harm; NULL: none */
	/* array, borrowed; NULL: none.  Extension "attachments.path" */
	struct json_object *attachments;
	/* Extension "steer": queue, steer or interrupt a turn that runs; NULL: as the
	 * channel says. */
	const char *mode;
};

/* Hand a message over.  CONFLICT: the command of that key had failed. */
enum cg_status cloud_prompt(struct cloud_client *client,
	const struct cloud_prompt_params *params, cloud_command_done done, void *arg,
	struct cloud_call **ret);

struct cloud_cursor_params {
	const char *binding_id;
	int64_t last_event_sequence;
	int64_t last_workspace_sequence;
	const char *last_chat_message_id; /* NULL: keeps what the Cloud has */
};

/* Mirror the local cursor. */
enum cg_status cloud_set_cursor(struct cloud_client *client,
	const struct cloud_cursor_params *params, cloud_cursor_done done, void *arg,
	struct cloud_call **ret);

struct cloud_interaction_params {
	/* ours, stable across repeats; NULL: the Cloud's choice */
	const char *interaction_id;
	const char *agent_id;
	const char *session_binding_id;
	const char *session_id;
	const char *provider;
	const char *kind; /* permission, question */
	const char *target_id;
};

/* Let someone answer a permission or a question once; the record has the token. */
enum cg_status cloud_create_interaction(struct cloud_client *client,
	const struct cloud_interaction_params *params, cloud_interaction_done done,
	void *arg, struct cloud_call **ret);

enum cloud_answer {
	CLOUD_ANSWER_DENY,
	CLOUD_ANSWER_ALLOW,
	CLOUD_ANSWER_ALLOW_ALWAYS, /* extension "permission.always"; without it, a refusal */
	CLOUD_ANSWER_TEXTS, /* of a question */
	CLOUD_ANSWER_REJECT, /* a question */
};

struct cloud_resolve_params {
	struct cloud_actor actor;
	const char *external_chat_id;
	const char *token; /* NULL: found by the next */
	const char *external_interaction_id; /* NULL: not said */
	enum cloud_answer answer;
	/* TEXTS: array with one entry a question; borrowed */
	struct json_object *answers;
	/* DENY: why, for the agent; NULL: not said.  Extension "permission.message" */
	const char *message;
};

/* Answer it.  NOT_FOUND: unknown, or too late (policy code interactions.expired).  CONFLICT:
 * somebody was faster.  FORBIDDEN: this person may not. */
enum cg_status cloud_resolve_interaction(struct cloud_client *client,
	const struct cloud_resolve_params *params, cloud_resolution_done done, void *arg,
	struct cloud_call **ret);

#endif
