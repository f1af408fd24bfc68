/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/settings.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static void print_json(const struct settings *settings)
{
	struct json_object *body = cg_json_new_object(), *list = cg_json_new_array();

	for (size_t i = 0; i < settings->report.count; i++) {
		const struct config_issue *issue = &settings->report.issues[i];
		struct json_object *entry = cg_json_new_object();

		cg_json_put_string(entry, "severity",
			issue->severity == CONFIG_ERROR ? "error" : "warning");
		cg_json_put_string(entry, "where", issue->where);
		cg_json_put_string(entry, "what", issue->what);
		cg_json_put_string(entry, "mend", issue->mend);
		cg_json_append(list, entry);
	}
	cg_json_put_bool(body, "ok", !config_report_failed(&settings->report));
	cg_json_put_int(body, "refusedModules", (int64_t)settings->refused_modules);
	cg_json_put(body, "issues", list);
	printf("%s\n", cg_json_text(body, NULL));
	cg_json_free(body);
}

int cli_check(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct settings settings;
	int code = CLI_FAILED;

	if (argc > 2 || (argc == 2 && !json))
		return cli_usage(argv[0], "it takes --json and nothing else");
	if (settings_load_used(&settings) == CG_OK) {
		code = config_report_failed(&settings.report) ? CLI_FAILED : CLI_OK;
		if (json)
			print_json(&settings);
		else if (settings_report(&settings))
			printf("Everything is in order: data in %s, %zu provider%s.\n",
				settings.config->data_dir,
				settings.config->provider_count,
				settings.config->provider_count == 1 ? "" : "s");
	}
	settings_finish(&settings);
	return code;
}
