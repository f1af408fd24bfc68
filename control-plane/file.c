/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/file.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define FILE_SWEEP 8 /* old files removed at each new one */
#define FILE_GRACE_MS (60 * 60 * 1000) /* before a file that nobody sees is removed */

#define COLUMNS "SELECT id, file_id, filename, mime_type, bytes, created_at FROM file "

void file_name(const char *name, char ret[FILE_NAME])
{
	const char *base = strrchr(name, '/');
	size_t used = 0;

	base = base == NULL ? name : base + 1;
	base += strspn(base, ".");
	for (size_t left = strlen(base); left > 0;) {
		size_t step = cg_text_step(base, left);
		unsigned char first = (unsigned char)*base;
		bool plain = first >= 0x20 && first != 0x7f && first != '\\' &&
			     cg_utf8_valid(base, step);

		if (used + step >= FILE_NAME)
			break;
		if (plain)
			memcpy(ret + used, base, step);
		used += plain ? step : 0;
		base += step;
		left -= step;
	}
	ret[used] = '\0';
	if (used == 0)
		cg_text_copy(ret, FILE_NAME, "file");
}

void file_attachment_id(const char *command_id, size_t index, char ret[HASHED_ID])
{
	char number[24];

	snprintf(number, sizeof(number), "%zu", index);
	hashed_id("attachment_", (const char *const[]){PLANE_ORG, command_id, number}, 3,
		ret);
}

void file_artifact_id(const char *session_id, const char *agent_id, char ret[HASHED_ID])
{
	char unique[RANDOM_ID];

	if (agent_id == NULL) {
		random_id(unique);
		agent_id = unique;
	}
	hashed_id("artifact_", (const char *const[]){PLANE_ORG, session_id, agent_id}, 3,
		ret);
}

/* The oldest go when their time is over. */
static enum cg_status sweep(struct change *change)
{
	char ids[FILE_SWEEP][HASHED_ID];
	int64_t cutoff = change->now - FILE_KEEP_MS - FILE_GRACE_MS;
	struct statement *rows;
	size_t count = 0;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT file_id FROM file WHERE created_at < ? ORDER BY created_at "
		"LIMIT ?",
		BIND(INT(cutoff), INT(FILE_SWEEP)), &rows);

	while (status == CG_OK && count < FILE_SWEEP) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		cg_text_copy(ids[count++], HASHED_ID, statement_text(rows, 0));
	}
	statement_finish(rows);
	for (size_t i = 0; status == CG_OK && i < count; i++) {
		file_store_remove(change->files, ids[i]);
		status = change_run(
			change, "DELETE FROM file WHERE file_id = ?", BIND(TEXT(ids[i])));
	}
	return status;
}

static enum cg_status make_room(struct change *change, int64_t bytes)
{
	struct statement *row;
	int64_t count, total;
	enum cg_status status = sweep(change);

	if (status == CG_OK)
		status = change_first(change, "SELECT count(*), total(bytes) FROM file",
			NO_VALUES, &row);
	if (status != CG_OK)
		return status;
	count = statement_int(row, 0);
	total = statement_int(row, 1);
	statement_finish(row);
	if (count >= FILE_ROWS || total + bytes > FILE_TOTAL)
		return cg_error_set(
			change->err, CG_LIMIT, "too many files are kept already");
	return CG_OK;
}

enum cg_status file_insert(struct change *change, int64_t session, const char *command_id,
	const struct file *file, bool *ret_fresh)
{
	int64_t there = 0;
	enum cg_status status = make_room(change, file->bytes);

	if (status == CG_OK)
		status = change_number(change, "SELECT id FROM file WHERE file_id = ?",
			BIND(TEXT(file->file_id)), &there);
	*ret_fresh = there == 0;
	if (status != CG_OK)
		return status;
	return change_run(change,
		"INSERT INTO file (file_id, session, command_id, filename, mime_type, "
		"bytes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (file_id) DO UPDATE SET filename = excluded.filename,"
		" mime_type = excluded.mime_type, bytes = excluded.bytes",
		BIND(TEXT(file->file_id), INT(session), TEXT(command_id),
			TEXT(file->filename), TEXT(file->mime_type), INT(file->bytes),
			INT(change->now)));
}

