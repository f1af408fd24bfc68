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
};

/* One that is named. */
struct named_operation {
	struct operator_operation one; /* first */
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
	struct named_operation *named = arg;
	struct operator_operation *self = &named->one;
	int64_t id = 0;
	enum cg_status status = outbox_find(tx, named->delivery_id, &id, err);

	if (status == CG_OK)
		status = check_owner(tx, id, err);
	if (status == CG_OK)
		status = retry_row(self, id, tx, err);
	return status != CG_OK ? status : outbox_record(tx, id, &self->record, err);
}

static enum cg_status kill_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct named_operation *named = arg;
	struct operator_operation *self = &named->one;
	int64_t id = 0;
	enum cg_status status = outbox_find(tx, named->delivery_id, &id, err);

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
	struct named_operation *named = operation_create(
		journal, sizeof(*named) + text_room(delivery_id), work, operator_done);
	char *at = named->delivery_id;

	text_place(&at, delivery_id);
	named->one.now_ms = now_ms;
	return &named->one;
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

/* The dead of a while, together. */

struct revive_operation {
	struct operator_operation one; /* first: what a row is changed by */
	int64_t since_ms;
	bool dry;
	struct json_object *records; /* owned */
	int64_t ids[OUTBOX_REVIVE];
	size_t count;
	char instance[]; /* "": any */
};

static const char dead_sql[] =
	"SELECT id FROM outbox INDEXED BY outbox_finished"
	" WHERE finished_ms IS NOT NULL AND state = 4 AND finished_ms >= ?1"
	" AND claim IS NULL AND (?2 = '' OR instance = ?2) ORDER BY id LIMIT ?3";

static enum cg_status find_dead(
	struct revive_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx, dead_sql, &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, self->since_ms);
	statement_bind_text(statement, 2, self->instance);
	statement_bind_int(statement, 3, OUTBOX_REVIVE);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row)
		self->ids[self->count++] = statement_int(statement, 0);
	statement_finish(statement);
	return status;
}

static enum cg_status revive_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct revive_operation *self = arg;
	enum cg_status status = find_dead(self, tx, err);

	self->records = cg_json_new_array();
	for (size_t i = 0; status == CG_OK && i < self->count; i++) {
		struct json_object *record = NULL;

		if (!self->dry)
			status = retry_row(&self->one, self->ids[i], tx, err);
		if (status == CG_OK)
			status = outbox_record(tx, self->ids[i], &record, err);
		if (status == CG_OK)
			cg_json_append(self->records, record);
	}
	return status;
}

static void revive_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct revive_operation *self = (struct revive_operation *)operation;

	(void)err;
	self->one.done(self->one.arg, status, status == CG_OK ? self->records : NULL);
	cg_json_free(self->records);
}

void outbox_revive(struct journal *journal, const struct outbox_revival *revival,
	void (*done)(void *arg, enum cg_status status, struct json_object *deliveries),
	void *arg)
{
	const char *instance = revival->instance == NULL ? "" : revival->instance;
	struct revive_operation *self = operation_create(
		journal, sizeof(*self) + text_room(instance), revive_work, revive_done);
	char *at = self->instance;

	text_place(&at, instance);
	self->one.done = done;
	self->one.arg = arg;
	self->one.now_ms = revival->now_ms;
	self->since_ms = revival->since_ms;
	self->dry = revival->dry;
	operation_submit(&self->one.operation);
}
