/* SPDX-License-Identifier: Apache-2.0 */
/* One turn of the "openai" agent, as openai_turn.c and openai_attempt.c share it, and what its
 * turns share. */
#ifndef COWGATE_CONTROL_PLANE_OPENAI_TURN_H
#define COWGATE_CONTROL_PLANE_OPENAI_TURN_H

#include "control-plane/agents/openai_wire.h"

#include <cowgate/sdk/sse.h>
#include <sys/queue.h>

#define OPENAI_SERVERS 8
#define OPENAI_TURNS 256 /* under way at once */
#define OPENAI_TEXT (1u << 20) /* bytes of one answer */
#define OPENAI_TURN_MS 900000 /* unless the options say otherwise */
#define OPENAI_SILENCE_MS 60000 /* and at most half the turn: time for a second try */

/* Bytes of a frame, or of an answer in one piece: the text with its escapes. */
#define OPENAI_REPLY (4u << 20)
#define OPENAI_LINGER_MS 200 /* for the server to end a stream that is complete */

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

enum openai_state {
	OPENAI_WAITING, /* for the next attempt */
	OPENAI_ASKING,
	OPENAI_COMPLETE, /* all of it has come; the connection may end in its own time */
	OPENAI_CANCELLED,
	OPENAI_OVER,
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct openai *openai; /* borrowed */
	struct agent_sink sink;
	void *arg;
	enum openai_state state;
	char *command_id;
	char *answer_id; /* message ids, both from the command's */
	char *note_id;
	struct cg_buffer body; /* of the request */
	struct cg_buffer blind; /* the same without pictures; empty when it has none */
	struct cg_http_call *call;
	struct cg_sse sse;
	struct cg_buffer reply; /* of a server that does not stream */
	bool streamed;
	bool begun; /* a server has begun to answer, which it may ask money for */
	size_t shown; /* bytes of text */
	int64_t shown_tokens; /* a guess */
	enum openai_finish finish;
	bool has_usage;
	struct openai_usage usage;
	unsigned failed; /* attempts */
	int64_t deadline_ms; /* monotonic */
	struct cg_error why; /* the last attempt failed */
	struct loop_timer deadline;
	struct loop_timer wait; /* the next attempt, the end of lingering, a cancel */
	struct loop_task reap;
};

/* ---- openai_turn.c ---- */

/* Begin; @sink hears of it on a later turn of the loop.  LIMIT: the prompt is too long. */
enum cg_status openai_turn_create(struct openai *openai,
	const struct agent_prompt *prompt, const struct agent_sink *sink, void *arg,
	struct agent_turn **ret);

/* Ends with AGENT_CANCELLED on a later turn of the loop, unless it has ended. */
void openai_turn_cancel(struct agent_turn *turn);

/* Gone at once, without a call. */
void openai_turn_destroy(struct agent_turn *turn);

void openai_turn_fail(struct agent_turn *turn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Text of the answer.  The first of it replaces what an earlier run may have shown. */
void openai_turn_show(struct agent_turn *turn, const char *text, size_t length);
/* The attempt is over without a whole answer; turn->why says why.  The server wants to be left
 * alone for @retry_after_ms; -1: it does not say. */
void openai_turn_try_again(struct agent_turn *turn, int64_t retry_after_ms);
/* The answer is whole: say what is odd about it, if anything. */
void openai_turn_complete(struct agent_turn *turn);

/* ---- openai_attempt.c ---- */

/* Ask the server whose turn it is. */
void openai_attempt_start(struct agent_turn *turn);
/* A frame of the stream; for the turn's parser. */
bool openai_attempt_frame(void *arg, const struct cg_sse_event *frame);

#endif
