/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/claim.h"

#include "gateway/journal/lane.h"
#include "gateway/journal/obligation.h"
#include "gateway/journal/outbox_row.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>

/* Longer than any Cloud tries, so that what was sent is not forgotten too early. */
#define CLAIM_KEEP_MS (INT64_C(7) * 24 * 60 * 60 * 1000)
#define CLAIM_LIFETIME_MS (INT64_C(24) * 60 * 60 * 1000)
#define CLAIM_SETTLE 64 /* claims settled in one transaction */
#define CLAIM_ROWS 64 /* of one claim */

enum claim_state {
	CLAIM_OPEN,
	CLAIM_SETTLED,
	CLAIM_CLOSED,
};

void claim_key(
	const char *channel_binding_id, const char *delivery_id, char ret[CLAIM_KEY])
{
	uint8_t digest[CG_SHA256];

	cg_sha256_joined(
		(const char *const[]){channel_binding_id, delivery_id}, 2, digest);
	cg_hex(digest, sizeof(digest), ret);
}

/* Statements of one or a few arguments. */

struct bound {
	const char *text; /* first, if there is one */
	int64_t numbers[3]; /* then these */
	size_t count;
};

static enum cg_status prepare(struct transaction *tx, const char *sql,
	const struct bound *bound, struct statement **ret, struct cg_error *err)
{
	enum cg_status status = transaction_prepare(tx, sql, ret, err);
	int at = 1;

	if (status != CG_OK)
		return status;
	if (bound->text != NULL)
		statement_bind_text(*ret, at++, bound->text);
	for (size_t i = 0; i < bound->count; i++)
		statement_bind_int(*ret, at++, bound->numbers[i]);
	return CG_OK;
}

static enum cg_status run(struct transaction *tx, const char *sql,
	const struct bound *bound, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = prepare(tx, sql, bound, &statement, err);

	return status == CG_OK ? statement_execute(statement, err) : status;
}

/* Rows. */

struct claim_row {
	int64_t id;
	enum outbox_state state;
	int64_t lane;
	bool head;
};

static enum cg_status read_rows(struct transaction *tx, const char *key,
	struct claim_row ret[CLAIM_ROWS], size_t *ret_count, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = prepare(tx,
		"SELECT id, state, lane, head FROM outbox WHERE claim = ?1 ORDER BY id",
		&(struct bound){.text = key}, &statement, err);

	*ret_count = 0;
	if (status != CG_OK)
		return status;
	while (*ret_count < CLAIM_ROWS &&
		(status = statement_step(statement, &row, err)) == CG_OK && row)
		ret[(*ret_count)++] =
			(struct claim_row){.id = statement_int(statement, 0),
				.state = (enum outbox_state)statement_int(statement, 1),
				.lane = statement_int(statement, 2),
				.head = statement_int(statement, 3) != 0};
	statement_finish(statement);
	return status;
}

/* What was not sent is due again. */
static enum cg_status reopen_rows(struct operation *operation, struct transaction *tx,
	const char *key, int64_t now_ms, struct cg_error *err)
{
	struct claim_row rows[CLAIM_ROWS];
	size_t count;
	enum cg_status status = read_rows(tx, key, rows, &count, err);

	for (size_t i = 0; i < count && status == CG_OK; i++) {
		if (rows[i].state != OUTBOX_DEAD && rows[i].state != OUTBOX_SUPERSEDED)
			continue;
		status = run(tx,
			"UPDATE outbox SET state = 0, finished_ms = NULL, reason = NULL,"
			" failures = 0, updated_ms = ?2, not_before_ms = ?2,"
			" deadline_ms = ?3 WHERE id = ?1",
			&(struct bound){.numbers = {rows[i].id, now_ms,
						now_ms + CLAIM_LIFETIME_MS},
				.count = 3},
			err);
		outbox_count_move(&operation->change, rows[i].state, OUTBOX_PENDING);
		if (status == CG_OK)
			status = lane_reopen(tx, rows[i].lane, err);
	}
	operation->outbox_ready = true;
	return status;
}

