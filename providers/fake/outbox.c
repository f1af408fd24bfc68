/* SPDX-License-Identifier: Apache-2.0 */
/* What was delivered: a ring in memory and, where one is named, a file that survives a crash. */
#include "fake.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1u << 20)
#define OUTBOX_MAX (64u << 20)

static struct json_object *describe_buttons(const struct cg_outbound *outbound)
{
	struct json_object *buttons = cg_json_new_array();

	for (size_t i = 0; i < outbound->button_count; i++) {
		struct json_object *button = cg_json_new_object();

		cg_json_put_string(button, "label", outbound->buttons[i].label);
		cg_json_put_string(button, "token", outbound->buttons[i].token);
		cg_json_append(buttons, button);
	}
	return buttons;
}

static struct json_object *describe(
	const struct cg_outbound *outbound, const char *message_id)
{
	static const char *const types[] = {
		[CG_OUTBOUND_TEXT] = "text",
		[CG_OUTBOUND_EDIT] = "edit",
		[CG_OUTBOUND_BUTTONS] = "buttons",
		[CG_OUTBOUND_FILE] = "file",
		[CG_OUTBOUND_ANSWER] = "answer_interaction",
		[CG_OUTBOUND_TYPING] = "typing",
		[CG_OUTBOUND_REACTION] = "reaction",
	};
	struct json_object *line = cg_json_new_object();

	cg_json_put_string(line, "type", types[outbound->kind]);
	cg_json_put_string(line, "deliveryId", outbound->delivery_id);
	cg_json_put_string(line, "messageId", message_id);
	cg_json_put_string(line, "chatId", outbound->target.chat_id);
	cg_json_put_string(line, "threadId", outbound->target.thread_id);
	cg_json_put_int(line, "attempt", outbound->attempt);
	if (outbound->text != NULL)
		cg_json_put(line, "text",
			cg_json_new_string_length(outbound->text, outbound->text_length));
	if (outbound->kind == CG_OUTBOUND_EDIT)
		cg_json_put_string(line, "editedId", outbound->target.message_id);
	if (outbound->kind == CG_OUTBOUND_ANSWER)
		cg_json_put_string(line, "interactionId", outbound->interaction_id);
	if (outbound->kind == CG_OUTBOUND_BUTTONS)
		cg_json_put(line, "buttons", describe_buttons(outbound));
	if (outbound->file != NULL) {
		cg_json_put_string(line, "filename", outbound->file->filename);
		cg_json_put_int(line, "bytes", (int64_t)outbound->file->bytes);
	}
	return line;
}

/* One write, one fsync: a line is whole or absent whatever happens next. */
static enum cg_status append(
	const char *path, const char *bytes, size_t length, struct cg_error *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	enum cg_status status = CG_OK;

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length || cg_sync(fd) != 0)
		status = cg_error_set(
			err, CG_IO, "outboxFile cannot be written: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return status;
}

enum cg_status fake_outbox_add(struct fake *fake, const struct cg_outbound *outbound,
	const char *message_id, struct cg_error *err)
{
	struct json_object *delivery = describe(outbound, message_id);
	char **slot = &fake->outbox[fake->delivered % FAKE_REMEMBERED];
	enum cg_status status = CG_OK;
	struct cg_buffer line;
	size_t length;
	const char *text = cg_json_text(delivery, &length);

	cg_buffer_init(&line, LINE_MAX_BYTES);
	cg_buffer_add(&line, text, length);
	cg_buffer_char(&line, '\n');
	cg_json_free(delivery);
	if (cg_buffer_status(&line) != CG_OK)
		status = cg_error_set(
			err, cg_buffer_status(&line), "the message is too long");
	else if (fake->outbox_path != NULL)
		status = append(fake->outbox_path, line.bytes, line.length, err);
	if (status == CG_OK) {
		free(*slot);
		*slot = cg_buffer_take(&line, &length);
		fake->delivered++;
	}
	cg_buffer_finish(&line);
	return status;
}

void fake_outbox_write(const struct fake *fake, struct cg_buffer *ret)
{
	uint64_t first =
		fake->delivered > FAKE_REMEMBERED ? fake->delivered - FAKE_REMEMBERED : 0;

	cg_buffer_init(ret, OUTBOX_MAX);
	cg_buffer_char(ret, '[');
	for (uint64_t i = first; i < fake->delivered; i++) {
		const char *line = fake->outbox[i % FAKE_REMEMBERED];

		if (i > first)
			cg_buffer_char(ret, ',');
		cg_buffer_add(ret, line, strlen(line) - 1);
	}
	cg_buffer_char(ret, ']');
}

void fake_outbox_finish(struct fake *fake)
{
	for (size_t i = 0; i < FAKE_REMEMBERED; i++)
		free(fake->outbox[i]);
}
