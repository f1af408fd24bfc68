/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/session.h"

#include "control-plane/event.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS \
	"SELECT b.id, b.session, b.binding_id, b.agent_id, b.channel_binding_id," \
	" b.provider, b.external_workspace_id, b.external_thread_id, " \
	"b.external_chat_id," \
	" s.session_id, b.last_event_sequence, b.last_workspace_sequence," \
	" b.last_chat_message_id, b.status, b.created_at, b.updated_at," \
	" s.runtime_session_id, s.status, s.title, s.created_at, s.updated_at," \
	" s.last_command_sequence" \
	" FROM session_binding b JOIN session s ON s.id = b.session "

void binding_finish(struct binding *binding)
{
	cg_json_free(binding->record);
	cg_json_free(binding->session_record);
	memset(binding, 0, sizeof(*binding));
}

const char *binding_text(const struct binding *binding, const char *key)
{
	return cg_json_string_or(binding->record, key, "");
}

struct json_object *binding_pair(const struct binding *binding)
{
	struct json_object *pair = cg_json_new_object();

	cg_json_put(pair, "session", cg_json_ref(binding->session_record));
	cg_json_put_null(pair, "projection");
	return pair;
}

static struct json_object *binding_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object();

	cg_json_put_string(record, "bindingId", statement_text(row, 2));
	cg_json_put_string(record, "orgId", PLANE_ORG);
	cg_json_put_string(record, "agentId", statement_text(row, 3));
	cg_json_put_string(record, "channelBindingId", statement_text(row, 4));
	cg_json_put_string(record, "provider", statement_text(row, 5));
	put_optional(record, "externalWorkspaceId", statement_text(row, 6));
	cg_json_put_string(record, "externalThreadId", statement_text(row, 7));
	cg_json_put_string(record, "externalChatId", statement_text(row, 8));
	cg_json_put_string(record, "sessionId", statement_text(row, 9));
	cg_json_put_int(record, "lastEventSequence", statement_int(row, 10));
	cg_json_put_int(record, "lastWorkspaceSequence", statement_int(row, 11));
	cg_json_put_string(record, "lastChatMessageId", statement_text(row, 12));
	cg_json_put_string(record, "status", statement_text(row, 13));
	cg_json_put_time(record, "createdAt", statement_int(row, 14));
	cg_json_put_time(record, "updatedAt", statement_int(row, 15));
	return record;
}

static struct json_object *session_json(struct statement *row)
{
	struct json_object *record = cg_json_new_object();

	cg_json_put_string(record, "tenantId", PLANE_ORG);
	cg_json_put_string(record, "userId", PLANE_ACCOUNT);
	cg_json_put_string(record, "sessionId", statement_text(row, 9));
	cg_json_put_string(record, "opencodeSessionId", statement_text(row, 16));
	cg_json_put_string(record, "profileName", PLANE_PROFILE);
	cg_json_put_string(record, "status", statement_text(row, 17));
	cg_json_put_string(record, "title", statement_text(row, 18));
	cg_json_put_time(record, "createdAt", statement_int(row, 19));
	cg_json_put_time(record, "updatedAt", statement_int(row, 20));
	cg_json_put_null(record, "projectSource");
	return record;
}

/* Takes over the statement of a change_first(). */
static void binding_read(struct statement *row, struct binding *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (row == NULL)
		return;
	ret->id = statement_int(row, 0);
	ret->session = statement_int(row, 1);
	ret->last_command = statement_int(row, 21);
	ret->record = binding_json(row);
	ret->session_record = session_json(row);
	statement_finish(row);
}

enum cg_status binding_by_thread(
	struct change *change, const struct thread_key *key, struct binding *ret)
{
	struct statement *row;
	enum cg_status status = change_first(change,
		COLUMNS "WHERE b.provider = ? AND b.external_workspace_id = ?"
			" AND b.external_chat_id = ? AND b.external_thread_id = ?",
		BIND(TEXT(key->provider), TEXT(key->workspace), TEXT(key->chat),
			TEXT(key->thread)),
		&row);

	binding_read(row, ret);
	return status;
}

enum cg_status binding_by_id(
	struct change *change, const char *binding_id, struct binding *ret)
{
	struct statement *row;
	enum cg_status status = change_first(
		change, COLUMNS "WHERE b.binding_id = ?", BIND(TEXT(binding_id)), &row);

	binding_read(row, ret);
	return status;
}

