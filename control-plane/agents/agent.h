/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers a prompt.  An agent backend runs turns; the plane stores what they report.
 *
 * A turn is one prompt of one session.  It reports through struct agent_sink and ends with
 * exactly one sink->ended().  The plane runs at most one turn per session.  Everything happens
 * on the loop thread, nothing blocks, and no sink function is called from inside an ops
 * function.  Strings are borrowed during the call.
 */
#ifndef COWGATE_CONTROL_PLANE_AGENT_H
#define COWGATE_CONTROL_PLANE_AGENT_H

#include "runtime/http_client.h"
#include "runtime/loop.h"

#include <cowgate/sdk/secret.h>
#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

#define AGENT_ARTIFACT (25u << 20) /* bytes of one file that an agent makes */

enum agent_role {
	AGENT_ROLE_USER,
	AGENT_ROLE_ASSISTANT,
};

/* An earlier message of the session, oldest first. */
struct agent_message {
	enum agent_role role;
	const char *text;
	size_t length;
};

/* A file that came with the prompt.  It stays where it is until the turn has ended. */
struct agent_file {
	const char *filename; /* a name, never a path */
	const char *mime_type;
	const char *path; /* the plane's own copy: read it, do not change it */
	uint64_t bytes;
};

/* A file that the agent made for the person. */
struct agent_artifact {
	/* the backend's own, so that a repeat is the same file; or NULL */
	const char *id;
	const char *filename; /* directories are dropped */
	const char *mime_type; /* NULL: not known */
	/* Where it is, copied soon after the call: it must stay until the turn has ended.
	 * NULL: it is @length bytes at @data, borrowed during the call. */
	const char *path;
	const void *data;
	size_t length;
};

struct agent_prompt {
	const char *session_id;
	/* the backend's own id of the session, "" at first */
	const char *runtime_session_id;
	const char *command_id; /* stable across retries: derive ids from it */
	/* of the backend's own agents; "build" unless the person chose */
	const char *agent;
	unsigned attempt; /* from 1 */
	const char *text;
	const struct agent_message *history;
	size_t history_count;
	const struct agent_file *files;
	size_t file_count;
};

enum agent_end {
	AGENT_COMPLETED,
	AGENT_CANCELLED,
	AGENT_FAILED, /* message is one clear sentence for the person */
	AGENT_UNSETTLED, /* lost touch after it may have acted: see agent_ops.settle */
};

/* What a turn reports.  JSON values are borrowed, in the payload shapes of session events. */
struct agent_sink {
	/* Text of an assistant message: append, or replace the whole of it. */
	void (*append)(
		void *arg, const char *message_id, const char *text, size_t length);
	void (*replace)(
		void *arg, const char *message_id, const char *text, size_t length);
	/* Any other session event: "tool.call", "permission.requested", "question.asked",
	 * "todos.updated", "cost.updated", "artifact.created", … */
	void (*event)(void *arg, const char *type, struct json_object *payload);
	/* A file for the person, AGENT_ARTIFACT bytes at most: kept, and announced as
	 * "artifact.created".  One that cannot be kept is announced with an error. */
	void (*artifact)(void *arg, const struct agent_artifact *artifact);
	/* The backend's own session id is known. */
	void (*bound)(void *arg, const char *runtime_session_id);
	void (*ended)(void *arg, enum agent_end end, const char *message);
};

struct agent_turn; /* the backend's, from start to ended */

