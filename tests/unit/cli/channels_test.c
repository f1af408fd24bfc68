/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

static void channels_are_listed(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /diagnostics", 200,
			"{\"version\":\"1\",\"providers\":[{\"id\":\"work\",\"kind\":"
			"\"slack\",\"state\":\"failed\",\"lastInboundAt\":\"2026-01-01\","
			"\"error\":\"no token\"},{}]}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_channels, "channels", "list", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out,
		"work             slack      failed     2026-01-01  no token\n"
		"?                ?          ?          -  \n"));
	/* Of all that the gateway says of itself, only its channels. */
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_channels, "channels", "list", "--json", NULL), CLI_OK);
	CU_ASSERT_TRUE(
		rig_same(rig.out, "{\"ok\":true,\"channels\":[{\"id\":\"work\",\"kind\":"
				  "\"slack\",\"state\":\"failed\",\"lastInboundAt\":"
				  "\"2026-01-01\",\"error\":\"no token\"},{}]}\n"));
	rig_end(&rig);
}

static void one_is_stopped_and_let_go_on(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("POST /channels/a%20b/pause", 200, "{\"ok\":true}"),
		RIG_ANSWER("POST /channels/a%20b/resume", 200, "{\"ok\":true}"),
		RIG_ANSWER("POST /channels/x/pause", 404,
			"{\"error\":\"There is no such channel.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_channels, "channels", "pause", "a b", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, "POST /channels/a%20b/pause {}\n"));
	CU_ASSERT_TRUE(
		rig_same(rig.out, "a b is paused until `cowgate channels resume a b`, "
				  "also over a restart.\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_channels, "channels", "resume", "a b", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "a b goes on.\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_channels, "channels", "resume", "a b", "--json", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.out, "{\"ok\":true}\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_channels, "channels", "pause", "x", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate channels: There is no such channel.\n"));
	rig_end(&rig);
}

static void what_is_not_understood_is_not_sent(void)
{
	static const struct {
		const char *arguments[3], *says;
	} rows[] = {
		{{NULL}, "usage: cowgate channels list|pause|resume [NAME] [--json]\n"},
		{{"--json"}, "cowgate channels: that is not understood\n"},
		{{"list", "work"}, "cowgate channels: that is not understood\n"},
		{{"pause"}, "cowgate channels: that is not understood\n"},
		{{"pause", "--json"}, "cowgate channels: that is not understood\n"},
		{{"pause", "a", "b"}, "cowgate channels: that is not understood\n"},
		{{"stop", "a"}, "cowgate channels: that is not understood\n"},
	};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *arguments = rows[i].arguments;

		CU_ASSERT_EQUAL(rig_run(&rig, cli_channels, "channels", arguments[0],
					arguments[1], arguments[2], NULL),
			CLI_USAGE);
		CU_ASSERT_EQUAL(strstr(rig.err, rows[i].says), rig.err);
		CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	}
	rig_end(&rig);
}

static void a_name_has_a_cap_and_it_is_told(void)
{
	char name[1024];
	struct rig rig;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	rig_begin(&rig);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_channels, "channels", "pause", name, NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate channels: the name is too long\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

UNIT_SUITE(channels, UNIT_TEST(channels_are_listed),
	UNIT_TEST(one_is_stopped_and_let_go_on),
	UNIT_TEST(what_is_not_understood_is_not_sent),
	UNIT_TEST(a_name_has_a_cap_and_it_is_told));
