/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on the disk itself, not only on their way to it.  Both block; any thread. */
#ifndef COWGATE_SDK_SYNC_H
#define COWGATE_SDK_SYNC_H

/* As fsync(), and through the disk's own cache where the system's fsync() stops before it:
 * 0, or -1 with errno. */
int cg_sync(int fd);

/* The same by name.  For a directory: the names in it are as durable as their files. */
int cg_sync_path(const char *path);

#endif
