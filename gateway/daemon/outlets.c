/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"

#define CHAT_LIFETIME_MS (INT64_C(24) * 60 * 60 * 1000)
#define WEBHOOK_LIFETIME_MS (INT64_C(28) * 60 * 60 * 1000)

static struct instance *find(void *self, const char *id)
{
	const struct daemon *daemon = self;

	return supervisor_find(daemon->supervisor, id);
}

static bool can_send(const struct instance *instance)
{
	return instance_is_started(instance) && !instance_is_retired(instance) &&
	       instance_health(instance)->outbound != CG_HEALTH_REFUSED;
}

static enum cg_status outlet_capabilities(
	void *self, const char *id, struct cg_capabilities *ret)
{
	const struct instance *instance = find(self, id);

	if (instance == NULL)
		return CG_NOT_FOUND;
	if (ret != NULL)
		*ret = *instance_capabilities(instance);
	return can_send(instance) ? CG_OK : CG_BUSY;
}

static uint32_t outlet_measure(
	void *self, const char *id, const char *text, size_t length)
{
	const struct instance *instance = find(self, id);

	return instance == NULL ? (uint32_t)length
				: instance_measure(instance, text, length);
}

static const struct cg_retry_schedule *outlet_schedule(
	void *self, const char *id, int64_t *ret_lifetime_ms)
{
	const struct instance *instance = find(self, id);
	bool webhook = instance != NULL &&
		       instance_capabilities(instance)->retry == CG_RETRY_WEBHOOK;

	*ret_lifetime_ms = webhook ? WEBHOOK_LIFETIME_MS : CHAT_LIFETIME_MS;
	return webhook ? &cg_retry_webhook : &cg_retry_chat;
}

static enum cg_status outlet_send(void *self, const char *id,
	const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	struct instance *instance = find(self, id);

	if (instance == NULL)
		return CG_NOT_FOUND;
	if (!can_send(instance))
		return CG_BUSY;
	return instance_send(instance, outbound, done, arg);
}

static void outlet_cancel(void *self, const char *id, void *arg)
{
	struct instance *instance = find(self, id);

	if (instance != NULL)
		instance_cancel(instance, arg);
}

static enum cg_status outlet_query(void *self, const char *id,
	const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	struct instance *instance = find(self, id);

	return instance == NULL ? CG_NOT_FOUND
				: instance_query(instance, outbound, done, arg);
}

void outlets(struct daemon *daemon, struct outlet *ret)
{
	*ret = (struct outlet){
		.self = daemon,
		.capabilities = outlet_capabilities,
		.measure = outlet_measure,
		.schedule = outlet_schedule,
		.send = outlet_send,
		.cancel = outlet_cancel,
		.query = outlet_query,
	};
}
