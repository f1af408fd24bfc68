/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of OpenCode's stream, and its messages: read, and mapped to events. */
#include "control-plane/agents/opencode_wire.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_part(struct json_object *json)
{
	struct opencode_file file;
	struct opencode_part part;
	struct cg_buffer bytes;

	opencode_part_read(json, &part);
	if (part.kind != OPENCODE_PART_OTHER &&
		(part.id[0] == '\0' || strlen(part.id) >= OPENCODE_ID))
		abort();
	cg_json_free(opencode_tool_payload(&part));
	cg_json_free(opencode_cost_payload(&part));
	cg_buffer_init(&bytes, 1024);
	if (opencode_file_read(json, &bytes, &file) && file.filename == NULL)
		abort();
	cg_buffer_finish(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *json = NULL;
	struct opencode_message message;
	struct opencode_event event;
	char text[CG_ERROR_TEXT];

	if (cg_json_parse((const char *)data, size, &json, NULL) != CG_OK)
		return 0;
	opencode_event_read(json, &event);
	if (event.session_id == NULL || event.message_id == NULL ||
		event.parent_id == NULL || event.part_id == NULL ||
		event.request_id == NULL)
		abort();
	if ((event.kind == OPENCODE_DELTA || event.kind == OPENCODE_ERROR ||
		    event.kind == OPENCODE_RETRY) &&
		event.text == NULL)
		abort();
	cg_json_free(opencode_permission_payload(event.body));
	cg_json_free(opencode_question_payload(event.body));
	cg_json_free(opencode_todos_payload(event.body));
	take_part(event.body);
	opencode_message_read(json, &message);
	for (size_t i = 0; i < cg_json_count(message.parts); i++)
		take_part(cg_json_at(message.parts, i));
	opencode_error_text(json, text, sizeof(text));
	cg_json_free(json);
	return 0;
}
