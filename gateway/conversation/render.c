/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/render.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define RENDER_CUT \
	"\n\n[The answer was longer than this gateway can carry and is cut here.]"

void render_init(struct render *render)
{
	*render = (struct render){.message_id = ""};
	cg_buffer_init(&render->text, RENDER_TEXT_MAX);
	cg_buffer_init(&render->final_text, RENDER_TEXT_MAX + sizeof(RENDER_CUT));
	cg_buffer_init(&render->error, 4096);
}

void render_finish(struct render *render)
{
	cg_buffer_finish(&render->text);
	cg_buffer_finish(&render->final_text);
	cg_buffer_finish(&render->error);
}

void render_reset(struct render *render)
{
	render->message_id[0] = '\0';
	render->has_slot = false;
	cg_buffer_clear(&render->text);
}

bool render_is_open(const struct render *render)
{
	return render->message_id[0] != '\0';
}

/* The open text becomes final.  Blank text is nothing to show. */
static unsigned close_text(struct render *render)
{
	bool cut = cg_buffer_status(&render->text) == CG_LIMIT;
	bool shown =
		render_is_open(render) && !cg_text_blank(cg_buffer_string(&render->text));

	if (!shown) {
		render_reset(render);
		return 0;
	}
	memcpy(render->final_id, render->message_id, sizeof(render->final_id));
	cg_buffer_clear(&render->final_text);
	cg_buffer_add(&render->final_text, cg_buffer_string(&render->text),
		render->text.length);
	if (cut)
		cg_buffer_text(&render->final_text, RENDER_CUT);
	render_reset(render);
	return RENDER_FINAL;
}

static const char *first_string(
	struct json_object *payload, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = cg_json_string(payload, keys[i]);

		if (text != NULL && text[0] != '\0')
			return text;
	}
	return NULL;
}

/* As much of @text as still fits; what does not is remembered as the buffer's LIMIT. */
static void append_text(struct cg_buffer *buffer, const char *text)
{
	size_t length = strlen(text), room = buffer->limit - buffer->length;

	if (length > room)
		cg_buffer_add(
			buffer, text, cg_text_prefix(text, length, CG_UNIT_BYTES, room));
	cg_buffer_add(buffer, text, length);
}

static void open_text(struct render *render, const char *id, int64_t mono_ms)
{
	cg_text_copy(render->message_id, sizeof(render->message_id), id);
	render->began_ms = mono_ms;
}

void render_begin(
	struct render *render, const char *message_id, const char *text, int64_t mono_ms)
{
	render_reset(render);
	open_text(render, message_id, mono_ms);
	append_text(&render->text, text);
}

static unsigned assistant_message(struct render *render,
	const struct cloud_session_event *event,
	const struct cg_capabilities *capabilities, int64_t mono_ms)
{
	static const char *const text_keys[] = {"content", "text", "message"};
	static const char *const id_keys[] = {"messageId", "id"};
	const char *text = first_string(event->payload, text_keys, 3);
	const char *id = first_string(event->payload, id_keys, 2);
	const char *mode = cg_json_string_or(event->payload, "mode", "replace");
	char fallback[RENDER_ID_MAX];
	unsigned effects = 0;

	if (id == NULL) {
		snprintf(fallback, sizeof(fallback), "assistant:%lld",
			(long long)event->sequence);
		id = fallback;
	}
	if (render_is_open(render) &&
		strncmp(render->message_id, id, sizeof(render->message_id) - 1) != 0)
		effects |= close_text(render);
	if (!render_is_open(render))
		open_text(render, id, mono_ms);
	if (strcmp(mode, "append") != 0)
		cg_buffer_clear(&render->text);
	if (text != NULL)
		append_text(&render->text, text);
	if (render->has_slot)
		return effects | RENDER_PREVIEW;
	if (capabilities->edit && mono_ms - render->began_ms >= RENDER_SLOT_MS &&
		!cg_text_blank(cg_buffer_string(&render->text))) {
		render->has_slot = true;
		effects |= RENDER_SLOT;
	}
	return effects;
}

bool render_wants_slot(struct render *render)
{
	if (!render_is_open(render) || render->has_slot ||
		cg_text_blank(cg_buffer_string(&render->text)))
		return false;
	render->has_slot = true;
	return true;
}

static unsigned runtime_error(
	struct render *render, const struct cloud_session_event *event)
{
	static const char *const keys[] = {"message", "error", "summary"};
	const char *text = first_string(event->payload, keys, 3);

	cg_buffer_clear(&render->error);
	cg_buffer_text(&render->error,
		text == NULL ? "The agent failed without saying why." : text);
	return close_text(render) | RENDER_ERROR;
}

static unsigned session_status(
	struct render *render, const struct cloud_session_event *event)
{
	const char *status = cg_json_string_or(event->payload, "statusType", "");

	if (strcmp(status, "idle") == 0)
		return close_text(render) | RENDER_IDLE;
	if (strcmp(status, "running") == 0 || strcmp(status, "busy") == 0)
		return RENDER_BUSY;
	return 0;
}

void render_event(struct render *render, const struct cloud_session_event *event,
	const struct cg_capabilities *capabilities, int64_t mono_ms,
	struct render_result *ret)
{
	const char *type = event->type;
	unsigned effects = 0;

	if (strcmp(type, "assistant.message") == 0)
		effects = assistant_message(render, event, capabilities, mono_ms);
	else if (strcmp(type, "runtime.error") == 0)
		effects = runtime_error(render, event);
	else if (strcmp(type, "session.idle") == 0)
		effects = close_text(render) | RENDER_IDLE;
	else if (strcmp(type, "session.aborted") == 0)
		effects = close_text(render) | RENDER_IDLE | RENDER_ABORTED;
	else if (strcmp(type, "session.status") == 0)
		effects = session_status(render, event);
	else if (strcmp(type, "prompt.submitted") == 0)
		effects = close_text(render) | RENDER_BUSY | RENDER_PROMPT;
	else if (strcmp(type, "tool.call") == 0)
		effects = RENDER_BUSY | RENDER_TOOL;
	else if (strcmp(type, "todos.updated") == 0)
		effects = RENDER_BUSY | RENDER_TODO;
	else if (strcmp(type, "permission.requested") == 0 ||
		 strcmp(type, "question.asked") == 0)
		effects = close_text(render) | RENDER_ASK;
	else if (strcmp(type, "permission.resolved") == 0 ||
		 strcmp(type, "question.resolved") == 0)
		effects = RENDER_RESOLVED | RENDER_BUSY;
	else if (strcmp(type, "artifact.created") == 0 ||
		 strcmp(type, "artifact.updated") == 0)
		effects = RENDER_ARTIFACT;
	else if (strcmp(type, "snapshot.required") == 0)
		effects = RENDER_SNAPSHOT;
	*ret = (struct render_result){.effects = effects,
		.sequence = event->sequence,
		.kind = type[0] == 'q' ? INQUIRY_QUESTION : INQUIRY_PERMISSION,
		.payload = event->payload};
}
