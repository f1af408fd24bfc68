/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/interaction.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

static void hash_token(const char *token, char ret[2 * CG_SHA256 + 1])
{
	uint8_t digest[CG_SHA256];

	cg_sha256(token, strlen(token), digest);
	cg_hex(digest, sizeof(digest), ret);
}

enum cg_status interaction_record(
	struct change *change, int64_t id, struct json_object **ret)
{
	struct statement *row;
	struct json_object *record;
	enum cg_status status = change_first(change,
		"SELECT i.interaction_id, b.agent_id, b.channel_binding_id, b.binding_id,"
		" s.session_id, b.provider, i.external_interaction_id, i.kind, "
		"i.target_id,"
		" i.status, i.expires_at, i.used_at, i.created_at, i.updated_at"
		" FROM interaction i JOIN session_binding b ON b.id = i.session_binding"
		" JOIN session s ON s.id = i.session WHERE i.id = ?",
		BIND(INT(id)), &row);

	*ret = NULL;
	if (status != CG_OK || row == NULL)
		return status;
	record = cg_json_new_object();
	cg_json_put_string(record, "interactionId", statement_text(row, 0));
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "agentId", statement_text(row, 1));
	cg_json_put_string(record, "channelBindingId", statement_text(row, 2));
	cg_json_put_string(record, "sessionBindingId", statement_text(row, 3));
	cg_json_put_string(record, "sessionId", statement_text(row, 4));
	cg_json_put_string(record, "provider", statement_text(row, 5));
	cg_json_put_string(record, "externalInteractionId", statement_text(row, 6));
	cg_json_put_string(record, "kind", statement_text(row, 7));
	cg_json_put_string(record, "targetId", statement_text(row, 8));
	cg_json_put_string(record, "status", statement_text(row, 9));
	cg_json_put_null(record, "createdByIdentityId");
	cg_json_put_time(record, "expiresAt", statement_int(row, 10));
	cg_json_put_time(record, "usedAt", statement_int(row, 11));
	cg_json_put_time(record, "createdAt", statement_int(row, 12));
	cg_json_put_time(record, "updatedAt", statement_int(row, 13));
	statement_finish(row);
	*ret = record;
	return CG_OK;
}

static void make_token(const struct interaction_seed *seed, char ret_id[HASHED_ID],
	char ret_token[INTERACTION_TOKEN])
{
	char secret[25];

	if (seed->seed == NULL) {
		snprintf(ret_id, HASHED_ID, "ci_");
		cg_random_id(ret_id + 3, 12);
	} else {
		hashed_id("channel_interaction_",
			(const char *const[]){PLANE_ORG,
				binding_text(seed->binding, "channelBindingId"),
				seed->seed},
			3, ret_id);
	}
	cg_random_id(secret, 16);
	snprintf(ret_token, INTERACTION_TOKEN, "occi_%s_%s", ret_id,
		seed->secret == NULL ? secret : seed->secret);
	cg_wipe(secret, sizeof(secret));
}

/* An interaction under this id is there already: fine if it is the very same. */
static enum cg_status same_again(struct change *change,
	const struct interaction_seed *seed, const char *id, const char *hash,
	int64_t *ret_row)
{
	struct statement *row;
	bool same;
	enum cg_status status = change_first(change,
		"SELECT id, token_hash, session_binding, kind, target_id FROM interaction"
		" WHERE interaction_id = ?",
		BIND(TEXT(id)), &row);

	*ret_row = 0;
	if (status != CG_OK || row == NULL)
		return status;
	same = strcmp(statement_text(row, 1), hash) == 0 &&
	       statement_int(row, 2) == seed->binding->id &&
	       strcmp(statement_text(row, 3), seed->kind) == 0 &&
	       strcmp(statement_text(row, 4), seed->target_id) == 0;
	*ret_row = statement_int(row, 0);
	statement_finish(row);
	return same ? CG_OK
		    : cg_error_set(change->err, CG_EXISTS,
			      "the interaction id is used already");
}

/* Expired ones make room; what is left counts. */
static enum cg_status make_room(struct change *change, int64_t session)
{
	int64_t pending = 0;
	enum cg_status status = change_run(change,
		"UPDATE interaction SET status = 'expired', updated_at = ?1"
		" WHERE session = ?2 AND status = 'pending' AND expires_at <= ?1",
		BIND(INT(change->now), INT(session)));

