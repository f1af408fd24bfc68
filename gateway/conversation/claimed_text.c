/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/claimed_text.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define LINE 500 /* bytes of a value that stands on one line */

/* At most @limit bytes of text that is shown as it is, on lines of its own. */
static void add_text(struct cg_buffer *buffer, const char *text, size_t limit)
{
	cg_buffer_add(
		buffer, text, cg_text_prefix(text, strlen(text), CG_UNIT_BYTES, limit));
	if (strlen(text) > limit)
		cg_buffer_text(buffer, " …");
}

static const char *first_of(struct json_object *payload, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		const char *text = cg_json_string(payload, *keys);

		if (!cg_text_blank(text))
			return text;
	}
	return NULL;
}

static void add_workflow(
	struct cg_buffer *buffer, struct json_object *payload, bool failed)
{
	static const char *const names[] = {"title", "name", "workflowName", NULL};
	static const char *const good[] = {"summary", "result", NULL};
	static const char *const bad[] = {"error", "summary", NULL};
	const char *name = first_of(payload, names);
	const char *told = first_of(payload, failed ? bad : good);

	cg_buffer_text(buffer, failed ? "⚠ Workflow failed" : "✅ Workflow finished");
	if (name != NULL) {
		cg_buffer_text(buffer, ": ");
		add_text(buffer, name, LINE);
	}
	if (told != NULL) {
		cg_buffer_text(buffer, "\n\n");
		add_text(buffer, told, CLAIMED_TEXT_MAX / 2);
	}
}

/* "workflow.completed" reads "workflow completed". */
static void add_event(struct cg_buffer *buffer, const char *event)
{
	for (; *event != '\0'; event++)
		cg_buffer_char(buffer, strchr("._-:", *event) != NULL ? ' ' : *event);
}

/* "key: value" for what can be read by people. */
static void add_line(
	struct cg_buffer *buffer, const char *key, struct json_object *payload)
{
	struct json_object *value = cg_json_member(payload, key);
	const char *text = cg_json_value_string(value, NULL);
	int64_t number;

	if (text == NULL && cg_json_value_int(value, &number))
		text = cg_json_text(value, NULL);
	if (cg_text_blank(text))
		return;
	cg_buffer_format(buffer, "\n%s: ", key);
	add_text(buffer, text, LINE);
}

/* What a payload may tell people; its ids are for machines. */
static void add_members(struct cg_buffer *buffer, struct json_object *payload)
{
	static const char *const known[] = {"title", "name", "subject", "status", "state",
		"summary", "description", "reason", "error", "result", "detail",
		"details", "count", "value", "previous", "current", "url", "assignee",
		"owner", "priority", "dueAt", "startedAt", "finishedAt", "createdAt"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		add_line(buffer, known[i], payload);
}

enum cg_status claimed_text(const struct cloud_delivery *delivery, struct cg_buffer *ret)
{
	const char *event = delivery->event_type;

	cg_buffer_clear(ret);
	if (!cg_text_blank(delivery->text)) {
		add_text(ret, delivery->text, CLAIMED_TEXT_MAX);
	} else if (strcmp(event, "workflow.completed") == 0) {
		add_workflow(ret, delivery->payload, false);
	} else if (strcmp(event, "workflow.failed") == 0) {
		add_workflow(ret, delivery->payload, true);
	} else {
		cg_buffer_text(ret,
			strncmp(delivery->delivery_id, "watch:", 6) == 0 ? "🔔 " : "ℹ ");
		add_event(ret, cg_text_blank(event) ? "notice" : event);
		add_members(ret, delivery->payload);
	}
	return cg_buffer_status(ret);
}
