/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/projection.h"

#include "control-plane/budget.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES (2 * 1024 * 1024) /* one message put together from its chunks */

static void set_state(struct event_log *log, const char *status, bool generating)
{
	cg_text_copy(log->status, sizeof(log->status), status);
	log->generating = generating;
}

/* An error stays until the next prompt. */
static void set_idle(struct event_log *log)
{
	if (strcmp(log->status, "errored") != 0)
		cg_text_copy(log->status, sizeof(log->status), "idle");
	log->generating = false;
}

/* ---- messages ---- */

struct place {
	int64_t position; /* 0: there is no such message */
	bool open;
};

static enum cg_status find_message(
	struct event_log *log, const char *message_id, struct place *ret)
{
	struct statement *row;
	enum cg_status status = change_first(log->change,
		"SELECT position, open IS NOT NULL FROM message"
		" WHERE session = ? AND message_id = ?",
		BIND(INT(log->session), TEXT(message_id)), &row);

	memset(ret, 0, sizeof(*ret));
	if (status == CG_OK && row != NULL) {
		ret->position = statement_int(row, 0);
		ret->open = statement_int(row, 1) != 0;
	}
	statement_finish(row);
	return status;
}

static enum cg_status drop_chunks(struct event_log *log, int64_t position)
{
	return change_run(log->change,
		"DELETE FROM message_chunk WHERE session = ? AND position = ?",
		BIND(INT(log->session), INT(position)));
}

static enum cg_status insert_message(struct event_log *log, const char *message_id,
	const char *role, struct json_object *content, bool open)
{
	size_t length = 0;
	const char *text = cg_json_value_string(content, &length);

	return change_run(log->change,
		"INSERT INTO message (session, position, message_id, role, content, open,"
		" created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		BIND(INT(log->session), INT(log->last), TEXT(message_id), TEXT(role),
			BYTES(text == NULL ? "" : text, length),
			open ? INT(1) : TEXT(NULL), INT(log->change->now)));
}

static enum cg_status append_chunk(
	struct event_log *log, const struct place *place, struct json_object *content)
{
	size_t length = 0;
	const char *text = cg_json_value_string(content, &length);
	enum cg_status status = CG_OK;

	if (!place->open)
		status = change_run(log->change,
			"UPDATE message SET open = 1 WHERE session = ? AND position = ?",
			BIND(INT(log->session), INT(place->position)));
	if (status != CG_OK || length == 0)
		return status;
	return change_run(log->change, "INSERT INTO message_chunk VALUES (?, ?, ?, ?)",
		BIND(INT(log->session), INT(place->position), INT(log->last),
			BYTES(text, length)));
}

static enum cg_status replace_message(
	struct event_log *log, const struct place *place, struct json_object *content)
{
	size_t length = 0;
	const char *text = cg_json_value_string(content, &length);
	enum cg_status status = place->open ? drop_chunks(log, place->position) : CG_OK;

	if (status != CG_OK)
		return status;
	return change_run(log->change,
		"UPDATE message SET content = ?, open = NULL WHERE session = ? AND "
		"position = ?",
		BIND(BYTES(text == NULL ? "" : text, length), INT(log->session),
			INT(place->position)));
}

static enum cg_status apply_assistant(struct event_log *log, struct json_object *payload)
{
	const char *id = cg_json_string_or(payload, "messageId", "");
	bool append = strcmp(cg_json_string_or(payload, "mode", ""), "append") == 0;
	struct json_object *content = cg_json_member(payload, "content");
	struct place place;
	enum cg_status status = find_message(log, id, &place);

	if (status != CG_OK)
		return status;
	if (place.position == 0)
		return insert_message(log, id, "assistant", content, append);
	return append ? append_chunk(log, &place, content)
		      : replace_message(log, &place, content);
}

static enum cg_status apply_prompt(struct event_log *log, struct json_object *payload)
{
	set_state(log, "running", true);
	return insert_message(log, cg_json_string_or(payload, "messageId", ""), "user",
		cg_json_member(payload, "text"), false);
}

/* The text of a message with its chunks, in order, appended to @text. */
static enum cg_status read_chunks(
	struct change *change, int64_t session, int64_t position, struct cg_buffer *text)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT content FROM message_chunk WHERE session = ? AND position = ?"
		" ORDER BY sequence",
		BIND(INT(session), INT(position)), &rows);

	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		cg_buffer_add(text, statement_text(rows, 0), statement_bytes(rows, 0));
	}
	statement_finish(rows);
	return status;
}

