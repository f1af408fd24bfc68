/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Cloud's API as functions: one client over one transport.
 *
 * Every call has the same shape:
 *
 *	enum cg_status cloud_<verb>(client, &params, done, arg, &call);
 *
 * CG_OK means that `done` fires exactly once, on a later turn of the loop, unless the call is
 * cancelled; anything else means that it never fires: INVALID (a required parameter is missing
 * or blank), LIMIT (CLOUD_CLIENT_CALLS under way), NOMEM, or what the transport said.
 * Parameters are used during the call only.  The result and the record that `done` gets are
 * views into the reply and die when it returns; the record is NULL unless the error is
 * CLOUD_OK.  `done` may be NULL when nobody asks, @ret when nobody wants to cancel.  An id
 * is at most CLOUD_ID_MAX long.  Loop thread only.
 *
 * The client never repeats a call: whoever stored the order decides that.
 */
#ifndef COWGATE_CLOUD_CLIENT_CLIENT_H
#define COWGATE_CLOUD_CLIENT_CLIENT_H

#include "cloud-client/transport.h"

#define CLOUD_CLIENT_CALLS 512 /* under way at once, streams not counted */
#define CLOUD_CLIENT_SUBSCRIPTIONS 2048 /* open at once */
#define CLOUD_CALL_TIMEOUT_MS 30000
#define CLOUD_ID_MAX 256 /* UTF-16 units of an id or a name: more, and the Cloud fails */

struct cloud_timer; /* the host's */

/* Time and chance, filled in by whoever owns the loop.  Timers are made once and re-armed. */
struct cloud_host {
	void *self;
	int64_t (*mono_ms)(void *self);
	uint64_t (*random)(void *self);
	/* A one-shot timer, not armed yet.  NULL without memory. */
	struct cloud_timer *(*timer_create)(
		void *self, void (*fire)(void *arg), void *arg);
	/* (Re)arm; 0 fires on a later turn. */
	void (*timer_set)(void *self, struct cloud_timer *timer, int64_t delay_ms);
	void (*timer_clear)(void *self, struct cloud_timer *timer);
	/* Accepts NULL.  Safe while it fires. */
	void (*timer_destroy)(void *self, struct cloud_timer *timer);
};

enum cloud_error {
#define CLOUD_ERROR(error, name, retryable, text) CLOUD_##error,
#include "cloud-client/error.def"
#undef CLOUD_ERROR
};

struct cloud_result {
	enum cloud_error error;
	int http_status; /* 0: no response came */
	bool retryable; /* the same call may succeed later */
	bool dispatched; /* bytes may have reached the Cloud */
	int64_t retry_after_ms; /* -1: not said */
	/* "quota.gateway_prompts_per_hour_exceeded"; "" if none */
	const char *policy_code;
	const char *message; /* one sentence; "" when OK */
};

/* "rate_limited": for logs and metrics. */
const char *cloud_error_name(enum cloud_error error);
/* A sentence that stands for the error when the Cloud gave none. */
const char *cloud_error_text(enum cloud_error error);

struct cloud_client_options {
	const struct cloud_transport *transport; /* borrowed for the client's life */
	const struct cloud_host *host; /* borrowed for the client's life */
	const char *claimed_by; /* "gateway:<instance>"; copied */
	int64_t call_timeout_ms; /* 0: CLOUD_CALL_TIMEOUT_MS */
};

struct cloud_client;
struct cloud_call; /* valid until done has begun, or the call was cancelled */

enum cg_status cloud_client_create(const struct cloud_client_options *options,
	struct cloud_client **ret, struct cg_error *err);
/* Cancels all calls and closes all subscriptions.  Accepts NULL.  Not from inside a callback
 * of one of them. */
/* Of the calls that begin from now on; 0: CLOUD_CALL_TIMEOUT_MS. */
void cloud_client_set_timeout(struct cloud_client *client, int64_t call_timeout_ms);
void cloud_client_destroy(struct cloud_client *client);

/* `done` will not fire.  Accepts NULL.  Nothing inside the call's own `done`. */
void cloud_call_cancel(struct cloud_call *call);

/* Calls under way. */
size_t cloud_client_active(const struct cloud_client *client);
/* The name under which this client claims. */
const char *cloud_client_claimed_by(const struct cloud_client *client);

#endif
