/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of journal.db.
 *
 * Every list that must be found fast has a partial index, so that an index is as long as what
 * is unfinished and not as what is kept.  A row is unfinished while closed_ms (inbox) or
 * finished_ms (outbox) is NULL.
 *
 * A row is open while closed_ms is NULL (inquiry).
 *
 * inbox.key is the dedupe key (see inbox.c).  outbox.head is 1 for the unfinished row of each
 * lane that was stored first (see lane.c).  outbox.rank is the priority of the row's purpose.
 */
#include "gateway/journal/schema.h"

/* A retention that deleted the row with the highest id would let SQLite give that id out
 * again, so it never does; AUTOINCREMENT would write one more page for every message. */
static const char version_1[] =
	"CREATE TABLE checkpoint("
	" instance TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	" PRIMARY KEY(instance, key)) STRICT, WITHOUT ROWID;"

	"CREATE TABLE inbox("
	" id INTEGER PRIMARY KEY,"
	" key BLOB NOT NULL,"
	" digest BLOB,"
	" state INTEGER NOT NULL DEFAULT 0,"
	" bytes INTEGER NOT NULL,"
	" received_ms INTEGER NOT NULL,"
	" closed_ms INTEGER,"
	" reason TEXT,"
	" type INTEGER NOT NULL,"
	" is_direct INTEGER NOT NULL,"
	" sender_is_bot INTEGER NOT NULL,"
	" interaction_is_command INTEGER NOT NULL,"
	" instance TEXT NOT NULL, event_id TEXT NOT NULL, message_id TEXT,"
	" chat_id TEXT NOT NULL, thread_id TEXT, user_id TEXT, context TEXT,"
	" sender_id TEXT NOT NULL, sender_username TEXT, sender_name TEXT,"
	" interaction_id TEXT, interaction_token TEXT, command TEXT, command_args TEXT,"
	" text TEXT, attachments TEXT) STRICT;"
	"CREATE UNIQUE INDEX inbox_key ON inbox(key);"
	"CREATE INDEX inbox_pending ON inbox(id, bytes) WHERE state = 0;"
	"CREATE INDEX inbox_dead ON inbox(state) WHERE state = 2;"
	"CREATE INDEX inbox_spooled ON inbox(id) WHERE state = 0 AND attachments IS NOT "
	"NULL;"

	"CREATE TABLE outbox("
	" id INTEGER PRIMARY KEY,"
	" lane INTEGER NOT NULL,"
	" head INTEGER NOT NULL,"
	" state INTEGER NOT NULL DEFAULT 0,"
	" rank INTEGER NOT NULL,"
	" purpose INTEGER NOT NULL,"
	" kind INTEGER NOT NULL,"
	" part INTEGER NOT NULL, parts INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL DEFAULT 0,"
	" failures INTEGER NOT NULL DEFAULT 0,"
	" maybe_duplicate INTEGER NOT NULL DEFAULT 0,"
	" is_direct INTEGER NOT NULL, silent INTEGER NOT NULL,"
	" file_bytes INTEGER NOT NULL,"
	" created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
	" not_before_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,"
	" finished_ms INTEGER,"
	" platform_status INTEGER, receipt TEXT, outcome TEXT, scope TEXT, reason TEXT, "
	"detail TEXT,"
	" delivery_id TEXT NOT NULL, instance TEXT NOT NULL,"
	" chat_id TEXT NOT NULL, thread_id TEXT, user_id TEXT, context TEXT,"
	" message_id TEXT,"
	" slot_id TEXT, session_id TEXT, binding_id TEXT,"
	" file_name TEXT, file_mime TEXT, file_path TEXT,"
	" claim TEXT, buttons TEXT, source TEXT) STRICT;"
	"CREATE UNIQUE INDEX outbox_delivery ON outbox(delivery_id);"
	"CREATE INDEX outbox_lane ON outbox(lane, id, created_ms) WHERE finished_ms IS "
	"NULL;"
	"CREATE INDEX outbox_head ON outbox(instance, rank, not_before_ms, id, lane)"
	" WHERE head = 1 AND state <> 1;"
	"CREATE INDEX outbox_flight ON outbox(state) WHERE state IN (1, 3);"
	"CREATE INDEX outbox_finished ON outbox(state, finished_ms) WHERE finished_ms IS "
	"NOT NULL;"

	"CREATE TABLE inquiry("
	" id INTEGER PRIMARY KEY,"
	" state INTEGER NOT NULL DEFAULT 0,"
	" kind INTEGER NOT NULL, is_direct INTEGER NOT NULL,"
	" created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, closed_ms INTEGER,"
	" taken_by INTEGER,"
	" token TEXT NOT NULL, code TEXT NOT NULL, card_id TEXT NOT NULL,"
	" target_id TEXT NOT NULL, agent_id TEXT, instance TEXT NOT NULL,"
	" chat_id TEXT NOT NULL, thread_id TEXT, user_id TEXT, context TEXT,"
	" session_id TEXT, binding_id TEXT, options TEXT, card TEXT NOT NULL,"
	" answer TEXT, decided_by TEXT) STRICT;"
	"CREATE UNIQUE INDEX inquiry_token ON inquiry(token);"
	"CREATE UNIQUE INDEX inquiry_card ON inquiry(card_id);"
	"CREATE INDEX inquiry_chat ON inquiry(instance, chat_id, id)"
	" WHERE closed_ms IS NULL;"
	"CREATE INDEX inquiry_session ON inquiry(binding_id)"
	" WHERE closed_ms IS NULL;"
	"CREATE INDEX inquiry_due ON inquiry(expires_ms, id) WHERE closed_ms IS "
	"NULL;"
	"CREATE INDEX inquiry_closed ON inquiry(closed_ms)"
	" WHERE closed_ms IS NOT NULL;"

	"CREATE TABLE cursor("
	" binding_id TEXT PRIMARY KEY,"
	" session_id TEXT NOT NULL,"
	" instance TEXT NOT NULL, chat_id TEXT NOT NULL, thread_id TEXT, user_id TEXT,"
	" context TEXT, agent_id TEXT, is_direct INTEGER NOT NULL,"
	" generation INTEGER NOT NULL,"
	" epoch TEXT, sequence INTEGER NOT NULL,"
	" open INTEGER NOT NULL,"
	" active_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX cursor_thread ON cursor(instance, chat_id, thread_id, generation);"
	"CREATE INDEX cursor_open ON cursor(active_ms) WHERE open = 1;";

