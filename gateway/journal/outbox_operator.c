/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator may do to a delivery: let it be tried again, or give it up. */
#include "gateway/journal/lane.h"
#include "gateway/journal/outbox_record.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

#define OPERATOR_REASON_MAX 512

/* A delivery that is let go again lives at least so long. */
#define OPERATOR_LIFETIME_MS (INT64_C(24) * 60 * 60 * 1000)

struct operator_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, struct json_object *delivery);
	void *arg;
	int64_t now_ms;
	char reason[OPERATOR_REASON_MAX + 1];
	struct json_object *record; /* owned */
	char delivery_id[];
};

/*
 * Due now.  The failures stay, so the schedule goes on where it was; the deadline moves, or the
 * row would die of it at once.  What may have arrived already is marked.
 */
static const char retry_sql[] =
	"UPDATE outbox SET state = 0, updated_ms = ?2, finished_ms = NULL, not_before_ms "
	"= ?2,"
	" deadline_ms = max(deadline_ms, ?3), reason = NULL, detail = NULL,"
	" maybe_duplicate = max(maybe_duplicate,"
	"  state = 3 OR coalesce(outcome = 'ambiguous', 0))"
	" WHERE id = ?1 AND state IN (0, 3, 4)";

static enum cg_status retry_row(struct operator_operation *self, int64_t id,
	struct transaction *tx, struct cg_error *err)
{
	struct outbox_standing was = {0};
	struct statement *statement = NULL;
	enum cg_status status = outbox_load_state(tx, id, &was, err);

	if (status == CG_OK)
		status = transaction_prepare(tx, retry_sql, &statement, err);
	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	statement_bind_int(statement, 2, self->now_ms);
	statement_bind_int(statement, 3, self->now_ms + OPERATOR_LIFETIME_MS);
	status = statement_execute(statement, err);
	if (status == CG_OK && transaction_changes(tx) == 0)
		status = outbox_moved_on(err);
	if (status != CG_OK)
		return status;
	outbox_count_move(&self->operation.change, was.state, OUTBOX_PENDING);
	self->operation.outbox_ready = true;
	return was.state == OUTBOX_DEAD ? lane_reopen(tx, was.lane, err) : CG_OK;
}

static enum cg_status kill_row(struct operator_operation *self, int64_t id,
	struct transaction *tx, struct cg_error *err)
{
	struct outbox_standing was = {0};
	struct statement *statement = NULL;
	enum cg_status status = outbox_load_state(tx, id, &was, err);

	if (status == CG_OK)
		status = transaction_prepare(tx,
			"UPDATE outbox SET state = 4, head = 0, updated_ms = ?2,"
			" finished_ms = ?2, reason = ?3 WHERE id = ?1 AND state IN (0, "
			"3)",
			&statement, err);
	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	statement_bind_int(statement, 2, self->now_ms);
	statement_bind_text(statement, 3, self->reason);
	status = statement_execute(statement, err);
	if (status == CG_OK && transaction_changes(tx) == 0)
		status = outbox_moved_on(err);
	if (status != CG_OK)
		return status;
	outbox_count_move(&self->operation.change, was.state, OUTBOX_DEAD);
	self->operation.outbox_ready = true;
	return was.head ? lane_promote(tx, was.lane, err) : CG_OK;
}

/* What a Cloud had sent through us is the Cloud's to have sent again: a claim that has ended
 * gives no right to. */
static enum cg_status check_owner(
	struct transaction *tx, int64_t id, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"SELECT claim IS NOT NULL FROM outbox WHERE id = ?1", &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && row && statement_int(statement, 0) != 0)
		status = cg_error_set(err, CG_DENIED, "the delivery is the Cloud's");
	statement_finish(statement);
	return status;
}

static enum cg_status retry_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct operator_operation *self = arg;
	int64_t id = 0;
	enum cg_status status = outbox_find(tx, self->delivery_id, &id, err);

	if (status == CG_OK)
		status = check_owner(tx, id, err);
	if (status == CG_OK)
		status = retry_row(self, id, tx, err);
	return status != CG_OK ? status : outbox_record(tx, id, &self->record, err);
}

static enum cg_status kill_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct operator_operation *self = arg;
	int64_t id = 0;
	enum cg_status status = outbox_find(tx, self->delivery_id, &id, err);

	if (status == CG_OK)
		status = kill_row(self, id, tx, err);
	return status != CG_OK ? status : outbox_record(tx, id, &self->record, err);
}

static void operator_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct operator_operation *self = (struct operator_operation *)operation;

	(void)err;
	self->done(self->arg, status, status == CG_OK ? self->record : NULL);
	cg_json_free(self->record);
}

static struct operator_operation *operator_create(struct journal *journal,
	const char *delivery_id, int64_t now_ms, operation_work work)
{
	struct operator_operation *self = operation_create(
		journal, sizeof(*self) + text_room(delivery_id), work, operator_done);
	char *at = self->delivery_id;

	text_place(&at, delivery_id);
	self->now_ms = now_ms;
	return self;
}

void outbox_retry(struct journal *journal, const char *delivery_id, int64_t now_ms,
	void (*done)(void *arg, enum cg_status status, struct json_object *delivery),
	void *arg)
{
	struct operator_operation *self =
		operator_create(journal, delivery_id, now_ms, retry_work);

	self->done = done;
	self->arg = arg;
	operation_submit(&self->operation);
}

void outbox_kill(struct journal *journal, const char *delivery_id, const char *reason,
	int64_t now_ms,
	void (*done)(void *arg, enum cg_status status, struct json_object *delivery),
	void *arg)
{
	struct operator_operation *self =
		operator_create(journal, delivery_id, now_ms, kill_work);

	self->done = done;
	self->arg = arg;
	cg_text_copy(
		self->reason, sizeof(self->reason), reason != NULL ? reason : "operator");
	operation_submit(&self->operation);
}
