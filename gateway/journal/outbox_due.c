/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scheduler may send next.
 *
 * The index over heads of lanes is sorted by instance, priority and due time.  So a question
 * costs one short scan for each instance and priority, longer only by the busy lanes that it
 * meets, and does not depend on how many rows or lanes there are.
 */
#include "gateway/journal/lane.h"
#include "gateway/journal/operation.h"
#include "gateway/journal/outbox.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>

#define DUE_BUSY_MAX 65536
#define DUE_INSTANCES \
	256 /* with unfinished rows, those that are configured no more included */

/* A head that may be sent. */
struct candidate {
	int64_t id;
	int64_t due_ms;
};

struct outbox_due_operation {
	struct operation operation;
	void (*page)(void *arg, enum cg_status status, struct outbox_row **rows,
		size_t count, int64_t next_due_ms);
	void *arg;
	int64_t now_ms;
	size_t limit;
	const char **paused; /* in room */
	size_t paused_count;
	size_t busy_count;
	const uint64_t *busy; /* in room */
	/* The answer. */
	struct outbox_row **rows; /* owned until told */
	size_t count;
	int64_t next_due_ms;
	/* Candidates of one priority. */
	struct candidate *candidates; /* owned */
	size_t candidate_count, candidate_room;
	char *instances[DUE_INSTANCES]; /* owned */
	size_t instance_count;
	uint64_t room[];
};

/* Columns of a row, texts first. */
enum {
#define OUTBOX_TEXT(column, value, limit) COLUMN_##column,
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
	COLUMN_slot_receipt,
	COLUMN_slot_lost,
	COLUMN_id,
	COLUMN_lane,
	COLUMN_is_direct,
	COLUMN_state,
	COLUMN_purpose,
	COLUMN_kind,
	COLUMN_file_bytes,
	COLUMN_part,
	COLUMN_parts,
	COLUMN_attempts,
	COLUMN_failures,
	COLUMN_maybe_duplicate,
	COLUMN_silent,
	COLUMN_created_ms,
	COLUMN_not_before_ms,
	COLUMN_deadline_ms,
};

static const char row_sql[] =
	"SELECT "
#define OUTBOX_TEXT(column, value, limit) #column ", "
#include "gateway/journal/outbox.def"
#undef OUTBOX_TEXT
	"(SELECT slot.receipt FROM outbox AS slot"
	" WHERE slot.delivery_id = outbox.slot_id AND slot.state = 2),"
	"EXISTS (SELECT 1 FROM outbox AS slot WHERE slot.delivery_id = outbox.slot_id"
	" AND slot.state = 5 AND slot.reason = 'ambiguous'),"
	" id, lane, is_direct, state, purpose, kind, file_bytes, part, parts, attempts, "
	"failures,"
	" maybe_duplicate, silent, created_ms, not_before_ms, deadline_ms"
	" FROM outbox WHERE id = ?1";

void outbox_row_destroy(struct outbox_row *row)
{
	if (row == NULL)
		return;
	cg_json_free(row->buttons);
	free(row);
}

static void read_texts(struct statement *statement, struct outbox_row *row)
{
	char *at = (char *)(row + 1);

	row->delivery_id = text_of_column(&at, statement, COLUMN_delivery_id);
	row->instance = text_of_column(&at, statement, COLUMN_instance);
	row->chat_id = text_of_column(&at, statement, COLUMN_chat_id);
	row->thread_id = text_of_column(&at, statement, COLUMN_thread_id);
	row->user_id = text_of_column(&at, statement, COLUMN_user_id);
	row->context = text_of_column(&at, statement, COLUMN_context);
	row->message_id = text_of_column(&at, statement, COLUMN_message_id);
	row->source = text_of_column(&at, statement, COLUMN_source);
	row->slot_id = text_of_column(&at, statement, COLUMN_slot_id);
	row->slot_receipt = text_of_column(&at, statement, COLUMN_slot_receipt);
	row->file_name = text_of_column(&at, statement, COLUMN_file_name);
	row->file_mime = text_of_column(&at, statement, COLUMN_file_mime);
	row->file_path = text_of_column(&at, statement, COLUMN_file_path);
	row->claim = text_of_column(&at, statement, COLUMN_claim);
}

