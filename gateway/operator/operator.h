/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway shows over HTTP: health, readiness, metrics, diagnostics, deliveries, and the
 * way in for webhooks.  It serves the TCP listener and the operator's Unix socket; on the
 * socket the peer's user id is the credential.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_OPERATOR_H
#define COWGATE_GATEWAY_OPERATOR_H

#include "config/config.h"
#include "gateway/journal/journal.h"
#include "gateway/operator/meter.h"
#include "runtime/http_server.h"
#include "runtime/loop.h"

#include <cowgate/webhook.h>

struct operator;

/* One provider instance as the operator sees it.  Borrowed during the call. */
struct operator_channel {
	const char *id, *kind, *binding_id;
	const char *state; /* as the metrics name it */
	const char *error; /* "" when all is well */
	bool started, healthy;
	int64_t last_inbound_ms; /* wall clock, 0: none since the start */
};

/* Deliveries that the Cloud keeps.  Strings are NULL where nothing is said. */
struct operator_cloud_query {
	const char *delivery_id, *status, *channel_binding_id;
	const char *last_error; /* of a dead-letter */
	int limit; /* of a list */
};

struct operator_cloud_answer {
	bool ok;
	int status; /* HTTP; 0: no answer came */
	const char *error; /* one sentence when it is not ok */
	/* the array, or the one record; borrowed; may be NULL */
	struct json_object *json;
};

typedef void (*operator_cloud_done)(
	void *arg, const struct operator_cloud_answer *answer);

/* How a reload ended: an HTTP status, and what to say, which is taken over. */
typedef void (*operator_reload_done)(void *arg, int status, struct json_object *body);

/* What an operator's program wants said.  Borrowed during the call. */
struct operator_message {
	const char *delivery_id; /* the same for a repeat */
	const char *instance, *chat_id;
	const char *thread_id; /* NULL: none */
	const char *text; /* Markdown */
};

enum operator_verb {
	OPERATOR_RETRY,
	OPERATOR_DEAD_LETTER,
};

#define OPERATOR_DEGRADED 16

/* Why the gateway is less than it should be. */
struct operator_degraded {
	const char *what; /* "agent", "store", "channel:telegram" */
	const char *detail; /* one sentence */
};

/* What the operator's floor asks of the daemon.  @arg is the daemon. */
struct operator_host {
	size_t (*channel_count)(void *arg);
	void (*channel)(void *arg, size_t index, struct operator_channel *ret);
	/* UNSUPPORTED when the instance takes none; else it answers the request. NOT_FOUND: unknown. */
	enum cg_status (*webhook)(
		void *arg, const char *instance, struct cg_webhook_request *request);
	/* Intake is durable, a channel lives, the token is not refused.  Fills in what is degraded. */
	bool (*ready)(void *arg, struct operator_degraded *ret, size_t *ret_count);
	/* Bring the meter's gauges up to date before they are read. */
	void (*measure)(void *arg);
	/* A request to /api: the operator's over the Unix socket, or one whose token is still to
	 * be judged.  False: there is no plane here. */
	bool (*api)(void *arg, struct http_request *request);
	/* Read the settings again and apply what has changed.  @done follows on a later turn; False:
	 * it cannot be begun now. */
	bool (*reload)(void *arg, operator_reload_done done, void *done_arg);
	/* A row has changed by an operator's hand: look at the outbox again. */
	void (*wake)(void *arg);
	/* Store a message for a chat.  EXISTS: it is there already; CONFLICT: another has its id;
	 * NOT_FOUND: no such channel.  @done runs after the commit, or on a later turn. */
	void (*say)(void *arg, const struct operator_message *message, journal_done done,
		void *done_arg);
	/* Stop a channel until it is resumed, over restarts too.  NOT_FOUND. */
	void (*pause)(void *arg, const char *instance, bool pause, journal_done done,
		void *done_arg);
	/* Ask the Cloud.  False: it cannot be asked, and @done is not called. */
	bool (*cloud_list)(void *arg, const struct operator_cloud_query *query,
		operator_cloud_done done, void *done_arg);
	bool (*cloud_change)(void *arg, enum operator_verb verb,
		const struct operator_cloud_query *query, operator_cloud_done done,
		void *done_arg);
	void *arg;
};

struct operator_options {
	const struct config *config; /* borrowed */
	const struct cg_secret *admin_token; /* borrowed; unset: bypass or nothing */
	const char *version;
	struct journal *journal;
	struct meter *meter;
	uint64_t seed; /* makes the limiter's places unpredictable */
	struct operator_host host;
};

enum cg_status operator_create(struct loop *loop, const struct operator_options *options,
	struct operator** ret, struct cg_error *err);
/* Requests that are still open, at a provider or at the journal, are answered 503. */
void operator_destroy(struct operator* operator);

/* Other settings are in force: borrowed from now on, in place of those before. */
void operator_set_config(struct operator* operator, const struct config * config);
/* Webhook requests that an instance has not answered are answered 503: the platform repeats them.
 * For an instance that is stopped and will not answer. */
void operator_abandon(struct operator* operator, const char * instance);

/* http_handler of both listeners; arg is the operator. */
void operator_handle(void *arg, struct http_request *request);

/* The plane did not know the token of a request to /api: its source is shut out after too many,
 * as with wrong admin tokens. */
void operator_count_refusal(
	struct operator* operator, const struct http_request * request);

/* Requests to a provider that are waiting for its answer. */
size_t operator_open_webhooks(const struct operator* operator);

#endif