enum cg_status binding_by_row(struct change *change, int64_t id, struct binding *ret)
{
	struct statement *row;
	enum cg_status status =
		change_first(change, COLUMNS "WHERE b.id = ?", BIND(INT(id)), &row);

	binding_read(row, ret);
	return status;
}

/* Of the thread; another one than that of a session which has been deleted, since deliveries are told
 * apart by it. */
static enum cg_status session_id(
	struct change *change, const struct thread_key *key, char ret[HASHED_ID])
{
	char number[24];
	int64_t forgotten = 0;
	enum cg_status status = change_number(
		change, "SELECT forgotten FROM epoch", NO_VALUES, &forgotten);

	snprintf(number, sizeof(number), "%lld", (long long)forgotten);
	hashed_id("channel_session_",
		(const char *const[]){PLANE_ORG, key->provider, key->workspace, key->chat,
			key->thread, number},
		forgotten == 0 ? 5 : 6, ret);
	return status;
}

static enum cg_status session_create(struct change *change, const struct channel *channel,
	const struct thread_key *key, const char *title, int64_t *ret)
{
	struct event_log log;
	struct json_object *payload;
	char id[HASHED_ID], cut[SESSION_TITLE];
	enum cg_status status = session_id(change, key, id);

	if (title != NULL)
		cg_text_copy(cut, sizeof(cut), title);
	if (status == CG_OK)
		status = change_run(change,
			"INSERT INTO session (session_id, agent_id, title, created_at, "
			"updated_at)"
			" VALUES (?, ?, ?, ?4, ?4)",
			BIND(TEXT(id), TEXT(channel->agent_id),
				TEXT(title == NULL ? NULL : cut), INT(change->now)));
	if (status != CG_OK)
		return status;
	*ret = transaction_rowid(change->tx);
	status = event_log_open(&log, change, *ret);
	if (status != CG_OK)
		return status;
	payload = cg_json_new_object();
	cg_json_put_string(payload, "title", title == NULL ? NULL : cut);
	status = event_append(&log, "session.created", payload, NULL);
	cg_json_free(payload);
	return status == CG_OK ? event_log_close(&log) : status;
}

enum cg_status binding_create(struct change *change, const struct channel *channel,
	const struct thread_key *key, const struct binding_seed *seed,
	struct binding *ret)
{
	char id[RANDOM_ID];
	int64_t session = 0;
	enum cg_status status =
		session_create(change, channel, key, seed->title, &session);

	memset(ret, 0, sizeof(*ret));
	random_id(id);
	if (status == CG_OK)
		status = change_run(change,
			"INSERT INTO session_binding (binding_id, session, agent_id,"
			" channel_binding_id, provider, external_workspace_id, "
			"external_chat_id,"
			" external_thread_id, last_event_sequence, "
			"last_workspace_sequence,"
			" last_chat_message_id, status, created_at, updated_at)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', ?12, ?12)",
			BIND(TEXT(id), INT(session), TEXT(channel->agent_id),
				TEXT(channel->binding_id), TEXT(key->provider),
				TEXT(key->workspace), TEXT(key->chat), TEXT(key->thread),
				INT(seed->last_event_sequence),
				INT(seed->last_workspace_sequence),
				TEXT(seed->last_chat_message_id), INT(change->now)));
	return status == CG_OK ? binding_by_id(change, id, ret) : status;
}

enum cg_status binding_set_cursor(struct change *change, struct binding *binding,
	const struct cursor *cursor, bool *ret_ok)
{
	int64_t id = binding->id;
	enum cg_status status;

	*ret_ok = cursor->event_sequence >=
			  cg_json_int(binding->record, "lastEventSequence", 0) &&
		  cursor->workspace_sequence >=
			  cg_json_int(binding->record, "lastWorkspaceSequence", 0);
	if (!*ret_ok)
		return CG_OK;
	status = change_run(change,
		"UPDATE session_binding SET last_event_sequence = ?,"
		" last_workspace_sequence = ?,"
		" last_chat_message_id = CASE WHEN ? THEN ? ELSE last_chat_message_id "
		"END,"
		" updated_at = ? WHERE id = ?",
		BIND(INT(cursor->event_sequence), INT(cursor->workspace_sequence),
			INT(cursor->has_message), TEXT(cursor->message_id),
			INT(change->now), INT(id)));
	if (status != CG_OK)
		return status;
	binding_finish(binding);
	return binding_by_row(change, id, binding);
}
