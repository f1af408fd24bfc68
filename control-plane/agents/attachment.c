/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/attachment.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *type_of(const struct agent_file *file)
{
	return file->mime_type == NULL ? "" : file->mime_type;
}

bool attachment_is_image(const struct agent_file *file)
{
	static const char *const types[] = {
		"image/png", "image/jpeg", "image/gif", "image/webp"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(type_of(file), types[i]) == 0)
			return true;
	}
	return false;
}

bool attachment_is_text(const struct agent_file *file)
{
	static const char *const types[] = {"application/json", "application/xml",
		"application/yaml", "application/toml", "application/javascript",
		"application/x-sh", "application/sql"};
	static const char *const ends[] = {".txt", ".md", ".csv", ".json", ".log",
		".yaml", ".yml", ".toml", ".ini", ".c", ".h", ".py", ".js", ".ts", ".sh",
		".patch", ".diff"};
	const char *end = file->filename == NULL ? NULL : strrchr(file->filename, '.');

	if (strncasecmp(type_of(file), "text/", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(type_of(file), types[i]) == 0)
			return true;
	}
	if (*type_of(file) != '\0' &&
		strcasecmp(type_of(file), "application/octet-stream") != 0)
		return false;
	for (size_t i = 0; end != NULL && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcasecmp(end, ends[i]) == 0)
			return true;
	}
	return false;
}

enum cg_status attachment_read(const struct agent_file *file, struct cg_buffer *ret)
{
	enum cg_status status = CG_OK;
	char chunk[16384];
	ssize_t got = 1;
	int fd = file->path == NULL ? -1 : open(file->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return CG_IO;
	while (status == CG_OK && got > 0) {
		got = read(fd, chunk, sizeof(chunk));
		if (got > 0)
			status = cg_buffer_add(ret, chunk, (size_t)got);
	}
	close(fd);
	return got < 0 ? CG_IO : status;
}

enum cg_status attachment_base64(
	const struct agent_file *file, size_t limit, struct cg_buffer *ret)
{
	struct cg_buffer bytes;
	enum cg_status status;
	char *text = NULL;

	cg_buffer_init(&bytes, limit);
	status = attachment_read(file, &bytes);
	if (status == CG_OK) {
		text = malloc(4 * ((bytes.length + 2) / 3) + 1);
		status = text == NULL ? CG_NOMEM : CG_OK;
	}
	if (status == CG_OK) {
		size_t length = cg_base64(cg_buffer_string(&bytes), bytes.length, text);

		status = cg_buffer_add(ret, text, length);
	}
	free(text);
	cg_buffer_finish(&bytes);
	return status;
}

enum cg_status attachment_url(const struct agent_file *file, struct cg_buffer *ret)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";

	cg_buffer_text(ret, "file://");
	for (const char *c = file->path; *c != '\0'; c++) {
		if (strchr(plain, *c) != NULL)
			cg_buffer_char(ret, *c);
		else
			cg_buffer_format(ret, "%%%02X", (unsigned char)*c);
	}
	return cg_buffer_status(ret);
}

void attachment_note(const struct agent_file *file, struct cg_buffer *ret)
{
	cg_buffer_format(ret,
		"[A file was attached that you cannot see: %s, %s, %" PRIu64 " bytes.]",
		file->filename, type_of(file), file->bytes);
}
