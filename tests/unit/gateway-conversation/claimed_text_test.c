/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/claimed_text.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static char said[CLAIMED_TEXT_MAX + 64];

static const char *say(const char *id, const char *event, const char *payload)
{
	struct json_object *object = cg_json_new_object(), *parsed = NULL;
	struct cloud_delivery delivery;
	struct cg_buffer text;

	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(payload, strlen(payload), &parsed, NULL), CG_OK);
	cg_json_put_string(object, "deliveryId", id);
	cg_json_put_string(object, "eventType", event);
	cg_json_put(object, "payload", parsed);
	CU_ASSERT_TRUE_FATAL(cloud_delivery_read(object, &delivery));
	cg_buffer_init(&text, sizeof(said) - 1);
	CU_ASSERT_EQUAL(claimed_text(&delivery, &text), CG_OK);
	snprintf(said, sizeof(said), "%s", cg_buffer_string(&text));
	cg_buffer_finish(&text);
	cg_json_free(object);
	return said;
}

static void claimed_text_is_the_payloads_own(void)
{
	CU_ASSERT_STRING_EQUAL(say("d", "x", "{\"text\":\"a *b*\\nc\"}"), "a *b*\nc");
	CU_ASSERT_STRING_EQUAL(say("d", "x", "{\"message\":\"m\"}"), "m");
	CU_ASSERT_STRING_EQUAL(
		say("d", "workflow.failed", "{\"text\":\"own words\"}"), "own words");
}

static void claimed_text_has_words_for_workflows(void)
{
	CU_ASSERT_STRING_EQUAL(
		say("d", "workflow.completed",
			"{\"workflowId\":\"wf\",\"summary\":\"All done\"}"),
		"✅ Workflow finished\n\nAll done");
	CU_ASSERT_STRING_EQUAL(say("d", "workflow.completed", "{\"title\":\"Nightly\"}"),
		"✅ Workflow finished: Nightly");
	CU_ASSERT_STRING_EQUAL(
		say("d", "workflow.failed", "{\"error\":\"no disk\",\"summary\":\"s\"}"),
		"⚠ Workflow failed\n\nno disk");
	CU_ASSERT_STRING_EQUAL(say("d", "workflow.failed", "{}"), "⚠ Workflow failed");
}

static void claimed_text_is_never_json(void)
{
	CU_ASSERT_STRING_EQUAL(
		say("watch:due:1", "task.due_soon",
			"{\"taskId\":\"t-1\",\"title\":\"Taxes\",\"count\":3,"
			"\"nested\":{\"a\":1},\"status\":\" \"}"),
		"🔔 task due soon\ntitle: Taxes\ncount: 3");
	CU_ASSERT_STRING_EQUAL(say("d", "", "{}"), "ℹ notice");
	CU_ASSERT_STRING_EQUAL(say("d", "odd", "[1,2]"), "ℹ odd");
	CU_ASSERT_STRING_EQUAL(say("d", "odd", "null"), "ℹ odd");
}

static void claimed_text_is_cut(void)
{
	static char payload[CLAIMED_TEXT_MAX + 200];
	size_t length = (size_t)snprintf(payload, sizeof(payload), "{\"text\":\"");

	memset(payload + length, 'x', CLAIMED_TEXT_MAX + 100);
	snprintf(payload + length + CLAIMED_TEXT_MAX + 100, 8, "\"}");
	CU_ASSERT_EQUAL(strlen(say("d", "x", payload)), CLAIMED_TEXT_MAX + strlen(" …"));
}

UNIT_SUITE(claimed_text, UNIT_TEST(claimed_text_is_the_payloads_own),
	UNIT_TEST(claimed_text_has_words_for_workflows),
	UNIT_TEST(claimed_text_is_never_json), UNIT_TEST(claimed_text_is_cut));
