/* SPDX-License-Identifier: Apache-2.0 */
/* Chat threads, their sessions, and how far those have been rendered. */
#include "gateway/journal/cursor.h"

#include "gateway/journal/operation.h"

#include <cowgate/sdk/error.h>

#define CURSOR_LIST_MAX 4096

struct cursor_operation {
	struct operation operation;
	struct cursor cursor; /* texts in room */
	char room[];
};

static size_t cursor_room(const struct cursor *cursor)
{
	return text_room(cursor->binding_id) + text_room(cursor->session_id) +
	       text_room(cursor->instance) + text_room(cursor->chat_id) +
	       text_room(cursor->thread_id) + text_room(cursor->user_id) +
	       text_room(cursor->context) + text_room(cursor->agent_id) +
	       text_room(cursor->epoch);
}

/* Move the texts of @cursor to @at. */
static void place_cursor(struct cursor *cursor, char *at)
{
	cursor->binding_id = text_place(&at, cursor->binding_id);
	cursor->session_id = text_place(&at, cursor->session_id);
	cursor->instance = text_place(&at, cursor->instance);
	cursor->chat_id = text_place(&at, cursor->chat_id);
	cursor->thread_id = text_place(&at, cursor->thread_id);
	cursor->user_id = text_place(&at, cursor->user_id);
	cursor->context = text_place(&at, cursor->context);
	cursor->agent_id = text_place(&at, cursor->agent_id);
	cursor->epoch = text_place(&at, cursor->epoch);
}

/* An operation on a copy of @cursor. */
static struct cursor_operation *cursor_create(
	struct journal *journal, const struct cursor *cursor, operation_work work)
{
	struct cursor_operation *self = operation_create(
		journal, sizeof(*self) + cursor_room(cursor), work, operation_tell);

	self->cursor = *cursor;
	place_cursor(&self->cursor, self->room);
	return self;
}

static const char store_sql[] =
	"INSERT INTO cursor(binding_id, session_id, instance, chat_id, thread_id, "
	"user_id,"
	" is_direct, generation, epoch, sequence, open, active_ms, context, agent_id)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
	" ON CONFLICT(binding_id) DO UPDATE SET session_id = ?2, instance = ?3, chat_id "
	"= ?4,"
	" thread_id = ?5, user_id = ?6, is_direct = ?7, generation = ?8, open = ?11,"
	" active_ms = ?12, context = ?13, agent_id = ?14,"
	" sequence = CASE WHEN epoch IS ?9 THEN sequence ELSE ?10 END, epoch = ?9";

static enum cg_status store_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	const struct cursor *cursor = &((struct cursor_operation *)arg)->cursor;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, store_sql, &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, cursor->binding_id);
	statement_bind_text(statement, 2, cursor->session_id);
	statement_bind_text(statement, 3, cursor->instance);
	statement_bind_text(statement, 4, cursor->chat_id);
	statement_bind_text(statement, 5, cursor->thread_id);
	statement_bind_text(statement, 6, cursor->user_id);
	statement_bind_int(statement, 7, cursor->is_direct);
	statement_bind_int(statement, 8, cursor->generation);
	statement_bind_text(statement, 9, cursor->epoch);
	statement_bind_int(statement, 10, cursor->sequence);
	statement_bind_int(statement, 11, cursor->open);
	statement_bind_int(statement, 12, cursor->active_ms);
	statement_bind_text(statement, 13, cursor->context);
	statement_bind_text(statement, 14, cursor->agent_id);
	return statement_execute(statement, err);
}

void cursor_store(struct journal *journal, const struct cursor *cursor, journal_done done,
	void *arg)
{
	struct cursor_operation *self = cursor_create(journal, cursor, store_work);

	self->operation.done = done;
	self->operation.arg = arg;
	if (cursor->binding_id == NULL || cursor->session_id == NULL ||
		cursor->instance == NULL || cursor->chat_id == NULL ||
		(cursor->context != NULL &&
			strlen(cursor->context) > JOURNAL_CONTEXT_MAX))
		operation_refuse(&self->operation, CG_INVALID);
	else
		operation_submit(&self->operation);
}

static enum cg_status set_open_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	const struct cursor *cursor = &((struct cursor_operation *)arg)->cursor;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE cursor SET open = ?2, active_ms = ?3 WHERE binding_id = ?1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, cursor->binding_id);
	statement_bind_int(statement, 2, cursor->open);
	statement_bind_int(statement, 3, cursor->active_ms);
	status = statement_execute(statement, err);
	if (status == CG_OK && transaction_changes(tx) == 0)
		status = cg_error_set(
			err, CG_NOT_FOUND, "no cursor of binding %s", cursor->binding_id);
	return status;
}

void cursor_set_open(struct journal *journal, const char *binding_id, bool open,
	int64_t now_ms, journal_done done, void *arg)
{
	struct cursor cursor = {
		.binding_id = binding_id, .open = open, .active_ms = now_ms};
	struct cursor_operation *self = cursor_create(journal, &cursor, set_open_work);

	self->operation.done = done;
	self->operation.arg = arg;
	operation_submit(&self->operation);
}

#define CURSOR_COLUMNS \
	"SELECT binding_id, session_id, instance, chat_id, thread_id, user_id, " \
	"is_direct," \
	" generation, epoch, sequence, open, active_ms, context, agent_id FROM cursor "

