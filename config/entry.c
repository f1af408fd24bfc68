/* SPDX-License-Identifier: Apache-2.0 */
#include "config/entry.h"

#include "config/value.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define K CONFIG_PREFIX
#define VARIABLE K "PROVIDERS"

static const struct option_kind_facts *kind_facts(const char *kind)
{
	static const struct option_kind_facts unlisted = {.is_switch = true};
	const struct option_kind_facts *facts = option_kind_find(kind);

	return facts != NULL ? facts : &unlisted;
}

/* Is the variable that switches a kind on set, and to something that does? */
static bool switch_is_on(
	const struct source *source, const char *variable, bool is_switch)
{
	struct source_value found;
	bool on = true;

	if (!source_variable(source, variable, &found))
		return false;
	if (is_switch && !value_parse_boolean(found.text, &on)) {
		config_report_warning(source->report, found.where, NULL,
			"\"%.64s\" is not true or false: false counts instead",
			found.text);
		return false;
	}
	return on;
}

/* Name of the variable that the facts give for a kind. */
static void facts_activator(const char *kind, char ret[OPTION_VARIABLE])
{
	const struct option_kind_facts *facts = kind_facts(kind);

	if (facts->activator != NULL)
		snprintf(ret, OPTION_VARIABLE, "%s%s", K, facts->activator);
	else
		option_kind_variable(kind, "_ENABLED", ret);
}

/* Whether any variable is about @kind. */
static bool is_mentioned(const struct source *source, const char *kind)
{
	char activator[OPTION_VARIABLE], beginning[OPTION_VARIABLE];

	facts_activator(kind, activator);
	option_kind_variable(kind, "_", beginning);
	for (size_t i = 0; i < source->environment.count; i++) {
		const char *name = source->environment.items[i].name;

		if (strncmp(name, beginning, strlen(beginning)) == 0 ||
			strcmp(name, activator) == 0)
			return true;
	}
	return false;
}

/* Whether the environment switches @kind on; @ret is the variable that does or would. */
static bool is_active(const struct source *source, const char *kind,
	const struct cg_provider *provider, char ret[OPTION_VARIABLE])
{
	bool found = false;

	for (size_t i = 0; provider != NULL && i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if ((option->flags & CG_OPTION_ACTIVATES) == 0 || option->env == NULL)
			continue;
		found = true;
		snprintf(ret, OPTION_VARIABLE, "%s%s", K, option->env);
		if (switch_is_on(source, ret, option->kind == CG_OPTION_BOOLEAN))
			return true;
	}
	if (found)
		return false;
	facts_activator(kind, ret);
	return switch_is_on(source, ret, kind_facts(kind)->is_switch);
}

/* The loaded kinds, for a sentence. */
static const char *loaded_kinds(const struct source *source)
{
	const char *text = NULL;

	for (size_t i = 0; i < source->input->kind_count; i++)
		text = arena_format(source->scratch, "%s%s%s", text != NULL ? text : "",
			text != NULL ? ", " : "", source->input->kinds[i]->kind);
	return text != NULL ? text : "none";
}

/* @kind is not loaded: is it one that we know of? */
static void refuse_kind(const struct source *source, const char *where, const char *kind)
{
	const char *loaded;

	option_kind_load_all(source->input);
	loaded = loaded_kinds(source);
	if (option_kind_find(kind) != NULL)
		config_report_error(source->report, where,
			"install its module in the plugin directory, or remove the entry",
			"no provider module for kind \"%s\"; loaded kinds: %s", kind,
			loaded);
	else
		config_report_error(source->report, where, NULL,
			"unknown kind \"%.64s\"; loaded kinds: %s", kind, loaded);
}

static struct entry *entry_add(const struct source *source, struct entries *entries)
{
	if (entries->count == CONFIG_PROVIDERS) {
		config_report_error(source->report, "providers", NULL,
			"more than %d provider entries", CONFIG_PROVIDERS);
		return NULL;
	}
	return &entries->items[entries->count++];
}

static const char *text_member(struct json_object *object, const char *name)
{
	const char *text = cg_json_string(object, name);

	return text != NULL && !cg_text_blank(text) ? text : NULL;
}

/* Entries of one `providers` array; @where is its place. */
static void add_array(const struct source *source, struct json_object *array,
	const char *where, bool from_file, struct entries *entries)
{
	for (size_t i = 0; i < cg_json_count(array); i++) {
		struct json_object *object = cg_json_at(array, i);
		const char *place = arena_format(source->kept, "%s[%zu]", where, i);
		const char *kind = text_member(object, "kind");
		const char *id = text_member(object, "id");
		struct entry_side *side;
		struct entry *entry;

		if (place == NULL)
			return;
		if (kind == NULL) {
			config_report_error(source->report, place,
				"write {\"kind\":\"…\",\"channelBindingId\":\"…\"}",
				"not an object with a kind");
			continue;
		}
		kind = arena_trim(source->kept, kind, strlen(kind));
		if (kind == NULL)
			return;
		if (option_kind_load(source->input, kind) == NULL) {
			refuse_kind(source, place, kind);
			continue;
		}
		entry = entry_add(source, entries);
		if (entry == NULL)
			return;
		side = from_file ? &entry->file : &entry->variable;
		*entry = (struct entry){.kind = kind, .where = place};
		entry->id = id != NULL
				    ? arena_trim(source->kept, id, strlen(id))
				    : arena_format(source->kept, "%s-%zu", kind, i + 1);
		if (entry->id == NULL) {
			entries->count--;
			return;
		}
		side->object = cg_json_ref(object);
		side->where = place;
	}
}

