/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked in a chat: looked up, taken, settled. */
#include "gateway/journal/inquiry.h"

#include "gateway/journal/inquiry_row.h"

#include <cowgate/sdk/error.h>

enum {
#define INQUIRY_TEXT(column) COLUMN_##column,
#include "gateway/journal/inquiry.def"
#undef INQUIRY_TEXT
	COLUMN_TEXTS,
	COLUMN_id = COLUMN_TEXTS,
	COLUMN_kind,
	COLUMN_state,
	COLUMN_is_direct,
	COLUMN_created_ms,
	COLUMN_expires_ms,
	COLUMN_closed_ms,
	COLUMN_taken_by,
};

#define SELECT \
	"SELECT token, code, card_id, target_id, agent_id, instance, chat_id, " \
	"thread_id," \
	" user_id, context, session_id, binding_id, options, card, answer, decided_by," \
	" id, kind, state, is_direct, created_ms, expires_ms, closed_ms, taken_by" \
	" FROM inquiry "

/* Rows that were read: each with its texts behind it in one allocation. */
struct found {
	struct inquiry items[INQUIRY_OPEN];
	char *texts[INQUIRY_OPEN]; /* owned */
	size_t count;
};

struct find_operation {
	struct operation operation;
	inquiry_found found;
	void *arg;
	const char *sql;
	const char *texts[5]; /* parameters from ?1 on, in room */
	size_t text_count;
	int64_t now_ms; /* ?1 when there are no texts */
	struct found rows;
	char room[];
};

static enum cg_status read_row(
	struct found *rows, struct statement *statement, struct cg_error *err)
{
	struct inquiry *item = &rows->items[rows->count];
	const char *texts[COLUMN_TEXTS];
	size_t room = 0;
	char *at;

	for (int column = 0; column < COLUMN_TEXTS; column++)
		room += statement_bytes(statement, column) + 1;
	at = malloc(room);
	if (at == NULL)
		return cg_error_nomem(err);
	rows->texts[rows->count++] = at;
	for (int column = 0; column < COLUMN_TEXTS; column++)
		texts[column] = text_of_column(&at, statement, column);
	*item = (struct inquiry){
#define INQUIRY_TEXT(column) .column = texts[COLUMN_##column],
#include "gateway/journal/inquiry.def"
#undef INQUIRY_TEXT
		.id = statement_int(statement, COLUMN_id),
		.kind = (enum inquiry_kind)statement_int(statement, COLUMN_kind),
		.state = (enum inquiry_state)statement_int(statement, COLUMN_state),
		.is_direct = statement_int(statement, COLUMN_is_direct) != 0,
		.created_ms = statement_int(statement, COLUMN_created_ms),
		.expires_ms = statement_int(statement, COLUMN_expires_ms),
		.closed_ms = statement_int(statement, COLUMN_closed_ms),
		.taken_by = statement_int(statement, COLUMN_taken_by),
	};
	return CG_OK;
}

static enum cg_status find_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct find_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, self->sql, &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	for (size_t i = 0; i < self->text_count; i++)
		statement_bind_text(statement, (int)i + 1, self->texts[i]);
	if (self->text_count == 0)
		statement_bind_int(statement, 1, self->now_ms);
	while (self->rows.count < INQUIRY_OPEN &&
		(status = statement_step(statement, &row, err)) == CG_OK && row) {
		status = read_row(&self->rows, statement, err);
		if (status != CG_OK)
			break;
	}
	statement_finish(statement);
	return status;
}

static void find_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct find_operation *self = (struct find_operation *)operation;

	(void)err;
	self->found(self->arg, status, self->rows.items,
		status == CG_OK ? self->rows.count : 0);
	for (size_t i = 0; i < self->rows.count; i++)
		free(self->rows.texts[i]);
}

