/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/identity.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define COLUMNS \
	"SELECT id, identity_id, provider, external_workspace_id, external_user_id," \
	" account_id, role, status, metadata, created_at, updated_at FROM identity "

void identity_finish(struct identity *identity)
{
	cg_json_free(identity->record);
	identity->record = NULL;
	identity->id = 0;
}

static struct json_object *identity_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object();

	cg_json_put_string(record, "identityId", statement_text(row, 1));
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "provider", statement_text(row, 2));
	put_optional(record, "externalWorkspaceId", statement_text(row, 3));
	cg_json_put_string(record, "externalUserId", statement_text(row, 4));
	cg_json_put_string(record, "accountId", statement_text(row, 5));
	cg_json_put_string(record, "role", statement_text(row, 6));
	cg_json_put_string(record, "status", statement_text(row, 7));
	put_stored(record, "metadata", statement_text(row, 8));
	cg_json_put_time(record, "createdAt", statement_int(row, 9));
	cg_json_put_time(record, "updatedAt", statement_int(row, 10));
	return record;
}

/* Takes over the statement of a change_first(). */
static void identity_read(struct statement *row, struct identity *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (row == NULL)
		return;
	ret->id = statement_int(row, 0);
	ret->record = identity_json(row);
	statement_finish(row);
}

enum cg_status identity_find(
	struct change *change, const struct identity_key *key, struct identity *ret)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		COLUMNS "WHERE provider = ? AND external_workspace_id = ?"
			" AND external_user_id = ?",
		BIND(TEXT(key->provider), TEXT(key->workspace), TEXT(key->user)), &row);

	identity_read(row, ret);
	return status;
}

enum cg_status identity_by_id(
	struct change *change, const char *identity_id, struct identity *ret)
{
	struct statement *row;
	enum cg_status status = change_first(
		change, COLUMNS "WHERE identity_id = ?", BIND(TEXT(identity_id)), &row);

	identity_read(row, ret);
	return status;
}

enum cg_status identity_rights(struct change *change, const struct identity_key *key,
	const char *identity_id, struct identity_rights *ret)
{
	struct statement *row;
	enum cg_status status;

	memset(ret, 0, sizeof(*ret));
	if (identity_id == NULL)
		status = change_first(change,
			"SELECT identity_id, role, status = 'active' FROM identity"
			" WHERE provider = ? AND external_workspace_id = ?"
			" AND external_user_id = ?",
			BIND(TEXT(key->provider), TEXT(key->workspace), TEXT(key->user)),
			&row);
	else
		status = change_first(change,
			"SELECT identity_id, role, status = 'active' FROM identity"
			" WHERE identity_id = ?1 AND provider = ?2"
			" AND external_workspace_id = ?3"
			" AND (?4 IS NULL OR external_user_id = ?4)",
			BIND(TEXT(identity_id), TEXT(key->provider), TEXT(key->workspace),
				TEXT(key->user)),
			&row);
	if (status == CG_OK && row != NULL) {
		cg_text_copy(ret->identity_id, sizeof(ret->identity_id),
			statement_text(row, 0));
		cg_text_copy(ret->role, sizeof(ret->role), statement_text(row, 1));
		ret->active = statement_int(row, 2) != 0;
	}
	statement_finish(row);
	return status;
}

static bool has_role(const struct identity_rights *rights, const char *const *roles)
{
	for (; rights->active && *roles != NULL; roles++) {
		if (strcmp(rights->role, *roles) == 0)
			return true;
	}
	return false;
}

bool identity_may_prompt(const struct identity_rights *rights)
{
	return has_role(rights, (const char *const[]){"owner", "admin", "member", NULL});
}

bool identity_may_approve(const struct identity_rights *rights)
{
	return identity_may_prompt(rights) ||
	       has_role(rights, (const char *const[]){"approver", NULL});
}

bool identity_may_manage(const struct identity_rights *rights)
{
	return has_role(rights, (const char *const[]){"owner", "admin", NULL});
}