/* Deliveries claimed from a Cloud (see claim.c); outbox.claim is claim.key. */
static const char version_2[] =
	"CREATE TABLE claim("
	" key TEXT PRIMARY KEY,"
	" delivery_id TEXT NOT NULL, channel_binding_id TEXT NOT NULL,"
	" claimed_by TEXT NOT NULL, send_by_ms INTEGER NOT NULL,"
	" state INTEGER NOT NULL DEFAULT 0, outcome INTEGER NOT NULL DEFAULT 0,"
	" next_ms INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',"
	" created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX claim_open ON claim(send_by_ms) WHERE state = 0;"
	"CREATE INDEX claim_done ON claim(state, updated_ms) WHERE state > 0;"
	"CREATE INDEX outbox_claim ON outbox(claim) WHERE claim IS NOT NULL;";

/* Asked for at a start only, where a look at all that is unfinished does as well; and each
 * message wrote two more pages for it. */
static const char version_3[] = "DROP INDEX outbox_flight;";

/* Marks that are not concluded (see inbox_mark.h), and what a message answers. */
static const char version_4[] =
	"ALTER TABLE inbox ADD COLUMN reply_to TEXT;"
	"ALTER TABLE inbox ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE inbox ADD COLUMN mark_binding_id TEXT;"
	"ALTER TABLE inbox ADD COLUMN mark_command_id TEXT;"
	"ALTER TABLE inbox ADD COLUMN mark_answer_id TEXT;"
	"CREATE INDEX inbox_marked ON inbox(id) WHERE mark > 0;";

/* How attempts ended (see outbox_attempt.c).  They go when their delivery is deleted or forgotten,
 * whoever does it. */
static const char version_5[] =
	"CREATE TABLE attempt("
	" outbox_id INTEGER NOT NULL, step INTEGER NOT NULL,"
	" number INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" outcome TEXT NOT NULL, scope TEXT, platform_status INTEGER, detail TEXT,"
	" PRIMARY KEY(outbox_id, step)) STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER attempt_goes AFTER DELETE ON outbox BEGIN"
	" DELETE FROM attempt WHERE outbox_id = old.id; END;"
	"CREATE TRIGGER attempt_is_forgotten AFTER UPDATE OF chat_id ON outbox"
	" WHEN new.chat_id = '' BEGIN"
	" DELETE FROM attempt WHERE outbox_id = old.id; END;";

const struct database_migration journal_migrations[] = {
	{1, version_1},
	{2, version_2},
	{3, version_3},
	{4, version_4},
	{5, version_5},
};
const size_t journal_migration_count =
	sizeof(journal_migrations) / sizeof(*journal_migrations);
