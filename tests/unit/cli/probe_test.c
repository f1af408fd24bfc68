/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"

#include "cli/probe_inside.h"
#include "cli/settings.h"
#include "tests/unit/cli/rig.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define K "OPEN_COWORK_GATEWAY_"
#define HERE "http://127.0.0.1:{port}"

/* "channels", "agents", or "start" (the agents' programs too): what was found. */
static int probe(int argc, char **argv)
{
	struct findings findings = {.items = NULL};
	struct settings settings;

	(void)argc;
	if (settings_load_used(&settings) == CG_OK && settings_report(&settings)) {
		const struct config *config = settings.config;

		for (size_t i = 0;
			strcmp(argv[0], "channels") == 0 && i < config->provider_count;
			i++)
			probe_channel(&config->providers[i], &findings);
		if (strcmp(argv[0], "channels") != 0)
			probe_agents(config, strcmp(argv[0], "start") == 0, &findings);
		findings_print(&findings);
	}
	findings_finish(&findings);
	settings_finish(&settings);
	return 0;
}

static const char *const telegram[] = {K "TELEGRAM_BOT_TOKEN=42:secret",
	K "TELEGRAM_API_BASE_URL=" HERE, K "AGENT_BACKEND=echo", NULL};

static void telegram_is_asked_who_we_are(void)
{
	static const struct {
		struct rig_answer answer;
		const char *says;
	} rows[] = {
		{RIG_ANSWER("GET /bot42:secret/getMe", 200,
			 "{\"ok\":true,\"result\":{\"username\":\"cow_bot\"}}"),
			"ok       channel telegram     Telegram knows the bot as "
			"@cow_bot\n"},
		{RIG_ANSWER("GET /bot42:secret/getMe", 401,
			 "{\"ok\":false,\"description\":\"Unauthorized\"}"),
			"fault    channel telegram     Telegram refuses the token: 401 "
			"Unauthorized\n"},
		{RIG_ANSWER("GET /bot42:secret/getMe", 502, "<html>"),
			"Telegram refuses the token: 502 \n"},
		{RIG_ANSWER("GET /bot42:secret/getMe", RIG_HANG_UP, NULL),
			"fault    channel telegram     Telegram cannot be asked: "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_answer answers[] = {rows[i].answer, RIG_ANSWERS_END};
		struct rig rig;

		rig_begin(&rig);
		rig.environment = telegram;
		rig.answers = answers;
		CU_ASSERT_EQUAL(rig_run(&rig, probe, "channels", NULL), 0);
		CU_ASSERT_TRUE(rig_has(rig.out, rows[i].says));
		CU_ASSERT_TRUE(rig_same(rig.requests, "GET /bot42:secret/getMe\n"));
		CU_ASSERT_PTR_NULL(
			strstr(rig.out, "secret")); /* not in an error either */
		CU_ASSERT_TRUE(rig_same(rig.err, ""));
		rig_end(&rig);
	}
}

static void slack_is_asked_who_we_are(void)
{
	static const char *const slack[] = {K "SLACK_BOT_TOKEN=xoxb-secret",
		K "SLACK_SIGNING_SECRET=0123456789abcdef0123456789abcdef",
		K "SLACK_API_BASE_URL=" HERE "/api", NULL};
	static const struct rig_answer known[] = {
		RIG_ANSWER("POST /api/auth.test", 200,
			"{\"ok\":true,\"user\":\"cow\",\"team\":\"Meadow\"}"),
		RIG_ANSWERS_END};
	static const struct rig_answer refused[] = {
		RIG_ANSWER("POST /api/auth.test", 200,
			"{\"ok\":false,\"error\":\"invalid_auth\"}"),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = slack;
	rig.answers = known;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "channels", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out,
		"ok       channel slack        Slack knows the app as cow in Meadow\n"));
	CU_ASSERT_TRUE(rig_has(rig.heads, "Authorization: Bearer xoxb-secret\r\n"));
	rig.answers = refused;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "channels", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out,
		"fault    channel slack        Slack refuses the token: 200 "
		"invalid_auth\n"));
	rig_end(&rig);
}

