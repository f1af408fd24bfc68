/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edits of a streamed answer between its slot and its final.  In memory only, latest wins; one
 * in flight a slot, and its lane is busy meanwhile, so that an old text never overtakes the
 * final one.
 */
#include "gateway/delivery/board.h"
#include "gateway/delivery/compose.h"

#include <stdlib.h>
#include <string.h>

#define PREVIEW_INTERVAL_MS \
	1000 /* between edits of one chat, unless the platform needs more */

struct preview {
	TAILQ_ENTRY(preview) link;
	struct delivery *delivery;
	char *slot_id; /* owned */
	char *instance; /* owned */
	char *chat_id, *thread_id, *user_id, *context; /* owned */
	bool is_direct;
	char *receipt; /* owned; NULL until the slot was sent */
	uint64_t lane; /* known with the receipt */
	char *source; /* owned; the latest, NULL: nothing new */
	size_t length; /* of source, or of what is shown when there is none */
	struct composed composed;
	char *shown; /* owned; what was sent last, or is in flight */
	struct loop_timer timer;
	struct loop_task burial;
	int64_t last_ms; /* monotonic, of the last edit */
	bool in_flight, over;
};

static void advance(struct preview *preview);

static void preview_free(void *arg)
{
	struct preview *preview = arg;

	loop_timer_finish(&preview->timer);
	composed_finish(&preview->composed);
	free(preview->slot_id);
	free(preview->instance);
	free(preview->chat_id);
	free(preview->thread_id);
	free(preview->user_id);
	free(preview->context);
	free(preview->receipt);
	free(preview->source);
	free(preview->shown);
	free(preview);
}

static void preview_remove(struct preview *preview)
{
	TAILQ_REMOVE(&preview->delivery->previews, preview, link);
	preview->delivery->preview_count--;
	loop_timer_clear(&preview->timer);
	loop_defer(preview->delivery->loop, &preview->burial);
}

/* One that is in flight stays, as it holds its lane, until its answer has come. */
static void preview_end(struct preview *preview)
{
	preview->over = true;
	free(preview->source);
	preview->source = NULL;
	if (!preview->in_flight)
		preview_remove(preview);
}

static struct preview *find(struct delivery *delivery, const char *slot_id)
{
	struct preview *preview;

	TAILQ_FOREACH (preview, &delivery->previews, link) {
		if (!preview->over && strcmp(preview->slot_id, slot_id) == 0)
			return preview;
	}
	return NULL;
}

static void edited(void *arg, const struct cg_outcome *outcome)
{
	struct preview *preview = arg;
	struct delivery *delivery = preview->delivery;

	preview->in_flight = false;
	loop_timer_clear(&preview->timer);
	composed_finish(&preview->composed);
	if (outcome->class == CG_OUTCOME_RATE_LIMITED && outcome->retry_after_ms > 0) {
		preview->last_ms += outcome->retry_after_ms;
		if (outcome->scope == CG_SCOPE_ACCOUNT)
			scheduler_limit(
				delivery, preview->instance, outcome->retry_after_ms);
	}
	if (preview->over)
		preview_remove(preview);
	else if (outcome->class == CG_OUTCOME_REFUSED)
		preview_end(
			preview); /* a refused edit is dropped, and so are the next ones */
	else
		advance(preview);
	scheduler_wake(delivery); /* its lane is free again */
}

static bool lane_is_taken(const struct delivery *delivery, const struct preview *asking)
{
	uint64_t lanes[DELIVERY_CONCURRENCY];
	size_t count = attempt_lanes(delivery, lanes);
	const struct preview *preview;

	for (size_t i = 0; i < count; i++) {
		if (lanes[i] == asking->lane)
			return true;
	}
	TAILQ_FOREACH (preview, &delivery->previews, link) {
		if (preview->in_flight && preview->lane == asking->lane)
			return true;
	}
	return false;
}

static void edit(struct preview *preview, const struct cg_capabilities *capabilities)
{
	struct delivery *delivery = preview->delivery;
	struct cg_outbound *outbound = &preview->composed.outbound;

	free(preview->shown);
	preview->shown = preview->source;
	preview->source = NULL;
	*outbound = (struct cg_outbound){
		.size = sizeof(*outbound),
		.kind = CG_OUTBOUND_EDIT,
		.target = {.chat_id = preview->chat_id,
			.thread_id = preview->thread_id,
			.user_id = preview->user_id,
			.message_id = preview->receipt,
			.is_direct = preview->is_direct,
			.context = preview->context},
		.attempt = 1,
		.timeout_ms = delivery->options.send_timeout_ms,
	};
	preview->last_ms = delivery_mono_ms(delivery);
	preview->in_flight = true;
	if (compose_text(preview->shown, preview->length, capabilities->text_form,
		    &preview->composed) != CG_OK ||
		delivery->outlet->send(delivery->outlet->self, preview->instance,
			outbound, edited, preview) != CG_OK) {
		preview->in_flight = false;
		composed_finish(&preview->composed);
		return;
	}
	loop_timer_set(
		&preview->timer, delivery->options.send_timeout_ms + DELIVERY_GRACE_MS);
}

static int64_t flood_wait(
	const struct preview *preview, const struct cg_capabilities *capabilities)
{
	struct delivery *delivery = preview->delivery;
	const struct flood_send send = {.instance = preview->instance,
		.chat_id = preview->chat_id,
		.is_direct = preview->is_direct,
		.kind = FLOOD_PREVIEW,
		.capabilities = capabilities,
		.now_ms = delivery_mono_ms(delivery)};

	return flood_take(&delivery->flood, &send, NULL);
}

