/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/card.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static struct cg_capabilities full(void)
{
	return (struct cg_capabilities){.max_text = 4096,
		.max_buttons = 8,
		.max_button_rows = 8,
		.max_button_token = 64,
		.max_button_label = 40};
}

static enum cg_status make(enum inquiry_kind kind, const char *json,
	const struct cg_capabilities *capabilities, bool always, struct card *ret)
{
	struct json_object *payload = NULL;
	struct card_request request = {
		.kind = kind, .capabilities = capabilities, .always = always};
	enum cg_status status;

	CU_ASSERT_EQUAL_FATAL(cg_json_parse(json, strlen(json), &payload, NULL), CG_OK);
	request.payload = payload;
	status = card_make(&request, ret);
	cg_json_free(payload);
	return status;
}

#define BASH \
	"{\"permissionId\":\"per_9\",\"tool\":\"bash\",\"input\":{\"command\":" \
	"\"rm -rf `x`\\n```\"},\"description\":\"cleans *up*\"}"

static void an_approval_shows_what_will_run(void)
{
	const struct cg_capabilities capabilities = full();
	struct card card;

	CU_ASSERT_EQUAL(
		make(INQUIRY_PERMISSION, BASH, &capabilities, false, &card), CG_OK);
	CU_ASSERT_STRING_EQUAL(card.target_id, "per_9");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&card.text),
		"**Approval needed: bash**\n\ncleans  up \n\n"
		"````\nrm -rf `x`\n```\n````\n\n"
		"Members of this chat may decide, within 24 hours.");
	CU_ASSERT_EQUAL(card.hint.length, 0);
	CU_ASSERT_EQUAL_FATAL(card.button_count, 2);
	CU_ASSERT_STRING_EQUAL(card.buttons[0].label, "Approve");
	CU_ASSERT_EQUAL(card.buttons[0].style, CG_BUTTON_GOOD);
	CU_ASSERT_EQUAL(strncmp(card.buttons[0].token, "y.", 2), 0);
	CU_ASSERT_STRING_EQUAL(card.buttons[0].token + 2, card.token);
	CU_ASSERT(strlen(card.buttons[0].token) <= CARD_TOKEN);
	CU_ASSERT_STRING_EQUAL(card.buttons[1].label, "Deny");
	CU_ASSERT_EQUAL(strlen(card.code), 4);
	card_finish(&card);
	CU_ASSERT_EQUAL(
		make(INQUIRY_PERMISSION, BASH, &capabilities, true, &card), CG_OK);
	CU_ASSERT_EQUAL_FATAL(card.button_count, 3);
	CU_ASSERT_STRING_EQUAL(card.buttons[1].label, "Always");
	card_finish(&card);
}

static void an_approval_without_a_command_names_what_it_is_about(void)
{
	const struct cg_capabilities capabilities = full();
	struct card card;

	make(INQUIRY_PERMISSION,
		"{\"id\":\"p\",\"tool\":\"edit\",\"input\":{\"resources\":[\"a.c\",\"b."
		"c\"]}}",
		&capabilities, false, &card);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(cg_buffer_string(&card.text), "```\na.c\nb.c\n```"));
	card_finish(&card);
	CU_ASSERT_EQUAL(
		make(INQUIRY_PERMISSION, "{}", &capabilities, false, &card), CG_INVALID);
	card_finish(&card);
}

static void without_buttons_the_commands_are_told(void)
{
	static const struct cg_capabilities none = {.max_text = 20000};
	struct cg_capabilities short_tokens = full();
	struct card card;
	char hint[128];

	make(INQUIRY_PERMISSION, BASH, &none, false, &card);
	CU_ASSERT_EQUAL(card.button_count, 0);
	snprintf(hint, sizeof(hint), "\n\n/approve %s\n/deny %s", card.code, card.code);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&card.hint), hint);
	card_finish(&card);
	short_tokens.max_button_token = 16;
	make(INQUIRY_PERMISSION, BASH, &short_tokens, false, &card);
	CU_ASSERT_EQUAL(card.button_count, 0);
	card_finish(&card);
}

