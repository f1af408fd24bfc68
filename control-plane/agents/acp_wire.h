/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Agent Client Protocol, version 1: JSON-RPC 2.0, one message a line, both ways.  Pure, but
 * for the files of a prompt, which are read.
 */
#ifndef COWGATE_CONTROL_PLANE_ACP_WIRE_H
#define COWGATE_CONTROL_PLANE_ACP_WIRE_H

#include "control-plane/agents/agent.h"

#include <cowgate/sdk/buffer.h>

struct json_object;

#define ACP_LINE (16u << 20) /* bytes of a line either way */
#define ACP_METHOD_NOT_FOUND (-32601)
#define ACP_OUTPUT (16u << 10) /* bytes of a tool's output that are passed on */

enum acp_kind {
	ACP_REQUEST, /* the agent asks: method, params, id */
	ACP_NOTICE, /* the agent tells: method, params */
	ACP_RESPONSE, /* to one of ours: number, and result or error */
	ACP_NONSENSE,
};

/* Views into the JSON. */
struct acp_message {
	enum acp_kind kind;
	const char *method;
	struct json_object *id; /* string or number, as it came */
	int64_t number; /* of our request */
	struct json_object *params;
	struct json_object *result;
	struct json_object *error; /* NULL: none */
};

void acp_message_read(struct json_object *json, struct acp_message *ret);

/* One sentence of an error object: "message" and what "data" adds to it. */
void acp_error_text(struct json_object *error, char *ret, size_t size);

/* Lines, ended, appended to @ret.  @params and @result are adopted; NULL gives {} and null. */
enum cg_status acp_write_request(struct cg_buffer *ret, int64_t number,
	const char *method, struct json_object *params);
enum cg_status acp_write_notice(
	struct cg_buffer *ret, const char *method, struct json_object *params);
enum cg_status acp_write_result(
	struct cg_buffer *ret, struct json_object *id, struct json_object *result);
enum cg_status acp_write_error(
	struct cg_buffer *ret, struct json_object *id, int code, const char *message);

/* What the agent said that it can do. */
struct acp_abilities {
	bool load_session;
	bool images;
	bool embedded; /* files inside the prompt */
};

/* The params of initialize: no files and no terminals are offered, for there are none. */
struct json_object *acp_initialize_params(const char *version);
/* False: it speaks a version that we do not. */
bool acp_initialize_read(struct json_object *result, struct acp_abilities *ret);
struct json_object *acp_session_params(const char *session_id, const char *directory);
/* Text and files, each in the best form that the agent takes. */
struct json_object *acp_prompt_params(const char *session_id,
	const struct agent_prompt *prompt, const char *system,
	const struct acp_abilities *abilities);

enum acp_update_kind {
	ACP_UPDATE_OTHER, /* nothing that we show */
	ACP_UPDATE_TEXT,
	ACP_UPDATE_THOUGHT,
	ACP_UPDATE_TOOL, /* payload of "tool.call" */
	ACP_UPDATE_TODOS, /* payload of "todos.updated" */
	ACP_UPDATE_COST, /* what the session has cost up to now */
};

struct acp_update {
	enum acp_update_kind kind;
	const char *text; /* view */
	size_t length;
	const char *message_id; /* view; NULL: it gives none */
	struct json_object *payload; /* owned */
	double cost; /* in dollars */
};

void acp_update_read(struct json_object *update, struct acp_update *ret);
void acp_update_finish(struct acp_update *update);

/* The payload of "permission.requested" under @permission_id; owned by the caller. */
struct json_object *acp_permission_payload(
	struct json_object *params, const char *permission_id);
/* The option for "once", "always" or "reject", chosen by its kind; NULL: none will do, and no
 * more is ever granted than was said. */
const char *acp_permission_option(struct json_object *params, const char *reply);
/* The outcome that is sent for an option; NULL: cancelled. */
struct json_object *acp_permission_result(const char *option_id);

/* The payload of "cost.updated": tokens of a prompt's result, and @cost since the last one.
 * NULL: it tells neither. */
struct json_object *acp_usage_payload(
	struct json_object *result, double cost, const char *id);

#endif
