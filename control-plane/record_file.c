/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a turn has made: kept in the store, then announced.  See record.h. */
#include "control-plane/file.h"
#include "control-plane/record.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void record_file_free(struct record_file *file)
{
	if (file == NULL)
		return;
	free(file->mime_type);
	free(file->path);
	free(file);
}

static struct record_file *make_file(
	const char *session_id, const struct agent_artifact *artifact)
{
	struct record_file *file = calloc(1, sizeof(*file));
	const char *type = cg_text_blank(artifact->mime_type) ? "application/octet-stream"
							      : artifact->mime_type;

	if (file == NULL)
		return NULL;
	file_artifact_id(session_id, artifact->id, file->id);
	file->mime_type = strdup(type);
	file->path = artifact->path == NULL ? NULL : strdup(artifact->path);
	if (file->mime_type == NULL || (artifact->path != NULL && file->path == NULL)) {
		record_file_free(file);
		return NULL;
	}
	return file;
}

enum cg_status record_artifact(struct record_list *list, const char *session_id,
	const struct agent_artifact *artifact)
{
	struct record_file *file = make_file(session_id, artifact);
	struct record *record;
	char name[FILE_NAME];
	size_t length = artifact->path == NULL ? artifact->length : 0;
	enum cg_status status;

	if (file == NULL)
		return CG_NOMEM;
	file_name(artifact->filename, name);
	status = record_add(list, RECORD_ARTIFACT, name, AGENT_ARTIFACT, &record);
	if (status != CG_OK) {
		record_file_free(file);
		return status;
	}
	record->file = file;
	list->files++;
	if (length > AGENT_ARTIFACT - list->file_bytes) {
		cg_text_copy(record->file->problem, sizeof(record->file->problem),
			length > AGENT_ARTIFACT ? "the file is larger than 25 MiB"
						: "too many files at once");
		return CG_OK;
	}
	list->file_bytes += length;
	return length == 0 ? CG_OK : cg_buffer_add(&record->text, artifact->data, length);
}

static void keep(struct record *record, const struct file_store *files)
{
	struct record_file *file = record->file;
	struct cg_error err = {0};
	enum cg_status status;

	if (file->path != NULL) {
		status = file_store_copy(files, file->id, file->path, &file->bytes, &err);
	} else {
		file->bytes = record->text.length;
		status = file_store_write(files, file->id,
			cg_buffer_string(&record->text), record->text.length, &err);
	}
	file->kept = status == CG_OK;
	if (!file->kept)
		cg_text_copy(file->problem, sizeof(file->problem), err.text);
}

void record_keep_files(struct record_list *list, const struct file_store *files)
{
	if (list->files == 0)
		return;
	for (struct record *record = list->first; record != NULL; record = record->next) {
		if (record->kind == RECORD_ARTIFACT && !record->file->kept &&
			record->file->problem[0] == '\0')
			keep(record, files);
	}
}

/* A file that is not there is told as a message of its own: it reaches every chat. */
static enum cg_status store_problem(struct event_log *log, const struct record *record)
{
	struct json_object *payload = cg_json_new_object();
	struct cg_buffer text;
	char message_id[HASHED_ID + 8];
	enum cg_status status;

	cg_buffer_init(&text, FILE_NAME + CG_ERROR_TEXT + 64);
	cg_buffer_format(&text, "The file %s could not be kept: %s.", record->name,
		record->file->problem);
	snprintf(message_id, sizeof(message_id), "%s:file", record->file->id);
	cg_json_put_string(payload, "sessionId", log->session_id);
	cg_json_put_string(payload, "messageId", message_id);
	cg_json_put_string(payload, "content", cg_buffer_string(&text));
	cg_json_put_string(payload, "mode", "replace");
	status = event_append(log, "assistant.message", payload, NULL);
	cg_json_free(payload);
	cg_buffer_finish(&text);
	return status;
}

enum cg_status record_store_file(struct event_log *log, struct record *record)
{
	struct change *change = log->change;
	struct file file = {
		.bytes = (int64_t)record->file->bytes, .created_at = change->now};
	struct json_object *payload;
	bool fresh = true;
	enum cg_status status = CG_OK;

	cg_text_copy(file.file_id, sizeof(file.file_id), record->file->id);
	cg_text_copy(file.filename, sizeof(file.filename), record->name);
	cg_text_copy(file.mime_type, sizeof(file.mime_type), record->file->mime_type);
	if (record->file->kept) {
		status = file_insert(change, log->session, NULL, &file, &fresh);
		if (status == CG_LIMIT) {
			record->file->kept = false;
			cg_text_copy(record->file->problem, sizeof(record->file->problem),
				change->err->text);
			file_store_remove(change->files, file.file_id);
		} else if (status != CG_OK) {
			return status;
		}
	}
	if (!record->file->kept)
		return store_problem(log, record);
	payload = file_json(&file, log->session_id);
	status = event_append(
		log, fresh ? "artifact.created" : "artifact.updated", payload, NULL);
	cg_json_free(payload);
	return status;
}
