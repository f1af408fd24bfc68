/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the client reaches a Cloud: over HTTP, or into the embedded plane in memory.
 *
 * Whoever owns a transport fills in this table.  Nothing is called back before the function
 * that started it has returned; every call and stream ends exactly once unless it is cancelled.
 * Loop thread only.
 */
#ifndef COWGATE_CLOUD_CLIENT_TRANSPORT_H
#define COWGATE_CLOUD_CLIENT_TRANSPORT_H

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct cloud_exchange; /* a call or a stream under way; the transport's */

struct cloud_request {
	const char *method;
	const char *path; /* begins with "/api/", segments percent-encoded */
	const char *query; /* without "?", NULL if none */
	struct json_object *body; /* borrowed; NULL if none */
	bool idempotent; /* a repeat does no harm */
	int64_t timeout_ms; /* the whole call; not for streams */
	size_t response_limit; /* bytes of a call's reply; 0: the transport's default */
};

struct cloud_reply {
	enum cg_status status; /* OK: a response came, look at http_status */
	bool dispatched; /* bytes may have reached the Cloud */
	int http_status; /* 0 when status is not OK */
	struct json_object *body; /* object or NULL; borrowed */
	int64_t retry_after_ms; /* -1: not said */
	const char *error; /* one sentence when status is not OK */
};

struct cloud_event {
	int64_t id; /* -1 when the frame had none */
	const char *type; /* "" when the frame had none */
	struct json_object *data; /* borrowed */
};

struct cloud_stream_handler {
	void (*open)(void *arg);
	/* False pauses the stream after this event until resume(). */
	bool (*event)(void *arg, const struct cloud_event *event);
	/* A byte came, a comment included: the peer lives. */
	void (*alive)(void *arg);
	/* Clean end: status OK with http_status 200.  Else why. */
	void (*end)(void *arg, const struct cloud_reply *reply);
	void *arg;
};

struct cloud_transport {
	void *self;
	bool quiet; /* an idle stream sends nothing at all: its silence means nothing */
	enum cg_status (*call)(void *self, const struct cloud_request *request,
		void (*done)(void *arg, const struct cloud_reply *reply), void *arg,
		struct cloud_exchange **ret, struct cg_error *err);
	enum cg_status (*stream)(void *self, const struct cloud_request *request,
		const struct cloud_stream_handler *handler, struct cloud_exchange **ret,
		struct cg_error *err);
	void (*resume)(void *self, struct cloud_exchange *exchange);
	/* Ends it without a call.  Safe inside its own callbacks. */
	void (*cancel)(void *self, struct cloud_exchange *exchange);
};

#endif
