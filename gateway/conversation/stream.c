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
	struct loop_timer quiet; /* then it is asked whether more is to come */
	bool storing;
	bool missing; /* events were missed: the snapshot is still to be rendered */
	bool midway; /* the open text began in a snapshot: no event tells its beginning */
	bool joined; /* the next connection goes on from a snapshot */
	bool idle; /* the turn is over, as far as the events tell */
	bool open; /* as the journal knows it */
	unsigned expected; /* messages that are becoming prompts */
	unsigned news; /* prompts and events: tells a stale reply */
	unsigned asked; /* news when it was asked */
	int64_t seen; /* sequence of the last event */
	bool gone; /* the session is no more: it ends when nobody expects anything */
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
	loop_timer_finish(&stream->quiet);
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

/*
 * The turn is over and everything of it is stored: is anything else expected?  Asked only when
 * nothing has come for a while, so that no event of a finished turn is still on its way.
 */

static void watch_quiet(struct stream *stream)
{
	if (stream->open && stream->idle)
		loop_timer_set(&stream->quiet, stream->conversation->options.quiet_ms);
}

static bool is_quiet(const struct stream *stream)
{
	return stream->expected == 0 && stream->call == NULL && !stream->storing &&
	       stream->drafts.count == 0 && !render_is_open(&stream->render) &&
	       cloud_subscription_state(stream->subscription) == CLOUD_SUBSCRIPTION_OPEN;
}

static void settle(struct stream *stream, const struct cloud_result *result, bool over)
{
	stream->call = NULL;
	if (result->error == CLOUD_OK && over && stream->news == stream->asked &&
		is_quiet(stream)) {
		stream->open = false;
		cursor_set_open(stream->conversation->parts.journal,
			stream->route.binding_id, false,
			conversation_wall_ms(stream->conversation), NULL, NULL);
		return;
	}
	if (result->error == CLOUD_OK && !over && stream->news == stream->asked)
		stream->idle = false; /* an event will tell when it is */
	watch_quiet(stream);
}

static void status_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	settle(arg, result, status != NULL && !status->busy && status->queued == 0);
}

static bool is_running(const struct cloud_session_snapshot *snapshot)
{
	return cg_json_bool(snapshot->view, "isGenerating", false) ||
	       (snapshot->status != NULL && strcmp(snapshot->status, "running") == 0);
}

/* For a Cloud that tells no status. */
static void standing_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	const struct stream *stream = arg;

	settle(arg, result,
		snapshot != NULL && !is_running(snapshot) &&
			snapshot->sequence <= stream->seen);
}

