/* SPDX-License-Identifier: Apache-2.0 */
#include "config/known.h"

#include "config/branding.h"
#include "config/members.h"
#include "config/option.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

/* Longer names are compared by their beginning. */
#define COMPARED 96

/* Called for each known name; false stops. */
typedef bool (*known_visit)(void *arg, const char *name);

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t known_distance(const char *a, const char *b)
{
	const size_t rows = strnlen(a, COMPARED);
	const size_t columns = strnlen(b, COMPARED);
	size_t table[3]
		    [COMPARED + 1]; /* the row before the last, the last, and this one */
	size_t *before = table[0], *last = table[1], *row = table[2];

	for (size_t j = 0; j <= columns; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= rows; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= columns; j++) {
			const bool same = lower(a[i - 1]) == lower(b[j - 1]);

			row[j] = least(
				least(row[j - 1], last[j]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
				lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[columns];
}

struct search {
	const char *name;
	size_t skip; /* beginning that every candidate shares */
	bool found;
	size_t best;
	char nearest[OPTION_VARIABLE];
};

static bool search_visit(void *arg, const char *name)
{
	struct search *search = arg;
	size_t distance;

	if (strcmp(name, search->name) == 0) {
		search->found = true;
		return false;
	}
	if (strlen(name) <= search->skip || strlen(name) >= sizeof(search->nearest))
		return true;
	distance = known_distance(name + search->skip, search->name + search->skip);
	if (distance < search->best) {
		search->best = distance;
		memcpy(search->nearest, name, strlen(name) + 1);
	}
	return true;
}

/* A name is near when no more than a third of it has to change. */
static const char *search_nearest(const struct search *search)
{
	const size_t length = strlen(search->name) - search->skip;

	return search->best <= (length + 2) / 3 && search->nearest[0] != '\0'
		       ? search->nearest
		       : NULL;
}

/* Variables of one kind: the general ones, those listed for it, and its module's. */
static bool visit_kind(const char *kind, const struct cg_provider *provider,
	known_visit visit, void *arg)
{
	static const char *const general[] = {
		"_CHANNEL_BINDING_ID", "_WORKSPACE_ID", "_ALLOW_FROM", "_ENABLED"};
	const struct option_kind_facts *facts = option_kind_find(kind);
	const char *const listed[] = {facts != NULL ? facts->activator : NULL,
		facts != NULL ? facts->workspace : NULL};
	char name[OPTION_VARIABLE];

	for (size_t i = 0; i < 4; i++) {
		/* Only kinds without a listed activator are switched on by their name. */
		if (i == 3 && facts != NULL)
			continue;
		option_kind_variable(kind, general[i], name);
		if (!visit(arg, name))
			return false;
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), CONFIG_PREFIX "%s",
			listed[i] != NULL ? listed[i] : "");
		if (listed[i] != NULL && !visit(arg, name))
			return false;
	}
	for (size_t i = 0; provider != NULL && i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		snprintf(name, sizeof(name), CONFIG_PREFIX "%s",
			option->env != NULL ? option->env : "");
		if (option->env != NULL && !visit(arg, name))
			return false;
	}
	return true;
}

static void visit_variables(
	const struct config_input *input, known_visit visit, void *arg)
{
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		if (!visit(arg, option_rows[i].variable))
			return;
	}
	for (size_t i = 0; i < option_variable_count; i++) {
		if (!visit(arg, option_variables[i].name))
			return;
	}
	for (size_t i = 0; i < branding_row_count; i++) {
		if (!visit(arg, branding_rows[i].variable))
			return;
	}
	for (size_t i = 0; i < input->kind_count; i++) {
		if (!visit_kind(input->kinds[i]->kind, input->kinds[i], visit, arg))
			return;
	}
}

/* Variables of a listed kind without its module: nothing tells which of them are right. */
static bool is_of_missing_kind(const struct config_input *input, const char *variable)
{
	for (size_t i = 0; i < option_kind_count; i++) {
		char beginning[OPTION_VARIABLE];

		option_kind_variable(option_kinds[i].kind, "_", beginning);
		if (strncmp(variable, beginning, strlen(beginning)) == 0 &&
			option_kind_load(input, option_kinds[i].kind) == NULL)
			return true;
	}
	return false;
}

static void check_variables(const struct source *source)
{
	for (size_t i = 0; i < source->environment.count; i++) {
		const struct environment_variable *variable =
			&source->environment.items[i];
		struct search search = {.name = variable->name,
			.skip = strlen(CONFIG_PREFIX),
			.best = COMPARED};
		const char *near;

		if (strncmp(variable->name, CONFIG_PREFIX, search.skip) != 0)
			continue;
		visit_variables(source->input, search_visit, &search);
		if (search.found || is_of_missing_kind(source->input, variable->name))
			continue;
		option_kind_load_all(source->input);
		visit_variables(source->input, search_visit, &search);
		if (search.found)
			continue;
		near = search_nearest(&search);
		config_report_warning(source->report, variable->where, NULL,
			"no such setting; %s%s",
			near != NULL ? "the nearest is " : "it has no effect",
			near != NULL ? near : "");
	}
}

/* Members of a file that are read, beyond the paths of rows. */
static const char *const free_members[] = {
	"agents", "branding", "providers", "$schema", "cloud", "timeouts.cloudRequestMs"};

static void visit_paths(known_visit visit, void *arg)
{
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		if (option_rows[i].path != NULL && !visit(arg, option_rows[i].path))
			return;
	}
	for (size_t i = 0; i < sizeof(free_members) / sizeof(*free_members); i++) {
		if (!visit(arg, free_members[i]))
			return;
	}
}

/* Is @path an object that holds settings? */
static bool is_section(const char *path)
{
	const size_t length = strlen(path);

	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		const char *row = option_rows[i].path;

		if (row != NULL && strncmp(row, path, length) == 0 && row[length] == '.')
			return true;
	}
	return false;
}

static void check_members(const struct source *source, const struct source_layer *layer,
	struct json_object *object, const char *prefix)
{
	struct members members;

	for (members_begin(&members, object); members_next(&members);) {
		struct json_object *member = cg_json_member(object, members.name);
		struct search search = {.best = COMPARED};
		char path[MEMBERS_NAME + 64];
		const char *near;

		snprintf(path, sizeof(path), "%s%s", prefix, members.name);
		if (prefix[0] == '\0' && is_section(path) && cg_json_is_object(member)) {
			char inner[sizeof(path) + 1];

			snprintf(inner, sizeof(inner), "%s.", path);
			check_members(source, layer, member, inner);
			continue;
		}
		search.name = path;
		visit_paths(search_visit, &search);
		if (search.found)
			continue;
		near = search_nearest(&search);
		config_report_warning(source->report, layer->label, NULL,
			"\"%s%s\" is not a setting%s%s", layer->prefix, path,
			near != NULL ? "; the nearest is " : "",
			near != NULL ? near : "");
	}
}

void known_check(const struct source *source)
{
	check_variables(source);
	for (size_t i = 0; i < source->layer_count; i++)
		check_members(source, &source->layers[i], source->layers[i].root, "");
}

const char *known_nearest_option(const struct cg_provider *provider, const char *name)
{
	const char *nearest = NULL;
	size_t best = (strlen(name) + 2) / 3 + 1;

	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);
		const size_t distance = known_distance(option->name, name);

		if (distance < best) {
			best = distance;
			nearest = option->name;
		}
	}
	return nearest;
}
