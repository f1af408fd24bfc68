/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/stream.h"

#include "gateway/conversation/expiry.h"
#include "gateway/conversation/mark.h"
#include "gateway/conversation/mirror.h"
#include "gateway/conversation/rota.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/retry.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

static void stream_free(void *arg)
{
	struct stream *stream = arg;

	if (stream->storing) {
		stream->buried = true; /* stored() comes back here */
		return;
	}
	loop_timer_finish(&stream->retry);
	loop_timer_finish(&stream->quiet);
	stream_work_finish(stream);
	drafts_finish(&stream->drafts);
	render_finish(&stream->render);
	draft_route_finish(&stream->route);
	free(stream->slot_id);
	free(stream);
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
	if (stream->abandons)
		expiry_look(stream->conversation);
	else
		expiry_watch(stream->conversation);
	stream->abandons = false;
	if (stream->store_sequence > stream->cursor)
		marks_moved(stream->conversation, stream->route.binding_id);
	if (stream->turn_over)
		stream_end_turn(stream, false);
	if (stream->store_sequence > stream->cursor) {
		stream->cursor = stream->store_sequence;
		cloud_subscription_stored(stream->subscription, stream->cursor);
		mirror_note(
			stream->conversation, stream->route.binding_id, stream->cursor);
	}
	stream_watch_quiet(stream);
	cloud_subscription_resume(stream->subscription);
}

void stream_end_turn(struct stream *stream, bool all)
{
	stream->turn_over = false;
	mark_ended(stream->conversation, stream->route.binding_id, stream->answer_id,
		stream->turn_failed, all);
	stream->turn_failed = false;
	stream->answer_id[0] = '\0';
}

/* Of what is stored, the last that a person is to read: in its lane it arrives last. */
static void note_answer(struct stream *stream)
{
	for (size_t i = stream->drafts.count; i-- > 0;) {
		const struct obligation *item = &stream->drafts.items[i];

		if (item->purpose == OUTBOX_REDRAW || item->purpose == OUTBOX_SLOT)
			continue;
		cg_text_copy(
			stream->answer_id, sizeof(stream->answer_id), item->delivery_id);
		return;
	}
}

void stream_store(struct stream *stream)
{
	struct conversation *conversation = stream->conversation;
	int64_t marked[OUTBOX_MARKED];
	struct outbox_cursor cursor = {
		.binding_id = stream->route.binding_id,
		.epoch = conversation->epoch,
		.sequence = stream->store_sequence,
		.abandons = stream->abandons,
		.marks = {.ids = marked, .state = INBOX_MARK_RUNNING},
	};

	if (stream->storing || stream->dying)
		return;
	loop_timer_clear(&stream->retry);
	stream->storing = true;
	note_answer(stream);
	cursor.marks.count = marks_moving(
		conversation, stream->route.binding_id, stream->turn_over, marked);
	if (stream->turn_over) {
		cursor.marks.state =
			stream->turn_failed ? INBOX_MARK_FAILED : INBOX_MARK_ENDED;
		cursor.marks.answer_id = stream->answer_id;
	}
	outbox_store(conversation->parts.journal, stream->drafts.items,
		stream->drafts.count,
		stream->store_sequence > stream->cursor ? &cursor : NULL, stored, stream);
}

static void retry(void *arg)
{
	struct stream *stream = arg;

	if (stream->missing)
		stream_fetch_snapshot(stream);
	else if (stream->artifact_id != NULL)
		stream_fetch_artifact(stream);
	else
		stream_store(stream);
}

void stream_retry_later(struct stream *stream, int64_t at_least_ms)
{
	int64_t delay = cg_retry_reconnect(STREAM_RETRY_MS, STREAM_RETRY_MAX_MS,
		stream->failures, conversation_random(stream->conversation));

	if (stream->failures < 32)
		stream->failures++;
	loop_timer_set(&stream->retry, delay > at_least_ms ? delay : at_least_ms);
}

/* Events. */

/* What the person is to have, whatever happens. */
static void keep(struct stream *stream, const struct render_result *result)
{
	const unsigned effects = result->effects;

	if (effects & RENDER_FINAL)
		stream_add_final(stream);
	stream->midway = stream->midway && render_is_open(&stream->render) &&
			 !(effects & RENDER_FINAL);
	if (effects & RENDER_ERROR)
		stream_add_error(stream, result->sequence);
	if (effects & RENDER_ASK)
		stream_add_card(stream, result->kind, result->payload, result->sequence);
	if (effects & (RENDER_ASK | RENDER_ERROR | RENDER_IDLE))
		stream_work_end(stream, true);
	if (effects & RENDER_RESOLVED)
		stream_close_card(stream, result->kind, result->payload);
}

