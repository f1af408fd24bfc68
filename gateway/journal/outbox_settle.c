/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a part, and what moves it from one to the next. */
#include "gateway/journal/lane.h"
#include "gateway/journal/outbox_row.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>

#define SETTLE_WORD_MAX 128 /* outcome, scope */
#define SETTLE_REASON_MAX 512
#define SETTLE_RECEIPT_MAX 512

/* A row that waits longer than any schedule was given its time by another clock. */
#define RECOVER_WAIT_MAX_MS (INT64_C(24) * 60 * 60 * 1000)

bool outbox_unfinished(enum outbox_state state)
{
	return state == OUTBOX_PENDING || state == OUTBOX_SENDING ||
	       state == OUTBOX_UNKNOWN;
}

static void count_state(struct journal_change *change, enum outbox_state state, int by)
{
	if (outbox_unfinished(state))
		change->outbox_pending += by;
	if (state == OUTBOX_UNKNOWN)
		change->outbox_unknown += by;
	if (state == OUTBOX_DEAD)
		change->outbox_dead += by;
	if (state == OUTBOX_SENT)
		change->outbox_sent += by;
}

void outbox_count_move(
	struct journal_change *change, enum outbox_state from, enum outbox_state to)
{
	count_state(change, from, -1);
	count_state(change, to, 1);
}

/* The table of the states: what the result of a send may make of a row. */
static bool may_settle(enum outbox_state from, enum outbox_state to)
{
	static const bool allowed[][OUTBOX_SUPERSEDED + 1] = {
		[OUTBOX_PENDING] = {[OUTBOX_PENDING] = true,
			[OUTBOX_DEAD] = true,
			[OUTBOX_SUPERSEDED] = true},
		[OUTBOX_SENDING] = {[OUTBOX_PENDING] = true,
			[OUTBOX_SENT] = true,
			[OUTBOX_UNKNOWN] = true,
			[OUTBOX_DEAD] = true,
			[OUTBOX_SUPERSEDED] = true},
		[OUTBOX_UNKNOWN] = {[OUTBOX_PENDING] = true,
			[OUTBOX_SENT] = true,
			[OUTBOX_UNKNOWN] = true,
			[OUTBOX_DEAD] = true,
			[OUTBOX_SUPERSEDED] = true},
		[OUTBOX_SUPERSEDED] = {false},
	};

	return allowed[from][to];
}

enum cg_status outbox_load_state(struct transaction *tx, int64_t id,
	struct outbox_standing *ret, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"SELECT state, lane, head, attempts FROM outbox WHERE id = ?1",
		&statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && !row)
		status = outbox_moved_on(err);
	if (status == CG_OK) {
		ret->state = (enum outbox_state)statement_int(statement, 0);
		ret->lane = statement_int(statement, 1);
		ret->head = statement_int(statement, 2) != 0;
		ret->attempts = statement_int(statement, 3);
	}
	statement_finish(statement);
	return status;
}

enum cg_status outbox_moved_on(struct cg_error *err)
{
	return cg_error_set(err, CG_CONFLICT, "the delivery has moved on");
}

struct sending_operation {
	struct operation operation;
	int64_t id, now_ms;
};

static enum cg_status sending_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct sending_operation *self = arg;
	struct outbox_standing was = {0};
	struct statement *statement = NULL;
	enum cg_status status = outbox_load_state(tx, self->id, &was, err);

	if (status == CG_OK)
		status = transaction_prepare(tx,
			"UPDATE outbox SET state = 1, attempts = attempts + 1,"
			" updated_ms = ?2 WHERE id = ?1 AND state IN (0, 3)"
			/* A claim that ends first is not ours any more when it arrives. */
			" AND (claim IS NULL OR ?2 < (SELECT send_by_ms FROM claim"
			"  WHERE key = outbox.claim))",
			&statement, err);
	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->id);
	statement_bind_int(statement, 2, self->now_ms);
	status = statement_execute(statement, err);
	if (status == CG_OK && transaction_changes(tx) == 0)
		status = outbox_moved_on(err);
	if (status == CG_OK)
		outbox_count_move(&self->operation.change, was.state, OUTBOX_SENDING);
	return status;
}

