/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"

#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_store(struct json_object *store)
{
	printf("store      %s: %lld in, %lld out, %lld unknown, %lld dead\n",
		cg_json_string_or(store, "state", "?"),
		(long long)cg_json_int(store, "inboxPending", 0),
		(long long)cg_json_int(store, "outboxPending", 0),
		(long long)cg_json_int(store, "outboxUnknown", 0),
		(long long)cg_json_int(store, "outboxDead", 0) +
			(long long)cg_json_int(store, "inboxDead", 0));
}

static void print_providers(struct json_object *providers)
{
	for (size_t i = 0; i < cg_json_count(providers); i++) {
		struct json_object *provider = cg_json_at(providers, i);
		const char *error = cg_json_string(provider, "error");

		printf("%-10s %s%s%s\n", cg_json_string_or(provider, "id", "?"),
			cg_json_string_or(provider, "state", "?"),
			error == NULL ? "" : ": ", error == NULL ? "" : error);
	}
}

static void print_status(struct json_object *body)
{
	struct json_object *ready = cg_json_object(body, "ready");
	long long up = (long long)cg_json_int(body, "uptimeSeconds", 0);

	printf("cowgate    %s, version %s, up %lldd %02lld:%02lld:%02lld\n",
		cg_json_string_or(ready, "status", "?"),
		cg_json_string_or(body, "version", "?"), up / 86400, up / 3600 % 24,
		up / 60 % 60, up % 60);
	print_store(cg_json_object(body, "store"));
	print_providers(cg_json_array(body, "providers"));
}

int cli_status(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct json_object *body;
	int code;

	if (argc > 2 || (argc == 2 && !json))
		return cli_usage(argv[0], "it takes --json and nothing else");
	code = operator_call(argv[0], "GET", "/diagnostics", NULL, &body);
	if (code != CLI_OK)
		return code;
	if (json)
		printf("%s\n", cg_json_text(body, NULL));
	else
		print_status(body);
	cg_json_free(body);
	return CLI_OK;
}
