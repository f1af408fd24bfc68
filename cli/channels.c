/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"

#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int list_channels(const char *word, bool json)
{
	struct json_object *body, *channels, *own;
	int code = operator_call(word, "GET", "/diagnostics", NULL, &body);

	if (code != CLI_OK)
		return code;
	channels = cg_json_array(body, "providers");
	if (json) {
		own = cg_json_new_object();
		cg_json_put_bool(own, "ok", true);
		cg_json_put(own, "channels", cg_json_ref(channels));
		printf("%s\n", cg_json_text(own, NULL));
		cg_json_free(own);
	}
	for (size_t i = 0; !json && i < cg_json_count(channels); i++) {
		struct json_object *channel = cg_json_at(channels, i);

		printf("%-16s %-10s %-10s %s  %s\n",
			cg_json_string_or(channel, "id", "?"),
			cg_json_string_or(channel, "kind", "?"),
			cg_json_string_or(channel, "state", "?"),
			cg_json_string_or(channel, "lastInboundAt", "-"),
			cg_json_string_or(channel, "error", ""));
	}
	cg_json_free(body);
	return CLI_OK;
}

static int change(const char *word, const char *verb, const char *name, bool json)
{
	struct json_object *empty, *body;
	char path[1024] = "/channels/";
	int code;

	if (!operator_path_add(path, sizeof(path) - 16, name))
		return cli_usage(word, "the name is too long");
	strncat(path, "/", sizeof(path) - strlen(path) - 1);
	strncat(path, verb, sizeof(path) - strlen(path) - 1);
	empty = cg_json_new_object();
	code = operator_call(word, "POST", path, empty, &body);
	cg_json_free(empty);
	if (code != CLI_OK)
		return code;
	if (json)
		printf("%s\n", cg_json_text(body, NULL));
	else if (strcmp(verb, "pause") == 0)
		printf("%s is paused until `cowgate channels resume %s`, also over a "
		       "restart.\n",
			name, name);
	else
		printf("%s goes on.\n", name);
	cg_json_free(body);
	return CLI_OK;
}

int cli_channels(int argc, char **argv)
{
	bool json = argc > 2 && strcmp(argv[argc - 1], "--json") == 0;
	const char *verb = argc > 1 ? argv[1] : "";
	int count = argc - 2 - (json ? 1 : 0);

	if (strcmp(verb, "list") == 0 && count == 0)
		return list_channels(argv[0], json);
	if ((strcmp(verb, "pause") == 0 || strcmp(verb, "resume") == 0) && count == 1)
		return change(argv[0], verb, argv[2], json);
	return cli_usage(argv[0], verb[0] == '\0' ? NULL : "that is not understood");
}
