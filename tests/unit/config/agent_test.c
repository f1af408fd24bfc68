/* SPDX-License-Identifier: Apache-2.0 */
#include "config/agent.h"

#include "config/diff.h"
#include "config_rig.h"

static void begin(struct rig *rig, const char *agents)
{
	static char text[2048];

	rig_begin(rig);
	rig_env(rig, "HOME=/tmp");
	rig_env(rig, "DEEP=key-of-one");
	snprintf(text, sizeof(text), K "CONFIG_JSON={\"agents\":%s}", agents);
	rig_env(rig, text);
}

static void agents_are_read(void)
{
	struct rig rig;
	const struct config_agent *agent;

	begin(&rig,
		"[{\"name\":\"fast\",\"backend\":\"openai\",\"url\":\"http://127.0.0.1:1/"
		"v1/\","
		"\"apiKey\":\"env:DEEP\",\"model\":\"m\",\"systemPrompt\":\"Be brief.\"},"
		"{\"name\":\"coder\",\"backend\":\"acp\",\"command\":[\"sh\",\"--"
		"acp\"],\"environment\":[\"CODER_KEY\"],\"limits\":[\"nofile=77\"],"
		"\"user\":\"root\",\"directory\":\"/tmp\"}]");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "two agents");
	CU_ASSERT_EQUAL_FATAL(rig.config->agent_count, 2);
	agent = &rig.config->agents[0];
	CU_ASSERT_STRING_EQUAL(agent->name, "fast");
	CU_ASSERT_EQUAL(agent->backend, CONFIG_AGENT_OPENAI);
	CU_ASSERT_STRING_EQUAL(agent->url, "http://127.0.0.1:1/v1");
	CU_ASSERT_TRUE(cg_secret_equals(&agent->api_key, "key-of-one", 10));
	CU_ASSERT_STRING_EQUAL(agent->system_prompt, "Be brief.");
	/* What is not its own it has not, but no program of it leaves a core. */
	CU_ASSERT_EQUAL(agent->environment.count, 0);
	CU_ASSERT_EQUAL(agent->fallback_urls.count, 0);
	CU_ASSERT_STRING_EQUAL(agent->limits.items[0], "core=0");
	agent = &rig.config->agents[1];
	CU_ASSERT_EQUAL(agent->backend, CONFIG_AGENT_ACP);
	CU_ASSERT_EQUAL(agent->command.count, 2);
	CU_ASSERT_STRING_EQUAL(agent->command.items[1], "--acp");
	CU_ASSERT_STRING_EQUAL(agent->directory, "/tmp");
	CU_ASSERT_STRING_EQUAL(agent->environment.items[0], "CODER_KEY");
	CU_ASSERT_STRING_EQUAL(agent->limits.items[0], "nofile=77");
	CU_ASSERT_STRING_EQUAL(agent->user, "root");
	CU_ASSERT_PTR_NULL(agent->url);
	CU_ASSERT_TRUE(agents_equal(rig.config, rig.config));
	rig_end(&rig);
}

static void wrong_agents_are_told(void)
{
	/* the agents, where it is told, and what */
	static const char *const table[][3] = {
		{"{}", "agents", "not an array"},
		{"[7]", "agents[", "not an agent with a name"},
		{"[{\"backend\":\"echo\"}]", "agents[", "not an agent with a name"},
		{"[{\"name\":\"a b\",\"backend\":\"echo\"}]", "agents[",
			"not an agent with a name"},
		{"[{\"name\":\"default\",\"backend\":\"echo\"}]", "agents[", "is taken"},
		{"[{\"name\":\"a\",\"backend\":\"echo\"},{\"name\":\"a\",\"backend\":"
		 "\"echo\"}]",
			"agents[", "is taken"},
		{"[{\"name\":\"a\"}]", "agents[0].backend", ""},
		{"[{\"name\":\"a\",\"backend\":\"oracle\"}]", "agents[0].backend", ""},
		{"[{\"name\":\"a\",\"backend\":\"acp\"}]", "agents, a",
			"needs a program"},
		{"[{\"name\":\"a\",\"backend\":\"acp\",\"command\":[\"no-such\"]}]",
			"agents, a", "cannot be run"},
		{"[{\"name\":\"a\",\"backend\":\"acp\",\"command\":[\"sh\"],"
		 "\"directory\":\"/no/such\"}]",
			"agents, a", "is not there"},
		{"[{\"name\":\"a\",\"backend\":\"acp\",\"command\":[\"sh\"],"
		 "\"user\":\"no-such-user\"}]",
			"agents, a", "no user"},
		{"[{\"name\":\"a\",\"backend\":\"openai\",\"model\":\"m\"}]", "agents, a",
			"needs both"},
	};
	struct rig rig;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		begin(&rig, table[i][0]);
		CU_ASSERT_EQUAL(rig_load(&rig), CG_INVALID);
		RIG_CHECK(&rig, rig_has(&rig, CONFIG_ERROR, table[i][1], table[i][2]),
			table[i][0]);
		rig_end(&rig);
	}
}

static void a_change_is_seen(void)
{
	struct rig one, other;
	struct config_diff diff;

	begin(&one, "[{\"name\":\"a\",\"backend\":\"echo\",\"apiKey\":\"x\"}]");
	CU_ASSERT_EQUAL_FATAL(rig_load(&one), CG_OK);
	begin(&other, "[{\"name\":\"a\",\"backend\":\"echo\",\"apiKey\":\"y\"}]");
	CU_ASSERT_EQUAL_FATAL(rig_load(&other), CG_OK);
	CU_ASSERT_FALSE(agents_equal(one.config, other.config));
	config_diff(one.config, other.config, &diff);
	CU_ASSERT_TRUE(diff.restart);
	rig_end(&one);
	rig_end(&other);
}

UNIT_SUITE(agent, UNIT_TEST(agents_are_read), UNIT_TEST(wrong_agents_are_told),
	UNIT_TEST(a_change_is_seen));
