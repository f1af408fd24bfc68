/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of journal.db.  Private to the journal. */
#ifndef COWGATE_GATEWAY_SCHEMA_H
#define COWGATE_GATEWAY_SCHEMA_H

#include "runtime/database.h"

extern const struct database_migration journal_migrations[];
extern const size_t journal_migration_count;

/* States of an inbox row as they are stored; those of the outbox are enum outbox_state. */
#define INBOX_STATE_PENDING 0
#define INBOX_STATE_HANDED 1
#define INBOX_STATE_DEAD 2

#endif