static void quiet_came(void *arg)
{
	struct stream *stream = arg;
	struct cloud_session_params params = {.binding_id = stream->route.binding_id};
	const struct conversation *conversation = stream->conversation;
	enum cg_status status;

	if (!is_quiet(stream)) {
		watch_quiet(stream);
		return;
	}
	stream->asked = stream->news;
	if (conversation->can_status)
		status = cloud_get_status(conversation->parts.client, &params,
			status_came, stream, &stream->call);
	else
		status = cloud_snapshot(conversation->parts.client, &params,
			standing_came, stream, &stream->call);
	if (status != CG_OK) {
		stream->call = NULL;
		watch_quiet(stream);
	}
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
	watch_quiet(stream);
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
	/* After a reconnect it is there already, with its previews. */
	if (stream->slot_id == NULL || strcmp(stream->slot_id, id) != 0) {
		forget_slot(stream);
		stream->slot_id = strdup(id);
		if (stream->slot_id != NULL &&
			add_text(stream, stream->render.message_id, ":slot", text,
				OUTBOX_SLOT) == CG_OK)
			store(stream);
	}
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

static void render_message(struct stream *stream, struct json_object *message, bool open)
{
	const char *text = cg_json_string(message, "content");
	const char *id = cg_json_string(message, "id");

	if (id == NULL || cg_text_blank(text))
		return;
	if (!open) {
		add_text(stream, id, "", text, OUTBOX_FINAL);
		return;
	}
	render_begin(
		&stream->render, id, text, conversation_mono_ms(stream->conversation));
	stream->midway = true;
}

static void render_view(struct stream *stream, struct json_object *view, bool running)
{
	struct json_object *messages = cg_json_array(view, "messages");
	size_t count = cg_json_count(messages), from = count;

	while (from > 0 &&
		strcmp(cg_json_string_or(cg_json_at(messages, from - 1), "role", ""),
			"user") != 0)
		from--;
	for (; from < count && stream->drafts.count + OUTBOX_PARTS <= OUTBOX_STORE;
		from++)
		render_message(
			stream, cg_json_at(messages, from), running && from + 1 == count);
}

static void snapshot_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	struct stream *stream = arg;
	bool running;

	stream->call = NULL;
	if (result->error != CLOUD_OK) {
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
		return;
	}
	running = is_running(snapshot);
	stream->missing = false;
	stream->midway = false;
	stream->joined = true;
	render_reset(&stream->render);
	drafts_finish(&stream->drafts);
	forget_slot(stream);
	render_view(stream, snapshot->view, running);
	/* Another history: whatever it says now is newer.  The cursor stays before open text. */
	stream->cursor = -1;
	stream->store_sequence = stream->midway ? -1 : snapshot->sequence;
	stream->seen = snapshot->sequence;
	stream->idle = !running;
	/* No event before what the snapshot told is stored. */
	cloud_subscription_pause(stream->subscription);
	cloud_subscription_rewind(stream->subscription, snapshot->sequence);
	if (stream->midway && stream->drafts.count == 0)
		cloud_subscription_resume(stream->subscription);
	else
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
	if (stream->missing)
		return false; /* the snapshot comes first */
	stream->news++;
	stream->seen = event->sequence;
	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	render_event(&stream->render, event, &capabilities,
		conversation_mono_ms(conversation), &result);
	if (result.effects & RENDER_SNAPSHOT) {
		fetch_snapshot(stream);
		return false;
	}
	if (result.effects & RENDER_FINAL)
		add_final(stream);
	stream->midway = stream->midway && render_is_open(&stream->render) &&
			 !(result.effects & RENDER_FINAL);
	if (result.effects & RENDER_ERROR)
		add_error(stream, result.sequence);
	if (result.effects & RENDER_BUSY)
		typing(stream, true);
	if (result.effects & RENDER_IDLE) {
		typing(stream, false);
		stream->idle = true;
	} else if (result.effects != 0) {
		stream->idle = false;
	}
	watch_quiet(stream);
	if (result.effects & RENDER_SLOT) {
		make_slot(stream);
		return !stream->storing;
	}
	if (result.effects & RENDER_PREVIEW)
		show_preview(stream);
	if (stream->drafts.count == 0 && !(result.effects & RENDER_IDLE))
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
	if (stream->joined) {
		stream->joined = false;
	} else if (stream->midway) {
		fetch_snapshot(stream);
	} else {
		render_reset(&stream->render);
	}
	watch_quiet(stream);
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
	stream->gone = true;
	if (stream->expected == 0)
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
	stream->seen = cursor->sequence;
	stream->idle = true; /* not known otherwise, and to be asked */
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
		status = loop_timer_init(
			&stream->quiet, conversation->parts.loop, quiet_came, stream);
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
	loop_timer_clear(&stream->quiet);
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
	stream->news++;
}

void stream_expected(struct stream *stream)
{
	stream->expected--;
	stream->idle = true; /* unless it is said to be busy */
	if (stream->gone && stream->expected == 0)
		stream_destroy(stream);
	else
		watch_quiet(stream);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool stream_is_remembered(const struct stream *stream, const struct cursor *cursor)
{
	return stream->open && same(stream->route.user_id, cursor->user_id) &&
	       same(stream->route.context, cursor->context);
}

void stream_remember(struct stream *stream, const struct cursor *cursor)
{
	struct draft_route route;

	stream->open = true;
	if (draft_route_from_cursor(&route, cursor) != CG_OK)
		return; /* the way that it had still leads there */
	drafts_reroute(&stream->drafts, &route);
	draft_route_finish(&stream->route);
	stream->route = route;
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
