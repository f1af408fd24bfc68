/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/settings.h"
#include "config/describe.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (1u << 20) /* bytes of the manual */

static void print_row(const char *name, int width, struct json_object *row)
{
	struct json_object *value = cg_json_member(row, "value");
	const char *text = value == NULL ? NULL : cg_json_value_string(value, NULL);

	if (value == NULL)
		printf("%-*s unset\n", width, name);
	else
		printf("%-*s %s  (%s)\n", width, name,
			text != NULL ? text : cg_json_text(value, NULL),
			cg_json_string_or(row, "source", ""));
}

static void print_table(struct json_object *settings)
{
	for (size_t i = 0; i < cg_json_count(settings); i++) {
		struct json_object *row = cg_json_at(settings, i);

		print_row(cg_json_string_or(row, "variable", ""), 58, row);
	}
}

/* The value of a setting, by its variable with or without what all of them begin with. */
static void print_in_force(const struct settings *settings, const char *name)
{
	struct json_object *dump =
		settings->config == NULL ? NULL : config_describe_json(settings->config);
	struct json_object *rows = cg_json_array(dump, "settings");

	for (size_t i = 0; i < cg_json_count(rows); i++) {
		struct json_object *row = cg_json_at(rows, i);
		const char *variable = cg_json_string_or(row, "variable", "");
		size_t prefix = strlen(CONFIG_PREFIX);

		if (strcmp(variable, name) == 0 ||
			(strncmp(variable, CONFIG_PREFIX, prefix) == 0 &&
				strcmp(variable + prefix, name) == 0))
			print_row("  in force  ", 12, row);
	}
	cg_json_free(dump);
}

static int print_one(const struct settings *settings, const char *name, bool markdown)
{
	const struct cg_provider *const *kinds;
	enum cg_status status;
	struct cg_buffer text;
	size_t count;

	kinds = loader_providers(settings->loader, &count);
	cg_buffer_init(&text, TEXT_MAX);
	status = markdown ? config_describe_markdown(kinds, count, &text)
			  : config_describe_setting(name, kinds, count, &text);
	if (status == CG_OK)
		fputs(cg_buffer_string(&text), stdout);
	if (status == CG_OK && !markdown)
		print_in_force(settings, name);
	if (status != CG_OK)
		fprintf(stderr, "cowgate config: there is no setting \"%s\"\n", name);
	cg_buffer_finish(&text);
	return status == CG_OK ? CLI_OK : CLI_FAILED;
}

static int print_all(const struct settings *settings, bool json)
{
	struct json_object *dump;

	if (!settings_report(settings))
		return CLI_FAILED;
	dump = config_describe_json(settings->config);
	if (json)
		printf("%s\n", cg_json_text(dump, NULL));
	else
		print_table(cg_json_array(dump, "settings"));
	cg_json_free(dump);
	return CLI_OK;
}

int cli_config(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	bool markdown = argc == 2 && strcmp(argv[1], "--markdown") == 0;
	struct settings settings;
	int code = CLI_FAILED;

	if (argc > 2)
		return cli_usage(argv[0], "it takes one argument");
	if (settings_load(&settings) == CG_OK)
		code = argc == 1 || json ? print_all(&settings, json)
					 : print_one(&settings, argv[1], markdown);
	settings_finish(&settings);
	return code;
}
