/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a mandatory cap.
 *
 * Appending never half-succeeds: beyond the cap or without memory the buffer keeps its bytes,
 * remembers the failure, and cg_buffer_status() tells.  So a series of appends is checked once.
 */
#ifndef COWGATE_SDK_BUFFER_H
#define COWGATE_SDK_BUFFER_H

#include <cowgate/status.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct cg_buffer {
	char *bytes; /* owned; NUL after length bytes once anything was appended */
	size_t length;
	size_t capacity;
	size_t limit;
	enum cg_status status; /* first failure: LIMIT or NOMEM */
};

void cg_buffer_init(struct cg_buffer *buffer, size_t limit);
void cg_buffer_finish(struct cg_buffer *buffer);

/* Empty it and forget the failure; memory up to 64 KiB is kept for reuse. */
void cg_buffer_clear(struct cg_buffer *buffer);

enum cg_status cg_buffer_add(struct cg_buffer *buffer, const void *bytes, size_t length);
enum cg_status cg_buffer_text(struct cg_buffer *buffer, const char *text);
enum cg_status cg_buffer_char(struct cg_buffer *buffer, char c);
enum cg_status cg_buffer_format(struct cg_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Drop the first @length bytes. */
void cg_buffer_drop(struct cg_buffer *buffer, size_t length);

/* Cut to @length bytes if longer. */
void cg_buffer_truncate(struct cg_buffer *buffer, size_t length);

static inline enum cg_status cg_buffer_status(const struct cg_buffer *buffer)
{
	return buffer->status;
}

/* The contents as a C string, "" when empty.  Borrowed until the next change. */
const char *cg_buffer_string(const struct cg_buffer *buffer);

/*
 * Move the contents out ("" when nothing was appended); the caller frees.  NULL after a failure,
 * which cg_buffer_status() still tells.  The buffer is empty either way.
 */
char *cg_buffer_take(struct cg_buffer *buffer, size_t *ret_length);

#endif
