/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/attachments.h"

#include "gateway/conversation/card.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ATTACHMENTS_NAME 100 /* code points of a name that is told */

static void refuse(struct cg_buffer *refused, const char *name)
{
	if (refused->length > 0)
		cg_buffer_text(refused, ", ");
	card_add_plain(refused, name, ATTACHMENTS_NAME);
}

/* False: it is of a type that is not taken, which is said. */
static bool is_taken(const struct file_types *types, struct json_object *file,
	const char *name, struct cg_buffer *refused)
{
	const char *type = cg_json_string(file, "mimeType");

	switch (file_types_judge(types, type, cg_json_string(file, "filename"))) {
	case FILE_TAKEN:
		return true;
	case FILE_NO_PROGRAM:
		refuse(refused, name);
		cg_buffer_text(refused, " (programs are not taken here)");
		return false;
	case FILE_NO_TYPE:
		break;
	}
	refuse(refused, name);
	cg_buffer_text(refused, " (");
	card_add_plain(refused, cg_text_blank(type) ? "files without a type" : type,
		ATTACHMENTS_NAME);
	cg_buffer_text(refused, ": not taken here)");
	return false;
}

struct json_object *attachments_take(const struct inbox_message *message,
	const struct file_types *types, struct cg_buffer *refused)
{
	struct json_object *taken = cg_json_new_array();
	int64_t total = 0;

	for (size_t i = 0; i < message->attachment_count; i++) {
		struct json_object *file = cg_json_at(message->attachments, i), *one;
		const char *name = cg_json_string(file, "filename");
		const char *path = cg_json_string(file, "spoolPath");
		int64_t bytes = cg_json_int(file, "bytes", -1);

		if (cg_text_blank(name))
			name = "file";
		if (!is_taken(types, file, name, refused))
			continue;
		if (path == NULL || cg_json_count(taken) == ATTACHMENTS_MAX ||
			total + bytes > ATTACHMENTS_BYTES) {
			refuse(refused, name);
			continue;
		}
		total += bytes > 0 ? bytes : 0;
		one = cg_json_new_object();
		cg_json_put_string(one, "filename", name);
		cg_json_put_string(one, "mimeType", cg_json_string(file, "mimeType"));
		if (bytes >= 0)
			cg_json_put_int(one, "bytes", bytes);
		cg_json_put_string(one, "path", path);
		cg_json_append(taken, one);
	}
	if (cg_json_count(taken) > 0)
		return taken;
	cg_json_free(taken);
	return NULL;
}

/* Its bytes if it is a text of at most @room bytes; the length, or -1. */
static ssize_t read_text(const char *path, char *ret, size_t room)
{
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t length = 0;
	ssize_t got = -1;

	if (fd < 0)
		return -1;
	while (length <= room && (got = read(fd, ret + length, room + 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	if (got < 0 || length > room || memchr(ret, '\0', length) != NULL ||
		!cg_utf8_valid(ret, length))
		return -1;
	return (ssize_t)length;
}

void attachments_inline(const struct inbox_message *message,
	const struct file_types *types, struct cg_buffer *text, struct cg_buffer *refused)
{
	static char bytes[ATTACHMENTS_INLINE + 1]; /* the loop thread's */
	size_t room = ATTACHMENTS_INLINE;

	for (size_t i = 0; i < message->attachment_count; i++) {
		struct json_object *file = cg_json_at(message->attachments, i);
		const char *name = cg_json_string(file, "filename");
		ssize_t length;

		if (cg_text_blank(name))
			name = "file";
		if (!is_taken(types, file, name, refused))
			continue;
		length = read_text(cg_json_string(file, "spoolPath"), bytes, room);
		if (length <= 0) {
			refuse(refused, name);
			continue;
		}
		room -= (size_t)length;
		cg_buffer_text(text, text->length > 0 ? "\n\n[" : "[");
		card_add_plain(text, name, ATTACHMENTS_NAME);
		cg_buffer_text(text, "]\n");
		cg_buffer_add(text, bytes, (size_t)length);
		cg_buffer_text(
			text, bytes[length - 1] == '\n' ? "[end of " : "\n[end of ");
		card_add_plain(text, name, ATTACHMENTS_NAME);
		cg_buffer_char(text, ']');
	}
}
