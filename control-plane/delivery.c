/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/delivery.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS \
	"SELECT id, delivery_id, agent_id, channel_binding_id, session_binding_id, " \
	"provider," \
	" target, event_type, payload, status, attempt_count, claimed_by, " \
	"last_claimed_by," \
	" claim_expires_at, next_attempt_at, last_error, created_at, updated_at" \
	" FROM delivery "

#define RETRY_BASE_MS 1000
#define RETRY_MAX_MS (5 * 60 * 1000)

static struct json_object *delivery_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object();

	cg_json_put_string(record, "deliveryId", statement_text(row, 1));
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "agentId", statement_text(row, 2));
	cg_json_put_string(record, "channelBindingId", statement_text(row, 3));
	cg_json_put_string(record, "sessionBindingId", statement_text(row, 4));
	cg_json_put_string(record, "provider", statement_text(row, 5));
	put_stored(record, "target", statement_text(row, 6));
	cg_json_put_string(record, "eventType", statement_text(row, 7));
	put_stored(record, "payload", statement_text(row, 8));
	cg_json_put_string(record, "status", statement_text(row, 9));
	cg_json_put_int(record, "attemptCount", statement_int(row, 10));
	cg_json_put_string(record, "claimedBy", statement_text(row, 11));
	cg_json_put_string(record, "lastClaimedBy", statement_text(row, 12));
	cg_json_put_time(record, "claimExpiresAt", statement_int(row, 13));
	cg_json_put_time(record, "nextAttemptAt", statement_int(row, 14));
	cg_json_put_string(record, "lastError", statement_text(row, 15));
	cg_json_put_time(record, "createdAt", statement_int(row, 16));
	cg_json_put_time(record, "updatedAt", statement_int(row, 17));
	return record;
}

static enum cg_status read_row(
	struct change *change, int64_t id, struct json_object **ret)
{
	struct statement *row;
	enum cg_status status =
		change_first(change, COLUMNS "WHERE id = ?", BIND(INT(id)), &row);

	*ret = row == NULL ? NULL : delivery_json(row);
	statement_finish(row);
	return status;
}

/* The only row of this name; 0 when there is none or more than one. */
static enum cg_status find_row(
	struct change *change, const struct delivery_name *name, int64_t *ret)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		"SELECT max(id), count(*) FROM delivery WHERE delivery_id = ?1"
		" AND (?2 IS NULL OR channel_binding_id = ?2)",
		BIND(TEXT(name->delivery_id), TEXT(name->channel_binding_id)), &row);

	*ret = 0;
	if (status == CG_OK && row != NULL && statement_int(row, 1) == 1)
		*ret = statement_int(row, 0);
	statement_finish(row);
	return status;
}

/* Bounded in both states: unsettled rows refuse new ones, settled rows give way. */
static enum cg_status make_room(struct change *change)
{
	int64_t open = 0;
	enum cg_status status = change_number(change,
		"SELECT count(*) FROM delivery WHERE due IS NOT NULL", NO_VALUES, &open);

	if (status == CG_OK && open >= DELIVERY_OPEN)
		return cg_error_set(change->err, CG_LIMIT, "too many deliveries wait");
	if (status == CG_OK)
		status = change_run(change,
			"DELETE FROM delivery WHERE id IN (SELECT id FROM delivery"
			" WHERE due IS NULL ORDER BY id DESC LIMIT -1 OFFSET ?)",
			BIND(INT(DELIVERY_KEEP)));
	return status;
}

enum cg_status delivery_insert(
	struct change *change, const struct delivery_seed *seed, struct json_object **ret)
{
	const struct channel *channel = seed->channel;
	const struct delivery_name name = {seed->delivery_id, channel->binding_id};
	char id[RANDOM_ID];
	int64_t row = 0;
	int64_t due = seed->next_attempt_at == 0 ? change->now : seed->next_attempt_at;
	enum cg_status status = CG_OK;

