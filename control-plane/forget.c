/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/forget.h"

#include "control-plane/command.h"
#include "control-plane/file.h"

#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define FORGET_PAGE 64 /* ids read at a time */

/* Statements of one parameter, the row of the session. */
static const char *const of_session[] = {
	"DELETE FROM command WHERE session = ?",
	"DELETE FROM event WHERE session = ?",
	"DELETE FROM message_chunk WHERE session = ?",
	"DELETE FROM message WHERE session = ?",
	"DELETE FROM entry WHERE session = ?",
	"DELETE FROM interaction WHERE session = ?",
	("DELETE FROM delivery WHERE due IS NULL AND session_binding_id IN"
	 " (SELECT binding_id FROM session_binding WHERE session = ?)"),
	"DELETE FROM session_binding WHERE session = ?",
	"DELETE FROM session WHERE id = ?",
	"UPDATE epoch SET forgotten = forgotten + 1 WHERE ? IS NOT NULL",
};

/* The bytes first: a row without its file is found again, a file without its row is not. */
static enum cg_status forget_files(struct change *change, const char *sql,
	const struct sql_value *values, size_t count)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change, sql, values, count, &rows);

	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		file_store_remove(change->files, statement_text(rows, 0));
	}
	statement_finish(rows);
	return status;
}

static enum cg_status note_agent(struct forgetting *self, int64_t session)
{
	int64_t known = 0;
	const struct seat *seat;
	enum cg_status status = roster_seat(
		self->roster, self->change, self->channels, session, NULL, &seat);

	if (status == CG_OK)
		status = change_number(self->change,
			"SELECT runtime_session_id <> '' FROM session WHERE id = ?",
			BIND(INT(session)), &known);
	if (status == CG_OK && known != 0 && seat->ops->remembers)
		self->agent_keeps = true;
	return status;
}

static enum cg_status forget_session(struct forgetting *self, int64_t session)
{
	struct change *change = self->change;
	enum cg_status status = note_agent(self, session);

	if (status == CG_OK)
		status = forget_files(change,
			"SELECT file_id FROM file WHERE session = ?", BIND(INT(session)));
	if (status == CG_OK)
		status = change_run(
			change, "DELETE FROM file WHERE session = ?", BIND(INT(session)));
	for (size_t i = 0;
		status == CG_OK && i < sizeof(of_session) / sizeof(of_session[0]); i++)
		status = change_run(change, of_session[i], BIND(INT(session)));
	if (status == CG_OK)
		status = change_end_session(change, session);
	self->sessions += status == CG_OK;
	return status;
}

/* Is nothing going on in it?  Else the agent is told to stop, and what waits is dropped. */
static enum cg_status rest(struct forgetting *self, int64_t session)
{
	struct command_load load;
	int64_t dropped;
	enum cg_status status = command_drop_pending(self->change, session, &dropped);

	if (status == CG_OK)
		status = command_load(self->change, session, &load);
	if (status != CG_OK || !load.busy)
		return status;
	self->busy = true;
	self->change->abort = session;
	return CG_OK;
}

enum cg_status forget_thread(struct forgetting *self, const struct thread_key *key)
{
	struct binding binding;
	enum cg_status status = binding_by_thread(self->change, key, &binding);
	int64_t session = binding.session;
	bool found = status == CG_OK && binding.id != 0;

	binding_finish(&binding);
	if (!found)
		return status;
	status = rest(self, session);
	return status != CG_OK || self->busy ? status : forget_session(self, session);
}

/* ---- people ---- */

/* Prompts of ?2 in session ?1, by the ids of their messages ("<command>:user"). */
#define THEIRS \
	"(SELECT substr(message_id, 1, length(message_id) - 5) FROM message" \
	" WHERE session = ?1 AND author = ?2)"

static const char *const of_author[] = {
	"DELETE FROM file WHERE session = ?1 AND command_id IN " THEIRS,
	("UPDATE event SET payload = json_remove(json_set(payload, '$.text', ''),"
	 " '$.attachments') WHERE session = ?1 AND event_id IN"
	 " (SELECT 'command:' || substr(message_id, 1, length(message_id) - 5) ||"
	 "  ':prompt-submitted' FROM message WHERE session = ?1 AND author = ?2)"),
	("UPDATE event SET payload = json_set(payload, '$.title', NULL)"
	 " WHERE session = ?1 AND type = 'session.created' AND ?2 IS NOT NULL"),
	"UPDATE session SET title = NULL WHERE id = ?1 AND ?2 IS NOT NULL",
	"DELETE FROM message WHERE session = ?1 AND author = ?2",
};

static enum cg_status forget_part(
	struct forgetting *self, int64_t session, const char *identity_id)
{
	struct change *change = self->change;
	enum cg_status status = forget_files(change,
		"SELECT file_id FROM file WHERE session = ?1 AND command_id IN " THEIRS,
		BIND(INT(session), TEXT(identity_id)));

	for (size_t i = 0;
		status == CG_OK && i < sizeof(of_author) / sizeof(of_author[0]); i++)
		status = change_run(
			change, of_author[i], BIND(INT(session), TEXT(identity_id)));
	return status;
}

static enum cg_status forget_in_session(
	struct forgetting *self, int64_t session, const char *identity_id)
{
	int64_t others = 0;
	enum cg_status status = rest(self, session);

	if (status == CG_OK && !self->busy)
		status = change_number(self->change,
			"SELECT count(*) FROM message WHERE session = ? AND author <> ?",
			BIND(INT(session), TEXT(identity_id)), &others);
	if (status != CG_OK || self->busy)
		return status;
	return others > 0 ? forget_part(self, session, identity_id)
			  : forget_session(self, session);
}

/* The next sessions that the person has spoken in. */
static enum cg_status next_sessions(struct change *change, const char *identity_id,
	int64_t after, int64_t ret[FORGET_PAGE], size_t *ret_count)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT session FROM message WHERE author = ?1 AND session > ?2 UNION"
		" SELECT session FROM command WHERE identity_id = ?1 AND session > ?2"
		" ORDER BY session LIMIT ?3",
		BIND(TEXT(identity_id), INT(after), INT(FORGET_PAGE)), &rows);

	*ret_count = 0;
	while (status == CG_OK && *ret_count < FORGET_PAGE) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		ret[(*ret_count)++] = statement_int(rows, 0);
	}
	statement_finish(rows);
	return status;
}

enum cg_status forget_person(struct forgetting *self, const char *identity_id)
{
	int64_t sessions[FORGET_PAGE], after = 0;
	size_t count = FORGET_PAGE;
	enum cg_status status = CG_OK;

	while (status == CG_OK && !self->busy && count == FORGET_PAGE) {
		status =
			next_sessions(self->change, identity_id, after, sessions, &count);
		for (size_t i = 0; status == CG_OK && !self->busy && i < count; i++) {
			after = sessions[i];
			status = forget_in_session(self, after, identity_id);
		}
	}
	if (status != CG_OK || self->busy)
		return status;
	/* Prompts of sessions that others share: only their ids tell repeats. */
	return change_run(self->change,
		"UPDATE command SET payload = '{}', identity_id = NULL WHERE identity_id"
		" = ?",
		BIND(TEXT(identity_id)));
}