/* Whose turn it is. */
static void follow_turn(struct stream *stream, const struct render_result *result)
{
	const unsigned effects = result->effects;

	if (effects & RENDER_BUSY)
		stream_typing(stream, true);
	if (effects & (RENDER_ASK | RENDER_IDLE))
		stream_typing(stream, false);
	stream->turn_failed |= (effects & (RENDER_ERROR | RENDER_ABORTED)) != 0;
	if (effects & RENDER_PROMPT)
		mark_running(stream->conversation, stream->route.binding_id,
			cg_json_string(result->payload, "commandId"));
	if (effects & RENDER_IDLE) {
		stream->idle = true;
		stream->abandons = true;
		stream->turn_over = true;
	} else if (effects != 0) {
		stream->idle = false;
	}
	stream_watch_quiet(stream);
}

/* What is shown of it while it happens, and may be lost. */
static void show(struct stream *stream, const struct render_result *result, bool can_edit)
{
	const unsigned effects = result->effects;

	if (effects & RENDER_SLOT)
		stream_make_slot(stream);
	if (effects & RENDER_PREVIEW)
		stream_show_preview(stream);
	if (can_edit)
		stream_work_watch(stream);
	if (effects != 0 && !stream->idle && !(effects & RENDER_ASK))
		stream_work_heard(stream);
	if (effects & RENDER_TOOL)
		stream_work_tool(stream, result->payload);
	if (effects & RENDER_TODO)
		stream_work_todos(stream, result->payload);
}

/* False: no credit until what was asked for is stored. */
static bool take_event(void *arg, const struct cloud_session_event *event)
{
	struct stream *stream = arg;
	struct conversation *conversation = stream->conversation;
	const struct outlet *outlet = conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	struct render_result result;
	bool is_open;

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
		stream_fetch_snapshot(stream);
		return false;
	}
	keep(stream, &result);
	follow_turn(stream, &result);
	show(stream, &result, capabilities.edit);
	is_open = render_is_open(&stream->render);
	if ((result.effects & RENDER_ARTIFACT) &&
		stream_begin_artifact(stream, result.payload, result.sequence)) {
		stream->store_sequence = is_open ? stream->cursor : result.sequence;
		return false;
	}
	if (stream->drafts.count == 0 && !(result.effects & RENDER_IDLE))
		return true;
	/* Text that is open again begins with this event: the cursor stays before it. */
	stream->store_sequence = is_open ? result.sequence - 1 : result.sequence;
	stream_store(stream);
	return false;
}

static void opened(void *arg, int64_t after)
{
	struct stream *stream = arg;

	(void)after;
	if (stream->joined) {
		stream->joined = false;
	} else if (stream->midway) {
		stream_fetch_snapshot(stream);
	} else {
		render_reset(&stream->render);
		stream->render.has_slot = stream->work.has_slot;
	}
	stream_watch_quiet(stream);
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

	/* A 403 is this session's alone. */
	conversation_tell(stream->conversation,
		why->error == CLOUD_UNAUTHORIZED ? CONVERSATION_TOKEN_REFUSED
						 : CONVERSATION_REFUSED,
		stream->route.instance, why->policy_code);
}

static void ended(void *arg, const struct cloud_result *why)
{
	struct stream *stream = arg;

	(void)why;
	stream->turn_failed = true;
	stream_end_turn(stream, true);
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
		stream_fetch_snapshot(stream);
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
	return rota_make_room(conversation);
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
	stream->opened_ms = conversation_mono_ms(conversation);
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
		status = loop_timer_init(&stream->quiet, conversation->parts.loop,
			stream_quiet_came, stream);
	if (status == CG_OK)
		status = stream_work_init(stream);
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
	stream_end_artifact(stream);
	loop_timer_clear(&stream->retry);
	loop_timer_clear(&stream->quiet);
	loop_timer_clear(&stream->slow);
	loop_timer_clear(&stream->silence);
	if (stream->route.instance != NULL) {
		stream_typing(stream, false);
		stream_forget_slot(stream);
	}
	TAILQ_REMOVE(&conversation->streams, stream, link);
	LIST_REMOVE(stream, bucket);
	conversation->stream_count--;
	loop_defer(conversation->parts.loop, &stream->burial);
}

static void ask_again(struct stream *stream)
{
	if (cloud_subscription_state(stream->subscription) == CLOUD_SUBSCRIPTION_REFUSED)
		cloud_subscription_restart(stream->subscription);
}

void stream_ask_again_all(struct conversation *conversation)
{
	struct stream *stream;

	TAILQ_FOREACH (stream, &conversation->streams, link)
		ask_again(stream);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void stream_destroy_thread(struct conversation *conversation, const char *instance,
	const char *chat_id, const char *thread_id, const char *keep)
{
	struct stream *stream, *next;

	for (stream = TAILQ_FIRST(&conversation->streams); stream != NULL;
		stream = next) {
		const struct draft_route *route = &stream->route;

		next = TAILQ_NEXT(stream, link);
		if (same(route->instance, instance) && same(route->chat_id, chat_id) &&
			same(route->thread_id, thread_id) &&
			!same(route->binding_id, keep))
			stream_destroy(stream);
	}
}

void stream_expect(struct stream *stream)
{
	/* Whoever is let in again after a refusal wants to see the answer. */
	ask_again(stream);
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
		stream_watch_quiet(stream);
}

bool stream_is_busy(const struct stream *stream)
{
	return !stream->idle;
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
			stream_store(stream);
	}
}
