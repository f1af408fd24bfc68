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
	if (!json && cg_json_object(body, "person") != NULL &&
		!cg_json_bool(body, "deleted", false))
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

/* One person of the plane: @body NULL deletes them. */
static int change(const char *word, const char *id, struct json_object *body,
	struct json_object **ret)
{
	char path[1024] = PEOPLE "/";

	if (!operator_path_add(path, sizeof(path), id))
		return cli_usage(word, "the id is too long");
	return operator_insist(word, body == NULL ? "DELETE" : "POST", path, body, ret);
}

static int change_role(
	const char *word, const char *id, const char *role, struct json_object **ret)
{
	struct json_object *body = cg_json_new_object();
	int code;

	cg_json_put_string(body, "role", role);
	cg_json_put_string(body, "status", "active");
	code = change(word, id, body, ret);
	cg_json_free(body);
	return code;
}

/* Removing: from then on they are nobody, then what the plane keeps of them goes, then what the
 * gateway keeps.  Interrupted, it can be done again, by INSTANCE:USER also when they are gone. */

/* The id of INSTANCE:USER; "": the plane does not know them. */
static void find_id(struct json_object *people, const char *who, char *ret, size_t size)
{
	ret[0] = '\0';
	for (size_t i = 0; i < cg_json_count(people); i++) {
		struct json_object *person = cg_json_at(people, i);
		const char *provider = cg_json_string_or(person, "provider", "");
		size_t length = strlen(provider);

		if (strncmp(who, provider, length) == 0 && who[length] == ':' &&
			strcmp(who + length + 1,
				cg_json_string_or(person, "externalUserId", "")) == 0)
			snprintf(ret, size, "%s",
				cg_json_string_or(person, "identityId", ""));
	}
}

static int forget_in_gateway(const char *word, const char *provider, const char *user,
	struct json_object **ret)
{
	struct json_object *body = cg_json_new_object();
	int code;

	cg_json_put_string(body, "provider", provider);
	cg_json_put_string(body, "userId", user);
	code = operator_insist(word, "POST", "/people/forget", body, ret);
	cg_json_free(body);
	return code;
}

static int forget_by_id(const char *word, const char *id, struct json_object **ret)
{
	struct json_object *body = cg_json_new_object(), *reply = NULL, *forgotten = NULL;
	struct json_object *person;
	int code;

	cg_json_put_string(body, "status", "disabled");
	code = change(word, id, body, &reply);
	person = cg_json_object(reply, "person");
	if (code == CLI_OK)
		code = change(word, id, NULL, ret);
	if (code == CLI_OK)
		code = forget_in_gateway(word, cg_json_string_or(person, "provider", ""),
			cg_json_string_or(person, "externalUserId", ""), &forgotten);
	cg_json_free(body);
	cg_json_free(reply);
	cg_json_free(forgotten);
	return code;
}

static int remove_person(const char *word, const char *who, struct json_object **ret)
{
	const char *colon = strchr(who, ':');
	struct json_object *body = NULL;
	char id[512] = "", provider[256];
	int code = CLI_OK;

	if (colon != NULL)
		code = operator_call(word, "GET", PEOPLE, NULL, &body);
	if (colon != NULL && code == CLI_OK)
		find_id(cg_json_array(body, "people"), who, id, sizeof(id));
	cg_json_free(body);
	if (code != CLI_OK)
		return code;
	if (colon == NULL || id[0] != '\0') {
		code = forget_by_id(word, colon == NULL ? who : id, ret);
	} else { /* perhaps something is left of somebody who was removed */
		snprintf(provider, sizeof(provider), "%.*s", (int)(colon - who), who);
		code = forget_in_gateway(word, provider, colon + 1, ret);
	}
	if (code == CLI_OK)
		fprintf(stderr,
			"%s is nobody here any more, and what was stored of them is "
			"deleted%s\n",
			who,
			cg_json_bool(*ret, "agentKeeps", false)
				? "; the agent is a program with a record of its own, "
				  "which may have kept what was said"
				: "");
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
		code = change_role(argv[0], argv[2], argv[3], &body);
	else if (strcmp(verb, "remove") == 0 && count == 1)
		code = remove_person(argv[0], argv[2], &body);
	else
		return cli_usage(
			argv[0], verb[0] == '\0' ? NULL : "that is not understood");
	return finish(code, body, json);
}
