/* SPDX-License-Identifier: Apache-2.0 */
#include "mail_json.h"

#include "page.h"
#include "quote.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/form.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FORM_FIELD_MAX (1u << 20) /* bytes of one */

static const char *first_string(
	struct json_object *object, const char *name, const char *other)
{
	const char *text = cg_json_string(object, name);

	return cg_text_blank(text) ? cg_json_string(object, other) : text;
}

/* ---- Parts ---- */

static void read_sender(struct json_object *body, struct mail *mail)
{
	struct json_object *from = cg_json_member(body, "from");
	char name[EMAIL_NAME];
	const char *text;

	if (from == NULL)
		from = cg_json_member(body, "sender");
	text = cg_json_is_object(from) ? cg_json_string(from, "email")
				       : cg_json_value_string(from, NULL);
	if (text == NULL || !email_address_read(text, mail->from, mail->name)) {
		mail->from[0] = '\0';
		return;
	}
	mail_clean(name, sizeof(name), cg_json_string(from, "name"));
	if (name[0] != '\0')
		memcpy(mail->name, name, sizeof(name));
}

static enum cg_status read_id(
	struct json_object *body, struct mail *mail, struct cg_error *err)
{
	const char *id = first_string(body, "messageId", "id"), *at = id;

	if (cg_text_blank(id))
		return cg_error_set(err, CG_INVALID, "messageId is required");
	/* An id without an @ is the relay's own. */
	if (!email_id_next(&at, mail->id)) {
		if (!cg_text_clean(id, strlen(id), EMAIL_ID - 1))
			return cg_error_set(err, CG_INVALID,
				"messageId is too long or holds control characters");
		cg_text_copy(mail->id, sizeof(mail->id), id);
	}
	return CG_OK;
}

static enum cg_status read_thread(struct json_object *body, const char *domain,
	struct mail *mail, struct cg_error *err)
{
	struct json_object *list = cg_json_array(body, "references");
	const char *thread = cg_json_string(body, "threadId");
	struct cg_buffer references;

	cg_buffer_init(&references, 65536);
	for (size_t i = 0; i < cg_json_count(list); i++) {
		const char *one = cg_json_value_string(cg_json_at(list, i), NULL);

		cg_buffer_text(&references, one == NULL ? "" : one);
		cg_buffer_char(&references, ' ');
	}
	if (list == NULL)
		cg_buffer_text(&references, cg_json_string_or(body, "references", ""));
	mail_find_thread(mail, cg_buffer_string(&references),
		cg_json_string(body, "inReplyTo"), domain);
	cg_buffer_finish(&references);
	if (cg_text_blank(thread))
		return CG_OK;
	if (!cg_text_clean(thread, strlen(thread), CG_INBOUND_ID))
		return cg_error_set(err, CG_INVALID,
			"threadId is too long or holds control characters");
	cg_text_copy(mail->thread, sizeof(mail->thread), thread);
	return CG_OK;
}

static enum cg_status read_text(
	struct json_object *body, struct mail *mail, struct cg_error *err)
{
	const char *text = first_string(body, "text", "body");
	const char *html = cg_text_blank(text) ? cg_json_string(body, "html") : NULL;
	struct cg_buffer shown, kept;
	enum cg_status status = CG_OK;

	cg_buffer_init(&shown, 2 * MAIL_TEXT_MAX);
	cg_buffer_init(&kept, 2 * MAIL_TEXT_MAX);
	if (html != NULL)
		status = page_read(&shown, html, strlen(html));
	else if (text != NULL)
		status = cg_buffer_text(&shown, text);
	if (status == CG_OK)
		status = quote_cut(&kept, cg_buffer_string(&shown), shown.length,
			quote_is_forward(mail->subject));
	if (status == CG_OK) {
		mail->text = cg_buffer_take(&kept, NULL);
		status = mail->text == NULL ? CG_NOMEM : CG_OK;
	}
	cg_buffer_finish(&shown);
	cg_buffer_finish(&kept);
	return status == CG_OK
		       ? CG_OK
		       : cg_error_set(err, status == CG_LIMIT ? CG_INVALID : status,
				 "the text is too long");
}

/* ---- Attachments ---- */

/* Base64 with line ends. */
static bool decode(const char *text, struct mail_file *file)
{
	size_t length = strlen(text), used = 0, size = 0;
	char *packed = malloc(length + 1);
	uint8_t *bytes = malloc(3 * length / 4 + 3);
	bool good = packed != NULL && bytes != NULL;

	for (size_t i = 0; good && i < length; i++) {
		if (strchr(" \t\r\n", text[i]) == NULL)
			packed[used++] = text[i];
	}
	good = good && cg_unbase64(packed, used, bytes, &size);
	free(packed);
	if (!good) {
		free(bytes);
		return false;
	}
	file->bytes = (char *)bytes;
	file->length = size;
	return true;
}

