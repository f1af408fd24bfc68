/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as Cowgate's JSON channels write them. */
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/message_json.h>
#include <stdlib.h>
#include <string.h>

#define USERNAME_MAX_BYTES 256
#define DISPLAY_NAME_MAX_BYTES 512
#define FLAT_ATTACHMENT_MAX_BYTES (10 << 20)
#define FILENAME_MAX_BYTES 255
#define MIME_TYPE_MAX_BYTES 255

static const char *complain(
	struct cg_fields *fields, const char *name, const char *problem)
{
	fields->status = cg_error_set(fields->err, CG_INVALID, "%s%s %s",
		fields->prefix == NULL ? "" : fields->prefix, name, problem);
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *cg_fields_string(struct cg_fields *fields, const char *name, size_t limit)
{
	struct json_object *value = cg_json_member(fields->object, name);
	const char *text;
	size_t length, first = 0, end;

	if (fields->status != CG_OK || value == NULL)
		return NULL;
	text = cg_json_value_string(value, &length);
	if (text == NULL)
		return complain(fields, name, "must be a string");
	for (end = length; end > 0 && is_blank(text[end - 1]); end--)
		continue;
	while (first < end && is_blank(text[first]))
		first++;
	if (first == end)
		return NULL;
	if (end - first > limit)
		return complain(fields, name, "is too long");
	if (!cg_text_clean(text + first, end - first, limit))
		return complain(fields, name, "must not hold control characters");
	if (end == length)
		return text + first;
	value = cg_json_new_string_length(text + first, end - first);
	cg_json_put(fields->object, name, value);
	return cg_json_value_string(value, NULL);
}

const char *cg_fields_required(struct cg_fields *fields, const char *name, size_t limit)
{
	const char *text = cg_fields_string(fields, name, limit);

	if (text == NULL && fields->status == CG_OK)
		return complain(fields, name, "is required");
	return text;
}

struct json_object *cg_fields_object(struct cg_fields *fields, const char *name)
{
	struct json_object *value = cg_json_member(fields->object, name);

	if (fields->status != CG_OK || value == NULL)
		return NULL;
	if (!cg_json_is_object(value))
		complain(fields, name, "must be an object");
	return cg_json_is_object(value) ? value : NULL;
}

static enum cg_status read_interaction(struct json_object *object,
	const char *default_kind, struct cg_interaction *interaction,
	struct cg_error *err)
{
	struct cg_fields fields = {
		.object = object, .prefix = "interaction.", .err = err};
	const char *kind;

	interaction->id = cg_fields_required(&fields, "id", CG_INBOUND_ID);
	interaction->token = cg_fields_required(&fields, "token", CG_INBOUND_TOKEN);
	kind = cg_fields_string(&fields, "kind", CG_INBOUND_TOKEN);
	interaction->is_command =
		strcmp(kind == NULL ? default_kind : kind, "command") == 0;
	return fields.status;
}

/* Bytes that canonical base64 stands for, blanks aside; false when it is none. */
static enum cg_status measure_base64(
	const char *text, size_t length, bool *ret_valid, size_t *ret_bytes)
{
	char *packed = malloc(length + 1);
	uint8_t *bytes = malloc(3 * length / 4 + 3);
	enum cg_status status = CG_NOMEM;
	size_t count = 0;

	if (packed == NULL || bytes == NULL)
		goto out;
	for (size_t i = 0; i < length; i++) {
		if (!is_blank(text[i]))
			packed[count++] = text[i];
	}
	*ret_valid = cg_unbase64(packed, count, bytes, ret_bytes);
	status = CG_OK;

out:
	free(packed);
	free(bytes);
	return status;
}

static enum cg_status read_content(struct json_object *object, struct cg_fields *fields,
	struct cg_attachment *attachment)
{
	struct json_object *value = cg_json_member(object, "bufferBase64");
	enum cg_status status;
	const char *text;
	size_t length, bytes = 0;
	bool valid = false;

