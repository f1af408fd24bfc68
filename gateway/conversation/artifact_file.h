/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a file that the agent made, on their way from a Cloud's answer to the spool: on the
 * disk before a row names it.  What no unfinished row names is swept there.  Loop thread only;
 * the pool decodes and writes.
 */
#ifndef COWGATE_GATEWAY_ARTIFACT_FILE_H
#define COWGATE_GATEWAY_ARTIFACT_FILE_H

#include "gateway/conversation/context.h"

/* Fetched or written at a time: each lies in memory as text, a third larger than it is. */
#define ARTIFACT_FILES 2

struct artifact_file;

/* @path is borrowed, and the file is left there on CG_OK.  INVALID: the content makes no sense.
 * FULL or IO: the disk. */
typedef void (*artifact_file_done)(
	void *arg, enum cg_status status, const char *path, uint64_t bytes);

/* Write @artifact's content; @done fires once, on a later turn, unless it is cancelled. */
enum cg_status artifact_file_write(struct conversation *conversation,
	const struct cloud_artifact *artifact, artifact_file_done done, void *arg,
	struct artifact_file **ret);
/* @done is not called, and no file stays.  Accepts NULL. */
void artifact_file_cancel(struct artifact_file *file);

/* When the pool has gone: those that it never began. */
void artifact_files_finish(struct conversation *conversation);

#endif
