/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent once and never again, whatever becomes of it: answers to presses, marks. */
#include "gateway/delivery/board.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define ONCE_ID_MAX 512
#define ONCE_TEXT_MAX 200

struct once {
	LIST_ENTRY(once) link;
	struct delivery *delivery;
	char instance[65];
	char interaction_id[ONCE_ID_MAX + 1], text[ONCE_TEXT_MAX + 1];
	char chat_id[ONCE_ID_MAX + 1], thread_id[ONCE_ID_MAX + 1];
	char user_id[ONCE_ID_MAX + 1], message_id[ONCE_ID_MAX + 1];
	char context[JOURNAL_CONTEXT_MAX + 1];
	struct cg_outbound outbound;
	struct loop_timer timer;
	struct loop_task burial;
};

static void once_free(void *arg)
{
	struct once *once = arg;

	loop_timer_finish(&once->timer);
	free(once);
}

static void over(void *arg, const struct cg_outcome *outcome)
{
	struct once *once = arg;

	(void)outcome;
	LIST_REMOVE(once, link);
	once->delivery->once_count--;
	loop_timer_clear(&once->timer);
	loop_defer(once->delivery->loop, &once->burial);
}

static void too_long(void *arg)
{
	const struct once *once = arg;
	const struct outlet *outlet = once->delivery->outlet;

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
	if (loop_timer_init(&once->timer, delivery->loop, too_long, once) != CG_OK) {
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

	if (outlet->send(outlet->self, once->instance, &once->outbound, over, once) !=
		CG_OK)
		over(once, NULL);
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

void delivery_react(struct delivery *delivery, const struct delivery_route *route,
	enum cg_reaction reaction)
{
	const struct outlet *outlet = delivery->outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct once *once;

	if (route->target.message_id == NULL ||
		outlet->capabilities(outlet->self, route->instance, &capabilities) !=
			CG_OK ||
		!capabilities.reactions)
		return;
	once = once_new(delivery, route);
	if (once == NULL)
		return;
	once->outbound.kind = CG_OUTBOUND_REACTION;
	once->outbound.reaction = reaction;
	once_send(once);
}

void once_finish_all(struct delivery *delivery)
{
	struct once *once;

	while ((once = LIST_FIRST(&delivery->onces)) != NULL) {
		LIST_REMOVE(once, link);
		once_free(once);
	}
}
