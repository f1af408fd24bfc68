/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/provider_event.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define COLUMNS \
	"SELECT event_id, channel_binding_id, provider, provider_instance_id," \
	" external_workspace_id, provider_event_id, event_type, status, claimed_by," \
	" claim_expires_at, attempt_count, retryable, last_error, metadata, " \
	"processed_at," \
	" created_at, updated_at FROM provider_event "

static struct json_object *event_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object();
	struct json_object *metadata = NULL;

	cg_json_put_string(record, "eventId", statement_text(row, 0));
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "channelBindingId", statement_text(row, 1));
	cg_json_put_string(record, "provider", statement_text(row, 2));
	cg_json_put_string(record, "providerInstanceId", statement_text(row, 3));
	put_optional(record, "externalWorkspaceId", statement_text(row, 4));
	cg_json_put_string(record, "providerEventId", statement_text(row, 5));
	cg_json_put_string(record, "eventType", statement_text(row, 6));
	cg_json_put_string(record, "status", statement_text(row, 7));
	cg_json_put_string(record, "claimedBy", statement_text(row, 8));
	put_time(record, "claimExpiresAt", statement_int(row, 9));
	cg_json_put_int(record, "attemptCount", statement_int(row, 10));
	cg_json_put_bool(record, "retryable", statement_int(row, 11) != 0);
	cg_json_put_string(record, "lastError", statement_text(row, 12));
	cg_json_parse(statement_text(row, 13), statement_bytes(row, 13), &metadata, NULL);
	if (metadata == NULL)
		metadata = cg_json_new_object();
	cg_json_put_string(metadata, "channelBindingId", statement_text(row, 1));
	cg_json_put(record, "metadata", metadata);
	put_time(record, "processedAt", statement_int(row, 14));
	put_time(record, "createdAt", statement_int(row, 15));
	put_time(record, "updatedAt", statement_int(row, 16));
	return record;
}

static enum cg_status read_event(
	struct change *change, const char *event_id, struct json_object **ret)
{
	struct statement *row;
	enum cg_status status = change_first(
		change, COLUMNS "WHERE event_id = ?", BIND(TEXT(event_id)), &row);

	*ret = row == NULL ? NULL : event_json(row);
	statement_finish(row);
	return status;
}

/* Oldest first, a few at a time, so that no claim pays for a long clean-up. */
static enum cg_status sweep(struct change *change, int64_t newest)
{
	if (newest % PROVIDER_EVENT_SWEEP != 0)
		return CG_OK;
	return change_run(change,
		"DELETE FROM provider_event WHERE id IN (SELECT id FROM provider_event"
		" ORDER BY id LIMIT ?1)"
		" AND (updated_at < ?2 OR (id <= ?3 AND status <> 'processing'))",
		BIND(INT(2 * PROVIDER_EVENT_SWEEP),
			INT(change->now - PROVIDER_EVENT_KEEP_MS),
			INT(newest - PROVIDER_EVENT_ROWS)));
}

static enum cg_status insert_event(struct change *change, const struct channel *channel,
	const struct provider_claim *claim, const char *event_id)
{
	enum cg_status status = change_run(change,
		"INSERT INTO provider_event (event_id, channel_binding_id, provider,"
		" provider_instance_id, external_workspace_id, provider_event_id, "
		"event_type,"
		" status, claimed_by, claim_expires_at, attempt_count, retryable, "
		"metadata,"
		" created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, 1, 1, ?, ?11, ?11)",
		BIND(TEXT(event_id), TEXT(channel->binding_id), TEXT(claim->provider),
			TEXT(claim->instance), TEXT(channel->workspace),
			TEXT(claim->event_id), TEXT(claim->event_type),
			TEXT(claim->claimed_by), INT(change->now + claim->ttl_ms),
			TEXT(claim->metadata == NULL
					? "{}"
					: cg_json_text(claim->metadata, NULL)),
			INT(change->now)));

	return status == CG_OK ? sweep(change, transaction_rowid(change->tx)) : status;
}

enum cg_status provider_event_claim(struct change *change, const struct channel *channel,
	const struct provider_claim *claim, struct json_object **ret, bool *ret_claimed)
{
	char event_id[HASHED_ID];
	struct statement *row;
	bool known;
	enum cg_status status;

	*ret = NULL;
	hashed_id("channel_provider_event_",
		(const char *const[]){PLANE_ORG, channel->binding_id, claim->provider,
			claim->instance, channel->workspace, claim->event_type,
			claim->event_id},
		7, event_id);
	status = change_first(change, "SELECT 1 FROM provider_event WHERE event_id = ?",
		BIND(TEXT(event_id)), &row);
	known = row != NULL;
	statement_finish(row);
	if (status == CG_OK && !known) {
		*ret_claimed = true;
		status = insert_event(change, channel, claim, event_id);
	} else if (status == CG_OK) {
		status = change_run(change,
			"UPDATE provider_event SET status = 'processing', claimed_by = ?,"
			" claim_expires_at = ?, attempt_count = attempt_count + 1,"
			" updated_at = ?3 WHERE event_id = ?4"
			" AND ((status = 'processing' AND claim_expires_at <= ?3)"
			" OR (status = 'failed' AND retryable = 1))",
			BIND(TEXT(claim->claimed_by), INT(change->now + claim->ttl_ms),
				INT(change->now), TEXT(event_id)));
		*ret_claimed = status == CG_OK && change_touched(change);
	}
	return status == CG_OK ? read_event(change, event_id, ret) : status;
}

enum cg_status provider_event_complete(struct change *change, const char *event_id,
	const struct provider_outcome *outcome, struct json_object **ret)
{
	char error[1025];
	enum cg_status status;

	*ret = NULL;
	cg_text_copy(error, sizeof(error),
		outcome->last_error == NULL ? "" : outcome->last_error);
	status = change_run(change,
		"UPDATE provider_event SET status = ?1, retryable = ?2, last_error = ?3,"
		" claimed_by = NULL, claim_expires_at = 0,"
		" processed_at = CASE ?1 WHEN 'processed' THEN ?4 ELSE 0 END, updated_at "
		"= ?4"
		" WHERE event_id = ?5 AND claimed_by = ?6 AND status = 'processing'",
		BIND(TEXT(outcome->processed ? "processed" : "failed"),
			INT(!outcome->processed && outcome->retryable),
			TEXT(*error == '\0' ? NULL : error), INT(change->now),
			TEXT(event_id), TEXT(outcome->claimed_by)));
	if (status != CG_OK || !change_touched(change))
		return status;
	return read_event(change, event_id, ret);
}

enum cg_status provider_event_channel(
	struct change *change, const char *event_id, char ret[CHANNEL_FIELD])
{
	struct statement *row;
	enum cg_status status = change_first(change,
		"SELECT channel_binding_id FROM provider_event WHERE event_id = ?",
		BIND(TEXT(event_id)), &row);

	ret[0] = '\0';
	if (status == CG_OK && row != NULL)
		cg_text_copy(ret, CHANNEL_FIELD, statement_text(row, 0));
	statement_finish(row);
	return status;
}
