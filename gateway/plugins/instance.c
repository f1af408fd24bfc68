/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/instance.h"

#include "gateway/plugins/host.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

/* One send or question at the provider, which holds it in place of the asker's argument. */
struct host_send {
	LIST_ENTRY(host_send) link;
	struct instance *instance;
	cg_send_done done; /* NULL: it is a question */
	cg_query_done answered;
	void *arg;
	int64_t since_ms; /* monotonic */
};

enum cg_status instance_create(const struct instance_services *services,
	const struct cg_provider *provider, const struct cg_settings *settings,
	struct instance **ret, struct cg_error *err)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	enum cg_status status;

	if (instance == NULL)
		return cg_error_nomem(err);
	instance->services = services;
	instance->provider = provider;
	instance->settings = settings;
	instance->health = (struct cg_health){.size = sizeof(struct cg_health),
		.inbound = CG_HEALTH_STARTING,
		.outbound = CG_HEALTH_STARTING,
		.detail = instance->detail};
	host_init(instance);
	LIST_INIT(&instance->sends);

	status = provider->ops->create(&instance->host, settings, &instance->self, err);
	if (status != CG_OK) {
		cg_error_prefix(err, "%s", settings->instance_id);
		goto fail;
	}
	instance->capabilities.size = sizeof(struct cg_capabilities);
	provider->ops->capabilities(instance->self, &instance->capabilities);
	*ret = instance;
	return CG_OK;

fail:
	instance_destroy(instance);
	return status;
}

void instance_destroy(struct instance *instance)
{
	if (instance == NULL)
		return;
	instance_stop(instance);
	instance->dying = true;
	host_take_back(instance);
	if (instance->jobs == 0)
		instance_bury(instance);
}

void instance_bury(struct instance *instance)
{
	if (instance->self != NULL)
		instance->provider->ops->destroy(instance->self);
	host_take_back(instance); /* what it submitted while it was destroyed */
	while (!LIST_EMPTY(&instance->sends)) {
		struct host_send *send = LIST_FIRST(&instance->sends);

		LIST_REMOVE(send, link);
		free(send);
	}
	if (instance->buried != NULL)
		instance->buried(instance->buried_arg);
	free(instance);
}

void instance_on_buried(struct instance *instance, void (*buried)(void *arg), void *arg)
{
	instance->buried = buried;
	instance->buried_arg = arg;
}

void instance_retire(struct instance *instance)
{
	instance->retired = true;
}

bool instance_is_retired(const struct instance *instance)
{
	return instance->retired;
}

/* The platform does not want these credentials: trying again does not help. */
static bool is_refused(const struct instance *instance, enum cg_status status)
{
	return status == CG_DENIED || instance->health.inbound == CG_HEALTH_REFUSED ||
	       instance->health.outbound == CG_HEALTH_REFUSED;
}

enum cg_status instance_start(struct instance *instance, struct cg_error *err)
{
	enum cg_status status;

	if (instance->started)
		return CG_OK;
	instance->health.inbound = CG_HEALTH_STARTING;
	instance->health.outbound = CG_HEALTH_STARTING;
	instance->detail[0] = '\0';
	instance->started = true;
	status = instance->provider->ops->start(instance->self, err);
	if (status != CG_OK) {
		instance->started = false;
		instance->health.inbound =
			is_refused(instance, status) ? CG_HEALTH_REFUSED : CG_HEALTH_DOWN;
		cg_text_copy(instance->detail, sizeof(instance->detail),
			err == NULL ? "" : err->text);
	}
	return status;
}

void instance_stop(struct instance *instance)
{
	if (!instance->started)
		return;
	instance->started = false;
	instance->provider->ops->stop(instance->self);
}

const char *instance_id(const struct instance *instance)
{
	return instance->settings->instance_id;
}

const struct cg_provider *instance_provider(const struct instance *instance)
{
	return instance->provider;
}

const struct cg_capabilities *instance_capabilities(const struct instance *instance)
{
	return &instance->capabilities;
}

bool instance_is_started(const struct instance *instance)
{
	return instance->started;
}

const struct cg_health *instance_health(const struct instance *instance)
{
	return &instance->health;
}

int64_t instance_last_inbound(const struct instance *instance)
{
	return instance->last_inbound_ms;
}

uint32_t instance_measure(
	const struct instance *instance, const char *text, size_t length)
{
	return instance->provider->ops->measure(instance->self, text, length);
}

