/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process of this host for something that has a name, such as an account on a platform: a
 * locked file in a directory that daemons of different people share.  The kernel drops the lock
 * with the process, however that ends.
 */
#ifndef COWGATE_SDK_HOST_LOCK_H
#define COWGATE_SDK_HOST_LOCK_H

#include <cowgate/status.h>

struct cg_host_lock {
	int fd; /* -1: not held */
	char path[1200];
};

void cg_host_lock_init(struct cg_host_lock *lock);

/*
 * The file is "cowgate-NAME.lock" in @directory; "": the first of the usual ones that takes it.
 * NAME is seen by everyone on the host: what is secret goes into a hash.
 *
 * BUSY: another process holds it; *@ret_holder is its id, 0 if that cannot be told.  OK also where
 * no lock can be kept (no writable directory, a file of somebody else), then it is not held.
 * A lock that is held is taken again without doing anything.  @ret_holder may be NULL.
 */
enum cg_status cg_host_lock_take(struct cg_host_lock *lock, const char *directory,
	const char *name, long *ret_holder);
/* The file goes too.  Nothing if it is not held. */
void cg_host_lock_drop(struct cg_host_lock *lock);

#endif
