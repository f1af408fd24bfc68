/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/supervisor.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/retry.h>
#include <stdlib.h>
#include <string.h>

struct channel {
	struct supervisor *supervisor;
	struct instance *instance; /* owned */
	struct loop_timer restart;
	enum channel_state state;
	unsigned failures; /* since it was last healthy */
	bool paused; /* by the operator's hand */
};

struct supervisor {
	struct loop *loop;
	struct supervisor_hooks hooks;
	struct channel *channels[SUPERVISOR_INSTANCES]; /* owned */
	size_t count;
	bool running;
};

const char *channel_state_name(enum channel_state state)
{
	static const char *const names[] = {
		[CHANNEL_CONFIGURED] = "configured",
		[CHANNEL_STARTING] = "starting",
		[CHANNEL_HEALTHY] = "healthy",
		[CHANNEL_UNHEALTHY] = "unhealthy",
		[CHANNEL_FAILED] = "failed",
		[CHANNEL_STOPPED] = "stopped",
	};

	return names[state];
}

static void enter(struct channel *channel, enum channel_state state)
{
	const struct supervisor *supervisor = channel->supervisor;

	if (channel->state == state && state != CHANNEL_CONFIGURED)
		return;
	channel->state = state;
	supervisor->hooks.changed(supervisor->hooks.arg, channel->instance, state,
		instance_health(channel->instance)->detail);
}

int64_t supervisor_rest_ms(unsigned failures, uint64_t random)
{
	return cg_retry_reconnect(
		SUPERVISOR_RESTART_MS, SUPERVISOR_RESTART_MAX_MS, failures, random);
}

static void schedule_restart(struct channel *channel)
{
	struct supervisor *supervisor = channel->supervisor;

	if (!supervisor->running || loop_timer_pending(&channel->restart))
		return;
	channel->failures++;
	loop_timer_set(&channel->restart,
		supervisor_rest_ms(channel->failures,
			supervisor->hooks.random(supervisor->hooks.arg)));
}

static void begin(struct channel *channel)
{
	struct cg_error err = {.text = ""};

	enter(channel, CHANNEL_STARTING);
	if (instance_start(channel->instance, &err) == CG_OK) {
		if (channel->state == CHANNEL_STARTING)
			loop_timer_set(
				&channel->restart, channel->supervisor->hooks.start_ms);
		return;
	}
	enter(channel, CHANNEL_FAILED);
	if (instance_health(channel->instance)->inbound != CG_HEALTH_REFUSED)
		schedule_restart(channel);
}

static void restart_due(void *arg)
{
	struct channel *channel = arg;

	if (!channel->supervisor->running)
		return;
	if (channel->state == CHANNEL_STARTING) {
		enter(channel, CHANNEL_UNHEALTHY);
		schedule_restart(channel);
		return;
	}
	instance_stop(channel->instance);
	begin(channel);
}

static struct channel *find_channel(
	const struct supervisor *supervisor, const struct instance *instance)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		if (supervisor->channels[i]->instance == instance)
			return supervisor->channels[i];
	}
	return NULL;
}

void supervisor_health(struct supervisor *supervisor, struct instance *instance)
{
	struct channel *channel = find_channel(supervisor, instance);
	const struct cg_health *health = instance_health(instance);

	if (channel == NULL || !supervisor->running || channel->paused)
		return;
	if (health->inbound == CG_HEALTH_REFUSED ||
		health->outbound == CG_HEALTH_REFUSED) {
		loop_timer_clear(&channel->restart);
		enter(channel, CHANNEL_FAILED);
	} else if (health->inbound == CG_HEALTH_DOWN) {
		if (channel->state == CHANNEL_STARTING)
			loop_timer_clear(&channel->restart);
		enter(channel, CHANNEL_UNHEALTHY);
		schedule_restart(channel);
	} else if (health->inbound == CG_HEALTH_UP ||
		   health->inbound == CG_HEALTH_DEGRADED) {
		channel->failures = 0;
		loop_timer_clear(&channel->restart);
		enter(channel, CHANNEL_HEALTHY);
	}
}

enum cg_status supervisor_create(struct loop *loop, const struct supervisor_hooks *hooks,
	struct supervisor **ret, struct cg_error *err)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));

	if (supervisor == NULL)
		return cg_error_nomem(err);
	supervisor->loop = loop;
	supervisor->hooks = *hooks;
	if (supervisor->hooks.start_ms == 0)
		supervisor->hooks.start_ms = SUPERVISOR_START_MS;
	*ret = supervisor;
	return CG_OK;
}

void supervisor_destroy(struct supervisor *supervisor)
{
	if (supervisor == NULL)
		return;
	supervisor->running = false;
	for (size_t i = supervisor->count; i-- > 0;) {
		struct channel *channel = supervisor->channels[i];

		loop_timer_finish(&channel->restart);
		instance_destroy(channel->instance);
		free(channel);
	}
	free(supervisor);
}