static void file_read(struct statement *row, struct file *ret)
{
	ret->id = statement_int(row, 0);
	cg_text_copy(ret->file_id, sizeof(ret->file_id), statement_text(row, 1));
	cg_text_copy(ret->filename, sizeof(ret->filename), statement_text(row, 2));
	cg_text_copy(ret->mime_type, sizeof(ret->mime_type), statement_text(row, 3));
	ret->bytes = statement_int(row, 4);
	ret->created_at = statement_int(row, 5);
}

enum cg_status file_artifact(
	struct change *change, int64_t session, const char *file_id, struct file *ret)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		COLUMNS "WHERE file_id = ? AND session = ? AND command_id IS NULL"
			" AND created_at >= ?",
		BIND(TEXT(file_id), INT(session), INT(change->now - FILE_KEEP_MS)), &row);

	memset(ret, 0, sizeof(*ret));
	if (status == CG_OK && row != NULL)
		file_read(row, ret);
	statement_finish(row);
	return status;
}

enum cg_status file_attachments(struct change *change, const char *command_id,
	struct file ret[FILE_PROMPT], size_t *ret_count)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status =
		change_query(change, COLUMNS "WHERE command_id = ? ORDER BY id",
			BIND(TEXT(command_id)), &rows);

	*ret_count = 0;
	while (status == CG_OK && *ret_count < FILE_PROMPT) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		file_read(rows, &ret[(*ret_count)++]);
	}
	statement_finish(rows);
	return status;
}

/* ---- the start ---- */

struct orphans {
	struct change *change;
	enum cg_status status; /* when a row cannot be looked for, its file stays */
};

static bool has_row(void *arg, const char *id)
{
	struct orphans *orphans = arg;
	int64_t row = 0;

	if (orphans->status == CG_OK)
		orphans->status = change_number(orphans->change,
			"SELECT id FROM file WHERE file_id = ?", BIND(TEXT(id)), &row);
	return row != 0 || orphans->status != CG_OK;
}

enum cg_status file_sweep_orphans(struct change *change)
{
	struct orphans orphans = {change, CG_OK};

	file_store_sweep(change->files, has_row, &orphans);
	return orphans.status;
}

/* ---- as others see it ---- */

/* The name as a segment of an address. */
static void put_address(struct json_object *record, const struct file *file)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.~";
	struct cg_buffer text;

	cg_buffer_init(&text, 4 * FILE_NAME);
	cg_buffer_format(&text, "cloud-artifact://%s/", file->file_id);
	for (const char *c = file->filename; *c != '\0'; c++) {
		if (strchr(plain, *c) != NULL)
			cg_buffer_char(&text, *c);
		else
			cg_buffer_format(&text, "%%%02X", (unsigned char)*c);
	}
	cg_json_put_string(record, "filePath", cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

struct json_object *file_json(const struct file *file, const char *session_id)
{
	struct json_object *record = cg_json_new_object();

	cg_json_put_string(record, "id", file->file_id);
	cg_json_put_string(record, "artifactId", file->file_id);
	cg_json_put_string(record, "cloudArtifactId", file->file_id);
	cg_json_put_string(record, "toolId", "cloud-artifact");
	cg_json_put_string(record, "toolName", "cloud.artifact");
	put_address(record, file);
	cg_json_put_string(record, "filename", file->filename);
	cg_json_put_string(record, "source", "cloud");
	cg_json_put_string(record, "sessionId", session_id);
	cg_json_put_string(record, "mime", file->mime_type);
	cg_json_put_string(record, "contentType", file->mime_type);
	cg_json_put_int(record, "size", file->bytes);
	cg_json_put_time(record, "createdAt", file->created_at);
	cg_json_put_time(record, "updatedAt", file->created_at);
	cg_json_put_string(record, "kind", "document");
	cg_json_put_string(record, "status", "final");
	return record;
}
