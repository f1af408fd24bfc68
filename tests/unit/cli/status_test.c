/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#define BODY \
	"{\"ready\":{\"ok\":true,\"status\":\"ready\"},\"version\":\"1.2.3\"," \
	"\"uptimeSeconds\":93784,\"store\":{\"state\":\"ok\",\"inboxPending\":1," \
	"\"outboxPending\":2,\"outboxUnknown\":3,\"outboxDead\":4,\"inboxDead\":5}," \
	"\"providers\":[{\"id\":\"telegram\",\"state\":\"running\"}," \
	"{\"id\":\"slack\",\"state\":\"failed\",\"error\":\"no token\"}]}"

static void it_tells_how_the_gateway_is_doing(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /diagnostics", 200, BODY), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_status, "status", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_same(rig.out, "cowgate    ready, version 1.2.3, up 1d 02:03:04\n"
				  "store      ok: 1 in, 2 out, 3 unknown, 9 dead\n"
				  "telegram   running\n"
				  "slack      failed: no token\n"));
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /diagnostics\n"));
	/* For programs: what the gateway said, unchanged. */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_status, "status", "--json", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, BODY "\n"));
	rig_end(&rig);
}

static void what_is_not_known_is_a_question_mark(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /diagnostics", 200, "{}"), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_status, "status", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_same(rig.out, "cowgate    ?, version ?, up 0d 00:00:00\n"
				  "store      ?: 0 in, 0 out, 0 unknown, 0 dead\n"));
	rig_end(&rig);
}

static void it_takes_one_switch(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_status, "status", "all", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate status: it takes --json and nothing else\n"
				  "usage: cowgate status [--json]\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_status, "status", "--json", "--json", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

static void a_refusal_is_its_failure(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /diagnostics", 404, "{\"error\":\"switched off\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_status, "status", "--json", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate status: switched off\n"));
	rig_end(&rig);
}

UNIT_SUITE(status, UNIT_TEST(it_tells_how_the_gateway_is_doing),
	UNIT_TEST(what_is_not_known_is_a_question_mark), UNIT_TEST(it_takes_one_switch),
	UNIT_TEST(a_refusal_is_its_failure));
