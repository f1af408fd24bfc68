/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file on its way out: read and written as base64 behind the delivery's head, on a thread of
 * the pool.  The whole body lies in memory, which maxAttachmentBytes bounds; its signature
 * covers all of it.
 */
#ifndef PROVIDERS_WEBHOOK_FILE_H
#define PROVIDERS_WEBHOOK_FILE_H

#include <cowgate/outbound.h>
#include <cowgate/sdk/buffer.h>

struct webhook_file {
	char *path; /* owned: the outbound may be gone before the thread is */
	uint64_t limit; /* bytes of the file */
	struct cg_buffer body; /* the head at first, the whole body in the end */
	enum cg_status status;
	struct cg_error err;
};

/* @head is what webhook_wire_write() made of @file; it is copied. */
enum cg_status webhook_file_init(struct webhook_file *ret, const struct cg_file *file,
	uint64_t limit, const struct cg_buffer *head);
void webhook_file_finish(struct webhook_file *file);

/* Read and encode it.  Blocks.  With a status but OK, err says why. */
void webhook_file_encode(struct webhook_file *file);

#endif
