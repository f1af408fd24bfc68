/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent is doing while it says nothing: one line, edited in place, in the message that
 * becomes the answer.  Only where the channel can edit; elsewhere there is typing.
 *
 * The line has a slot like a text.  Its id is made of the tool call that it began with, so that a
 * replay of the same events makes it again; the next text of the turn takes the slot over.
 */
#include "gateway/conversation/card.h"
#include "gateway/conversation/stream_inside.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORK_SILENCE_MS 180000 /* then a silent turn says that it still works */
#define WORK_TITLE 160 /* code points of what a tool is called with */

static bool can_edit(const struct stream *stream)
{
	const struct outlet *outlet = stream->conversation->parts.outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};

	outlet->capabilities(outlet->self, stream->route.instance, &capabilities);
	return capabilities.edit;
}

static void add_line(
	const struct stream_work *work, const char *sign, struct cg_buffer *ret)
{
	cg_buffer_text(ret, sign);
	cg_buffer_text(ret, work->line[0] == '\0' ? "working" : work->line);
	if (work->todos > 0)
		cg_buffer_format(ret, " · %u of %u done", work->done, work->todos);
	if (work->steps > 1 && work->minutes > 0)
		cg_buffer_format(ret, " (step %u, %u min)", work->steps, work->minutes);
	else if (work->steps > 1)
		cg_buffer_format(ret, " (step %u)", work->steps);
	else if (work->minutes > 0)
		cg_buffer_format(ret, " (%u min)", work->minutes);
}

/* The line takes a slot of its own, unless a text is open that has or gets one. */
static void make_slot(struct stream *stream, const char *source)
{
	char id[DRAFT_ID_MAX];

	if (stream->storing || stream->drafts.count > 0 || stream->work.key[0] == '\0')
		return; /* what stands before it goes first: the next event shows it */
	stream_make_id(stream, stream->work.key, ":work", id);
	stream->slot_id = strdup(id);
	if (stream->slot_id == NULL)
		return;
	stream_store_slot(stream, stream->work.key, ":work", source);
	stream->work.has_slot = true;
	stream->render.has_slot = true; /* the text that follows edits it */
}

static void show(struct stream *stream)
{
	struct delivery_route route;
	struct cg_buffer text;

	if (!can_edit(stream) || stream->midway)
		return;
	cg_buffer_init(&text, RENDER_TEXT_MAX + 1024);
	if (render_is_open(&stream->render)) {
		char *part = stream_first_part(stream);

		cg_buffer_text(&text, part == NULL ? "" : part);
		cg_buffer_text(&text, "\n\n");
		free(part);
	}
	add_line(&stream->work, "⚙ ", &text);
	if (stream->slot_id != NULL) {
		draft_route_view(&stream->route, &route);
		delivery_preview(stream->conversation->parts.delivery, &route,
			stream->slot_id, cg_buffer_string(&text), text.length);
	} else if (!render_is_open(&stream->render)) {
		make_slot(stream, cg_buffer_string(&text));
	}
	cg_buffer_finish(&text);
}

void stream_work_tool(struct stream *stream, struct json_object *payload)
{
	static const char *const what[] = {
		"command", "description", "filePath", "path", "pattern", "url", "query"};
	struct stream_work *work = &stream->work;
	struct json_object *input = cg_json_object(payload, "input");
	const char *id = cg_json_string(payload, "id");
	const char *name = cg_json_string(payload, "name");
	const char *status = cg_json_string_or(payload, "status", "running");
	const char *title = cg_json_string(payload, "title");
	struct cg_buffer line;

	/* Only its beginning is told; an end changes nothing that a person has to see. */
	if (id == NULL || name == NULL || strcmp(status, "running") != 0)
		return;
	for (size_t i = 0; title == NULL && i < sizeof(what) / sizeof(what[0]); i++)
		title = cg_json_string(input, what[i]);
	cg_buffer_init(&line, sizeof(work->line));
	card_add_plain(&line, name, 60);
	if (!cg_text_blank(title)) {
		cg_buffer_text(&line, ": ");
		card_add_plain(&line, title, WORK_TITLE);
	}
	if (strcmp(work->line, cg_buffer_string(&line)) != 0) {
		cg_text_copy(work->line, sizeof(work->line), cg_buffer_string(&line));
		work->steps++;
	}
	cg_buffer_finish(&line);
	if (work->key[0] == '\0')
		cg_text_copy(work->key, sizeof(work->key), id);
	show(stream);
}

