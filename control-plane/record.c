/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/record.h"

#include "control-plane/command.h"
#include "control-plane/event.h"
#include "control-plane/history.h"
#include "control-plane/interaction.h"
#include "control-plane/projection.h"
#include "control-plane/turn.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

static void record_free(struct record *record)
{
	free(record->name);
	cg_buffer_finish(&record->text);
	cg_json_free(record->payload);
	record_file_free(record->file);
	free(record);
}

void record_list_finish(struct record_list *list)
{
	while (list->first != NULL) {
		struct record *next = list->first->next;

		record_free(list->first);
		list->first = next;
	}
	memset(list, 0, sizeof(*list));
}

void record_list_take(struct record_list *to, struct record_list *from)
{
	*to = *from;
	memset(from, 0, sizeof(*from));
}

enum cg_status record_add(struct record_list *list, enum record_kind kind,
	const char *name, size_t limit, struct record **ret)
{
	struct record *record;

	if (list->count >= TURN_RECORDS)
		return CG_LIMIT;
	record = calloc(1, sizeof(*record));
	if (record == NULL)
		return CG_NOMEM;
	record->kind = kind;
	record->name = strdup(name);
	cg_buffer_init(&record->text, limit);
	if (record->name == NULL) {
		free(record);
		return CG_NOMEM;
	}
	if (list->last == NULL)
		list->first = record;
	else
		list->last->next = record;
	list->last = record;
	list->count++;
	*ret = record;
	return CG_OK;
}

/* Whether a text goes into the last record: what is said of one message without a break
 * becomes one event, for nobody has seen a part of it. */
static bool continues(const struct record *last, enum record_kind kind, const char *name)
{
	return last != NULL && (kind == RECORD_APPEND || kind == RECORD_REPLACE) &&
	       (last->kind == RECORD_APPEND || last->kind == RECORD_REPLACE) &&
	       strcmp(last->name, name) == 0;
}

enum cg_status record_text(struct record_list *list, enum record_kind kind,
	const char *name, const char *text, size_t length)
{
	struct record *record = list->last;
	enum cg_status status = CG_OK;

	if (length > TURN_BUFFER - list->bytes)
		return CG_LIMIT;
	if (!continues(record, kind, name)) {
		status = record_add(list, kind, name, TURN_BUFFER, &record);
	} else if (kind == RECORD_REPLACE) {
		list->bytes -= record->text.length;
		cg_buffer_clear(&record->text);
		record->kind = RECORD_REPLACE;
	}
	if (status == CG_OK)
		status = cg_buffer_add(&record->text, text, length);
	if (status != CG_OK)
		return status;
	list->bytes += length;
	list->opened |= record->kind == RECORD_APPEND;
	return CG_OK;
}

/* Of an event that is too large, what tells the reader which thing it is about. */
static struct json_object *cut_payload(struct json_object *payload)
{
	static const char *const keys[] = {"id", "name", "status", "permissionId",
		"requestId", "sessionId", "tool", "description", "filename", "artifactId",
		NULL};
	struct json_object *cut = cg_json_new_object();

	for (const char *const *key = keys; *key != NULL; key++) {
		const char *text = cg_json_string(payload, *key);

		if (text != NULL && strlen(text) <= 1024)
			cg_json_put_string(cut, *key, text);
	}
	cg_json_put_string(cut, "output", "[TRUNCATED_RUNTIME_VALUE]");
	return cut;
}

enum cg_status record_event(
	struct record_list *list, const char *type, struct json_object *payload)
{
	struct record *record;
	size_t length = 0;
	enum cg_status status;

	if (payload != NULL)
		cg_json_text(payload, &length);
	if (length > TURN_BUFFER - list->bytes && length <= TURN_PAYLOAD)
		return CG_LIMIT;
	status = record_add(list, RECORD_EVENT, type, 1, &record);
	if (status != CG_OK)
		return status;
	if (length > TURN_PAYLOAD) {
		record->payload = cut_payload(payload);
		length = 0;
	} else {
		record->payload = cg_json_is_object(payload) ? cg_json_copy(payload)
							     : cg_json_new_object();
	}
	list->bytes += length;
	list->asked |= strcmp(type, "permission.requested") == 0 ||
		       strcmp(type, "question.asked") == 0;
	return CG_OK;
}

enum cg_status record_command(
	struct record_list *list, enum record_kind kind, const char *name)
{
	struct record *record;

	return record_add(list, kind, name, 1, &record);
}

/* ---- writer thread ---- */

static enum cg_status store_text(struct event_log *log, const struct record *record)
{
	struct json_object *payload = cg_json_new_object();
	enum cg_status status;

