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

/* One event, from its row or as it has just been written. */
struct event_view {
	const char *event_id;
	const char *channel;
	const char *provider;
	const char *instance;
	const char *workspace;
	const char *provider_event_id;
	const char *event_type;
	const char *status;
	const char *claimed_by;
	int64_t claim_expires_at;
	int64_t attempts;
	bool retryable;
	const char *last_error;
	struct json_object *metadata; /* owned */
	int64_t processed_at;
	int64_t created_at;
	int64_t updated_at;
};

static struct json_object *event_json(const struct event_view *event)
{
	struct json_object *record = cg_json_new_object();
	struct json_object *metadata =
		event->metadata == NULL ? cg_json_new_object() : event->metadata;

	cg_json_put_string(record, "eventId", event->event_id);
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "channelBindingId", event->channel);
	cg_json_put_string(record, "provider", event->provider);
	cg_json_put_string(record, "providerInstanceId", event->instance);
	put_optional(record, "externalWorkspaceId", event->workspace);
	cg_json_put_string(record, "providerEventId", event->provider_event_id);
	cg_json_put_string(record, "eventType", event->event_type);
	cg_json_put_string(record, "status", event->status);
	cg_json_put_string(record, "claimedBy", event->claimed_by);
	cg_json_put_time(record, "claimExpiresAt", event->claim_expires_at);
	cg_json_put_int(record, "attemptCount", event->attempts);
	cg_json_put_bool(record, "retryable", event->retryable);
	cg_json_put_string(record, "lastError", event->last_error);
	cg_json_put_string(metadata, "channelBindingId", event->channel);
	cg_json_put(record, "metadata", metadata);
	cg_json_put_time(record, "processedAt", event->processed_at);
	cg_json_put_time(record, "createdAt", event->created_at);
	cg_json_put_time(record, "updatedAt", event->updated_at);
	return record;
}

static struct json_object *row_json(struct statement *row)
{
	struct json_object *metadata = NULL;

	cg_json_parse(statement_text(row, 13), statement_bytes(row, 13), &metadata, NULL);
	return event_json(&(struct event_view){
		.event_id = statement_text(row, 0),
		.channel = statement_text(row, 1),
		.provider = statement_text(row, 2),
		.instance = statement_text(row, 3),
		.workspace = statement_text(row, 4),
		.provider_event_id = statement_text(row, 5),
		.event_type = statement_text(row, 6),
		.status = statement_text(row, 7),
		.claimed_by = statement_text(row, 8),
		.claim_expires_at = statement_int(row, 9),
		.attempts = statement_int(row, 10),
		.retryable = statement_int(row, 11) != 0,
		.last_error = statement_text(row, 12),
		.metadata = metadata,
		.processed_at = statement_int(row, 14),
		.created_at = statement_int(row, 15),
		.updated_at = statement_int(row, 16),
	});
}

static enum cg_status read_event(
	struct change *change, const char *event_id, struct json_object **ret)
{
	struct statement *row;
	enum cg_status status = change_first(
		change, COLUMNS "WHERE event_id = ?", BIND(TEXT(event_id)), &row);

	*ret = row == NULL ? NULL : row_json(row);
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

/* *@ret stays NULL when the event is known. */
static enum cg_status insert_event(struct change *change, const struct channel *channel,
	const struct provider_claim *claim, const char *event_id,
	struct json_object **ret)
{
	const int64_t expires_at = change->now + claim->ttl_ms;
	const char *metadata =
		claim->metadata == NULL ? "{}" : cg_json_text(claim->metadata, NULL);
	enum cg_status status = change_run(change,
		"INSERT INTO provider_event (event_id, channel_binding_id, provider,"
		" provider_instance_id, external_workspace_id, provider_event_id,"
		" event_type, status, claimed_by, claim_expires_at, attempt_count,"
		" retryable, metadata, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, 'processing', ?, ?, 1, 1, ?, ?11, ?11)"
		" ON CONFLICT DO NOTHING",
		BIND(TEXT(event_id), TEXT(channel->binding_id), TEXT(claim->provider),
			TEXT(claim->instance), TEXT(channel->workspace),
			TEXT(claim->event_id), TEXT(claim->event_type),
			TEXT(claim->claimed_by), INT(expires_at), TEXT(metadata),
			INT(change->now)));

	if (status != CG_OK || !change_touched(change))
		return status;
	*ret = event_json(&(struct event_view){
		.event_id = event_id,
		.channel = channel->binding_id,
		.provider = claim->provider,
		.instance = claim->instance,
		.workspace = channel->workspace,
		.provider_event_id = claim->event_id,
		.event_type = claim->event_type,
		.status = "processing",
		.claimed_by = claim->claimed_by,
		.claim_expires_at = expires_at,
		.attempts = 1,
		.retryable = true,
		.metadata = cg_json_copy(claim->metadata),
		.created_at = change->now,
		.updated_at = change->now,
	});
	return sweep(change, transaction_rowid(change->tx));
}

enum cg_status provider_event_claim(struct change *change, const struct channel *channel,
	const struct provider_claim *claim, struct json_object **ret, bool *ret_claimed)
{
	char event_id[HASHED_ID];
	enum cg_status status;

	*ret = NULL;
	hashed_id("channel_provider_event_",
		(const char *const[]){PLANE_ORG, channel->binding_id, claim->provider,
			claim->instance, channel->workspace, claim->event_type,
			claim->event_id},
		7, event_id);
	status = insert_event(change, channel, claim, event_id, ret);
	*ret_claimed = *ret != NULL;
	if (status != CG_OK) {
		cg_json_free(*ret);
		*ret = NULL;
	}
	if (status != CG_OK || *ret != NULL)
		return status;
	status = change_run(change,
		"UPDATE provider_event SET status = 'processing', claimed_by = ?,"
		" claim_expires_at = ?, attempt_count = attempt_count + 1,"
		" updated_at = ?3 WHERE event_id = ?4"
		" AND ((status = 'processing' AND claim_expires_at <= ?3)"
		" OR (status = 'failed' AND retryable = 1))",
		BIND(TEXT(claim->claimed_by), INT(change->now + claim->ttl_ms),
			INT(change->now), TEXT(event_id)));
	*ret_claimed = status == CG_OK && change_touched(change);
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
		" processed_at = CASE ?1 WHEN 'processed' THEN ?4 ELSE 0 END,"
		" updated_at = ?4"
		" WHERE event_id = ?5 AND claimed_by = ?6 AND status = 'processing'"
		" AND (?7 IS NULL OR channel_binding_id = ?7)",
		BIND(TEXT(outcome->processed ? "processed" : "failed"),
			INT(!outcome->processed && outcome->retryable),
			TEXT(*error == '\0' ? NULL : error), INT(change->now),
			TEXT(event_id), TEXT(outcome->claimed_by),
			TEXT(outcome->channel)));
	if (status != CG_OK || !change_touched(change))
		return status;
	return read_event(change, event_id, ret);
}
