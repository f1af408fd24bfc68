/* SPDX-License-Identifier: Apache-2.0 */
/* What must be said, stored together with how far its session has been rendered. */
#include "gateway/journal/inbox_mark_row.h"
#include "gateway/journal/inquiry_row.h"
#include "gateway/journal/obligation.h"
#include "gateway/journal/operation.h"
#include "gateway/journal/outbox.h"

const char *outbox_state_name(enum outbox_state state)
{
	static const char *const names[] = {
		[OUTBOX_PENDING] = "pending",
		[OUTBOX_SENDING] = "sending",
		[OUTBOX_SENT] = "sent",
		[OUTBOX_UNKNOWN] = "unknown",
		[OUTBOX_DEAD] = "dead",
		[OUTBOX_SUPERSEDED] = "superseded",
	};

	return names[state];
}

const char *outbox_purpose_name(enum outbox_purpose purpose)
{
	static const char *const names[] = {
		[OUTBOX_FINAL] = "final",
		[OUTBOX_SLOT] = "slot",
		[OUTBOX_APPROVAL] = "approval",
		[OUTBOX_QUESTION] = "question",
		[OUTBOX_FILE] = "file",
		[OUTBOX_ERROR] = "error",
		[OUTBOX_NOTICE] = "notice",
		[OUTBOX_DELIVERY] = "delivery",
		[OUTBOX_REDRAW] = "redraw",
	};

	return names[purpose];
}

bool outbox_has_room(const struct journal *journal)
{
	return journal->figures.outbox_pending + journal->outbox_reserved <
	       journal->limits.outbox_rows;
}

struct outbox_store_operation {
	struct operation operation;
	struct obligation_batch *batch; /* owned, NULL: none */
	const char *binding_id, *epoch; /* in room; no binding: no cursor */
	int64_t sequence, now_ms;
	bool abandons;
	int64_t marked[OUTBOX_MARKED];
	struct inbox_mark_move marks; /* ids above, text in room */
	char room[];
};

static enum cg_status move_cursor(
	struct outbox_store_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE cursor SET epoch = ?2, sequence ="
		" CASE WHEN epoch IS ?2 THEN max(sequence, ?3) ELSE ?3 END"
		" WHERE binding_id = ?1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->binding_id);
	statement_bind_text(statement, 2, self->epoch);
	statement_bind_int(statement, 3, self->sequence);
	return statement_execute(statement, err);
}

static enum cg_status store_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct outbox_store_operation *self = arg;
	enum cg_status status = CG_OK;

	if (self->batch != NULL)
		status = obligation_batch_insert(self->batch, tx, &self->operation, err);
	if (status == CG_OK && self->binding_id != NULL)
		status = move_cursor(self, tx, err);
	if (status == CG_OK)
		status = inbox_mark_write(tx, &self->marks, err);
	if (status == CG_OK && self->abandons)
		status = inquiry_abandon(tx, self->binding_id, self->now_ms, err);
	return status;
}

static void store_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct outbox_store_operation *self = (struct outbox_store_operation *)operation;

	obligation_batch_release(self->batch, operation->journal);
	operation_tell(operation, status, err);
}

/* Its texts go to @at. */
static void place_cursor(struct outbox_store_operation *self,
	const struct outbox_cursor *cursor, char *at, int64_t now_ms)
{
	self->binding_id = text_place(&at, cursor->binding_id);
	self->epoch = text_place(&at, cursor->epoch);
	self->sequence = cursor->sequence;
	self->abandons = cursor->abandons;
	self->now_ms = now_ms;
	self->marks = cursor->marks;
	if (self->marks.count > OUTBOX_MARKED)
		self->marks.count = OUTBOX_MARKED;
	for (size_t i = 0; i < self->marks.count; i++)
		self->marked[i] = cursor->marks.ids[i];
	self->marks.ids = self->marked;
	self->marks.answer_id = text_place(&at, cursor->marks.answer_id);
}

void outbox_store(struct journal *journal, const struct obligation *obligations,
	size_t count, const struct outbox_cursor *cursor, journal_done done, void *arg)
{
	size_t room = cursor == NULL
			      ? 0
			      : text_room(cursor->binding_id) + text_room(cursor->epoch) +
					text_room(cursor->marks.answer_id);
	struct outbox_store_operation *self =
		operation_create(journal, sizeof(*self) + room, store_work, store_done);
	enum cg_status status = CG_OK;

	self->operation.done = done;
	self->operation.arg = arg;
	if (cursor != NULL)
		place_cursor(self, cursor, self->room, journal_now(journal));
	if (count > 0)
		status = obligation_batch_create(
			journal, obligations, count, &self->batch);
	if (status != CG_OK)
		operation_refuse(&self->operation, status);
	else
		operation_submit(&self->operation);
}
