/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes out to a platform, and how a provider says what became of it.
 *
 * Everything in a struct cg_outbound is borrowed until the call's completion fires.
 */
#ifndef COWGATE_OUTBOUND_H
#define COWGATE_OUTBOUND_H

#include <cowgate/message.h>

enum cg_outbound_kind {
	CG_OUTBOUND_TEXT,
	CG_OUTBOUND_EDIT, /* target.message_id gets a new text and no buttons */
	CG_OUTBOUND_BUTTONS, /* a text with rows of buttons */
	CG_OUTBOUND_FILE,
	CG_OUTBOUND_ANSWER, /* answers a pressed button; never repeated */
	CG_OUTBOUND_TYPING, /* never retried */
	CG_OUTBOUND_REACTION, /* our mark on target.message_id; replaces our earlier one; never retried */
};

/* What a mark on a person's message says.  It is set only once it is true. */
enum cg_reaction {
	CG_REACTION_NONE, /* takes the mark away */
	CG_REACTION_SEEN, /* stored durably */
	CG_REACTION_DONE, /* the last answer has its receipt */
	CG_REACTION_FAILED, /* no answer will come */
};

enum cg_span_kind {
	CG_SPAN_BOLD,
	CG_SPAN_ITALIC,
	CG_SPAN_STRIKE,
	CG_SPAN_CODE, /* inline */
	CG_SPAN_PRE, /* block; detail is the language or NULL */
	CG_SPAN_LINK, /* detail is the URL */
	CG_SPAN_QUOTE,
};

/* A stretch of the text, in bytes; never splits a character.  Spans nest, sorted by offset. */
struct cg_span {
	enum cg_span_kind kind;
	uint32_t offset;
	uint32_t length;
	const char *detail;
};

enum cg_button_style {
	CG_BUTTON_PLAIN,
	CG_BUTTON_GOOD,
	CG_BUTTON_DANGER,
};

struct cg_button {
	const char *label;
	const char *token;
	enum cg_button_style style;
	bool starts_row;
};

struct cg_file {
	const char *filename;
	const char *mime_type;
	const char *path; /* a readable file, borrowed */
	uint64_t bytes;
};

struct cg_outbound {
	uint32_t size;
	enum cg_outbound_kind kind;
	/* The same on every attempt: the idempotency key.  NULL for what is never repeated: typing
	 * and the edits that show a growing text. */
	const char *delivery_id;
	struct cg_target target;
	const char *source; /* the Markdown, byte-exact; what CG_FORM_SOURCE sends */
	size_t source_length;
	const char *text; /* readable form of source, NUL after text_length bytes */
	size_t text_length;
	const struct cg_span *spans; /* over text; empty unless CG_FORM_RENDERED */
	size_t span_count;
	const struct cg_button *buttons;
	size_t button_count;
	const struct cg_file *file;
	const char *interaction_id; /* CG_OUTBOUND_ANSWER */
	enum cg_reaction reaction; /* CG_OUTBOUND_REACTION */
	bool alert; /* CG_OUTBOUND_ANSWER: show it as a dialog */
	bool silent; /* no notification sound */
	uint32_t attempt; /* from 1 */
	int64_t timeout_ms; /* the whole call must have ended by then */
};

/* What became of a send.  The class decides what happens next, never a text. */
enum cg_outcome_class {
	CG_OUTCOME_SENT, /* arrived; message_id is set where the platform has ids */
	CG_OUTCOME_NOT_DISPATCHED, /* nothing left this host: repeat freely */
	CG_OUTCOME_REFUSED, /* a definite no: do not repeat */
	CG_OUTCOME_RATE_LIMITED, /* a definite "later": retry_after_ms is set */
	CG_OUTCOME_AMBIGUOUS, /* bytes may have arrived */
};

/* What a refusal or a limit applies to. */
enum cg_outcome_scope {
	CG_SCOPE_MESSAGE, /* this message only */
	CG_SCOPE_CHAT, /* this chat: blocked, left, migrated */
	CG_SCOPE_ACCOUNT, /* the whole instance: token revoked */
	CG_SCOPE_DESTINATION, /* the receiver's host */
};

struct cg_outcome {
	uint32_t size;
	enum cg_outcome_class class;
	enum cg_outcome_scope scope;
	/* platform's receipt, borrowed during the call; may be NULL */
	const char *message_id;
	int64_t retry_after_ms; /* from now; -1: not said */
	int platform_status; /* HTTP status or the platform's code; 0: none */
	const char *detail; /* at most 4096 bytes for the operator; no secrets */
};

/* Called exactly once on the loop thread, never from inside ops->send(). */
typedef void (*cg_send_done)(void *arg, const struct cg_outcome *outcome);

#endif
