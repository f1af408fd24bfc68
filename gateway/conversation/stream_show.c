/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/card.h"
#include "gateway/conversation/code.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/split.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_TYPING_MS \
	600000 /* a lease ends by itself after ten minutes without news */
#define STREAM_CUT "\n\n[The answer was longer than this chat can carry and is cut here.]"

/* Ids that a replay of the same events makes again. */
void stream_make_id(const struct stream *stream, const char *message_id,
	const char *suffix, char *ret)
{
	snprintf(ret, DRAFT_ID_MAX, "%s:%s%s", stream->route.session_id, message_id,
		suffix);
}

void stream_typing(struct stream *stream, bool on)
{
	const struct conversation *conversation = stream->conversation;
	struct delivery_route route;

	draft_route_view(&stream->route, &route);
	delivery_typing(conversation->parts.delivery, &route,
		on ? conversation_mono_ms(conversation) + STREAM_TYPING_MS : 0);
}

void stream_forget_slot(struct stream *stream)
{
	if (stream->slot_id == NULL)
		return;
	delivery_preview_end(stream->conversation->parts.delivery, stream->slot_id);
	free(stream->slot_id);
	stream->slot_id = NULL;
}

enum cg_status stream_add_text(struct stream *stream, const char *message_id,
	const char *suffix, const char *source, enum outbox_purpose purpose)
{
	const struct outlet *outlet = stream->conversation->parts.outlet;
	char id[DRAFT_ID_MAX], slot[DRAFT_ID_MAX];
	struct draft_text text = {
		.delivery_id = id, .source = source, .purpose = purpose};
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	enum cg_status status;
	struct cg_buffer cut;
	size_t keep;

	stream_make_id(stream, message_id, suffix, id);
	if (purpose == OUTBOX_FINAL) {
		/* The slot, if there ever was one: also one from before a restart. */
		stream_make_id(stream, message_id, ":slot", slot);
		text.slot_id = stream->work.key[0] != '\0' && stream->slot_id != NULL
				       ? stream->slot_id
				       : slot;
	}
	status = drafts_add_text(&stream->drafts, outlet, &stream->route, &text);
	if (status != CG_LIMIT)
		return status;
	/* More parts than a chat should get: keep the beginning and say so. */
	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	keep = (size_t)capabilities.max_text * OUTBOX_PARTS / 4;
	cg_buffer_init(&cut, keep + sizeof(STREAM_CUT));
	cg_buffer_add(&cut, source,
		cg_text_prefix(source, strlen(source), CG_UNIT_BYTES, keep));
	cg_buffer_text(&cut, STREAM_CUT);
	text.source = cg_buffer_string(&cut);
	status = drafts_add_text(&stream->drafts, outlet, &stream->route, &text);
	cg_buffer_finish(&cut);
	return status;
}

/* The first part of a growing text, as a slot or preview shows it. */
static char *first_part(const struct stream *stream, const char *source, size_t length)
{
	const struct outlet *outlet = stream->conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct cg_parts parts = {.count = 0};
	char *text = NULL;
	size_t limit;

	if (outlet->capabilities(outlet->self, stream->route.instance, &capabilities) ==
		CG_NOT_FOUND)
		return NULL;
	limit = capabilities.max_text > 0 ? (size_t)capabilities.max_text * 9 / 10
					  : length + 32;
	length = cg_text_prefix(source, length, capabilities.text_unit, limit * 2);
	if (cg_split(source, length, capabilities.text_unit, limit, OUTBOX_PARTS,
		    &parts) != CG_OK)
		return NULL;
	if (parts.count > 0) {
		text = parts.items[0].text;
		parts.items[0].text = NULL;
	}
	cg_parts_finish(&parts);
	return text;
}

char *stream_first_part(const struct stream *stream)
{
	return first_part(stream, cg_buffer_string(&stream->render.text),
		stream->render.text.length);
}

void stream_store_slot(struct stream *stream, const char *message_id, const char *suffix,
	const char *source)
{
	struct drafts waiting = stream->drafts;

	/* Nobody waits for it: a slot that is not stored is one that is not shown. */
	stream->drafts = (struct drafts){.count = 0};
	if (stream_add_text(stream, message_id, suffix, source, OUTBOX_SLOT) == CG_OK)
		outbox_store(stream->conversation->parts.journal, stream->drafts.items,
			stream->drafts.count, NULL, NULL, NULL);
	drafts_finish(&stream->drafts);
	stream->drafts = waiting;
}

