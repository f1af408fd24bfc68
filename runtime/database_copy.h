/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Database files as wholes: are they sound, and a copy of one that may be in use.  These block,
 * and belong to programs that do nothing else meanwhile.
 */
#ifndef COWGATE_RUNTIME_DATABASE_COPY_H
#define COWGATE_RUNTIME_DATABASE_COPY_H

#include <cowgate/status.h>

/*
 * Read the whole file and look whether it holds together, without changing it; it may be in use.
 * INVALID: it does not, and the sentence is the first fault.  NOT_FOUND.
 */
enum cg_status database_verify(const char *path, struct cg_error *err);

/*
 * A copy of @from, which may be in use, as of one moment: @to is made with mode 0600, is no
 * larger than its contents, and is on the disk when this returns.  EXISTS: @to is there.  What
 * was made is removed on failure.
 */
enum cg_status database_copy(const char *from, const char *to, struct cg_error *err);

/* One change to a file that nobody uses, in one transaction: statements without parameters. */
enum cg_status database_amend(const char *path, const char *sql, struct cg_error *err);

/*
 * The lock that a daemon holds as long as it has the database open.  BUSY names who has it.  The
 * caller closes *@ret_fd, which gives it back.
 */
enum cg_status database_lock(const char *path, int *ret_fd, struct cg_error *err);

#endif