static void a_question_has_its_options_as_buttons(void)
{
	const struct cg_capabilities capabilities = full();
	struct cg_capabilities few = full();
	static const char json[] =
		"{\"requestId\":\"que_2\",\"questions\":[{\"header\":\"DB\",\"question\":"
		"\"Which one?\",\"options\":[{\"label\":\"pg\",\"description\":\"big\"},"
		"\"sqlite\"]}]}";
	struct card card;

	CU_ASSERT_EQUAL(make(INQUIRY_QUESTION, json, &capabilities, false, &card), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&card.text),
		"**DB**\n\nWhich one?\n\n1\\. pg: big\n2\\. sqlite");
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&card.options),
		"{\"options\":[\"pg\",\"sqlite\"],\"custom\":true,\"questions\":1}");
	CU_ASSERT_EQUAL_FATAL(card.button_count, 3);
	CU_ASSERT_STRING_EQUAL(card.buttons[1].label, "sqlite");
	CU_ASSERT_EQUAL(strncmp(card.buttons[1].token, "1.", 2), 0);
	CU_ASSERT(card.buttons[1].starts_row);
	CU_ASSERT_STRING_EQUAL(card.buttons[2].label, "Reject");
	card_finish(&card);
	few.max_buttons = 2;
	make(INQUIRY_QUESTION, json, &few, false, &card);
	CU_ASSERT_EQUAL(card.button_count, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&card.hint), "/answer "));
	card_finish(&card);
	few.max_buttons = 3;
	few.max_button_rows = 1;
	few.max_button_label = 3;
	make(INQUIRY_QUESTION, json, &few, false, &card);
	CU_ASSERT_EQUAL_FATAL(card.button_count, 3);
	CU_ASSERT(card.buttons[0].starts_row && !card.buttons[1].starts_row);
	CU_ASSERT_STRING_EQUAL(card.buttons[1].label, "sql");
	card_finish(&card);
}

/* Options that their buttons say in full are said once. */
static void what_buttons_say_is_not_said_again(void)
{
	static const struct {
		const char *options;
		size_t label;
		const char *text;
	} cases[] = {
		{"[\"pg\",\"sqlite\"]", 40, "**Question**\n\nWhich?"},
		{"[\"pg\",\"sqlite\"]", 6, "**Question**\n\nWhich?"},
		{"[\"pg\",\"sqlite\"]", 5,
			"**Question**\n\nWhich?\n\n1\\. pg\n2\\. sqlite"},
		{"[{\"label\":\"pg\",\"description\":\" \"},\"x\"]", 40,
			"**Question**\n\nWhich?"},
		{"[{\"label\":\"pg\"},\"\"]", 40,
			"**Question**\n\nWhich?\n\n1\\. pg\n2\\. "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cg_capabilities capabilities = full();
		struct card card;
		char json[256];

		capabilities.max_button_label = (uint32_t)cases[i].label;
		snprintf(json, sizeof(json),
			"{\"id\":\"q\",\"question\":\"Which?\",\"options\":%s}",
			cases[i].options);
		make(INQUIRY_QUESTION, json, &capabilities, false, &card);
		CU_ASSERT_EQUAL(card.button_count, 3);
		CU_ASSERT_STRING_EQUAL(cg_buffer_string(&card.text), cases[i].text);
		card_finish(&card);
		/* Where there are none, the text says it. */
		capabilities.max_buttons = 0;
		make(INQUIRY_QUESTION, json, &capabilities, false, &card);
		CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&card.text), "1\\. pg"));
		card_finish(&card);
	}
}

static void questions_that_buttons_cannot_answer_have_none(void)
{
	const struct cg_capabilities capabilities = full();
	static const char *const texts[] = {
		"{\"id\":\"q\",\"questions\":[{\"question\":\"a\"},{\"question\":\"b\"}]"
		"}",
		"{\"id\":\"q\",\"questions\":[{\"question\":\"a\",\"multiple\":true,"
		"\"options\":[\"x\"]}]}",
		"{\"id\":\"q\",\"question\":\"a\"}",
	};

	for (size_t i = 0; i < 3; i++) {
		struct card card;

		CU_ASSERT_EQUAL(
			make(INQUIRY_QUESTION, texts[i], &capabilities, false, &card),
			CG_OK);
		CU_ASSERT_EQUAL(card.button_count, 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&card.text), "a"));
		card_finish(&card);
	}
}

static void plain_text_is_not_markdown(void)
{
	struct cg_buffer buffer;

	cg_buffer_init(&buffer, 256);
	card_add_plain(&buffer, "a*b_[c](d)\ne<f>", 100);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "a b  c (d) e f ");
	cg_buffer_clear(&buffer);
	card_add_plain(&buffer, "äöüß", 2);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&buffer), "äö…");
	cg_buffer_finish(&buffer);
}

UNIT_SUITE(card, UNIT_TEST(an_approval_shows_what_will_run),
	UNIT_TEST(an_approval_without_a_command_names_what_it_is_about),
	UNIT_TEST(without_buttons_the_commands_are_told),
	UNIT_TEST(a_question_has_its_options_as_buttons),
	UNIT_TEST(what_buttons_say_is_not_said_again),
	UNIT_TEST(questions_that_buttons_cannot_answer_have_none),
	UNIT_TEST(plain_text_is_not_markdown));
