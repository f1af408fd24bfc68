/* SPDX-License-Identifier: Apache-2.0 */
/* Files of host->spool_create(), for providers: when they are on the disk, and those that came
 * inside a message. */
#ifndef COWGATE_SDK_SPOOL_H
#define COWGATE_SDK_SPOOL_H

#include <cowgate/host.h>
#include <cowgate/sdk/message_json.h>

#define CG_SPOOL_PATH 1024 /* bytes of a file's path, NUL included */

/* Bytes and name of the file are on the disk.  Blocks: for a thread of the pool.  FULL or IO. */
enum cg_status cg_spool_sync(int fd, const char *path);

/* Decode base64, blanks in it left out, into the file, and sync it.  Blocks.  INVALID: it is none.
 * Else FULL or IO. */
enum cg_status cg_spool_decode(
	int fd, const char *path, const char *base64, size_t length);

/* The contents that came with a message's attachments.  The base64 is borrowed. */
struct cg_spool_inline {
	struct cg_spool_file {
		const char *base64; /* NULL: this attachment came without its content */
		size_t length;
		int fd; /* -1: none */
		char path[CG_SPOOL_PATH];
	} files[CG_INBOUND_ATTACHMENTS];
	size_t count;
	enum cg_status status; /* of cg_spool_inline_write() */
};

/* Does any attachment of @body, which cg_inbound_read_parts() has taken, have its content? */
bool cg_spool_inline_any(struct json_object *body);

/*
 * Make a file for each content and name it in @parts, whose attachments must be handed over
 * only after cg_spool_inline_write() has succeeded.  Finish @ret either way.
 */
enum cg_status cg_spool_inline_open(struct cg_spool_inline *ret,
	const struct cg_host *host, struct json_object *body,
	struct cg_inbound_parts *parts, struct cg_error *err);
/* Write and sync them all.  Blocks: for a thread of the pool. */
void cg_spool_inline_write(struct cg_spool_inline *files);
/* Close them; remove them, too, unless they are to be kept. */
void cg_spool_inline_finish(struct cg_spool_inline *files, bool keep);

#endif
