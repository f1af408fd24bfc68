/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <string.h>

static void every_command_is_in_the_manual(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_manual, "manual", "cowgate.1", NULL), CLI_OK);
	CU_ASSERT_EQUAL(strstr(rig.out, ".TH COWGATE 1 \"20"), rig.out);
	CU_ASSERT_TRUE(rig_has(rig.out, "\" \"cowgate " COWGATE_VERSION "\"\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "\n.SH EXIT STATUS\n"));
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++) {
		char line[64];

		/* A hyphen of a page would be another character. */
		snprintf(line, sizeof(line), "\n.TP\n\\fB%s%s\\fP ",
			strcmp(command->word, "plugin-check") == 0 ? "plugin\\-check"
								   : command->word,
			"");
		CU_ASSERT_TRUE(rig_has(rig.out, line));
	}
	rig_end(&rig);
}

static void every_setting_is_in_the_other_page(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_manual, "manual", "cowgate.conf.5", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, ".TH COWGATE.CONF 5 \"20"));
	CU_ASSERT_TRUE(rig_has(rig.out, "OPEN_COWORK_GATEWAY_PORT"));
	CU_ASSERT_TRUE(rig_has(rig.out, "OPEN_COWORK_GATEWAY_TELEGRAM_BOT_TOKEN"));
	rig_end(&rig);
}

static void a_page_has_a_name(void)
{
	static const char *const lost[] = {
		"OPEN_COWORK_GATEWAY_PLUGIN_DIR=/nonexistent", NULL};
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_manual, "manual", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.err,
		"cowgate manual: name a page: cowgate.1 or cowgate.conf.5\n"
		"usage: cowgate manual cowgate.1|cowgate.conf.5\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_manual, "manual", "cowgate.2", NULL), CLI_USAGE);
	/* Half a page is none. */
	rig.environment = lost;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_manual, "manual", "cowgate.conf.5", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(rig_has(rig.err, "/nonexistent"));
	rig_end(&rig);
}

UNIT_SUITE(manual, UNIT_TEST(every_command_is_in_the_manual),
	UNIT_TEST(every_setting_is_in_the_other_page), UNIT_TEST(a_page_has_a_name));
