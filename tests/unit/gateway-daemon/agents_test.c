/* SPDX-License-Identifier: Apache-2.0 */
/* The agents of the configuration, as their backends take them. */
#include "gateway/daemon/agents.h"

#include "tests/unit/unit.h"

#include <string.h>

static void an_agent_of_the_files_has_nothing_of_the_default_s(void)
{
	static const char *const words[] = {"agent", NULL};
	static const struct config config = {
		.agent_url = "http://127.0.0.1:1/v1",
		.agent_model = "m",
		.agent_user = "somebody",
		.agent_turn_minutes = 2,
		.agent_daily_tokens = 7,
		.agent_show_thoughts = true,
	};
	static const struct config_agent named = {.name = "n",
		.command = {.items = words, .count = 1},
		.daily_tokens_per_chat = 9};
	struct agent_options options;

	agents_options(&config, NULL, &options);
	CU_ASSERT_STRING_EQUAL(options.url, "http://127.0.0.1:1/v1");
	CU_ASSERT_STRING_EQUAL(options.user, "somebody");
	CU_ASSERT_EQUAL(options.daily_tokens, 7);
	CU_ASSERT_EQUAL(options.turn_timeout_ms, 120000);
	CU_ASSERT_PTR_EQUAL(options.api_key, &config.agent_api_key);
	agents_options(&config, &named, &options);
	CU_ASSERT_PTR_NULL(options.url);
	CU_ASSERT_PTR_NULL(options.model);
	CU_ASSERT_PTR_NULL(options.user);
	CU_ASSERT_EQUAL(options.daily_tokens, 0);
	CU_ASSERT_EQUAL(options.daily_tokens_per_chat, 9);
	CU_ASSERT_PTR_EQUAL(options.command, words);
	CU_ASSERT_PTR_EQUAL(options.api_key, &named.api_key);
	/* What an entry cannot say is the same for all. */
	CU_ASSERT_EQUAL(options.turn_timeout_ms, 120000);
	CU_ASSERT_TRUE(options.show_thoughts);
}

static void agents_are_tried(void)
{
	static const char *const words[] = {"true", NULL};
	static const struct config config = {.agent_backend = CONFIG_AGENT_ECHO};
	static const struct config_agent program = {.name = "p",
		.backend = CONFIG_AGENT_ACP,
		.command = {.items = words, .count = 1}};
	static const struct config_agent away = {.name = "a",
		.backend = CONFIG_AGENT_OPENCODE,
		.url = "http://127.0.0.1:9"};
	static const struct config_agent wrong = {
		.name = "w", .backend = CONFIG_AGENT_OPENAI};
	struct cg_error err;

	CU_ASSERT_EQUAL(agents_try(&config, NULL, NULL, 1000, &err), CG_OK);
	CU_ASSERT_EQUAL(agents_try(&config, &program, NULL, 1000, &err), CG_NOT_FOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cowgate-keeper is missing"));
	/* Nobody is there, and it is not waited for any longer than it was told. */
	CU_ASSERT_EQUAL(agents_try(&config, &away, NULL, 1, &err), CG_NETWORK);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "OpenCode"));
	CU_ASSERT_EQUAL(agents_try(&config, &wrong, NULL, 1000, &err), CG_INVALID);
}

UNIT_SUITE(agents, UNIT_TEST(an_agent_of_the_files_has_nothing_of_the_default_s),
	UNIT_TEST(agents_are_tried));
