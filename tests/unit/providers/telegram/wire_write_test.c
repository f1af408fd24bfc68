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

static enum cg_status write_as(const struct cg_outbound *outbound,
	const struct telegram_form *form, struct telegram_written *ret)
{
	*ret = (struct telegram_written){.method = ""};
	cg_buffer_init(&ret->body, 65536);
	cg_buffer_init(&ret->tail, 65536);
	return telegram_wire_write(outbound, form, ret, NULL);
}

static void forget(struct telegram_written *written)
{
	cg_buffer_finish(&written->body);
	cg_buffer_finish(&written->tail);
}

static void check(const struct cg_outbound *outbound, bool plain, const char *method,
	const char *expected)
{
	const struct telegram_form form = {.plain = plain};
	struct telegram_written written;

	CU_ASSERT_EQUAL(write_as(outbound, &form, &written), CG_OK);
	CU_ASSERT_STRING_EQUAL(written.method, method);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&written.body), expected);
	CU_ASSERT_EQUAL(written.tail.length, 0);
	forget(&written);
}

static void check_refused(const struct cg_outbound *outbound)
{
	const struct telegram_form form = {.boundary = "b"};
	struct telegram_written written;

	CU_ASSERT_EQUAL(write_as(outbound, &form, &written), CG_INVALID);
	CU_ASSERT_EQUAL(written.body.length, 0);
	forget(&written);
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
	outbound.target.thread_id = "1"; /* the general topic */
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
	char text[203];
	struct cg_outbound outbound;
	struct telegram_written written;
	int count = 0;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	outbound = text_to("9", text);
	for (uint32_t i = 0; i < 101; i++)
		spans[i] = (struct cg_span){
			.kind = CG_SPAN_BOLD, .offset = 2 * i, .length = 1};
	outbound.spans = spans;
	outbound.span_count = 101;
	CU_ASSERT_EQUAL(
		write_as(&outbound, &(struct telegram_form){.chat_id = NULL}, &written),
		CG_OK);
	for (const char *at = written.body.bytes; (at = strstr(at, "bold")) != NULL; at++)
		count++;
	CU_ASSERT_EQUAL(count, 100);
	forget(&written);
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
	outbound.kind = CG_OUTBOUND_REACTION;
	outbound.reaction = CG_REACTION_SEEN;
	check(&outbound, false, "setMessageReaction",
		"{\"chat_id\":9,\"message_id\":5,\"reaction\":[{\"type\":\"emoji\","
		"\"emoji\":"
		"\"\xF0\x9F\x91\x80\"}]}");
	outbound.reaction = CG_REACTION_NONE;
	check(&outbound, false, "setMessageReaction",
		"{\"chat_id\":9,\"message_id\":5,\"reaction\":[]}");
	outbound.kind = CG_OUTBOUND_ANSWER;
	outbound.interaction_id = "q";
	outbound.alert = true;
	check(&outbound, false, "answerCallbackQuery",
		"{\"callback_query_id\":\"q\",\"text\":\"a\",\"show_alert\":true}");
}

static void what_the_platform_would_refuse(void)
{
	const struct cg_file empty = {.filename = "a", .path = "/a"};
	const struct cg_file large = {
		.filename = "a", .path = "/a", .bytes = TELEGRAM_FILE_OUT + 1};
	const struct cg_file fits = {
		.filename = "a", .path = "/a", .bytes = TELEGRAM_FILE_OUT};
	struct cg_outbound outbound = text_to("9", " \n");
	char caption[TELEGRAM_CAPTION + 2];
	struct telegram_written written;

	check_refused(&outbound);
	outbound = text_to("9", "a");
	outbound.kind = CG_OUTBOUND_EDIT;
	outbound.target.message_id = "five";
	check_refused(&outbound);
	outbound.kind = CG_OUTBOUND_REACTION;
	check_refused(&outbound);
	outbound = text_to(NULL, "a");
	check_refused(&outbound);
	outbound = text_to("9", "");
	outbound.kind = CG_OUTBOUND_FILE;
	check_refused(&outbound);
	outbound.file = &empty;
	check_refused(&outbound);
	outbound.file = &large;
	check_refused(&outbound);
	memset(caption, 'c', sizeof(caption));
	outbound.file = &fits;
	outbound.text = caption;
	outbound.text_length = TELEGRAM_CAPTION + 1;
	check_refused(&outbound);
	outbound.text_length = TELEGRAM_CAPTION;
	CU_ASSERT_EQUAL(
		write_as(&outbound, &(struct telegram_form){.boundary = "b"}, &written),
		CG_OK);
	CU_ASSERT_STRING_EQUAL(written.method, "sendDocument");
	forget(&written);
}

static void code_stands_alone(void)
{
	const struct cg_span spans[] = {
		{.kind = CG_SPAN_QUOTE, .offset = 0, .length = 12},
		{.kind = CG_SPAN_BOLD, .offset = 0, .length = 12},
		{.kind = CG_SPAN_ITALIC, .offset = 0, .length = 6},
		{.kind = CG_SPAN_CODE, .offset = 4, .length = 2},
		{.kind = CG_SPAN_BOLD, .offset = 4, .length = 1},
		{.kind = CG_SPAN_LINK, .offset = 8, .length = 3, .detail = "tg://x"},
		{.kind = CG_SPAN_CODE, .offset = 8, .length = 2},
		{.kind = CG_SPAN_QUOTE, .offset = 8, .length = 2},
	};
	struct cg_outbound outbound = text_to("9", "aaaaCCaaLLLa");

	outbound.spans = spans;
	outbound.span_count = sizeof(spans) / sizeof(*spans);
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":9,\"text\":\"aaaaCCaaLLLa\",\"entities\":["
		"{\"type\":\"blockquote\",\"offset\":0,\"length\":12},"
		"{\"type\":\"bold\",\"offset\":0,\"length\":4},"
		"{\"type\":\"italic\",\"offset\":0,\"length\":4},"
		"{\"type\":\"code\",\"offset\":4,\"length\":2},"
		"{\"type\":\"bold\",\"offset\":6,\"length\":6},"
		"{\"type\":\"text_link\",\"offset\":8,\"length\":3,\"url\":\"tg://x\"}"
		"]" NO_PREVIEW "}");
}

