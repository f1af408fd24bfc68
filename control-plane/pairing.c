/* SPDX-License-Identifier: Apache-2.0 */
/* Pairing codes, see identity.h. */
#include "control-plane/identity.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Thirty-two characters that nobody confuses when reading aloud or copying by hand. */
static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/* The person's code of this issue: the same, whoever asks, while the process lives. */
static enum cg_status derive_code(const uint8_t key[PAIRING_KEY], const char *identity_id,
	int64_t created_at, char ret[PAIRING_CODE])
{
	struct cg_hmac *hmac;
	uint8_t digest[CG_SHA256];
	char issue[24];
	enum cg_status status = cg_hmac_create(key, PAIRING_KEY, &hmac);

	if (status != CG_OK)
		return status;
	snprintf(issue, sizeof(issue), "%lld", (long long)created_at);
	cg_hmac_sign(hmac,
		(const struct cg_hmac_part[]){
			{identity_id, strlen(identity_id)}, {issue, strlen(issue)}},
		2, digest);
	cg_hmac_destroy(hmac);
	for (size_t i = 0; i < PAIRING_CODE - 1; i++)
		ret[i] = alphabet[digest[i] % 32];
	ret[PAIRING_CODE - 1] = '\0';
	return CG_OK;
}

static void hash_code(const char *epoch, const char *code, char ret[2 * CG_SHA256 + 1])
{
	uint8_t digest[CG_SHA256];

	cg_sha256_joined((const char *const[]){"pairing", epoch, code}, 3, digest);
	cg_hex(digest, sizeof(digest), ret);
}

static enum cg_status issue_code(struct change *change, const struct identity *identity,
	const uint8_t key[PAIRING_KEY], struct pairing *ret)
{
	char hash[2 * CG_SHA256 + 1];
	int64_t open = 0;
	enum cg_status status = change_run(change,
		"DELETE FROM pairing WHERE expires_at <= ?", BIND(INT(change->now)));

	if (status == CG_OK)
		status = change_number(
			change, "SELECT count(*) FROM pairing", NO_VALUES, &open);
	if (status != CG_OK || open >= PAIRING_OPEN)
		return status; /* no code now; the operator still sees the person */
	status = derive_code(key, cg_json_string_or(identity->record, "identityId", ""),
		change->now, ret->code);
	if (status != CG_OK)
		return cg_error_nomem(change->err);
	ret->expires_at = change->now + PAIRING_LIFE_MS;
	ret->notify = true;
	hash_code(change->epoch, ret->code, hash);
	status = change_run(change,
		"INSERT INTO pairing (identity, code_hash, created_at, expires_at)"
		" VALUES (?, ?, ?, ?)",
		BIND(INT(identity->id), TEXT(hash), INT(change->now),
			INT(ret->expires_at)));
	if (status == CG_OK)
		status = change_run(change,
			"UPDATE identity SET noticed_at = ? WHERE id = ?",
			BIND(INT(change->now), INT(identity->id)));
	return status;
}

enum cg_status pairing_offer(struct change *change, const struct identity *identity,
	const uint8_t key[PAIRING_KEY], struct pairing *ret)
{
	struct statement *row;
	char hash[2 * CG_SHA256 + 1];
	int64_t noticed_at = 0;
	enum cg_status status;

	memset(ret, 0, sizeof(*ret));
	status = change_first(change,
		"SELECT code_hash, created_at, expires_at FROM pairing"
		" WHERE identity = ? AND expires_at > ?",
		BIND(INT(identity->id), INT(change->now)), &row);
	if (status == CG_OK && row != NULL) {
		status = derive_code(key,
			cg_json_string_or(identity->record, "identityId", ""),
			statement_int(row, 1), ret->code);
		ret->expires_at = statement_int(row, 2);
		hash_code(change->epoch, ret->code, hash);
		if (strcmp(hash, statement_text(row, 0)) != 0)
			memset(ret, 0, sizeof(*ret)); /* told by an earlier process */
		statement_finish(row);
		return status;
	}
	if (status == CG_OK)
		status = change_number(change,
			"SELECT noticed_at FROM identity WHERE id = ?",
			BIND(INT(identity->id)), &noticed_at);
	if (status != CG_OK || change->now - noticed_at < PAIRING_NOTICE_MS)
		return status;
	return issue_code(change, identity, key, ret);
}

/* As people type it: case, blanks and hyphens do not matter. */
static void normalise(const char *code, char ret[PAIRING_CODE])
{
	size_t length = 0;

	for (; *code != '\0' && length < PAIRING_CODE - 1; code++) {
		if (*code != ' ' && *code != '-')
			ret[length++] = (char)toupper((unsigned char)*code);
	}
	ret[length] = '\0';
	if (*code != '\0')
		ret[0] = '\0';
}

static enum cg_status count_failure(struct change *change)
{
	return change_run(change,
		"UPDATE pairing_window SET failures = CASE WHEN started_at > ?1 - ?2"
		" THEN failures + 1 ELSE 1 END,"
		" started_at = CASE WHEN started_at > ?1 - ?2 THEN started_at ELSE ?1 "
		"END",
		BIND(INT(change->now), INT(PAIRING_LIFE_MS)));
}

enum cg_status pairing_redeem(struct change *change, const char *code,
	struct identity *ret, int64_t *ret_retry_ms)
{
	struct statement *row;
	char typed[PAIRING_CODE], hash[2 * CG_SHA256 + 1];
	char identity_id[RANDOM_ID] = "";
	int64_t started = 0, failures = 0;
	enum cg_status status = change_first(change,
		"SELECT started_at, failures FROM pairing_window", NO_VALUES, &row);

	memset(ret, 0, sizeof(*ret));
	if (status == CG_OK && row != NULL) {
		started = statement_int(row, 0);
		failures = statement_int(row, 1);
	}
	statement_finish(row);
	if (status != CG_OK)
		return status;
	if (failures >= PAIRING_FAILURES && started > change->now - PAIRING_LIFE_MS) {
		*ret_retry_ms = started + PAIRING_LIFE_MS - change->now;
		return CG_LIMIT;
	}
	normalise(code, typed);
	hash_code(change->epoch, typed, hash);
	status = change_first(change,
		"SELECT identity_id FROM pairing JOIN identity ON identity.id = "
		"pairing.identity"
		" WHERE code_hash = ? AND expires_at > ? AND status = 'pending'",
		BIND(TEXT(hash), INT(change->now)), &row);
	if (status == CG_OK && row != NULL)
		snprintf(identity_id, sizeof(identity_id), "%s", statement_text(row, 0));
	statement_finish(row);
	if (status == CG_OK && *identity_id == '\0')
		status = count_failure(change);
	if (status != CG_OK)
		return status;
	if (*identity_id == '\0')
		return CG_NOT_FOUND;
	return identity_by_id(change, identity_id, ret);
}
