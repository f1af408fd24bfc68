/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/story.h"

#include "gateway/journal/outbox_record.h"
#include "gateway/journal/schema.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <inttypes.h>
#include <stdio.h>

#define STORY_PREVIEW 200 /* characters of a text */
#define STORY_LINE 512

struct story_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, struct json_object *story);
	void *arg;
	int64_t now_ms;
	struct json_object *story; /* owned */
	char id[];
};

static void add_step(struct json_object *steps, int64_t wall_ms, const char *text)
{
	struct json_object *step = cg_json_new_object();

	cg_json_put_time(step, "at", wall_ms);
	cg_json_put_string(step, "text", text);
	cg_json_append(steps, step);
}

/* What went out. */

enum {
	OUT_id,
	OUT_lane,
	OUT_head,
	OUT_state,
	OUT_purpose,
	OUT_part,
	OUT_parts,
	OUT_attempts,
	OUT_failures,
	OUT_maybe,
	OUT_created,
	OUT_updated,
	OUT_not_before,
	OUT_deadline,
	OUT_platform_status,
	OUT_instance,
	OUT_chat,
	OUT_thread,
	OUT_session,
	OUT_receipt,
	OUT_outcome,
	OUT_scope,
	OUT_reason,
	OUT_detail,
	OUT_claim,
};

static const char outbound_sql[] =
	"SELECT id, lane, head, state, purpose, part, parts, attempts, failures,"
	" maybe_duplicate, created_ms, updated_ms, not_before_ms, deadline_ms,"
	" platform_status, instance, chat_id, thread_id, session_id, receipt, outcome,"
	" scope, reason, substr(detail, 1, 300), claim IS NOT NULL"
	" FROM outbox WHERE delivery_id = ?1 OR receipt = ?1 ORDER BY id LIMIT ?2";

static enum cg_status count_ahead(struct transaction *tx, int64_t lane, int64_t id,
	int64_t *ret, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx,
		"SELECT count(*) FROM outbox INDEXED BY outbox_lane"
		" WHERE finished_ms IS NULL AND lane = ?1 AND id < ?2",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, lane);
	statement_bind_int(statement, 2, id);
	status = statement_step(statement, &row, err);
	*ret = status == CG_OK && row ? statement_int(statement, 0) : 0;
	statement_finish(statement);
	return status;
}

static const char *or_dash(struct statement *row, int column)
{
	const char *text = statement_text(row, column);

	return text == NULL || text[0] == '\0' ? "-" : text;
}

/* Append @before and the column, where it says anything. */
static void add(
	char line[STORY_LINE], const char *before, struct statement *row, int column)
{
	const char *text = statement_text(row, column);
	size_t length = strlen(line);

	if (!cg_text_blank(text))
		snprintf(line + length, STORY_LINE - length, "%s%s", before, text);
}

/* Where the same things stand in a row of the outbox and in one of its attempts. */
struct ending {
	int number, at, outcome, scope, platform_status, detail;
};

static void add_attempt(
	struct json_object *steps, struct statement *row, const struct ending *column)
{
	int64_t said = statement_int(row, column->platform_status);
	char line[STORY_LINE];

	snprintf(line, sizeof(line),
		"attempt %" PRId64 " ended as %s, which applies to the %s",
		statement_int(row, column->number), or_dash(row, column->outcome),
		or_dash(row, column->scope));
	if (said != 0)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			"; the platform said %" PRId64, said);
	add(line, said != 0 ? " " : "; why: ", row, column->detail);
	add_step(steps, statement_int(row, column->at), line);
}

/* Those that are kept; the row itself tells of one that arrived at once. */
static enum cg_status add_attempts(struct json_object *steps, struct statement *delivery,
	struct transaction *tx, struct cg_error *err)
{
	static const struct ending kept = {0, 1, 2, 3, 4, 5};
	static const struct ending newest = {OUT_attempts, OUT_updated, OUT_outcome,
		OUT_scope, OUT_platform_status, OUT_detail};
	struct statement *statement = NULL;
	bool row = false, any = false;
	enum cg_status status = transaction_prepare(tx,
		"SELECT number, at_ms, outcome, scope, platform_status, detail"
		" FROM attempt WHERE outbox_id = ?1 ORDER BY step",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, statement_int(delivery, OUT_id));
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		any = true;
		add_attempt(steps, statement, &kept);
	}
	statement_finish(statement);
	if (!any && statement_int(delivery, OUT_attempts) > 0 &&
		statement_int(delivery, OUT_state) != OUTBOX_SENDING &&
		!statement_is_null(delivery, OUT_outcome))
		add_attempt(steps, delivery, &newest);
	return status;
}

static enum cg_status add_outbound_steps(struct json_object *steps, struct statement *row,
	struct transaction *tx, struct cg_error *err)
{
	enum cg_status status;
	char line[STORY_LINE];

