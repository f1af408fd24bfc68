/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deliveries as the operator sees them: one JSON object in the shape that a Cloud has for its
 * deliveries, with what only we know in members behind it.
 *
 * The five statuses of that shape are fewer than our states.  "failed" is what will be tried
 * again: pending after an attempt, and unknown.  A superseded slot has never been sent and its
 * final stands for it, so lists leave it out; asked for by its id it is "dead" with the reason
 * "superseded".
 */
#include "gateway/journal/outbox_record.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

#define RECORD_PREVIEW 512 /* characters of the text */
#define LIST_MAX 200

enum {
	COLUMN_delivery_id,
	COLUMN_instance,
	COLUMN_chat_id,
	COLUMN_thread_id,
	COLUMN_user_id,
	COLUMN_context,
	COLUMN_message_id,
	COLUMN_is_direct,
	COLUMN_session_id,
	COLUMN_binding_id,
	COLUMN_purpose,
	COLUMN_state,
	COLUMN_part,
	COLUMN_parts,
	COLUMN_attempts,
	COLUMN_maybe_duplicate,
	COLUMN_created_ms,
	COLUMN_updated_ms,
	COLUMN_not_before_ms,
	COLUMN_deadline_ms,
	COLUMN_platform_status,
	COLUMN_receipt,
	COLUMN_outcome,
	COLUMN_scope,
	COLUMN_reason,
	COLUMN_detail,
	COLUMN_source,
};

static const char record_sql[] =
	"SELECT delivery_id, instance, chat_id, thread_id, user_id, context, message_id, "
	"is_direct,"
	" session_id, binding_id, purpose, state, part, parts, attempts, maybe_duplicate,"
	" created_ms, updated_ms, not_before_ms, deadline_ms, platform_status, receipt, "
	"outcome,"
	" scope, reason, detail, substr(source, 1, ?2) FROM outbox WHERE id = ?1";

static const char *status_name(enum outbox_state state, int64_t attempts)
{
	switch (state) {
	case OUTBOX_PENDING:
		return attempts == 0 ? "pending" : "failed";
	case OUTBOX_SENDING:
		return "claimed";
	case OUTBOX_SENT:
		return "sent";
	case OUTBOX_UNKNOWN:
		return "failed";
	case OUTBOX_DEAD:
	case OUTBOX_SUPERSEDED:
		break;
	}
	return "dead";
}

static struct json_object *target_of(struct statement *row)
{
	struct json_object *target = cg_json_new_object();

	cg_json_put_string(target, "chatId", statement_text(row, COLUMN_chat_id));
	cg_json_put_string(target, "threadId", statement_text(row, COLUMN_thread_id));
	cg_json_put_string(target, "userId", statement_text(row, COLUMN_user_id));
	cg_json_put_string(target, "messageId", statement_text(row, COLUMN_message_id));
	cg_json_put_bool(target, "isDirect", statement_int(row, COLUMN_is_direct) != 0);
	return target;
}

static struct json_object *payload_of(struct statement *row)
{
	struct json_object *payload = cg_json_new_object();

	cg_json_put_string(payload, "text", statement_text(row, COLUMN_source));
	cg_json_put_int(payload, "part", statement_int(row, COLUMN_part));
	cg_json_put_int(payload, "parts", statement_int(row, COLUMN_parts));
	return payload;
}

static void put_status(struct json_object *record, struct statement *row)
{
	enum outbox_state state = (enum outbox_state)statement_int(row, COLUMN_state);
	int64_t attempts = statement_int(row, COLUMN_attempts);
	const char *detail = statement_text(row, COLUMN_detail);
	const char *reason = statement_text(row, COLUMN_reason);

	cg_json_put_string(record, "status", status_name(state, attempts));
	cg_json_put_int(record, "attemptCount", attempts);
	cg_json_put_null(record, "claimedBy");
	cg_json_put_null(record, "lastClaimedBy");
	cg_json_put_null(record, "claimExpiresAt");
	if (outbox_unfinished(state))
		cg_json_put_time(record, "nextAttemptAt",
			statement_int(row, COLUMN_not_before_ms));
	else
		cg_json_put_null(record, "nextAttemptAt");
	cg_json_put_string(record, "lastError",
		state == OUTBOX_SENT ? NULL
		: detail != NULL     ? detail
				     : reason);
}

