/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes in a file, all of them, and on the disk itself.  All of this blocks; any thread. */
#ifndef COWGATE_SDK_SYNC_H
#define COWGATE_SDK_SYNC_H

#include <stdbool.h>
#include <stddef.h>

/* As write(), however often that stops on its way; false with errno. */
bool cg_write_all(int fd, const void *bytes, size_t length);

/* As fsync(), and through the disk's own cache where the system's fsync() stops before it:
 * 0, or -1 with errno. */
int cg_sync(int fd);

/* The same by name.  For a directory: the names in it are as durable as their files. */
int cg_sync_path(const char *path);

#endif