void stream_make_slot(struct stream *stream)
{
	char *text = first_part(stream, cg_buffer_string(&stream->render.text),
		stream->render.text.length);
	char id[DRAFT_ID_MAX];

	if (text == NULL)
		return;
	stream_make_id(stream, stream->render.message_id, ":slot", id);
	/* After a reconnect it is there already, with its previews. */
	if (stream->slot_id == NULL || strcmp(stream->slot_id, id) != 0) {
		stream_forget_slot(stream);
		stream->slot_id = strdup(id);
		if (stream->slot_id != NULL)
			stream_store_slot(
				stream, stream->render.message_id, ":slot", text);
	}
	free(text);
}

void stream_show_preview(struct stream *stream)
{
	char *text = first_part(stream, cg_buffer_string(&stream->render.text),
		stream->render.text.length);
	struct delivery_route route;

	if (text == NULL || stream->slot_id == NULL) {
		free(text);
		return;
	}
	draft_route_view(&stream->route, &route);
	delivery_preview(stream->conversation->parts.delivery, &route, stream->slot_id,
		text, strlen(text));
	free(text);
}

void stream_add_answer(struct stream *stream, const char *message_id, const char *source)
{
	struct code code = {.count = 0};

	code_take(stream->conversation->parts.outlet, stream->route.instance, source,
		&code);
	stream_add_text(stream, message_id, "", code.text == NULL ? source : code.text,
		OUTBOX_FINAL);
	for (size_t i = 0; i < code.count; i++) {
		const struct cg_file file = {.filename = code.files[i].name,
			.mime_type = CODE_TYPE,
			.bytes = strlen(code.files[i].text)};
		char id[DRAFT_ID_MAX], suffix[32];

		snprintf(suffix, sizeof(suffix), ":code:%zu", i + 1);
		stream_make_id(stream, message_id, suffix, id);
		drafts_add_file(
			&stream->drafts, &stream->route, id, &file, code.files[i].text);
	}
	code_finish(&code);
}

void stream_add_final(struct stream *stream)
{
	stream_add_answer(stream, stream->render.final_id,
		cg_buffer_string(&stream->render.final_text));
	stream_work_end(stream, false);
	stream_forget_slot(stream);
}

void stream_add_error(struct stream *stream, int64_t sequence)
{
	char id[32];
	struct cg_buffer text;

	snprintf(id, sizeof(id), "error:%lld", (long long)sequence);
	cg_buffer_init(&text, 8192);
	cg_buffer_text(&text, "⚠ ");
	cg_buffer_text(&text, cg_buffer_string(&stream->render.error));
	stream_add_text(stream, id, "", cg_buffer_string(&text), OUTBOX_ERROR);
	cg_buffer_finish(&text);
}

void stream_add_card(struct stream *stream, enum inquiry_kind kind,
	struct json_object *payload, int64_t sequence)
{
	struct conversation *conversation = stream->conversation;
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct card_request request = {.kind = kind,
		.payload = payload,
		.capabilities = &capabilities,
		.always = conversation->can_always};
	char id[DRAFT_ID_MAX], suffix[32];
	struct card card;

	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	if (card_make(&request, &card) == CG_OK) {
		snprintf(suffix, sizeof(suffix), ":ask:%lld", (long long)sequence);
		stream_make_id(stream, card.target_id, suffix, id);
		drafts_add_card(&stream->drafts, &stream->route, id, &card,
			conversation_wall_ms(conversation) + CARD_LIFE_MS);
	}
	card_finish(&card);
}

void stream_close_card(
	struct stream *stream, enum inquiry_kind kind, struct json_object *payload)
{
	const char *target = card_target(kind, payload);
	char id[DRAFT_ID_MAX];

	if (target == NULL || strlen(target) > 256)
		return;
	stream_make_id(stream, target, ":ask", id);
	drafts_add_redraw(
		&stream->drafts, &stream->route, id, words_text(WORDS_CARD_GONE), true);
}
