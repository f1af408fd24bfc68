/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/inbox_mark.h"

#include "gateway/journal/inbox_mark_row.h"
#include "gateway/journal/schema.h"

#include <cowgate/sdk/error.h>

enum cg_status inbox_mark_write(
	struct transaction *tx, const struct inbox_mark_move *move, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; i < move->count && status == CG_OK; i++) {
		struct statement *statement = NULL;

		status = transaction_prepare(tx,
			"UPDATE inbox SET mark = ?2,"
			" mark_answer_id = coalesce(?3, mark_answer_id) WHERE id = ?1",
			&statement, err);
		if (status != CG_OK)
			break;
		statement_bind_int(statement, 1, move->ids[i]);
		statement_bind_int(statement, 2, move->state);
		statement_bind_text(statement, 3, move->answer_id);
		status = statement_execute(statement, err);
	}
	return status;
}

struct unmark_operation {
	struct operation operation;
	size_t count;
	int64_t ids[];
};

static enum cg_status unmark_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	const struct unmark_operation *self = arg;
	const struct inbox_mark_move move = {
		.ids = self->ids, .count = self->count, .state = INBOX_UNMARKED};

	return inbox_mark_write(tx, &move, err);
}

void inbox_unmark(struct journal *journal, const int64_t *ids, size_t count)
{
	size_t room = count * sizeof(*ids);
	struct unmark_operation *self = operation_create(
		journal, sizeof(*self) + room, unmark_work, operation_tell);

	self->count = count;
	memcpy(self->ids, ids, room);
	operation_submit(&self->operation);
}

/* Reading them back. */

struct marked_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status,
		const struct inbox_marked *const *marked, size_t count);
	void *arg;
	struct inbox_marked *marked[INBOX_MARKED]; /* owned */
	size_t count;
};

enum {
	COLUMN_instance,
	COLUMN_chat_id,
	COLUMN_thread_id,
	COLUMN_user_id, /* who is answered */
	COLUMN_context,
	COLUMN_message_id,
	COLUMN_binding_id,
	COLUMN_command_id,
	COLUMN_answer_id,
	COLUMN_TEXTS,
	COLUMN_id = COLUMN_TEXTS,
	COLUMN_mark,
	COLUMN_state,
	COLUMN_decided,
	COLUMN_open,
	COLUMN_is_direct,
};

static const char marked_sql[] =
	"SELECT instance, chat_id, thread_id, coalesce(user_id, sender_id), context,"
	" message_id, mark_binding_id, mark_command_id, mark_answer_id,"
	" id, mark, state, reason IS 'interaction',"
	" coalesce((SELECT open FROM cursor WHERE binding_id = mark_binding_id), 0),"
	" is_direct"
	" FROM inbox INDEXED BY inbox_marked WHERE mark > 0 AND message_id IS NOT NULL"
	" ORDER BY id DESC LIMIT ?1";

/* One allocation with its texts; NULL: no memory. */
static struct inbox_marked *read_marked(struct statement *row)
{
	struct inbox_marked *marked;
	size_t bytes = 0;
	char *at;

	for (int column = 0; column < COLUMN_TEXTS; column++)
		bytes += statement_bytes(row, column) + 1;
	marked = calloc(1, sizeof(*marked) + bytes);
	if (marked == NULL)
		return NULL;
	at = (char *)(marked + 1);
	marked->instance = text_of_column(&at, row, COLUMN_instance);
	marked->chat_id = text_of_column(&at, row, COLUMN_chat_id);
	marked->thread_id = text_of_column(&at, row, COLUMN_thread_id);
	marked->user_id = text_of_column(&at, row, COLUMN_user_id);
	marked->context = text_of_column(&at, row, COLUMN_context);
	marked->message_id = text_of_column(&at, row, COLUMN_message_id);
	marked->mark.binding_id = text_of_column(&at, row, COLUMN_binding_id);
	marked->mark.command_id = text_of_column(&at, row, COLUMN_command_id);
	marked->mark.answer_id = text_of_column(&at, row, COLUMN_answer_id);
	marked->mark.state = (enum inbox_mark_state)statement_int(row, COLUMN_mark);
	marked->id = statement_int(row, COLUMN_id);
	marked->closed = statement_int(row, COLUMN_state) != INBOX_STATE_PENDING;
	marked->dead = statement_int(row, COLUMN_state) == INBOX_STATE_DEAD;
	marked->decided = statement_int(row, COLUMN_decided) != 0;
	marked->open = statement_int(row, COLUMN_open) != 0;
	marked->is_direct = statement_int(row, COLUMN_is_direct) != 0;
	return marked;
}

static enum cg_status marked_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct marked_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, marked_sql, &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, INBOX_MARKED);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		struct inbox_marked *marked = read_marked(statement);

		if (marked == NULL) {
			status = cg_error_nomem(err);
			break;
		}
		/* The newest are read, and the oldest are told first. */
		self->marked[INBOX_MARKED - ++self->count] = marked;
	}
	statement_finish(statement);
	return status;
}

static void marked_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct marked_operation *self = (struct marked_operation *)operation;
	struct inbox_marked **first = self->marked + (INBOX_MARKED - self->count);

	(void)err;
	self->done(self->arg, status, (const struct inbox_marked *const *)first,
		status == CG_OK ? self->count : 0);
	for (size_t i = 0; i < self->count; i++)
		free(first[i]);
}

void inbox_list_marked(struct journal *journal,
	void (*done)(void *arg, enum cg_status status,
		const struct inbox_marked *const *marked, size_t count),
	void *arg)
{
	struct marked_operation *self =
		operation_create(journal, sizeof(*self), marked_work, marked_done);

	self->done = done;
	self->arg = arg;
	operation_submit(&self->operation);
}