/* Put the text of the oldest open message together.  *@ret_more: there was one. */
static enum cg_status close_message(struct event_log *log, bool *ret_more)
{
	struct change *change = log->change;
	struct statement *row;
	struct cg_buffer text;
	int64_t position = 0;
	enum cg_status status = change_first(change,
		"SELECT position, content FROM message WHERE session = ? AND open = 1 "
		"LIMIT 1",
		BIND(INT(log->session)), &row);

	*ret_more = status == CG_OK && row != NULL;
	if (!*ret_more)
		return status;
	cg_buffer_init(&text, MESSAGE_BYTES);
	position = statement_int(row, 0);
	cg_buffer_add(&text, statement_text(row, 1), statement_bytes(row, 1));
	statement_finish(row);
	status = read_chunks(change, log->session, position, &text);
	if (status == CG_OK)
		status = drop_chunks(log, position);
	if (status == CG_OK)
		status = change_run(change,
			"UPDATE message SET content = ?, open = NULL"
			" WHERE session = ? AND position = ?",
			BIND(BYTES(cg_buffer_string(&text), text.length),
				INT(log->session), INT(position)));
	cg_buffer_finish(&text);
	return status;
}

/* ---- entries ---- */

static enum cg_status read_entry(struct event_log *log, const char *kind, const char *id,
	struct json_object **ret, int64_t *ret_position)
{
	struct statement *row;
	enum cg_status status = change_first(log->change,
		"SELECT value, position FROM entry"
		" WHERE session = ? AND kind = ? AND entry_id = ?",
		BIND(INT(log->session), TEXT(kind), TEXT(id)), &row);

	*ret = NULL;
	if (status == CG_OK && row != NULL) {
		const char *text = statement_text(row, 0);

		cg_json_parse(text, strlen(text), ret, NULL);
		*ret_position = statement_int(row, 1);
	}
	statement_finish(row);
	return status;
}

static enum cg_status write_entry(struct event_log *log, const char *kind, const char *id,
	struct json_object *value, int64_t position)
{
	size_t length;
	const char *text;

	cg_json_put_int(value, "order", position);
	text = cg_json_text(value, &length);
	return change_run(log->change,
		"INSERT INTO entry VALUES (?, ?, ?, ?, ?)"
		" ON CONFLICT (session, kind, entry_id) DO UPDATE SET value = "
		"excluded.value",
		BIND(INT(log->session), TEXT(kind), TEXT(id), INT(position),
			BYTES(text, length)));
}

/* Copy the members of @from that say something: not null, not an empty object. */
static void merge(
	struct json_object *to, struct json_object *from, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		struct json_object *value = cg_json_member(from, *keys);

		if (value == NULL)
			continue;
		if (cg_json_is_object(value) &&
			strcmp(cg_json_text(value, NULL), "{}") == 0 &&
			cg_json_has(to, *keys))
			continue;
		cg_json_put(to, *keys, cg_json_copy(value));
	}
}

/* How an event becomes an entry. */
struct entry_kind {
	const char *event;
	const char *kind;
	const char *ids[3];
	const char *keys[16]; /* copied from the payload */
	bool generating;
	bool running; /* the session is running afterwards */
};

static const struct entry_kind entry_kinds[] = {
	{"tool.call", "tool", {"id", "callId", NULL},
		{"name", "input", "status", "output", "error", "attachments", "agent",
			"taskRunId", "sourceSessionId", NULL},
		true, true},
	{"task.run", "task", {"id", "taskRunId", NULL},
		{"title", "agent", "status", "sourceSessionId", "parentSessionId",
			"content", "error", "sessionCost", "sessionTokens", "startedAt",
			"finishedAt", NULL},
		true, true},
	{"permission.requested", "approval", {"permissionId", "id", NULL},
		{"sessionId", "sourceSessionId", "taskRunId", "tool", "input",
			"description", NULL},
		false, true},
	{"question.asked", "question", {"requestId", "id", NULL},
		{"sessionId", "sourceSessionId", "questions", "tool", NULL}, false, true},
	{"artifact.created", "artifact", {"artifactId", "id", NULL},
		{"artifactId", "cloudArtifactId", "toolId", "toolName", "filePath",
			"filename", "source", "sessionId", "mime", "contentType", "size",
			"kind", "status", "createdAt", "updatedAt", NULL},
		false, false},
	{"artifact.updated", "artifact", {"artifactId", "id", NULL},
		{"artifactId", "filename", "filePath", "mime", "contentType", "size",
			"kind", "status", "updatedAt", NULL},
		false, false},
};

static const char *entry_id(struct json_object *payload, const char *const *keys,
	char ret_default[32], int64_t last)
{
	for (; *keys != NULL; keys++) {
		const char *id = cg_json_string(payload, *keys);

		if (id != NULL && *id != '\0')
			return id;
	}
	snprintf(ret_default, 32, "event:%lld", (long long)last);
	return ret_default;
}

