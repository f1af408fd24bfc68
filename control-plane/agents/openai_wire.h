/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of POST …/chat/completions, both ways.  Pure.
 */
#ifndef COWGATE_CONTROL_PLANE_OPENAI_WIRE_H
#define COWGATE_CONTROL_PLANE_OPENAI_WIRE_H

#include "control-plane/agents/agent.h"

#include <cowgate/sdk/buffer.h>

#define OPENAI_KEY_SETTING "OPEN_COWORK_GATEWAY_AGENT_API_KEY"
#define OPENAI_URL_SETTING "OPEN_COWORK_GATEWAY_AGENT_URL"
#define OPENAI_MODEL_SETTING "OPEN_COWORK_GATEWAY_AGENT_MODEL"

#define OPENAI_REQUEST (32u << 20) /* bytes of a request, pictures included */
#define OPENAI_HISTORY_TOKENS 8192 /* unless the options say otherwise */

/*
 * Build the body of a request into @ret: the system prompt, as much of the newest history as
 * its budget allows, and the prompt.  Messages of one role that follow each other become one:
 * many models insist that the roles alternate.  The stream is asked to end with the number of
 * tokens.  Files that are text go inside the prompt, pictures beside it with @images; the model
 * is told of what it cannot see.  LIMIT, NOMEM, IO: a picture cannot be read.
 */
enum cg_status openai_request(const struct agent_options *options,
	const struct agent_prompt *prompt, bool images, struct cg_buffer *ret);

/* Is there a picture that a model could be shown? */
bool openai_has_images(const struct agent_prompt *prompt);

/* Take the wish for the number of tokens out again: some servers refuse it. */
void openai_request_plain(struct cg_buffer *body);

/* A guess that errs on the high side: four ASCII characters, or one other, for a token. */
size_t openai_tokens(const char *text, size_t length);

enum openai_finish {
	OPENAI_UNFINISHED,
	OPENAI_STOP,
	OPENAI_LENGTH, /* the model's or the server's limit */
	OPENAI_FILTER, /* withheld */
	OPENAI_TOOL, /* wants a tool, of which there are none */
};

struct openai_usage {
	double cost; /* where the server tells it, else 0 */
	int64_t input;
	int64_t output;
	int64_t reasoning;
	int64_t cached;
};

/* A piece of a streamed answer, or a whole one.  Views into the JSON. */
struct openai_chunk {
	const char *text; /* NULL: none */
	size_t length;
	enum openai_finish finish;
	bool has_usage;
	struct openai_usage usage;
	const char *error; /* NULL: none */
	int64_t error_code; /* as HTTP has them; 0: not told */
};

void openai_chunk_read(struct json_object *json, struct openai_chunk *ret);

/*
 * What a status other than 2xx means, with the server's own words (@detail, "" for none) where
 * they help.  True: it may pass.  Else ret->status is INVALID for a prompt that the server does
 * not take, and something else when the operator has to act.
 */
bool openai_refusal(
	int64_t status, const char *model, const char *detail, struct cg_error *ret);

/* The payload of a "cost.updated" event; owned by the caller. */
struct json_object *openai_usage_payload(
	const struct openai_usage *usage, const char *id);

#endif
