/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/stream.h"

#include "cloud-client/subscription.h"
#include "gateway/conversation/render.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/split.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_TYPING_MS \
	600000 /* a lease ends by itself after ten minutes without news */
#define STREAM_RETRY_MS 1000 /* before a store that failed is tried again */
#define STREAM_CUT "\n\n[The answer was longer than this chat can carry and is cut here.]"

struct stream {
	TAILQ_ENTRY(stream) link;
	LIST_ENTRY(stream) bucket;
	struct conversation *conversation;
	struct draft_route route; /* owned */
	struct cloud_subscription *subscription;
	struct cloud_call *call; /* snapshot or status */
	struct render render;
	char *slot_id; /* owned; of the open text, NULL: none */
	struct drafts drafts; /* to be stored, or being stored */
	int64_t store_sequence; /* the cursor that moves with them */
	int64_t cursor; /* stored */
	struct loop_timer retry;
	bool storing;
	bool missing; /* events were missed: the snapshot is still to be rendered */
	bool settle; /* the turn is over: see whether all is done once the store has ended */
	bool open; /* as the journal knows it */
	unsigned expected; /* messages that are becoming prompts */
	unsigned prompts; /* how many ever began: tells a stale status reply */
	unsigned asked; /* prompts when the status was asked for */
	bool dying, buried;
	struct loop_task burial;
};

/* Ids that a replay of the same events makes again. */
static void make_id(const struct stream *stream, const char *message_id,
	const char *suffix, char *ret)
{
	snprintf(ret, DRAFT_ID_MAX, "%s:%s%s", stream->route.session_id, message_id,
		suffix);
}

static void store(struct stream *stream);

static void stream_free(void *arg)
{
	struct stream *stream = arg;

	if (stream->storing) {
		stream->buried = true; /* stored() comes back here */
		return;
	}
	loop_timer_finish(&stream->retry);
	drafts_finish(&stream->drafts);
	render_finish(&stream->render);
	draft_route_finish(&stream->route);
	free(stream->slot_id);
	free(stream);
}

static void typing(struct stream *stream, bool on)
{
	const struct conversation *conversation = stream->conversation;
	struct delivery_route route;

	draft_route_view(&stream->route, &route);
	delivery_typing(conversation->parts.delivery, &route,
		on ? conversation_mono_ms(conversation) + STREAM_TYPING_MS : 0);
}

static void forget_slot(struct stream *stream)
{
	if (stream->slot_id == NULL)
		return;
	delivery_preview_end(stream->conversation->parts.delivery, stream->slot_id);
	free(stream->slot_id);
	stream->slot_id = NULL;
}

/* The turn is over and everything of it is stored: is anything else expected? */

static void settled(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	struct stream *stream = arg;
	bool idle;

	stream->call = NULL;
	idle = result->error == CLOUD_OK && !status->busy && status->queued == 0;
	if (!idle || stream->expected > 0 || stream->prompts != stream->asked ||
		stream->storing || render_is_open(&stream->render))
		return;
	stream->open = false;
	cursor_set_open(stream->conversation->parts.journal, stream->route.binding_id,
		false, conversation_wall_ms(stream->conversation), NULL, NULL);
}

static void settle(struct stream *stream)
{
	struct cloud_session_params params = {.binding_id = stream->route.binding_id};
	struct conversation *conversation = stream->conversation;

	stream->settle = false;
	if (!stream->open || stream->call != NULL || !conversation->can_status)
		return;
	stream->asked = stream->prompts;
	if (cloud_get_status(conversation->parts.client, &params, settled, stream,
		    &stream->call) != CG_OK)
		stream->call = NULL;
}

/* Storing. */

static void stored(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct stream *stream = arg;

	(void)err;
	stream->storing = false;
	if (stream->dying) {
		if (stream->buried)
			stream_free(stream);
		return;
	}
	if (status != CG_OK) {
		/* Nothing was kept, nothing is lost: the same drafts are stored again. */
		if (status == CG_LIMIT)
			stream->conversation->starved = true;
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
		return;
	}
	drafts_finish(&stream->drafts);
	if (stream->store_sequence > stream->cursor) {
		stream->cursor = stream->store_sequence;
		cloud_subscription_stored(stream->subscription, stream->cursor);
	}
	if (stream->settle)
		settle(stream);
	cloud_subscription_resume(stream->subscription);
}

static void store(struct stream *stream)
{
	struct conversation *conversation = stream->conversation;
	struct outbox_cursor cursor = {
		.binding_id = stream->route.binding_id,
		.epoch = conversation->epoch,
		.sequence = stream->store_sequence,
	};

	if (stream->storing || stream->dying)
		return;
	loop_timer_clear(&stream->retry);
	stream->storing = true;
	outbox_store(conversation->parts.journal, stream->drafts.items,
		stream->drafts.count,
		stream->store_sequence > stream->cursor ? &cursor : NULL, stored, stream);
}

static void fetch_snapshot(struct stream *stream);

static void retry(void *arg)
{
	struct stream *stream = arg;

	if (stream->missing)
		fetch_snapshot(stream);
	else
		store(stream);
}