static enum cg_status apply_entry(
	struct event_log *log, const struct entry_kind *kind, struct json_object *payload)
{
	struct json_object *value;
	int64_t position = log->last;
	char fallback[32];
	const char *id = entry_id(payload, kind->ids, fallback, log->last);
	enum cg_status status = read_entry(log, kind->kind, id, &value, &position);

	if (status != CG_OK)
		return status;
	if (value == NULL) {
		value = cg_json_new_object();
		cg_json_put_string(value, "id", id);
	}
	merge(value, payload, kind->keys);
	status = write_entry(log, kind->kind, id, value, position);
	cg_json_free(value);
	if (kind->running)
		set_state(log, "running", kind->generating);
	return status;
}

/* Move what was asked to what is answered; the second answer changes nothing. */
static enum cg_status apply_resolved(struct event_log *log, struct json_object *payload,
	const char *kind, const char *resolved, const char *id)
{
	struct json_object *value;
	int64_t position = log->last;
	const char *reply = cg_json_string_or(payload, "reply", "");
	char now[CG_TIME_TEXT];
	enum cg_status status = read_entry(log, kind, id, &value, &position);

	if (status != CG_OK || value == NULL)
		return status;
	cg_time_format(log->change->now, now);
	if (strcmp(kind, "approval") == 0)
		cg_json_put_bool(value, "allowed",
			cg_json_bool(payload, "allowed", false) ||
				strcmp(reply, "once") == 0 ||
				strcmp(reply, "always") == 0 ||
				strcmp(reply, "allow") == 0);
	else
		merge(value, payload, (const char *const[]){"answers", "rejected", NULL});
	cg_json_put_string(value, "resolvedAt", now);
	status = write_entry(log, resolved, id, value, position);
	cg_json_free(value);
	if (status != CG_OK)
		return status;
	return change_run(log->change,
		"DELETE FROM entry WHERE session = ? AND kind = ? AND entry_id = ?",
		BIND(INT(log->session), TEXT(kind), TEXT(id)));
}

static enum cg_status apply_error(struct event_log *log, struct json_object *payload)
{
	const char *message = cg_json_string_or(payload, "message", "");
	struct json_object *value = cg_json_new_object();
	char fallback[32];
	const char *id =
		entry_id(payload, (const char *const[]){"id", NULL}, fallback, log->last);
	enum cg_status status;

	cg_json_put_string(value, "id", id);
	cg_json_put_string(value, "sessionId", log->session_id);
	cg_json_put_string(value, "message", message);
	status = write_entry(log, "error", id, value, log->last);
	cg_json_free(value);
	set_state(log, "errored", false);
	if (status != CG_OK)
		return status;
	return change_run(log->change, "UPDATE session SET last_error = ? WHERE id = ?",
		BIND(TEXT(message), INT(log->session)));
}

/* A step's cost counts once, however often it is reported. */
static enum cg_status apply_cost(struct event_log *log, struct json_object *payload)
{
	struct json_object *tokens = cg_json_object(payload, "tokens");
	struct json_object *cache = cg_json_object(tokens, "cache");
	int64_t input = cg_json_int(tokens, "input", 0);
	double cost = cg_json_double(payload, "cost", 0);
	char fallback[32];
	const char *id =
		entry_id(payload, (const char *const[]){"id", NULL}, fallback, log->last);
	enum cg_status status = change_run(log->change,
		"INSERT INTO entry VALUES (?, 'cost', ?, ?, 'null') ON CONFLICT DO "
		"NOTHING",
		BIND(INT(log->session), TEXT(id), INT(log->last)));

	if (status != CG_OK || !change_touched(log->change))
		return status;
	if (log->agent != NULL)
		status = budget_spend(log->change, log->session, log->agent,
			input + cg_json_int(tokens, "output", 0));
	if (status != CG_OK)
		return status;
	if (!(cost >= 0 && cost < 1e6))
		cost = 0;
	return change_run(log->change,
		"UPDATE session SET cost_nano = cost_nano + ?, tokens_input = "
		"tokens_input + ?,"
		" tokens_output = tokens_output + ?, tokens_reasoning = tokens_reasoning "
		"+ ?,"
		" tokens_cache_read = tokens_cache_read + ?,"
		" tokens_cache_write = tokens_cache_write + ?, last_input_tokens = ?"
		" WHERE id = ?",
		BIND(INT(llround(cost * 1e9)), INT(input),
			INT(cg_json_int(tokens, "output", 0)),
			INT(cg_json_int(tokens, "reasoning", 0)),
			INT(cg_json_int(cache, "read", 0)),
			INT(cg_json_int(cache, "write", 0)), INT(input),
			INT(log->session)));
}

