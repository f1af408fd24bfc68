/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/http_body.h"

#include "runtime/platform.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum cg_status open_file(
	struct http_body *body, const char *path, struct cg_error *err)
{
	struct stat file;

	/* A pipe in the place of a file must not hold up the loop. */
	body->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (body->fd < 0 || fstat(body->fd, &file) != 0)
		return cg_error_set(err, errno == ENOENT ? CG_NOT_FOUND : CG_IO,
			"the file to be sent cannot be opened: %s", strerror(errno));
	if (!S_ISREG(file.st_mode))
		return cg_error_set(err, CG_INVALID, "what is to be sent is no file");
	body->file_length = (uint64_t)file.st_size;
	body->changed_ns = platform_modified_ns(&file);
	return CG_OK;
}

enum cg_status http_body_init(struct http_body *ret,
	const struct cg_http_request *request, struct cg_error *err)
{
	size_t head = request->body_length, tail = request->body_tail_length;

	*ret = (struct http_body){.fd = -1};
	if (head + tail > 0) {
		ret->bytes = malloc(head + tail);
		if (ret->bytes == NULL)
			return cg_error_nomem(err);
		if (head > 0)
			memcpy(ret->bytes, request->body, head);
		if (tail > 0)
			memcpy(ret->bytes + head, request->body_tail, tail);
	}
	ret->head_length = head;
	ret->tail_length = tail;
	return request->body_file == NULL ? CG_OK
					  : open_file(ret, request->body_file, err);
}

void http_body_finish(struct http_body *body)
{
	if (body->fd >= 0)
		close(body->fd);
	free(body->bytes);
	*body = (struct http_body){.fd = -1};
}

uint64_t http_body_length(const struct http_body *body)
{
	return body->head_length + body->file_length + body->tail_length;
}

static bool is_unchanged(const struct http_body *body)
{
	struct stat file;

	return fstat(body->fd, &file) == 0 &&
	       (uint64_t)file.st_size == body->file_length &&
	       platform_modified_ns(&file) == body->changed_ns;
}

/* The next piece of the file from @offset; at its last piece the whole is judged. */
static ssize_t read_file(struct http_body *body, uint64_t offset, void *ret, size_t size)
{
	ssize_t count;

	do {
		count = pread(body->fd, ret, size, (off_t)offset);
	} while (count < 0 && errno == EINTR);
	if (count <= 0)
		return -1;
	if (offset + (uint64_t)count == body->file_length && !is_unchanged(body))
		return -1;
	return count;
}

static size_t lesser(uint64_t left, size_t size)
{
	return left < size ? (size_t)left : size;
}

ssize_t http_body_read(struct http_body *body, void *ret, size_t size)
{
	uint64_t at = body->position, file_end = body->head_length + body->file_length;
	ssize_t count;

	if (body->broken)
		return -1;
	if (at < body->head_length) {
		count = (ssize_t)lesser(body->head_length - at, size);
		memcpy(ret, body->bytes + at, (size_t)count);
	} else if (at < file_end) {
		count = read_file(
			body, at - body->head_length, ret, lesser(file_end - at, size));
	} else {
		count = (ssize_t)lesser(http_body_length(body) - at, size);
		if (count > 0)
			memcpy(ret, body->bytes + (at - body->file_length),
				(size_t)count);
	}
	if (count < 0) {
		body->broken = true;
		return -1;
	}
	body->position += (uint64_t)count;
	return count;
}

bool http_body_seek(struct http_body *body, uint64_t offset)
{
	if (offset > http_body_length(body))
		return false;
	body->position = offset;
	return true;
}
