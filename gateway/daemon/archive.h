/* SPDX-License-Identifier: Apache-2.0 */
/* The stores of a gateway as a backup, and back.  For programs that do nothing else meanwhile. */
#ifndef COWGATE_GATEWAY_ARCHIVE_H
#define COWGATE_GATEWAY_ARCHIVE_H

#include <cowgate/status.h>

/*
 * Make the directory @to (0700) with a copy of each store in it (0600), checked, while the gateway
 * may go on.  It has its name only once it is whole.  EXISTS: @to is there.  NOT_FOUND: there is
 * nothing to back up.
 */
enum cg_status archive_make(const char *data_dir, const char *to, struct cg_error *err);

/* Is every store in it whole?  NOT_FOUND: it is no backup.  INVALID: damaged. */
enum cg_status archive_verify(const char *from, struct cg_error *err);

/*
 * Put the stores of the backup in the place of those in @data_dir, which are kept as
 * NAME.before-restore.  What was to be delivered counts as unknown from then on, for it may have
 * been delivered since the backup; the plane is another one to whoever has a cursor of it.  BUSY:
 * a gateway runs there.
 */
enum cg_status archive_restore(
	const char *from, const char *data_dir, struct cg_error *err);

#endif