static void other_channels_have_no_question(void)
{
	static const char *const cli[] = {K "CLI_ENABLED=true", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = cli;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "channels", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	rig_end(&rig);
}

static void a_model_server_is_asked_for_its_models(void)
{
	static const char *const openai[] = {K "AGENT_BACKEND=openai",
		K "AGENT_URL=" HERE "/v1", K "AGENT_MODEL=small", K "AGENT_API_KEY=k-1",
		NULL};
	static const struct {
		struct rig_answer answer;
		const char *level, *says;
	} rows[] = {
		{RIG_ANSWER("GET /v1/models", 200,
			 "{\"data\":[{\"id\":\"big\"},{\"id\":\"small\"}]}"),
			"ok ", " answers and has small\n"},
		{RIG_ANSWER("GET /v1/models", 200, "{\"data\":[{\"id\":\"big\"}]}"),
			"warning", " has 1 models, but does not list small\n"},
		{RIG_ANSWER("GET /v1/models", 401, "{}"), "fault",
			" refuses the key: 401\n"},
		{RIG_ANSWER("GET /v1/models", 403, "{}"), "fault",
			" refuses the key: 403\n"},
		{RIG_ANSWER("GET /v1/models", 404, "{}"), "warning",
			" answers, but has no list of models (404)\n"},
		{RIG_ANSWER("GET /v1/models", 200, "{\"data\":[]}"), "warning",
			" answers, but has no list of models (200)\n"},
		{RIG_ANSWER("GET /v1/models", 200, "hello"), "warning",
			" answers, but has no list of models (200)\n"},
		{RIG_ANSWER("GET /v1/models", RIG_HANG_UP, NULL), "fault",
			" cannot be asked: "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_answer answers[] = {rows[i].answer, RIG_ANSWERS_END};
		struct rig rig;

		rig_begin(&rig);
		rig.environment = openai;
		rig.answers = answers;
		CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
		CU_ASSERT_EQUAL(strstr(rig.out, rows[i].level), rig.out);
		CU_ASSERT_TRUE(rig_has(rig.out, rows[i].says));
		CU_ASSERT_TRUE(rig_has(rig.heads, "Authorization: Bearer k-1\r\n"));
		rig_end(&rig);
	}
}

static void every_server_in_its_turn_is_asked(void)
{
	static const char *const openai[] = {K "AGENT_BACKEND=openai",
		K "AGENT_URL=" HERE "/v1", K "AGENT_MODEL=small",
		K "AGENT_FALLBACK_URLS=" HERE "/second," HERE "/third", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = openai;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_same(
		rig.requests, "GET /v1/models\nGET /second/models\nGET /third/models\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.heads, "Authorization")); /* no key, no header */
	rig_end(&rig);
}

static void an_opencode_server_is_asked(void)
{
	static const char *const opencode[] = {K "AGENT_BACKEND=opencode",
		K "AGENT_URL=" HERE, K "AGENT_MODEL=local/small", K "AGENT_API_KEY=pass",
		NULL};
	static const char *const no_model[] = {K "AGENT_BACKEND=opencode",
		K "AGENT_URL=" HERE, K "AGENT_MODEL=local", NULL};
	static const struct rig_answer knows[] = {RIG_ANSWER("GET /session", 200, "[]"),
		RIG_ANSWER("GET /config/providers", 200,
			"{\"providers\":[{\"id\":\"localhost\",\"models\":{}},"
			"{\"id\":\"local\",\"models\":{\"small\":{}}}]}"),
		RIG_ANSWERS_END};
	static const struct rig_answer lacks[] = {RIG_ANSWER("GET /session", 200, "[]"),
		RIG_ANSWER("GET /config/providers", 200,
			"{\"providers\":[{\"id\":\"local\",\"models\":{\"big\":{}}},"
			"{\"id\":\"loc\",\"models\":{\"small\":{}}}]}"),
		RIG_ANSWERS_END};
	static const struct rig_answer refuses[] = {
		RIG_ANSWER("GET /session", 401, "{}"), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = opencode;
	rig.answers = knows;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /session\nGET /config/providers\n"));
	CU_ASSERT_TRUE(
		rig_has(rig.heads, "Authorization: Basic b3BlbmNvZGU6cGFzcw==\r\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, " answers\n"));
	CU_ASSERT_PTR_NULL(strstr(rig.out, "warning"));
	rig.answers = lacks;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, " does not know the model local/small\n"));
	rig.environment = no_model; /* a provider alone is none of its models */
	rig.answers = knows;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, " does not know the model local\n"));
	rig.environment = opencode;
	rig.answers = refuses;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /session\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, " refuses us: 401\n"));
	rig_end(&rig);
}

static void a_program_is_looked_for(void)
{
	static const char *const echo[] = {K "AGENT_BACKEND=echo", NULL};
	static const char *const acp[] = {K "AGENT_BACKEND=acp",
		K "AGENT_COMMAND=[\"{home}/agent\",\"--acp\"]", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = echo;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, "warning  agent                echo repeats"));
	rig_write(&rig, "agent", "#!/bin/sh\nexit 3\n", 0700);
	rig.environment = acp;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, "/agent is there\n"));
	/* Started, it has to answer, too. */
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "start", NULL), 0);
	CU_ASSERT_TRUE(rig_has(rig.out, "fault    agent                the program "));
	CU_ASSERT_TRUE(rig_has(rig.out, "/agent does not come up: "));
	rig_end(&rig);
}

