/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SQLite VFS over the platform's that fails on demand and can lose what was never
 * synced.
 *
 * Writes go to the real files at once, so that other connections and processes see them.
 * Beside that it remembers, in sectors of 512 bytes, what each file held when it was last
 * synced; a loss of power puts that back.  It is modelled on the unkind kind of disk: a
 * failed sync leaves sectors that later syncs believe clean and that are lost all the
 * same unless they are written again.  Names (creating, deleting) are taken to be durable
 * at once.
 *
 * There is one VFS in a process; its functions may be called from any thread.
 */
#ifndef COWGATE_TESTS_FAULT_VFS_H
#define COWGATE_TESTS_FAULT_VFS_H

#include <stdint.h>

#define FAULT_VFS "fault" /* its name, for database_options.vfs */

enum fault_loss {
	FAULT_LOSE, /* keep only what was synced */
	FAULT_TEAR, /* and of the rest a random half, by sectors */
};

/* Register it, and forget all faults, counts and files.  None of them may be open. */
void fault_vfs_install(void);

/*
 * Fail with @code (SQLITE_IOERR_FSYNC, SQLITE_FULL …) every sync, or every write and
 * truncation after the next @after ones, of files whose name ends in @suffix (NULL: all).
 * SQLITE_OK ends it.
 */
void fault_vfs_fail_syncs(int code, const char *suffix);
void fault_vfs_fail_writes(int code, const char *suffix, unsigned after);

/* Let every sync wait, wait until one does, let them go on. */
void fault_vfs_hold_syncs(void);
void fault_vfs_await_held(void);
void fault_vfs_release_syncs(void);

/* Syncs that were asked for, of files whose name ends in @suffix. */
unsigned fault_vfs_syncs(const char *suffix);

/*
 * The power of the whole machine goes at the @sync-th sync from now, before that takes effect;
 * 0: at once, and it does not return.  What was not synced is lost as by fault_vfs_lose(), and
 * the process is killed with its files open.
 */
void fault_vfs_cut_power(unsigned sync, enum fault_loss loss, uint64_t seed);

/* From now on every write, sync, truncation and deletion fails and changes nothing. */
void fault_vfs_power_off(void);

/* Once all files are closed: what the disk holds after the loss.  Power is on again and no
 * fault is set.  0, or -1 when a file cannot be rewritten. */
int fault_vfs_lose(enum fault_loss loss, uint64_t seed);

#endif