static enum cg_status read_file(struct json_object *item, size_t max_file,
	struct mail *mail, struct cg_error *err)
{
	struct mail_file *file = &mail->files[mail->file_count];
	const char *content = first_string(item, "contentBase64", "bufferBase64");
	int64_t size = cg_json_int(item, "sizeBytes", cg_json_int(item, "size", -1));

	*file = (struct mail_file){.told = size < 0 ? -1 : size};
	mail_filename(first_string(item, "filename", "name"), file->filename);
	mail_clean(file->mime_type, sizeof(file->mime_type),
		first_string(item, "mimeType", "contentType"));
	if (content != NULL && !decode(content, file))
		return cg_error_set(
			err, CG_INVALID, "an attachment's contentBase64 is not base64");
	mail->file_count++;
	if (file->length > max_file || size > (int64_t)max_file)
		return cg_error_set(err, CG_INVALID,
			"an attachment is larger than %zu bytes", max_file);
	return CG_OK;
}

static enum cg_status read_files(struct json_object *body, size_t max_file,
	struct mail *mail, struct cg_error *err)
{
	struct json_object *list = cg_json_array(body, "attachments");
	size_t count = cg_json_count(list);
	enum cg_status status = CG_OK;

	if (count > MAIL_FILES)
		return cg_error_set(
			err, CG_INVALID, "more than %d attachments", MAIL_FILES);
	for (size_t i = 0; i < count && status == CG_OK; i++)
		status = read_file(cg_json_at(list, i), max_file, mail, err);
	return status;
}

/* ---- The whole ---- */

/* Headers as they were written; of a few names, in the common cases. */
static const char *header_of(void *arg, const char *name)
{
	static const char *const others[][2] = {
		{"Auto-Submitted", "auto-submitted"},
		{"Precedence", "precedence"},
		{"List-Id", "list-id"},
		{"List-Unsubscribe", "list-unsubscribe"},
		{"X-Auto-Response-Suppress", "x-auto-response-suppress"},
		{"X-Autoreply", "x-autoreply"},
		{"X-Autorespond", "x-autorespond"},
		{"X-Loop", "x-loop"},
		{"Return-Path", "return-path"},
		{"Content-Type", "content-type"},
	};
	struct json_object *headers = cg_json_object(arg, "headers");
	const char *value = cg_json_string(headers, name);

	for (size_t i = 0; value == NULL && i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(name, others[i][0]) == 0)
			value = cg_json_string(headers, others[i][1]);
	}
	return value;
}

enum cg_status mail_json_read(struct json_object *body,
	const struct mail_json_reading *reading, struct mail *ret, struct cg_error *err)
{
	struct mail_trust trust = {.authserv_id = reading->authserv_id, .any = true};
	const char *results = cg_json_string(body, "authenticationResults");
	struct mail mail = {.file_count = 0};
	enum cg_status status;

	if (!cg_json_is_object(body))
		return cg_error_set(err, CG_INVALID, "the body must be a JSON object");
	read_sender(body, &mail);
	mail_clean(mail.subject, sizeof(mail.subject), cg_json_string(body, "subject"));
	status = read_id(body, &mail, err);
	if (status == CG_OK)
		status = read_thread(body, reading->domain, &mail, err);
	if (status == CG_OK)
		status = read_text(body, &mail, err);
	if (status == CG_OK)
		status = read_files(body, reading->max_file, &mail, err);
	if (status != CG_OK) {
		mail_finish(&mail);
		return status;
	}
	mail.automatic = mail_automatic(
		&mail, header_of, body, reading->domain, reading->own_address);
	mail.authenticated = mail.from[0] != '\0' && results != NULL &&
			     mail_results_pass(results, &trust, mail.from);
	*ret = mail;
	return CG_OK;
}

enum cg_status mail_form_read(const char *body, size_t length,
	const struct mail_json_reading *reading, struct mail *ret, struct cg_error *err)
{
	static const char *const names[] = {"from", "sender", "messageId", "id", "text",
		"body", "html", "threadId", "subject", "references", "inReplyTo",
		"authenticationResults"};
	struct json_object *object = cg_json_new_object();
	enum cg_status status = CG_OK;
	struct cg_buffer value;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && status == CG_OK; i++) {
		cg_buffer_init(&value, FORM_FIELD_MAX);
		status = cg_form_value(body, length, names[i], &value);
		if (status == CG_OK)
			cg_json_put(object, names[i],
				cg_json_new_string_length(
					cg_buffer_string(&value), value.length));
		else if (status == CG_NOT_FOUND)
			status = CG_OK;
		else
			cg_error_set(err, CG_INVALID, "the form's field %s is broken",
				names[i]);
		cg_buffer_finish(&value);
	}
	if (status == CG_OK)
		status = mail_json_read(object, reading, ret, err);
	else if (status != CG_NOMEM)
		status = CG_INVALID;
	cg_json_free(object);
	return status;
}
