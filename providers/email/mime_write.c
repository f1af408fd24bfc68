/* SPDX-License-Identifier: Apache-2.0 */
#include "mime.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <gmime/gmime.h>
#include <string.h>
#include <unistd.h>

#define HEADER_MAX 1024

/*
 * One line without control characters, so that no text can become a header of its own.  Bytes that
 * are no UTF-8 are left out.
 */
static void header_text(const char *text, char ret[HEADER_MAX])
{
	size_t used = 0, length = text == NULL ? 0 : strlen(text);

	for (size_t at = 0; at < length && used < HEADER_MAX - 8;) {
		uint32_t point;
		size_t step = cg_utf8_decode(text + at, length - at, &point);

		if (step > 0 && cg_text_is_control(point)) {
			ret[used++] = ' ';
		} else if (step > 0) {
			memcpy(ret + used, text + at, step);
			used += step;
		}
		at += step == 0 ? 1 : step;
	}
	ret[used] = '\0';
}

/* An id as it came from outside is only used when it is one. */
static bool bracketed(const char *id, char ret[EMAIL_ID + 2])
{
	const char *at = id == NULL ? "" : id;
	char clean[EMAIL_ID];

	if (!email_id_next(&at, clean))
		return false;
	g_snprintf(ret, EMAIL_ID + 2, "<%s>", clean);
	return true;
}

static void set_references(GMimeObject *message, const struct mime_draft *draft)
{
	char parent[EMAIL_ID + 2], one[EMAIL_ID + 2], all[2 * (EMAIL_ID + 3)];
	size_t used = 0;

	if (bracketed(draft->in_reply_to, parent))
		g_mime_object_set_header(message, "In-Reply-To", parent, NULL);
	for (size_t i = 0; i < 2; i++) {
		if (!bracketed(draft->references[i], one) ||
			(used > 0 && strcmp(all, one) == 0))
			continue;
		used += (size_t)g_snprintf(
			all + used, sizeof(all) - used, "%s%s", used > 0 ? " " : "", one);
	}
	if (used > 0)
		g_mime_object_set_header(message, "References", all, NULL);
}

static void set_headers(GMimeMessage *message, const struct mime_draft *draft)
{
	char text[HEADER_MAX];
	GDateTime *date = g_date_time_new_from_unix_utc(draft->at_ms / 1000);

	header_text(draft->from_name, text);
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM,
		text[0] == '\0' ? NULL : text, draft->from);
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, NULL, draft->to);
	header_text(draft->subject, text);
	g_mime_message_set_subject(message, text, "utf-8");
	if (date != NULL) {
		g_mime_message_set_date(message, date);
		g_date_time_unref(date);
	}
	g_mime_message_set_message_id(message, draft->id);
	set_references(GMIME_OBJECT(message), draft);
	/* Answering machines leave these alone, and we leave alone what carries them. */
	g_mime_object_set_header(
		GMIME_OBJECT(message), "Auto-Submitted", "auto-replied", NULL);
	g_mime_object_set_header(
		GMIME_OBJECT(message), "X-Auto-Response-Suppress", "All", NULL);
}

/* UTF-8 as it is: g_mime_text_part_set_text() would choose another charset where one will do. */
static GMimeObject *text_part(const char *subtype, const char *text)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
	GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(
		stream, GMIME_CONTENT_ENCODING_DEFAULT);
	GMimeTextPart *part = g_mime_text_part_new_with_subtype(subtype);

	g_mime_text_part_set_charset(part, "utf-8");
	g_mime_part_set_content(GMIME_PART(part), content);
	g_mime_part_set_content_encoding(
		GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_object_unref(content);
	g_object_unref(stream);
	return GMIME_OBJECT(part);
}

static void add_part(GMimeMultipart *multipart, GMimeObject *part)
{
	g_mime_multipart_add(multipart, part);
	g_object_unref(part);
}

/* Plain text alone, or beside HTML as the better of two. */
static GMimeObject *body(const struct mime_draft *draft)
{
	const char *text = draft->text == NULL ? "" : draft->text;
	GMimeMultipart *both;

	if (draft->html == NULL)
		return text_part("plain", text);
	both = g_mime_multipart_new_with_subtype("alternative");
	add_part(both, text_part("plain", text));
	add_part(both, text_part("html", draft->html));
	return GMIME_OBJECT(both);
}

/* "type/subtype" of tokens; anything else is bytes. */
static bool mime_type_valid(const char *type)
{
	const char *slash = type == NULL ? NULL : strchr(type, '/');

	return slash != NULL && slash != type && slash[1] != '\0' &&
	       strspn(type,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		       "!#$&^_.+-/") == strlen(type) &&
	       strchr(slash + 1, '/') == NULL &&
	       g_ascii_strncasecmp(type, "multipart/", 10) != 0 &&
	       g_ascii_strncasecmp(type, "message/", 8) != 0;
}

/* NULL: the descriptor cannot be taken. */
static GMimeObject *file_part(const struct mime_draft *draft)
{
	const char *type = mime_type_valid(draft->mime_type) ? draft->mime_type
							     : "application/octet-stream";
	const char *subtype = strchr(type, '/') + 1;
	char *family, name[MAIL_FILENAME];
	GMimeDataWrapper *content;
	GMimeStream *stream;
	GMimePart *part;
	int fd = dup(draft->fd); /* the stream closes its own */

	if (fd < 0)
		return NULL;
	stream = g_mime_stream_fs_new(fd);
	content = g_mime_data_wrapper_new_with_stream(
		stream, GMIME_CONTENT_ENCODING_DEFAULT);
	g_object_unref(stream);
	family = g_strndup(type, (gsize)(subtype - type - 1));
	part = g_mime_part_new_with_type(family, subtype);
	g_free(family);
	g_mime_part_set_content(part, content);
	g_object_unref(content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
	mail_filename(draft->filename, name);
	g_mime_part_set_filename(part, name);
	return GMIME_OBJECT(part);
}

static enum cg_status serialise(
	GMimeMessage *message, struct cg_buffer *ret, struct cg_error *err)
{
	GMimeFormatOptions *options = g_mime_format_options_new();
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes;
	enum cg_status status;

	g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
	if (g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream) < 0) {
		status = cg_error_set(err, CG_IO, "the mail cannot be written");
	} else {
		bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
		status = cg_buffer_add(ret, bytes->data, bytes->len);
		if (status != CG_OK)
			cg_error_set(err, status, "the mail is too large");
	}
	g_object_unref(stream);
	g_mime_format_options_free(options);
	return status;
}

enum cg_status mime_write(
	const struct mime_draft *draft, struct cg_buffer *ret, struct cg_error *err)
{
	GMimeMessage *message = g_mime_message_new(FALSE);
	GMimeObject *whole = body(draft), *file;
	GMimeMultipart *mixed;
	enum cg_status status = CG_OK;

	if (draft->fd >= 0) {
		file = file_part(draft);
		if (file == NULL) {
			status = cg_error_set(err, CG_IO, "the file cannot be read");
			goto out;
		}
		mixed = g_mime_multipart_new_with_subtype("mixed");
		add_part(mixed, whole);
		add_part(mixed, file);
		whole = GMIME_OBJECT(mixed);
	}
	set_headers(message, draft);
	g_mime_message_set_mime_part(message, whole);
	status = serialise(message, ret, err);

out:
	g_object_unref(whole);
	g_object_unref(message);
	return status;
}
