/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of an agent's program: split, read as messages, and mapped to events. */
#include "control-plane/agents/acp_wire.h"
#include "runtime/line_reader.h"

#include <cowgate/sdk/json.h>
#include <stdlib.h>
#include <string.h>

#define LINE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_message(const struct acp_message *message)
{
	struct acp_update update;
	struct acp_abilities abilities;
	char text[CG_ERROR_TEXT];
	struct cg_buffer line;

	acp_update_read(cg_json_object(message->params, "update"), &update);
	if ((update.kind == ACP_UPDATE_TEXT || update.kind == ACP_UPDATE_THOUGHT) !=
		(update.text != NULL && update.length > 0))
		if (update.kind != ACP_UPDATE_OTHER)
			abort();
	acp_update_finish(&update);
	cg_json_free(acp_permission_payload(message->params, "p"));
	acp_permission_option(message->params, "once");
	acp_permission_option(message->params, "reject");
	acp_initialize_read(message->result, &abilities);
	cg_json_free(acp_usage_payload(message->result, 0, "c"));
	acp_error_text(message->error, text, sizeof(text));
	if (strlen(text) >= sizeof(text))
		abort();
	cg_buffer_init(&line, ACP_LINE);
	acp_write_error(&line, message->id, ACP_METHOD_NOT_FOUND, text);
	if (line.length == 0 || memchr(line.bytes, '\n', line.length - 1) != NULL)
		abort(); /* one message is one line */
	cg_buffer_finish(&line);
}

static void on_line(void *arg, const char *line, size_t length, bool whole)
{
	struct json_object *json = NULL;
	struct acp_message message;

	(void)arg;
	if (length > LINE || (!whole && length != LINE))
		abort();
	if (cg_json_parse(line, length, &json, NULL) != CG_OK)
		return;
	acp_message_read(json, &message);
	if (message.kind != ACP_NONSENSE)
		take_message(&message);
	cg_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_reader reader;

	line_reader_init(&reader, LINE, on_line, NULL);
	for (size_t at = 0; at < size;) {
		size_t piece = 1 + data[at] % 64;

		piece = piece < size - at ? piece : size - at;
		line_reader_feed(&reader, (const char *)data + at, piece);
		at += piece;
	}
	line_reader_end(&reader);
	line_reader_finish(&reader);
	return 0;
}
