/* SPDX-License-Identifier: Apache-2.0 */
/* Spool files: durable, and filled from a message. */
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/spool.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096 /* characters of base64 that are decoded at once; a multiple of 4 */

static enum cg_status status_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? CG_FULL : CG_IO;
}

/* The file's name is as durable as its bytes only when its directory is. */
static int sync_directory_of(const char *path)
{
	char directory[CG_SPOOL_PATH];
	char *slash;

	cg_text_copy(directory, sizeof(directory), path);
	slash = strrchr(directory, '/');
	if (slash == NULL)
		return 0;
	slash[slash == directory] = '\0';
	return cg_sync_path(directory);
}

enum cg_status cg_spool_sync(int fd, const char *path)
{
	if (cg_sync(fd) != 0 || sync_directory_of(path) != 0)
		return status_of_errno();
	return CG_OK;
}

static const char *content_of(
	struct json_object *attachments, size_t index, size_t *ret_length)
{
	struct json_object *attachment = cg_json_at(attachments, index);

	return cg_json_value_string(
		cg_json_member(attachment, "bufferBase64"), ret_length);
}

bool cg_spool_inline_any(struct json_object *body)
{
	struct json_object *attachments = cg_json_array(body, "attachments");
	size_t length;

	for (size_t i = 0; i < cg_json_count(attachments); i++) {
		if (content_of(attachments, i, &length) != NULL)
			return true;
	}
	return false;
}

enum cg_status cg_spool_inline_open(struct cg_spool_inline *ret,
	const struct cg_host *host, struct json_object *body,
	struct cg_inbound_parts *parts, struct cg_error *err)
{
	struct json_object *attachments = cg_json_array(body, "attachments");
	size_t count = cg_json_count(attachments);

	ret->count = 0;
	ret->status = CG_OK;
	for (size_t i = 0; i < count && i < CG_INBOUND_ATTACHMENTS; i++) {
		struct cg_spool_file *file = &ret->files[i];
		enum cg_status status;

		file->fd = -1;
		file->base64 = content_of(attachments, i, &file->length);
		ret->count = i + 1;
		if (file->base64 == NULL)
			continue;
		status = host->spool_create(host, (uint64_t)parts->attachments[i].bytes,
			&file->fd, file->path, sizeof(file->path), err);
		if (status != CG_OK) {
			file->fd = -1;
			file->base64 = NULL;
			return status;
		}
		parts->attachments[i].spool_path = file->path;
	}
	return CG_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Block by block: all but the last hold no padding, so that each is whole by itself. */
enum cg_status cg_spool_decode(
	int fd, const char *path, const char *base64, size_t length)
{
	char block[BLOCK];
	uint8_t bytes[3 * BLOCK / 4 + 3];
	size_t filled = 0, decoded = 0;
	enum cg_status status = CG_OK;

	for (size_t at = 0; at < length && status == CG_OK; at++) {
		if (!is_blank(base64[at]))
			block[filled++] = base64[at];
		if (filled < BLOCK && at + 1 < length)
			continue;
		if (filled > 0 && !cg_unbase64(block, filled, bytes, &decoded))
			return CG_INVALID;
		if (filled > 0 && !cg_write_all(fd, bytes, decoded))
			return status_of_errno();
		filled = 0;
	}
	return status == CG_OK ? cg_spool_sync(fd, path) : status;
}

void cg_spool_inline_write(struct cg_spool_inline *files)
{
	for (size_t i = 0; i < files->count && files->status == CG_OK; i++) {
		const struct cg_spool_file *file = &files->files[i];

		if (file->base64 != NULL)
			files->status = cg_spool_decode(
				file->fd, file->path, file->base64, file->length);
	}
}

void cg_spool_inline_finish(struct cg_spool_inline *files, bool keep)
{
	for (size_t i = 0; i < files->count; i++) {
		struct cg_spool_file *file = &files->files[i];

		if (file->fd < 0)
			continue;
		close(file->fd);
		if (!keep)
			unlink(file->path);
		file->fd = -1;
	}
	files->count = 0;
}
