/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "wire.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 3072 /* bytes that are encoded at once; a multiple of 3 */

enum cg_status webhook_file_init(struct webhook_file *ret, const struct cg_file *file,
	uint64_t limit, const struct cg_buffer *head)
{
	size_t encoded = 4 * (((size_t)limit + 2) / 3);

	*ret = (struct webhook_file){.limit = limit, .path = strdup(file->path)};
	cg_buffer_init(
		&ret->body, head->length + encoded + sizeof(WEBHOOK_WIRE_FILE_END));
	if (ret->path == NULL)
		return CG_NOMEM;
	return cg_buffer_add(&ret->body, head->bytes, head->length);
}

void webhook_file_finish(struct webhook_file *file)
{
	free(file->path);
	cg_buffer_finish(&file->body);
}

/* As much as there is, up to a whole block; -1: it cannot be read. */
static ssize_t read_block(int fd, uint8_t block[BLOCK])
{
	size_t filled = 0;

	while (filled < BLOCK) {
		ssize_t count = read(fd, block + filled, BLOCK - filled);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		filled += (size_t)count;
	}
	return (ssize_t)filled;
}

static enum cg_status encode(struct webhook_file *file, int fd)
{
	uint8_t block[BLOCK];
	char text[4 * BLOCK / 3 + 1];
	uint64_t total = 0;
	ssize_t count;

	while ((count = read_block(fd, block)) > 0) {
		enum cg_status status;

		total += (uint64_t)count;
		if (total > file->limit)
			return cg_error_set(&file->err, CG_INVALID,
				"the file is larger than it was said to be");
		status = cg_buffer_add(
			&file->body, text, cg_base64(block, (size_t)count, text));
		if (status != CG_OK)
			return cg_error_set(&file->err, status, "no memory for the file");
	}
	if (count < 0)
		return cg_error_set(&file->err, CG_IO, "the file cannot be read: %s",
			strerror(errno));
	return cg_buffer_text(&file->body, WEBHOOK_WIRE_FILE_END);
}

void webhook_file_encode(struct webhook_file *file)
{
	/* A pipe in its place must not keep the thread. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		file->status = cg_error_set(&file->err, CG_IO,
			"the file cannot be opened: %s", strerror(errno));
		return;
	}
	file->status = encode(file, fd);
	close(fd);
}