/* Settings of one backend, borrowed for its life. */
struct agent_options {
	const char *url; /* may be NULL */
	const char *const
		*fallback_urls; /* asked when that fails; NULL-ended; may be NULL */
	const char *model; /* may be NULL */
	const char *system_prompt; /* may be NULL */
	const struct cg_secret *api_key;
	/* Of a program that is started; each ends with NULL and may be NULL itself. */
	const char *const *command; /* program and arguments */
	const char *const
		*environment; /* NAME, passed on, or NAME=value, beside the usual */
	const char *const *limits; /* "nofile=4096" */
	const char *user; /* runs it; NULL: ours */
	const char *directory; /* where it works; NULL: where we do */
	bool show_thoughts; /* what it thinks aloud is part of the answer */
	int64_t turn_timeout_ms; /* whole turn; 0: 15 min */
	int64_t retry_ms; /* for a model that fails, before the turn does; 0: 2 min */
	size_t history_tokens; /* budget for history; 0: 8192 */
	/* What may be used in a day, by one chat and by all; 0: no limit.  The plane keeps it. */
	int64_t daily_tokens_per_chat;
	int64_t daily_tokens;
};

struct agent_host {
	struct loop *loop;
	struct http_client *http;
	const char *keeper; /* program that children run below; NULL: there can be none */
	/* What the operator should know; a level of enum cg_log_level.  May be NULL. */
	void (*notice)(void *arg, int level, const char *event, const char *key,
		const char *value);
	void *arg;
};

struct agent_ops {
	const char *name; /* as in the settings: "echo", "openai" */
	/* It remembers its sessions by itself, so a prompt comes without history. */
	bool remembers;
	/* agent_prompt.agent may name an agent that the backend has of its own.  Else a name
	 * that the settings do not know is refused before the turn. */
	bool has_agents;
	enum cg_status (*create)(const struct agent_host *host,
		const struct agent_options *options, void **ret_self,
		struct cg_error *err);
	void (*destroy)(void *self); /* turns under way end without a call */

	/* Begin a turn.  @prompt is borrowed during the call.  On failure sink is not called. */
	enum cg_status (*start)(void *self, const struct agent_prompt *prompt,
		const struct agent_sink *sink, void *arg, struct agent_turn **ret,
		struct cg_error *err);
	/* Ask it to stop; ended(CANCELLED) follows within a second. */
	void (*cancel)(void *self, struct agent_turn *turn);

	/* Answers to what the turn asked.  NULL where the backend never asks. */
	enum cg_status (*permission)(void *self, struct agent_turn *turn,
		const char *permission_id, const char *reply,
		const char *message); /* reply: once, always, reject */
	enum cg_status (*question)(void *self, struct agent_turn *turn,
		const char *request_id, struct json_object *answers); /* NULL: rejected */

	/*
	 * One more message for the running turn, which takes it in as it works.  NULL: the
	 * backend cannot, and the message waits for its own turn; so it does unless this
	 * gives CG_OK.
	 */
	enum cg_status (*steer)(
		void *self, struct agent_turn *turn, const struct agent_prompt *prompt);

	/*
	 * After a restart: a turn was running when the process died.  What can be learnt of it
	 * is asked in this order:
	 *
	 * settle: pick the turn up where it is, without sending the prompt again: as start(),
	 * with text that is reported whole (replace) and ids as before, so that a repeated
	 * report does no harm.  It ends as any turn; UNSETTLED when its fate cannot be learnt.
	 * NULL, or anything but CG_OK: it cannot.
	 *
	 * repeatable: true when it may be started again (no side effects, or a repeat is a
	 * no-op).  False: the person is told that it was lost.
	 */
	enum cg_status (*settle)(void *self, const struct agent_prompt *prompt,
		const struct agent_sink *sink, void *arg, struct agent_turn **ret,
		struct cg_error *err);
	bool (*repeatable)(void *self, const struct agent_prompt *prompt);

	/* Can it answer at the moment?  CG_OK or why not; cheap, from memory. */
	enum cg_status (*health)(void *self, struct cg_error *err);
};

extern const struct agent_ops agent_acp;
extern const struct agent_ops agent_echo;
extern const struct agent_ops agent_openai;
extern const struct agent_ops agent_opencode;

/* By name; NULL if unknown. */
const struct agent_ops *agent_find(const char *name);

#endif