	snprintf(line, sizeof(line), "stored as %s, part %" PRId64 " of %" PRId64,
		outbox_purpose_name((enum outbox_purpose)statement_int(row, OUT_purpose)),
		statement_int(row, OUT_part), statement_int(row, OUT_parts));
	add(line, ", for chat ", row, OUT_chat);
	add(line, " thread ", row, OUT_thread);
	add(line, " over ", row, OUT_instance);
	add(line,
		statement_int(row, OUT_claim) != 0 ? "; it came from the Cloud, session "
						   : "; it came from session ",
		row, OUT_session);
	add_step(steps, statement_int(row, OUT_created), line);
	status = add_attempts(steps, row, tx, err);
	if (statement_int(row, OUT_maybe) != 0)
		add_step(steps, statement_int(row, OUT_updated),
			"an attempt may have arrived although nobody said so: a later "
			"one says that it may be a duplicate");
	return status;
}

/* Where it is now. */
static void tell_now(struct statement *row, int64_t ahead, char *ret, size_t size)
{
	int64_t attempts = statement_int(row, OUT_attempts);

	switch ((enum outbox_state)statement_int(row, OUT_state)) {
	case OUTBOX_PENDING:
		if (ahead > 0)
			snprintf(ret, size,
				"it waits behind %" PRId64 " in its chat, which are "
				"sent in order",
				ahead);
		else if (attempts == 0)
			snprintf(ret, size, "it is the next of its chat, not tried yet");
		else
			snprintf(ret, size,
				"it has not arrived; %" PRId64 " attempts, %" PRId64
				" of them failed",
				attempts, statement_int(row, OUT_failures));
		return;
	case OUTBOX_SENDING:
		snprintf(ret, size, "attempt %" PRId64 " is under way", attempts);
		return;
	case OUTBOX_SENT:
		snprintf(ret, size, "it has arrived, with the platform's id %s",
			or_dash(row, OUT_receipt));
		return;
	case OUTBOX_UNKNOWN:
		snprintf(ret, size, "nobody knows whether it has arrived");
		return;
	case OUTBOX_DEAD:
		snprintf(ret, size, "it is given up: %s", or_dash(row, OUT_reason));
		return;
	case OUTBOX_SUPERSEDED:
		break;
	}
	snprintf(ret, size, "what came after it stands for it: %s",
		or_dash(row, OUT_reason));
}

static void tell_next(
	struct statement *row, int64_t ahead, int64_t now_ms, char *ret, size_t size)
{
	int64_t not_before = statement_int(row, OUT_not_before);
	char due[CG_TIME_TEXT], end[CG_TIME_TEXT];

	cg_time_format(not_before, due);
	cg_time_format(statement_int(row, OUT_deadline), end);
	switch ((enum outbox_state)statement_int(row, OUT_state)) {
	case OUTBOX_PENDING:
		if (ahead > 0)
			snprintf(ret, size, "its turn comes after them, until %s", end);
		else
			snprintf(ret, size, "it is tried %s%s, and given up at %s",
				not_before <= now_ms ? "as soon as its channel can send"
						     : "at ",
				not_before <= now_ms ? "" : due, end);
		return;
	case OUTBOX_SENDING:
		snprintf(ret, size, "its outcome is stored when the platform answers");
		return;
	case OUTBOX_UNKNOWN:
		snprintf(ret, size,
			"it is cleared up by what the channel can do: asked for, "
			"repeated under its key, or sent once more as a possible "
			"duplicate; not before %s",
			due);
		return;
	case OUTBOX_DEAD:
		snprintf(ret, size,
			"nothing, unless somebody says `cowgate deliveries retry`");
		return;
	case OUTBOX_SENT:
	case OUTBOX_SUPERSEDED:
		break;
	}
	snprintf(ret, size, "nothing");
}

static enum cg_status add_outbound(struct story_operation *self, struct statement *row,
	struct json_object *list, struct transaction *tx, struct cg_error *err)
{
	int64_t id = statement_int(row, OUT_id), ahead = 0;
	struct json_object *entry, *steps, *record = NULL;
	char line[STORY_LINE];
	enum cg_status status = CG_OK;

	if (statement_int(row, OUT_state) == OUTBOX_PENDING &&
		statement_int(row, OUT_head) == 0)
		status = count_ahead(tx, statement_int(row, OUT_lane), id, &ahead, err);
	if (status == CG_OK)
		status = outbox_record(tx, id, &record, err);
	if (status != CG_OK)
		return status;
	entry = cg_json_new_object();
	steps = cg_json_new_array();
	cg_json_append(list, entry);
	cg_json_put(entry, "delivery", record);
	cg_json_put(entry, "steps", steps);
	status = add_outbound_steps(steps, row, tx, err);
	tell_now(row, ahead, line, sizeof(line));
	cg_json_put_string(entry, "now", line);
	tell_next(row, ahead, self->now_ms, line, sizeof(line));
	cg_json_put_string(entry, "next", line);
	return status;
}