	cg_json_put_string(payload, "sessionId", log->session_id);
	cg_json_put_string(payload, "messageId", record->name);
	cg_json_put(payload, "content",
		cg_json_new_string_length(
			cg_buffer_string(&record->text), record->text.length));
	cg_json_put_string(
		payload, "mode", record->kind == RECORD_APPEND ? "append" : "replace");
	status = event_append(log, "assistant.message", payload, NULL);
	cg_json_free(payload);
	return status;
}

/* What is resolved can be answered no more, by whatever token. */
static enum cg_status store_event(struct event_log *log, const struct record *record)
{
	const char *target = NULL;
	enum cg_status status = event_append(log, record->name, record->payload, NULL);

	if (strcmp(record->name, "permission.resolved") == 0)
		target = cg_json_string(record->payload, "permissionId");
	else if (strcmp(record->name, "question.resolved") == 0)
		target = cg_json_string(record->payload, "requestId");
	if (status != CG_OK || target == NULL)
		return status;
	return interaction_expire_target(log->change, log->session, target);
}

/* What an attempt has left open is closed before the next one. */
static enum cg_status store_return(struct event_log *log, const char *command_id)
{
	enum cg_status status = projection_close_messages(log);

	if (status == CG_OK)
		status = projection_refuse_questions(log, "expired");
	if (status == CG_OK)
		status = interaction_expire(log->change, log->session);
	return status == CG_OK ? command_return(log->change, command_id) : status;
}

/* The prompt is said and done: it has become part of the turn. */
static enum cg_status store_steered(struct event_log *log, const struct record *record)
{
	struct prompt_said said = {.command_id = record->name,
		.text = cg_buffer_string(&record->text),
		.agent = "build"};
	enum cg_status status = command_begin(log->change, record->name);

	if (status == CG_OK)
		status = prompt_log(log, &said);
	return status == CG_OK ? command_ack(log->change, record->name) : status;
}

static enum cg_status store_one(struct event_log *log, struct record *record)
{
	struct change *change = log->change;

	switch (record->kind) {
	case RECORD_APPEND:
	case RECORD_REPLACE:
		return store_text(log, record);
	case RECORD_ARTIFACT:
		return record_store_file(log, record);
	case RECORD_EVENT:
		return store_event(log, record);
	case RECORD_BOUND:
		return change_run(change,
			"UPDATE session SET runtime_session_id = ? WHERE id = ?",
			BIND(TEXT(record->name), INT(log->session)));
	case RECORD_STEERED:
		return store_steered(log, record);
	case RECORD_ACK:
		return command_ack(change, record->name);
	case RECORD_REFUSED:
		return command_fail(change, record->name, "not_waiting",
			"The agent no longer waits for it.");
	case RECORD_RETURN:
		return store_return(log, record->name);
	}
	return CG_INTERNAL;
}

static enum cg_status store_outcome(
	struct event_log *log, const struct record_batch *batch)
{
	const struct record_end *end = batch->end;
	struct json_object *payload = cg_json_new_object();
	const char *type = "session.idle";
	enum cg_status status;

	if (end->end != AGENT_COMPLETED)
		cg_json_put_string(payload, "commandId", batch->command_id);
	if (end->end == AGENT_CANCELLED) {
		type = "session.aborted";
	} else if (end->end != AGENT_COMPLETED) {
		type = "runtime.error";
		cg_json_put_string(payload, "message", end->message);
	}
	status = event_append(log, type, payload, NULL);
	cg_json_free(payload);
	if (status != CG_OK)
		return status;
	if (end->end == AGENT_COMPLETED)
		return command_ack(log->change, batch->command_id);
	return command_fail(log->change, batch->command_id,
		end->end == AGENT_CANCELLED ? "aborted" : end->code,
		end->end == AGENT_CANCELLED ? "Stopped by the person." : end->message);
}

/* Nothing of the turn stays open, neither a message nor a question. */
static enum cg_status close_turn(struct event_log *log, const struct record_batch *batch)
{
	enum cg_status status = CG_OK;

	if (batch->opened)
		status = projection_close_messages(log);
	if (status == CG_OK && batch->asked)
		status = projection_refuse_questions(log,
			strcmp(batch->end->code, "lost") == 0 ? "expired" : "turn_ended");
	if (status == CG_OK && batch->asked)
		status = interaction_expire(log->change, log->session);
	if (status == CG_OK && batch->asked)
		status = command_fail_answers(log->change, log->session);
	return status == CG_OK ? store_outcome(log, batch) : status;
}

enum cg_status record_store(struct change *change, const struct record_batch *batch)
{
	struct event_log log;
	enum cg_status status = event_log_open(&log, change, batch->session);

	log.agent = batch->agent;
	record_keep_files(batch->list, change->files);
	for (struct record *record = batch->list->first;
		status == CG_OK && record != NULL; record = record->next)
		status = store_one(&log, record);
	if (status == CG_OK && batch->end != NULL)
		status = close_turn(&log, batch);
	return status == CG_OK ? event_log_close(&log) : status;
}