/* What is not the default is named by its own name. */
static void each_of_several_agents_is_asked(void)
{
	static const char *const two[] = {K "AGENT_BACKEND=echo",
		K "CONFIG_JSON={\"agents\":[{\"name\":\"deep\",\"backend\":\"openai\","
		  "\"model\":\"m\",\"url\":\"" HERE "/deep\"}]}",
		NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = two;
	CU_ASSERT_EQUAL(rig_run(&rig, probe, "agents", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.requests, "GET /deep/models\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "warning  agent deep           http://"));
	rig_end(&rig);
}

static int ask(int argc, char **argv)
{
	struct http_answer answer;
	struct json_object *json;
	struct cg_error err = {.text = ""};
	struct question question;

	(void)argc;
	question_init(&question, "GET");
	snprintf(question.url, sizeof(question.url), "%s", argv[1]);
	if (question_ask(&question, &answer, &json, &err) == CG_OK) {
		printf("%d %s", answer.status,
			json == NULL ? "nothing" : cg_json_text(json, NULL));
		http_answer_finish(&answer);
	} else {
		printf("%s", err.text[0] == '\0' ? "no reason" : "a reason");
	}
	cg_json_free(json);
	question_finish(&question);
	return 0;
}

static void a_question_has_an_answer_or_a_reason(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /a", 404, "{\"a\":1}"), RIG_ANSWER("GET /b", 200, "no"),
		RIG_ANSWER("GET /c", RIG_HANG_UP, NULL), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig_run(&rig, ask, "ask", HERE "/a", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "404 {\"a\":1}"));
	rig_run(&rig, ask, "ask", HERE "/b", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "200 nothing"));
	rig_run(&rig, ask, "ask", HERE "/c", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "a reason"));
	rig_end(&rig);
}

UNIT_SUITE(probe, UNIT_TEST(telegram_is_asked_who_we_are),
	UNIT_TEST(slack_is_asked_who_we_are), UNIT_TEST(other_channels_have_no_question),
	UNIT_TEST(a_model_server_is_asked_for_its_models),
	UNIT_TEST(every_server_in_its_turn_is_asked),
	UNIT_TEST(an_opencode_server_is_asked), UNIT_TEST(a_program_is_looked_for),
	UNIT_TEST(each_of_several_agents_is_asked),
	UNIT_TEST(a_question_has_an_answer_or_a_reason));
