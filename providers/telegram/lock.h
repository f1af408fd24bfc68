/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program of this host for each bot: a lock file named after a hash of the bot's URL, in a
 * directory that daemons of different people share.  It goes when it is dropped.
 */
#ifndef PROVIDERS_TELEGRAM_LOCK_H
#define PROVIDERS_TELEGRAM_LOCK_H

#include <cowgate/sdk/secret.h>

struct telegram_lock {
	int fd; /* -1: not held */
	char path[1200];
};

void telegram_lock_init(struct telegram_lock *lock);

/*
 * @directory "": the first of the usual ones that takes the file.  BUSY: another process holds
 * it, and @err names it.  OK also where no lock can be kept (no writable directory, a file of
 * somebody else): then the platform's own word has to do.
 */
enum cg_status telegram_lock_take(struct telegram_lock *lock, const char *directory,
	const struct cg_secret *url, struct cg_error *err);
void telegram_lock_drop(struct telegram_lock *lock);

#endif
