/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of plane.db.
 *
 * A session is known outside by its text id and inside by its row number, which keys
 * its events, messages and entries, so that one chat lies together on disk.  Times are
 * wall clock milliseconds; a missing workspace is '' so that uniqueness holds.
 */
#ifndef COWGATE_CONTROL_PLANE_SCHEMA_H
#define COWGATE_CONTROL_PLANE_SCHEMA_H

#include "runtime/database.h"

extern const struct database_migration schema_migrations[];
extern const size_t schema_migration_count;

#endif