/* What is not in flight is not sent any more; whether some of it arrived stays remembered. */
static enum cg_status take_back(struct operation *operation, struct transaction *tx,
	const char *key, int64_t now_ms, struct cg_error *err)
{
	struct claim_row rows[CLAIM_ROWS];
	size_t count;
	enum cg_status status = read_rows(tx, key, rows, &count, err);

	for (size_t i = 0; i < count && status == CG_OK; i++) {
		if (rows[i].state != OUTBOX_PENDING && rows[i].state != OUTBOX_UNKNOWN)
			continue;
		status = run(tx,
			"UPDATE outbox SET state = 5, head = 0, reason = 'returned',"
			" maybe_duplicate = max(maybe_duplicate, state = 3),"
			" updated_ms = ?2, finished_ms = ?2 WHERE id = ?1",
			&(struct bound){.numbers = {rows[i].id, now_ms}, .count = 2},
			err);
		outbox_count_move(&operation->change, rows[i].state, OUTBOX_SUPERSEDED);
		if (status == CG_OK && rows[i].head)
			status = lane_promote(tx, rows[i].lane, err);
	}
	operation->outbox_ready = true;
	return status;
}

/* Storing. */

struct store_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, enum claim_standing standing);
	void *arg;
	struct obligation_batch *batch; /* owned, NULL: refused */
	size_t rows;
	enum claim_standing standing;
	int64_t now_ms, send_by_ms;
	const char *delivery_id, *channel_binding_id, *claimed_by; /* in room */
	char key[CLAIM_KEY];
	char room[];
};

static enum cg_status insert_claim(
	struct store_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"INSERT INTO claim(key, delivery_id, channel_binding_id, claimed_by,"
		" send_by_ms, created_ms, updated_ms) VALUES(?, ?, ?, ?, ?, ?6, ?6)",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->key);
	statement_bind_text(statement, 2, self->delivery_id);
	statement_bind_text(statement, 3, self->channel_binding_id);
	statement_bind_text(statement, 4, self->claimed_by);
	statement_bind_int(statement, 5, self->send_by_ms);
	statement_bind_int(statement, 6, self->now_ms);
	return statement_execute(statement, err);
}

/* All of them, or none: an id that another delivery has would never be sent. */
static enum cg_status insert_rows(
	struct store_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct claim_row rows[CLAIM_ROWS];
	size_t count = 0;
	enum cg_status status =
		obligation_batch_insert(self->batch, tx, &self->operation, err);

	if (status == CG_OK)
		status = read_rows(tx, self->key, rows, &count, err);
	if (status == CG_OK && count != self->rows)
		return cg_error_set(err, CG_EXISTS, "the delivery's id is taken");
	return status;
}

static enum cg_status store_new(
	struct store_operation *self, struct transaction *tx, struct cg_error *err)
{
	enum cg_status status = insert_claim(self, tx, err);

	return status == CG_OK ? insert_rows(self, tx, err) : status;
}

/* The delivery is known: whose it is now, and what is left to do. */
static enum cg_status store_again(struct store_operation *self, enum claim_state state,
	enum claim_outcome outcome, struct transaction *tx, struct cg_error *err)
{
	struct claim_row rows[CLAIM_ROWS];
	struct statement *statement = NULL;
	enum claim_state next = CLAIM_OPEN;
	enum cg_status status;
	size_t count = 0;