static void read_numbers(struct statement *statement, struct outbox_row *row)
{
	row->id = statement_int(statement, COLUMN_id);
	row->lane = (uint64_t)statement_int(statement, COLUMN_lane);
	row->is_direct = statement_int(statement, COLUMN_is_direct) != 0;
	row->state = (enum outbox_state)statement_int(statement, COLUMN_state);
	row->purpose = (enum outbox_purpose)statement_int(statement, COLUMN_purpose);
	row->kind = (enum cg_outbound_kind)statement_int(statement, COLUMN_kind);
	row->file_bytes = (uint64_t)statement_int(statement, COLUMN_file_bytes);
	row->part = (unsigned)statement_int(statement, COLUMN_part);
	row->parts = (unsigned)statement_int(statement, COLUMN_parts);
	row->attempts = (unsigned)statement_int(statement, COLUMN_attempts);
	row->failures = (unsigned)statement_int(statement, COLUMN_failures);
	row->maybe_duplicate = statement_int(statement, COLUMN_maybe_duplicate) != 0;
	row->slot_lost = statement_int(statement, COLUMN_slot_lost) != 0;
	row->silent = statement_int(statement, COLUMN_silent) != 0;
	row->created_ms = statement_int(statement, COLUMN_created_ms);
	row->not_before_ms = statement_int(statement, COLUMN_not_before_ms);
	row->deadline_ms = statement_int(statement, COLUMN_deadline_ms);
}

/* The row and its texts are one allocation. */
static enum cg_status read_row(struct transaction *tx, int64_t id,
	struct outbox_row **ret, size_t *ret_bytes, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, row_sql, &statement, err);
	struct outbox_row *row = NULL;
	size_t bytes = 0;
	bool found = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	status = statement_step(statement, &found, err);
	if (status != CG_OK)
		return status;
	if (!found)
		return cg_error_set(err, CG_INTERNAL,
			"outbox row %lld is in an index only", (long long)id);
	for (int column = 0; column <= COLUMN_slot_receipt; column++)
		bytes += statement_bytes(statement, column) + 1;
	row = calloc(1, sizeof(*row) + bytes);
	if (row == NULL)
		return cg_error_nomem(err);
	read_texts(statement, row);
	read_numbers(statement, row);
	if (!statement_is_null(statement, COLUMN_buttons))
		status = cg_json_parse(statement_text(statement, COLUMN_buttons),
			statement_bytes(statement, COLUMN_buttons), &row->buttons, err);
	statement_finish(statement);
	if (status != CG_OK) {
		outbox_row_destroy(row);
		return status;
	}
	*ret = row;
	*ret_bytes = bytes;
	return CG_OK;
}

static bool is_paused(const struct outbox_due_operation *self, const char *instance)
{
	for (size_t i = 0; i < self->paused_count; i++) {
		if (strcmp(self->paused[i], instance) == 0)
			return true;
	}
	return false;
}

static int compare_lanes(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool is_busy(const struct outbox_due_operation *self, uint64_t lane)
{
	return self->busy_count > 0 && bsearch(&lane, self->busy, self->busy_count,
					       sizeof(lane), compare_lanes) != NULL;
}

/* The next instance with an unfinished head behind @after, NULL: none.  The caller frees. */
static enum cg_status next_instance(
	struct transaction *tx, const char *after, char **ret, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"SELECT instance FROM outbox INDEXED BY outbox_head"
		" WHERE head = 1 AND state <> 1 AND instance > ?1 ORDER BY instance "
		"LIMIT 1",
		&statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, after);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		*ret = strdup(statement_text(statement, 0));
		if (*ret == NULL)
			status = cg_error_nomem(err);
	}
	statement_finish(statement);
	return status;
}

static enum cg_status list_instances(
	struct outbox_due_operation *self, struct transaction *tx, struct cg_error *err)
{
	const char *after = "";
	enum cg_status status = CG_OK;

	while (self->instance_count < DUE_INSTANCES && status == CG_OK) {
		char *instance = NULL;

		status = next_instance(tx, after, &instance, err);
		if (instance == NULL)
			break;
		after = self->instances[self->instance_count++] = instance;
	}
	return status;
}

static enum cg_status add_candidate(struct outbox_due_operation *self,
	struct candidate candidate, struct cg_error *err)
{
	if (self->candidate_count == self->candidate_room) {
		size_t room = self->candidate_room == 0 ? self->limit
							: 2 * self->candidate_room;
		struct candidate *larger =
			realloc(self->candidates, room * sizeof(*larger));

		if (larger == NULL)
			return cg_error_nomem(err);
		self->candidates = larger;
		self->candidate_room = room;
	}
	self->candidates[self->candidate_count++] = candidate;
	return CG_OK;
}

/* The first heads of one instance and priority that are due, at most the limit. */
static enum cg_status scan_due(struct outbox_due_operation *self, struct transaction *tx,
	const char *instance, int rank, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"SELECT id, not_before_ms, lane FROM outbox INDEXED BY outbox_head"
		" WHERE head = 1 AND state <> 1 AND instance = ?1 AND rank = ?2"
		" AND not_before_ms <= ?3 ORDER BY not_before_ms, id",
		&statement, err);
	size_t found = 0;
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, instance);
	statement_bind_int(statement, 2, rank);
	statement_bind_int(statement, 3, self->now_ms);
	while (found < self->limit &&
		(status = statement_step(statement, &row, err)) == CG_OK && row) {
		struct candidate candidate = {
			statement_int(statement, 0), statement_int(statement, 1)};

		if (is_busy(self, (uint64_t)statement_int(statement, 2)))
			continue;
		status = add_candidate(self, candidate, err);
		if (status != CG_OK)
			break;
		found++;
	}
	statement_finish(statement);
	return status;
}