void outbox_sending(struct journal *journal, int64_t id, journal_done done, void *arg)
{
	struct sending_operation *self =
		operation_create(journal, sizeof(*self), sending_work, operation_tell);

	self->operation.done = done;
	self->operation.arg = arg;
	self->id = id;
	self->now_ms = journal_now(journal);
	operation_submit(&self->operation);
}

struct settle_operation {
	struct operation operation;
	int64_t id;
	struct outbox_result result; /* its texts are those below */
	char receipt[SETTLE_RECEIPT_MAX + 1];
	char outcome[SETTLE_WORD_MAX + 1];
	char scope[SETTLE_WORD_MAX + 1];
	char reason[SETTLE_REASON_MAX + 1];
	char detail[OUTBOX_DETAIL_MAX + 1];
};

static const char settle_sql[] =
	"UPDATE outbox SET state = ?2, updated_ms = ?3, finished_ms = ?4,"
	" not_before_ms = coalesce(?5, not_before_ms), failures = failures + ?6,"
	" maybe_duplicate = max(maybe_duplicate, ?7), receipt = coalesce(?8, receipt),"
	" outcome = ?9, scope = ?10, reason = ?11, platform_status = ?12, detail = ?13,"
	" head = CASE WHEN ?4 IS NULL THEN head ELSE 0 END"
	" WHERE id = ?1 AND state = ?14";

static enum cg_status update_row(struct settle_operation *self, enum outbox_state was,
	struct transaction *tx, struct cg_error *err)
{
	const struct outbox_result *result = &self->result;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, settle_sql, &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->id);
	statement_bind_int(statement, 2, result->state);
	statement_bind_int(statement, 3, result->now_ms);
	if (outbox_unfinished(result->state))
		statement_bind_int(statement, 5, result->not_before_ms);
	else
		statement_bind_int(statement, 4, result->now_ms);
	statement_bind_int(
		statement, 6, result->state == OUTBOX_PENDING && result->counts);
	statement_bind_int(statement, 7, result->maybe_duplicate);
	statement_bind_text(statement, 8, result->receipt);
	statement_bind_text(statement, 9, result->outcome);
	statement_bind_text(statement, 10, result->scope);
	statement_bind_text(statement, 11, result->reason);
	statement_bind_int(statement, 12, result->platform_status);
	statement_bind_text(statement, 13, result->detail);
	statement_bind_int(statement, 14, was);
	return statement_execute(statement, err);
}

static enum cg_status settle_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct settle_operation *self = arg;
	struct outbox_standing was = {0};
	enum cg_status status = outbox_load_state(tx, self->id, &was, err);

	if (status != CG_OK)
		return status;
	if (!may_settle(was.state, self->result.state))
		return outbox_moved_on(err);
	status = update_row(self, was.state, tx, err);
	if (status == CG_OK && transaction_changes(tx) == 0)
		status = outbox_moved_on(err);
	if (status != CG_OK)
		return status;
	if (self->result.outcome != NULL &&
		(was.attempts > 1 || self->result.state != OUTBOX_SENT))
		status = outbox_keep_attempt(tx, self->id, err);
	if (status != CG_OK)
		return status;
	outbox_count_move(&self->operation.change, was.state, self->result.state);
	if (was.head && !outbox_unfinished(self->result.state))
		status = lane_promote(tx, was.lane, err);
	return status;
}

static const char *copy_text(char *room, size_t size, const char *text)
{
	if (text == NULL)
		return NULL;
	cg_text_copy(room, size, text);
	return room;
}

