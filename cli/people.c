/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"

#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PEOPLE "/api/channels/people"

static void print_person(struct json_object *person)
{
	struct json_object *metadata = cg_json_object(person, "metadata");
	const char *name = cg_json_string(metadata, "displayName");

	if (name == NULL)
		name = cg_json_string_or(metadata, "username", "");
	printf("%-38s %-9s %-8s %-12s %s  %s\n",
		cg_json_string_or(person, "identityId", "?"),
		cg_json_string_or(person, "role", "?"),
		cg_json_string_or(person, "status", "?"),
		cg_json_string_or(person, "provider", "?"),
		cg_json_string_or(person, "externalUserId", "?"), name);
}

static int finish(int code, struct json_object *body, bool json)
{
	struct json_object *people = cg_json_array(body, "people");

	if (code != CLI_OK)
		return code;
	if (json)
		printf("%s\n", cg_json_text(body, NULL));
	for (size_t i = 0; !json && i < cg_json_count(people); i++)
		print_person(cg_json_at(people, i));
	if (!json && cg_json_object(body, "person") != NULL)
		print_person(cg_json_object(body, "person"));
	cg_json_free(body);
	return CLI_OK;
}

static int decide(const char *word, const char *verb, const char *code_text,
	struct json_object **ret)
{
	struct json_object *body = cg_json_new_object();
	char path[64];
	int code;

	snprintf(path, sizeof(path), PEOPLE "/%s", verb);
	cg_json_put_string(body, "code", code_text);
	code = operator_call(word, "POST", path, body, ret);
	cg_json_free(body);
	return code;
}

static int change(
	const char *word, const char *id, const char *role, struct json_object **ret)
{
	struct json_object *body = cg_json_new_object();
	char path[1024] = PEOPLE "/";
	int code = CLI_USAGE;

	if (role != NULL) {
		cg_json_put_string(body, "role", role);
		cg_json_put_string(body, "status", "active");
	}
	if (operator_path_add(path, sizeof(path), id))
		code = operator_call(word, role == NULL ? "DELETE" : "POST", path,
			role == NULL ? NULL : body, ret);
	cg_json_free(body);
	return code;
}

int cli_people(int argc, char **argv)
{
	bool json = argc > 2 && strcmp(argv[argc - 1], "--json") == 0;
	const char *verb = argc > 1 ? argv[1] : "";
	struct json_object *body = NULL;
	int count = argc - 2 - (json ? 1 : 0);

	int code;

	if (strcmp(verb, "list") == 0 && count == 0)
		code = operator_call(argv[0], "GET", PEOPLE, NULL, &body);
	else if ((strcmp(verb, "approve") == 0 || strcmp(verb, "deny") == 0) &&
		 count == 1)
		code = decide(argv[0], verb, argv[2], &body);
	else if (strcmp(verb, "role") == 0 && count == 2)
		code = change(argv[0], argv[2], argv[3], &body);
	else if (strcmp(verb, "remove") == 0 && count == 1)
		code = change(argv[0], argv[2], NULL, &body);
	else
		return cli_usage(
			argv[0], verb[0] == '\0' ? NULL : "that is not understood");
	return finish(code, body, json);
}