void inquiry_find(struct journal *journal, const struct inquiry_query *query,
	inquiry_found found, void *arg)
{
	const char *texts[] = {query->instance, query->chat_id, query->thread_id,
		query->code, query->receipt};
	size_t room = text_room(query->token), count = 1;
	struct find_operation *self;
	char *at;

	if (query->token == NULL) {
		count = sizeof(texts) / sizeof(*texts);
		for (size_t i = 0; i < count; i++)
			room += text_room(texts[i]);
	} else {
		texts[0] = query->token;
	}
	self = operation_create(journal, sizeof(*self) + room, find_work, find_done);
	at = self->room;
	for (size_t i = 0; i < count; i++)
		self->texts[i] = text_place(&at, texts[i]);
	self->text_count = count;
	self->sql = query->token != NULL ? SELECT "WHERE token = ?1"
					 : SELECT
			    "INDEXED BY inquiry_chat WHERE closed_ms IS NULL AND "
			    "state = 0"
			    " AND instance = ?1 AND chat_id = ?2 AND thread_id IS ?3"
			    " AND (?4 IS NULL OR code = ?4 COLLATE NOCASE)"
			    " AND (?5 IS NULL OR ?5 = (SELECT receipt FROM outbox"
			    "  WHERE delivery_id = card_id))"
			    " ORDER BY id DESC";
	self->found = found;
	self->arg = arg;
	operation_submit(&self->operation);
}

void inquiry_find_expired(
	struct journal *journal, int64_t now_ms, inquiry_found found, void *arg)
{
	struct find_operation *self =
		operation_create(journal, sizeof(*self), find_work, find_done);

	self->sql = SELECT "INDEXED BY inquiry_due WHERE closed_ms IS NULL"
			   " AND expires_ms <= ?1 ORDER BY expires_ms, id";
	self->now_ms = now_ms;
	self->found = found;
	self->arg = arg;
	operation_submit(&self->operation);
}

/* Taking and settling. */

struct change_operation {
	struct operation operation;
	int64_t id, message_id, now_ms;
	enum inquiry_state to;
	const char *answer, *decided_by; /* in room */
	char room[];
};

static enum cg_status changed_or_moved(
	struct transaction *tx, struct statement *statement, struct cg_error *err)
{
	enum cg_status status = statement_execute(statement, err);

	if (status == CG_OK && transaction_changes(tx) == 0)
		status = cg_error_set(err, CG_CONFLICT, "the question has moved on");
	return status;
}

static enum cg_status take_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	const struct change_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE inquiry SET state = 1, taken_by = ?2, answer = ?3,"
		" decided_by = ?4 WHERE id = ?1 AND"
		" (state = 0 OR (state = 1 AND taken_by = ?2))",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->id);
	statement_bind_int(statement, 2, self->message_id);
	statement_bind_text(statement, 3, self->answer);
	statement_bind_text(statement, 4, self->decided_by);
	return changed_or_moved(tx, statement, err);
}

void inquiry_take(struct journal *journal, const struct inquiry_taking *taking,
	journal_done done, void *arg)
{
	size_t room = text_room(taking->answer) + text_room(taking->decided_by);
	struct change_operation *self = operation_create(
		journal, sizeof(*self) + room, take_work, operation_tell);
	char *at = self->room;

	self->operation.done = done;
	self->operation.arg = arg;
	self->id = taking->id;
	self->message_id = taking->message_id;
	self->answer = text_place(&at, taking->answer);
	self->decided_by = text_place(&at, taking->decided_by);
	if (taking->answer == NULL || strlen(taking->answer) > INQUIRY_ANSWER_MAX ||
		taking->decided_by == NULL ||
		strlen(taking->decided_by) > INQUIRY_WHO_MAX)
		operation_refuse(&self->operation, CG_INVALID);
	else
		operation_submit(&self->operation);
}

static enum cg_status settle_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct change_operation *self = arg;
	bool open = self->to == INQUIRY_IS_OPEN;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		open ? "UPDATE inquiry SET state = ?2, taken_by = NULL, answer = "
		       "NULL,"
		       " decided_by = NULL, closed_ms = ?3 WHERE id = ?1 AND state = 1"
		     : "UPDATE inquiry SET state = ?2, closed_ms = ?3"
		       " WHERE id = ?1 AND state = 1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->id);
	statement_bind_int(statement, 2, self->to);
	if (!open)
		statement_bind_int(statement, 3, self->now_ms);
	status = changed_or_moved(tx, statement, err);
	if (status == CG_OK && !open)
		self->operation.change.inquiries = -1;
	return status;
}

void inquiry_settle(struct journal *journal, int64_t id, enum inquiry_state to,
	journal_done done, void *arg)
{
	struct change_operation *self =
		operation_create(journal, sizeof(*self), settle_work, operation_tell);

	self->operation.done = done;
	self->operation.arg = arg;
	self->id = id;
	self->to = to;
	self->now_ms = journal_now(journal);
	if (to == INQUIRY_IS_TAKEN)
		operation_refuse(&self->operation, CG_INVALID);
	else
		operation_submit(&self->operation);
}
