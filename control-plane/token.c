/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/token.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "occ_"
#define SECRET 43 /* characters: 32 bytes */
#define TOUCH_MS (60 * 60 * 1000)

#define COLUMNS \
	"SELECT token_id, name, last4, expires_at, revoked_at, last_used_at, " \
	"created_at," \
	" updated_at FROM api_token "

static bool is_word(const char *text, size_t length)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_";

	return strspn(text, letters) >= length;
}

/* Parts are told by their length: each may contain the sign between them. */
bool token_read(const char *text, struct token_proof *ret_proof)
{
	const size_t id = sizeof(PREFIX) - 1, secret = id + TOKEN_ID;

	*ret_proof = (struct token_proof){.id = ""};
	if (text == NULL || strlen(text) != TOKEN_TEXT - 1 ||
		strncmp(text, PREFIX "tok_", id + 4) != 0 ||
		!is_word(text, TOKEN_TEXT - 1) || text[secret - 1] != '_')
		return false;
	cg_sha256(text, TOKEN_TEXT - 1, ret_proof->hash);
	memcpy(ret_proof->id, text + id, TOKEN_ID - 1);
	ret_proof->id[TOKEN_ID - 1] = '\0';
	return true;
}

static enum cg_status denied(struct change *change)
{
	return cg_error_set(change->err, CG_DENIED, "the token is not valid here");
}

enum cg_status token_admit(
	struct change *change, const struct token_proof *proof, int64_t *ret_end)
{
	char digest[2 * CG_SHA256 + 1];
	struct statement *row = NULL;
	bool valid = false;
	enum cg_status status = change_first(change,
		"SELECT hash, expires_at FROM api_token WHERE token_id = ?1"
		" AND revoked_at = 0 AND expires_at > ?2",
		BIND(TEXT(proof->id), INT(change->now)), &row);

	if (status != CG_OK)
		return status;
	cg_hex(proof->hash, sizeof(proof->hash), digest);
	if (row != NULL) {
		const char *known = statement_text(row, 0);

		valid = strlen(known) == sizeof(digest) - 1 &&
			cg_equal(known, digest, sizeof(digest) - 1);
		*ret_end = statement_int(row, 1);
	}
	statement_finish(row);
	return valid ? CG_OK : denied(change);
}

enum cg_status token_touch(struct change *change, const char *id)
{
	return change_run(change,
		"UPDATE api_token SET last_used_at = ?1"
		" WHERE token_id = ?2 AND last_used_at < ?3",
		BIND(INT(change->now), TEXT(id), INT(change->now - TOUCH_MS)));
}

enum cg_status token_grants(struct change *change, const char *id, const char *binding_id)
{
	int64_t found = 0;
	enum cg_status status = change_number(change,
		"SELECT count(*) FROM api_token_grant"
		" WHERE token_id = ?1 AND channel_binding_id = ?2",
		BIND(TEXT(id), TEXT(binding_id)), &found);

	return status == CG_OK && found == 0 ? denied(change) : status;
}

static enum cg_status add_grants(
	struct change *change, const char *id, struct json_object *record)
{
	struct json_object *array = cg_json_new_array();
	struct statement *rows = NULL;
	bool row = true;
	enum cg_status status = change_query(change,
		"SELECT channel_binding_id FROM api_token_grant WHERE token_id = ?"
		" ORDER BY channel_binding_id",
		BIND(TEXT(id)), &rows);

	cg_json_put(record, "channelBindingIds", array);
	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		cg_json_append(array, cg_json_new_string(statement_text(rows, 0)));
	}
	statement_finish(rows);
	return status;
}

static struct json_object *token_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object(), *scopes = cg_json_new_array();

	cg_json_append(scopes, cg_json_new_string("gateway"));
	cg_json_put_string(record, "tokenId", statement_text(row, 0));
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "accountId", PLANE_ACCOUNT);
	cg_json_put_string(record, "name", statement_text(row, 1));
	cg_json_put(record, "scopes", scopes);
	cg_json_put_string(record, "last4", statement_text(row, 2));
	cg_json_put_time(record, "expiresAt", statement_int(row, 3));
	cg_json_put_time(record, "revokedAt", statement_int(row, 4));
	cg_json_put_time(record, "lastUsedAt", statement_int(row, 5));
	cg_json_put_time(record, "createdAt", statement_int(row, 6));
	cg_json_put_time(record, "updatedAt", statement_int(row, 7));
	return record;
}

