/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/command.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS \
	"SELECT c.id, c.session, c.command_id, s.session_id, c.kind, c.payload, " \
	"c.sequence," \
	" c.created_at, c.status, c.attempt_count, c.last_error_code, " \
	"c.last_error_summary," \
	" c.acked_at FROM command c JOIN session s ON s.id = c.session "

void command_finish(struct command *command)
{
	cg_json_free(command->record);
	memset(command, 0, sizeof(*command));
}

/* How far a command has come. */
struct command_progress {
	int64_t sequence;
	int64_t created_at;
	int64_t attempts;
	int64_t acked_at;
	const char *status;
	const char *error_code;
	const char *error;
};

static void put_identity(struct json_object *record, const char *command_id,
	const char *session_id, const char *kind)
{
	cg_json_put_string(record, "commandId", command_id);
	cg_json_put_string(record, "tenantId", PLANE_ORG);
	cg_json_put_string(record, "userId", PLANE_ACCOUNT);
	cg_json_put_string(record, "sessionId", session_id);
	cg_json_put_string(record, "kind", kind);
}

static void put_progress(
	struct json_object *record, const struct command_progress *progress)
{
	cg_json_put_null(record, "targetLeaseToken");
	cg_json_put_int(record, "createdSequence", progress->sequence);
	cg_json_put_time(record, "createdAt", progress->created_at);
	cg_json_put_string(record, "status", progress->status);
	cg_json_put_null(record, "claimedBy");
	cg_json_put_null(record, "claimedLeaseToken");
	cg_json_put_int(record, "attemptCount", progress->attempts);
	cg_json_put_null(record, "availableAt");
	cg_json_put_string(record, "lastErrorCode", progress->error_code);
	cg_json_put_string(record, "lastErrorSummary", progress->error);
	cg_json_put_time(record, "ackedAt", progress->acked_at);
	cg_json_put_string(record, "error", progress->error);
}

static struct json_object *command_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object();

	put_identity(record, statement_text(row, 2), statement_text(row, 3),
		statement_text(row, 4));
	put_stored(record, "payload", statement_text(row, 5));
	put_progress(record, &(struct command_progress){
				     .sequence = statement_int(row, 6),
				     .created_at = statement_int(row, 7),
				     .attempts = statement_int(row, 9),
				     .acked_at = statement_int(row, 12),
				     .status = statement_text(row, 8),
				     .error_code = statement_text(row, 10),
				     .error = statement_text(row, 11),
			     });
	return record;
}

/* Takes over the statement of a change_first(). */
static void command_read(struct statement *row, struct command *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (row == NULL)
		return;
	ret->id = statement_int(row, 0);
	ret->session = statement_int(row, 1);
	ret->record = command_json(row);
	statement_finish(row);
}

enum cg_status command_find(
	struct change *change, const char *command_id, struct command *ret)
{
	struct statement *row;
	enum cg_status status = change_first(
		change, COLUMNS "WHERE c.command_id = ?", BIND(TEXT(command_id)), &row);

	command_read(row, ret);
	return status;
}

static enum command_verdict compare(
	const struct command *stored, const struct command_seed *seed)
{
	struct json_object *payload = cg_json_member(stored->record, "payload");

	if (stored->session != seed->session ||
		strcmp(cg_json_string_or(stored->record, "kind", ""), seed->kind) != 0 ||
		strcmp(cg_json_text(payload, NULL), cg_json_text(seed->payload, NULL)) !=
			0)
		return COMMAND_CONFLICT;
	if (strcmp(cg_json_string_or(stored->record, "status", ""), "failed") == 0)
		return COMMAND_FAILED;
	return COMMAND_REPEAT;
}

/* Settled commands are kept for a while, so that repeats are recognised. */
static enum cg_status sweep(struct change *change, int64_t newest)
{
	if (newest % COMMAND_SWEEP != 0)
		return CG_OK;
	return change_run(change,
		"DELETE FROM command WHERE id IN (SELECT id FROM command ORDER BY id "
		"LIMIT ?)"
		" AND open IS NULL AND created_at < ?",
		BIND(INT(2 * COMMAND_SWEEP), INT(change->now - COMMAND_KEEP_MS)));
}

