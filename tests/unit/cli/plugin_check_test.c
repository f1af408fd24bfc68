/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

#define K "OPEN_COWORK_GATEWAY_"

static void a_module_that_is_sound_is_said_so(void)
{
	/* With settings an instance is built; settings that are wrong are not the module's. */
	static const char *const settings[][3] = {{NULL},
		{K "AGENT_BACKEND=openai", NULL},
		{K "TELEGRAM_BOT_TOKEN=1:x", K "TELEGRAM_ALLOW_FROM=1", NULL}};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		rig.environment = settings[i];
		CU_ASSERT_EQUAL(rig_run(&rig, cli_plugin_check, "plugin-check",
					TEST_PLUGINS "/telegram.so", NULL),
			CLI_OK);
		CU_ASSERT_EQUAL(strncmp(rig.out, "telegram ", 9), 0);
		CU_ASSERT_TRUE(rig_has(rig.out, " is sound: telegram\n"));
		CU_ASSERT_TRUE(rig_same(rig.err, ""));
	}
	rig_end(&rig);
}

static void one_that_is_not_is_told_why(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_plugin_check, "plugin-check",
				TEST_MODULES "/wrong_magic.so", NULL),
		CLI_FAILED);
	/* On stdout: whoever tries a module reads it there. */
	CU_ASSERT_TRUE(rig_same(rig.out, "it is not a Cowgate plugin (wrong magic)\n"));
	rig_write(&rig, "junk.so", "no module", 0600);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_plugin_check, "plugin-check", "{home}/junk.so", NULL),
		CLI_FAILED);
	CU_ASSERT_NOT_EQUAL(rig.out[0], '\0');
	CU_ASSERT_EQUAL(strchr(rig.out, '\n'), rig.out + strlen(rig.out) - 1);
	rig_end(&rig);
}

/* An instance is built of what the settings know: that is tried, too. */
static void one_that_crashes_takes_its_process_along(void)
{
	static const char *const settings[] = {K "CRASHER_WORD=any", NULL};
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_plugin_check, "plugin-check",
				TEST_MODULES "/crash_creating.so", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, " is sound: crasher\n"));
	rig.environment = settings;
	CU_ASSERT_NOT_EQUAL(rig_run(&rig, cli_plugin_check, "plugin-check",
				    TEST_MODULES "/crash_creating.so", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

static void it_takes_one_file(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_plugin_check, "plugin-check", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate plugin-check: it takes one file\n"
					 "usage: cowgate plugin-check FILE\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_plugin_check, "plugin-check", "a", "b", NULL),
		CLI_USAGE);
	rig_end(&rig);
}

UNIT_SUITE(plugin_check, UNIT_TEST(a_module_that_is_sound_is_said_so),
	UNIT_TEST(one_that_is_not_is_told_why),
	UNIT_TEST(one_that_crashes_takes_its_process_along),
	UNIT_TEST(it_takes_one_file));
