/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the echo agent does for a prompt, as steps: its first word decides.  The words
 * are told in echo.c.  Pure, but for looking at the size of attached files.
 */
#ifndef COWGATE_CONTROL_PLANE_ECHO_SCRIPT_H
#define COWGATE_CONTROL_PLANE_ECHO_SCRIPT_H

#include "control-plane/agents/agent.h"

#define ECHO_STEPS 8 /* of one prompt */
#define ECHO_SLOW_MAX 3600 /* seconds */
#define ECHO_SLOW_STEP_MS 200
#define ECHO_STREAM_MAX 1000 /* pieces */
#define ECHO_STREAM_STEP_MS 50

enum echo_kind {
	ECHO_PIECES, /* the text in @count pieces */
	ECHO_REPEAT, /* the text @count times */
	ECHO_WHOLE, /* the text as the whole answer */
	ECHO_EVENT, /* @type with @payload */
	ECHO_ASK, /* the same, and wait for its answer, which is then shown */
	ECHO_FILE, /* a file @type with the text as its bytes */
	ECHO_FAIL, /* the text as the reason */
};

struct echo_step {
	enum echo_kind kind;
	const char *type; /* literal, or into the script's text */
	char *text; /* owned, may be NULL */
	struct json_object *payload; /* owned, may be NULL */
	int64_t count;
	int64_t pause_ms; /* before the next step, or the next piece */
};

struct echo_script {
	char *prompt; /* owned */
	char *asked; /* owned: id of what an ECHO_ASK asks for, and of the tool and file */
	struct echo_step steps[ECHO_STEPS];
	size_t count;
};

/* On CG_OK to be finished; NOMEM leaves nothing. */
enum cg_status echo_script_init(
	struct echo_script *script, const struct agent_prompt *prompt);
void echo_script_finish(struct echo_script *script);

#endif
