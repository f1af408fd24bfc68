/* SPDX-License-Identifier: Apache-2.0 */
#include "config/option.h"

#include "config/value.h"
#include "config_rig.h"

static void rows_are_whole_and_unlike(void)
{
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		CU_ASSERT_PTR_NOT_NULL_FATAL(row->variable);
		CU_ASSERT_EQUAL(strncmp(row->variable, "OPEN_COWORK_", 12), 0);
		CU_ASSERT_TRUE(strlen(row->help) > 10 &&
			       row->help[strlen(row->help) - 1] != '.');
		CU_ASSERT_TRUE(row->rule.min <= row->rule.max);
		CU_ASSERT_EQUAL(
			row->rule.kind == OPTION_CHOICE, row->rule.choices != NULL);
		for (size_t j = 0; j < i; j++) {
			CU_ASSERT_STRING_NOT_EQUAL(
				row->variable, option_rows[j].variable);
			CU_ASSERT_STRING_NOT_EQUAL(row->name, option_rows[j].name);
			if (row->path != NULL && option_rows[j].path != NULL)
				CU_ASSERT_STRING_NOT_EQUAL(
					row->path, option_rows[j].path);
		}
	}
}

/* A default that its own rule refuses would be no default. */
static void defaults_stand_their_own_rules(void)
{
	struct config_report report;
	struct config_input input = {.cwd = "/"};
	struct arena arena = {0};
	struct source source = {
		.input = &input, .report = &report, .kept = &arena, .scratch = &arena};

	config_report_init(&report);
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		struct value value;

		value_read(
			&source, &option_rows[i].rule, NULL, option_rows[i].name, &value);
		CU_ASSERT_EQUAL(
			value.source != NULL, option_rows[i].rule.fallback != NULL);
	}
	CU_ASSERT_EQUAL(report.count, 0);
	config_report_finish(&report);
	arena_finish(&arena);
}

/* The enums of config.h and the choices of options.def are written apart. */
static void choices_are_in_the_order_of_their_enums(void)
{
	static const struct {
		enum config_option option;
		const char *text;
		int index;
	} rows[] = {
		{CONFIG_PRODUCT_MODE, "cloud_channel", CONFIG_CLOUD_CHANNEL},
		{CONFIG_PRODUCT_MODE, "standalone", CONFIG_STANDALONE},
		{CONFIG_MODE, "self-host", CONFIG_SELF_HOST},
		{CONFIG_MODE, "managed", CONFIG_MANAGED},
		{CONFIG_AGENT_BACKEND, "echo", CONFIG_AGENT_ECHO},
		{CONFIG_AGENT_BACKEND, "openai", CONFIG_AGENT_OPENAI},
		{CONFIG_AGENT_BACKEND, "opencode", CONFIG_AGENT_OPENCODE},
		{CONFIG_AGENT_BACKEND, "acp", CONFIG_AGENT_ACP},
		{CONFIG_LOG_LEVEL, "debug", CONFIG_LOG_DEBUG},
		{CONFIG_LOG_LEVEL, "info", CONFIG_LOG_INFO},
		{CONFIG_LOG_LEVEL, "warn", CONFIG_LOG_WARN},
		{CONFIG_LOG_LEVEL, "error", CONFIG_LOG_ERROR},
		{CONFIG_LOG_LEVEL, "silent", CONFIG_LOG_SILENT},
		{CONFIG_LOG_FORMAT, "auto", CONFIG_LOG_AUTO},
		{CONFIG_LOG_FORMAT, "text", CONFIG_LOG_TEXT},
		{CONFIG_LOG_FORMAT, "json", CONFIG_LOG_JSON},
		{CONFIG_LOG_FORMAT, "journal", CONFIG_LOG_JOURNAL},
	};
	struct config_input input = {.cwd = "/"};
	struct config_report report;
	struct arena arena = {0};
	struct source source = {
		.input = &input, .report = &report, .kept = &arena, .scratch = &arena};

	config_report_init(&report);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct source_value found = {.where = "x", .text = rows[i].text};
		struct value value;

		value_read(
			&source, &option_rows[rows[i].option].rule, &found, "x", &value);
		CU_ASSERT_EQUAL(value.number, rows[i].index);
	}
	CU_ASSERT_EQUAL(report.count, 0);
	config_report_finish(&report);
	arena_finish(&arena);
}

/* A module built against a later header has longer rows. */
static void rows_of_a_newer_module_are_strided(void)
{
	size_t index = 9;

	CU_ASSERT_STRING_EQUAL(option_of_provider(&rig_irc, 1)->name, "server");
	CU_ASSERT_PTR_NOT_NULL(option_find(&rig_irc, "server", &index));
	CU_ASSERT_EQUAL(index, 1);
	CU_ASSERT_PTR_NULL(option_find(&rig_irc, "sever", &index));
	CU_ASSERT_PTR_NULL(option_find(&rig_cli, "any", NULL));
}

static void kinds_and_their_variables(void)
{
	char variable[OPTION_VARIABLE];

	option_kind_variable("telegram", "_ALLOW_FROM", variable);
	CU_ASSERT_STRING_EQUAL(variable, K "TELEGRAM_ALLOW_FROM");
	CU_ASSERT_STRING_EQUAL(option_kind_find("slack")->workspace, "SLACK_TEAM_ID");
	CU_ASSERT_STRING_EQUAL(option_kind_find("email")->workspace, "EMAIL_DOMAIN");
	CU_ASSERT_STRING_EQUAL(option_kind_find("fake")->binding, "fake-binding");
	CU_ASSERT_PTR_NULL(option_kind_find("irc"));
}

UNIT_SUITE(option, UNIT_TEST(rows_are_whole_and_unlike),
	UNIT_TEST(defaults_stand_their_own_rules),
	UNIT_TEST(choices_are_in_the_order_of_their_enums),
	UNIT_TEST(rows_of_a_newer_module_are_strided),
	UNIT_TEST(kinds_and_their_variables));
