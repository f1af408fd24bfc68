/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a view together from the rows of a projection, see projection.h. */
#include "control-plane/projection.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

/* One message with whatever chunks it still has. */
static struct json_object *message_json(struct change *change, int64_t session,
	struct statement *row, size_t limit, enum cg_status *ret_status)
{
	struct json_object *message = cg_json_new_object();
	struct statement *chunks;
	struct cg_buffer text;
	bool more = true;

	cg_buffer_init(&text, limit);
	cg_buffer_add(&text, statement_text(row, 3), statement_bytes(row, 3));
	if (!statement_is_null(row, 4)) {
		*ret_status = change_query(change,
			"SELECT content FROM message_chunk WHERE session = ? AND "
			"position = ?"
			" ORDER BY sequence",
			BIND(INT(session), INT(statement_int(row, 0))), &chunks);
		while (*ret_status == CG_OK) {
			*ret_status = statement_step(chunks, &more, change->err);
			if (*ret_status != CG_OK || !more)
				break;
			cg_buffer_add(&text, statement_text(chunks, 0),
				statement_bytes(chunks, 0));
		}
		statement_finish(chunks);
	}
	cg_json_put_string(message, "id", statement_text(row, 1));
	cg_json_put_string(message, "role", statement_text(row, 2));
	cg_json_put(message, "content",
		cg_json_new_string_length(cg_buffer_string(&text), text.length));
	cg_json_put_time(message, "createdAt", statement_int(row, 5));
	cg_json_put_int(message, "order", statement_int(row, 0));
	cg_buffer_finish(&text);
	return message;
}

/* Newest first while they fit, shown oldest first. */
static enum cg_status put_messages(
	struct change *change, int64_t session, struct json_object *view)
{
	struct json_object **newest = calloc(PROJECTION_MESSAGES, sizeof(*newest));
	struct json_object *array = cg_json_new_array();
	struct statement *rows = NULL;
	size_t count = 0, bytes = 0;
	bool row = true;
	enum cg_status status = newest == NULL ? CG_NOMEM : CG_OK;

	if (status == CG_OK)
		status = change_query(change,
			"SELECT position, message_id, role, content, open, created_at "
			"FROM message"
			" WHERE session = ? ORDER BY position DESC",
			BIND(INT(session)), &rows);
	while (status == CG_OK && count < PROJECTION_MESSAGES) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		bytes += statement_bytes(rows, 3);
		if (count > 0 && bytes > PROJECTION_BYTES)
			break;
		newest[count++] =
			message_json(change, session, rows, PROJECTION_BYTES, &status);
	}
	statement_finish(rows);
	while (count > 0)
		cg_json_append(array, newest[--count]);
	free(newest);
	cg_json_put(view, "messages", array);
	return status;
}

static enum cg_status put_entries(struct change *change, int64_t session,
	const char *kind, const char *key, struct json_object *view)
{
	struct json_object *array = cg_json_new_array();
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT value FROM (SELECT value, position FROM entry"
		" WHERE session = ? AND kind = ? ORDER BY position DESC LIMIT ?)"
		" ORDER BY position",
		BIND(INT(session), TEXT(kind), INT(PROJECTION_ENTRIES)), &rows);

	while (status == CG_OK) {
		struct json_object *value = NULL;

		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		cg_json_parse(
			statement_text(rows, 0), statement_bytes(rows, 0), &value, NULL);
		cg_json_append(array, value);
	}
	statement_finish(rows);
	cg_json_put(view, key, array);
	return status;
}

static struct json_object *tokens_json(struct statement *row)
{
	struct json_object *tokens = cg_json_new_object();

	cg_json_put_int(tokens, "input", statement_int(row, 6));
	cg_json_put_int(tokens, "output", statement_int(row, 7));
	cg_json_put_int(tokens, "reasoning", statement_int(row, 8));
	cg_json_put_int(tokens, "cacheRead", statement_int(row, 9));
	cg_json_put_int(tokens, "cacheWrite", statement_int(row, 10));
	return tokens;
}

static void put_head(struct json_object *view, struct statement *row)
{
	const char *title = statement_text(row, 1);

	cg_json_put_string(view, "sessionId", statement_text(row, 0));
	cg_json_put_string(view, "title", title == NULL ? "New session" : title);
	cg_json_put_string(view, "status", statement_text(row, 2));
	cg_json_put_string(view, "profileName", PLANE_PROFILE);
	cg_json_put_bool(view, "isGenerating", statement_int(row, 3) != 0);
	cg_json_put_double(view, "sessionCost", (double)statement_int(row, 5) / 1e9);
	cg_json_put(view, "sessionTokens", tokens_json(row));
	cg_json_put_int(view, "lastInputTokens", statement_int(row, 11));
	put_stored(view, "todos", statement_text(row, 12));
	cg_json_put_string(view, "lastError", statement_text(row, 13));
	cg_json_put_null(view, "origin");
	cg_json_put_null(view, "projectSource");
	cg_json_put_time(view, "updatedAt", statement_int(row, 14));
}

static const struct {
	const char *kind;
	const char *key;
} collections[] = {
	{"tool", "toolCalls"},
	{"task", "taskRuns"},
	{"approval", "pendingApprovals"},
	{"question", "pendingQuestions"},
	{"approval.resolved", "resolvedApprovals"},
	{"question.resolved", "resolvedQuestions"},
	{"artifact", "artifacts"},
	{"error", "errors"},
};

enum cg_status projection_record(
	struct change *change, int64_t session, struct json_object **ret)
{
	struct statement *row;
	struct json_object *record, *view;
	enum cg_status status = change_first(change,
		"SELECT session_id, title, status, generating, last_event_sequence, "
		"cost_nano,"
		" tokens_input, tokens_output, tokens_reasoning, tokens_cache_read,"
		" tokens_cache_write, last_input_tokens, todos, last_error, updated_at"
		" FROM session WHERE id = ?",
		BIND(INT(session)), &row);

	*ret = NULL;
	if (status != CG_OK || row == NULL)
		return status;
	record = cg_json_new_object();
	view = cg_json_new_object();
	cg_json_put_string(record, "tenantId", PLANE_ORG);
	cg_json_put_string(record, "sessionId", statement_text(row, 0));
	cg_json_put_int(record, "sequence", statement_int(row, 4));
	put_head(view, row);
	cg_json_put_time(record, "updatedAt", statement_int(row, 14));
	statement_finish(row);
	status = put_messages(change, session, view);
	for (size_t i = 0;
		status == CG_OK && i < sizeof(collections) / sizeof(collections[0]); i++)
		status = put_entries(
			change, session, collections[i].kind, collections[i].key, view);
	cg_json_put(record, "view", view);
	if (status == CG_OK)
		*ret = record;
	else
		cg_json_free(record);
	return status;
}