/* Room for one more stranger. */
static enum cg_status drop_oldest_stranger(struct change *change)
{
	return change_run(change,
		"DELETE FROM identity WHERE id IN (SELECT id FROM identity"
		" WHERE status = 'pending' AND origin = 'stranger' ORDER BY id DESC"
		" LIMIT -1 OFFSET ?)",
		BIND(INT(IDENTITY_PENDING - 1)));
}

static const char *metadata_text(struct json_object *metadata)
{
	return metadata == NULL ? "{}" : cg_json_text(metadata, NULL);
}

static enum cg_status insert_person(struct change *change, const struct identity_key *key,
	const char *role, const char *person_status, const char *origin,
	const char *metadata)
{
	char id[RANDOM_ID];

	random_id(id);
	return change_run(change,
		"INSERT INTO identity (identity_id, provider, external_workspace_id,"
		" external_user_id, account_id, role, status, origin, metadata, "
		"created_at,"
		" updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?10)",
		BIND(TEXT(id), TEXT(key->provider), TEXT(key->workspace), TEXT(key->user),
			TEXT(strcmp(person_status, "active") == 0 ? PLANE_ACCOUNT : NULL),
			TEXT(role), TEXT(person_status), TEXT(origin), TEXT(metadata),
			INT(change->now)));
}

/* The person wrote from a channel that lets everyone in, or sits at this machine. */
static enum cg_status let_in(struct change *change, const struct identity *identity,
	const char *role, const char *origin)
{
	return change_run(change,
		"UPDATE identity SET role = ?, status = 'active', origin = ?, account_id "
		"= ?,"
		" updated_at = ? WHERE id = ? AND status = 'pending'",
		BIND(TEXT(role), TEXT(origin), TEXT(PLANE_ACCOUNT), INT(change->now),
			INT(identity->id)));
}

static enum cg_status refresh(struct change *change, const struct identity *identity,
	struct json_object *metadata, bool *ret_changed)
{
	struct json_object *stored = cg_json_member(identity->record, "metadata");

	*ret_changed = false;
	if (metadata == NULL)
		return CG_OK;
	if (stored != NULL &&
		strcmp(cg_json_text(stored, NULL), cg_json_text(metadata, NULL)) == 0)
		return CG_OK;
	*ret_changed = true;
	return change_run(change,
		"UPDATE identity SET metadata = ?, updated_at = ? WHERE id = ?",
		BIND(TEXT(metadata_text(metadata)), INT(change->now), INT(identity->id)));
}

enum cg_status identity_resolve(struct change *change, const struct identity_key *key,
	const struct channel *channel, struct json_object *metadata, bool local,
	struct identity *ret)
{
	const char *role = local ? "owner" : channel->everyone ? "member" : "viewer";
	const char *origin = local || channel->everyone ? "everyone" : "stranger";
	bool member = local || channel->everyone;
	bool changed = true, admitted = false;
	enum cg_status status = identity_find(change, key, ret);

	if (status != CG_OK)
		return status;
	if (ret->id == 0) {
		admitted = member;
		status = member ? CG_OK : drop_oldest_stranger(change);
		if (status == CG_OK)
			status = insert_person(change, key, role,
				member ? "active" : "pending", origin,
				metadata_text(metadata));
		if (status == CG_OK && !member) {
			change->notice = "people.pending";
			memcpy(change->notice_value, key->provider,
				strnlen(key->provider, sizeof(change->notice_value) - 1));
		}
	} else {
		status = refresh(change, ret, metadata, &changed);
		if (status == CG_OK && member &&
			strcmp(cg_json_string_or(ret->record, "status", ""), "pending") ==
				0) {
			changed = admitted = true;
			status = let_in(change, ret, role, origin);
		}
	}
	if (status != CG_OK || !changed)
		return status;
	identity_finish(ret);
	status = identity_find(change, key, ret);
	ret->admitted = admitted;
	return status;
}

/* The last active owner stays, so that somebody can let others in. */
static enum cg_status keep_an_owner(
	struct change *change, const struct identity *identity)
{
	int64_t others = 0;
	enum cg_status status;

