/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

#define K "OPEN_COWORK_GATEWAY_"

static const char *const environment[] = {K "CLI_ENABLED=true", K "PORT=8123",
	K "AGENT_BACKEND=openai", K "AGENT_URL=http://127.0.0.1:1/v1", K "AGENT_MODEL=m",
	K "AGENT_API_KEY=very-secret", NULL};

static void a_setting_is_explained_with_its_value(void)
{
	static const char *const names[] = {"PORT", K "PORT"};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(
			rig_run(&rig, cli_config, "config", names[i], NULL), CLI_OK);
		CU_ASSERT_TRUE(rig_has(rig.out, "  variable   " K "PORT\n"));
		CU_ASSERT_TRUE(rig_has(rig.out, "  in force   8123  ("));
	}
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", "PUBLIC_URL", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "  in force   unset\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", "PRT", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate config: there is no setting \"PRT\"\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

static void a_setting_is_explained_whatever_else_is_wrong(void)
{
	static const char *const bad[] = {K "AGENT_BACKEND=openai", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = bad;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", "PORT", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "  variable   " K "PORT\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "in force"));
	/* But nothing is in force as a whole. */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(rig_has(rig.err, "error: " K "AGENT_URL: "));
	rig_end(&rig);
}

static void all_are_shown_without_secrets(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "\n" K "AGENT_MODEL"));
	CU_ASSERT_TRUE(rig_has(rig.out, " 8123  ("));
	CU_ASSERT_TRUE(rig_has(rig.out, " unset\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "very-secret"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", "--json", NULL), CLI_OK);
	CU_ASSERT_EQUAL(rig.out[0], '{');
	CU_ASSERT_TRUE(rig_has(rig.out, "\"variable\":\"" K "PORT\""));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "very-secret"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_config, "config", "AGENT_API_KEY", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "  in force   "));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "very-secret"));
	rig_end(&rig);
}

static void the_manual_is_of_all_modules(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_config, "config", "--markdown", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "| `" K "PORT` |"));
	CU_ASSERT_TRUE(rig_has(rig.out, "| `" K "TELEGRAM_BOT_TOKEN` |"));
	CU_ASSERT_TRUE(rig_has(rig.out, "| `" K "SLACK_BOT_TOKEN` |"));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "in force"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_config, "config", "PORT", "--json", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate config: it takes one argument\n"));
	rig_end(&rig);
}

UNIT_SUITE(config, UNIT_TEST(a_setting_is_explained_with_its_value),
	UNIT_TEST(a_setting_is_explained_whatever_else_is_wrong),
	UNIT_TEST(all_are_shown_without_secrets),
	UNIT_TEST(the_manual_is_of_all_modules));