/* A new command as command_json() would read it back. */
static struct json_object *fresh_json(
	struct change *change, const struct command_seed *seed)
{
	struct json_object *record = cg_json_new_object();

	put_identity(record, seed->command_id, seed->session_id, seed->kind);
	cg_json_put(record, "payload", cg_json_ref(seed->payload));
	put_progress(record, &(struct command_progress){.sequence = seed->sequence,
				     .created_at = change->now,
				     .status = "pending"});
	return record;
}

static enum cg_status insert_command(
	struct change *change, const struct command_seed *seed, struct command *ret)
{
	size_t length;
	const char *payload = cg_json_text(seed->payload, &length);
	enum cg_status status = change_run(change,
		"UPDATE session SET last_command_sequence = ? WHERE id = ?",
		BIND(INT(seed->sequence), INT(seed->session)));

	if (status == CG_OK)
		status = change_run(change,
			"INSERT INTO command (command_id, session, sequence, kind, "
			"payload,"
			" status, open, created_at, identity_id)"
			" VALUES (?, ?, ?, ?, ?, 'pending', 1, ?, ?)",
			BIND(TEXT(seed->command_id), INT(seed->session),
				INT(seed->sequence), TEXT(seed->kind),
				BYTES(payload, length), INT(change->now),
				TEXT(seed->identity_id)));
	if (status != CG_OK)
		return status;
	ret->id = transaction_rowid(change->tx);
	ret->session = seed->session;
	ret->record = fresh_json(change, seed);
	return sweep(change, ret->id);
}

enum cg_status command_enqueue(struct change *change, const struct command_seed *seed,
	enum command_verdict *ret_verdict, struct command *ret)
{
	struct command_load load;
	enum cg_status status = command_find(change, seed->command_id, ret);

	if (status != CG_OK)
		return status;
	if (ret->id != 0) {
		*ret_verdict = compare(ret, seed);
		if (*ret_verdict != COMMAND_REPEAT)
			command_finish(ret);
		return CG_OK;
	}
	status = command_load(change, seed->session, &load);
	if (status != CG_OK)
		return status;
	if (load.queued >= COMMAND_PENDING && strcmp(seed->kind, "prompt") == 0) {
		*ret_verdict = COMMAND_QUEUE_FULL;
		return CG_OK;
	}
	*ret_verdict = COMMAND_NEW;
	return insert_command(change, seed, ret);
}

enum cg_status command_load(
	struct change *change, int64_t session, struct command_load *ret)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		"SELECT count(*) FILTER (WHERE status = 'running'),"
		" count(*) FILTER (WHERE status = 'pending')"
		" FROM command WHERE session = ? AND open = 1 AND kind = 'prompt'",
		BIND(INT(session)), &row);

	memset(ret, 0, sizeof(*ret));
	if (status == CG_OK && row != NULL) {
		ret->busy = statement_int(row, 0) != 0;
		ret->queued = statement_int(row, 1);
	}
	statement_finish(row);
	return status;
}

enum cg_status command_begin(struct change *change, const char *command_id)
{
	return change_run(change,
		"UPDATE command SET status = 'running', attempt_count = attempt_count + 1"
		" WHERE command_id = ? AND status = 'pending'",
		BIND(TEXT(command_id)));
}

enum cg_status command_return(struct change *change, const char *command_id)
{
	return change_run(change,
		"UPDATE command SET status = 'pending', last_error_code = 'interrupted'"
		" WHERE command_id = ? AND status = 'running'",
		BIND(TEXT(command_id)));
}

enum cg_status command_ack(struct change *change, const char *command_id)
{
	return change_run(change,
		"UPDATE command SET status = 'acked', open = NULL, acked_at = ?"
		" WHERE command_id = ? AND open = 1",
		BIND(INT(change->now), TEXT(command_id)));
}

enum cg_status command_fail(struct change *change, const char *command_id,
	const char *code, const char *summary)
{
	return change_run(change,
		"UPDATE command SET status = 'failed', open = NULL, last_error_code = ?,"
		" last_error_summary = ? WHERE command_id = ? AND open = 1",
		BIND(TEXT(code), TEXT(summary), TEXT(command_id)));
}

