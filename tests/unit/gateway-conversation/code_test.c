/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/code.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define MESSAGE 100 /* units */

struct channel {
	struct cg_capabilities capabilities;
	enum cg_status status;
};

static enum cg_status channel_capabilities(
	void *self, const char *instance, struct cg_capabilities *ret)
{
	const struct channel *channel = self;

	CU_ASSERT_STRING_EQUAL(instance, "telegram");
	if (channel->status != CG_NOT_FOUND)
		*ret = channel->capabilities;
	return channel->status;
}

static uint32_t channel_measure(
	void *self, const char *instance, const char *text, size_t length)
{
	const struct channel *channel = self;

	(void)instance;
	return (uint32_t)cg_text_measure(text, length, channel->capabilities.text_unit);
}

static struct channel a_chat(void)
{
	return (struct channel){.capabilities = {.text_unit = CG_UNIT_CODE_POINTS,
					.text_form = CG_FORM_RENDERED,
					.max_text = MESSAGE,
					.max_file = 1000,
					.chat = true}};
}

/* Of @source, which ends with it. */
static void take(struct channel *channel, struct cg_buffer *source, struct code *ret)
{
	const struct outlet outlet = {.self = channel,
		.capabilities = channel_capabilities,
		.measure = channel_measure};

	CU_ASSERT_EQUAL_FATAL(
		code_take(&outlet, "telegram", cg_buffer_string(source), ret), CG_OK);
	cg_buffer_finish(source);
}

static struct cg_buffer a_source(const char *text)
{
	struct cg_buffer source;

	cg_buffer_init(&source, 65536);
	cg_buffer_text(&source, text);
	return source;
}

static void add_letters(struct cg_buffer *source, size_t count)
{
	while (count-- > 0)
		cg_buffer_char(source, 'x');
}

/* A block of @units in all, fences included, of one line. */
static void add_block(struct cg_buffer *source, const char *info, size_t units)
{
	cg_buffer_format(source, "```%s\n", info);
	add_letters(source, units - strlen(info) - strlen("```\n\n```"));
	cg_buffer_text(source, "\n```");
}

static void code_goes_when_it_fills_more_than_two_messages(void)
{
	struct channel channel = a_chat();
	struct cg_buffer source = a_source("before\n\n");
	struct code code;

	add_block(&source, "c", CODE_MESSAGES * MESSAGE);
	cg_buffer_text(&source, "\nbehind");
	take(&channel, &source, &code);
	CU_ASSERT_PTR_NULL(code.text);
	CU_ASSERT_EQUAL(code.count, 0);
	code_finish(&code);

	source = a_source("before\n\n");
	add_block(&source, "c", CODE_MESSAGES * MESSAGE + 1);
	cg_buffer_text(&source, "\nbehind");
	take(&channel, &source, &code);
	CU_ASSERT_EQUAL_FATAL(code.count, 1);
	CU_ASSERT_STRING_EQUAL(code.text, "before\n\n📎 `code.c` (1 lines)\nbehind");
	CU_ASSERT_STRING_EQUAL(code.files[0].name, "code.c");
	CU_ASSERT_EQUAL(strlen(code.files[0].text), CODE_MESSAGES * MESSAGE + 1 - 8);
	CU_ASSERT_EQUAL(strspn(code.files[0].text, "x"), CODE_MESSAGES * MESSAGE - 8);
	CU_ASSERT_EQUAL(code.files[0].text[CODE_MESSAGES * MESSAGE - 8], '\n');
	code_finish(&code);
}

/* How many files a channel gets of a block of 300 units, whose code has 293 bytes. */
static size_t count_files(struct channel channel)
{
	struct cg_buffer source = a_source("");
	struct code code;
	size_t count;

	add_block(&source, "", 300);
	take(&channel, &source, &code);
	count = code.count;
	code_finish(&code);
	return count;
}

