/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/prompt_copy.h"
#include "tests/unit/unit.h"

#include <string.h>

static void it_outlives_the_prompt(void)
{
	char text[] = "hello", name[] = "a.txt", path[] = "/files/1";
	const struct agent_file files[] = {
		{name, "text/plain", path, 5}, {"b", NULL, "/files/2", 6}};
	const struct agent_prompt prompt = {.command_id = "c",
		.text = text,
		.agent = "plan",
		.attempt = 2,
		.files = files,
		.file_count = 2};
	struct prompt_copy copy;

	CU_ASSERT_EQUAL_FATAL(prompt_copy_init(&copy, &prompt), CG_OK);
	memset(text, 'x', sizeof(text) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memset(path, 'x', sizeof(path) - 1);
	CU_ASSERT_STRING_EQUAL(copy.view.text, "hello");
	CU_ASSERT_STRING_EQUAL(copy.view.agent, "plan");
	CU_ASSERT_EQUAL(copy.view.attempt, 2);
	CU_ASSERT_EQUAL(copy.view.file_count, 2);
	CU_ASSERT_STRING_EQUAL(copy.view.files[0].filename, "a.txt");
	CU_ASSERT_STRING_EQUAL(copy.view.files[0].path, "/files/1");
	CU_ASSERT_PTR_NULL(copy.view.files[1].mime_type);
	CU_ASSERT_EQUAL(copy.view.files[1].bytes, 6);
	prompt_copy_finish(&copy);
	prompt_copy_finish(&copy); /* zero may be finished */
}

static void nobody_need_be_chosen(void)
{
	const struct agent_prompt prompt = {.command_id = "c", .text = ""};
	struct prompt_copy copy;

	CU_ASSERT_EQUAL_FATAL(prompt_copy_init(&copy, &prompt), CG_OK);
	CU_ASSERT_PTR_NULL(copy.view.agent);
	CU_ASSERT_EQUAL(copy.view.file_count, 0);
	prompt_copy_finish(&copy);
}

UNIT_SUITE(
	prompt_copy, UNIT_TEST(it_outlives_the_prompt), UNIT_TEST(nobody_need_be_chosen));