static enum cg_status apply_todos(struct event_log *log, struct json_object *payload)
{
	struct json_object *todos = cg_json_array(payload, "todos");

	return change_run(log->change, "UPDATE session SET todos = ? WHERE id = ?",
		BIND(TEXT(todos == NULL ? "[]" : cg_json_text(todos, NULL)),
			INT(log->session)));
}

static void apply_session(
	struct event_log *log, const char *type, struct json_object *payload)
{
	const char *state = cg_json_string_or(payload, "statusType", "");

	if (strcmp(type, "session.aborted") == 0)
		set_state(log, "idle", false);
	else if (strcmp(type, "session.idle") == 0 || strcmp(state, "idle") == 0)
		set_idle(log);
	else if (strcmp(state, "busy") == 0 || strcmp(state, "running") == 0)
		cg_text_copy(log->status, sizeof(log->status), "running");
}

enum cg_status projection_apply(
	struct event_log *log, const char *type, struct json_object *payload)
{
	if (strcmp(type, "assistant.message") == 0)
		return apply_assistant(log, payload);
	if (strcmp(type, "prompt.submitted") == 0)
		return apply_prompt(log, payload);
	if (strcmp(type, "permission.resolved") == 0)
		return apply_resolved(log, payload, "approval", "approval.resolved",
			cg_json_string_or(payload, "permissionId", ""));
	if (strcmp(type, "question.resolved") == 0)
		return apply_resolved(log, payload, "question", "question.resolved",
			cg_json_string_or(payload, "requestId", ""));
	if (strcmp(type, "runtime.error") == 0)
		return apply_error(log, payload);
	if (strcmp(type, "cost.updated") == 0)
		return apply_cost(log, payload);
	if (strcmp(type, "todos.updated") == 0)
		return apply_todos(log, payload);
	for (size_t i = 0; i < sizeof(entry_kinds) / sizeof(entry_kinds[0]); i++) {
		if (strcmp(type, entry_kinds[i].event) == 0)
			return apply_entry(log, &entry_kinds[i], payload);
	}
	apply_session(log, type, payload);
	return CG_OK;
}

/* One thing that is still asked.  *@ret_more: there was one. */
static enum cg_status refuse_one(
	struct event_log *log, const char *reason, bool *ret_more)
{
	struct statement *row;
	struct json_object *payload;
	bool question;
	enum cg_status status = change_first(log->change,
		"SELECT kind, entry_id FROM entry WHERE session = ?"
		" AND kind IN ('approval', 'question') LIMIT 1",
		BIND(INT(log->session)), &row);

	*ret_more = status == CG_OK && row != NULL;
	if (!*ret_more)
		return status;
	question = strcmp(statement_text(row, 0), "question") == 0;
	payload = cg_json_new_object();
	cg_json_put_string(
		payload, question ? "requestId" : "permissionId", statement_text(row, 1));
	cg_json_put_string(payload, "id", statement_text(row, 1));
	statement_finish(row);
	if (question)
		cg_json_put_bool(payload, "rejected", true);
	else
		cg_json_put_string(payload, "reply", "reject");
	if (!question)
		cg_json_put_bool(payload, "allowed", false);
	cg_json_put_string(payload, "reason", reason);
	status = event_append(log, question ? "question.resolved" : "permission.resolved",
		payload, NULL);
	cg_json_free(payload);
	return status;
}

enum cg_status projection_refuse_questions(struct event_log *log, const char *reason)
{
	bool more = true;
	enum cg_status status = CG_OK;

	while (status == CG_OK && more)
		status = refuse_one(log, reason, &more);
	return status;
}

enum cg_status projection_close_messages(struct event_log *log)
{
	bool more = true;
	enum cg_status status = CG_OK;

	while (status == CG_OK && more)
		status = close_message(log, &more);
	return status;
}

enum cg_status projection_prune(struct change *change, int64_t session, int64_t position)
{
	enum cg_status status = change_run(change,
		"DELETE FROM message WHERE session = ?1 AND open IS NULL AND position <"
		" (SELECT min(position) FROM (SELECT position FROM message WHERE session "
		"= ?1"
		"  ORDER BY position DESC LIMIT ?2))",
		BIND(INT(session), INT(EVENT_MESSAGES)));

	if (status != CG_OK)
		return status;
	return change_run(change,
		"DELETE FROM entry WHERE session = ? AND position < ?"
		" AND kind NOT IN ('approval', 'question')",
		BIND(INT(session), INT(position)));
}