static void put_extension(struct json_object *record, struct statement *row)
{
	enum outbox_state state = (enum outbox_state)statement_int(row, COLUMN_state);

	cg_json_put_string(record, "state", outbox_state_name(state));
	cg_json_put_string(record, "instance", statement_text(row, COLUMN_instance));
	cg_json_put_string(record, "sessionId", statement_text(row, COLUMN_session_id));
	cg_json_put_string(record, "context", statement_text(row, COLUMN_context));
	cg_json_put_string(record, "outcome", statement_text(row, COLUMN_outcome));
	cg_json_put_string(record, "scope", statement_text(row, COLUMN_scope));
	cg_json_put_string(record, "reason", statement_text(row, COLUMN_reason));
	cg_json_put_int(
		record, "platformStatus", statement_int(row, COLUMN_platform_status));
	cg_json_put_string(record, "detail", statement_text(row, COLUMN_detail));
	cg_json_put_string(record, "receipt", statement_text(row, COLUMN_receipt));
	cg_json_put_bool(record, "maybeDuplicate",
		statement_int(row, COLUMN_maybe_duplicate) != 0);
	cg_json_put_time(record, "deadlineAt", statement_int(row, COLUMN_deadline_ms));
}

static struct json_object *record_of(struct statement *row)
{
	enum outbox_purpose purpose =
		(enum outbox_purpose)statement_int(row, COLUMN_purpose);
	struct json_object *record = cg_json_new_object();

	cg_json_put_string(record, "deliveryId", statement_text(row, COLUMN_delivery_id));
	cg_json_put_string(record, "orgId", "local");
	cg_json_put_null(record, "agentId");
	cg_json_put_null(record, "channelBindingId");
	cg_json_put_string(
		record, "sessionBindingId", statement_text(row, COLUMN_binding_id));
	cg_json_put_string(record, "provider", statement_text(row, COLUMN_instance));
	cg_json_put(record, "target", target_of(row));
	cg_json_put_string(record, "eventType", outbox_purpose_name(purpose));
	cg_json_put(record, "payload", payload_of(row));
	put_status(record, row);
	cg_json_put_time(record, "createdAt", statement_int(row, COLUMN_created_ms));
	cg_json_put_time(record, "updatedAt", statement_int(row, COLUMN_updated_ms));
	put_extension(record, row);
	return record;
}

enum cg_status outbox_record(struct transaction *tx, int64_t id, struct json_object **ret,
	struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, record_sql, &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, id);
	statement_bind_int(statement, 2, RECORD_PREVIEW);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && !row)
		status = cg_error_set(err, CG_NOT_FOUND, "no such delivery");
	if (status == CG_OK)
		*ret = record_of(statement);
	statement_finish(statement);
	return status;
}

enum cg_status outbox_find(struct transaction *tx, const char *delivery_id,
	int64_t *ret_id, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(
		tx, "SELECT id FROM outbox WHERE delivery_id = ?1", &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, delivery_id);
	status = statement_step(statement, &row, err);
	if (status == CG_OK && !row)
		status = cg_error_set(
			err, CG_NOT_FOUND, "no delivery has the id %s", delivery_id);
	if (status == CG_OK)
		*ret_id = statement_int(statement, 0);
	statement_finish(statement);
	return status;
}

/*
 * Lists.  Finished rows are found newest first by their state, unfinished ones by looking at
 * all of them: there is a cap on those.  Both take the instance as ?1 (NULL: any) and the
 * limit as ?2.
 */
#define LIST_COLUMNS "SELECT id, updated_ms, created_ms FROM outbox "
#define LIST_INSTANCE " AND (?1 IS NULL OR instance = ?1)"
#define LIST_ORDER " ORDER BY updated_ms DESC, created_ms DESC, id DESC LIMIT ?2"
#define LIST_UNFINISHED(state) \
	LIST_COLUMNS "INDEXED BY outbox_lane WHERE finished_ms IS NULL AND " state \
		LIST_INSTANCE LIST_ORDER
#define LIST_FINISHED(state) \
	LIST_COLUMNS \
	"INDEXED BY outbox_finished WHERE finished_ms IS NOT NULL AND " state \
		LIST_INSTANCE " ORDER BY finished_ms DESC, id DESC LIMIT ?2"

static const struct {
	const char *status;
	const char *sql;
} list_parts[] = {
	{"pending", LIST_UNFINISHED("state = 0 AND attempts = 0")},
	{"claimed", LIST_UNFINISHED("state = 1")},
	{"failed", LIST_UNFINISHED("(state = 3 OR (state = 0 AND attempts > 0))")},
	{"sent", LIST_FINISHED("state = 2")},
	{"dead", LIST_FINISHED("state = 4")},
};