static enum cg_status read_token(
	struct change *change, const char *id, struct json_object **ret)
{
	struct json_object *record = NULL;
	struct statement *row = NULL;
	enum cg_status status =
		change_first(change, COLUMNS "WHERE token_id = ?", BIND(TEXT(id)), &row);

	if (status == CG_OK && row != NULL)
		record = token_json(row);
	statement_finish(row);
	if (record != NULL)
		status = add_grants(change, id, record);
	if (status == CG_OK) {
		*ret = record;
		return CG_OK;
	}
	cg_json_free(record);
	return status;
}

/* When there are too many, those that have ended make room. */
static enum cg_status make_room(struct change *change)
{
	int64_t count = 0;
	enum cg_status status = change_number(
		change, "SELECT count(*) FROM api_token", NO_VALUES, &count);

	if (status != CG_OK || count < TOKENS)
		return status;
	status = change_run(change,
		"DELETE FROM api_token WHERE revoked_at > 0 OR expires_at <= ?",
		BIND(INT(change->now)));
	if (status == CG_OK && !change_touched(change))
		return cg_error_set(change->err, CG_LIMIT, "there are too many tokens");
	return status;
}

static enum cg_status insert_grants(
	struct change *change, const char *id, const struct token_seed *seed)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < seed->binding_count; i++)
		status = change_run(change,
			"INSERT OR IGNORE INTO api_token_grant VALUES (?, ?)",
			BIND(TEXT(id), TEXT(seed->bindings[i])));
	return status;
}

enum cg_status token_create(struct change *change, const struct token_seed *seed,
	char ret_text[TOKEN_TEXT], struct json_object **ret)
{
	char random_id[CG_RANDOM_ID_SIZE(12)], secret[CG_RANDOM_ID_SIZE(32)];
	char text[TOKEN_TEXT], digest[2 * CG_SHA256 + 1];
	struct token_proof proof;
	enum cg_status status = make_room(change);

	cg_random_id(random_id, 12);
	cg_random_id(secret, 32);
	snprintf(text, sizeof(text), PREFIX "tok_%.16s_%.43s", random_id, secret);
	cg_wipe(secret, sizeof(secret));
	token_read(text, &proof);
	cg_hex(proof.hash, sizeof(proof.hash), digest);
	if (status == CG_OK)
		status = change_run(change,
			"INSERT INTO api_token (token_id, name, hash, last4, expires_at,"
			" created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
			BIND(TEXT(proof.id), TEXT(seed->name), TEXT(digest),
				TEXT(text + TOKEN_TEXT - 5),
				INT(change->now + seed->life_ms), INT(change->now)));
	if (status == CG_OK)
		status = insert_grants(change, proof.id, seed);
	if (status == CG_OK)
		status = read_token(change, proof.id, ret);
	if (status == CG_OK)
		memcpy(ret_text, text, TOKEN_TEXT);
	cg_wipe(text, sizeof(text));
	return status;
}

enum cg_status token_list(struct change *change, struct json_object *array)
{
	struct statement *rows = NULL;
	bool row = true;
	enum cg_status status = change_query(
		change, COLUMNS "ORDER BY created_at, token_id", NO_VALUES, &rows);

	while (status == CG_OK) {
		struct json_object *record;

		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		record = token_json(rows);
		cg_json_append(array, record);
		status = add_grants(change, statement_text(rows, 0), record);
	}
	statement_finish(rows);
	return status;
}

enum cg_status token_revoke(
	struct change *change, const char *id, struct json_object **ret)
{
	enum cg_status status = change_run(change,
		"UPDATE api_token SET revoked_at = ?1, updated_at = ?1"
		" WHERE token_id = ?2 AND revoked_at = 0",
		BIND(INT(change->now), TEXT(id)));

	*ret = NULL;
	if (status == CG_OK && change_touched(change))
		cg_text_copy(change->revoked, sizeof(change->revoked), id);
	return status == CG_OK ? read_token(change, id, ret) : status;
}