enum cg_status command_drop_pending(
	struct change *change, int64_t session, int64_t *ret_dropped)
{
	enum cg_status status = change_run(change,
		"UPDATE command SET status = 'failed', open = NULL, last_error_code = "
		"'aborted',"
		" last_error_summary = 'Stopped before it began.'"
		" WHERE session = ? AND open = 1 AND kind = 'prompt' AND status = "
		"'pending'",
		BIND(INT(session)));

	*ret_dropped = status == CG_OK ? transaction_changes(change->tx) : 0;
	return status;
}

void lost_command_free(struct lost_command *list)
{
	while (list != NULL) {
		struct lost_command *next = list->next;

		free(list->runtime_session_id);
		free(list->agent);
		free(list->text);
		ask_list_finish(&list->asked);
		free(list);
		list = next;
	}
}

static struct lost_command *lost_read(struct statement *row)
{
	struct lost_command *lost = calloc(1, sizeof(*lost));
	struct json_object *payload = NULL;

	if (lost == NULL)
		return NULL;
	cg_json_parse(statement_text(row, 4), statement_bytes(row, 4), &payload, NULL);
	lost->session = statement_int(row, 1);
	cg_text_copy(lost->command_id, sizeof(lost->command_id), statement_text(row, 2));
	cg_text_copy(lost->session_id, sizeof(lost->session_id), statement_text(row, 3));
	lost->attempt = (unsigned)statement_int(row, 5);
	lost->runtime_session_id = strdup(statement_text(row, 6));
	lost->agent = strdup(cg_json_string_or(payload, "agent", "build"));
	lost->text = strdup(cg_json_string_or(payload, "text", ""));
	cg_json_free(payload);
	if (lost->runtime_session_id == NULL || lost->agent == NULL ||
		lost->text == NULL) {
		lost_command_free(lost);
		return NULL;
	}
	return lost;
}

/* What people have not answered yet, oldest first. */
static enum cg_status lost_asked(struct change *change, struct lost_command *lost)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT entry_id, kind = 'question' FROM entry"
		" WHERE session = ? AND kind IN ('approval', 'question')"
		" ORDER BY position LIMIT ?",
		BIND(INT(lost->session), INT(ASK_MOST)), &rows);

	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		if (!ask_add(&lost->asked, statement_text(rows, 0),
			    statement_int(rows, 1) != 0, 0))
			status = cg_error_nomem(change->err);
	}
	statement_finish(rows);
	return status;
}

enum cg_status command_lost(struct change *change, const struct roster *roster,
	const struct channel_list *channels, struct lost_command **ret)
{
	struct statement *rows;
	struct lost_command *list = NULL, *lost;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT c.id, c.session, c.command_id, s.session_id, c.payload,"
		" c.attempt_count, s.runtime_session_id"
		" FROM command c JOIN session s ON s.id = c.session"
		" WHERE c.open = 1 AND c.status = 'running' AND c.kind = 'prompt'",
		NO_VALUES, &rows);

	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		lost = lost_read(rows);
		if (lost == NULL) {
			status = cg_error_nomem(change->err);
			break;
		}
		lost->next = list;
		list = lost;
	}
	statement_finish(rows);
	for (lost = list; status == CG_OK && lost != NULL; lost = lost->next) {
		status = roster_seat(roster, change, channels, lost->session, lost->agent,
			&lost->seat);
		if (status == CG_OK)
			status = lost_asked(change, lost);
	}
	if (status == CG_OK)
		*ret = list;
	else
		lost_command_free(list);
	return status;
}

#define FAIL_ANSWERS \
	"UPDATE command SET status = 'failed', open = NULL, last_error_code = 'lost'," \
	" last_error_summary = 'The turn that asked has ended.'" \
	" WHERE open = 1 AND kind <> 'prompt'"

enum cg_status command_fail_answers(struct change *change, int64_t session)
{
	if (session == 0)
		return change_run(change, FAIL_ANSWERS, NO_VALUES);
	return change_run(change, FAIL_ANSWERS " AND session = ?", BIND(INT(session)));
}

enum cg_status command_next_session(struct change *change, int64_t session, int64_t *ret)
{
	*ret = 0;
	return change_number(change,
		"SELECT session FROM command WHERE open = 1 AND kind = 'prompt' AND "
		"session > ?"
		" ORDER BY session LIMIT 1",
		BIND(INT(session)), ret);
}
