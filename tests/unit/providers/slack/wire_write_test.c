/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/slack/wire.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_outbound outbound_text(const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "d1",
		.target = {.chat_id = "C1", .user_id = "U1"},
		.text = text,
		.text_length = strlen(text)};
}

/* The body as a document, which the caller frees. */
static struct json_object *write(
	const struct cg_outbound *outbound, enum slack_dress dress, const char *method)
{
	struct json_object *document = NULL;
	const char *called = "";
	struct cg_buffer body;

	cg_buffer_init(&body, 1u << 17);
	CU_ASSERT_EQUAL_FATAL(
		slack_wire_write(outbound, dress, &called, &body, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(called, method);
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(body.bytes, body.length, &document, NULL), CG_OK);
	cg_buffer_finish(&body);
	return document;
}

static void check_refused(const struct cg_outbound *outbound, const char *why)
{
	struct cg_error err = {.text = ""};
	const char *method;
	struct cg_buffer body;

	cg_buffer_init(&body, 4096);
	CU_ASSERT_NOT_EQUAL(
		slack_wire_write(outbound, SLACK_BLOCKS, &method, &body, &err), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why));
	cg_buffer_finish(&body);
}

static void the_text_beside_blocks_fits_an_edit(void)
{
	char text[3001];
	struct cg_outbound outbound;
	struct json_object *document;
	size_t length;

	/* 750 letters of four bytes: 1500 units, and 3000 bytes. */
	for (size_t i = 0; i < 750; i++)
		memcpy(text + 4 * i, "\xF0\x9F\x90\x84", 4);
	text[3000] = '\0';
	outbound = outbound_text(text);
	document = write(&outbound, SLACK_BLOCKS, "chat.postMessage");
	CU_ASSERT_EQUAL(strlen(cg_json_string(document, "text")), 3000);
	cg_json_free(document);
	/* Letters of three bytes: more than an edit's 4000 bytes; the blocks have them all. */
	{
		char *wide = calloc(1, 9001);

		for (size_t i = 0; i < 3000; i++)
			memcpy(wide + 3 * i, "\xE2\x82\xAC", 3);
		outbound = outbound_text(wide);
		document = write(&outbound, SLACK_BLOCKS, "chat.postMessage");
		length = strlen(cg_json_string(document, "text"));
		CU_ASSERT_EQUAL(length, 3999);
		CU_ASSERT_TRUE(cg_json_count(cg_json_array(document, "blocks")) == 1);
		cg_json_free(document);
		document = write(&outbound, SLACK_PLAIN, "chat.postMessage");
		CU_ASSERT_EQUAL(strlen(cg_json_string(document, "text")), 9000);
		CU_ASSERT_FALSE(cg_json_has(document, "blocks"));
		cg_json_free(document);
		free(wide);
	}
}

static void length_is_that_of_the_escaped_text(void)
{
	char text[3001];
	struct cg_outbound outbound;

	memset(text, 'x', 3000);
	text[3000] = '\0';
	outbound = outbound_text(text);
	cg_json_free(write(&outbound, SLACK_BLOCKS, "chat.postMessage"));
	text[0] = '&';
	check_refused(&outbound, "longer than 3000");
}

/* Formatting in every word would make blocks that Slack refuses. */
static void too_much_formatting_is_left_out(void)
{
	static struct cg_span spans[500];
	char text[2001];
	struct cg_outbound outbound;
	struct json_object *document;
	const char *json;

	memset(text, 'x', 2000);
	text[2000] = '\0';
	for (uint32_t i = 0; i < 500; i++)
		spans[i] = (struct cg_span){
			.kind = CG_SPAN_BOLD, .offset = 4 * i, .length = 2};
	outbound = outbound_text(text);
	outbound.spans = spans;
	outbound.span_count = 100;
	document = write(&outbound, SLACK_BLOCKS, "chat.postMessage");
	json = cg_json_text(cg_json_member(document, "blocks"), NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"bold\""));
	cg_json_free(document);
	outbound.span_count = 500;
	document = write(&outbound, SLACK_BLOCKS, "chat.postMessage");
	json = cg_json_text(cg_json_member(document, "blocks"), NULL);
	CU_ASSERT_PTR_NULL(strstr(json, "\"bold\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, text));
	cg_json_free(document);
}

static void a_plain_edit_takes_the_blocks_away(void)
{
	struct cg_outbound outbound = outbound_text("new");
	struct json_object *document;

	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "1.1";
	outbound.target.thread_id = "1.0";
	document = write(&outbound, SLACK_PLAIN, "chat.update");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(document, "blocks")), 0);
	CU_ASSERT_TRUE(cg_json_has(document, "blocks"));
	CU_ASSERT_FALSE(cg_json_has(document, "thread_ts"));
	CU_ASSERT_FALSE(cg_json_has(document, "metadata")); /* it keeps what it has */
	cg_json_free(document);
}

