/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to /webhooks/<instance>, after the daemon's own limits and before any meaning.
 *
 * The daemon has already bounded the body and judged the client's rate.  The provider checks
 * the signature over the raw bytes, maps them, submits, and answers once through @answer,
 * at once or after the commit.
 */
#ifndef COWGATE_WEBHOOK_H
#define COWGATE_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

enum cg_webhook_result {
	CG_WEBHOOK_ACCEPTED, /* 202, or 200 with @body: committed, or needs no commit */
	CG_WEBHOOK_DENIED, /* 401: counts towards the client's back-off */
	CG_WEBHOOK_BAD, /* 400: authentic but not understood; @body is one sentence */
	CG_WEBHOOK_CONFLICT, /* 409: same id, other bytes */
	CG_WEBHOOK_UNAVAILABLE, /* 503 with Retry-After: nothing was stored, repeat it */
};

struct cg_webhook_request;

struct cg_webhook_answer {
	uint32_t size;
	enum cg_webhook_result result;
	const char *content_type; /* NULL: JSON */
	const char *body; /* NULL: the standard body of @result */
};

struct cg_webhook_request {
	uint32_t size;
	const char *method;
	const char *path; /* after /webhooks/<instance>, "" or "/..." */
	const char *query; /* raw, without "?", or "" */
	/* address text of the client, trusted proxies already followed */
	const char *client;
	const void *body; /* raw bytes, borrowed until answered */
	size_t body_length;
	int64_t received_at_ms; /* wall clock */
	/* First value of a header, NULL if absent.  @name in any case. */
	const char *(*header)(const struct cg_webhook_request *request, const char *name);
	/* Exactly once, on the loop thread.  The request is gone afterwards. */
	void (*answer)(struct cg_webhook_request *request,
		const struct cg_webhook_answer *answer);
};

#endif
