/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of plain files as wholes, one level deep: what a backup copies, checks and removes.
 * These block, and belong to programs that do nothing else meanwhile.
 */
#ifndef COWGATE_GATEWAY_TREE_H
#define COWGATE_GATEWAY_TREE_H

#include <cowgate/status.h>
#include <stdio.h>

#define TREE_PATH 5120 /* bytes of any path here, with its NUL */

/*
 * Copy the regular files of @from that @to does not have, each synced, mode 0600; @to is made, 0700,
 * if need be.  No @from: nothing to do.  A file that goes while it is looked at is left out, and so
 * is what is still being written ("*.part").
 */
enum cg_status tree_copy(const char *from, const char *to, struct cg_error *err);

/* Remove a file, or a directory with all that lies in it, two levels deep at most.  What is not there
 * is removed already. */
enum cg_status tree_remove(const char *path, struct cg_error *err);

/* Write "<SHA-256>  <prefix><name>" for each file of the directory, as sha256sum(1) does. */
enum cg_status tree_sums(
	FILE *sums, const char *directory, const char *prefix, struct cg_error *err);

/* Look whether the files that the lines of @path name, below its directory, are what they say.
 * NOT_FOUND: there is no @path.  INVALID: one is not, or is missing. */
enum cg_status tree_check(const char *directory, const char *name, struct cg_error *err);

/* The directory and everything in it belong to whoever owns @like from now on; nothing unless root
 * does it. */
enum cg_status tree_give(const char *path, const char *like, struct cg_error *err);

#endif