	if (strcmp(cg_json_string_or(identity->record, "role", ""), "owner") != 0 ||
		strcmp(cg_json_string_or(identity->record, "status", ""), "active") != 0)
		return CG_OK;
	status = change_number(change,
		"SELECT count(*) FROM identity WHERE role = 'owner' AND status = 'active'"
		" AND id <> ?",
		BIND(INT(identity->id)), &others);
	if (status == CG_OK && others == 0)
		return cg_error_set(change->err, CG_CONFLICT, "the last owner must stay");
	return status;
}

enum cg_status identity_update(struct change *change, struct identity *identity,
	const char *role, const char *person_status, const char *origin)
{
	bool loses = (role != NULL && strcmp(role, "owner") != 0) ||
		     (person_status != NULL && strcmp(person_status, "active") != 0);
	enum cg_status status = loses ? keep_an_owner(change, identity) : CG_OK;
	char id[RANDOM_ID] = "";

	if (status == CG_OK)
		status = change_run(change,
			"UPDATE identity SET role = coalesce(?1, role),"
			" status = coalesce(?2, status), origin = ?3, account_id = CASE"
			" coalesce(?2, status) WHEN 'active' THEN ?4 END, updated_at = ?5"
			" WHERE id = ?6",
			BIND(TEXT(role), TEXT(person_status), TEXT(origin),
				TEXT(PLANE_ACCOUNT), INT(change->now),
				INT(identity->id)));
	if (status == CG_OK)
		status = change_run(change, "DELETE FROM pairing WHERE identity = ?",
			BIND(INT(identity->id)));
	if (status != CG_OK)
		return status;
	memcpy(id, cg_json_string_or(identity->record, "identityId", ""), sizeof(id) - 1);
	identity_finish(identity);
	return identity_by_id(change, id, identity);
}

enum cg_status identity_delete(struct change *change, const struct identity *identity)
{
	enum cg_status status = keep_an_owner(change, identity);

	if (status == CG_OK)
		status = change_run(change, "DELETE FROM pairing WHERE identity = ?",
			BIND(INT(identity->id)));
	if (status == CG_OK)
		status = change_run(change, "DELETE FROM identity WHERE id = ?",
			BIND(INT(identity->id)));
	return status;
}

enum cg_status identity_list(struct change *change, const char *person_status,
	int64_t limit, struct json_object *array)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		COLUMNS "WHERE ?1 IS NULL OR status = ?1 ORDER BY id DESC LIMIT ?2",
		BIND(TEXT(person_status), INT(limit)), &rows);

	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		cg_json_append(array, identity_json(rows));
	}
	statement_finish(rows);
	return status;
}

enum cg_status identity_allow(struct change *change, const char *provider,
	const char *workspace, const char *user, const char *role)
{
	const struct identity_key key = {provider, workspace, user};
	struct identity identity;
	enum cg_status status = identity_find(change, &key, &identity);

	if (status == CG_OK && identity.id == 0)
		status = insert_person(
			change, &key, role, "active", "configuration", "{}");
	else if (status == CG_OK) /* whom the operator judged stays as judged */
		status = change_run(change,
			"UPDATE identity SET role = ?, status = 'active', account_id = ?,"
			" origin = 'configuration', updated_at = ?"
			" WHERE id = ? AND origin NOT IN ('operator')",
			BIND(TEXT(role), TEXT(PLANE_ACCOUNT), INT(change->now),
				INT(identity.id)));
	identity_finish(&identity);
	return status;
}

enum cg_status identity_forget_configuration(struct change *change)
{
	return change_run(change,
		"UPDATE identity SET role = 'viewer', status = 'pending', account_id = "
		"NULL,"
		" origin = 'stranger', updated_at = ?"
		" WHERE status = 'active' AND (origin = 'configuration' OR"
		" origin = 'everyone' AND NOT EXISTS (SELECT 1 FROM channel_binding AS b"
		" WHERE b.provider = identity.provider AND b.status = 'active' AND b.open"
		" AND b.external_workspace_id = identity.external_workspace_id))",
		BIND(INT(change->now)));
}
