/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of an answer, as the HTTP client keeps them.  Private to it. */
#ifndef COWGATE_RUNTIME_HTTP_HEAD_H
#define COWGATE_RUNTIME_HTTP_HEAD_H

#include "runtime/clock.h"
#include "runtime/http_client.h"

#include <cowgate/sdk/buffer.h>

struct http_head {
	/* name NUL value NUL, count times; capped at HTTP_CLIENT_HEAD */
	struct cg_buffer bytes;
	size_t count; /* at most HTTP_CLIENT_HEADERS */
	int64_t retry_after_ms; /* -1: absent */
};

void http_head_init(struct http_head *head);
void http_head_finish(struct http_head *head);
/* Forget all: another head follows. */
void http_head_clear(struct http_head *head);

/*
 * Keep the header in @line, which has no end of line.  What is none, and what goes beyond the
 * caps, is dropped: a delivery whose answer has too many headers has still been delivered.
 */
void http_head_add(struct http_head *head, const struct clock *clock, const char *line,
	size_t length);

/* All headers into @ret, borrowed from @head. */
void http_head_list(
	const struct http_head *head, struct cg_http_header ret[HTTP_CLIENT_HEADERS]);

#endif