static void code_goes_to_chats_that_take_files(void)
{
	struct channel channel = a_chat();

	CU_ASSERT_EQUAL(count_files(channel), 1);
	channel.capabilities.chat = false;
	CU_ASSERT_EQUAL(count_files(channel), 0);
	channel = a_chat();
	channel.capabilities.text_form = CG_FORM_SOURCE;
	CU_ASSERT_EQUAL(count_files(channel), 0);
	channel = a_chat();
	channel.capabilities.max_file = 0;
	CU_ASSERT_EQUAL(count_files(channel), 0);
	channel.capabilities.max_file = 292;
	CU_ASSERT_EQUAL(count_files(channel), 0);
	channel.capabilities.max_file = 293;
	CU_ASSERT_EQUAL(count_files(channel), 1);
	channel.status = CG_NOT_FOUND;
	CU_ASSERT_EQUAL(count_files(channel), 0);
	channel.status = CG_BUSY; /* it takes them later */
	CU_ASSERT_EQUAL(count_files(channel), 1);
}

static void code_is_named_by_its_language(void)
{
	static const char *const names[][2] = {{"", "code.txt"}, {"python", "code.py"},
		{"Python", "code.py"}, {"C++", "code.cpp"}, {"ts", "code.ts"},
		{"JSON", "code.json"}, {"js title=\"a\"", "code.js"},
		{"rust,ignore", "code.rs"}, {"go {1,3}", "code.go"}, {"c-3", "code.txt"},
		{"a/../b", "code.txt"}, {"abcdefgh", "code.abcdefgh"},
		{"abcdefghi", "code.txt"}, {" sql", "code.sql"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct channel channel = a_chat();
		struct cg_buffer source = a_source("");
		struct code code;

		add_block(&source, names[i][0], 300);
		take(&channel, &source, &code);
		CU_ASSERT_EQUAL_FATAL(code.count, 1);
		CU_ASSERT_STRING_EQUAL(code.files[0].name, names[i][1]);
		code_finish(&code);
	}
}

static void code_beyond_the_cap_stays(void)
{
	struct channel channel = a_chat();
	struct cg_buffer source = a_source("");
	struct code code;

	for (int i = 0; i <= CODE_FILES; i++) {
		add_block(&source, "c", 300);
		cg_buffer_text(&source, "\n\nand\n\n");
	}
	take(&channel, &source, &code);
	CU_ASSERT_EQUAL_FATAL(code.count, CODE_FILES);
	CU_ASSERT_STRING_EQUAL(code.files[0].name, "code.c");
	CU_ASSERT_STRING_EQUAL(code.files[CODE_FILES - 1].name, "code-8.c");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(code.text, "📎 `code-8.c` (1 lines)\n\nand\n\n```c\nxxx"));
	code_finish(&code);
}

/* In a list the fence is indented, and so are its lines. */
static void code_has_no_indent_of_its_fence(void)
{
	static const char expected[] = "if\n  x\ny\n\nxxx";
	struct channel channel = a_chat();
	struct cg_buffer source = a_source("1. so:\n   ~~~sh\n   if\n     x\n  y\n\n   ");
	struct code code;

	add_letters(&source, 300);
	cg_buffer_text(&source, "\n   ~~~\n2. on");
	take(&channel, &source, &code);
	CU_ASSERT_EQUAL_FATAL(code.count, 1);
	CU_ASSERT_STRING_EQUAL(code.files[0].name, "code.sh");
	CU_ASSERT_NSTRING_EQUAL(code.files[0].text, expected, sizeof(expected) - 1);
	CU_ASSERT_STRING_EQUAL(code.text, "1. so:\n   📎 `code.sh` (5 lines)\n2. on");
	code_finish(&code);
}

/* An answer that was cut ends with a sentence that must be read. */
static void code_without_an_end_stays(void)
{
	struct channel channel = a_chat();
	struct cg_buffer source = a_source("```c\n");
	struct code code;

	add_letters(&source, 300);
	cg_buffer_text(&source, "\n``\n[cut]");
	take(&channel, &source, &code);
	CU_ASSERT_EQUAL(code.count, 0);
	code_finish(&code);
}

UNIT_SUITE(code, UNIT_TEST(code_goes_when_it_fills_more_than_two_messages),
	UNIT_TEST(code_goes_to_chats_that_take_files),
	UNIT_TEST(code_is_named_by_its_language), UNIT_TEST(code_beyond_the_cap_stays),
	UNIT_TEST(code_has_no_indent_of_its_fence), UNIT_TEST(code_without_an_end_stays));
