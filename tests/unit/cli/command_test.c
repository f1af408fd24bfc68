/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

static void each_word_is_there_once(void)
{
	size_t count = 0;

	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++, count++) {
		CU_ASSERT_PTR_EQUAL(cli_command_find(command->word), command);
		CU_ASSERT_PTR_NOT_NULL(command->run);
		CU_ASSERT_NOT_EQUAL(command->help[0], '\0');
		/* The scripts of the shells put it between single quotes. */
		CU_ASSERT_PTR_NULL(strchr(command->help, '\''));
	}
	CU_ASSERT_TRUE(count > 10);
	CU_ASSERT_PTR_NULL(cli_command_find("nothing"));
	CU_ASSERT_PTR_NULL(cli_command_find(""));
}

static int say_usage(int argc, char **argv)
{
	return cli_usage(argv[0], argc > 1 ? argv[1] : NULL);
}

static void usage_is_said_on_stderr(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, say_usage, "check", "why", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate check: why\nusage: cowgate check [--json]\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, say_usage, "run", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.err, "usage: cowgate run \n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

UNIT_SUITE(
	command, UNIT_TEST(each_word_is_there_once), UNIT_TEST(usage_is_said_on_stderr));
