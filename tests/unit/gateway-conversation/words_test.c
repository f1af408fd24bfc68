/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway says by itself. */
#include "gateway/conversation/words.h"

#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <string.h>

static void nothing_is_left_unsaid(void)
{
	for (int i = 0; i < WORDS_COUNT; i++) {
		const char *text = words_text((enum words)i);

		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		CU_ASSERT_FALSE(cg_text_blank(text));
		CU_ASSERT_TRUE(cg_utf8_valid(text, strlen(text)));
		/* A sentence, or the beginning of one that is completed: no half line. */
		CU_ASSERT_NOT_EQUAL(text[strlen(text) - 1], '\n');
	}
	CU_ASSERT_STRING_EQUAL(words_text(WORDS_STOPPED), "Stopped.");
}

/* The help names what people can say. */
static void the_help_names_the_commands(void)
{
	static const char *const commands[] = {"/new", "/stop", "/status", "/agent",
		"/approve", "/deny", "/answer", "/reject", "/help"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(words_text(WORDS_HELP), commands[i]));
}

UNIT_SUITE(
	words, UNIT_TEST(nothing_is_left_unsaid), UNIT_TEST(the_help_names_the_commands));
