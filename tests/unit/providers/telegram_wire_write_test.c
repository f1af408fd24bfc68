/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/telegram/wire.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define NO_PREVIEW ",\"link_preview_options\":{\"is_disabled\":true}"

static struct cg_outbound text_to(const char *chat, const char *text)
{
	return (struct cg_outbound){.size = sizeof(struct cg_outbound),
		.kind = CG_OUTBOUND_TEXT,
		.delivery_id = "d",
		.target = {.chat_id = chat},
		.text = text,
		.text_length = strlen(text)};
}

static void check(const struct cg_outbound *outbound, bool plain, const char *method,
	const char *expected)
{
	struct cg_buffer json;
	const char *called = "";

	cg_buffer_init(&json, 65536);
	CU_ASSERT_EQUAL(
		telegram_wire_write(outbound, plain, &called, &json, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(called, method);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&json), expected);
	cg_buffer_finish(&json);
}

static void ids_are_numbers_where_they_can_be(void)
{
	struct cg_outbound outbound = text_to("-100123", "a");

	check(&outbound, false, "sendMessage",
		"{\"chat_id\":-100123,\"text\":\"a\"" NO_PREVIEW "}");
	outbound.target.chat_id = "@channel";
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":\"@channel\",\"text\":\"a\"" NO_PREVIEW "}");
	outbound.target.chat_id = "9007199254740993"; /* beyond what every JSON holds */
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":\"9007199254740993\",\"text\":\"a\"" NO_PREVIEW "}");
}

static void threads_are_numbers_other_than_the_chat(void)
{
	struct cg_outbound outbound = text_to("9", "a");

	outbound.target.thread_id = "3";
	outbound.silent = true;
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":9,\"message_thread_id\":3,\"text\":\"a\"" NO_PREVIEW
		",\"disable_notification\":true}");
	outbound.silent = false;
	outbound.target.thread_id = "9";
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":9,\"text\":\"a\"" NO_PREVIEW "}");
	outbound.target.thread_id = "general";
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":9,\"text\":\"a\"" NO_PREVIEW "}");
}

/* The cow takes four bytes and two units. */
static void spans_become_entities(void)
{
	const struct cg_span spans[] = {
		{.kind = CG_SPAN_QUOTE, .offset = 0, .length = 13},
		{.kind = CG_SPAN_BOLD, .offset = 0, .length = 4},
		{.kind = CG_SPAN_LINK,
			.offset = 5,
			.length = 2,
			.detail = "https://e.org/\"x"},
		{.kind = CG_SPAN_PRE, .offset = 8, .length = 5, .detail = "c"},
		{.kind = CG_SPAN_CODE, .offset = 8, .length = 0},
		{.kind = CG_SPAN_CODE, .offset = 12, .length = 9},
	};
	struct cg_outbound outbound = text_to("9", "\xF0\x9F\x90\x84 ab x;y;z");

	outbound.spans = spans;
	outbound.span_count = sizeof(spans) / sizeof(*spans);
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":9,\"text\":\"\xF0\x9F\x90\x84 ab x;y;z\",\"entities\":["
		"{\"type\":\"blockquote\",\"offset\":0,\"length\":11},"
		"{\"type\":\"bold\",\"offset\":0,\"length\":2},"
		"{\"type\":\"text_link\",\"offset\":3,\"length\":2,\"url\":"
		"\"https://e.org/\\\"x\"},"
		"{\"type\":\"pre\",\"offset\":6,\"length\":5,\"language\":\"c\"}"
		"]" NO_PREVIEW "}");
	check(&outbound, true, "sendMessage",
		"{\"chat_id\":9,\"text\":\"\xF0\x9F\x90\x84 ab x;y;z\"" NO_PREVIEW "}");
}

static void entities_end_at_a_hundred(void)
{
	struct cg_span spans[101];
	struct cg_outbound outbound = text_to("9", "a");
	struct cg_buffer json;
	const char *method;
	int count = 0;

	for (size_t i = 0; i < 101; i++)
		spans[i] = (struct cg_span){.kind = CG_SPAN_BOLD, .length = 1};
	outbound.spans = spans;
	outbound.span_count = 101;
	cg_buffer_init(&json, 65536);
	CU_ASSERT_EQUAL(
		telegram_wire_write(&outbound, false, &method, &json, NULL), CG_OK);
	for (const char *at = json.bytes; (at = strstr(at, "bold")) != NULL; at++)
		count++;
	CU_ASSERT_EQUAL(count, 100);
	cg_buffer_finish(&json);
}

static void buttons_are_rows(void)
{
	const struct cg_button buttons[] = {
		{.label = "Yes", .token = "a"},
		{.label = "No", .token = "b"},
		{.label = "?", .token = "c", .starts_row = true},
	};
	struct cg_outbound outbound = text_to("9", "a");

	outbound.kind = CG_OUTBOUND_BUTTONS;
	outbound.buttons = buttons;
	outbound.button_count = 3;
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":9,\"text\":\"a\"" NO_PREVIEW
		",\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"Yes\","
		"\"callback_data\":\"a\"},{\"text\":\"No\",\"callback_data\":\"b\"}],"
		"[{\"text\":\"?\",\"callback_data\":\"c\"}]]}}");
}

static void the_other_calls(void)
{
	struct cg_outbound outbound = text_to("9", "a");

	outbound.target.message_id = "5";
	outbound.target.thread_id = "3";
	outbound.kind = CG_OUTBOUND_EDIT;
	check(&outbound, false, "editMessageText",
		"{\"chat_id\":9,\"message_id\":5,\"text\":\"a\"" NO_PREVIEW "}");
	outbound.kind = CG_OUTBOUND_TYPING;
	check(&outbound, false, "sendChatAction",
		"{\"chat_id\":9,\"message_thread_id\":3,\"action\":\"typing\"}");
	outbound.kind = CG_OUTBOUND_ANSWER;
	outbound.interaction_id = "q";
	outbound.alert = true;
	check(&outbound, false, "answerCallbackQuery",
		"{\"callback_query_id\":\"q\",\"text\":\"a\",\"show_alert\":true}");
}

static void what_the_platform_would_refuse(void)
{
	struct cg_outbound outbound = text_to("9", " \n");
	struct cg_buffer json;
	const char *method;

	cg_buffer_init(&json, 65536);
	CU_ASSERT_EQUAL(
		telegram_wire_write(&outbound, false, &method, &json, NULL), CG_INVALID);
	outbound = text_to("9", "a");
	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "five";
	CU_ASSERT_EQUAL(
		telegram_wire_write(&outbound, false, &method, &json, NULL), CG_INVALID);
	outbound = text_to(NULL, "a");
	CU_ASSERT_EQUAL(
		telegram_wire_write(&outbound, false, &method, &json, NULL), CG_INVALID);
	CU_ASSERT_EQUAL(json.length, 0);
	cg_buffer_finish(&json);
}

UNIT_SUITE(telegram_wire_write, UNIT_TEST(ids_are_numbers_where_they_can_be),
	UNIT_TEST(threads_are_numbers_other_than_the_chat),
	UNIT_TEST(spans_become_entities), UNIT_TEST(entities_end_at_a_hundred),
	UNIT_TEST(buttons_are_rows), UNIT_TEST(the_other_calls),
	UNIT_TEST(what_the_platform_would_refuse));
