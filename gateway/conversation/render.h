/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session events into what a chat should show.  Pure: no clock, no journal, no provider; the
 * state is what has been read of the stream since the cursor.
 *
 * Text is kept byte for byte: append appends, replace replaces.  It becomes final at the next
 * message, a permission, a question, an error, idle or abort.  Until then it is a preview; when
 * it takes longer than RENDER_SLOT_MS and the channel can edit, a slot is asked for.
 */
#ifndef COWGATE_GATEWAY_RENDER_H
#define COWGATE_GATEWAY_RENDER_H

#include "cloud-client/record.h"
#include "gateway/journal/inquiry.h"

#include <cowgate/capability.h>
#include <cowgate/sdk/buffer.h>

#define RENDER_TEXT_MAX (1u << 20) /* bytes of one message; the rest is cut with a note */
#define RENDER_ID_MAX 256 /* bytes of a message id */
#define RENDER_SLOT_MS 700 /* an answer that is complete sooner needs no slot */

/* What one event asks for; several may be set. */
enum render_effect {
	RENDER_FINAL = 1u << 0, /* result.message_id and result.text are final */
	RENDER_SLOT = 1u << 1, /* make the slot of the current message */
	RENDER_PREVIEW = 1u << 2, /* the current text has changed */
	RENDER_ERROR = 1u << 3, /* result.error is to be shown */
	RENDER_BUSY = 1u << 4, /* the agent works: show typing */
	RENDER_IDLE = 1u << 5, /* the turn is over */
	RENDER_SNAPSHOT = 1u << 6, /* events are missing: render from the snapshot */
	RENDER_ASK = 1u << 7, /* result.kind is asked by result.payload */
	RENDER_RESOLVED = 1u << 8, /* what was asked is decided, here or elsewhere */
	RENDER_ARTIFACT = 1u << 9, /* a file was made: result.payload */
	RENDER_TOOL = 1u << 10, /* a tool is called: result.payload */
	RENDER_TODO = 1u << 13, /* what is to be done has changed: result.payload */
	RENDER_PROMPT = 1u << 11, /* a turn begins, or hears more: result.payload */
	RENDER_ABORTED = 1u << 12, /* with IDLE: it was stopped */
};

struct render {
	char message_id[RENDER_ID_MAX]; /* "" when no text is open */
	struct cg_buffer text;
	int64_t began_ms; /* monotonic, first text of the message */
	bool has_slot;
	/* The message that became final with the last event. */
	char final_id[RENDER_ID_MAX];
	struct cg_buffer final_text;
	struct cg_buffer error;
};

struct render_result {
	unsigned effects;
	int64_t sequence; /* the event's; the cursor may move here when nothing is open */
	enum inquiry_kind kind;
	struct json_object *payload; /* the event's */
};

void render_init(struct render *render);
void render_finish(struct render *render);

/* Take in one event. */
void render_event(struct render *render, const struct cloud_session_event *event,
	const struct cg_capabilities *capabilities, int64_t mono_ms,
	struct render_result *ret);

/* The stream begins in the middle of this message, of which @text has been said.  Not blank. */
void render_begin(
	struct render *render, const char *message_id, const char *text, int64_t mono_ms);

/* The open text has waited for RENDER_SLOT_MS: does it want its slot now? */
bool render_wants_slot(struct render *render);

/* Is text open that is not final yet?  Then the cursor stays before it. */
bool render_is_open(const struct render *render);

/* Forget everything: the stream starts over from its cursor. */
void render_reset(struct render *render);

#endif