	if (value == NULL)
		return CG_OK;
	text = cg_json_value_string(value, &length);
	if (text == NULL) {
		complain(fields, "bufferBase64", "must be a string");
		return fields->status;
	}
	status = measure_base64(text, length, &valid, &bytes);
	if (status != CG_OK)
		return cg_error_nomem(fields->err);
	if (!valid)
		complain(fields, "bufferBase64", "is not base64");
	else if (attachment->bytes >= 0 && attachment->bytes != (int64_t)bytes)
		complain(fields, "bufferBase64", "has another size than sizeBytes says");
	attachment->bytes = (int64_t)bytes;
	return fields->status;
}

static enum cg_status read_attachment(struct json_object *object, int64_t max_attachment,
	struct cg_attachment *attachment, struct cg_error *err)
{
	struct cg_fields fields = {
		.object = object, .prefix = "attachments[].", .err = err};
	struct json_object *size = cg_json_member(object, "sizeBytes");
	enum cg_status status;

	*attachment = (struct cg_attachment){.size = sizeof(*attachment), .bytes = -1};
	if (!cg_json_is_object(object))
		return cg_error_set(err, CG_INVALID, "attachments[] must hold objects");
	attachment->file_id = cg_fields_string(&fields, "providerFileId", CG_INBOUND_ID);
	attachment->filename =
		cg_fields_required(&fields, "filename", FILENAME_MAX_BYTES);
	attachment->mime_type =
		cg_fields_string(&fields, "mimeType", MIME_TYPE_MAX_BYTES);
	if (fields.status == CG_OK && size != NULL &&
		(!cg_json_value_int(size, &attachment->bytes) || attachment->bytes < 0))
		complain(&fields, "sizeBytes", "must be an integer of at least 0");
	if (fields.status != CG_OK)
		return fields.status;
	status = read_content(object, &fields, attachment);
	if (status == CG_OK && attachment->bytes > max_attachment)
		return cg_error_set(err, CG_INVALID,
			"an attachment is larger than maxAttachmentBytes");
	return status;
}

static enum cg_status read_attachments(struct json_object *array, int64_t max_attachment,
	struct cg_inbound_parts *parts, struct cg_inbound *inbound, struct cg_error *err)
{
	size_t count = cg_json_count(array);

	if (!cg_json_is_array(array))
		return cg_error_set(err, CG_INVALID, "attachments must be an array");
	if (count > CG_INBOUND_ATTACHMENTS)
		return cg_error_set(err, CG_INVALID, "attachments holds more than %d",
			CG_INBOUND_ATTACHMENTS);
	for (size_t i = 0; i < count; i++) {
		enum cg_status status = read_attachment(cg_json_at(array, i),
			max_attachment, &parts->attachments[i], err);

		if (status != CG_OK)
			return status;
	}
	inbound->attachments = parts->attachments;
	inbound->attachment_count = count;
	return CG_OK;
}

/* *@ret_text keeps what it has where there is no such member. */
static enum cg_status read_text(struct json_object *body, const char *name,
	const char **ret_text, struct cg_error *err)
{
	struct json_object *value = cg_json_member(body, name);
	const char *text;
	size_t length;

	if (value == NULL)
		return CG_OK;
	text = cg_json_value_string(value, &length);
	if (text == NULL)
		return cg_error_set(err, CG_INVALID, "%s must be a string", name);
	if (strlen(text) != length)
		return cg_error_set(err, CG_INVALID, "%s must not hold a NUL", name);
	*ret_text = text;
	return CG_OK;
}

enum cg_status cg_inbound_read_parts(struct json_object *body, const char *default_kind,
	int64_t max_attachment, struct cg_inbound_parts *parts,
	struct cg_inbound *inbound, struct cg_error *err)
{
	struct cg_fields fields = {.object = body, .err = err};
	struct json_object *interaction = cg_fields_object(&fields, "interaction");
	struct json_object *attachments = cg_json_member(body, "attachments");
	const char *raw = NULL;
	enum cg_status status = fields.status;