/* Texts are the statement's until the next step. */
static struct cursor read_cursor(struct statement *statement)
{
	return (struct cursor){
		.binding_id = statement_text(statement, 0),
		.session_id = statement_text(statement, 1),
		.instance = statement_text(statement, 2),
		.chat_id = statement_text(statement, 3),
		.thread_id = statement_text(statement, 4),
		.user_id = statement_text(statement, 5),
		.is_direct = statement_int(statement, 6) != 0,
		.generation = (unsigned)statement_int(statement, 7),
		.epoch = statement_text(statement, 8),
		.sequence = statement_int(statement, 9),
		.open = statement_int(statement, 10) != 0,
		.active_ms = statement_int(statement, 11),
		.context = statement_text(statement, 12),
		.agent_id = statement_text(statement, 13),
	};
}

/* Cursors that were read: an array, and behind each entry's pointer its own texts. */
struct cursor_list {
	struct cursor *cursors; /* owned */
	char **texts; /* owned, one for each */
	size_t count, room;
};

static void list_finish(struct cursor_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->texts[i]);
	free(list->cursors);
	free(list->texts);
	*list = (struct cursor_list){0};
}

static bool list_grow(struct cursor_list *list)
{
	size_t room = list->room == 0 ? 16 : 2 * list->room;
	struct cursor *cursors = realloc(list->cursors, room * sizeof(*cursors));
	char **texts;

	if (cursors == NULL)
		return false;
	list->cursors = cursors;
	texts = realloc(list->texts, room * sizeof(*texts));
	if (texts == NULL)
		return false;
	list->texts = texts;
	list->room = room;
	return true;
}

static enum cg_status list_add(
	struct cursor_list *list, struct statement *statement, struct cg_error *err)
{
	struct cursor cursor = read_cursor(statement);
	char *text;

	if (list->count == list->room && !list_grow(list))
		return cg_error_nomem(err);
	text = malloc(cursor_room(&cursor));
	if (text == NULL)
		return cg_error_nomem(err);
	place_cursor(&cursor, text);
	list->texts[list->count] = text;
	list->cursors[list->count++] = cursor;
	return CG_OK;
}

/* Add every row of @statement, and finish it. */
static enum cg_status list_read(
	struct cursor_list *list, struct statement *statement, struct cg_error *err)
{
	enum cg_status status;
	bool row = false;

	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		status = list_add(list, statement, err);
		if (status != CG_OK)
			break;
	}
	statement_finish(statement);
	return status;
}

struct cursor_list_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, const struct cursor *cursors,
		size_t count);
	void *arg;
	size_t limit;
	struct cursor_list list;
};

static enum cg_status list_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct cursor_list_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		CURSOR_COLUMNS "INDEXED BY cursor_open"
			       " WHERE open = 1 ORDER BY active_ms DESC LIMIT ?1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, (int64_t)self->limit);
	return list_read(&self->list, statement, err);
}

static void list_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct cursor_list_operation *self = (struct cursor_list_operation *)operation;

	(void)err;
	self->done(self->arg, status, self->list.cursors,
		status == CG_OK ? self->list.count : 0);
	list_finish(&self->list);
}

void cursor_list_open(struct journal *journal, size_t limit,
	void (*done)(void *arg, enum cg_status status, const struct cursor *cursors,
		size_t count),
	void *arg)
{
	struct cursor_list_operation *self =
		operation_create(journal, sizeof(*self), list_work, list_done);

	self->done = done;
	self->arg = arg;
	self->limit = limit < CURSOR_LIST_MAX ? limit : CURSOR_LIST_MAX;
	operation_submit(&self->operation);
}

struct cursor_find_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, const struct cursor *cursor);
	void *arg;
	const char *instance, *chat_id, *thread_id; /* in room */
	struct cursor_list list; /* one at most */
	char room[];
};

static enum cg_status find_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct cursor_find_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		CURSOR_COLUMNS "WHERE instance = ?1 AND chat_id = ?2 AND thread_id IS ?3"
			       " ORDER BY generation DESC LIMIT 1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->instance);
	statement_bind_text(statement, 2, self->chat_id);
	statement_bind_text(statement, 3, self->thread_id);
	return list_read(&self->list, statement, err);
}

static void find_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct cursor_find_operation *self = (struct cursor_find_operation *)operation;
	bool found = status == CG_OK && self->list.count > 0;

	(void)err;
	self->done(self->arg, status, found ? self->list.cursors : NULL);
	list_finish(&self->list);
}

void cursor_find(struct journal *journal, const char *instance, const char *chat_id,
	const char *thread_id,
	void (*done)(void *arg, enum cg_status status, const struct cursor *cursor),
	void *arg)
{
	size_t room = text_room(instance) + text_room(chat_id) + text_room(thread_id);
	struct cursor_find_operation *self =
		operation_create(journal, sizeof(*self) + room, find_work, find_done);
	char *at = self->room;

	self->done = done;
	self->arg = arg;
	self->instance = text_place(&at, instance);
	self->chat_id = text_place(&at, chat_id);
	self->thread_id = text_place(&at, thread_id);
	operation_submit(&self->operation);
}
