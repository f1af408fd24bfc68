/* SPDX-License-Identifier: Apache-2.0 */
/* What was missed, from the projection.  Ids tell what the chat has already. */
#include "gateway/conversation/code.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

static void render_message(struct stream *stream, struct json_object *message, bool open)
{
	const char *text = cg_json_string(message, "content");
	const char *id = cg_json_string(message, "id");

	if (id == NULL || cg_text_blank(text))
		return;
	if (!open) {
		stream_add_answer(stream, id, text);
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
	for (; from < count &&
		stream->drafts.count + OUTBOX_PARTS + CODE_FILES <= OUTBOX_STORE;
		from++)
		render_message(
			stream, cg_json_at(messages, from), running && from + 1 == count);
}

/* Its order is the sequence of the event that asked: so its id is that of the event. */
static void render_question(
	struct stream *stream, enum inquiry_kind kind, struct json_object *asked)
{
	stream_add_card(stream, kind, asked, cg_json_int(asked, "order", 0));
}

/* What is still asked; a card that the chat has already is not stored again. */
static void render_asked(struct stream *stream, struct json_object *view)
{
	static const struct {
		const char *list;
		enum inquiry_kind kind;
	} lists[] = {{"pendingApprovals", INQUIRY_PERMISSION},
		{"pendingQuestions", INQUIRY_QUESTION}};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct json_object *list = cg_json_array(view, lists[i].list);

		for (size_t k = 0;
			k < cg_json_count(list) && stream->drafts.count < OUTBOX_STORE;
			k++)
			render_question(stream, lists[i].kind, cg_json_at(list, k));
	}
}

static void snapshot_came(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	struct stream *stream = arg;
	bool running;

	stream->call = NULL;
	if (result->error != CLOUD_OK) {
		stream_retry_later(stream, result->retry_after_ms);
		return;
	}
	stream->failures = 0;
	running = stream_is_running(snapshot);
	stream->missing = false;
	stream->midway = false;
	stream->joined = true;
	render_reset(&stream->render);
	stream_end_artifact(stream);
	drafts_finish(&stream->drafts);
	stream_forget_slot(stream);
	stream_work_end(stream, false);
	render_view(stream, snapshot->view, running);
	render_asked(stream, snapshot->view);
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
		stream_store(stream);
}

void stream_fetch_snapshot(struct stream *stream)
{
	struct cloud_session_params params = {.binding_id = stream->route.binding_id};

	cloud_call_cancel(stream->call);
	stream->call = NULL;
	stream->missing = true;
	if (cloud_snapshot(stream->conversation->parts.client, &params, snapshot_came,
		    stream, &stream->call) != CG_OK)
		loop_timer_set(&stream->retry, STREAM_RETRY_MS);
}