	inbound->text = NULL;
	if (status == CG_OK && interaction != NULL)
		status = read_interaction(
			interaction, default_kind, &parts->interaction, err);
	if (status == CG_OK && attachments != NULL)
		status = read_attachments(
			attachments, max_attachment, parts, inbound, err);
	if (status == CG_OK)
		status = read_text(body, "text", &inbound->text, err);
	if (status == CG_OK)
		status = read_text(body, "rawText", &raw, err);
	if (status != CG_OK)
		return status;

	inbound->type = CG_EVENT_MESSAGE;
	if (interaction != NULL) {
		inbound->type = CG_EVENT_INTERACTION;
		inbound->interaction = &parts->interaction;
	}
	if (inbound->text == NULL && interaction != NULL)
		inbound->text = parts->interaction.token;
	else if (inbound->text == NULL)
		inbound->text = raw != NULL ? raw : "";
	if (raw == NULL)
		raw = inbound->text;
	while (is_blank(*raw))
		raw++;
	if (interaction == NULL && cg_command_parse(raw, &parts->command)) {
		inbound->type = CG_EVENT_COMMAND;
		inbound->command = parts->command.name;
		inbound->command_args = parts->command.args;
	}
	return CG_OK;
}

enum cg_status cg_inbound_read_flat(struct json_object *body, const char *chat_id,
	const char *user_id, struct cg_inbound_parts *parts, struct cg_inbound *inbound,
	struct cg_error *err)
{
	struct cg_fields fields = {.object = body, .err = err};
	struct cg_inbound read = {.size = sizeof(read)};
	enum cg_status status;

	if (!cg_json_is_object(body))
		return cg_error_set(err, CG_INVALID, "it must be a JSON object");
	read.event_id = cg_fields_string(&fields, "id", CG_INBOUND_EVENT_ID);
	read.target.chat_id = cg_fields_string(&fields, "chatId", CG_INBOUND_ID);
	read.target.thread_id = cg_fields_string(&fields, "threadId", CG_INBOUND_ID);
	read.sender.user_id = cg_fields_string(&fields, "userId", CG_INBOUND_ID);
	read.sender.username = cg_fields_string(&fields, "username", USERNAME_MAX_BYTES);
	read.sender.display_name =
		cg_fields_string(&fields, "displayName", DISPLAY_NAME_MAX_BYTES);
	if (fields.status != CG_OK)
		return fields.status;
	status = cg_inbound_read_parts(
		body, "command", FLAT_ATTACHMENT_MAX_BYTES, parts, &read, err);
	if (status != CG_OK)
		return status;
	if (read.target.chat_id == NULL)
		read.target.chat_id = chat_id;
	if (read.sender.user_id == NULL)
		read.sender.user_id = user_id;
	read.target.user_id = read.sender.user_id;
	read.target.is_direct = true;
	*inbound = read;
	return CG_OK;
}

static void write_member(struct cg_buffer *json, const char *key, const char *text)
{
	cg_buffer_text(json, key);
	if (text == NULL)
		cg_buffer_text(json, "null");
	else
		cg_json_write_string(json, text, strlen(text));
}

void cg_target_write(struct cg_buffer *json, const char *instance_id, const char *kind,
	const struct cg_target *target)
{
	write_member(json, "{\"provider\":", instance_id);
	write_member(json, ",\"providerKind\":", kind);
	write_member(json, ",\"chatId\":", target->chat_id);
	cg_buffer_text(
		json, target->is_direct ? ",\"isDirect\":true" : ",\"isDirect\":false");
	write_member(json, ",\"threadId\":", target->thread_id);
	write_member(json, ",\"userId\":", target->user_id);
	write_member(json, ",\"messageId\":", target->message_id);
	cg_buffer_char(json, '}');
}
