/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a message on their way into its prompt. */
#ifndef COWGATE_GATEWAY_ATTACHMENTS_H
#define COWGATE_GATEWAY_ATTACHMENTS_H

#include "gateway/conversation/file_types.h"
#include "gateway/journal/inbox.h"

#include <cowgate/sdk/buffer.h>

#define ATTACHMENTS_MAX 16 /* of one prompt */
#define ATTACHMENTS_BYTES (INT64_C(64) << 20) /* of one prompt together */

/*
 * Those that lie in the spool, as {filename, mimeType, bytes, path}; the caller's, NULL: none.
 * The names of the others are added to @refused, separated by commas: the channel could not
 * fetch them, or they are too many or too large together, or, which is said, of a type that is not
 * taken.
 */
struct json_object *attachments_take(const struct inbox_message *message,
	const struct file_types *types, struct cg_buffer *refused);

/*
 * For another side that takes no files: the small texts among them are added to @text, each under
 * its name; the names of the others to @refused.  Reads files of ATTACHMENTS_INLINE bytes at most.
 */
#define ATTACHMENTS_INLINE (64u << 10) /* of one prompt together */
void attachments_inline(const struct inbox_message *message,
	const struct file_types *types, struct cg_buffer *text,
	struct cg_buffer *refused);

#endif
