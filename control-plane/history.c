/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/history.h"

#include "control-plane/command.h"
#include "control-plane/file.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void history_finish(struct history *history)
{
	for (size_t i = 0; i < history->count; i++)
		free((void *)(uintptr_t)history->messages[i].text);
	free(history->messages);
	memset(history, 0, sizeof(*history));
}

static void drop_oldest(struct history *history)
{
	free((void *)(uintptr_t)history->messages[0].text);
	history->count--;
	memmove(history->messages, history->messages + 1,
		history->count * sizeof(*history->messages));
}

/* Room for one more: 8, 16, 32 … */
static bool grow(struct history *history)
{
	struct agent_message *messages;
	size_t room = history->count < 8 ? 8 : 2 * history->count;

	if (history->count != 0 &&
		(history->count < 8 || (history->count & (history->count - 1)) != 0))
		return true;
	messages = realloc(history->messages, room * sizeof(*messages));
	if (messages != NULL)
		history->messages = messages;
	return messages != NULL;
}

static bool keep(struct history *history, struct statement *row)
{
	struct agent_message *message;
	size_t length = statement_bytes(row, 1);
	char *text = grow(history) ? malloc(length + 1) : NULL;

	if (text == NULL)
		return false;
	message = &history->messages[history->count];
	memcpy(text, statement_text(row, 1), length);
	text[length] = '\0';
	message->role = strcmp(statement_text(row, 0), "user") == 0
				? AGENT_ROLE_USER
				: AGENT_ROLE_ASSISTANT;
	message->text = text;
	message->length = length;
	history->count++;
	return true;
}

static void turn_around(struct history *history)
{
	for (size_t i = 0; i < history->count / 2; i++) {
		struct agent_message swap = history->messages[i];

		history->messages[i] = history->messages[history->count - 1 - i];
		history->messages[history->count - 1 - i] = swap;
	}
}

enum cg_status history_read(
	struct change *change, int64_t session, size_t bytes, struct history *ret)
{
	struct history history = {0};
	struct statement *rows;
	size_t used = 0;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT role, content FROM message WHERE session = ? AND content "
		"<> ''"
		" ORDER BY position DESC",
		BIND(INT(session)), &rows);

	while (status == CG_OK && history.count < HISTORY_MESSAGES) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		used += statement_bytes(rows, 1);
		if (used > bytes)
			break;
		if (!keep(&history, rows))
			status = cg_error_nomem(change->err);
	}
	statement_finish(rows);
	if (status != CG_OK) {
		history_finish(&history);
		return status;
	}
	turn_around(&history);
	while (history.count > 0 && history.messages[0].role == AGENT_ROLE_ASSISTANT)
		drop_oldest(&history);
	*ret = history;
	return CG_OK;
}

void taken_prompt_finish(struct taken_prompt *taken)
{
	free(taken->runtime_session_id);
	free(taken->agent);
	free(taken->text);
	for (size_t i = 0; i < taken->file_count; i++) {
		free((void *)(uintptr_t)taken->files[i].filename);
		free((void *)(uintptr_t)taken->files[i].mime_type);
		free((void *)(uintptr_t)taken->files[i].path);
	}
	free(taken->files);
	history_finish(&taken->history);
	memset(taken, 0, sizeof(*taken));
}

void taken_prompt_view(const struct taken_prompt *taken, struct agent_prompt *ret)
{
	*ret = (struct agent_prompt){
		.session_id = taken->session_id,
		.runtime_session_id = taken->runtime_session_id,
		.command_id = taken->command_id,
		.agent = taken->agent,
		.attempt = taken->attempt,
		.text = taken->text,
		.history = taken->history.messages,
		.history_count = taken->history.count,
		.files = taken->files,
		.file_count = taken->file_count,
	};
}