#define LIST_PARTS (sizeof(list_parts) / sizeof(*list_parts))

struct list_entry {
	int64_t id, updated_ms, created_ms;
};

struct list_operation {
	struct operation operation;
	void (*done)(void *arg, enum cg_status status, struct json_object *deliveries);
	void *arg;
	const char *delivery_id, *status, *instance; /* in room, or NULL */
	size_t limit;
	struct json_object *deliveries; /* owned */
	struct list_entry entries[LIST_PARTS * LIST_MAX];
	size_t count;
	char room[];
};

static int compare_entries(const void *a, const void *b)
{
	const struct list_entry *left = a;
	const struct list_entry *right = b;

	if (left->updated_ms != right->updated_ms)
		return left->updated_ms > right->updated_ms ? -1 : 1;
	if (left->created_ms != right->created_ms)
		return left->created_ms > right->created_ms ? -1 : 1;
	return left->id > right->id ? -1 : left->id < right->id;
}

static enum cg_status list_part(struct list_operation *self, const char *sql,
	struct transaction *tx, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, sql, &statement, err);
	bool row = false;

	if (status != CG_OK)
		return status;
	statement_bind_text(statement, 1, self->instance);
	statement_bind_int(statement, 2, (int64_t)self->limit);
	while ((status = statement_step(statement, &row, err)) == CG_OK && row) {
		self->entries[self->count++] =
			(struct list_entry){statement_int(statement, 0),
				statement_int(statement, 1), statement_int(statement, 2)};
	}
	statement_finish(statement);
	return status;
}

static enum cg_status list_one(
	struct list_operation *self, struct transaction *tx, struct cg_error *err)
{
	int64_t id = 0;
	struct json_object *record = NULL;
	enum cg_status status = outbox_find(tx, self->delivery_id, &id, err);

	if (status == CG_NOT_FOUND)
		return CG_OK;
	if (status == CG_OK)
		status = outbox_record(tx, id, &record, err);
	if (status != CG_OK)
		return status;
	if ((self->status == NULL ||
		    strcmp(self->status, cg_json_string(record, "status")) == 0) &&
		(self->instance == NULL ||
			strcmp(self->instance, cg_json_string(record, "instance")) == 0))
		cg_json_append(self->deliveries, record);
	else
		cg_json_free(record);
	return CG_OK;
}

static enum cg_status list_work(struct transaction *tx, void *arg, struct cg_error *err)
{
	struct list_operation *self = arg;
	enum cg_status status = CG_OK;

	self->deliveries = cg_json_new_array();
	if (self->delivery_id != NULL)
		return list_one(self, tx, err);
	for (size_t i = 0; i < LIST_PARTS && status == CG_OK; i++) {
		if (self->status == NULL ||
			strcmp(self->status, list_parts[i].status) == 0)
			status = list_part(self, list_parts[i].sql, tx, err);
	}
	qsort(self->entries, self->count, sizeof(*self->entries), compare_entries);
	for (size_t i = 0; i < self->count && i < self->limit && status == CG_OK; i++) {
		struct json_object *record = NULL;

		status = outbox_record(tx, self->entries[i].id, &record, err);
		if (status == CG_OK)
			cg_json_append(self->deliveries, record);
	}
	return status;
}

static void list_done(
	struct operation *operation, enum cg_status status, const struct cg_error *err)
{
	struct list_operation *self = (struct list_operation *)operation;

	(void)err;
	self->done(self->arg, status, status == CG_OK ? self->deliveries : NULL);
	cg_json_free(self->deliveries);
}

void outbox_list(struct journal *journal, const struct outbox_filter *filter,
	void (*done)(void *arg, enum cg_status status, struct json_object *deliveries),
	void *arg)
{
	size_t room = text_room(filter->delivery_id) + text_room(filter->status) +
		      text_room(filter->instance);
	struct list_operation *self =
		operation_create(journal, sizeof(*self) + room, list_work, list_done);
	char *at = self->room;

	self->done = done;
	self->arg = arg;
	self->delivery_id = text_place(&at, filter->delivery_id);
	self->status = text_place(&at, filter->status);
	self->instance = text_place(&at, filter->instance);
	self->limit = (size_t)filter->limit;
	if (filter->limit < 1 || filter->limit > LIST_MAX)
		operation_refuse(&self->operation, CG_INVALID);
	else
		operation_read(&self->operation);
}
