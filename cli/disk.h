/* SPDX-License-Identifier: Apache-2.0 */
/* What the disk below a directory has and how long it takes to keep something. */
#ifndef COWGATE_CLI_DISK_H
#define COWGATE_CLI_DISK_H

#include <cowgate/status.h>
#include <stdint.h>

#define DISK_SYNCS 16 /* small writes, each synced, in a file that is removed again */

struct disk_figures {
	int64_t free_bytes; /* for us */
	int64_t sync_median_us, sync_worst_us;
};

/* Measure in @directory.  IO says what could not be done. */
enum cg_status disk_measure(
	const char *directory, struct disk_figures *ret, struct cg_error *err);

#endif
