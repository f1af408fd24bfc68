/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/delivery.h"

#include "gateway/delivery/board.h"

#include <cowgate/sdk/error.h>
#include <stdlib.h>

enum cg_status delivery_create(struct loop *loop, struct journal *journal,
	const struct outlet *outlet, const struct delivery_options *options,
	struct delivery **ret, struct cg_error *err)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	enum cg_status status;

	if (delivery == NULL)
		return cg_error_nomem(err);
	delivery->loop = loop;
	delivery->journal = journal;
	delivery->outlet = outlet;
	delivery->options = *options;
	if (delivery->options.concurrency > DELIVERY_CONCURRENCY)
		delivery->options.concurrency = DELIVERY_CONCURRENCY;
	LIST_INIT(&delivery->attempts);
	LIST_INIT(&delivery->onces);
	TAILQ_INIT(&delivery->previews);
	status = scheduler_init(delivery);
	if (status == CG_OK)
		status = typing_init(delivery);
	if (status != CG_OK) {
		delivery_destroy(delivery);
		return cg_error_set(err, status, "the delivery's timers cannot be made");
	}
	*ret = delivery;
	return CG_OK;
}

void delivery_destroy(struct delivery *delivery)
{
	if (delivery == NULL)
		return;
	delivery->running = false;
	attempt_finish_all(delivery);
	preview_finish_all(delivery);
	once_finish_all(delivery);
	typing_finish(delivery);
	scheduler_finish(delivery);
	free(delivery);
}

static void recovered(
	void *arg, enum cg_status status, const struct outbox_recovery *recovery)
{
	struct delivery *delivery = arg;

	if (status != CG_OK) {
		/* Nothing is sent before what was in flight is known. */
		loop_timer_set(&delivery->due, DELIVERY_RETRY_MS);
		return;
	}
	delivery->recovered = true;
	delivery->started(delivery->started_arg, status, recovery);
	scheduler_wake(delivery);
}

void delivery_recover(struct delivery *delivery)
{
	outbox_recover(delivery->journal, recovered, delivery);
}

void delivery_start(struct delivery *delivery,
	void (*started)(
		void *arg, enum cg_status status, const struct outbox_recovery *recovery),
	void *arg)
{
	delivery->running = true;
	delivery->started = started;
	delivery->started_arg = arg;
	delivery_recover(delivery);
}

void delivery_drain(struct delivery *delivery, void (*drained)(void *arg), void *arg)
{
	delivery->running = false;
	loop_timer_clear(&delivery->due);
	loop_timer_clear(&delivery->tick);
	delivery->drained = drained;
	delivery->drained_arg = arg;
	if (delivery->attempt_count == 0) {
		delivery->drained = NULL;
		drained(arg);
	}
}

void delivery_wake(struct delivery *delivery)
{
	scheduler_wake(delivery);
}

void delivery_pause(struct delivery *delivery, const char *instance)
{
	scheduler_pause(delivery, instance, 0);
}

void delivery_resume(struct delivery *delivery, const char *instance)
{
	scheduler_resume(delivery, instance);
}

void delivery_set_timeout(struct delivery *delivery, int64_t send_timeout_ms)
{
	delivery->options.send_timeout_ms = send_timeout_ms;
}

size_t delivery_in_flight(const struct delivery *delivery)
{
	return delivery->attempt_count;
}
