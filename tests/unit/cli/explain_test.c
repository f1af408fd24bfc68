/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

#define BODY \
	"{\"inbound\":[{\"provider\":\"telegram\",\"eventId\":\"7\",\"state\":\"done\"," \
	"\"steps\":[{\"at\":\"2026-01-01T00:00:00.000Z\",\"text\":\"it came\"}]," \
	"\"now\":\"answered\",\"next\":\"nothing\"," \
	"\"answers\":[{\"deliveryId\":\"d-1\",\"state\":\"sent\"}]}]," \
	"\"outbound\":[{\"delivery\":{\"provider\":\"telegram\",\"deliveryId\":\"d-1\"," \
	"\"state\":\"sent\"},\"steps\":[]}]}"

static void both_ways_are_told(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /explain/telegram%3A7", 200, BODY), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_explain, "explain", "telegram:7", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_same(rig.out, "It came in over telegram as 7, and is done.\n"
				  "  2026-01-01T00:00:00.000Z  it came\n"
				  "  now                       answered\n"
				  "  next                      nothing\n"
				  "  said after it             d-1 (sent)\n"
				  "It goes out over telegram as d-1, and is sent.\n"
				  "  now                       ?\n"
				  "  next                      ?\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_explain, "explain", "telegram:7", "--json", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, BODY "\n"));
	rig_end(&rig);
}

static void what_nobody_knows_is_said_so(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER(
			"GET /explain/x", 404, "{\"error\":\"No message has that id.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_explain, "explain", "x", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate explain: No message has that id.\n"));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

static void it_takes_one_id(void)
{
	static const char *const rows[][3] = {
		{NULL}, {"--json"}, {"a", "b"}, {"a", "--json", "b"}};
	char id[2048];
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_EQUAL(rig_run(&rig, cli_explain, "explain", rows[i][0],
					rows[i][1], rows[i][2], NULL),
			CLI_USAGE);
		CU_ASSERT_TRUE(rig_same(rig.err, "cowgate explain: name one message\n"
						 "usage: cowgate explain ID [--json]\n"));
		CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	}
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	CU_ASSERT_EQUAL(rig_run(&rig, cli_explain, "explain", id, NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate explain: the id is too long\n"));
	rig_end(&rig);
}

UNIT_SUITE(explain, UNIT_TEST(both_ways_are_told),
	UNIT_TEST(what_nobody_knows_is_said_so), UNIT_TEST(it_takes_one_id));