static enum cg_status tell_outbound(
	struct story_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct json_object *list = cg_json_new_array();
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, outbound_sql, &statement, err);

	cg_json_put(self->story, "outbound", list);
	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->id);
	statement_bind_int(statement, 2, STORY_MATCHES);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		status = add_outbound(self, statement, list, tx, err);
		if (status != CG_OK)
			break;
	}
	statement_finish(statement);
	return status;
}

/* What came in. */

enum {
	IN_id,
	IN_state,
	IN_type,
	IN_received,
	IN_closed,
	IN_reason,
	IN_instance,
	IN_event,
	IN_message,
	IN_chat,
	IN_thread,
	IN_sender,
	IN_command,
	IN_text,
	IN_attachments,
	IN_ahead,
};

/* A chat's messages are handed over in order: those before it that wait hold it up. */
static const char inbound_sql[] =
	"SELECT id, state, type, received_ms, closed_ms, reason, instance, event_id,"
	" message_id, chat_id, thread_id, sender_id, command, substr(text, 1, ?3),"
	" attachments IS NOT NULL,"
	" (SELECT count(*) FROM inbox AS b INDEXED BY inbox_pending WHERE b.state = 0"
	"  AND b.id < a.id AND b.instance = a.instance AND b.chat_id = a.chat_id"
	"  AND b.thread_id IS a.thread_id)"
	" FROM inbox AS a WHERE event_id = ?1 OR message_id = ?1 ORDER BY id LIMIT ?2";

/* What was said in its thread until the next message that came in there. */
static const char answers_sql[] =
	"SELECT delivery_id, state FROM outbox WHERE lane = ?1 AND created_ms >= ?2"
	" AND created_ms < coalesce((SELECT min(received_ms) FROM inbox WHERE id > ?3"
	"  AND instance = ?4 AND chat_id = ?5 AND thread_id IS ?6), ?7)"
	" ORDER BY id LIMIT ?8";

static enum cg_status add_answers(struct statement *message, struct json_object *entry,
	struct transaction *tx, struct cg_error *err)
{
	struct json_object *list = cg_json_new_array();
	const char *instance = statement_text(message, IN_instance);
	const char *chat = statement_text(message, IN_chat);
	const char *thread = statement_text(message, IN_thread);
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, answers_sql, &statement, err);

	cg_json_put(entry, "answers", list);
	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, (int64_t)outbox_lane(instance, chat, thread));
	statement_bind_int(statement, 2, statement_int(message, IN_received));
	statement_bind_int(statement, 3, statement_int(message, IN_id));
	statement_bind_text(statement, 4, instance);
	statement_bind_text(statement, 5, chat);
	statement_bind_text(statement, 6, thread);
	statement_bind_int(statement, 7, INT64_MAX);
	statement_bind_int(statement, 8, STORY_ANSWERS);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		struct json_object *answer = cg_json_new_object();

		cg_json_put_string(answer, "deliveryId", statement_text(statement, 0));
		cg_json_put_string(answer, "state",
			outbox_state_name(
				(enum outbox_state)statement_int(statement, 1)));
		cg_json_append(list, answer);
	}
	statement_finish(statement);
	return status;
}

static const char *type_name(int64_t type)
{
	return type == CG_EVENT_COMMAND       ? "a command"
	       : type == CG_EVENT_INTERACTION ? "a pressed button"
					      : "a message";
}

/* The session that the chat thread is bound to, and the agent of it. */
static enum cg_status add_route(struct json_object *steps, struct statement *message,
	struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	char line[STORY_LINE];
	enum cg_status status = transaction_prepare(tx,
		"SELECT session_id, agent_id, generation, active_ms FROM cursor"
		" WHERE instance = ?1 AND chat_id = ?2 AND thread_id IS ?3"
		" ORDER BY generation DESC LIMIT 1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, statement_text(message, IN_instance));
	statement_bind_text(statement, 2, statement_text(message, IN_chat));
	statement_bind_text(statement, 3, statement_text(message, IN_thread));
	status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		snprintf(line, sizeof(line),
			"its chat thread is bound to session %s, the conversation "
			"number %" PRId64 " there",
			or_dash(statement, 0), statement_int(statement, 2) + 1);
		add(line, ", of agent ", statement, 1);
		add_step(steps, statement_int(statement, 3), line);
	}
	statement_finish(statement);
	return status;
}

static enum cg_status add_inbound_steps(struct json_object *steps, struct statement *row,
	struct transaction *tx, struct cg_error *err)
{
	enum cg_status status;
	char line[STORY_LINE];