static void groups_see_what_is_answered(void)
{
	struct cg_outbound outbound = text_to("-9", "a");
	const struct telegram_form moved = {.chat_id = "-1009"};
	struct telegram_written written;

	outbound.target.message_id = "5";
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":-9,\"text\":\"a\"" NO_PREVIEW ",\"reply_parameters\":{"
		"\"message_id\":5,\"allow_sending_without_reply\":true}}");
	/* After a move the number is another message's. */
	CU_ASSERT_EQUAL(write_as(&outbound, &moved, &written), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&written.body),
		"{\"chat_id\":-1009,\"text\":\"a\"" NO_PREVIEW "}");
	forget(&written);
	outbound.target.is_direct = true;
	check(&outbound, false, "sendMessage",
		"{\"chat_id\":-9,\"text\":\"a\"" NO_PREVIEW "}");
}

static void files_are_parts(void)
{
	const struct cg_span span = {.kind = CG_SPAN_BOLD, .length = 2};
	struct cg_file file = {.filename = "a\"b\n.txt",
		.mime_type = "text/plain",
		.path = "/f",
		.bytes = 3};
	struct telegram_form form = {.boundary = "BB"};
	struct cg_outbound outbound = text_to("9", "see");
	struct telegram_written written;

	outbound.kind = CG_OUTBOUND_FILE;
	outbound.file = &file;
	outbound.spans = &span;
	outbound.span_count = 1;
	outbound.target.thread_id = "4";
	outbound.target.is_direct = true;
	outbound.silent = true;
#define PART(name, value) \
	"--BB\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
	CU_ASSERT_EQUAL(write_as(&outbound, &form, &written), CG_OK);
	CU_ASSERT_STRING_EQUAL(written.method, "sendDocument");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&written.body),
		PART("chat_id", "9") PART("message_thread_id", "4")
			PART("disable_notification", "true") PART("caption", "see")
				PART("caption_entities",
					"[{\"type\":\"bold\",\"offset\":0,"
					"\"length\":2}]") "--BB\r\nContent-"
							  "Disposition: "
							  "form-data; "
							  "name=\"document\"; "
							  "filename=\"a%22b%0A."
							  "txt\"\r\nContent-Type:"
							  " text/plain\r\n\r\n");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&written.tail), "\r\n--BB--\r\n");
	forget(&written);
	file.mime_type = "image/png";
	CU_ASSERT_EQUAL(write_as(&outbound, &form, &written), CG_OK);
	CU_ASSERT_STRING_EQUAL(written.method, "sendPhoto");
	CU_ASSERT_PTR_NOT_NULL(strstr(written.body.bytes, "name=\"photo\""));
	forget(&written);
	file.bytes = TELEGRAM_PHOTO_OUT + 1;
	CU_ASSERT_EQUAL(write_as(&outbound, &form, &written), CG_OK);
	CU_ASSERT_STRING_EQUAL(written.method, "sendDocument");
	forget(&written);
	file.bytes = 3;
	form.plain = true;
	CU_ASSERT_EQUAL(write_as(&outbound, &form, &written), CG_OK);
	CU_ASSERT_STRING_EQUAL(written.method, "sendDocument");
	CU_ASSERT_PTR_NULL(strstr(written.body.bytes, "caption_entities"));
	forget(&written);
}

/* Is there a line of @help for this command that asks for nothing behind it? */
static bool help_has(const char *help, const char *command)
{
	char line[64];

	snprintf(line, sizeof(line), "\n%s  ", command);
	return strstr(help, line) != NULL;
}

/* What is offered is what the gateway tells about itself, as far as a word alone will do. */
static void the_commands_are_the_gateways(void)
{
	static const struct {
		const char *name, *text;
	} words[] = {
#define WORDS(name, text) {#name, text},
#include "gateway/conversation/words.def"
#undef WORDS
	};
	static const char *const offered[] = {
#define COMMAND(name, text) "/" name,
#include "providers/telegram/commands.def"
#undef COMMAND
	};
	const char *help = "";
	size_t told = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i].name, "HELP") == 0)
			help = words[i].text;
	}
	for (size_t i = 0; i < sizeof(offered) / sizeof(*offered); i++)
		CU_ASSERT_TRUE(help_has(help, offered[i]));
	for (const char *at = help; (at = strstr(at, "\n/")) != NULL; at++)
		told += at[1 + strcspn(at + 1, " ,")] == ' ' &&
			at[2 + strcspn(at + 1, " ,")] == ' ';
	CU_ASSERT_EQUAL(told, sizeof(offered) / sizeof(*offered));
}

UNIT_SUITE(telegram_wire_write, UNIT_TEST(ids_are_numbers_where_they_can_be),
	UNIT_TEST(threads_are_numbers_other_than_the_chat),
	UNIT_TEST(spans_become_entities), UNIT_TEST(entities_end_at_a_hundred),
	UNIT_TEST(code_stands_alone), UNIT_TEST(buttons_are_rows),
	UNIT_TEST(the_other_calls), UNIT_TEST(groups_see_what_is_answered),
	UNIT_TEST(files_are_parts), UNIT_TEST(what_the_platform_would_refuse),
	UNIT_TEST(the_commands_are_the_gateways));