enum cg_status supervisor_adopt(
	struct supervisor *supervisor, struct instance *instance, struct cg_error *err)
{
	struct channel *channel;
	enum cg_status status;

	if (supervisor->count == SUPERVISOR_INSTANCES)
		return cg_error_set(err, CG_LIMIT, "there are more than %d providers",
			SUPERVISOR_INSTANCES);
	channel = calloc(1, sizeof(*channel));
	if (channel == NULL)
		return cg_error_nomem(err);
	channel->supervisor = supervisor;
	channel->instance = instance;
	status = loop_timer_init(
		&channel->restart, supervisor->loop, restart_due, channel);
	if (status != CG_OK) {
		free(channel);
		return cg_error_set(err, status, "the channel's timer cannot be made");
	}
	supervisor->channels[supervisor->count++] = channel;
	channel->paused = supervisor->hooks.paused != NULL &&
			  supervisor->hooks.paused(supervisor->hooks.arg, instance);
	enter(channel, channel->paused ? CHANNEL_STOPPED : CHANNEL_CONFIGURED);
	if (supervisor->running && !channel->paused)
		begin(channel);
	return CG_OK;
}

/* Nothing of it is called afterwards. */
static void halt(struct channel *channel)
{
	loop_timer_clear(&channel->restart);
	instance_stop(channel->instance);
	enter(channel, CHANNEL_STOPPED);
}

void supervisor_release(struct supervisor *supervisor, struct instance *instance)
{
	size_t i = 0;

	while (i < supervisor->count && supervisor->channels[i]->instance != instance)
		i++;
	if (i == supervisor->count)
		return;
	halt(supervisor->channels[i]);
	loop_timer_finish(&supervisor->channels[i]->restart);
	free(supervisor->channels[i]);
	supervisor->count--;
	memmove(&supervisor->channels[i], &supervisor->channels[i + 1],
		(supervisor->count - i) * sizeof(supervisor->channels[0]));
}

void supervisor_start(struct supervisor *supervisor)
{
	supervisor->running = true;
	for (size_t i = 0; i < supervisor->count; i++) {
		if (!supervisor->channels[i]->paused)
			begin(supervisor->channels[i]);
	}
}

void supervisor_pause(
	struct supervisor *supervisor, struct instance *instance, bool pause)
{
	struct channel *channel = find_channel(supervisor, instance);

	if (channel == NULL || channel->paused == pause)
		return;
	channel->paused = pause;
	if (pause) {
		loop_timer_clear(&channel->restart);
		if (supervisor->running)
			instance_stop(instance);
		enter(channel, CHANNEL_STOPPED);
	} else if (supervisor->running) {
		channel->failures = 0;
		begin(channel);
	} else {
		enter(channel, CHANNEL_CONFIGURED);
	}
}

void supervisor_stop(struct supervisor *supervisor)
{
	if (!supervisor->running)
		return;
	supervisor->running = false;
	for (size_t i = supervisor->count; i-- > 0;)
		halt(supervisor->channels[i]);
}

static bool is_tended(const struct channel *channel)
{
	const struct cg_health *health = instance_health(channel->instance);
	/* Looked at in every state: looks tell by what was before. */
	bool stuck = instance_stall_ms(channel->instance) >= INSTANCE_STALL_MS;

	if (channel->state == CHANNEL_STOPPED)
		return true;
	return !stuck && (channel->state == CHANNEL_HEALTHY ||
				 loop_timer_pending(&channel->restart) ||
				 health->inbound == CG_HEALTH_REFUSED ||
				 health->outbound == CG_HEALTH_REFUSED);
}

bool supervisor_is_tended(const struct supervisor *supervisor, const char **ret_id)
{
	const char *id = NULL;

	for (size_t i = 0; i < supervisor->count; i++) {
		if (!is_tended(supervisor->channels[i]) && id == NULL)
			id = instance_id(supervisor->channels[i]->instance);
	}
	if (id == NULL || !supervisor->running)
		return true;
	*ret_id = id;
	return false;
}

size_t supervisor_count(const struct supervisor *supervisor)
{
	return supervisor->count;
}

struct instance *supervisor_at(const struct supervisor *supervisor, size_t index)
{
	return supervisor->channels[index]->instance;
}

struct instance *supervisor_find(const struct supervisor *supervisor, const char *id)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		if (strcmp(instance_id(supervisor->channels[i]->instance), id) == 0)
			return supervisor->channels[i]->instance;
	}
	return NULL;
}

enum channel_state supervisor_state(
	const struct supervisor *supervisor, const struct instance *instance)
{
	const struct channel *channel = find_channel(supervisor, instance);

	return channel == NULL ? CHANNEL_STOPPED : channel->state;
}
