/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/event.h"

#include "control-plane/projection.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define EVENT_ID (2 * HASHED_ID + 64)

enum cg_status event_log_open(
	struct event_log *log, struct change *change, int64_t session)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		"SELECT session_id, first_event_sequence, last_event_sequence, status, "
		"generating"
		" FROM session WHERE id = ?",
		BIND(INT(session)), &row);

	if (status != CG_OK)
		return status;
	if (row == NULL)
		return cg_error_set(
			change->err, CG_NOT_FOUND, "there is no such session");
	memset(log, 0, sizeof(*log));
	log->change = change;
	log->session = session;
	cg_text_copy(log->session_id, sizeof(log->session_id), statement_text(row, 0));
	log->first = statement_int(row, 1);
	log->last = statement_int(row, 2);
	cg_text_copy(log->status, sizeof(log->status), statement_text(row, 3));
	log->generating = statement_int(row, 4) != 0;
	statement_finish(row);
	return CG_OK;
}

/* The event as streams carry it. */
static struct json_object *envelope(const char *session_id, int64_t sequence,
	const char *event_id, const char *type, int64_t created_at)
{
	struct json_object *data = cg_json_new_object();

	cg_json_put_string(data, "tenantId", PLANE_ORG);
	cg_json_put_string(data, "sessionId", session_id);
	cg_json_put_string(data, "eventId", event_id);
	cg_json_put_int(data, "sequence", sequence);
	cg_json_put_string(data, "type", type);
	cg_json_put_time(data, "createdAt", created_at);
	return data;
}

static void full_id(
	const char *session_id, int64_t sequence, const char *name, char ret[EVENT_ID])
{
	if (name == NULL)
		snprintf(ret, EVENT_ID, "%s:%lld", session_id, (long long)sequence);
	else
		snprintf(ret, EVENT_ID, "%s:%s", session_id, name);
}

enum cg_status event_append(struct event_log *log, const char *type,
	struct json_object *payload, const char *name)
{
	struct change *change = log->change;
	struct json_object *data;
	char id[EVENT_ID];
	size_t length;
	const char *text = cg_json_text(payload, &length);
	enum cg_status status =
		change_run(change, "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
			BIND(INT(log->session), INT(log->last + 1), TEXT(name),
				TEXT(type), BYTES(text, length), INT(change->now)));

	if (status != CG_OK)
		return status;
	log->last++;
	log->changed = true;
	status = projection_apply(log, type, payload);
	if (status != CG_OK)
		return status;
	full_id(log->session_id, log->last, name, id);
	data = envelope(log->session_id, log->last, id, type, change->now);
	cg_json_put(data, "payload", cg_json_ref(payload));
	return change_publish(change, log->session, log->last, type, data);
}

/* Forget the oldest events, and messages and entries beyond what a projection shows. */
static enum cg_status prune(struct event_log *log)
{
	struct change *change = log->change;
	int64_t keep_from = log->last - EVENT_HISTORY + 1;
	enum cg_status status;

	if (keep_from <= log->first || keep_from < log->first + EVENT_PRUNE)
		return CG_OK;
	status =
		change_run(change, "DELETE FROM event WHERE session = ? AND sequence < ?",
			BIND(INT(log->session), INT(keep_from)));
	if (status == CG_OK)
		status = projection_prune(change, log->session, keep_from);
	if (status == CG_OK)
		log->first = keep_from;
	return status;
}

enum cg_status event_log_close(struct event_log *log)
{
	enum cg_status status;

	if (!log->changed)
		return CG_OK;
	status = prune(log);
	if (status != CG_OK)
		return status;
	return change_run(log->change,
		"UPDATE session SET first_event_sequence = ?, last_event_sequence = ?,"
		" status = ?, generating = ?, updated_at = ? WHERE id = ?",
		BIND(INT(log->first), INT(log->last), TEXT(log->status),
			INT(log->generating), INT(log->change->now), INT(log->session)));
}

enum cg_status event_bounds(
	struct change *change, int64_t session, struct event_bounds *ret)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		"SELECT first_event_sequence, last_event_sequence FROM session WHERE id "
		"= ?",
		BIND(INT(session)), &row);

	if (status == CG_OK && row == NULL)
		return cg_error_set(
			change->err, CG_NOT_FOUND, "there is no such session");
	if (status == CG_OK) {
		ret->first = statement_int(row, 0);
		ret->last = statement_int(row, 1);
	}
	statement_finish(row);
	return status;
}

static enum cg_status read_page(
	struct change *change, int64_t session, const char *session_id, int64_t after)
{
	struct statement *rows;
	char id[EVENT_ID];
	size_t bytes = 0;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT sequence, event_id, type, payload, created_at FROM event"
		" WHERE session = ? AND sequence > ? ORDER BY sequence LIMIT ?",
		BIND(INT(session), INT(after), INT(EVENT_PAGE)), &rows);

	while (status == CG_OK && bytes < EVENT_PAGE_BYTES) {
		struct json_object *data;

		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		full_id(session_id, statement_int(rows, 0), statement_text(rows, 1), id);
		data = envelope(session_id, statement_int(rows, 0), id,
			statement_text(rows, 2), statement_int(rows, 4));
		put_stored(data, "payload", statement_text(rows, 3));
		bytes += statement_bytes(rows, 3);
		status = change_publish(change, session, statement_int(rows, 0),
			statement_text(rows, 2), data);
	}
	statement_finish(rows);
	return status;
}

enum cg_status event_snapshot_required(struct change *change, int64_t session,
	const char *session_id, const struct snapshot_gap *gap)
{
	struct json_object *payload = cg_json_new_object();
	struct json_object *data;
	char id[48];

	snprintf(id, sizeof(id), "snapshot-required:%lld", (long long)gap->sequence);
	data = envelope(session_id, gap->sequence, id, "snapshot.required", change->now);
	cg_json_put_string(data, "entityType", "session");
	cg_json_put_string(data, "entityId", session_id);
	cg_json_put_string(data, "operation", "snapshot_required");
	cg_json_put_int(data, "projectionVersion", gap->sequence);
	cg_json_put_string(payload, "reason", gap->reason);
	cg_json_put_int(payload, "afterSequence", gap->after);
	cg_json_put_int(payload, "earliestSequence", gap->bounds.first);
	cg_json_put_int(payload, "latestSequence", gap->bounds.last);
	cg_json_put_string(payload, "epoch", change->epoch);
	cg_json_put(data, "payload", payload);
	return change_publish(change, session, gap->sequence, "snapshot.required", data);
}

enum cg_status event_read(
	struct change *change, int64_t session, const char *session_id, int64_t after)
{
	struct snapshot_gap gap = {
		.reason = "event_retention_gap", .sequence = after, .after = after};
	enum cg_status status = event_bounds(change, session, &gap.bounds);

	if (status == CG_OK && after + 1 < gap.bounds.first) {
		status = event_snapshot_required(change, session, session_id, &gap);
		after = gap.bounds.first - 1;
	}
	return status == CG_OK ? read_page(change, session, session_id, after) : status;
}
