/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One configured instance of a provider and the host table that it sees.
 *
 * The instance owns whatever the provider started through the table (timers, exchanges,
 * watches, offloaded work, submissions) and takes it back when it goes.  Loop thread only.
 */
#ifndef COWGATE_GATEWAY_INSTANCE_H
#define COWGATE_GATEWAY_INSTANCE_H

#include "gateway/journal/journal.h"
#include "runtime/http_client.h"
#include "runtime/loop.h"
#include "runtime/offload.h"

#include <cowgate/provider.h>

#define INSTANCE_TIMERS 256
#define INSTANCE_CALLS 256
#define INSTANCE_WATCHES 8
#define INSTANCE_SUBMISSIONS 8192

struct instance;

/* What instances stand on; one for all of them, borrowed for their life. */
struct instance_services {
	struct loop *loop;
	struct offload *offload;
	struct http_client *http;
	struct journal *journal; /* NULL in a trial: every submission is UNAVAILABLE */
	const char *spool_dir; /* exists, mode 0700 */
	void (*health_changed)(void *arg, struct instance *instance);
	void (*submitted)(void *arg, struct instance *instance, enum cg_verdict verdict);
	void (*log)(void *arg, struct instance *instance, enum cg_log_level level,
		const char *text);
	void (*quit)(void *arg);
	void *arg;
};

/* @settings and @provider are borrowed for the instance's life. */
enum cg_status instance_create(const struct instance_services *services,
	const struct cg_provider *provider, const struct cg_settings *settings,
	struct instance **ret, struct cg_error *err);
/* Takes everything back.  While offloaded work runs, memory is released when it has ended. */
void instance_destroy(struct instance *instance);

/* Nothing new is to be sent through it (instance_is_retired()); what is under way goes on. */
void instance_retire(struct instance *instance);
bool instance_is_retired(const struct instance *instance);
/* Sends and questions that the provider has not answered.  Bounded by who asks. */
size_t instance_sending(const struct instance *instance);
/*
 * For how long it has not come on: its oldest send or question is so old, or it is up, hears by asking
 * and waits for nothing, as far as the looks tell.  The bound is far above what a send may take, two
 * minutes and its grace.  An exchange that does not end is http_client_late_ms()'s, work on the pool
 * offload_stall_ms()'s, a submission database_stall_ms()'s.
 */
#define INSTANCE_STALL_MS 600000
int64_t instance_stall_ms(struct instance *instance);
/* End them all now, as the provider says or else as AMBIGUOUS: for a stopped instance, before it
 * is destroyed.  A destroyed one leaves them unanswered. */
void instance_abandon(struct instance *instance);
/* Called once when nothing refers to its provider and settings any more. */
void instance_on_buried(struct instance *instance, void (*buried)(void *arg), void *arg);

enum cg_status instance_start(struct instance *instance, struct cg_error *err);
void instance_stop(struct instance *instance);

const char *instance_id(const struct instance *instance);
const struct cg_provider *instance_provider(const struct instance *instance);
const struct cg_capabilities *instance_capabilities(const struct instance *instance);
bool instance_is_started(const struct instance *instance);
/* Detail is "" when all is well. */
const struct cg_health *instance_health(const struct instance *instance);
/* Wall clock of the last message that came in, 0: none since the start. */
int64_t instance_last_inbound(const struct instance *instance);

uint32_t instance_measure(
	const struct instance *instance, const char *text, size_t length);
/* NOMEM: @done is not called, and nothing was sent. */
enum cg_status instance_send(struct instance *instance,
	const struct cg_outbound *outbound, cg_send_done done, void *arg);
/* The send or question of @arg is not waited for any longer; none is that is not under way. */
void instance_cancel(struct instance *instance, void *arg);
/* UNSUPPORTED when the provider cannot tell, NOMEM: @done is not called. */
enum cg_status instance_query(struct instance *instance,
	const struct cg_outbound *outbound, cg_query_done done, void *arg);
/* UNSUPPORTED when it has no way in over HTTP: the request is not answered then. */
enum cg_status instance_webhook(
	struct instance *instance, struct cg_webhook_request *request);

#endif
