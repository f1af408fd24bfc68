/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"

#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_steps(struct json_object *entry)
{
	struct json_object *steps = cg_json_array(entry, "steps");

	for (size_t i = 0; i < cg_json_count(steps); i++)
		printf("  %s  %s\n", cg_json_string_or(cg_json_at(steps, i), "at", ""),
			cg_json_string_or(cg_json_at(steps, i), "text", ""));
	printf("  %-24s  %s\n", "now", cg_json_string_or(entry, "now", "?"));
	printf("  %-24s  %s\n", "next", cg_json_string_or(entry, "next", "?"));
}

static void print_inbound(struct json_object *entry)
{
	struct json_object *answers = cg_json_array(entry, "answers");

	printf("It came in over %s as %s, and is %s.\n",
		cg_json_string_or(entry, "provider", "?"),
		cg_json_string_or(entry, "eventId", "?"),
		cg_json_string_or(entry, "state", "?"));
	print_steps(entry);
	for (size_t i = 0; i < cg_json_count(answers); i++)
		printf("  %-24s  %s (%s)\n", "said after it",
			cg_json_string_or(cg_json_at(answers, i), "deliveryId", "?"),
			cg_json_string_or(cg_json_at(answers, i), "state", "?"));
}

static void print_outbound(struct json_object *entry)
{
	struct json_object *delivery = cg_json_object(entry, "delivery");

	printf("It goes out over %s as %s, and is %s.\n",
		cg_json_string_or(delivery, "provider", "?"),
		cg_json_string_or(delivery, "deliveryId", "?"),
		cg_json_string_or(delivery, "state", "?"));
	print_steps(entry);
}

int cli_explain(int argc, char **argv)
{
	bool json = argc == 3 && strcmp(argv[2], "--json") == 0;
	struct json_object *body, *list;
	char path[2048] = "/explain/";
	int code;

	if (argc < 2 || (argc == 3 && !json) || argc > 3 || argv[1][0] == '-')
		return cli_usage(argv[0], "name one message");
	if (!operator_path_add(path, sizeof(path), argv[1]))
		return cli_usage(argv[0], "the id is too long");
	code = operator_call(argv[0], "GET", path, NULL, &body);
	if (code != CLI_OK)
		return code;
	if (json)
		printf("%s\n", cg_json_text(body, NULL));
	list = cg_json_array(body, "inbound");
	for (size_t i = 0; !json && i < cg_json_count(list); i++)
		print_inbound(cg_json_at(list, i));
	list = cg_json_array(body, "outbound");
	for (size_t i = 0; !json && i < cg_json_count(list); i++)
		print_outbound(cg_json_at(list, i));
	cg_json_free(body);
	return CLI_OK;
}
