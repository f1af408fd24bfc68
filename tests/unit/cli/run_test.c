/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

#define K "OPEN_COWORK_GATEWAY_"

/* The conversation of the terminal ends with stdin, and the gateway with it. */
static void it_is_ready_says_so_and_ends(void)
{
	static const char *const environment[] = {K "CLI_ENABLED=true",
		K "AGENT_BACKEND=echo", K "PORT=0", K "LOG_FORMAT=json", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig.gateway = RIG_ABSENT;
	rig.input = "Hello?\n";
	CU_ASSERT_EQUAL(rig_run(&rig, cli_run, "run", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(
		rig.err, "cowgate " COWGATE_VERSION " is ready on http://127.0.0.1:"));
	CU_ASSERT_TRUE(rig_has(rig.err, " (standalone)\n"));
	CU_ASSERT_TRUE(rig_has(rig.err, "\n{\"")); /* the log as it was wanted */
	CU_ASSERT_PTR_NULL(strstr(rig.out, "is ready on")); /* stdout is the chat's */
	rig_end(&rig);
}

static void a_port_that_is_taken_is_said(void)
{
	static const char *const environment[] = {K "CLI_ENABLED=true",
		K "AGENT_BACKEND=echo", K "PORT={port}", K "LOG_LEVEL=silent", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig.gateway = RIG_ABSENT;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_run, "run", NULL), CLI_FAILED);
	CU_ASSERT_EQUAL(strstr(rig.err, "cowgate: "), rig.err);
	CU_ASSERT_PTR_NULL(strstr(rig.err, "is ready on"));
	rig_end(&rig);
}

static void wrong_settings_start_nothing(void)
{
	static const char *const environment[] = {
		K "CLI_ENABLED=true", K "AGENT_BACKEND=openai", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig.gateway = RIG_ABSENT;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_run, "run", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "error: " K "AGENT_URL: "));
	CU_ASSERT_PTR_NULL(strstr(rig.err, "is ready on"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_run, "run", "now", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate run: it takes no arguments\n"
					 "usage: cowgate run \n"));
	rig_end(&rig);
}

UNIT_SUITE(run, UNIT_TEST(it_is_ready_says_so_and_ends),
	UNIT_TEST(a_port_that_is_taken_is_said), UNIT_TEST(wrong_settings_start_nothing));
