/* SPDX-License-Identifier: Apache-2.0 */
/* Closing messages, together with what is said about them. */
#include "gateway/journal/inbox.h"
#include "gateway/journal/obligation.h"
#include "gateway/journal/operation.h"
#include "gateway/journal/schema.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>

#define INBOX_REASON 512

struct inbox_finish_operation {
	struct operation operation;
	int64_t id;
	int64_t now_ms;
	int64_t state;
	bool has_reason;
	char reason[INBOX_REASON];
	struct obligation_batch *batch; /* owned, NULL: none */
	struct inbox_mark mark; /* its texts in room */
	char room[];
};

static const char close_sql[] =
	"UPDATE inbox SET state = ?2, closed_ms = ?3, reason = ?4, mark = max(mark, ?5),"
	" mark_binding_id = ?6, mark_command_id = ?7,"
	" mark_answer_id = coalesce(?8, mark_answer_id)"
	" WHERE id = ?1 AND state = 0 RETURNING bytes";

/* *@ret_closed is false when it was closed before. */
static enum cg_status close_message(struct inbox_finish_operation *self,
	struct transaction *tx, bool *ret_closed, struct cg_error *err)
{
	struct journal_change *change = &self->operation.change;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, close_sql, &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->id);
	statement_bind_int(statement, 2, self->state);
	statement_bind_int(statement, 3, self->now_ms);
	statement_bind_text(statement, 4, self->has_reason ? self->reason : NULL);
	statement_bind_int(statement, 5, self->mark.state);
	statement_bind_text(statement, 6, self->mark.binding_id);
	statement_bind_text(statement, 7, self->mark.command_id);
	statement_bind_text(statement, 8, self->mark.answer_id);
	status = statement_step(statement, &row, err);
	if (status != CG_OK)
		return status;
	*ret_closed = row;
	if (row) {
		change->inbox_pending = -1;
		change->inbox_pending_bytes = -statement_int(statement, 0);
		change->inbox_dead = self->state == INBOX_STATE_DEAD;
	}
	statement_finish(statement);
	return CG_OK;
}

static enum cg_status check_known(
	int64_t id, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(
		tx, "SELECT 1 FROM inbox WHERE id = ?1", &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && !row)
		status = cg_error_set(
			err, CG_NOT_FOUND, "no inbox message has id %lld", (long long)id);
	return status;
}

static enum cg_status finish_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct inbox_finish_operation *self = arg;
	bool closed = false;
	enum cg_status status = close_message(self, tx, &closed, err);

	if (status != CG_OK)
		return status;
	if (!closed)
		return check_known(self->id, tx, err);
	if (self->batch != NULL)
		status = obligation_batch_insert(self->batch, tx, &self->operation, err);
	return status;
}

static void finish_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct inbox_finish_operation *self = (struct inbox_finish_operation *)operation;

	obligation_batch_release(self->batch, operation->journal);
	operation_tell(operation, status, err);
}

void inbox_finish(struct journal *journal, const struct inbox_closing *closing,
	journal_done done, void *arg)
{
	const struct inbox_mark *mark = &closing->mark;
	size_t room = text_room(mark->binding_id) + text_room(mark->command_id) +
		      text_room(mark->answer_id);
	struct inbox_finish_operation *self =
		operation_create(journal, sizeof(*self) + room, finish_work, finish_done);
	enum cg_status status = CG_OK;
	char *at = self->room;

	self->operation.done = done;
	self->operation.arg = arg;
	self->id = closing->id;
	self->now_ms = journal_now(journal);
	self->state =
		closing->end == INBOX_HANDED ? INBOX_STATE_HANDED : INBOX_STATE_DEAD;
	if (closing->reason != NULL) {
		self->has_reason = true;
		cg_text_copy(self->reason, sizeof(self->reason), closing->reason);
	}
	self->mark.state = mark->state;
	self->mark.binding_id = text_place(&at, mark->binding_id);
	self->mark.command_id = text_place(&at, mark->command_id);
	self->mark.answer_id = text_place(&at, mark->answer_id);
	if (closing->count > 0)
		status = obligation_batch_create(
			journal, closing->obligations, closing->count, &self->batch);
	if (status != CG_OK)
		operation_refuse(&self->operation, status);
	else
		operation_submit(&self->operation);
}
