/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/delivery/compose.h"

#include "gateway/delivery/content.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

enum cg_status compose_text(
	const char *source, size_t length, enum cg_text_form form, struct composed *ret)
{
	struct cg_outbound *outbound = &ret->outbound;
	enum cg_status status;

	outbound->source = source;
	outbound->source_length = length;
	outbound->text = source;
	outbound->text_length = length;
	if (form == CG_FORM_SOURCE)
		return CG_OK;
	status = cg_markdown_render(
		source, length, form == CG_FORM_RENDERED, &ret->markdown);
	if (status != CG_OK)
		return status == CG_LIMIT ? CG_OK
					  : status; /* too much to render: as it is */
	if (ret->markdown.length == 0)
		return CG_OK; /* nothing readable is left: the source says more */
	outbound->text = ret->markdown.text;
	outbound->text_length = ret->markdown.length;
	outbound->spans = ret->markdown.spans;
	outbound->span_count = ret->markdown.span_count;
	return CG_OK;
}

static enum cg_status compose_buttons(struct json_object *list, struct composed *ret)
{
	size_t count = cg_json_count(list);

	if (count == 0)
		return CG_OK;
	ret->buttons = calloc(count, sizeof(*ret->buttons));
	if (ret->buttons == NULL)
		return CG_NOMEM;
	for (size_t i = 0; i < count; i++) {
		struct json_object *button = cg_json_at(list, i);

		ret->buttons[i] = (struct cg_button){
			.label = cg_json_string_or(button, "label", ""),
			.token = cg_json_string_or(button, "token", ""),
			.style = (enum cg_button_style)cg_json_int(
				button, "style", CG_BUTTON_PLAIN),
			.starts_row = cg_json_bool(button, "row", false),
		};
	}
	ret->outbound.buttons = ret->buttons;
	ret->outbound.button_count = count;
	return CG_OK;
}

static enum cg_status label_source(const char *label, const char *source, char **ret)
{
	size_t length = strlen(label), more = strlen(source) + 1;

	*ret = malloc(length + more);
	if (*ret == NULL)
		return CG_NOMEM;
	memcpy(*ret, label, length);
	memcpy(*ret + length, source, more);
	return CG_OK;
}

enum cg_status compose(const struct compose_request *request, struct composed *ret)
{
	const struct outbox_row *row = request->row;
	bool inside = content_is_in(row);
	const char *source = row->source == NULL || inside ? "" : row->source;
	enum cg_status status = CG_OK;

	*ret = (struct composed){
		.outbound = {.size = sizeof(struct cg_outbound),
			.kind = request->edit_id != NULL && row->kind == CG_OUTBOUND_TEXT
					? CG_OUTBOUND_EDIT
					: row->kind,
			.delivery_id = row->delivery_id,
			.target = {.chat_id = row->chat_id,
				.thread_id = row->thread_id,
				.user_id = row->user_id,
				.message_id = request->edit_id != NULL ? request->edit_id
								       : row->message_id,
				.is_direct = row->is_direct,
				.context = row->context},
			.silent = row->silent,
			.attempt = row->attempts,
			.timeout_ms = request->timeout_ms},
	};
	if (request->label != NULL)
		status = label_source(request->label, source, &ret->source);
	if (status == CG_OK) {
		source = ret->source != NULL ? ret->source : source;
		status = compose_text(
			source, strlen(source), request->capabilities->text_form, ret);
	}
	if (status == CG_OK)
		status = compose_buttons(row->buttons, ret);
	if (status != CG_OK) {
		composed_finish(ret);
		return status;
	}
	if (row->file_path != NULL || inside) {
		ret->file = (struct cg_file){.filename = row->file_name,
			.mime_type = row->file_mime,
			.path = inside ? request->content_path : row->file_path,
			.bytes = row->file_bytes};
		ret->outbound.file = &ret->file;
	}
	return CG_OK;
}

void composed_finish(struct composed *composed)
{
	cg_markdown_finish(&composed->markdown);
	free(composed->source);
	free(composed->buttons);
	*composed = (struct composed){.source = NULL};
}
