/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"

#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_names(const char *what, struct json_object *names)
{
	for (size_t i = 0; i < cg_json_count(names); i++)
		printf("%s %s\n", what, cg_json_value_string(cg_json_at(names, i), NULL));
}

static void print_result(struct json_object *body)
{
	struct json_object *changed = cg_json_array(body, "changed");
	struct json_object *channels = cg_json_array(body, "channels");
	struct json_object *restart = cg_json_array(body, "restart");

	print_names("changed       ", changed);
	for (size_t i = 0; i < cg_json_count(channels); i++) {
		struct json_object *channel = cg_json_at(channels, i);

		printf("%-14s %s\n", cg_json_string_or(channel, "what", "?"),
			cg_json_string_or(channel, "id", "?"));
	}
	print_names("needs a restart", restart);
	if (cg_json_count(changed) + cg_json_count(channels) + cg_json_count(restart) ==
		0)
		printf("nothing has changed\n");
}

int cli_reload(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct json_object *body;
	int code;

	if (argc > 2 || (argc == 2 && !json))
		return cli_usage(argv[0], "it takes --json and nothing else");
	code = operator_call(argv[0], "POST", "/reload", NULL, &body);
	if (code != CLI_OK)
		return code;
	if (json)
		printf("%s\n", cg_json_text(body, NULL));
	else
		print_result(body);
	cg_json_free(body);
	return CLI_OK;
}
