/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plane's front door in memory: the same routes, JSON and events that it serves over HTTP,
 * without a socket.  Answers come on a later loop turn, carry no shared state, and every
 * request names the principal in whose right it is judged.
 */
#ifndef COWGATE_CONTROL_PLANE_TRANSPORT_H
#define COWGATE_CONTROL_PLANE_TRANSPORT_H

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct plane;
struct plane_exchange;

/* In whose right a request is judged. */
enum plane_principal_kind {
	PLANE_ANONYMOUS, /* sees health only */
	PLANE_GATEWAY, /* this daemon: the seventeen channel endpoints, every binding */
	PLANE_OPERATOR, /* the operator's Unix socket: those, and people and administration */
	PLANE_TOKEN, /* a gateway elsewhere: the channel endpoints, for granted bindings */
};

struct plane_principal {
	enum plane_principal_kind kind;
	const char *token; /* PLANE_TOKEN: as it was shown; not kept */
	const char *name; /* for the audit: "operator:uid 1000" */
};

struct plane_request {
	const char *method;
	const char *path; /* percent-encoded */
	const char *query; /* without "?", or NULL */
	struct json_object *body; /* borrowed during the call; NULL if none */
	struct plane_principal principal;
};

struct plane_reply {
	int status; /* HTTP status */
	struct json_object *body; /* borrowed during the call */
	int64_t retry_after_ms; /* -1: none */
};

struct plane_event {
	int64_t id; /* sequence, -1: none */
	const char *type;
	struct json_object *data; /* borrowed */
};

struct plane_stream_handler {
	void (*open)(void *arg);
	bool (*event)(void *arg,
		const struct plane_event *event); /* false: paused until resume */
	void (*end)(void *arg, const struct plane_reply *reply);
	void *arg;
};

enum cg_status plane_call(struct plane *plane, const struct plane_request *request,
	void (*done)(void *arg, const struct plane_reply *reply), void *arg,
	struct plane_exchange **ret, struct cg_error *err);
enum cg_status plane_stream(struct plane *plane, const struct plane_request *request,
	const struct plane_stream_handler *handler, struct plane_exchange **ret,
	struct cg_error *err);
void plane_resume(struct plane *plane, struct plane_exchange *exchange);
void plane_cancel(struct plane *plane, struct plane_exchange *exchange);

/* Whether a path is one of the plane's streams (so that HTTP opens an event stream for it). */
bool plane_is_stream(const char *method, const char *path);

#endif