	random_id(id);
	if (seed->delivery_id != NULL)
		status = find_row(change, &name, &row);
	if (status == CG_OK && row != 0)
		return read_row(change, row, ret);
	if (status == CG_OK)
		status = make_room(change);
	if (status == CG_OK)
		status = change_run(change,
			"INSERT INTO delivery (delivery_id, agent_id, channel_binding_id,"
			" session_binding_id, provider, target, event_type, payload, "
			"status,"
			" next_attempt_at, due, created_at, updated_at)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?9, ?9, ?10, ?10)",
			BIND(TEXT(seed->delivery_id == NULL ? id : seed->delivery_id),
				TEXT(channel->agent_id), TEXT(channel->binding_id),
				TEXT(seed->session_binding_id), TEXT(channel->provider),
				TEXT(cg_json_text(seed->target, NULL)),
				TEXT(seed->event_type),
				TEXT(cg_json_text(seed->payload, NULL)), INT(due),
				INT(change->now)));
	if (status != CG_OK)
		return status;
	change->deliveries = true;
	return read_row(change, transaction_rowid(change->tx), ret);
}

static bool wanted(const struct delivery_claim *claim, const char *binding)
{
	for (size_t i = 0; i < claim->binding_count; i++) {
		if (strcmp(claim->bindings[i], binding) == 0)
			return true;
	}
	return claim->binding_count == 0;
}

struct due_row {
	int64_t id;
	int64_t due;
};

/* The rows to claim; the one after them tells when to look again. */
static enum cg_status find_due(struct change *change, const struct delivery_claim *claim,
	struct due_row ret[DELIVERY_PAGE], size_t *ret_count, int64_t *ret_next)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT id, due, channel_binding_id FROM delivery"
		" WHERE due IS NOT NULL ORDER BY due, id",
		NO_VALUES, &rows);

	*ret_count = 0;
	*ret_next = 0;
	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		if (!wanted(claim, statement_text(rows, 2)))
			continue;
		*ret_next = statement_int(rows, 1);
		if (*ret_next > change->now || *ret_count == DELIVERY_PAGE)
			break;
		ret[*ret_count] = (struct due_row){statement_int(rows, 0), *ret_next};
		(*ret_count)++;
		*ret_next = 0;
	}
	statement_finish(rows);
	return status;
}

enum cg_status delivery_claim_due(
	struct change *change, const struct delivery_claim *claim, int64_t *ret_next)
{
	struct due_row due[DELIVERY_PAGE];
	size_t count;
	int64_t expires_at = change->now + claim->ttl_ms;
	enum cg_status status = find_due(change, claim, due, &count, ret_next);

	for (size_t i = 0; status == CG_OK && i < count; i++) {
		struct json_object *data, *record = NULL;

		status = change_run(change,
			"UPDATE delivery SET status = 'claimed', claimed_by = ?,"
			" last_claimed_by = ?, claim_expires_at = ?3, due = ?3,"
			" attempt_count = attempt_count + 1, updated_at = ? WHERE id = ?",
			BIND(TEXT(claim->claimed_by), TEXT(claim->last_claimed_by),
				INT(expires_at), INT(change->now), INT(due[i].id)));
		if (status == CG_OK)
			status = read_row(change, due[i].id, &record);
		if (status != CG_OK)
			break;
		data = cg_json_new_object();
		cg_json_put(data, "delivery", record);
		status = change_publish(change, 0, -1, "channel.delivery", data);
	}
	if (status == CG_OK && count > 0 && (*ret_next == 0 || expires_at < *ret_next))
		*ret_next = expires_at;
	return status;
}