static void add_file_entries(const struct source *source, struct entries *entries)
{
	struct source_value found;

	if (!source_member(source, "providers", &found))
		return;
	if (!cg_json_is_array(found.json))
		config_report_error(source->report, found.where, NULL, "not an array");
	else
		add_array(source, found.json, found.where, true, entries);
}

static void add_variable_entries(const struct source *source,
	const struct source_value *found, struct entries *entries)
{
	struct json_object *array = NULL;
	struct cg_error err = {0};

	if (cg_json_parse(found->text, strlen(found->text), &array, &err) != CG_OK)
		config_report_error(source->report, found->where, NULL, "%s", err.text);
	else if (!cg_json_is_array(array))
		config_report_error(
			source->report, found->where, NULL, "not a JSON array");
	else
		add_array(source, array, found->where, false, entries);
	cg_json_free(array);
}

/* Variables of a kind that nothing switches on would be lost without a word. */
static void warn_idle(const struct source *source, const struct cg_provider *provider,
	const char *activator)
{
	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);
		char variable[OPTION_VARIABLE];
		struct source_value found;

		if (option->env == NULL || (option->flags & CG_OPTION_ACTIVATES) != 0)
			continue;
		snprintf(variable, sizeof(variable), "%s%s", K, option->env);
		if (source_variable(source, variable, &found))
			config_report_warning(source->report, found.where, NULL,
				"has no effect: %s does not switch the provider on",
				activator);
	}
}

/* One kind's variables.  @overruled: the JSON variable takes their place. */
static void add_block(const struct source *source, const char *kind, bool overruled,
	struct entries *entries)
{
	const struct cg_provider *provider;
	char activator[OPTION_VARIABLE];
	struct source_value found;
	struct entry *entry;

	/* A module is not loaded to hear that nobody wants it. */
	if (option_kind_find(kind) != NULL && !is_mentioned(source, kind))
		return;
	provider = option_kind_load(source->input, kind);
	if (!is_active(source, kind, provider, activator)) {
		if (provider != NULL && !overruled)
			warn_idle(source, provider, activator);
		return;
	}
	if (!source_variable(source, activator, &found))
		return;
	if (overruled) {
		config_report_warning(source->report, found.where, NULL,
			"has no effect: " VARIABLE " is set");
		return;
	}
	if (provider == NULL) {
		refuse_kind(source, found.where, kind);
		return;
	}
	entry = entry_add(source, entries);
	if (entry == NULL)
		return;
	*entry = (struct entry){.block = true, .where = found.where};
	entry->kind = entry->id = arena_text(source->kept, kind);
	if (entry->kind == NULL)
		entries->count--;
}

/* The fake provider stands in for missing ones: its variable counts only without any other. */
static bool stands_in(const char *kind)
{
	return strcmp(kind, "fake") == 0;
}

static void add_environment_entries(
	const struct source *source, bool alone, struct entries *entries)
{
	struct source_value found;
	const bool overruled = source_variable(source, VARIABLE, &found);

	if (overruled)
		add_variable_entries(source, &found, entries);
	for (size_t i = 0; i < option_kind_count; i++) {
		const char *kind = option_kinds[i].kind;

		if (!stands_in(kind))
			add_block(source, kind, overruled, entries);
	}
	for (size_t i = 0; i < source->input->kind_count; i++) {
		const char *kind = source->input->kinds[i]->kind;

		if (option_kind_find(kind) == NULL)
			add_block(source, kind, overruled, entries);
	}
	if (alone && entries->count == 0)
		add_block(source, "fake", overruled, entries);
	else if (source_variable(source, K "ENABLE_FAKE_PROVIDER", &found))
		config_report_warning(source->report, found.where, NULL,
			"has no effect: there are other providers");
}

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Does an entry from a file belong to one from the environment?  By falling closeness. */
static bool belongs(const struct source *source, const struct entry *env,
	const struct entry *file, int closeness)
{
	struct source_value ours, theirs;

	if (strcmp(env->kind, file->kind) != 0)
		return false;
	switch (closeness) {
	case 0:
		return same_text(env->id, file->id);
	case 1:
		return entry_binding(source, env, &ours) &&
		       entry_member(source, file, "channelBindingId", &theirs) &&
		       same_text(ours.text != NULL
					 ? ours.text
					 : cg_json_value_string(ours.json, NULL),
			       cg_json_value_string(theirs.json, NULL));
	default:
		return true;
	}
}