static enum cg_status scan_waiting(struct outbox_due_operation *self,
	struct transaction *tx, const char *instance, int rank, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx,
		"SELECT not_before_ms FROM outbox INDEXED BY outbox_head"
		" WHERE head = 1 AND state <> 1 AND instance = ?1 AND rank = ?2"
		" AND not_before_ms > ?3 ORDER BY not_before_ms LIMIT 1",
		&statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, instance);
	statement_bind_int(statement, 2, rank);
	statement_bind_int(statement, 3, self->now_ms);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && row) {
		int64_t due_ms = statement_int(statement, 0);

		if (self->next_due_ms == 0 || due_ms < self->next_due_ms)
			self->next_due_ms = due_ms;
	}
	statement_finish(statement);
	return status;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;

	if (left->due_ms != right->due_ms)
		return left->due_ms < right->due_ms ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Read the best candidates; *ret_full when the page takes no more. */
static enum cg_status take_candidates(struct outbox_due_operation *self,
	struct transaction *tx, size_t *bytes, struct cg_error *err)
{
	enum cg_status status = CG_OK;

	qsort(self->candidates, self->candidate_count, sizeof(*self->candidates),
		compare_candidates);
	for (size_t i = 0; i < self->candidate_count && status == CG_OK; i++) {
		size_t length = 0;

		if (self->count == self->limit || *bytes >= OUTBOX_DUE_BYTES)
			break;
		status = read_row(tx, self->candidates[i].id, &self->rows[self->count],
			&length, err);
		self->count += status == CG_OK;
		*bytes += length;
	}
	self->candidate_count = 0;
	return status;
}

static enum cg_status due_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct outbox_due_operation *self = arg;
	enum cg_status status = list_instances(self, tx, err);
	size_t bytes = 0;

	self->rows = calloc(self->limit, sizeof(struct outbox_row *));
	if (self->rows == NULL)
		return cg_error_nomem(err);
	for (int rank = 0; rank < OUTBOX_RANKS && status == CG_OK; rank++) {
		bool full = self->count == self->limit || bytes >= OUTBOX_DUE_BYTES;

		for (size_t i = 0; i < self->instance_count && status == CG_OK; i++) {
			if (is_paused(self, self->instances[i]))
				continue;
			status = scan_waiting(self, tx, self->instances[i], rank, err);
			if (status == CG_OK && !full)
				status =
					scan_due(self, tx, self->instances[i], rank, err);
		}
		if (status == CG_OK && self->candidate_count > 0)
			status = take_candidates(self, tx, &bytes, err);
	}
	return status;
}

static void due_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct outbox_due_operation *self = (struct outbox_due_operation *)operation;

	(void)err;
	for (size_t i = 0; i < self->instance_count; i++)
		free(self->instances[i]);
	free(self->candidates);
	if (status == CG_OK) {
		self->page(self->arg, CG_OK, self->rows, self->count, self->next_due_ms);
		return;
	}
	for (size_t i = 0; i < self->count; i++)
		outbox_row_destroy(self->rows[i]);
	free(self->rows);
	self->page(self->arg, status, NULL, 0, 0);
}

void outbox_due(struct journal *journal, const struct outbox_query *query,
	void (*page)(void *arg, enum cg_status status, struct outbox_row **rows,
		size_t count, int64_t next_due_ms),
	void *arg)
{
	size_t busy_room = query->busy_count * sizeof(query->busy[0]);
	size_t paused_room = query->paused_count * sizeof(query->paused[0]);
	size_t text = 0;
	struct outbox_due_operation *self;
	char *at;

	for (size_t i = 0; i < query->paused_count; i++)
		text += text_room(query->paused[i]);
	self = operation_create(journal, sizeof(*self) + busy_room + paused_room + text,
		due_work, due_done);
	self->page = page;
	self->arg = arg;
	self->now_ms = query->now_ms;
	self->limit = query->limit;
	if (query->limit < 1 || query->limit > OUTBOX_DUE_MAX ||
		query->busy_count > DUE_BUSY_MAX) {
		operation_refuse(&self->operation, CG_INVALID);
		return;
	}
	self->busy = self->room;
	self->busy_count = query->busy_count;
	if (busy_room > 0)
		memcpy(self->room, query->busy, busy_room);
	self->paused = (const char **)(self->room + query->busy_count);
	self->paused_count = query->paused_count;
	at = (char *)(self->paused + query->paused_count);
	for (size_t i = 0; i < query->paused_count; i++)
		self->paused[i] = text_place(&at, query->paused[i]);
	operation_submit(&self->operation);
}
