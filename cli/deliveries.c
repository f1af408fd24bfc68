/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/operator_call.h"
#include "gateway/journal/outbox.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECOVER_PAGE OUTBOX_REVIVE /* of one call */

struct request {
	const char *verb, *id, *status, *limit, *since, *channel;
	bool json, dry;
};

static bool parse(int argc, char **argv, struct request *ret)
{
	*ret = (struct request){.verb = argc > 1 ? argv[1] : NULL};
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ret->json = true;
		else if (strcmp(argv[i], "--status") == 0 && i + 1 < argc)
			ret->status = argv[++i];
		else if (strcmp(argv[i], "--dry-run") == 0)
			ret->dry = true;
		else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc)
			ret->since = argv[++i];
		else if (strcmp(argv[i], "--channel") == 0 && i + 1 < argc)
			ret->channel = argv[++i];
		else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc)
			ret->limit = argv[++i];
		else if (argv[i][0] != '-' && ret->id == NULL)
			ret->id = argv[i];
		else
			return false;
	}
	return ret->verb != NULL;
}

static void print_line(struct json_object *delivery)
{
	const char *error = cg_json_string(delivery, "lastError");

	printf("%-9s %-12s %2lld  %s  %s%s%s\n",
		cg_json_string_or(delivery, "state", "?"),
		cg_json_string_or(delivery, "provider", "?"),
		(long long)cg_json_int(delivery, "attemptCount", 0),
		cg_json_string_or(delivery, "updatedAt", ""),
		cg_json_string_or(delivery, "deliveryId", "?"), error == NULL ? "" : "  ",
		error == NULL ? "" : error);
}

static void print_whole(struct json_object *delivery)
{
	static const char *const keys[] = {"deliveryId", "state", "provider", "eventType",
		"attemptCount", "outcome", "scope", "reason", "platformStatus", "receipt",
		"maybeDuplicate", "nextAttemptAt", "createdAt", "updatedAt", "lastError",
		"detail", "target", "payload"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct json_object *value = cg_json_member(delivery, keys[i]);
		const char *text = cg_json_value_string(value, NULL);

		if (value != NULL)
			printf("%-15s %s\n", keys[i],
				text != NULL ? text : cg_json_text(value, NULL));
	}
}

static bool build_path(const struct request *request, char *path, size_t size)
{
	bool change = strcmp(request->verb, "retry") == 0 ||
		      strcmp(request->verb, "dead-letter") == 0;

	if (change) {
		snprintf(path, size, "/deliveries/");
		if (!operator_path_add(path, size - 16, request->id))
			return false;
		strncat(path, "/", size - strlen(path) - 1);
		strncat(path, request->verb, size - strlen(path) - 1);
		return true;
	}
	snprintf(path, size, "/deliveries?limit=");
	if (!operator_path_add(
		    path, size, request->limit == NULL ? "50" : request->limit))
		return false;
	if (request->status != NULL) {
		strncat(path, "&status=", size - strlen(path) - 1);
		if (!operator_path_add(path, size, request->status))
			return false;
	}
	if (request->id == NULL)
		return true;
	strncat(path, "&deliveryId=", size - strlen(path) - 1);
	return operator_path_add(path, size, request->id);
}

static int show(const struct request *request, struct json_object *body)
{
	struct json_object *list = cg_json_array(body, "deliveries");
	struct json_object *one = cg_json_object(body, "delivery");

	if (request->json) {
		printf("%s\n", cg_json_text(body, NULL));
	} else if (one != NULL) {
		print_whole(one);
	} else if (strcmp(request->verb, "show") == 0) {
		if (cg_json_count(list) == 0) {
			fprintf(stderr,
				"cowgate deliveries: there is no such delivery\n");
			return CLI_FAILED;
		}
		print_whole(cg_json_at(list, 0));
	} else {
		for (size_t i = 0; i < cg_json_count(list); i++)
			print_line(cg_json_at(list, i));
	}
	return CLI_OK;
}

/* A moment as it is written, or so long ago: 30m, 12h, 7d. */
static bool read_since(const char *text, char ret[CG_TIME_TEXT])
{
	static const char units[] = "mhd";
	static const int64_t unit_ms[] = {60000, 3600000, 86400000};
	size_t length = strlen(text);
	char digits[16];
	const char *unit;
	int64_t ms, count;

	if (cg_time_parse(text, &ms)) {
		cg_time_format(ms, ret);
		return true;
	}
	if (length < 2 || length >= sizeof(digits))
		return false;
	unit = strchr(units, text[length - 1]);
	memcpy(digits, text, length - 1);
	digits[length - 1] = '\0';
	if (unit == NULL || !cg_parse_int(digits, &count) || count < 0 || count > 100000)
		return false;
	cg_time_format((int64_t)time(NULL) * 1000 - count * unit_ms[unit - units], ret);
	return true;
}

/* What is dead since then goes again; dry: only what would. */
static int recover(const char *word, const struct request *request)
{
	char since[CG_TIME_TEXT];
	struct json_object *body, *answer, *list;
	size_t count;
	int code;

	if (request->id != NULL || request->since == NULL ||
		!read_since(request->since, since))
		return cli_usage(word,
			"recover takes --since with a time (2026-01-31T12:00:00Z) or an "
			"age (30m, 12h, 7d)");
	body = cg_json_new_object();
	cg_json_put_string(body, "since", since);
	if (request->channel != NULL)
		cg_json_put_string(body, "provider", request->channel);
	cg_json_put_bool(body, "dryRun", request->dry);
	code = operator_call(word, "POST", "/deliveries/recover", body, &answer);
	cg_json_free(body);
	if (code != CLI_OK)
		return code;
	list = cg_json_array(answer, "deliveries");
	count = cg_json_count(list);
	if (request->json)
		printf("%s\n", cg_json_text(answer, NULL));
	for (size_t i = 0; !request->json && i < count; i++)
		print_line(cg_json_at(list, i));
	if (!request->json)
		printf("%zu deliver%s %s\n", count, count == 1 ? "y" : "ies",
			request->dry ? "would be tried again" : "will be tried again");
	if (!request->json && count == RECOVER_PAGE)
		printf("There may be more: say it again.\n");
	cg_json_free(answer);
	return CLI_OK;
}

int cli_deliveries(int argc, char **argv)
{
	static const char *const verbs[] = {"list", "show", "retry", "dead-letter"};
	struct json_object *body, *empty;
	struct request request;
	bool known = false, change;
	char path[2048];
	int code;

	if (!parse(argc, argv, &request))
		return cli_usage(argv[0], NULL);
	if (strcmp(request.verb, "recover") == 0)
		return recover(argv[0], &request);
	/* Who tries what is no try, or filters what is not filtered, is told. */
	if (request.dry || request.since != NULL || request.channel != NULL)
		return cli_usage(
			argv[0], "only recover takes --dry-run, --since and --channel");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		known = known || strcmp(request.verb, verbs[i]) == 0;
	if (!known || (strcmp(request.verb, "list") != 0 && request.id == NULL))
		return cli_usage(
			argv[0], known ? "name a delivery" : "that is not known");
	if (!build_path(&request, path, sizeof(path)))
		return cli_usage(argv[0], "an argument is too long");
	change = strcmp(request.verb, "retry") == 0 ||
		 strcmp(request.verb, "dead-letter") == 0;
	empty = cg_json_new_object();
	code = operator_call(
		argv[0], change ? "POST" : "GET", path, change ? empty : NULL, &body);
	cg_json_free(empty);
	if (code != CLI_OK)
		return code;
	code = show(&request, body);
	cg_json_free(body);
	return code;
}
