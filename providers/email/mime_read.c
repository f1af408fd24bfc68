/* SPDX-License-Identifier: Apache-2.0 */
#include "mime.h"

#include "page.h"
#include "quote.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
	const struct mime_reading *reading;
	struct mail *mail;
	struct cg_buffer plain, html; /* all texts of that kind, in order */
	enum cg_status status;
};

void mime_library_init(void)
{
	static bool begun;

	if (!begun)
		g_mime_init();
	begun = true;
}

/* ---- Headers ---- */

static const char *header(GMimeMessage *message, const char *name)
{
	return g_mime_object_get_header(GMIME_OBJECT(message), name);
}

/* Exactly one mailbox counts: of two senders neither is one. */
static void read_sender(GMimeMessage *message, struct mail *mail)
{
	InternetAddressList *from = g_mime_message_get_from(message);
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
	InternetAddress *address;
	int count = 0;

	for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
		const char *name = g_mime_header_get_name(
			g_mime_header_list_get_header_at(headers, i));

		count += strcasecmp(name, "From") == 0;
	}
	if (count != 1 || from == NULL || internet_address_list_length(from) != 1)
		return;
	address = internet_address_list_get_address(from, 0);
	if (!INTERNET_ADDRESS_IS_MAILBOX(address))
		return;
	if (!email_address_read(
		    internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)),
		    mail->from, NULL)) {
		mail->from[0] = '\0';
		return;
	}
	mail_clean(mail->name, sizeof(mail->name), internet_address_get_name(address));
}

/* Only what the receiving host wrote counts, and it writes on top of whatever came with the mail. */
static bool is_authenticated(
	GMimeMessage *message, const struct mail_trust *trust, const char *address)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));
	int count = g_mime_header_list_get_count(headers);

	for (int i = 0; i < count; i++) {
		GMimeHeader *one = g_mime_header_list_get_header_at(headers, i);
		const char *value = g_mime_header_get_raw_value(one);

		if (strcasecmp(g_mime_header_get_name(one), "Authentication-Results") !=
				0 ||
			value == NULL || !mail_results_trusted(value, trust))
			continue;
		return mail_results_pass(value, trust, address);
	}
	return false;
}

/* Headers about the content are kept with the content. */
static const char *header_of(void *arg, const char *name)
{
	GMimeObject *part = g_mime_message_get_mime_part(arg);
	const char *value = header(arg, name);

	return value != NULL || part == NULL ? value
					     : g_mime_object_get_header(part, name);
}

/* ---- Parts ---- */

static void read_text(struct reader *reader, GMimeTextPart *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
	struct cg_buffer *to = g_mime_content_type_is_type(type, "text", "html")
				       ? &reader->html
				       : &reader->plain;
	char *text = g_mime_text_part_get_text(part);
	size_t length = text == NULL ? 0 : strlen(text);
	size_t room = to->length < MAIL_TEXT_MAX ? MAIL_TEXT_MAX - to->length : 0;

	if (length > room)
		length = room;
	if (length > 0) {
		if (to->length > 0)
			cg_buffer_text(to, "\n\n");
		cg_utf8_repair(to, text, length);
	}
	g_free(text);
}

