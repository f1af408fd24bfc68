/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to a server of OpenCode (version 1 of its API) and what comes from it.  Pure, but for
 * the files of a prompt, which are read.
 */
#ifndef COWGATE_CONTROL_PLANE_OPENCODE_WIRE_H
#define COWGATE_CONTROL_PLANE_OPENCODE_WIRE_H

#include "control-plane/agents/agent.h"

#include <cowgate/sdk/buffer.h>

struct json_object;

#define OPENCODE_ID 128 /* bytes of one of its ids with NUL; a longer one is not taken */
#define OPENCODE_OUTPUT (16u << 10) /* bytes of a tool's output that are passed on */
#define OPENCODE_REQUEST (32u << 20) /* bytes of a prompt with its files */

/*
 * Ids of a prompt's message and its parts, made from our own: the same prompt always has the
 * same ones, so that a prompt that arrives twice is one.  They sort before all that the server
 * makes.  @part 0 is the message itself.
 */
void opencode_prompt_id(const char *command_id, unsigned part, char ret[OPENCODE_ID]);

/* … unless the server is to take the message as said after one of its own: then its id is the next
 * one behind @newest, as the server counts.  False: @newest is no id that can be counted on. */
bool opencode_next_id(const char *newest, const char *command_id, char ret[OPENCODE_ID]);

/* Letters, digits, '_' and '-': good for a path. */
bool opencode_id_is_plain(const char *id);

/* The body of a prompt; the caller owns it. */
struct json_object *opencode_prompt_body(
	const struct agent_prompt *prompt, const char *model, const char *system);

enum opencode_kind {
	OPENCODE_OTHER,
	OPENCODE_CONNECTED, /* the stream has begun */
	OPENCODE_MESSAGE, /* message_id, parent_id, role, whether it is complete, error */
	OPENCODE_PART,
	OPENCODE_DELTA, /* part_id, text */
	OPENCODE_IDLE,
	OPENCODE_RETRY, /* the model failed: text says how, number counts */
	OPENCODE_ERROR, /* text */
	OPENCODE_TODOS,
	OPENCODE_PERMISSION,
	OPENCODE_PERMISSION_OVER, /* request_id */
	OPENCODE_QUESTION,
	OPENCODE_QUESTION_OVER, /* request_id */
	OPENCODE_CHILD, /* session_id was made for parent_id */
};

/* Views into the JSON. */
struct opencode_event {
	enum opencode_kind kind;
	const char *session_id; /* "" where there is none */
	const char *message_id;
	const char *parent_id;
	const char *part_id;
	const char *request_id;
	const char *text;
	size_t length;
	int64_t number;
	bool assistant; /* the message is the model's */
	bool reply; /* of a permission: not rejected */
	struct json_object *body; /* part, or the properties */
};

/* One frame of /global/event or /event. */
void opencode_event_read(struct json_object *frame, struct opencode_event *ret);

/* One message of a list: its info. */
struct opencode_message {
	const char *id;
	const char *parent_id;
	bool assistant;
	bool complete;
	bool more; /* it ended because it had used tools, so another one follows */
	const char *error; /* NULL: none; "MessageAbortedError" by name */
	const char *error_text;
	struct json_object *parts;
};
void opencode_message_read(struct json_object *json, struct opencode_message *ret);

enum opencode_part_kind {
	OPENCODE_PART_OTHER,
	OPENCODE_PART_TEXT,
	OPENCODE_PART_THOUGHT,
	OPENCODE_PART_TOOL,
	OPENCODE_PART_COST,
	OPENCODE_PART_FILE,
};

/* Views. */
struct opencode_part {
	enum opencode_part_kind kind;
	const char *id;
	const char *message_id;
	const char *text;
	size_t length;
	const char *call_id; /* of a tool */
	const char *status; /* of a tool: pending, running, completed, error */
	struct json_object *body;
};
void opencode_part_read(struct json_object *json, struct opencode_part *ret);

/* Payloads of session events; owned by the caller. */
struct json_object *opencode_tool_payload(const struct opencode_part *part);
struct json_object *opencode_cost_payload(const struct opencode_part *part);
struct json_object *opencode_todos_payload(struct json_object *properties);
struct json_object *opencode_permission_payload(struct json_object *properties);
struct json_object *opencode_question_payload(struct json_object *properties);

/* A file of a part or of a tool's state: "data:" is decoded into @bytes (of any limit).  False: it
 * is none.  Paths are not followed: the agent may not be one who can read what we can. */
struct opencode_file {
	const char *filename;
	const char *mime_type;
};
bool opencode_file_read(
	struct json_object *json, struct cg_buffer *bytes, struct opencode_file *ret);

/* What an answer of the server says went wrong, in either of its two shapes. */
void opencode_error_text(struct json_object *json, char *ret, size_t size);

#endif