	snprintf(line, sizeof(line), "received as %s",
		type_name(statement_int(row, IN_type)));
	add(line, " of ", row, IN_sender);
	add(line, " over ", row, IN_instance);
	add(line, ", chat ", row, IN_chat);
	add(line, " thread ", row, IN_thread);
	snprintf(line + strlen(line), sizeof(line) - strlen(line),
		", and stored durably before the platform was answered");
	add_step(steps, statement_int(row, IN_received), line);
	snprintf(line, sizeof(line),
		"the first of its key %s: the platform's repeats of it do nothing",
		or_dash(row, IN_event));
	add_step(steps, statement_int(row, IN_received), line);
	status = add_route(steps, row, tx, err);
	if (statement_int(row, IN_state) == INBOX_STATE_HANDED)
		add_step(steps, statement_int(row, IN_closed),
			statement_is_null(row, IN_reason)
				? "handed to whom it was for"
				: statement_text(row, IN_reason));
	return status;
}

static void tell_inbound(struct statement *row, struct json_object *entry)
{
	int64_t state = statement_int(row, IN_state);
	int64_t ahead = statement_int(row, IN_ahead);
	char line[STORY_LINE];

	if (state == INBOX_STATE_PENDING && ahead > 0)
		snprintf(line, sizeof(line), "it waits behind %" PRId64 " of its chat",
			ahead);
	else if (state == INBOX_STATE_PENDING)
		snprintf(line, sizeof(line),
			"it is the next of its chat, and not handed over yet");
	else if (state == INBOX_STATE_HANDED)
		snprintf(line, sizeof(line), "it has been dealt with");
	else
		snprintf(line, sizeof(line), "it is given up: %s",
			or_dash(row, IN_reason));
	cg_json_put_string(entry, "now", line);
	cg_json_put_string(entry, "next",
		state == INBOX_STATE_PENDING
			? "it is handed over as soon as the agent or the Cloud takes it, "
			  "else given up after the handover time, and the person is told"
			: "nothing; what was said after it stands under its answers");
}

static enum cg_status add_inbound(struct statement *row, struct json_object *list,
	struct transaction *tx, struct cg_error *err)
{
	struct json_object *entry = cg_json_new_object(), *steps = cg_json_new_array();
	static const char *const states[] = {"pending", "handed", "dead"};
	int64_t state = statement_int(row, IN_state);
	enum cg_status status;

	cg_json_append(list, entry);
	cg_json_put_string(entry, "eventId", statement_text(row, IN_event));
	cg_json_put_string(entry, "messageId", statement_text(row, IN_message));
	cg_json_put_string(entry, "provider", statement_text(row, IN_instance));
	cg_json_put_string(entry, "chatId", statement_text(row, IN_chat));
	cg_json_put_string(entry, "threadId", statement_text(row, IN_thread));
	cg_json_put_string(entry, "state", state < 0 || state > 2 ? "?" : states[state]);
	cg_json_put_string(entry, "command", statement_text(row, IN_command));
	cg_json_put_string(entry, "text", statement_text(row, IN_text));
	cg_json_put_bool(entry, "attachments", statement_int(row, IN_attachments) != 0);
	cg_json_put_time(entry, "receivedAt", statement_int(row, IN_received));
	cg_json_put(entry, "steps", steps);
	status = add_inbound_steps(steps, row, tx, err);
	tell_inbound(row, entry);
	return status == CG_OK ? add_answers(row, entry, tx, err) : status;
}

static enum cg_status tell_all_inbound(
	struct story_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct json_object *list = cg_json_new_array();
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, inbound_sql, &statement, err);

	cg_json_put(self->story, "inbound", list);
	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->id);
	statement_bind_int(statement, 2, STORY_MATCHES);
	statement_bind_int(statement, 3, STORY_PREVIEW);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		status = add_inbound(statement, list, tx, err);
		if (status != CG_OK)
			break;
	}
	statement_finish(statement);
	return status;
}

static enum cg_status story_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct story_operation *self = arg;
	enum cg_status status;

	self->story = cg_json_new_object();
	status = tell_all_inbound(self, tx, err);
	return status == CG_OK ? tell_outbound(self, tx, err) : status;
}

static void story_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct story_operation *self = (struct story_operation *)operation;

	(void)err;
	self->done(self->arg, status, status == CG_OK ? self->story : NULL);
	cg_json_free(self->story);
}

void journal_story(struct journal *journal, const char *id,
	void (*done)(void *arg, enum cg_status status, struct json_object *story),
	void *arg)
{
	struct story_operation *self = operation_create(
		journal, sizeof(*self) + text_room(id), story_work, story_done);
	char *at = self->id;

	text_place(&at, id);
	self->done = done;
	self->arg = arg;
	self->now_ms = journal_now(journal);
	operation_read(&self->operation);
}