void stream_work_todos(struct stream *stream, struct json_object *payload)
{
	struct stream_work *work = &stream->work;
	struct json_object *todos = cg_json_array(payload, "todos");
	const char *now = NULL;
	struct cg_buffer line;

	work->done = 0;
	work->todos = (unsigned)cg_json_count(todos);
	for (size_t i = 0; i < work->todos; i++) {
		struct json_object *todo = cg_json_at(todos, i);
		const char *status = cg_json_string_or(todo, "status", "");

		work->done += strcmp(status, "completed") == 0;
		if (now == NULL && strcmp(status, "in_progress") == 0)
			now = cg_json_string(todo, "content");
	}
	if (work->todos == 0)
		return;
	/* What a tool does says more. */
	if (work->steps == 0 && !cg_text_blank(now)) {
		cg_buffer_init(&line, sizeof(work->line));
		card_add_plain(&line, now, WORK_TITLE);
		cg_text_copy(work->line, sizeof(work->line), cg_buffer_string(&line));
		cg_buffer_finish(&line);
	}
	if (work->key[0] == '\0')
		snprintf(work->key, sizeof(work->key), "todos:%lld",
			(long long)stream->seen);
	show(stream);
}

void stream_work_watch(struct stream *stream)
{
	if (render_is_open(&stream->render) && !stream->render.has_slot &&
		!loop_timer_pending(&stream->slow))
		loop_timer_set(&stream->slow, RENDER_SLOT_MS);
}

void stream_work_heard(struct stream *stream)
{
	stream->work.minutes = 0;
	loop_timer_set(&stream->silence, WORK_SILENCE_MS);
}

void stream_work_end(struct stream *stream, bool over)
{
	struct cg_buffer text;

	loop_timer_clear(&stream->slow);
	if (over)
		loop_timer_clear(&stream->silence);
	if (over && stream->work.has_slot && stream->slot_id != NULL) {
		/* No text took the line over: it stays as what was done. */
		cg_buffer_init(&text, 1024);
		add_line(&stream->work, "✓ ", &text);
		drafts_add_redraw(&stream->drafts, &stream->route, stream->slot_id,
			cg_buffer_string(&text), false);
		cg_buffer_finish(&text);
		stream_forget_slot(stream);
		stream->render.has_slot = false;
	}
	stream->work = (struct stream_work){.steps = 0};
}

static void silence_came(void *arg)
{
	struct stream *stream = arg;

	if (stream->idle)
		return;
	stream->work.minutes += WORK_SILENCE_MS / 60000;
	if (stream->work.key[0] == '\0')
		snprintf(stream->work.key, sizeof(stream->work.key), "silent:%lld",
			(long long)stream->seen);
	show(stream);
	loop_timer_set(&stream->silence, WORK_SILENCE_MS);
}

/* The text that was open then is open still. */
static void slow_came(void *arg)
{
	struct stream *stream = arg;

	if (stream->storing || stream->drafts.count > 0 || stream->missing)
		loop_timer_set(&stream->slow, RENDER_SLOT_MS);
	else if (render_wants_slot(&stream->render))
		stream_make_slot(stream);
}

enum cg_status stream_work_init(struct stream *stream)
{
	struct loop *loop = stream->conversation->parts.loop;
	enum cg_status status = loop_timer_init(&stream->slow, loop, slow_came, stream);

	return status != CG_OK
		       ? status
		       : loop_timer_init(&stream->silence, loop, silence_came, stream);
}

void stream_work_finish(struct stream *stream)
{
	loop_timer_finish(&stream->slow);
	loop_timer_finish(&stream->silence);
}