/* Whether an earlier attempt has put the prompt into the log. */
static enum cg_status was_said(struct change *change, int64_t session,
	const struct taken_prompt *taken, bool *ret)
{
	char message_id[HASHED_ID + 8];
	int64_t there = 0;
	enum cg_status status;

	*ret = false;
	if (taken->attempt < 2)
		return CG_OK;
	snprintf(message_id, sizeof(message_id), "%s:user", taken->command_id);
	status = change_number(change,
		"SELECT position FROM message WHERE session = ? AND message_id = ?",
		BIND(INT(session), TEXT(message_id)), &there);
	*ret = there != 0;
	return status;
}

/* Leave out the prompt itself, and whatever was answered to it before the end. */
static void forget_attempt(struct history *history, const struct taken_prompt *taken)
{
	size_t length = strlen(taken->text);

	while (history->count > 0) {
		struct agent_message last = history->messages[--history->count];
		bool own = last.role == AGENT_ROLE_USER && last.length == length &&
			   memcmp(last.text, taken->text, length) == 0;

		free((void *)(uintptr_t)last.text);
		if (own)
			break;
	}
}

static enum cg_status log_attempt(struct event_log *log, const struct taken_prompt *taken)
{
	struct json_object *payload = cg_json_new_object();
	char name[HASHED_ID + 64];
	enum cg_status status;

	cg_json_put_string(payload, "statusType", "running");
	snprintf(name, sizeof(name), "command:%s:attempt:%u:running", taken->command_id,
		taken->attempt);
	status = event_append(log, "session.status", payload, name);
	cg_json_free(payload);
	return status;
}

static struct json_object *files_json(const struct prompt_said *said)
{
	struct json_object *array = cg_json_new_array();

	for (size_t i = 0; i < said->file_count; i++) {
		struct json_object *file = cg_json_new_object();

		cg_json_put_string(file, "filename", said->files[i].filename);
		cg_json_put_string(file, "mime", said->files[i].mime_type);
		cg_json_put_int(file, "size", (int64_t)said->files[i].bytes);
		cg_json_append(array, file);
	}
	return array;
}

enum cg_status prompt_log(struct event_log *log, const struct prompt_said *said)
{
	struct json_object *payload = cg_json_new_object();
	char name[HASHED_ID + 64], message_id[HASHED_ID + 8];
	enum cg_status status;

	snprintf(message_id, sizeof(message_id), "%s:user", said->command_id);
	cg_json_put_string(payload, "commandId", said->command_id);
	cg_json_put_string(payload, "messageId", message_id);
	cg_json_put_string(payload, "text", said->text);
	cg_json_put_string(payload, "agent", said->agent);
	if (said->file_count > 0)
		cg_json_put(payload, "attachments", files_json(said));
	snprintf(name, sizeof(name), "command:%s:prompt-submitted", said->command_id);
	status = event_append(log, "prompt.submitted", payload, name);
	cg_json_free(payload);
	if (status != CG_OK)
		return status;
	return change_run(log->change,
		"UPDATE message SET author = (SELECT identity_id FROM command WHERE"
		" command_id = ?1) WHERE session = ?2 AND message_id = ?3",
		BIND(TEXT(said->command_id), INT(log->session), TEXT(message_id)));
}

static enum cg_status log_prompt(struct event_log *log, const struct taken_prompt *taken)
{
	const struct prompt_said said = {taken->command_id, taken->text, taken->agent,
		taken->files, taken->file_count};

	return prompt_log(log, &said);
}

/* Its attempt is new each time; the prompt itself is said once. */
static enum cg_status log_beginning(struct change *change, int64_t session,
	const struct taken_prompt *taken, bool said)
{
	struct event_log log;
	enum cg_status status = event_log_open(&log, change, session);

	if (status == CG_OK)
		status = log_attempt(&log, taken);
	if (status == CG_OK && !said)
		status = log_prompt(&log, taken);
	return status == CG_OK ? event_log_close(&log) : status;
}

/* The next prompt of the session that waits, unless one runs. */
static enum cg_status read_next(
	struct change *change, int64_t session, struct taken_prompt *taken)
{
	struct statement *row;
	struct json_object *payload = NULL;
	enum cg_status status = change_first(change,
		"SELECT c.command_id, s.session_id, c.payload, c.attempt_count,"
		" s.runtime_session_id, c.status = 'pending'"
		" FROM command c JOIN session s ON s.id = c.session WHERE c.session = ?"
		" AND c.open = 1 AND c.kind = 'prompt' ORDER BY c.sequence LIMIT 2",
		BIND(INT(session)), &row);

