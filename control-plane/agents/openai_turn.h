/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of the "openai" agent, and what its turns share. */
#ifndef COWGATE_CONTROL_PLANE_OPENAI_TURN_H
#define COWGATE_CONTROL_PLANE_OPENAI_TURN_H

#include "control-plane/agents/openai_wire.h"

#include <sys/queue.h>

#define OPENAI_SERVERS 8
#define OPENAI_TURNS 256 /* under way at once */
#define OPENAI_TEXT (1u << 20) /* bytes of one answer */
#define OPENAI_TURN_MS 900000 /* unless the options say otherwise */
#define OPENAI_SILENCE_MS 60000 /* and at most half the turn: time for a second try */

LIST_HEAD(openai_turns, agent_turn);

struct openai {
	struct loop *loop;
	struct http_client *http;
	const struct agent_options *options; /* borrowed */
	char *urls[OPENAI_SERVERS]; /* of chat/completions, asked in this order */
	size_t url_count;
	struct openai_turns turns; /* at most OPENAI_TURNS */
	size_t turn_count;
	bool plain; /* a server does not know stream_options */
	bool blind; /* a server refused a picture */
	struct cg_error health; /* how the server did last; status OK at first */
};

/* Begin; @sink hears of it on a later turn of the loop.  LIMIT: the prompt is too long. */
enum cg_status openai_turn_create(struct openai *openai,
	const struct agent_prompt *prompt, const struct agent_sink *sink, void *arg,
	struct agent_turn **ret);

/* Ends with AGENT_CANCELLED on a later turn of the loop, unless it has ended. */
void openai_turn_cancel(struct agent_turn *turn);

/* Gone at once, without a call. */
void openai_turn_destroy(struct agent_turn *turn);

#endif