void outbox_settle(struct journal *journal, int64_t id,
	const struct outbox_result *result, journal_done done, void *arg)
{
	struct settle_operation *self =
		operation_create(journal, sizeof(*self), settle_work, operation_tell);

	self->operation.done = done;
	self->operation.arg = arg;
	self->id = id;
	self->result = *result;
	self->result.receipt =
		copy_text(self->receipt, sizeof(self->receipt), result->receipt);
	self->result.outcome =
		copy_text(self->outcome, sizeof(self->outcome), result->outcome);
	self->result.scope = copy_text(self->scope, sizeof(self->scope), result->scope);
	self->result.reason =
		copy_text(self->reason, sizeof(self->reason), result->reason);
	self->result.detail =
		copy_text(self->detail, sizeof(self->detail), result->detail);
	switch (result->state) {
	case OUTBOX_PENDING:
	case OUTBOX_SENT:
	case OUTBOX_UNKNOWN:
	case OUTBOX_DEAD:
	case OUTBOX_SUPERSEDED:
		operation_submit(&self->operation);
		return;
	case OUTBOX_SENDING:
		break;
	}
	operation_refuse(&self->operation, CG_INVALID);
}

struct state_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, enum outbox_state state);
	void *arg;
	enum outbox_state state;
	bool found;
	char delivery_id[];
};

static enum cg_status state_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct state_operation *self = arg;
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(
		tx, "SELECT state FROM outbox WHERE delivery_id = ?1", &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->delivery_id);
	status = statement_step(statement, &self->found, err);
	if (status == CG_OK && self->found)
		self->state = (enum outbox_state)statement_int(statement, 0);
	statement_finish(statement);
	return status;
}

static void state_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct state_operation *self = (struct state_operation *)operation;

	(void)err;
	if (status == CG_OK && !self->found)
		status = CG_NOT_FOUND;
	self->done(self->arg, status, self->state);
}

void outbox_state_of(struct journal *journal, const char *delivery_id,
	void (*done)(void *arg, enum cg_status status, enum outbox_state state),
	void *arg)
{
	size_t room = text_room(delivery_id);
	struct state_operation *self =
		operation_create(journal, sizeof(*self) + room, state_work, state_done);

	self->done = done;
	self->arg = arg;
	memcpy(self->delivery_id, delivery_id, room);
	operation_submit(&self->operation);
}

struct recover_operation {
	struct operation operation;
	void (*done)(
		void *arg, enum cg_status status, const struct outbox_recovery *recovery);
	void *arg;
	int64_t now_ms;
	struct outbox_recovery recovery;
};

static enum cg_status recover_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct recover_operation *self = arg;
	struct statement *statement = NULL;
	int64_t unfinished = 0;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE outbox INDEXED BY outbox_lane SET state = 3"
		" WHERE finished_ms IS NULL AND state = 1",
		&statement, err);

	if (status == CG_OK)
		status = statement_execute(statement, err);
	if (status != CG_OK)
		return status;
	self->operation.change.outbox_unknown = transaction_changes(tx);
	status = transaction_prepare(tx,
		"UPDATE outbox INDEXED BY outbox_lane SET not_before_ms = ?1"
		" WHERE finished_ms IS NULL AND not_before_ms > ?2",
		&statement, err);
	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->now_ms);
	statement_bind_int(statement, 2, self->now_ms + RECOVER_WAIT_MAX_MS);
	status = statement_execute(statement, err);
	if (status == CG_OK)
		status = operation_count(
			tx, OUTBOX_COUNT_UNKNOWN, &self->recovery.unknown, err);
	if (status == CG_OK)
		status = operation_count(tx, OUTBOX_COUNT_UNFINISHED, &unfinished, err);
	self->recovery.pending = unfinished - self->recovery.unknown;
	return status;
}

static void recover_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct recover_operation *self = (struct recover_operation *)operation;

	(void)err;
	self->done(self->arg, status, &self->recovery);
}

void outbox_recover(struct journal *journal,
	void (*done)(
		void *arg, enum cg_status status, const struct outbox_recovery *recovery),
	void *arg)
{
	struct recover_operation *self =
		operation_create(journal, sizeof(*self), recover_work, recover_done);

	self->done = done;
	self->arg = arg;
	self->now_ms = journal_now(journal);
	self->operation.outbox_ready = true;
	operation_submit(&self->operation);
}