	if (status != CG_OK || row == NULL || statement_int(row, 5) == 0) {
		statement_finish(row);
		return status;
	}
	cg_json_parse(statement_text(row, 2), statement_bytes(row, 2), &payload, NULL);
	cg_text_copy(
		taken->command_id, sizeof(taken->command_id), statement_text(row, 0));
	cg_text_copy(
		taken->session_id, sizeof(taken->session_id), statement_text(row, 1));
	taken->attempt = (unsigned)statement_int(row, 3) + 1;
	taken->runtime_session_id = strdup(statement_text(row, 4));
	taken->agent = strdup(cg_json_string_or(payload, "agent", "build"));
	taken->text = strdup(cg_json_string_or(payload, "text", ""));
	cg_json_free(payload);
	status = statement_step(row, &taken->more, change->err);
	statement_finish(row);
	if (status != CG_OK)
		return status;
	if (taken->runtime_session_id == NULL || taken->agent == NULL ||
		taken->text == NULL)
		return cg_error_nomem(change->err);
	return CG_OK;
}

static enum cg_status read_files(struct change *change, struct taken_prompt *taken)
{
	struct file *files = calloc(FILE_PROMPT, sizeof(*files));
	char path[FILE_PATH];
	size_t count = 0;
	enum cg_status status;

	if (files == NULL)
		return cg_error_nomem(change->err);
	status = file_attachments(change, taken->command_id, files, &count);
	if (status == CG_OK && count > 0)
		taken->files = calloc(count, sizeof(*taken->files));
	for (size_t i = 0; status == CG_OK && taken->files != NULL && i < count; i++) {
		struct agent_file *file = &taken->files[taken->file_count++];

		file_store_path(change->files, files[i].file_id, path);
		file->filename = strdup(files[i].filename);
		file->mime_type = strdup(files[i].mime_type);
		file->path = strdup(path);
		file->bytes = (uint64_t)files[i].bytes;
		if (file->filename == NULL || file->mime_type == NULL ||
			file->path == NULL)
			status = cg_error_nomem(change->err);
	}
	if (status == CG_OK && taken->file_count < count)
		status = cg_error_nomem(change->err);
	free(files);
	return status;
}

/* Who answers, and what they are given. */
static enum cg_status equip(struct change *change, const struct take *take,
	struct taken_prompt *taken, bool said)
{
	enum cg_status status = roster_seat(take->roster, change, take->channels,
		take->session, taken->agent, &taken->seat);

	if (status == CG_OK && roster_find(take->roster, taken->agent) != NULL) {
		free(taken->agent); /* its name has chosen the seat */
		taken->agent = strdup("build");
		if (taken->agent == NULL)
			status = cg_error_nomem(change->err);
	}
	if (status == CG_OK)
		status = budget_look(change, take->session, taken->seat, taken->refusal);
	if (status == CG_OK)
		status = read_files(change, taken);
	if (status != CG_OK || taken->seat->ops->remembers)
		return status;
	status = history_read(change, take->session, take->bytes, &taken->history);
	if (status == CG_OK && said)
		forget_attempt(&taken->history, taken);
	return status;
}

enum cg_status taken_prompt_take(
	struct change *change, const struct take *take, struct taken_prompt *ret)
{
	struct taken_prompt taken = {0};
	bool said = false;
	enum cg_status status = read_next(change, take->session, &taken);

	if (status == CG_OK && taken.text == NULL)
		return CG_OK;
	if (status == CG_OK)
		status = command_begin(change, taken.command_id);
	if (status == CG_OK)
		status = was_said(change, take->session, &taken, &said);
	if (status == CG_OK)
		status = equip(change, take, &taken, said);
	if (status == CG_OK)
		status = log_beginning(change, take->session, &taken, said);
	if (status == CG_OK)
		*ret = taken;
	else
		taken_prompt_finish(&taken);
	return status;
}
