/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

#define K "OPEN_COWORK_GATEWAY_"

static const char *const good[] = {K "CLI_ENABLED=true", K "AGENT_BACKEND=echo", NULL};
static const char *const bad[] = {
	K "CLI_ENABLED=true", K "AGENT_BACKEND=openai", K "PROT=1", NULL};

static void what_is_in_order_is_said_so(void)
{
	static const char *const two[] = {K "CLI_ENABLED=true", K "AGENT_BACKEND=echo",
		K "TELEGRAM_BOT_TOKEN=1:x", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = good;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", NULL), CLI_OK);
	CU_ASSERT_EQUAL(
		strncmp(rig.out, "Everything is in order: data in /tmp/cowgate-", 45), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, ", 1 provider.\n"));
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	rig.environment = two;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, ", 2 providers.\n"));
	rig.environment = good;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", "--json", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_same(rig.out, "{\"ok\":true,\"refusedModules\":0,\"issues\":[]}\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, "")); /* it asks nobody */
	rig_end(&rig);
}

static void every_error_is_told_at_once(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.environment = bad;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(rig_has(rig.err, "error: " K "AGENT_URL: "));
	CU_ASSERT_TRUE(rig_has(rig.err, "error: " K "AGENT_MODEL: "));
	CU_ASSERT_TRUE(rig_has(rig.err, "warning: " K "PROT: "));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", "--json", NULL), CLI_FAILED);
	CU_ASSERT_EQUAL(
		strstr(rig.out, "{\"ok\":false,\"refusedModules\":0,\"issues\":[{"),
		rig.out);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "{\"severity\":\"error\",\"where\":\"" K "AGENT_URL\""));
	CU_ASSERT_TRUE(
		rig_has(rig.out, "{\"severity\":\"warning\",\"where\":\"" K "PROT\""));
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	rig_end(&rig);
}

static void places_that_cannot_be_read_are_told(void)
{
	static const char *const lost[] = {K "ENV_FILE=/nonexistent/env", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = lost;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "error: "));
	CU_ASSERT_TRUE(rig_has(rig.err, "/nonexistent/env"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_check, "check", "all", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate check: it takes --json and nothing else\n"
				  "usage: cowgate check [--json]\n"));
	rig_end(&rig);
}

UNIT_SUITE(check, UNIT_TEST(what_is_in_order_is_said_so),
	UNIT_TEST(every_error_is_told_at_once),
	UNIT_TEST(places_that_cannot_be_read_are_told));
