/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps every channel alive on its own: a deaf or failed one is stopped and started again with
 * growing delay, the others are not touched.  A refused account is not started again.
 */
#ifndef COWGATE_GATEWAY_SUPERVISOR_H
#define COWGATE_GATEWAY_SUPERVISOR_H

#include "gateway/plugins/instance.h"

#define SUPERVISOR_INSTANCES 64
#define SUPERVISOR_RESTART_MS 1000
#define SUPERVISOR_RESTART_MAX_MS 300000
#define SUPERVISOR_START_MS \
	120000 /* a channel that has not come up by then is restarted */

struct supervisor;

/* As the metrics name them. */
enum channel_state {
	CHANNEL_CONFIGURED,
	CHANNEL_STARTING,
	CHANNEL_HEALTHY,
	CHANNEL_UNHEALTHY,
	CHANNEL_FAILED,
	CHANNEL_STOPPED,
};
const char *channel_state_name(enum channel_state state);

struct supervisor_hooks {
	/* A channel's state has changed; @detail is "" or one sentence. */
	void (*changed)(void *arg, struct instance *instance, enum channel_state state,
		const char *detail);
	uint64_t (*random)(void *arg);
	/* Asked when an instance is adopted: is it not to be begun?  NULL: none is paused. */
	bool (*paused)(void *arg, const struct instance *instance);
	int64_t start_ms; /* 0: SUPERVISOR_START_MS */
	void *arg;
};

/* How long a channel rests that has failed so often since it was last healthy, from 1: grows,
 * with jitter drawn from @random. */
int64_t supervisor_rest_ms(unsigned failures, uint64_t random);

enum cg_status supervisor_create(struct loop *loop, const struct supervisor_hooks *hooks,
	struct supervisor **ret, struct cg_error *err);
/* Destroys the instances too. */
void supervisor_destroy(struct supervisor *supervisor);

/* Adopts the instance; it starts with supervisor_start(), or at once where that has been.  LIMIT
 * beyond SUPERVISOR_INSTANCES. */
enum cg_status supervisor_adopt(
	struct supervisor *supervisor, struct instance *instance, struct cg_error *err);
/* Stop the instance and give it back to the caller; the others are not touched.  Not from within
 * a callback of its provider. */
void supervisor_release(struct supervisor *supervisor, struct instance *instance);
void supervisor_start(struct supervisor *supervisor);
void supervisor_stop(struct supervisor *supervisor);

/* Stop one channel and leave it so, or start it again.  Before supervisor_start() it is not begun
 * at all.  A paused channel is CHANNEL_STOPPED and takes in and sends nothing. */
void supervisor_pause(
	struct supervisor *supervisor, struct instance *instance, bool pause);

/* For instance_services.health_changed. */
void supervisor_health(struct supervisor *supervisor, struct instance *instance);

/*
 * Does every channel that is not stopped come on (instance_stall_ms()), and is it up, or about to be
 * started again, or beyond help (refused)?  @ret_id is that of the first that is not, good while
 * that instance is; else it is not touched.
 */
bool supervisor_is_tended(const struct supervisor *supervisor, const char **ret_id);

size_t supervisor_count(const struct supervisor *supervisor);
struct instance *supervisor_at(const struct supervisor *supervisor, size_t index);
struct instance *supervisor_find(const struct supervisor *supervisor, const char *id);
enum channel_state supervisor_state(
	const struct supervisor *supervisor, const struct instance *instance);

#endif
