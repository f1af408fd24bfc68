/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/journal/lane.h"

#include <cowgate/sdk/crypto.h>

uint64_t outbox_lane(const char *instance, const char *chat_id, const char *thread_id)
{
	const char *parts[] = {instance, chat_id, thread_id != NULL ? thread_id : ""};
	uint8_t hash[CG_SHA256];
	uint64_t lane = 0;

	cg_sha256_joined(parts, sizeof(parts) / sizeof(*parts), hash);
	for (size_t i = 0; i < sizeof(lane); i++)
		lane = lane << 8 | hash[i];
	return lane;
}

int outbox_rank(enum outbox_purpose purpose)
{
	switch (purpose) {
	case OUTBOX_APPROVAL:
	case OUTBOX_QUESTION:
	case OUTBOX_FINAL:
	case OUTBOX_ERROR:
	case OUTBOX_NOTICE:
	case OUTBOX_REDRAW:
		return 0;
	case OUTBOX_SLOT:
		return 1;
	case OUTBOX_FILE:
	case OUTBOX_DELIVERY:
		break;
	}
	return 2;
}

enum cg_status lane_is_empty(
	struct transaction *tx, int64_t lane, bool *ret, struct cg_error *err)
{
	struct statement *statement = NULL;
	bool row = false;
	enum cg_status status = transaction_prepare(tx,
		"SELECT 1 FROM outbox INDEXED BY outbox_lane"
		" WHERE lane = ?1 AND finished_ms IS NULL LIMIT 1",
		&statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, lane);
	status = statement_step(statement, &row, err);
	statement_finish(statement);
	if (status == CG_OK)
		*ret = !row;
	return status;
}

static enum cg_status run(
	struct transaction *tx, const char *sql, int64_t lane, struct cg_error *err)
{
	struct statement *statement = NULL;
	enum cg_status status = transaction_prepare(tx, sql, &statement, err);

	if (status != CG_OK)
		return status;
	statement_bind_int(statement, 1, lane);
	return statement_execute(statement, err);
}

enum cg_status lane_promote(struct transaction *tx, int64_t lane, struct cg_error *err)
{
	return run(tx,
		"UPDATE outbox SET head = 1 WHERE head = 0 AND id ="
		" (SELECT id FROM outbox INDEXED BY outbox_lane"
		"  WHERE lane = ?1 AND finished_ms IS NULL ORDER BY id LIMIT 1)",
		lane, err);
}

enum cg_status lane_reopen(struct transaction *tx, int64_t lane, struct cg_error *err)
{
	/* The former head is now the second one, or still the first. */
	enum cg_status status = run(tx,
		"UPDATE outbox SET head = 0 WHERE id ="
		" (SELECT id FROM outbox INDEXED BY outbox_lane"
		"  WHERE lane = ?1 AND finished_ms IS NULL ORDER BY id LIMIT 1 OFFSET 1)",
		lane, err);

	return status != CG_OK ? status : lane_promote(tx, lane, err);
}
