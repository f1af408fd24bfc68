/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/attachments.h"

#include "gateway/conversation/card.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>

#define ATTACHMENTS_NAME 100 /* code points of a name that is told */

static void refuse(struct cg_buffer *refused, const char *name)
{
	if (refused->length > 0)
		cg_buffer_text(refused, ", ");
	card_add_plain(refused, name, ATTACHMENTS_NAME);
}

struct json_object *attachments_take(
	const struct inbox_message *message, struct cg_buffer *refused)
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
