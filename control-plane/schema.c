/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/schema.h"

/*
 * A check with a list (status IN (...)) of more than two would be built anew for every
 * row that is written: so they are spelled out.
 */

/* Channels and people. */
static const char people[] =
	/* Cursors belong to the epoch of the store that gave them. */
	"CREATE TABLE epoch ("
	" id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL) STRICT;"
	"INSERT INTO epoch VALUES (1, lower(hex(randomblob(16))));"

	"CREATE TABLE agent ("
	" agent_id TEXT PRIMARY KEY, name TEXT NOT NULL, profile_name TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled'),"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"

	"CREATE TABLE channel_binding ("
	" binding_id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, provider TEXT NOT NULL,"
	" external_workspace_id TEXT NOT NULL, display_name TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled'),"
	" open INTEGER NOT NULL," /* everyone is a member */
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"
	"CREATE INDEX channel_binding_provider ON channel_binding (provider);"

	/* origin: who gave the role.  What the configuration gave, it takes back. */
	"CREATE TABLE identity ("
	" id INTEGER PRIMARY KEY, identity_id TEXT NOT NULL UNIQUE, provider TEXT NOT "
	"NULL,"
	" external_workspace_id TEXT NOT NULL, external_user_id TEXT NOT NULL,"
	" account_id TEXT,"
	" role TEXT NOT NULL CHECK (role = 'owner' OR role = 'admin' OR role = 'member' "
	"OR role = 'approver' OR role = 'viewer'),"
	" status TEXT NOT NULL CHECK (status = 'active' OR status = 'disabled' OR status "
	"= 'pending'),"
	" origin TEXT NOT NULL CHECK (origin = 'configuration' OR origin = 'everyone' OR "
	"origin = 'pairing' OR origin = 'operator' OR origin = 'stranger'),"
	" metadata TEXT NOT NULL, noticed_at INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
	" UNIQUE (provider, external_workspace_id, external_user_id)) STRICT;"
	"CREATE INDEX identity_pending ON identity (id) WHERE status = 'pending';"

	"CREATE TABLE pairing ("
	" identity INTEGER PRIMARY KEY REFERENCES identity (id) ON DELETE CASCADE,"
	" code_hash TEXT NOT NULL UNIQUE,"
	" created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE pairing_window ("
	" id INTEGER PRIMARY KEY CHECK (id = 1), started_at INTEGER NOT NULL,"
	" failures INTEGER NOT NULL) STRICT;"
	"INSERT INTO pairing_window VALUES (1, 0, 0);";

