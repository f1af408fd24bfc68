/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/draft.h"

#include "gateway/conversation/card.h"
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
	     copy_string(&route->agent_id, from->agent_id) &&
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

enum cg_status draft_route_from_inquiry(
	struct draft_route *route, const struct inquiry *inquiry)
{
	struct cursor from = {
		.binding_id = inquiry->binding_id,
		.session_id = inquiry->session_id,
		.instance = inquiry->instance,
		.chat_id = inquiry->chat_id,
		.thread_id = inquiry->thread_id,
		.user_id = inquiry->user_id,
		.context = inquiry->context,
		.agent_id = inquiry->agent_id,
		.is_direct = inquiry->is_direct,
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
	free(route->agent_id);
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

/* What only a card or a file has. */
static void free_card(struct obligation *item)
{
	union {
		const void *in;
		void *out;
	} pun;

	if (item->file != NULL) {
		free_string(item->file->filename);
		free_string(item->file->mime_type);
		free_string(item->file->path);
		pun.in = item->file;
		free(pun.out);
	}

	for (size_t i = 0; i < item->button_count; i++) {
		free_string(item->buttons[i].label);
		free_string(item->buttons[i].token);
	}
	pun.in = item->buttons;
	free(pun.out);
	if (item->asks == NULL)
		return;
	free_string(item->asks->token);
	free_string(item->asks->code);
	free_string(item->asks->target_id);
	free_string(item->asks->options);
	free_string(item->asks->card);
	free_string(item->asks->agent_id);
	pun.in = item->asks;
	free(pun.out);
}

void drafts_finish(struct drafts *drafts)
{
	for (size_t i = 0; i < drafts->count; i++) {
		free_string(drafts->items[i].delivery_id);
		free_string(drafts->items[i].source);
		free_string(drafts->items[i].slot_id);
		free_card(&drafts->items[i]);
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

/* Cards. */

static const char *copy_of(const char *text, bool *ok)
{
	char *copy = NULL;

	if (text != NULL)
		copy = strdup(text);
	*ok = *ok && (text == NULL || copy != NULL);
	return copy;
}

static const struct cg_button *copy_buttons(const struct card *card, bool *ok)
{
	struct cg_button *buttons = calloc(card->button_count, sizeof(*buttons));

	for (size_t i = 0; buttons != NULL && i < card->button_count; i++) {
		buttons[i] = card->buttons[i];
		buttons[i].label = copy_of(card->buttons[i].label, ok);
		buttons[i].token = copy_of(card->buttons[i].token, ok);
	}
	*ok = *ok && buttons != NULL;
	return buttons;
}

static const struct inquiry_seed *copy_seed(const struct card *card,
	const struct draft_route *route, int64_t expires_ms, bool *ok)
{
	struct inquiry_seed *seed = calloc(1, sizeof(*seed));
	bool options = card->options.length > 0;

	if (seed == NULL) {
		*ok = false;
		return NULL;
	}
	*seed = (struct inquiry_seed){
		.kind = card->kind,
		.token = copy_of(card->token, ok),
		.code = copy_of(card->code, ok),
		.target_id = copy_of(card->target_id, ok),
		.agent_id = copy_of(route->agent_id, ok),
		.options = copy_of(options ? cg_buffer_string(&card->options) : NULL, ok),
		.card = copy_of(cg_buffer_string(&card->text), ok),
		.expires_ms = expires_ms,
	};
	return seed;
}

enum cg_status drafts_add_card(struct drafts *drafts, const struct draft_route *route,
	const char *delivery_id, const struct card *card, int64_t expires_ms)
{
	enum cg_status status = reserve(drafts, 1);
	struct obligation *item;
	struct cg_buffer text;
	bool ok = true;

	if (status != CG_OK)
		return status;
	cg_buffer_init(&text, OUTBOX_TEXT_MAX);
	cg_buffer_text(&text, cg_buffer_string(&card->text));
	cg_buffer_text(&text, cg_buffer_string(&card->hint));
	item = &drafts->items[drafts->count++];
	*item = (struct obligation){
		.delivery_id = copy_of(delivery_id, &ok),
		.purpose = card->kind == INQUIRY_PERMISSION ? OUTBOX_APPROVAL
							    : OUTBOX_QUESTION,
		.kind = card->button_count > 0 ? CG_OUTBOUND_BUTTONS : CG_OUTBOUND_TEXT,
		.source = cg_buffer_take(&text, NULL),
		.asks = copy_seed(card, route, expires_ms, &ok),
		.part = 1,
		.parts = 1,
	};
	cg_buffer_finish(&text);
	if (card->button_count > 0) {
		item->buttons = copy_buttons(card, &ok);
		item->button_count = item->buttons == NULL ? 0 : card->button_count;
	}
	address(item, route);
	return ok && item->source != NULL ? CG_OK : CG_NOMEM;
}

enum cg_status drafts_add_redraw(struct drafts *drafts, const struct draft_route *route,
	const char *card_id, const char *source, bool closes)
{
	enum cg_status status = reserve(drafts, 1);
	char id[DRAFT_ID_MAX];
	struct obligation *item;
	bool ok = true;

	if (status != CG_OK)
		return status;
	snprintf(id, sizeof(id), "%s" OUTBOX_CLOSED, card_id);
	item = &drafts->items[drafts->count++];
	*item = (struct obligation){
		.delivery_id = copy_of(id, &ok),
		.purpose = OUTBOX_REDRAW,
		.kind = CG_OUTBOUND_TEXT,
		.source = copy_of(source, &ok),
		.slot_id = copy_of(card_id, &ok),
		.closes = closes,
		.part = 1,
		.parts = 1,
	};
	address(item, route);
	return ok ? CG_OK : CG_NOMEM;
}

enum cg_status drafts_add_file(struct drafts *drafts, const struct draft_route *route,
	const char *delivery_id, const struct cg_file *file, const char *content)
{
	enum cg_status status = reserve(drafts, 1);
	struct cg_file *copy = calloc(1, sizeof(*copy));
	struct obligation *item;
	bool ok = true;

	if (status != CG_OK || copy == NULL) {
		free(copy);
		return CG_NOMEM;
	}
	*copy = (struct cg_file){.filename = copy_of(file->filename, &ok),
		.mime_type = copy_of(file->mime_type, &ok),
		.path = copy_of(file->path, &ok),
		.bytes = file->bytes};
	item = &drafts->items[drafts->count++];
	*item = (struct obligation){
		.delivery_id = copy_of(delivery_id, &ok),
		.purpose = OUTBOX_FILE,
		.kind = CG_OUTBOUND_FILE,
		.source = copy_of(content, &ok),
		.file = copy,
		.part = 1,
		.parts = 1,
	};
	address(item, route);
	return ok ? CG_OK : CG_NOMEM;
}