static void a_thread_that_is_the_channel_is_none(void)
{
	struct cg_outbound outbound = outbound_text("x");
	struct json_object *document;

	outbound.target.thread_id = "C1";
	document = write(&outbound, SLACK_BLOCKS, "chat.postMessage");
	CU_ASSERT_FALSE(cg_json_has(document, "thread_ts"));
	cg_json_free(document);
}

static void a_question_keeps_its_buttons(void)
{
	static const struct cg_button button = {"Yes", "t", CG_BUTTON_PLAIN, true};
	struct cg_outbound outbound = outbound_text("ok?");
	struct json_object *document;

	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.buttons = &button;
	outbound.button_count = 1;
	document = write(&outbound, SLACK_PLAIN, "chat.postMessage");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(document, "blocks")), 2);
	cg_json_free(document);
}

static void what_slack_would_refuse_is_refused_here(void)
{
	struct cg_outbound outbound = outbound_text(" ");

	check_refused(&outbound, "empty");
	outbound = outbound_text("x");
	outbound.target.chat_id = NULL;
	check_refused(&outbound, "conversation");
	outbound = outbound_text("x");
	outbound.kind = CG_OUTBOUND_EDIT;
	check_refused(&outbound, "edit");
	outbound.kind = CG_OUTBOUND_TYPING;
	check_refused(&outbound, "cannot be sent");
	outbound.kind = CG_OUTBOUND_ANSWER;
	check_refused(&outbound, "press");
}

static void a_mark_is_the_same_for_the_same_delivery(void)
{
	char first[SLACK_MARK], second[SLACK_MARK], other[SLACK_MARK];
	struct json_object *messages = NULL;
	char json[512];

	slack_wire_mark("d1", first);
	slack_wire_mark("d1", second);
	slack_wire_mark("d2", other);
	CU_ASSERT_EQUAL(strlen(first), 32);
	CU_ASSERT_STRING_EQUAL(first, second);
	CU_ASSERT_STRING_NOT_EQUAL(first, other);
	snprintf(json, sizeof(json),
		"[{\"ts\":\"1\",\"metadata\":null},{\"ts\":\"2\",\"metadata\":{"
		"\"event_type\":\"other\",\"event_payload\":{\"id\":\"%s\"}}},{\"ts\":"
		"\"3\",\"metadata\":{\"event_type\":\"cowgate_delivery\","
		"\"event_payload\":{\"id\":\"%s\"}}},7]",
		first, first);
	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), &messages, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(slack_wire_find(messages, first), "3");
	CU_ASSERT_PTR_NULL(slack_wire_find(messages, other));
	cg_json_free(messages);
}

static void check_reaction(enum cg_reaction reaction, const char *expected)
{
	struct cg_outbound outbound = {.kind = CG_OUTBOUND_REACTION,
		.reaction = reaction,
		.target = {.chat_id = "C1", .message_id = "1.1"}};
	char steps[256] = "";
	const char *method;

	for (unsigned n = 0;; n++) {
		struct cg_buffer body;
		const char *name;

		cg_buffer_init(&body, 512);
		if (!slack_wire_write_reaction(&outbound, n, &method, &body)) {
			cg_buffer_finish(&body);
			break;
		}
		name = strstr(cg_buffer_string(&body), "\"name\":\"") + 8;
		snprintf(steps + strlen(steps), sizeof(steps) - strlen(steps), "%s%.*s ",
			strcmp(method, "reactions.add") == 0 ? "+" : "-",
			(int)strcspn(name, "\""), name);
		cg_buffer_finish(&body);
	}
	CU_ASSERT_STRING_EQUAL(steps, expected);
}

static void marks_replace_each_other(void)
{
	check_reaction(CG_REACTION_SEEN, "+eyes ");
	check_reaction(CG_REACTION_DONE, "+white_check_mark -eyes -x ");
	check_reaction(CG_REACTION_FAILED, "+x -eyes -white_check_mark ");
	check_reaction(CG_REACTION_NONE, "-eyes -white_check_mark -x ");
}

static void forms_are_escaped(void)
{
	struct cg_buffer form;

	cg_buffer_init(&form, 256);
	slack_form_add(&form, "a", "x y&z=\xC3\xA4");
	slack_form_add(&form, "b", "");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&form), "a=x%20y%26z%3D%C3%A4&b=");
	cg_buffer_finish(&form);
}

UNIT_SUITE(slack_wire_write, UNIT_TEST(the_text_beside_blocks_fits_an_edit),
	UNIT_TEST(length_is_that_of_the_escaped_text),
	UNIT_TEST(too_much_formatting_is_left_out),
	UNIT_TEST(a_plain_edit_takes_the_blocks_away),
	UNIT_TEST(a_thread_that_is_the_channel_is_none),
	UNIT_TEST(a_question_keeps_its_buttons),
	UNIT_TEST(what_slack_would_refuse_is_refused_here),
	UNIT_TEST(a_mark_is_the_same_for_the_same_delivery),
	UNIT_TEST(marks_replace_each_other), UNIT_TEST(forms_are_escaped));
