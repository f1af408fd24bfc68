/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of the files that the plane keeps: what people sent, what agents made.
 *
 * A file is there in whole, synced, under its id, before the row that names it is
 * committed; a file without a row is left over from a crash and is swept at the start.
 * Everything blocks: writer thread or offload pool, never the loop.
 */
#ifndef COWGATE_CONTROL_PLANE_FILE_STORE_H
#define COWGATE_CONTROL_PLANE_FILE_STORE_H

#include "control-plane/agents/agent.h"
#include "control-plane/change.h"

#define FILE_BYTES AGENT_ARTIFACT /* of one file */
#define FILE_PATH 1024 /* bytes of a path with its NUL */

struct file_store {
	char path[FILE_PATH - HASHED_ID - 16]; /* of the directory */
};

/* Make the directory if need be, for the owner only. */
enum cg_status file_store_init(
	struct file_store *store, const char *path, struct cg_error *err);
void file_store_path(const struct file_store *store, const char *id, char ret[FILE_PATH]);

/*
 * Keep a file under an id, replacing what is there.  INVALID: it is no regular file.
 * LIMIT: it is larger than FILE_BYTES.  Else NOT_FOUND, FULL or IO.
 *
 * link: a file of the same file system gets a second name, any other is copied; @from
 * must not be written to afterwards.  copy and write make a file of its own.
 */
enum cg_status file_store_link(const struct file_store *store, const char *id,
	const char *from, uint64_t *ret_bytes, struct cg_error *err);
enum cg_status file_store_copy(const struct file_store *store, const char *id,
	const char *from, uint64_t *ret_bytes, struct cg_error *err);
enum cg_status file_store_write(const struct file_store *store, const char *id,
	const void *bytes, size_t length, struct cg_error *err);

/* The whole file; on CG_OK the caller frees *@ret. */
enum cg_status file_store_read(const struct file_store *store, const char *id, char **ret,
	size_t *ret_length, struct cg_error *err);
void file_store_remove(const struct file_store *store, const char *id);

/* Remove each file that @keep does not know. */
void file_store_sweep(const struct file_store *store,
	bool (*keep)(void *arg, const char *id), void *arg);

#endif