	if (state == CLAIM_OPEN) {
		self->standing = CLAIM_RUNNING;
	} else if (outcome == CLAIM_SENT ||
		   (outcome == CLAIM_DEAD && state == CLAIM_SETTLED)) {
		self->standing = CLAIM_REPEATED; /* the Cloud has not heard of it */
		next = CLAIM_SETTLED;
	} else {
		self->standing = CLAIM_REOPENED;
	}
	/* What was dead and comes again is somebody's second chance: its day begins anew. */
	status = transaction_prepare(tx,
		"UPDATE claim SET claimed_by = ?2, send_by_ms = ?3, state = ?4,"
		" created_ms = iif(state = 2 AND outcome = 2, ?5, created_ms),"
		" updated_ms = ?5, next_ms = 0 WHERE key = ?1",
		&statement, err);
	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->key);
	statement_bind_text(statement, 2, self->claimed_by);
	statement_bind_int(statement, 3, self->send_by_ms);
	statement_bind_int(statement, 4, next);
	statement_bind_int(statement, 5, self->now_ms);
	status = statement_execute(statement, err);
	if (status != CG_OK || self->standing != CLAIM_REOPENED)
		return status;
	status = read_rows(tx, self->key, rows, &count, err);
	if (status == CG_OK && count == 0) /* so long ago that they are forgotten */
		return insert_rows(self, tx, err);
	return status == CG_OK
		       ? reopen_rows(&self->operation, tx, self->key, self->now_ms, err)
		       : status;
}

static enum cg_status store_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct store_operation *self = arg;
	struct statement *statement = NULL;
	enum claim_state state = CLAIM_OPEN;
	enum claim_outcome outcome = CLAIM_SENT;
	bool known = false;
	enum cg_status status = run(tx,
		"DELETE FROM claim WHERE key IN (SELECT key FROM claim INDEXED BY"
		" claim_done WHERE state > 0 AND state = 2 AND updated_ms < ?1 LIMIT 8)",
		&(struct bound){.numbers = {self->now_ms - CLAIM_KEEP_MS}, .count = 1},
		err);

	if (status == CG_OK)
		status = prepare(tx, "SELECT state, outcome FROM claim WHERE key = ?1",
			&(struct bound){.text = self->key}, &statement, err);
	if (status != CG_OK)
		return status;
	status = statement_step(statement, &known, err);
	if (status == CG_OK && known) {
		state = (enum claim_state)statement_int(statement, 0);
		outcome = (enum claim_outcome)statement_int(statement, 1);
	}
	statement_finish(statement);
	if (status != CG_OK)
		return status;
	self->standing = CLAIM_NEW;
	return known ? store_again(self, state, outcome, tx, err)
		     : store_new(self, tx, err);
}

static void store_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct store_operation *self = (struct store_operation *)operation;

	(void)err;
	obligation_batch_release(self->batch, operation->journal);
	self->done(self->arg, status, self->standing);
}

void claim_store(struct journal *journal, const struct claim_seed *seed,
	const struct obligation *obligations, size_t count,
	void (*done)(void *arg, enum cg_status status, enum claim_standing standing),
	void *arg)
{
	size_t room = text_room(seed->delivery_id) + text_room(seed->channel_binding_id) +
		      text_room(seed->claimed_by);
	struct store_operation *self =
		operation_create(journal, sizeof(*self) + room, store_work, store_done);
	char *at = self->room;
	enum cg_status status = CG_INVALID;

	self->done = done;
	self->arg = arg;
	self->rows = count;
	self->now_ms = journal_now(journal);
	self->send_by_ms = seed->send_by_ms;
	self->delivery_id = text_place(&at, seed->delivery_id);
	self->channel_binding_id = text_place(&at, seed->channel_binding_id);
	self->claimed_by = text_place(&at, seed->claimed_by);
	claim_key(seed->channel_binding_id, seed->delivery_id, self->key);
	if (count > 0 && count <= CLAIM_ROWS &&
		strlen(seed->delivery_id) <= CLAIM_ID_MAX &&
		strlen(seed->channel_binding_id) <= CLAIM_ID_MAX &&
		strlen(seed->claimed_by) <= CLAIM_ID_MAX)
		status = obligation_batch_create(
			journal, obligations, count, &self->batch);
	if (status == CG_OK)
		operation_submit(&self->operation);
	else
		operation_refuse(&self->operation, status);
}

/* Collecting. */

struct collect_operation {
	struct operation operation;
	void (*page)(void *arg, enum cg_status status, const struct claim *claims,
		size_t count, int64_t open, int64_t next_ms);
	void *arg;
	int64_t now_ms, open, next_ms;
	size_t count;
	struct claim claims[CLAIM_PAGE];
};