	if (status == CG_OK)
		status = change_number(change,
			"SELECT count(*) FROM interaction WHERE session = ?"
			" AND status = 'pending'",
			BIND(INT(session)), &pending);
	if (status == CG_OK && pending >= INTERACTION_PENDING)
		return cg_error_set(change->err, CG_LIMIT, "too many questions wait");
	if (status == CG_OK) /* settled ones are kept for repeats of an answer */
		status = change_run(change,
			"DELETE FROM interaction WHERE id IN (SELECT id FROM interaction"
			" ORDER BY id LIMIT 8) AND status <> 'pending' AND updated_at < "
			"?",
			BIND(INT(change->now - 24LL * 60 * 60 * 1000)));
	return status;
}

enum cg_status interaction_create(struct change *change,
	const struct interaction_seed *seed, struct json_object **ret,
	char ret_token[INTERACTION_TOKEN])
{
	char id[HASHED_ID], hash[2 * CG_SHA256 + 1];
	int64_t row, expires_at = seed->expires_at;
	enum cg_status status;

	make_token(seed, id, ret_token);
	hash_token(ret_token, hash);
	status = same_again(change, seed, id, hash, &row);
	if (status == CG_OK && row != 0)
		return interaction_record(change, row, ret);
	if (status == CG_OK)
		status = make_room(change, seed->binding->session);
	if (status != CG_OK)
		return status;
	if (expires_at == 0 || expires_at > change->now + 24LL * 60 * 60 * 1000)
		expires_at = change->now + INTERACTION_LIFE_MS;
	status = change_run(change,
		"INSERT INTO interaction (interaction_id, token_hash, session_binding, "
		"session,"
		" kind, target_id, external_interaction_id, status, expires_at, "
		"created_at,"
		" updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?9, ?9)",
		BIND(TEXT(id), TEXT(hash), INT(seed->binding->id),
			INT(seed->binding->session), TEXT(seed->kind),
			TEXT(seed->target_id), TEXT(seed->external_id), INT(expires_at),
			INT(change->now)));
	if (status != CG_OK)
		return status;
	return interaction_record(change, transaction_rowid(change->tx), ret);
}

enum cg_status interaction_find(
	struct change *change, const char *token, struct interaction *ret)
{
	char hash[2 * CG_SHA256 + 1];
	struct statement *row;
	enum cg_status status;

	memset(ret, 0, sizeof(*ret));
	hash_token(token, hash);
	status = change_first(change,
		"SELECT id, session, session_binding, status = 'pending' AND expires_at "
		"> ?2,"
		" status = 'used', used_by, command_id, kind = 'question', target_id,"
		" interaction_id FROM interaction WHERE token_hash = ?1",
		BIND(TEXT(hash), INT(change->now)), &row);
	if (status != CG_OK || row == NULL)
		return status;
	ret->id = statement_int(row, 0);
	ret->session = statement_int(row, 1);
	ret->session_binding = statement_int(row, 2);
	ret->pending = statement_int(row, 3) != 0;
	ret->used = statement_int(row, 4) != 0;
	if (!statement_is_null(row, 5))
		cg_text_copy(ret->used_by, sizeof(ret->used_by), statement_text(row, 5));
	if (!statement_is_null(row, 6))
		cg_text_copy(
			ret->command_id, sizeof(ret->command_id), statement_text(row, 6));
	ret->question = statement_int(row, 7) != 0;
	cg_text_copy(ret->target_id, sizeof(ret->target_id), statement_text(row, 8));
	cg_text_copy(
		ret->interaction_id, sizeof(ret->interaction_id), statement_text(row, 9));
	statement_finish(row);
	return CG_OK;
}

enum cg_status interaction_use(struct change *change,
	const struct interaction *interaction, const char *identity_id,
	const char *command_id)
{
	enum cg_status status = change_run(change,
		"UPDATE interaction SET status = 'used', used_by = ?, command_id = ?,"
		" used_at = ?3, updated_at = ?3 WHERE id = ?4 AND status = 'pending'",
		BIND(TEXT(identity_id), TEXT(command_id), INT(change->now),
			INT(interaction->id)));

	if (status == CG_OK && !change_touched(change))
		return cg_error_set(
			change->err, CG_CONFLICT, "it has been answered already");
	return status;
}

enum cg_status interaction_expire_target(
	struct change *change, int64_t session, const char *target_id)
{
	return change_run(change,
		"UPDATE interaction SET status = 'expired', updated_at = ?"
		" WHERE session = ? AND target_id = ? AND status = 'pending'",
		BIND(INT(change->now), INT(session), TEXT(target_id)));
}

enum cg_status interaction_expire(struct change *change, int64_t session)
{
	return change_run(change,
		"UPDATE interaction SET status = 'expired', updated_at = ?"
		" WHERE session = ? AND status = 'pending'",
		BIND(INT(change->now), INT(session)));
}
