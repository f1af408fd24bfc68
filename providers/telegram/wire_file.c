/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file's call: multipart/form-data in two pieces, since the file itself never lies in memory.
 */
#include "wire.h"

#include <cowgate/sdk/error.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Images that the platform shows in the chat; others go as documents. */
static const char *const photo_types[] = {"image/jpeg", "image/png", "image/webp"};

static bool is_photo(const struct cg_file *file)
{
	if (file->mime_type == NULL || file->bytes > TELEGRAM_PHOTO_OUT)
		return false;
	for (size_t i = 0; i < sizeof(photo_types) / sizeof(*photo_types); i++) {
		if (strcmp(file->mime_type, photo_types[i]) == 0)
			return true;
	}
	return false;
}

enum cg_status telegram_file_check(
	const struct cg_outbound *outbound, struct cg_error *err)
{
	const struct cg_file *file = outbound->file;

	if (file == NULL || cg_text_blank(file->path))
		return cg_error_set(err, CG_INVALID, "there is no file to send");
	if (file->bytes == 0)
		return cg_error_set(err, CG_INVALID,
			"the file is empty, and Telegram takes no empty files");
	if (file->bytes > TELEGRAM_FILE_OUT)
		return cg_error_set(err, CG_INVALID,
			"the file is larger than the 50 MB that a bot may send");
	if (outbound->text != NULL &&
		cg_text_measure(outbound->text, outbound->text_length, CG_UNIT_UTF16) >
			TELEGRAM_CAPTION)
		return cg_error_set(
			err, CG_INVALID, "the text below the file is longer than 1024");
	return CG_OK;
}

static void begin_part(
	struct cg_buffer *body, const struct telegram_form *form, const char *name)
{
	cg_buffer_format(body, "--%s\r\nContent-Disposition: form-data; name=\"%s\"",
		form->boundary, name);
}

static void write_part(struct cg_buffer *body, const struct telegram_form *form,
	const char *name, const char *value, size_t length)
{
	begin_part(body, form, name);
	cg_buffer_text(body, "\r\n\r\n");
	cg_buffer_add(body, value, length);
	cg_buffer_text(body, "\r\n");
}

static void write_number(struct cg_buffer *body, const struct telegram_form *form,
	const char *name, int64_t number)
{
	begin_part(body, form, name);
	cg_buffer_format(body, "\r\n\r\n%" PRId64 "\r\n", number);
}

/* As browsers write it: what would end the name or the line is percent-encoded. */
static void write_filename(struct cg_buffer *body, const char *name)
{
	if (cg_text_blank(name))
		name = "file";
	cg_buffer_text(body, "; filename=\"");
	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;

		if (c == '"' || c < 0x20 || c == 0x7F)
			cg_buffer_format(body, "%%%02X", c);
		else
			cg_buffer_char(body, *name);
	}
	cg_buffer_char(body, '"');
}

static void write_caption(struct cg_buffer *body, const struct cg_outbound *outbound,
	const struct telegram_form *form)
{
	struct cg_buffer entities;

	if (cg_text_blank(outbound->text))
		return;
	write_part(body, form, "caption", outbound->text, outbound->text_length);
	if (form->plain)
		return;
	cg_buffer_init(&entities, body->limit);
	if (telegram_entities_write(outbound, "[", &entities) &&
		cg_buffer_status(&entities) == CG_OK)
		write_part(
			body, form, "caption_entities", entities.bytes, entities.length);
	cg_buffer_finish(&entities);
}

void telegram_file_write(const struct cg_outbound *outbound,
	const struct telegram_form *form, struct telegram_written *ret)
{
	const struct cg_file *file = outbound->file;
	const char *chat =
		form->chat_id != NULL ? form->chat_id : outbound->target.chat_id;
	struct cg_buffer *body = &ret->body;
	bool photo = !form->plain && is_photo(file);
	char answers[96];
	int64_t number;

	ret->method = photo ? "sendPhoto" : "sendDocument";
	write_part(body, form, "chat_id", chat, strlen(chat));
	if (telegram_wire_thread(&outbound->target, &number))
		write_number(body, form, "message_thread_id", number);
	if (outbound->silent)
		write_part(body, form, "disable_notification", "true", 4);
	if (telegram_wire_answers(outbound, form, &number)) {
		snprintf(answers, sizeof(answers),
			"{\"message_id\":%" PRId64
			",\"allow_sending_without_reply\":true}",
			number);
		write_part(body, form, "reply_parameters", answers, strlen(answers));
	}
	write_caption(body, outbound, form);
	begin_part(body, form, photo ? "photo" : "document");
	write_filename(body, file->filename);
	cg_buffer_format(body, "\r\nContent-Type: %s\r\n\r\n",
		file->mime_type != NULL && cg_text_clean(file->mime_type,
						   strlen(file->mime_type), 255)
			? file->mime_type
			: "application/octet-stream");
	cg_buffer_format(&ret->tail, "\r\n--%s--\r\n", form->boundary);
}
