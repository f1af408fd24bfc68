/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway has stored as a backup, and back.  For programs that do nothing else meanwhile. */
#ifndef COWGATE_GATEWAY_ARCHIVE_H
#define COWGATE_GATEWAY_ARCHIVE_H

#include <cowgate/status.h>
#include <stdbool.h>

/*
 * Make the directory @to (0700) with a copy of each store and of all kept files in it (0600), and a
 * list of their sums, while the gateway may go on.  It has its name only once it is whole.  EXISTS:
 * @to is there.  NOT_FOUND: there is nothing to back up.
 */
enum cg_status archive_make(const char *data_dir, const char *to, struct cg_error *err);

/* Is everything in it whole?  NOT_FOUND: it is no backup.  INVALID: damaged. */
enum cg_status archive_verify(const char *from, struct cg_error *err);

/*
 * Put what the backup holds in the place of what @data_dir holds, which is kept as
 * NAME.before-restore.  Whatever ends it early, all of the old is there, or all of the new as soon as
 * archive_settle() has run.  What was to be delivered counts as unknown from then on, for it may have
 * been delivered since the backup; the plane is another one to whoever has a cursor of it.  BUSY: a
 * gateway runs there.
 */
enum cg_status archive_restore(
	const char *from, const char *data_dir, struct cg_error *err);

/* Before the stores are opened: finish a restore that was cut short once it could not be undone any
 * more, or clear away one that was not.  *@ret_settled: it has been finished.  BUSY: a gateway, or a
 * restore, is at work there. */
enum cg_status archive_settle(
	const char *data_dir, bool *ret_settled, struct cg_error *err);

#endif