/* What is to be done with an open claim. */
struct candidate {
	char key[CLAIM_KEY];
	int64_t send_by_ms;
};

/*
 * The rows of a claim, added up: is any unfinished, dead, or not to be sent within the claim?
 * A part that is dead makes the rest of its text useless, but the rest is sent all the same.
 */
static const char sum_sql[] =
	"SELECT sum(finished_ms IS NULL), sum(state = 4), sum(state = 5),"
	" max(CASE WHEN state IN (0, 3, 5) THEN not_before_ms ELSE 0 END),"
	" max(coalesce(detail, reason)), sum(state = 1)"
	" FROM outbox WHERE claim = ?1";

struct sum {
	int64_t unfinished, dead, returned, not_before_ms, in_flight;
	char error[CLAIM_ERROR];
};

static enum cg_status add_up(
	struct transaction *tx, const char *key, struct sum *ret, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status =
		prepare(tx, sum_sql, &(struct bound){.text = key}, &statement, err);

	*ret = (struct sum){.unfinished = 0};
	if (status != CG_OK)
		return status;
	status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		const char *error = statement_text(statement, 4);

		ret->unfinished = statement_int(statement, 0);
		ret->dead = statement_int(statement, 1);
		ret->returned = statement_int(statement, 2);
		ret->not_before_ms = statement_int(statement, 3);
		ret->in_flight = statement_int(statement, 5);
		cg_text_copy(ret->error, sizeof(ret->error), error == NULL ? "" : error);
	}
	statement_finish(statement);
	return status;
}

static enum cg_status settle_claim(struct transaction *tx, const char *key,
	const struct sum *sum, int64_t now_ms, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum claim_outcome outcome = sum->dead > 0       ? CLAIM_DEAD
				     : sum->returned > 0 ? CLAIM_RETURNED
							 : CLAIM_SENT;
	enum cg_status status = transaction_prepare(tx,
		"UPDATE claim SET state = 1, outcome = ?2, next_ms = ?3, error = ?4,"
		" updated_ms = ?5 WHERE key = ?1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, key);
	statement_bind_int(statement, 2, outcome);
	statement_bind_int(
		statement, 3, outcome == CLAIM_RETURNED ? sum->not_before_ms : 0);
	statement_bind_text(statement, 4, outcome == CLAIM_SENT ? "" : sum->error);
	statement_bind_int(statement, 5, now_ms);
	return statement_execute(statement, err);
}

static enum cg_status judge(struct collect_operation *self,
	const struct candidate *candidate, struct transaction *tx, struct cg_error *err)
{
	struct sum sum;
	enum cg_status status = add_up(tx, candidate->key, &sum, err);

	if (status == CG_OK && sum.unfinished > sum.in_flight &&
		(candidate->send_by_ms <= self->now_ms ||
			sum.not_before_ms > candidate->send_by_ms)) {
		status = take_back(
			&self->operation, tx, candidate->key, self->now_ms, err);
		if (status == CG_OK)
			status = add_up(tx, candidate->key, &sum, err);
	}
	if (status == CG_OK && sum.unfinished == 0)
		return settle_claim(tx, candidate->key, &sum, self->now_ms, err);
	if (candidate->send_by_ms > self->now_ms &&
		(self->next_ms == 0 || candidate->send_by_ms < self->next_ms))
		self->next_ms = candidate->send_by_ms;
	return status;
}

/* Open claims: those whose time ends first, and those with nothing left to send. */
static enum cg_status settle_some(
	struct collect_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct candidate candidates[CLAIM_SETTLE];
	struct statement *statement = NULL;
	size_t count = 0;
	bool row = false;
	enum cg_status status = prepare(tx,
		"SELECT key, send_by_ms FROM claim WHERE state = 0 ORDER BY"
		" EXISTS (SELECT 1 FROM outbox WHERE claim = claim.key"
		" AND finished_ms IS NULL AND not_before_ms <= claim.send_by_ms),"
		" send_by_ms LIMIT ?1",
		&(struct bound){.numbers = {CLAIM_SETTLE}, .count = 1}, &statement, err);

	if (status != CG_OK)
		return status;
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		cg_text_copy(
			candidates[count].key, CLAIM_KEY, statement_text(statement, 0));
		candidates[count++].send_by_ms = statement_int(statement, 1);
	}
	statement_finish(statement);
	for (size_t i = 0; i < count && status == CG_OK; i++)
		status = judge(self, &candidates[i], tx, err);
	return status;
}

