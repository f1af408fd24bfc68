/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer: doubles up to its cap, fails once and stays failed until cleared. */
#include <cowgate/sdk/buffer.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64u
#define KEPT_CAPACITY (64u * 1024u) /* what cg_buffer_clear() does not give back */

void cg_buffer_init(struct cg_buffer *buffer, size_t limit)
{
	*buffer =
		(struct cg_buffer){.limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4};
}

void cg_buffer_finish(struct cg_buffer *buffer)
{
	if (buffer == NULL)
		return;
	free(buffer->bytes);
	*buffer = (struct cg_buffer){.limit = buffer->limit};
}

void cg_buffer_clear(struct cg_buffer *buffer)
{
	if (buffer->capacity > KEPT_CAPACITY) {
		cg_buffer_finish(buffer);
		return;
	}
	buffer->length = 0;
	buffer->status = CG_OK;
	if (buffer->bytes != NULL)
		buffer->bytes[0] = '\0';
}

/* Make room for @extra bytes and a NUL. */
static enum cg_status reserve(struct cg_buffer *buffer, size_t extra)
{
	size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
	size_t needed;
	char *bytes;

	if (buffer->status != CG_OK)
		return buffer->status;
	if (extra > buffer->limit - buffer->length)
		return buffer->status = CG_LIMIT;
	needed = buffer->length + extra + 1;
	if (needed <= buffer->capacity)
		return CG_OK;
	while (capacity < needed)
		capacity *= 2;
	if (capacity > buffer->limit + 1)
		capacity = buffer->limit + 1;
	bytes = realloc(buffer->bytes, capacity);
	if (bytes == NULL)
		return buffer->status = CG_NOMEM;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return CG_OK;
}

enum cg_status cg_buffer_add(struct cg_buffer *buffer, const void *bytes, size_t length)
{
	enum cg_status status = reserve(buffer, length);

	if (status != CG_OK)
		return status;
	if (length > 0)
		memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
	buffer->bytes[buffer->length] = '\0';
	return CG_OK;
}

enum cg_status cg_buffer_text(struct cg_buffer *buffer, const char *text)
{
	return cg_buffer_add(buffer, text, strlen(text));
}

enum cg_status cg_buffer_char(struct cg_buffer *buffer, char c)
{
	return cg_buffer_add(buffer, &c, 1);
}

enum cg_status cg_buffer_format(struct cg_buffer *buffer, const char *format, ...)
{
	va_list args;
	enum cg_status status;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return buffer->status = CG_NOMEM;
	status = reserve(buffer, (size_t)length);
	if (status != CG_OK)
		return status;
	va_start(args, format);
	vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, args);
	va_end(args);
	buffer->length += (size_t)length;
	return CG_OK;
}

void cg_buffer_drop(struct cg_buffer *buffer, size_t length)
{
	if (length >= buffer->length) {
		cg_buffer_truncate(buffer, 0);
		return;
	}
	if (length == 0)
		return;
	/* The NUL moves along. */
	memmove(buffer->bytes, buffer->bytes + length, buffer->length - length + 1);
	buffer->length -= length;
}

void cg_buffer_truncate(struct cg_buffer *buffer, size_t length)
{
	if (length >= buffer->length)
		return;
	buffer->length = length;
	buffer->bytes[length] = '\0';
}

const char *cg_buffer_string(const struct cg_buffer *buffer)
{
	return buffer->bytes != NULL ? buffer->bytes : "";
}

char *cg_buffer_take(struct cg_buffer *buffer, size_t *ret_length)
{
	enum cg_status status = cg_buffer_add(buffer, "", 0);
	size_t length = buffer->length;
	char *bytes = NULL;

	if (status == CG_OK) {
		bytes = buffer->bytes;
		buffer->bytes = NULL;
		if (ret_length != NULL)
			*ret_length = length;
	}
	cg_buffer_finish(buffer);
	buffer->status = status;
	return bytes;
}
