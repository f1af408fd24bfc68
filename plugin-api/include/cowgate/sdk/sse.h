/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incremental parser for text/event-stream (WHATWG HTML, "Server-sent events").
 * Accepts LF, CR and CRLF, frames split at any byte, comments, and multi-line data.
 */
#ifndef COWGATE_SDK_SSE_H
#define COWGATE_SDK_SSE_H

#include <cowgate/sdk/buffer.h>

/* Bytes of `event` and `id` with NUL.  A longer event is cut, a longer id is none. */
#define CG_SSE_FIELD 256

struct cg_sse_event {
	const char *type; /* "" when the stream gave none */
	const char *id; /* last id seen, "" at first */
	const char *data; /* NUL after length bytes */
	size_t length;
};

/* False stops the feed. */
typedef bool (*cg_sse_handler)(void *arg, const struct cg_sse_event *event);

struct cg_sse {
	struct cg_buffer line;
	struct cg_buffer data;
	char type[CG_SSE_FIELD];
	char id[CG_SSE_FIELD]; /* of the last complete event: what a reconnect names */
	char next_id[CG_SSE_FIELD]; /* of the event being read */
	bool has_data;
	bool after_cr;
	bool started; /* a byte order mark may only come first */
	cg_sse_handler handler;
	void *arg;
};

/* @limit bounds a line and an event's data, in bytes. */
void cg_sse_init(struct cg_sse *sse, size_t limit, cg_sse_handler handler, void *arg);
void cg_sse_finish(struct cg_sse *sse);

/* Start over for a new connection, keeping the last id. */
void cg_sse_reset(struct cg_sse *sse);

/*
 * LIMIT when a line or event is too long, CANCELLED when the handler said stop, NOMEM.  After any
 * of them the stream is lost: nothing but cg_sse_reset() and cg_sse_finish() makes sense.
 * The handler must not feed, reset or finish its own parser.
 */
enum cg_status cg_sse_feed(struct cg_sse *sse, const char *bytes, size_t length);

#endif
