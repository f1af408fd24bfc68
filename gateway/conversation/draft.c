/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/draft.h"

#include "gateway/delivery/compose.h"
#include "gateway/delivery/verdict.h"

#include <cowgate/sdk/split.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room left in a part when rendering makes it longer than its source. */
#define DRAFT_SHRINK_TRIES 4
#define DRAFT_LEAST 32 /* units of a part; less cannot be split */

static bool copy_string(char **to, const char *from)
{
	*to = from == NULL ? NULL : strdup(from);
	return from == NULL || *to != NULL;
}

static enum cg_status route_copy(struct draft_route *route, const struct cursor *from)
{
	bool ok;

	*route = (struct draft_route){.is_direct = from->is_direct};
	ok = copy_string(&route->instance, from->instance) &&
	     copy_string(&route->chat_id, from->chat_id) &&
	     copy_string(&route->thread_id, from->thread_id) &&
	     copy_string(&route->user_id, from->user_id) &&
	     copy_string(&route->context, from->context) &&
	     copy_string(&route->session_id, from->session_id) &&
	     copy_string(&route->binding_id, from->binding_id);
	if (ok)
		return CG_OK;
	draft_route_finish(route);
	return CG_NOMEM;
}

enum cg_status draft_route_from_cursor(
	struct draft_route *route, const struct cursor *cursor)
{
	return route_copy(route, cursor);
}

enum cg_status draft_route_from_message(
	struct draft_route *route, const struct inbox_message *message)
{
	struct cursor from = {
		.instance = message->instance,
		.chat_id = message->chat_id,
		.thread_id = message->thread_id,
		.user_id =
			message->user_id != NULL ? message->user_id : message->sender_id,
		.context = message->context,
		.is_direct = message->is_direct,
	};

	return route_copy(route, &from);
}

void draft_route_finish(struct draft_route *route)
{
	free(route->instance);
	free(route->chat_id);
	free(route->thread_id);
	free(route->user_id);
	free(route->context);
	free(route->session_id);
	free(route->binding_id);
	*route = (struct draft_route){.is_direct = false};
}

void draft_route_view(const struct draft_route *route, struct delivery_route *ret)
{
	*ret = (struct delivery_route){
		.instance = route->instance,
		.target = {.chat_id = route->chat_id,
			.thread_id = route->thread_id,
			.user_id = route->user_id,
			.is_direct = route->is_direct,
			.context = route->context},
	};
}

static void free_string(const char *text)
{
	union {
		const char *in;
		char *out;
	} pun = {.in = text};

	free(pun.out);
}

void drafts_finish(struct drafts *drafts)
{
	for (size_t i = 0; i < drafts->count; i++) {
		free_string(drafts->items[i].delivery_id);
		free_string(drafts->items[i].source);
		free_string(drafts->items[i].slot_id);
	}
	free(drafts->items);
	*drafts = (struct drafts){.count = 0};
}

static void address(struct obligation *item, const struct draft_route *route)
{
	item->instance = route->instance;
	item->target.chat_id = route->chat_id;
	item->target.thread_id = route->thread_id;
	item->target.user_id = route->user_id;
	item->target.context = route->context;
	item->target.is_direct = route->is_direct;
	item->session_id = route->session_id;
	item->binding_id = route->binding_id;
}

void drafts_reroute(struct drafts *drafts, const struct draft_route *route)
{
	for (size_t i = 0; i < drafts->count; i++)
		address(&drafts->items[i], route);
}

static enum cg_status reserve(struct drafts *drafts, size_t more)
{
	size_t capacity = drafts->count + more;
	struct obligation *items;

	if (capacity <= drafts->capacity)
		return CG_OK;
	items = realloc(drafts->items, capacity * sizeof(*items));
	if (items == NULL)
		return CG_NOMEM;
	drafts->items = items;
	drafts->capacity = capacity;
	return CG_OK;
}

/* Split so that every part fits as the channel will send it, with its label if it is repeated. */
static enum cg_status split_for(const struct outlet *outlet, const char *instance,
	const char *source, struct cg_parts *ret)
{
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	enum cg_status status =
		outlet->capabilities(outlet->self, instance, &capabilities);
	size_t limit, most, length = strlen(source);

	/* For a channel that is not configured it is kept as it is, until it is again or dies. */
	if (status == CG_NOT_FOUND)
		capabilities.max_text = 0;
	if (verdict_labels(capabilities.reconcile) &&
		capabilities.max_text > 4 * COMPOSE_LABEL_UNITS)
		most = capabilities.max_text - COMPOSE_LABEL_UNITS;
	else
		most = capabilities.max_text;
	limit = most > 0 ? most : OUTBOX_TEXT_MAX;
	for (int i = 1;; i++) {
		bool fits = true;

		status = cg_split(
			source, length, capabilities.text_unit, limit, OUTBOX_PARTS, ret);
		if (status != CG_OK)
			return status;
		for (size_t k = 0; fits && k < ret->count; k++)
			fits = most == 0 ||
			       outlet->measure(outlet->self, instance, ret->items[k].text,
				       ret->items[k].length) <= most;
		/* Rather too long, and refused aloud, than never stored. */
		if (fits || i == DRAFT_SHRINK_TRIES || limit * 2 / 3 < DRAFT_LEAST)
			return CG_OK;
		cg_parts_finish(ret);
		limit = limit * 2 / 3;
	}
}

/* Takes @source over, also on failure. */
static enum cg_status add_part(struct drafts *drafts, const struct draft_route *route,
	const struct draft_text *text, char *source, unsigned part, unsigned parts)
{
	char id[DRAFT_ID_MAX];
	struct obligation *item;
	char *delivery_id, *slot_id = NULL;

	if (parts == 1)
		snprintf(id, sizeof(id), "%s", text->delivery_id);
	else
		snprintf(id, sizeof(id), "%s:chunk:%u", text->delivery_id, part);
	delivery_id = strdup(id);
	if (delivery_id == NULL || (part == 1 && !copy_string(&slot_id, text->slot_id))) {
		free(delivery_id);
		free(source);
		return CG_NOMEM;
	}
	item = &drafts->items[drafts->count++];
	*item = (struct obligation){
		.delivery_id = delivery_id,
		.purpose = text->purpose,
		.kind = CG_OUTBOUND_TEXT,
		.source = source,
		.slot_id = slot_id,
		.part = part,
		.parts = parts,
	};
	address(item, route);
	return CG_OK;
}

enum cg_status drafts_add_text(struct drafts *drafts, const struct outlet *outlet,
	const struct draft_route *route, const struct draft_text *text)
{
	struct cg_parts parts = {.count = 0};
	enum cg_status status = split_for(outlet, route->instance, text->source, &parts);

	if (status != CG_OK)
		return status;
	status = reserve(drafts, parts.count);
	for (size_t i = 0; status == CG_OK && i < parts.count; i++) {
		char *source = parts.items[i].text;

		parts.items[i].text = NULL; /* moved into the draft */
		status = add_part(drafts, route, text, source, (unsigned)i + 1,
			(unsigned)parts.count);
	}
	cg_parts_finish(&parts);
	return status;
}