static enum cg_status add_text(struct stream *stream, const char *message_id,
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

	make_id(stream, message_id, suffix, id);
	if (purpose == OUTBOX_FINAL) {
		/* The slot, if there ever was one: also one from before a restart. */
		make_id(stream, message_id, ":slot", slot);
		text.slot_id = slot;
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

static void make_slot(struct stream *stream)
{
	char *text = first_part(stream, cg_buffer_string(&stream->render.text),
		stream->render.text.length);
	char id[DRAFT_ID_MAX];

	if (text == NULL)
		return;
	make_id(stream, stream->render.message_id, ":slot", id);
	forget_slot(stream);
	stream->slot_id = strdup(id);
	if (stream->slot_id != NULL && add_text(stream, stream->render.message_id,
					       ":slot", text, OUTBOX_SLOT) == CG_OK)
		store(stream);
	free(text);
}

static void show_preview(struct stream *stream)
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

/* What was missed, from the projection.  Ids tell what the chat has already. */

static void render_message(struct stream *stream, struct json_object *message)
{
	const char *text = cg_json_string(message, "content");
	const char *id = cg_json_string(message, "id");

	if (id == NULL || cg_text_blank(text))
		return;
	add_text(stream, id, "", text, OUTBOX_FINAL);
}

static void render_view(struct stream *stream, struct json_object *view)
{
	struct json_object *messages = cg_json_array(view, "messages");
	size_t count = cg_json_count(messages), from = count;

	while (from > 0 &&
		strcmp(cg_json_string_or(cg_json_at(messages, from - 1), "role", ""),
			"user") != 0)
		from--;
	for (; from < count && !cg_json_bool(view, "isGenerating", false); from++)
		render_message(stream, cg_json_at(messages, from));
}

static void snapshot_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	struct stream *stream = arg;

	stream->call = NULL;
	if (result->error != CLOUD_OK) {
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
		return;
	}
	stream->missing = false;
	render_reset(&stream->render);
	forget_slot(stream);
	render_view(stream, snapshot->view);
	stream->cursor = -1; /* another history: whatever it says now is newer */
	stream->store_sequence = snapshot->sequence;
	stream->settle =
		strcmp(snapshot->status == NULL ? "" : snapshot->status, "running") != 0;
	cloud_subscription_rewind(stream->subscription, snapshot->sequence);
	store(stream);
}

static void fetch_snapshot(struct stream *stream)
{
	struct cloud_session_params params = {.binding_id = stream->route.binding_id};

	cloud_call_cancel(stream->call);
	stream->call = NULL;
	stream->missing = true;
	if (cloud_snapshot(stream->conversation->parts.client, &params, snapshot_came,
		    stream, &stream->call) != CG_OK)
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
}

/* Events. */

static void add_final(struct stream *stream)
{
	add_text(stream, stream->render.final_id, "",
		cg_buffer_string(&stream->render.final_text), OUTBOX_FINAL);
	forget_slot(stream);
}

static void add_error(struct stream *stream, int64_t sequence)
{
	char id[32];
	struct cg_buffer text;

	snprintf(id, sizeof(id), "error:%lld", (long long)sequence);
	cg_buffer_init(&text, 8192);
	cg_buffer_text(&text, "⚠ ");
	cg_buffer_text(&text, cg_buffer_string(&stream->render.error));
	add_text(stream, id, "", cg_buffer_string(&text), OUTBOX_ERROR);
	cg_buffer_finish(&text);
}

/* False: no credit until what was asked for is stored. */
static bool take_event(void *arg, const struct cloud_session_event *event)
{
	struct stream *stream = arg;
	struct conversation *conversation = stream->conversation;
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct render_result result;

	TAILQ_REMOVE(&conversation->streams, stream, link);
	TAILQ_INSERT_TAIL(&conversation->streams, stream, link);
	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	render_event(&stream->render, event, &capabilities,
		conversation_mono_ms(conversation), &result);
	if (result.effects & RENDER_SNAPSHOT) {
		fetch_snapshot(stream);
		return false;
	}
	if (result.effects & RENDER_FINAL)
		add_final(stream);
	if (result.effects & RENDER_ERROR)
		add_error(stream, result.sequence);
	if (result.effects & RENDER_BUSY)
		typing(stream, true);
	if (result.effects & RENDER_IDLE) {
		typing(stream, false);
		stream->settle = true;
	}
	if (result.effects & RENDER_SLOT) {
		make_slot(stream);
		return !stream->storing;
	}
	if (result.effects & RENDER_PREVIEW)
		show_preview(stream);
	if (stream->drafts.count == 0 && !stream->settle)
		return true;
	/* Text that is open again begins with this event: the cursor stays before it. */
	stream->store_sequence =
		render_is_open(&stream->render) ? result.sequence - 1 : result.sequence;
	store(stream);
	return false;
}

static void opened(void *arg, int64_t after)
{
	struct stream *stream = arg;

	(void)after;
	render_reset(&stream->render);
}

static void interrupted(void *arg, const struct cloud_result *why, int64_t retry_ms)
{
	struct stream *stream = arg;

	(void)retry_ms;
	conversation_tell(stream->conversation, CONVERSATION_STREAM_LOST,
		stream->route.instance, cloud_error_name(why->error));
}

static void refused(void *arg, const struct cloud_result *why)
{
	struct stream *stream = arg;

	conversation_tell(stream->conversation, CONVERSATION_TOKEN_REFUSED,
		stream->route.instance, why->policy_code);
}

static void ended(void *arg, const struct cloud_result *why)
{
	struct stream *stream = arg;

	(void)why;
	cursor_set_open(stream->conversation->parts.journal, stream->route.binding_id,
		false, conversation_wall_ms(stream->conversation), NULL, NULL);
	stream_destroy(stream);
}

static enum cg_status subscribe(
	struct stream *stream, const struct cursor *cursor, struct cg_error *err)
{
	struct conversation *conversation = stream->conversation;
	bool foreign = cursor->epoch != NULL && cursor->epoch[0] != '\0' &&
		       strcmp(cursor->epoch, conversation->epoch) != 0;
	struct cloud_session_stream_params params = {
		.binding_id = stream->route.binding_id,
		.after = foreign ? 0 : cursor->sequence,
	};
	struct cloud_subscription_handler handler = {
		.open = opened,
		.session_event = take_event,
		.interrupted = interrupted,
		.refused = refused,
		.ended = ended,
		.arg = stream,
	};
	enum cg_status status = cloud_session_stream(conversation->parts.client, &params,
		&handler, &stream->subscription, err);

	if (status == CG_OK && foreign)
		fetch_snapshot(stream);
	return status;
}

/* Make room by closing the stream that has been quiet the longest. */
static bool make_room(struct conversation *conversation)
{
	size_t limit = conversation->options.streams;
	struct stream *stream;

	if (conversation->stream_count < limit)
		return true;
	TAILQ_FOREACH (stream, &conversation->streams, link) {
		if (!stream->open && stream->expected == 0 && !stream->storing) {
			stream_destroy(stream);
			return true;
		}
	}
	return false;
}

enum cg_status stream_open(struct conversation *conversation, const struct cursor *cursor,
	struct stream **ret, struct cg_error *err)
{
	struct stream *stream = stream_find(conversation, cursor->binding_id);
	enum cg_status status;

	if (stream != NULL) {
		*ret = stream;
		return CG_OK;
	}
	if (!make_room(conversation))
		return cg_error_set(err, CG_LIMIT, "all %zu session streams are busy",
			conversation->options.streams);
	stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		return cg_error_nomem(err);
	stream->conversation = conversation;
	stream->cursor = cursor->sequence;
	render_init(&stream->render);
	loop_task_init(&stream->burial, stream_free, stream);
	TAILQ_INSERT_TAIL(&conversation->streams, stream, link);
	LIST_INSERT_HEAD(
		&conversation->by_binding[conversation_bucket(cursor->binding_id)],
		stream, bucket);
	conversation->stream_count++;
	status = draft_route_from_cursor(&stream->route, cursor);
	if (status == CG_OK)
		status = loop_timer_init(
			&stream->retry, conversation->parts.loop, retry, stream);
	if (status == CG_OK)
		status = subscribe(stream, cursor, err);
	if (status != CG_OK) {
		stream_destroy(stream);
		return status;
	}
	*ret = stream;
	return CG_OK;
}

struct stream *stream_find(struct conversation *conversation, const char *binding_id)
{
	struct stream *stream;

	LIST_FOREACH (stream, &conversation->by_binding[conversation_bucket(binding_id)],
		bucket) {
		if (stream->route.binding_id != NULL &&
			strcmp(stream->route.binding_id, binding_id) == 0)
			return stream;
	}
	return NULL;
}

void stream_destroy(struct stream *stream)
{
	struct conversation *conversation;

	if (stream == NULL || stream->dying)
		return;
	conversation = stream->conversation;
	stream->dying = true;
	cloud_subscription_close(stream->subscription);
	cloud_call_cancel(stream->call);
	loop_timer_clear(&stream->retry);
	if (stream->route.instance != NULL) {
		typing(stream, false);
		forget_slot(stream);
	}
	TAILQ_REMOVE(&conversation->streams, stream, link);
	LIST_REMOVE(stream, bucket);
	conversation->stream_count--;
	loop_defer(conversation->parts.loop, &stream->burial);
}

void stream_expect(struct stream *stream)
{
	stream->expected++;
	stream->prompts++;
}

void stream_expected(struct stream *stream)
{
	stream->expected--;
}

bool stream_is_remembered(const struct stream *stream)
{
	return stream->open;
}

void stream_remember(struct stream *stream)
{
	stream->open = true;
}

void stream_feed_all(struct conversation *conversation)
{
	struct stream *stream;

	if (!conversation->starved || !outbox_has_room(conversation->parts.journal))
		return;
	conversation->starved = false;
	TAILQ_FOREACH (stream, &conversation->streams, link) {
		if (stream->drafts.count > 0)
			store(stream);
	}
}