/* Send the latest text if it may go now; else come back when it may. */
static void advance(struct preview *preview)
{
	struct delivery *delivery = preview->delivery;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	int64_t interval = PREVIEW_INTERVAL_MS, wait;

	if (preview->over || preview->in_flight || preview->source == NULL ||
		preview->receipt == NULL || !delivery->running)
		return;
	if (delivery->outlet->capabilities(
		    delivery->outlet->self, preview->instance, &capabilities) != CG_OK)
		return;
	if (capabilities.edit_interval_ms > interval)
		interval = capabilities.edit_interval_ms;
	wait = preview->last_ms + interval - delivery_mono_ms(delivery);
	if (wait > 0)
		loop_timer_set(&preview->timer, wait);
	else if (lane_is_taken(delivery, preview))
		return; /* looked at again when it is free */
	else if ((wait = flood_wait(preview, &capabilities)) > 0)
		loop_timer_set(&preview->timer, wait);
	else
		edit(preview, &capabilities);
}

static void timer_fired(void *arg)
{
	struct preview *preview = arg;
	const struct outlet *outlet = preview->delivery->outlet;

	if (preview->in_flight)
		outlet->cancel(outlet->self, preview->instance, preview);
	else
		advance(preview);
}

static bool copy_route(struct preview *preview, const struct delivery_route *route)
{
	const struct cg_target *target = &route->target;

	preview->instance = strdup(route->instance);
	preview->chat_id = strdup(target->chat_id);
	preview->thread_id = target->thread_id == NULL ? NULL : strdup(target->thread_id);
	preview->user_id = target->user_id == NULL ? NULL : strdup(target->user_id);
	preview->context = target->context == NULL ? NULL : strdup(target->context);
	preview->is_direct = target->is_direct;
	return preview->instance != NULL && preview->chat_id != NULL &&
	       (target->thread_id == NULL || preview->thread_id != NULL) &&
	       (target->user_id == NULL || preview->user_id != NULL) &&
	       (target->context == NULL || preview->context != NULL);
}

static void forget_oldest(struct delivery *delivery)
{
	struct preview *preview;

	TAILQ_FOREACH (preview, &delivery->previews, link) {
		if (!preview->in_flight) {
			preview_remove(preview);
			return;
		}
	}
}

static struct preview *preview_new(struct delivery *delivery,
	const struct delivery_route *route, const char *slot_id)
{
	struct preview *preview;

	if (delivery->preview_count == DELIVERY_PREVIEWS)
		forget_oldest(delivery);
	if (delivery->preview_count == DELIVERY_PREVIEWS)
		return NULL; /* it is only a preview */
	preview = calloc(1, sizeof(*preview));
	if (preview == NULL)
		return NULL;
	preview->delivery = delivery;
	preview->slot_id = strdup(slot_id);
	loop_task_init(&preview->burial, preview_free, preview);
	if (preview->slot_id == NULL || !copy_route(preview, route) ||
		loop_timer_init(&preview->timer, delivery->loop, timer_fired, preview) !=
			CG_OK) {
		preview_free(preview);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&delivery->previews, preview, link);
	delivery->preview_count++;
	return preview;
}

void delivery_preview(struct delivery *delivery, const struct delivery_route *route,
	const char *slot_id, const char *source, size_t length)
{
	struct preview *preview = find(delivery, slot_id);
	char *copy;

	/* A text that is longer than one message has a first part that does not change. */
	if (preview != NULL && preview->source == NULL && preview->shown != NULL &&
		preview->length == length && memcmp(preview->shown, source, length) == 0)
		return;
	copy = malloc(length + 1);
	if (preview == NULL)
		preview = preview_new(delivery, route, slot_id);
	if (preview == NULL || copy == NULL) {
		free(copy);
		return;
	}
	memcpy(copy, source, length);
	copy[length] = '\0';
	free(preview->source);
	preview->source = copy;
	preview->length = length;
	advance(preview);
}

void delivery_preview_end(struct delivery *delivery, const char *slot_id)
{
	struct preview *preview = find(delivery, slot_id);

	if (preview != NULL)
		preview_end(preview);
}

/* A slot that nobody previews yet is remembered by its receipt when the next text comes. */
void preview_slot_sent(
	struct delivery *delivery, const struct outbox_row *row, const char *receipt)
{
	struct delivery_route route = {
		.instance = row->instance,
		.target = {.chat_id = row->chat_id,
			.thread_id = row->thread_id,
			.user_id = row->user_id,
			.is_direct = row->is_direct,
			.context = row->context},
	};
	struct preview *preview = find(delivery, row->delivery_id);

	if (preview == NULL)
		preview = preview_new(delivery, &route, row->delivery_id);
	if (preview == NULL || receipt == NULL)
		return;
	free(preview->receipt);
	preview->receipt = strdup(receipt);
	preview->lane = row->lane;
	preview->last_ms = delivery_mono_ms(delivery);
	advance(preview);
}

size_t preview_lanes(const struct delivery *delivery, uint64_t *lanes)
{
	const struct preview *preview;
	size_t count = 0;

	TAILQ_FOREACH (preview, &delivery->previews, link) {
		if (preview->in_flight && count < DELIVERY_EDITS)
			lanes[count++] = preview->lane;
	}
	return count;
}

void preview_look(struct delivery *delivery)
{
	struct preview *preview, *next;

	for (preview = TAILQ_FIRST(&delivery->previews); preview != NULL;
		preview = next) {
		next = TAILQ_NEXT(preview, link);
		advance(preview);
	}
}

void preview_finish_all(struct delivery *delivery)
{
	struct preview *preview;

	while ((preview = TAILQ_FIRST(&delivery->previews)) != NULL) {
		TAILQ_REMOVE(&delivery->previews, preview, link);
		delivery->preview_count--;
		preview_free(preview);
	}
}