/* Sends. */

static int64_t mono_ms(const struct instance *instance)
{
	return clock_mono(loop_clock(instance->services->loop));
}

static struct host_send *send_new(struct instance *instance, void *arg)
{
	struct host_send *send = calloc(1, sizeof(*send));

	if (send == NULL)
		return NULL;
	send->instance = instance;
	send->arg = arg;
	send->since_ms = mono_ms(instance);
	LIST_INSERT_HEAD(&instance->sends, send, link);
	return send;
}

static void send_done(void *arg, const struct cg_outcome *outcome)
{
	const struct host_send send = *(struct host_send *)arg;

	if (send.instance->dying)
		return; /* nobody waits any more; it is freed with the instance */
	LIST_REMOVE((struct host_send *)arg, link);
	free(arg);
	send.done(send.arg, outcome);
}

static void query_answered(void *arg, enum cg_query_result result, const char *message_id)
{
	const struct host_send send = *(struct host_send *)arg;

	if (send.instance->dying)
		return;
	LIST_REMOVE((struct host_send *)arg, link);
	free(arg);
	send.answered(send.arg, result, message_id);
}

size_t instance_sending(const struct instance *instance)
{
	const struct host_send *send;
	size_t count = 0;

	LIST_FOREACH (send, &instance->sends, link)
		count++;
	return count;
}

/* Nothing will ever call it again. */
static bool is_asleep(const struct instance *instance)
{
	bool up = instance->started &&
		  (instance->health.inbound == CG_HEALTH_UP ||
			  instance->health.inbound == CG_HEALTH_DEGRADED);
	size_t under_way = instance->timer_count + instance->call_count +
			   instance->submission_count + instance->jobs;

	for (size_t i = 0; i < INSTANCE_WATCHES; i++)
		under_way += instance->watches[i].fd >= 0;
	return up && instance->capabilities.polls && under_way == 0;
}

int64_t instance_stall_ms(struct instance *instance)
{
	int64_t now = mono_ms(instance), longest;
	const struct host_send *send;

	longest = progress_stall_ms(&instance->asleep, is_asleep(instance), 0, now);
	LIST_FOREACH (send, &instance->sends, link) {
		if (now - send->since_ms > longest)
			longest = now - send->since_ms;
	}
	return longest;
}

static bool is_under_way(const struct instance *instance, const struct host_send *wanted)
{
	const struct host_send *send;

	LIST_FOREACH (send, &instance->sends, link) {
		if (send == wanted)
			return true;
	}
	return false;
}

void instance_abandon(struct instance *instance)
{
	static const struct cg_outcome abandoned = {.size = sizeof(abandoned),
		.class = CG_OUTCOME_AMBIGUOUS,
		.scope = CG_SCOPE_MESSAGE,
		.retry_after_ms = -1,
		.detail = "the channel was restarted"};
	struct host_send *send;

	while ((send = LIST_FIRST(&instance->sends)) != NULL) {
		instance->provider->ops->cancel(instance->self, send);
		if (!is_under_way(instance, send))
			continue; /* the provider knew how it had ended */
		if (send->done != NULL)
			send_done(send, &abandoned);
		else
			query_answered(send, CG_QUERY_UNKNOWN, NULL);
	}
}

enum cg_status instance_send(struct instance *instance,
	const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct host_send *send = send_new(instance, arg);

	if (send == NULL)
		return CG_NOMEM;
	send->done = done;
	instance->provider->ops->send(instance->self, outbound, send_done, send);
	return CG_OK;
}

void instance_cancel(struct instance *instance, void *arg)
{
	struct host_send *send;

	LIST_FOREACH (send, &instance->sends, link) {
		if (send->arg == arg) {
			instance->provider->ops->cancel(instance->self, send);
			return;
		}
	}
}

enum cg_status instance_query(struct instance *instance,
	const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	struct host_send *send;

	if (instance->provider->ops->query == NULL)
		return CG_UNSUPPORTED;
	send = send_new(instance, arg);
	if (send == NULL)
		return CG_NOMEM;
	send->answered = done;
	instance->provider->ops->query(instance->self, outbound, query_answered, send);
	return CG_OK;
}

enum cg_status instance_webhook(
	struct instance *instance, struct cg_webhook_request *request)
{
	if (instance->provider->ops->webhook == NULL)
		return CG_UNSUPPORTED;
	instance->provider->ops->webhook(instance->self, request);
	return CG_OK;
}
