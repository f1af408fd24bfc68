/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HERE "http://127.0.0.1:{port}"
#define AGENT \
	"--agent", "openai", "--url", HERE "/v1", "--model", "small", "--key", "-", \
		"--yes"
#define FILE_FLAG "--file", "{home}/made.env"

static const struct rig_answer all_well[] = {
	RIG_ANSWER("GET /v1/models", 200, "{\"data\":[{\"id\":\"small\"}]}"),
	RIG_ANSWER("GET /bot42:secret/getMe", 200,
		"{\"ok\":true,\"result\":{\"username\":\"cow\"}}"),
	RIG_ANSWERS_END};

/* What was written; "": nothing. */
static const char *read_made(const struct rig *rig)
{
	static char text[4096];
	FILE *file = fopen(rig_path(rig, "made.env"), "r");
	size_t length = 0;

	if (file != NULL) {
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[length] = '\0';
	return text;
}

static void flags_make_a_file(void)
{
	struct rig rig;
	struct stat info;

	rig_begin(&rig);
	rig.answers = all_well;
	rig.input = "42:secret\nk-secret\n";
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel",
				"telegram", "--token", "-", "--allow", "7", "--set",
				"TELEGRAM_API_BASE_URL=" HERE, AGENT, NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "Telegram knows the bot as @cow\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, " answers and has small\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "/made.env (mode 0600).\n"));
	CU_ASSERT_EQUAL(stat(rig_path(&rig, "made.env"), &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	CU_ASSERT_TRUE(rig_has(read_made(&rig),
		"\nOPEN_COWORK_GATEWAY_TELEGRAM_BOT_TOKEN=\"42:secret\"\n"
		"OPEN_COWORK_GATEWAY_TELEGRAM_ALLOW_FROM=\"7\"\n"));
	CU_ASSERT_TRUE(rig_has(
		read_made(&rig), "\nOPEN_COWORK_GATEWAY_AGENT_API_KEY=\"k-secret\"\n"));
	/* Secrets came by stdin, and go nowhere else. */
	CU_ASSERT_PTR_NULL(strstr(rig.out, "secret"));
	CU_ASSERT_PTR_NULL(strstr(rig.err, "secret"));
	rig_end(&rig);
}

static void programs_get_json(void)
{
	struct rig rig;
	char wanted[256];

	rig_begin(&rig);
	rig.answers = all_well;
	rig.input = "k\n";
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel", "cli",
				AGENT, "--json", NULL),
		CLI_OK);
	snprintf(wanted, sizeof(wanted),
		"{\"ok\":true,\"file\":\"%s/made.env\",\"findings\":[{\"level\":\"ok\","
		"\"what\":\"agent\",",
		rig.directory);
	CU_ASSERT_EQUAL(strstr(rig.out, wanted), rig.out);
	CU_ASSERT_EQUAL(strchr(rig.out, '\n'), rig.out + strlen(rig.out) - 1);
	/* A channel that nothing else switches on has a switch. */
	CU_ASSERT_TRUE(
		rig_has(read_made(&rig), "\nOPEN_COWORK_GATEWAY_CLI_ENABLED=\"true\"\n"));
	rig_end(&rig);
}

static void what_is_there_is_not_replaced(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = all_well;
	rig.input = "k\n";
	rig_write(&rig, "made.env", "MINE=1\n", 0644);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel", "cli",
				AGENT, NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_has(rig.err, "/made.env is there already; --force replaces it\n"));
	CU_ASSERT_TRUE(rig_same(read_made(&rig), "MINE=1\n"));
	CU_ASSERT_TRUE(rig_same(rig.requests, "")); /* before anybody is asked */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--force", "--channel",
				"cli", AGENT, NULL),
		CLI_OK);
	CU_ASSERT_PTR_NULL(strstr(read_made(&rig), "MINE"));
	rig_end(&rig);
}

