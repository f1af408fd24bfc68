/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent once and never again, whatever becomes of it: answers to presses, marks. */
#include "gateway/delivery/board.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define ONCE_WAIT_MS 60000 /* of a mark for its account's rate; then it is left out */

static void once_free(void *arg)
{
	struct once *once = arg;

	loop_timer_finish(&once->timer);
	free(once);
}

static void react(struct once *once);

static void once_end(struct once *once)
{
	LIST_REMOVE(once, link);
	once->delivery->once_count--;
	loop_timer_clear(&once->timer);
	loop_defer(once->delivery->loop, &once->burial);
}

static void over(void *arg, const struct cg_outcome *outcome)
{
	struct once *once = arg;

	(void)outcome;
	if (!once->again) {
		once_end(once);
		return;
	}
	once->again = false;
	once->outbound.reaction = once->next;
	react(once);
}

static void due(void *arg)
{
	struct once *once = arg;
	const struct outlet *outlet = once->delivery->outlet;

	if (once->waits)
		react(once);
	else
		outlet->cancel(outlet->self, once->instance, arg);
}

/* NULL stays NULL. */
static const char *keep(char *room, size_t size, const char *text)
{
	if (text == NULL)
		return NULL;
	cg_text_copy(room, size, text);
	return room;
}

static struct once *once_new(
	struct delivery *delivery, const struct delivery_route *route)
{
	const struct cg_target *target = &route->target;
	struct once *once;

	if (delivery->once_count == DELIVERY_ONCE)
		return NULL;
	once = calloc(1, sizeof(*once));
	if (once == NULL)
		return NULL;
	if (loop_timer_init(&once->timer, delivery->loop, due, once) != CG_OK) {
		free(once);
		return NULL;
	}
	once->delivery = delivery;
	loop_task_init(&once->burial, once_free, once);
	cg_text_copy(once->instance, sizeof(once->instance), route->instance);
	once->outbound = (struct cg_outbound){
		.size = sizeof(once->outbound),
		.target = {.chat_id = keep(
				   once->chat_id, sizeof(once->chat_id), target->chat_id),
			.thread_id = keep(once->thread_id, sizeof(once->thread_id),
				target->thread_id),
			.user_id = keep(
				once->user_id, sizeof(once->user_id), target->user_id),
			.message_id = keep(once->message_id, sizeof(once->message_id),
				target->message_id),
			.context = keep(
				once->context, sizeof(once->context), target->context),
			.is_direct = target->is_direct},
		.attempt = 1,
		.timeout_ms = delivery->options.send_timeout_ms,
	};
	LIST_INSERT_HEAD(&delivery->onces, once, link);
	delivery->once_count++;
	return once;
}

static void once_send(struct once *once)
{
	struct delivery *delivery = once->delivery;
	const struct outlet *outlet = delivery->outlet;

	once->waits = false;
	if (outlet->send(outlet->self, once->instance, &once->outbound, over, once) !=
		CG_OK)
		once_end(once);
	else
		loop_timer_set(&once->timer,
			delivery->options.send_timeout_ms + DELIVERY_GRACE_MS);
}

void delivery_answer(struct delivery *delivery, const struct delivery_route *route,
	const char *interaction_id, const char *text, bool alert)
{
	struct once *once = once_new(delivery, route);

	if (once == NULL)
		return;
	cg_text_copy(once->interaction_id, sizeof(once->interaction_id), interaction_id);
	cg_text_copy(once->text, sizeof(once->text), text);
	once->outbound.kind = CG_OUTBOUND_ANSWER;
	once->outbound.delivery_id = once->interaction_id;
	once->outbound.interaction_id = once->interaction_id;
	once->outbound.text = once->text;
	once->outbound.text_length = strlen(once->text);
	once->outbound.source = once->text;
	once->outbound.source_length = strlen(once->text);
	once->outbound.alert = alert;
	once_send(once);
}

/* Marks. */

/* Send it as soon as the account's rate allows. */
static void react(struct once *once)
{
	struct delivery *delivery = once->delivery;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct flood_send send = {.instance = once->instance,
		.chat_id = once->chat_id,
		.is_direct = once->outbound.target.is_direct,
		.kind = FLOOD_TYPING,
		.capabilities = &capabilities,
		.now_ms = delivery_mono_ms(delivery)};
	enum cg_status status = delivery->outlet->capabilities(
		delivery->outlet->self, once->instance, &capabilities);
	int64_t wait;

	if (status == CG_NOT_FOUND) {
		once_end(once);
		return;
	}
	/* A channel that cannot send now may soon. */
	wait = status == CG_OK ? flood_take(&delivery->flood, &send, NULL)
			       : DELIVERY_RETRY_MS;
	if (wait == 0) {
		once_send(once);
	} else if (send.now_ms + wait > once->until_ms) {
		once_end(once);
	} else {
		once->waits = true;
		loop_timer_set(&once->timer, wait);
	}
}

/* The mark of this message that is under way. */
static struct once *find_mark(
	const struct delivery *delivery, const struct delivery_route *route)
{
	struct once *once;

	LIST_FOREACH (once, &delivery->onces, link) {
		if (once->outbound.kind == CG_OUTBOUND_REACTION &&
			strcmp(once->instance, route->instance) == 0 &&
			strcmp(once->chat_id, route->target.chat_id) == 0 &&
			strcmp(once->message_id, route->target.message_id) == 0)
			return once;
	}
	return NULL;
}

void delivery_react(struct delivery *delivery, const struct delivery_route *route,
	enum cg_reaction reaction)
{
	const struct outlet *outlet = delivery->outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct once *once;

	if (route->target.message_id == NULL ||
		outlet->capabilities(outlet->self, route->instance, &capabilities) ==
			CG_NOT_FOUND ||
		!capabilities.reactions)
		return;
	once = find_mark(delivery, route);
	if (once != NULL) {
		/* One after the other, or an earlier one might stay. */
		once->again = !once->waits;
		once->next = reaction;
		if (once->waits)
			once->outbound.reaction = reaction;
		return;
	}
	once = once_new(delivery, route);
	if (once == NULL)
		return;
	once->outbound.kind = CG_OUTBOUND_REACTION;
	once->outbound.reaction = reaction;
	once->until_ms = delivery_mono_ms(delivery) + ONCE_WAIT_MS;
	react(once);
}

void once_finish_all(struct delivery *delivery)
{
	struct once *once;

	while ((once = LIST_FIRST(&delivery->onces)) != NULL) {
		LIST_REMOVE(once, link);
		once_free(once);
	}
}