/* Sessions: commands in, events out, and what they add up to. */
static const char sessions[] =
	"CREATE TABLE session ("
	" id INTEGER PRIMARY KEY, session_id TEXT NOT NULL UNIQUE, agent_id TEXT NOT "
	"NULL,"
	" runtime_session_id TEXT NOT NULL DEFAULT '', title TEXT,"
	" status TEXT NOT NULL DEFAULT 'idle'"
	"  CHECK (status = 'idle' OR status = 'running' OR status = 'closed' OR status = "
	"'errored'),"
	" generating INTEGER NOT NULL DEFAULT 0,"
	" first_event_sequence INTEGER NOT NULL DEFAULT 1,"
	" last_event_sequence INTEGER NOT NULL DEFAULT 0,"
	" last_command_sequence INTEGER NOT NULL DEFAULT 0,"
	/* billionths of the currency unit, so that sums are exact */
	" cost_nano INTEGER NOT NULL DEFAULT 0, tokens_input INTEGER NOT NULL DEFAULT 0,"
	" tokens_output INTEGER NOT NULL DEFAULT 0,"
	" tokens_reasoning INTEGER NOT NULL DEFAULT 0,"
	" tokens_cache_read INTEGER NOT NULL DEFAULT 0,"
	" tokens_cache_write INTEGER NOT NULL DEFAULT 0,"
	" last_input_tokens INTEGER NOT NULL DEFAULT 0,"
	" todos TEXT NOT NULL DEFAULT '[]', last_error TEXT,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"

	"CREATE TABLE session_binding ("
	" id INTEGER PRIMARY KEY, binding_id TEXT NOT NULL UNIQUE,"
	" session INTEGER NOT NULL REFERENCES session (id), agent_id TEXT NOT NULL,"
	" channel_binding_id TEXT NOT NULL, provider TEXT NOT NULL,"
	" external_workspace_id TEXT NOT NULL, external_chat_id TEXT NOT NULL,"
	" external_thread_id TEXT NOT NULL, last_event_sequence INTEGER NOT NULL,"
	" last_workspace_sequence INTEGER NOT NULL, last_chat_message_id TEXT,"
	" status TEXT NOT NULL CHECK (status = 'active' OR status = 'archived'),"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
	" UNIQUE (provider, external_workspace_id, external_chat_id, external_thread_id))"
	" STRICT;"
	"CREATE INDEX session_binding_session ON session_binding (session);"

	/* open is 1 while pending or running, then NULL: so the index stays small. */
	"CREATE TABLE command ("
	" id INTEGER PRIMARY KEY, command_id TEXT NOT NULL UNIQUE,"
	" session INTEGER NOT NULL REFERENCES session (id), sequence INTEGER NOT NULL,"
	" kind TEXT NOT NULL CHECK (kind = 'prompt' OR kind = 'abort' OR kind = "
	"'permission.respond' OR kind = 'question.reply' OR kind = 'question.reject'),"
	" payload TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status = 'pending' OR status = 'running' OR status "
	"= 'acked' OR status = 'failed'),"
	" open INTEGER, attempt_count INTEGER NOT NULL DEFAULT 0,"
	" last_error_code TEXT, last_error_summary TEXT, acked_at INTEGER NOT NULL "
	"DEFAULT 0,"
	" created_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX command_open ON command (session, sequence) WHERE open = 1;"

	/* event_id is what follows '<session>:' in the id; NULL: the sequence. */
	"CREATE TABLE event ("
	" session INTEGER NOT NULL, sequence INTEGER NOT NULL, event_id TEXT,"
	" type TEXT NOT NULL, payload TEXT NOT NULL, created_at INTEGER NOT NULL,"
	" PRIMARY KEY (session, sequence)) STRICT, WITHOUT ROWID;"

	/* The projection.  The rest of an open message's text is in message_chunk. */
	"CREATE TABLE message ("
	" session INTEGER NOT NULL, position INTEGER NOT NULL, message_id TEXT NOT NULL,"
	" role TEXT NOT NULL, content TEXT NOT NULL, open INTEGER,"
	" created_at INTEGER NOT NULL,"
	" PRIMARY KEY (session, position), UNIQUE (session, message_id))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX message_open ON message (session, position) WHERE open = 1;"
	"CREATE TABLE message_chunk ("
	" session INTEGER NOT NULL, position INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	" content TEXT NOT NULL, PRIMARY KEY (session, position, sequence))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE entry ("
	" session INTEGER NOT NULL, kind TEXT NOT NULL, entry_id TEXT NOT NULL,"
	" position INTEGER NOT NULL, value TEXT NOT NULL,"
	" PRIMARY KEY (session, kind, entry_id)) STRICT, WITHOUT ROWID;";

/* What goes between chats and sessions, and the record of who did what. */
static const char traffic[] =
	"CREATE TABLE interaction ("
	" id INTEGER PRIMARY KEY, interaction_id TEXT NOT NULL UNIQUE,"
	" token_hash TEXT NOT NULL UNIQUE, session_binding INTEGER NOT NULL,"
	" session INTEGER NOT NULL, kind TEXT NOT NULL, target_id TEXT NOT NULL,"
	" external_interaction_id TEXT,"
	" status TEXT NOT NULL CHECK (status = 'pending' OR status = 'used' OR status = "
	"'expired'),"
	" used_by TEXT, command_id TEXT, expires_at INTEGER NOT NULL, used_at INTEGER "
	"NOT NULL"
	" DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX interaction_pending ON interaction (session) WHERE status = "
	"'pending';"

	"CREATE TABLE provider_event ("
	" id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE,"
	" channel_binding_id TEXT NOT NULL, provider TEXT NOT NULL,"
	" provider_instance_id TEXT NOT NULL, external_workspace_id TEXT NOT NULL,"
	" provider_event_id TEXT NOT NULL, event_type TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status = 'processing' OR status = 'processed' OR "
	"status = 'failed'),"
	" claimed_by TEXT, claim_expires_at INTEGER NOT NULL, attempt_count INTEGER NOT "
	"NULL,"
	" retryable INTEGER NOT NULL, last_error TEXT, metadata TEXT NOT NULL,"
	" processed_at INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"

	/* due: when it may be claimed next; NULL in a final state. */
	"CREATE TABLE delivery ("
	" id INTEGER PRIMARY KEY, delivery_id TEXT NOT NULL, agent_id TEXT NOT NULL,"
	" channel_binding_id TEXT NOT NULL, session_binding_id TEXT, provider TEXT NOT "
	"NULL,"
	" target TEXT NOT NULL, event_type TEXT NOT NULL, payload TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status = 'pending' OR status = 'claimed' OR status "
	"= 'sent' OR status = 'failed' OR status = 'dead'),"
	" attempt_count INTEGER NOT NULL DEFAULT 0, claimed_by TEXT, last_claimed_by "
	"TEXT,"
	" claim_expires_at INTEGER NOT NULL DEFAULT 0, next_attempt_at INTEGER NOT NULL,"
	" due INTEGER, last_error TEXT, created_at INTEGER NOT NULL,"
	" updated_at INTEGER NOT NULL, UNIQUE (channel_binding_id, delivery_id)) STRICT;"
	"CREATE INDEX delivery_due ON delivery (due, id) WHERE due IS NOT NULL;"

	/* Append only: who did what; no texts of people. */
	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY, actor TEXT NOT NULL, event TEXT NOT NULL,"
	" target TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;";

/* Who may use the routes from elsewhere, and for which channels. */
static const char tokens[] =
	"CREATE TABLE api_token ("
	" token_id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL,"
	" last4 TEXT NOT NULL, expires_at INTEGER NOT NULL,"
	" revoked_at INTEGER NOT NULL DEFAULT 0,"
	" last_used_at INTEGER NOT NULL DEFAULT 0,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"
	"CREATE TABLE api_token_grant ("
	" token_id TEXT NOT NULL REFERENCES api_token (token_id) ON DELETE CASCADE,"
	" channel_binding_id TEXT NOT NULL,"
	" PRIMARY KEY (token_id, channel_binding_id)) STRICT, WITHOUT ROWID;";

/* What people sent (command_id is its prompt's) and what agents made. */
static const char files[] =
	"CREATE TABLE file ("
	" id INTEGER PRIMARY KEY, file_id TEXT NOT NULL UNIQUE,"
	" session INTEGER NOT NULL, command_id TEXT, filename TEXT NOT NULL,"
	" mime_type TEXT NOT NULL, bytes INTEGER NOT NULL,"
	" created_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX file_command ON file (command_id) WHERE command_id IS NOT NULL;"
	"CREATE INDEX file_age ON file (created_at);"
	/* The agent that was chosen for the session; NULL: its channel's. */
	"ALTER TABLE session ADD COLUMN agent TEXT;";

/* What agents have used: of yesterday and today. */
static const char budgets[] =
	"CREATE TABLE spent ("
	" day INTEGER NOT NULL, agent TEXT NOT NULL, session INTEGER NOT NULL,"
	" tokens INTEGER NOT NULL, PRIMARY KEY (day, agent, session))"
	" STRICT, WITHOUT ROWID;";

/* Whose words they are, so that they can be deleted with the person; and how many sessions have
 * been deleted, so that a thread's next one is not taken for an earlier one. */
static const char authors[] =
	"ALTER TABLE command ADD COLUMN identity_id TEXT;"
	"ALTER TABLE message ADD COLUMN author TEXT;"
	"ALTER TABLE epoch ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;";

const struct database_migration schema_migrations[] = {
	{1, people},
	{2, sessions},
	{3, traffic},
	{4, tokens},
	{5, files},
	{6, budgets},
	{7, authors},
};
const size_t schema_migration_count =
	sizeof(schema_migrations) / sizeof(schema_migrations[0]);