static enum cg_status read_settled(
	struct collect_operation *self, struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = prepare(tx,
		"SELECT key, delivery_id, channel_binding_id, claimed_by, outcome,"
		" send_by_ms, next_ms, created_ms, error FROM claim INDEXED BY claim_done"
		" WHERE state > 0 AND state = 1 ORDER BY updated_ms LIMIT ?1",
		&(struct bound){.numbers = {CLAIM_PAGE}, .count = 1}, &statement, err);

	if (status != CG_OK)
		return status;
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		struct claim *claim = &self->claims[self->count++];
		char *const texts[] = {claim->key, claim->delivery_id,
			claim->channel_binding_id, claim->claimed_by};
		static const size_t sizes[] = {
			CLAIM_KEY, CLAIM_ID_MAX + 1, CLAIM_ID_MAX + 1, CLAIM_ID_MAX + 1};

		for (int i = 0; i < 4; i++)
			cg_text_copy(texts[i], sizes[i], statement_text(statement, i));
		claim->outcome = (enum claim_outcome)statement_int(statement, 4);
		claim->send_by_ms = statement_int(statement, 5);
		claim->next_ms = statement_int(statement, 6);
		claim->created_ms = statement_int(statement, 7);
		cg_text_copy(
			claim->error, sizeof(claim->error), statement_text(statement, 8));
	}
	statement_finish(statement);
	return status;
}

static enum cg_status collect_work(
	struct transaction *tx, void *arg, struct cg_error *err)
{
	struct collect_operation *self = arg;
	enum cg_status status = settle_some(self, tx, err);

	if (status == CG_OK)
		status = read_settled(self, tx, err);
	if (status == CG_OK)
		status = operation_count(tx,
			"SELECT (SELECT count(*) FROM claim INDEXED BY claim_open"
			" WHERE state = 0) + (SELECT count(*) FROM claim INDEXED BY"
			" claim_done WHERE state > 0 AND state = 1)",
			&self->open, err);
	return status;
}

static void collect_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct collect_operation *self = (struct collect_operation *)operation;

	(void)err;
	self->page(self->arg, status, self->claims, status == CG_OK ? self->count : 0,
		self->open, self->next_ms);
}

void claim_collect(struct journal *journal, int64_t now_ms,
	void (*page)(void *arg, enum cg_status status, const struct claim *claims,
		size_t count, int64_t open, int64_t next_ms),
	void *arg)
{
	struct collect_operation *self =
		operation_create(journal, sizeof(*self), collect_work, collect_done);

	self->page = page;
	self->arg = arg;
	self->now_ms = now_ms;
	operation_submit(&self->operation);
}

/* Closing. */

struct close_operation {
	struct operation operation;
	int64_t now_ms;
	char key[CLAIM_KEY];
};

static enum cg_status close_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct close_operation *self = arg;

	/* Served again meanwhile, it may be open again. */
	return run(tx,
		"UPDATE claim SET state = 2, updated_ms = ?2 WHERE key = ?1 AND state = "
		"1",
		&(struct bound){.text = self->key, .numbers = {self->now_ms}, .count = 1},
		err);
}

void claim_close(struct journal *journal, const char *key, int64_t now_ms,
	journal_done done, void *arg)
{
	struct close_operation *self =
		operation_create(journal, sizeof(*self), close_work, operation_tell);

	self->operation.done = done;
	self->operation.arg = arg;
	self->now_ms = now_ms;
	cg_text_copy(self->key, sizeof(self->key), key);
	operation_submit(&self->operation);
}
