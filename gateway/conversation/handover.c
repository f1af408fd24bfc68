/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session of an errand's chat thread: find it, bind it, remember that an answer is expected,
 * prompt; or begin a new one.
 */
#include "gateway/conversation/attachments.h"
#include "gateway/conversation/errand.h"
#include "gateway/conversation/mark.h"
#include "gateway/conversation/standing.h"
#include "gateway/conversation/stream.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define HANDOVER_TEXT (2u << 20) /* bytes: the longest message, and what goes into it */
#define HANDOVER_TITLE 80 /* code points of a session's title */

/* The prompt. */

static void prompted(
	void *arg, const struct cloud_result *result, const struct cloud_command *command)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (result->error == CLOUD_OK) {
		mark_prompted(
			errand->conversation, errand->message->id, command->command_id);
		conversation_tell(errand->conversation, CONVERSATION_PROMPTED,
			errand->message->instance, NULL);
		standing_tell_queue(errand);
	} else if (result->error == CLOUD_CONFLICT) {
		errand_finish(
			errand, INBOX_HANDED, "failed before"); /* and was told then */
	} else {
		errand_failed(errand, result);
	}
}

/* Which files are not passed on is said once, by name. */
static void tell_files(struct errand *errand, const char *refused)
{
	struct cg_buffer text;

	if (refused[0] == '\0' || errand->files_told)
		return;
	errand->files_told = true;
	cg_buffer_init(&text, 8192);
	cg_buffer_text(&text, words_text(WORDS_ATTACHMENTS));
	cg_buffer_text(&text, refused);
	errand_say(errand, "attachments", cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

/* Those that go along; what is said of the others is kept for the end. */
static struct json_object *take_files(struct errand *errand, struct cg_buffer *text)
{
	const struct file_types *types = &errand->conversation->options.file_types;
	struct json_object *files = NULL;
	struct cg_buffer refused;

	if (errand->message->attachment_count == 0)
		return NULL;
	cg_buffer_init(&refused, 4096);
	if (errand->conversation->can_attach) {
		files = attachments_take(errand->message, types, &refused);
	} else {
		attachments_inline(errand->message, types, text, &refused);
		if (refused.length > 0)
			cg_buffer_text(&refused, words_text(WORDS_ONLY_TEXTS));
	}
	tell_files(errand, cg_buffer_string(&refused));
	cg_buffer_finish(&refused);
	return files;
}

static void send_prompt(
	struct errand *errand, const char *text, struct json_object *files)
{
	struct cloud_prompt_params params = {
		.binding_id = errand->binding_id,
		.text = text,
		.agent = errand->channel->default_agent,
		.idempotency_key = errand->event_id,
		.attachments = files,
	};

	errand_actor(errand, &params.actor);
	errand->queues = stream_is_busy(errand->stream);
	mark_prompting(errand->conversation, errand->message->id, errand->binding_id);
	errand_begun(errand, cloud_prompt(errand->conversation->parts.client, &params,
				     prompted, errand, &errand->call));
}

static void step_prompt(struct errand *errand)
{
	const char *said = errand->message->text;
	struct json_object *files;
	struct cg_buffer text;

	cg_buffer_init(&text, HANDOVER_TEXT);
	if (!cg_text_blank(said))
		cg_buffer_text(&text, said);
	files = take_files(errand, &text);
	if (text.length == 0 && files != NULL)
		cg_buffer_text(&text, words_text(WORDS_ONLY_FILES));
	if (cg_buffer_status(&text) != CG_OK)
		errand_wait(errand); /* no memory */
	else if (text.length == 0)
		errand_finish(errand, INBOX_HANDED, "empty"); /* nothing of it is left */
	else
		send_prompt(errand, cg_buffer_string(&text), files);
	cg_buffer_finish(&text);
	cg_json_free(files);
}

/* The session's stream, open in the journal before the prompt exists. */

void errand_cursor(const struct errand *errand, struct cursor *ret)
{
	*ret = (struct cursor){
		.binding_id = errand->binding_id,
		.session_id = errand->session_id,
		.instance = errand->message->instance,
		.chat_id = errand->message->chat_id,
		.thread_id = errand->message->thread_id,
		.user_id = errand->message->sender_id,
		.context = errand->message->context,
		.agent_id = errand->agent_id[0] == '\0' ? NULL : errand->agent_id,
		.is_direct = errand->message->is_direct,
		.generation = errand->generation,
		.epoch = errand->epoch,
		.sequence = errand->sequence,
		.open = true,
		.active_ms = conversation_wall_ms(errand->conversation),
	};
}

static void opened(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;
	struct cursor cursor;

	(void)err;
	if (!errand_back_from_journal(errand))
		return;
	if (status != CG_OK) {
		errand_wait(errand);
		return;
	}
	errand_cursor(errand, &cursor);
	stream_remember(errand->stream, &cursor);
	errand_go(errand, step_prompt);
}

static void step_open(struct errand *errand)
{
	struct conversation *conversation = errand->conversation;
	struct cursor cursor;

	errand_cursor(errand, &cursor);
	if (errand->stream == NULL) {
		struct cg_error err = {.text = ""};

		if (stream_open(conversation, &cursor, &errand->stream, &err) != CG_OK) {
			conversation_tell(conversation, CONVERSATION_WAITING,
				errand->message->instance, err.text);
			errand_wait(errand);
			return;
		}
		stream_expect(errand->stream);
	}
	if (stream_is_remembered(errand->stream, &cursor)) {
		errand_go(errand, step_prompt);
		return;
	}
	errand->waiting_for_journal = true;
	cursor_store(conversation->parts.journal, &cursor, opened, errand);
}

static void bound(
	void *arg, const struct cloud_result *result, const struct cloud_bound *binding)
{
	struct errand *errand = arg;
	const struct cloud_session_binding *record;

	errand->call = NULL;
	if (result->error != CLOUD_OK) {
		errand_failed(errand, result);
		return;
	}
	record = &binding->binding;
	if (strcmp(errand->binding_id, record->binding_id) != 0) {
		/* Not known here: the mirror's word. */
		errand->sequence = record->last_event_sequence;
		cg_text_copy(errand->epoch, sizeof(errand->epoch),
			errand->conversation->epoch);
	}
	cg_text_copy(errand->binding_id, sizeof(errand->binding_id), record->binding_id);
	cg_text_copy(errand->session_id, sizeof(errand->session_id), record->session_id);
	cg_text_copy(errand->agent_id, sizeof(errand->agent_id), record->agent_id);
	errand->failures = 0;
	errand_go(errand, errand->after_bind);
}

void errand_thread_id(
	const struct inbox_message *message, unsigned generation, char *ret, size_t size)
{
	const char *thread =
		message->thread_id != NULL ? message->thread_id : message->chat_id;

	if (generation == 0)
		snprintf(ret, size, "%s", thread);
	else
		snprintf(ret, size, "%s~%u", thread, generation);
}

static void step_bind(struct errand *errand)
{
	const struct inbox_message *message = errand->message;
	const char *text = message->text == NULL ? "" : message->text;
	char thread_id[ERRAND_THREAD], external_thread_id[EXTERNAL_ID];
	char external_chat_id[EXTERNAL_ID], title[4 * HANDOVER_TITLE + 1];
	size_t length =
		cg_text_prefix(text, strlen(text), CG_UNIT_CODE_POINTS, HANDOVER_TITLE);
	struct cloud_bind_params params = {
		.channel_binding_id = errand->channel->binding_id,
		.external_chat_id = external_chat_id,
		.external_thread_id = external_thread_id,
		.title = title,
	};

	snprintf(title, sizeof(title), "%.*s", (int)length, text);
	errand_thread_id(message, errand->generation, thread_id, sizeof(thread_id));
	external_id(message->chat_id, external_chat_id);
	external_id(thread_id, external_thread_id);
	errand_actor(errand, &params.actor);
	errand_begun(errand, cloud_bind(errand->conversation->parts.client, &params,
				     bound, errand, &errand->call));
}

void errand_bind(struct errand *errand, void (*step)(struct errand *errand))
{
	errand->after_bind = step;
	errand_go(errand, step_bind);
}

static void cursor_found(void *arg, enum cg_status status, const struct cursor *cursor)
{
	struct errand *errand = arg;

	if (!errand_back_from_journal(errand))
		return;
	if (status != CG_OK && status != CG_NOT_FOUND) {
		errand_wait(errand);
		return;
	}
	if (cursor != NULL) {
		errand->generation = cursor->generation;
		errand->sequence = cursor->sequence;
		cg_text_copy(errand->epoch, sizeof(errand->epoch),
			cursor->epoch == NULL ? "" : cursor->epoch);
		cg_text_copy(errand->binding_id, sizeof(errand->binding_id),
			cursor->binding_id);
		cg_text_copy(errand->session_id, sizeof(errand->session_id),
			cursor->session_id);
	}
	errand_go(errand, errand->after_find);
}

static void step_find(struct errand *errand)
{
	const struct inbox_message *message = errand->message;

	if (!errand->conversation->probed) {
		errand_wait(errand); /* whose sessions they are is not known yet */
		return;
	}
	errand->waiting_for_journal = true;
	cursor_find(errand->conversation->parts.journal, message->instance,
		message->chat_id, message->thread_id, cursor_found, errand);
}

void errand_find_session(struct errand *errand, void (*step)(struct errand *errand))
{
	errand->after_find = step;
	errand_go(errand, step_find);
}

/* A new generation. */

static void renewed(void *arg, enum cg_status status, const struct cg_error *err)
{
	struct errand *errand = arg;

	(void)err;
	if (!errand_back_from_journal(errand))
		return;
	if (status == CG_OK)
		errand_go(errand, errand->after_renew);
	else
		errand_wait(errand);
}

static void step_remember(struct errand *errand)
{
	struct cursor cursor;

	errand_cursor(errand, &cursor);
	cursor.open = false;
	errand->waiting_for_journal = true;
	cursor_store(errand->conversation->parts.journal, &cursor, renewed, errand);
}

static void step_next_generation(struct errand *errand)
{
	struct cloud_session_params params = {.binding_id = errand->binding_id};

	/* What still runs in the old conversation would speak into the new one. */
	if (errand->binding_id[0] != '\0' && errand->conversation->can_abort)
		cloud_abort_session(
			errand->conversation->parts.client, &params, NULL, NULL, NULL);
	errand->generation++;
	errand->binding_id[0] = '\0';
	errand_bind(errand, step_remember);
}

void errand_renew(struct errand *errand, void (*step)(struct errand *errand))
{
	errand->after_renew = step;
	errand_find_session(errand, step_next_generation);
}

static void bind_for_prompt(struct errand *errand)
{
	errand_bind(errand, step_open);
}

void errand_hand_over(struct errand *errand)
{
	errand_find_session(errand, bind_for_prompt);
}
