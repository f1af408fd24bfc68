/* SPDX-License-Identifier: Apache-2.0 */
/* "Typing" as a lease with one owner and an end: a tick renews what still runs. */
#include "gateway/delivery/board.h"

#include <stdlib.h>
#include <string.h>

#define TYPING_FIRST_MS 400 /* an answer that is there sooner needs no sign */
#define TYPING_RENEW_MS 4000 /* platforms forget the sign after about five seconds */

struct lease {
	LIST_ENTRY(lease) link;
	struct delivery *delivery;
	char *instance, *chat_id, *thread_id, *context; /* owned */
	bool is_direct;
	int64_t until_ms, due_ms; /* monotonic */
	struct cg_outbound outbound;
	bool in_flight, over;
	struct loop_task burial;
};

static void lease_free(void *arg)
{
	struct lease *lease = arg;

	free(lease->instance);
	free(lease->chat_id);
	free(lease->thread_id);
	free(lease->context);
	free(lease);
}

static void lease_end(struct lease *lease)
{
	lease->over = true;
	if (lease->in_flight)
		return; /* its answer ends it */
	LIST_REMOVE(lease, link);
	lease->delivery->lease_count--;
	loop_defer(lease->delivery->loop, &lease->burial);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static struct lease *find(struct delivery *delivery, const struct delivery_route *route)
{
	struct lease *lease;

	LIST_FOREACH (lease, &delivery->leases, link) {
		if (!lease->over && same(lease->instance, route->instance) &&
			same(lease->chat_id, route->target.chat_id) &&
			same(lease->thread_id, route->target.thread_id))
			return lease;
	}
	return NULL;
}

static void shown(void *arg, const struct cg_outcome *outcome)
{
	struct lease *lease = arg;

	lease->in_flight = false;
	if (lease->over || outcome->class == CG_OUTCOME_REFUSED)
		lease_end(lease);
}

static bool may_show(struct lease *lease)
{
	struct delivery *delivery = lease->delivery;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct flood_send send = {.instance = lease->instance,
		.chat_id = lease->chat_id,
		.is_direct = lease->is_direct,
		.kind = FLOOD_TYPING,
		.capabilities = &capabilities,
		.now_ms = delivery_mono_ms(delivery)};

	return delivery->outlet->capabilities(
		       delivery->outlet->self, lease->instance, &capabilities) == CG_OK &&
	       flood_take(&delivery->flood, &send, NULL) == 0;
}

static void show(struct lease *lease)
{
	const struct outlet *outlet = lease->delivery->outlet;

	if (lease->in_flight || !may_show(lease))
		return;
	lease->outbound = (struct cg_outbound){
		.size = sizeof(lease->outbound),
		.kind = CG_OUTBOUND_TYPING,
		.target = {.chat_id = lease->chat_id,
			.thread_id = lease->thread_id,
			.is_direct = lease->is_direct,
			.context = lease->context},
		.attempt = 1,
		.timeout_ms = TYPING_RENEW_MS,
	};
	lease->in_flight = outlet->send(outlet->self, lease->instance, &lease->outbound,
				   shown, lease) == CG_OK;
}

/* Come back when the next lease is due. */
static void arm(struct delivery *delivery)
{
	const struct lease *lease;
	int64_t wait = TYPING_RENEW_MS, now = delivery_mono_ms(delivery);

	if (!delivery->running || delivery->lease_count == 0)
		return;
	LIST_FOREACH (lease, &delivery->leases, link) {
		if (!lease->over && lease->due_ms - now < wait)
			wait = lease->due_ms - now;
	}
	loop_timer_set(&delivery->tick, wait);
}

static void tick(void *arg)
{
	struct delivery *delivery = arg;
	struct lease *lease, *next;
	int64_t now = delivery_mono_ms(delivery);

	for (lease = LIST_FIRST(&delivery->leases); lease != NULL; lease = next) {
		next = LIST_NEXT(lease, link);
		if (lease->over)
			continue;
		if (lease->until_ms <= now) {
			lease_end(lease);
			continue;
		}
		if (lease->due_ms <= now) {
			show(lease);
			lease->due_ms = now + TYPING_RENEW_MS;
		}
	}
	arm(delivery);
}

static struct lease *lease_new(
	struct delivery *delivery, const struct delivery_route *route)
{
	struct lease *lease = calloc(1, sizeof(*lease));

	if (lease == NULL)
		return NULL;
	lease->delivery = delivery;
	lease->instance = strdup(route->instance);
	lease->chat_id = strdup(route->target.chat_id);
	lease->thread_id =
		route->target.thread_id == NULL ? NULL : strdup(route->target.thread_id);
	lease->context =
		route->target.context == NULL ? NULL : strdup(route->target.context);
	lease->is_direct = route->target.is_direct;
	loop_task_init(&lease->burial, lease_free, lease);
	if (lease->instance == NULL || lease->chat_id == NULL ||
		(route->target.thread_id != NULL && lease->thread_id == NULL) ||
		(route->target.context != NULL && lease->context == NULL)) {
		lease_free(lease);
		return NULL;
	}
	LIST_INSERT_HEAD(&delivery->leases, lease, link);
	delivery->lease_count++;
	return lease;
}

void delivery_typing(struct delivery *delivery, const struct delivery_route *route,
	int64_t until_mono_ms)
{
	const struct outlet *outlet = delivery->outlet;
	struct lease *lease = find(delivery, route);
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	if (until_mono_ms <= delivery_mono_ms(delivery)) {
		if (lease != NULL)
			lease_end(lease);
		return;
	}
	if (lease != NULL) {
		lease->until_ms = until_mono_ms;
		return;
	}
	if (!delivery->running || delivery->lease_count == DELIVERY_LEASES ||
		outlet->capabilities(outlet->self, route->instance, &capabilities) !=
			CG_OK ||
		!capabilities.typing)
		return;
	lease = lease_new(delivery, route);
	if (lease == NULL)
		return;
	lease->until_ms = until_mono_ms;
	lease->due_ms = delivery_mono_ms(delivery) + TYPING_FIRST_MS;
	arm(delivery);
}

enum cg_status typing_init(struct delivery *delivery)
{
	LIST_INIT(&delivery->leases);
	return loop_timer_init(&delivery->tick, delivery->loop, tick, delivery);
}

void typing_finish(struct delivery *delivery)
{
	struct lease *lease;

	while ((lease = LIST_FIRST(&delivery->leases)) != NULL) {
		LIST_REMOVE(lease, link);
		lease_free(lease);
	}
	loop_timer_finish(&delivery->tick);
}