static int64_t retry_at(struct change *change, int64_t attempts)
{
	int64_t delay = RETRY_BASE_MS;

	for (int64_t i = 1; i < attempts && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	return change->now + (delay < RETRY_MAX_MS ? delay : RETRY_MAX_MS);
}

enum cg_status delivery_acknowledge(struct change *change,
	const struct delivery_name *name, const struct delivery_ack *ack,
	struct json_object **ret)
{
	char error[1025];
	int64_t row, attempts = 0, next = ack->next_attempt_at;
	bool failed = strcmp(ack->state, "failed") == 0;
	enum cg_status status = find_row(change, name, &row);

	*ret = NULL;
	if (status != CG_OK || row == 0)
		return status;
	if (failed && next == 0) {
		status = change_number(change,
			"SELECT attempt_count FROM delivery WHERE id = ?", BIND(INT(row)),
			&attempts);
		next = retry_at(change, attempts);
	}
	if (status != CG_OK)
		return status;
	cg_text_copy(
		error, sizeof(error), ack->last_error == NULL ? "" : ack->last_error);
	status = change_run(change,
		"UPDATE delivery SET status = ?1, claimed_by = NULL, claim_expires_at = "
		"0,"
		" next_attempt_at = ?2, due = CASE ?1 WHEN 'failed' THEN ?2 END,"
		" last_error = ?3, updated_at = ?4"
		" WHERE id = ?5 AND status = 'claimed' AND claimed_by = ?6"
		" AND (?7 IS NULL OR last_claimed_by = ?7)",
		BIND(TEXT(ack->state), INT(failed ? next : change->now),
			TEXT(*error == '\0' ? NULL : error), INT(change->now), INT(row),
			TEXT(ack->claimed_by), TEXT(ack->last_claimed_by)));
	if (status != CG_OK || !change_touched(change))
		return status;
	change->deliveries = failed;
	return read_row(change, row, ret);
}

enum cg_status delivery_retry(
	struct change *change, const struct delivery_name *name, struct json_object **ret)
{
	int64_t row;
	enum cg_status status = find_row(change, name, &row);

	*ret = NULL;
	if (status != CG_OK || row == 0)
		return status;
	status = change_run(change,
		"UPDATE delivery SET status = 'failed', next_attempt_at = ?1, due = ?1,"
		" last_error = NULL, updated_at = ?1"
		" WHERE id = ? AND status IN ('pending', 'failed', 'dead')",
		BIND(INT(change->now), INT(row)));
	if (status == CG_OK && !change_touched(change))
		return cg_error_set(change->err, CG_CONFLICT,
			"a delivery that was sent, or is being sent, is not retried");
	change->deliveries = true;
	return status == CG_OK ? read_row(change, row, ret) : status;
}

enum cg_status delivery_bury(struct change *change, const struct delivery_name *name,
	const char *last_error, struct json_object **ret)
{
	char error[1025];
	int64_t row;
	enum cg_status status = find_row(change, name, &row);

	*ret = NULL;
	if (status != CG_OK || row == 0)
		return status;
	cg_text_copy(error, sizeof(error),
		last_error == NULL ? "Given up by the operator." : last_error);
	status = change_run(change,
		"UPDATE delivery SET status = 'dead', due = NULL, claimed_by = NULL,"
		" claim_expires_at = 0, last_error = ?, updated_at = ?"
		" WHERE id = ? AND status IN ('pending', 'failed', 'claimed')",
		BIND(TEXT(error), INT(change->now), INT(row)));
	if (status == CG_OK && !change_touched(change))
		return cg_error_set(change->err, CG_CONFLICT,
			"a delivery that was sent or is dead stays so");
	return status == CG_OK ? read_row(change, row, ret) : status;
}

enum cg_status delivery_list(struct change *change, const struct delivery_filter *filter,
	struct json_object *array)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		COLUMNS
		"WHERE (?1 IS NULL OR delivery_id = ?1) AND (?2 IS NULL OR status = ?2)"
		" AND (?3 IS NULL OR channel_binding_id = ?3)"
		" AND (?5 IS NULL OR last_claimed_by = ?5)"
		" ORDER BY updated_at DESC, id DESC LIMIT ?4",
		BIND(TEXT(filter->delivery_id), TEXT(filter->state),
			TEXT(filter->channel_binding_id), INT(filter->limit),
			TEXT(filter->last_claimed_by)),
		&rows);

	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		cg_json_append(array, delivery_json(rows));
	}
	statement_finish(rows);
	return status;
}