/* Index of the file's entry that @env overrides, or the count of them. */
static size_t find_match(const struct source *source, const struct entry *env,
	const struct entries *files, size_t count, const bool *used)
{
	for (int closeness = 0; closeness < 3; closeness++) {
		for (size_t i = 0; i < count; i++) {
			if (!used[i] && belongs(source, env, &files->items[i], closeness))
				return i;
		}
	}
	return count;
}

/* Lay the environment's entries over those of files; those that match none come behind. */
static void overlay(
	const struct source *source, struct entries *environment, struct entries *ret)
{
	bool used[CONFIG_PROVIDERS] = {false};
	const size_t files = ret->count;

	for (size_t i = 0; i < environment->count; i++) {
		struct entry *env = &environment->items[i];
		size_t match = find_match(source, env, ret, files, used);
		struct entry *entry;

		if (match < files) {
			used[match] = true;
			entry = &ret->items[match];
			entry->block = env->block;
			entry->variable = env->variable;
		} else {
			entry = entry_add(source, ret);
			if (entry == NULL)
				break;
			*entry = *env;
		}
		env->variable.object = NULL;
	}
}

void entries_read(const struct source *source, struct entries *ret)
{
	struct entries *environment = arena_alloc(source->scratch, sizeof(*environment));

	*ret = (struct entries){0};
	if (environment == NULL)
		return;
	add_file_entries(source, ret);
	add_environment_entries(source, ret->count == 0, environment);
	overlay(source, environment, ret);
	entries_finish(environment);
}

void entries_finish(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		cg_json_free(entries->items[i].variable.object);
		cg_json_free(entries->items[i].file.object);
	}
	entries->count = 0;
}

/* A member of one side, @group NULL: of the entry itself.  Null and blank texts are absent. */
static bool side_member(const struct source *source, const struct entry_side *side,
	const char *group, const char *name, struct source_value *ret)
{
	struct json_object *object =
		group != NULL ? cg_json_object(side->object, group) : side->object;
	struct json_object *member = cg_json_member(object, name);
	size_t length;

	if (member == NULL ||
		(cg_json_is_string(member) &&
			cg_text_blank(cg_json_value_string(member, &length))))
		return false;
	ret->json = member;
	ret->text = NULL;
	ret->where =
		group != NULL
			? arena_format(source->kept, "%s.%s.%s", side->where, group, name)
			: arena_format(source->kept, "%s.%s", side->where, name);
	return ret->where != NULL;
}

bool entry_member(const struct source *source, const struct entry *entry,
	const char *name, struct source_value *ret)
{
	return side_member(source, &entry->variable, NULL, name, ret) ||
	       side_member(source, &entry->file, NULL, name, ret);
}

bool entry_binding(
	const struct source *source, const struct entry *entry, struct source_value *ret)
{
	const char *standard = kind_facts(entry->kind)->binding;
	char variable[OPTION_VARIABLE];

	/* Bindings are what the Cloud knows a provider by: a file keeps its own. */
	if (side_member(source, &entry->file, NULL, "channelBindingId", ret))
		return true;
	option_kind_variable(entry->kind, "_CHANNEL_BINDING_ID", variable);
	if (entry->block && source_variable(source, variable, ret))
		return true;
	if (side_member(source, &entry->variable, NULL, "channelBindingId", ret))
		return true;
	if (!entry->block)
		return false;
	*ret = (struct source_value){.where = VALUE_DEFAULT,
		.text = standard != NULL ? standard : entry->kind};
	return true;
}

bool entry_workspace(
	const struct source *source, const struct entry *entry, struct source_value *ret)
{
	const char *own = kind_facts(entry->kind)->workspace;
	char variable[OPTION_VARIABLE];

	if (entry->block && own != NULL) {
		snprintf(variable, sizeof(variable), "%s%s", K, own);
		if (source_variable(source, variable, ret))
			return true;
	}
	option_kind_variable(entry->kind, "_WORKSPACE_ID", variable);
	if (entry->block && source_variable(source, variable, ret))
		return true;
	return entry_member(source, entry, "externalWorkspaceId", ret);
}

bool entry_allow_from(
	const struct source *source, const struct entry *entry, struct source_value *ret)
{
	char variable[OPTION_VARIABLE];

	/* For every entry of the kind, wherever it comes from: nobody may be let in by surprise. */
	option_kind_variable(entry->kind, "_ALLOW_FROM", variable);
	return source_variable(source, variable, ret) ||
	       entry_member(source, entry, "allowFrom", ret);
}

bool entry_option(const struct source *source, const struct entry *entry,
	const struct cg_option *option, struct source_value *ret)
{
	const char *group = option_group(option);
	char variable[OPTION_VARIABLE];

	if (entry->block && option->env != NULL &&
		(option->flags & CG_OPTION_JSON_ONLY) == 0) {
		snprintf(variable, sizeof(variable), "%s%s", K, option->env);
		if (source_variable(source, variable, ret))
			return true;
	}
	return side_member(source, &entry->variable, group, option->name, ret) ||
	       side_member(source, &entry->file, group, option->name, ret);
}