static void what_a_platform_refuses_is_not_written(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.answers = all_well;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel",
				"telegram", "--token", "1:wrong", "--set",
				"TELEGRAM_API_BASE_URL=" HERE, "--json", NULL),
		CLI_FAILED);
	CU_ASSERT_EQUAL(
		strstr(rig.out, "{\"ok\":false,\"file\":null,\"findings\":["), rig.out);
	CU_ASSERT_TRUE(rig_has(rig.out, "Telegram refuses the token: 404"));
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate init: nothing was written; "));
	CU_ASSERT_TRUE(rig_same(read_made(&rig), ""));
	/* Unless nobody is to be asked. */
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel",
				"telegram", "--token", "1:wrong", "--set",
				"TELEGRAM_API_BASE_URL=" HERE, "--no-check", NULL),
		CLI_OK);
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	CU_ASSERT_TRUE(rig_has(read_made(&rig), "1:wrong"));
	rig_end(&rig);
}

static void the_rules_of_the_settings_hold(void)
{
	/* What the person has set for another gateway does not count for this one. */
	static const char *const other[] = {
		"OPEN_COWORK_GATEWAY_SLACK_SIGNING_SECRET=0123456789abcdef0123", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = other;
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel", "slack",
				"--token", "xoxb-1", NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "SLACK_SIGNING_SECRET"));
	CU_ASSERT_TRUE(rig_same(read_made(&rig), ""));
	rig_end(&rig);
}

static void a_cloud_is_asked_instead_of_an_agent(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /api/channels/deliveries?limit=1", 401,
			"{\"error\":\"No.\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig.input = "s-secret\n";
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, "--channel", "cli",
				"--cloud", HERE, "--service-token", "-", "--set",
				"ADMIN_TOKEN=0123456789abcdef", NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /api/channels/deliveries?limit=1\n"));
	CU_ASSERT_TRUE(rig_has(rig.heads, "Authorization: Bearer s-secret\r\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "fault    cloud "));
	CU_ASSERT_TRUE(rig_same(read_made(&rig), ""));
	rig_end(&rig);
}

static void what_is_not_understood_writes_nothing(void)
{
	static const struct {
		const char *arguments[4], *says;
		int code;
	} rows[] = {
		{{NULL}, "nobody is at the terminal: ", CLI_FAILED},
		{{"--channel"}, "a flag is not known or lacks its value\n", CLI_USAGE},
		{{"--what", "x"}, "a flag is not known\n", CLI_USAGE},
		{{"--channel", "pigeon"}, "there is no channel \"pigeon\"; there are ",
			CLI_FAILED},
		{{"--token", "x"}, "--token comes after a --channel\n", CLI_FAILED},
		{{"--channel", "cli", "--token", "x"}, "the channel cli has no --token\n",
			CLI_FAILED},
		{{"--allow", "x"}, "--allow comes after a --channel\n", CLI_FAILED},
		{{"--set", "PORT"}, "--set takes NAME=VALUE\n", CLI_FAILED},
		{{"--set", "port=1"}, "cowgate init: ", CLI_FAILED},
		{{"--key", "-"}, "stdin has no line for AGENT_API_KEY", CLI_FAILED},
	};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *arguments = rows[i].arguments;

		CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", FILE_FLAG, arguments[0],
					arguments[1], arguments[2], arguments[3], NULL),
			rows[i].code);
		CU_ASSERT_TRUE(rig_has(rig.err, rows[i].says));
		CU_ASSERT_TRUE(rig_same(read_made(&rig), ""));
	}
	rig_end(&rig);
}

static void channels_have_a_cap(void)
{
#define FOUR \
	"--channel", "cli", "--channel", "cli", "--channel", "cli", "--channel", "cli"
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_init, "init", FILE_FLAG, FOUR, FOUR, FOUR, FOUR, NULL),
		CLI_OK);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_init, "init", "--force", FILE_FLAG, FOUR, FOUR,
				FOUR, FOUR, "--channel", "cli", NULL),
		CLI_FAILED);
	CU_ASSERT_TRUE(
		rig_same(rig.err, "cowgate init: at most 16 channels at a time\n"));
#undef FOUR
	rig_end(&rig);
}

UNIT_SUITE(init, UNIT_TEST(flags_make_a_file), UNIT_TEST(programs_get_json),
	UNIT_TEST(what_is_there_is_not_replaced),
	UNIT_TEST(what_a_platform_refuses_is_not_written),
	UNIT_TEST(the_rules_of_the_settings_hold),
	UNIT_TEST(a_cloud_is_asked_instead_of_an_agent),
	UNIT_TEST(what_is_not_understood_writes_nothing), UNIT_TEST(channels_have_a_cap));
