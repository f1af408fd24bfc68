/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cloud that does what a test says: a transport whose answers are scripted, and a host whose
 * clock only moves when told to.
 */
#ifndef COWGATE_TESTS_CLOUD_FAKE_H
#define COWGATE_TESTS_CLOUD_FAKE_H

#include "cloud-client/client.h"

#include <sys/queue.h>

struct cloud_fake;

/* One call or stream, kept until the fake is finished so that a test can look back at it. */
struct cloud_exchange {
	TAILQ_ENTRY(cloud_exchange) entry;
	struct cloud_fake *fake;
	char *method;
	char *path;
	char *query; /* "" if none */
	struct json_object *body;
	bool idempotent;
	int64_t timeout_ms;
	size_t response_limit;
	bool stream;
	bool over; /* answered, ended or cancelled */
	bool cancelled;
	bool paused;
	unsigned resumed;
	bool taken;
	void (*done)(void *arg, const struct cloud_reply *reply);
	void *arg;
	struct cloud_stream_handler handler;
};

struct cloud_fake {
	struct cloud_transport transport;
	struct cloud_host host;
	int64_t now_ms;
	uint64_t random; /* what the host's randomness gives */
	enum cg_status refuse; /* not OK: how the next start fails, once */
	TAILQ_HEAD(, cloud_exchange) exchanges;
	TAILQ_HEAD(, cloud_timer) timers;
};

void cloud_fake_init(struct cloud_fake *fake);
void cloud_fake_finish(struct cloud_fake *fake);

/* The clock moves on; what is due fires, in order. */
void cloud_fake_advance(struct cloud_fake *fake, int64_t delay_ms);

/* The oldest exchange under way that was not taken yet; NULL if none. */
struct cloud_exchange *cloud_fake_take(struct cloud_fake *fake);

/* End a call or stream with an HTTP status and a body (JSON text or NULL). */
void cloud_fake_answer(
	struct cloud_exchange *exchange, int http_status, const char *json);
void cloud_fake_reply(struct cloud_exchange *exchange, const struct cloud_reply *reply);
/* End it without an answer. */
void cloud_fake_fail(
	struct cloud_exchange *exchange, enum cg_status status, const char *error);

void cloud_fake_open(struct cloud_exchange *exchange);
void cloud_fake_alive(struct cloud_exchange *exchange);
/* False: the stream is paused, or was cancelled from inside. */
bool cloud_fake_event(
	struct cloud_exchange *exchange, int64_t id, const char *type, const char *json);

#endif