static void read_file(struct reader *reader, GMimePart *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	struct mail *mail = reader->mail;
	struct mail_file *file;
	GMimeStream *stream;
	GByteArray *bytes;
	char *name;

	if (mail->file_count == MAIL_FILES || reader->reading->truncated) {
		mail->left_out++;
		return;
	}
	file = &mail->files[mail->file_count];
	*file = (struct mail_file){.told = -1};
	mail_filename(g_mime_part_get_filename(part), file->filename);
	name = g_mime_content_type_get_mime_type(type);
	mail_clean(file->mime_type, sizeof(file->mime_type), name);
	g_free(name);
	stream = g_mime_stream_mem_new();
	if (content != NULL)
		g_mime_data_wrapper_write_to_stream(content, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	if (bytes->len > reader->reading->max_file) {
		mail->left_out++;
	} else {
		file->length = bytes->len;
		file->bytes = malloc(file->length + 1);
		if (file->bytes == NULL) {
			reader->status = CG_NOMEM;
		} else {
			if (file->length > 0)
				memcpy(file->bytes, bytes->data, file->length);
			file->bytes[file->length] = '\0';
			mail->file_count++;
		}
	}
	g_object_unref(stream);
}

static bool is_attachment(GMimeObject *part)
{
	const char *disposition = g_mime_object_get_disposition(part);

	return (disposition != NULL &&
		       g_ascii_strcasecmp(disposition, "attachment") == 0) ||
	       g_mime_part_get_filename(GMIME_PART(part)) != NULL;
}

static void read_object(struct reader *reader, GMimeObject *object);

/* The best that is readable among several forms of the same; other parts beside it are files. */
static void read_multipart(struct reader *reader, GMimeMultipart *multipart)
{
	for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
		read_object(reader, g_mime_multipart_get_part(multipart, i));
}

/* A mail within the mail: a file of its own, to be read by whoever wants to. */
static void read_embedded(struct reader *reader, GMimeMessagePart *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	struct mail *mail = reader->mail;
	GMimeStream *stream;
	GByteArray *bytes;
	struct mail_file *file;

	if (message == NULL || mail->file_count == MAIL_FILES ||
		reader->reading->truncated) {
		mail->left_out += message != NULL;
		return;
	}
	stream = g_mime_stream_mem_new();
	g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	file = &mail->files[mail->file_count];
	*file = (struct mail_file){.told = -1, .length = bytes->len};
	if (bytes->len <= reader->reading->max_file)
		file->bytes = malloc(bytes->len + 1);
	if (file->bytes == NULL) {
		mail->left_out++;
	} else {
		memcpy(file->bytes, bytes->len > 0 ? (const char *)bytes->data : "",
			bytes->len);
		file->bytes[bytes->len] = '\0';
		cg_text_copy(file->filename, sizeof(file->filename), "message.eml");
		cg_text_copy(file->mime_type, sizeof(file->mime_type), "message/rfc822");
		mail->file_count++;
	}
	g_object_unref(stream);
}

static void read_object(struct reader *reader, GMimeObject *object)
{
	if (GMIME_IS_MULTIPART(object))
		read_multipart(reader, GMIME_MULTIPART(object));
	else if (GMIME_IS_MESSAGE_PART(object))
		read_embedded(reader, GMIME_MESSAGE_PART(object));
	else if (GMIME_IS_TEXT_PART(object) && !is_attachment(object))
		read_text(reader, GMIME_TEXT_PART(object));
	else if (GMIME_IS_PART(object))
		read_file(reader, GMIME_PART(object));
}

/* ---- The whole ---- */

/* The text, plain where there is one, else what a browser would show. */
static enum cg_status make_text(struct reader *reader)
{
	struct mail *mail = reader->mail;
	struct cg_buffer shown, text;
	enum cg_status status = CG_OK;

	cg_buffer_init(&shown, 2 * MAIL_TEXT_MAX);
	cg_buffer_init(&text, 2 * MAIL_TEXT_MAX);
	if (cg_text_blank(cg_buffer_string(&reader->plain))) {
		status = page_read(
			&shown, cg_buffer_string(&reader->html), reader->html.length);
		if (status == CG_LIMIT) /* what there is room for */
			status = CG_OK;
	} else {
		cg_buffer_add(&shown, reader->plain.bytes, reader->plain.length);
	}
	if (status == CG_OK)
		status = quote_cut(&text, cg_buffer_string(&shown), shown.length,
			quote_is_forward(mail->subject));
	if (status == CG_OK) {
		mail->text = cg_buffer_take(&text, NULL);
		status = mail->text == NULL ? CG_NOMEM : CG_OK;
	}
	cg_buffer_finish(&shown);
	cg_buffer_finish(&text);
	return status;
}

static bool begins(const char *bytes, size_t length, const char *word)
{
	return length >= strlen(word) && strncasecmp(bytes, word, strlen(word)) == 0;
}

/* Parsers recurse for each container: so few that no thread's stack is at risk. */
static bool is_too_deep(const char *bytes, size_t length)
{
	size_t containers = 0;

	for (size_t i = 0; i < length; i++) {
		if ((bytes[i] | 32) != 'm')
			continue;
		if (begins(bytes + i, length - i, "multipart/") ||
			begins(bytes + i, length - i, "message/"))
			containers++;
		if (containers > MIME_PARTS)
			return true;
	}
	return false;
}

static void read_headers(struct reader *reader, GMimeMessage *message)
{
	const struct mime_reading *reading = reader->reading;
	struct mail *mail = reader->mail;
	const char *at = header(message, "Message-ID");

	read_sender(message, mail);
	if (at == NULL || !email_id_next(&at, mail->id))
		mail->id[0] = '\0';
	mail_clean(mail->subject, sizeof(mail->subject),
		g_mime_message_get_subject(message));
	mail_find_thread(mail, header(message, "References"),
		header(message, "In-Reply-To"), reading->domain);
	mail->automatic = mail_automatic(
		mail, header_of, message, reading->domain, reading->own_address);
	if (mail->from[0] != '\0')
		mail->authenticated =
			is_authenticated(message, &reading->trust, mail->from);
}

enum cg_status mime_read(const char *bytes, size_t length,
	const struct mime_reading *reading, struct mail *ret, struct cg_error *err)
{
	struct mail mail = {.file_count = 0};
	struct reader reader = {.reading = reading, .mail = &mail};
	GMimeMessage *message;
	GMimeStream *stream;
	GMimeParser *parser;

	if (length > MIME_MESSAGE_MAX)
		return cg_error_set(err, CG_LIMIT, "the mail is larger than %u MiB",
			MIME_MESSAGE_MAX >> 20);
	if (length == 0 || is_too_deep(bytes, length))
		return cg_error_set(err, CG_INVALID,
			"the mail is empty or has more than %d containers", MIME_PARTS);
	stream = g_mime_stream_mem_new_with_buffer(bytes, length);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	if (message == NULL)
		return cg_error_set(err, CG_INVALID, "this is no mail");
	cg_buffer_init(&reader.plain, 4 * MAIL_TEXT_MAX);
	cg_buffer_init(&reader.html, 4 * MAIL_TEXT_MAX);
	read_headers(&reader, message);
	if (g_mime_message_get_mime_part(message) != NULL)
		read_object(&reader, g_mime_message_get_mime_part(message));
	if (reader.status == CG_OK)
		reader.status = make_text(&reader);
	cg_buffer_finish(&reader.plain);
	cg_buffer_finish(&reader.html);
	g_object_unref(message);
	if (reader.status != CG_OK) {
		mail_finish(&mail);
		return cg_error_set(
			err, reader.status, "%s", cg_status_text(reader.status));
	}
	*ret = mail;
	return CG_OK;
}
