/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#define BODY \
	"{\"ok\":true,\"changed\":[\"LOG_LEVEL\"],\"channels\":[{\"id\":\"telegram\"," \
	"\"what\":\"restarted\"},{}],\"restart\":[\"PORT\"]}"

static void what_has_changed_is_told(void)
{
	static const struct rig_answer answers[] = {RIG_ANSWER("POST /reload", 200, BODY),
		RIG_ANSWER("POST /reload", 200, "{\"ok\":true}"), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_reload, "reload", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, "POST /reload\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, "changed        LOG_LEVEL\n"
					 "restarted      telegram\n"
					 "?              ?\n"
					 "needs a restart PORT\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_reload, "reload", "--json", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, BODY "\n"));
	rig.answers = answers + 1;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_reload, "reload", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "nothing has changed\n"));
	rig_end(&rig);
}

static void settings_that_are_wrong_change_nothing(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST /reload", 409, "{\"error\":\"PORT: not a number\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_reload, "reload", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate reload: PORT: not a number\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_reload, "reload", "now", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate reload: it takes --json and nothing else\n"
				  "usage: cowgate reload [--json]\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

UNIT_SUITE(reload, UNIT_TEST(what_has_changed_is_told),
	UNIT_TEST(settings_that_are_wrong_change_nothing));
