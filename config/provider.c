/* SPDX-License-Identifier: Apache-2.0 */
#include "config/provider.h"

#include "config/known.h"
#include "config/members.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define ID_LENGTH 64

const struct provider_inherited provider_inherited[] = {
	{"publicBaseUrl", CONFIG_PUBLIC_URL},
	{"maxAttachmentBytes", CONFIG_MAX_REQUEST_BODY_BYTES},
	{"deliveryTimeoutMs", CONFIG_WEBHOOK_DELIVERY_TIMEOUT_MS},
	{"smtpTimeoutMs", CONFIG_SMTP_TIMEOUT_MS},
};
const size_t provider_inherited_count =
	sizeof(provider_inherited) / sizeof(*provider_inherited);

/* ---- what an instance reads ---- */

static const struct value *settings_value(
	const struct cg_settings *settings, const char *name, enum option_kind *ret_kind)
{
	const struct provider_values *self =
		(const struct provider_values *)(const void *)settings;
	size_t index;
	const struct cg_option *option = option_find(self->descriptor, name, &index);

	if (option == NULL)
		return NULL;
	*ret_kind = option_rule_of(option).kind;
	return &self->values[index];
}

static const char *settings_string(const struct cg_settings *settings, const char *name)
{
	enum option_kind kind;
	const struct value *value = settings_value(settings, name, &kind);

	if (value == NULL ||
		(kind != OPTION_STRING && kind != OPTION_URL && kind != OPTION_CHOICE))
		return NULL;
	return value->text;
}

static int64_t settings_integer(const struct cg_settings *settings, const char *name)
{
	enum option_kind kind;
	const struct value *value = settings_value(settings, name, &kind);

	return value != NULL && kind == OPTION_INTEGER ? value->number : 0;
}

static bool settings_boolean(const struct cg_settings *settings, const char *name)
{
	enum option_kind kind;
	const struct value *value = settings_value(settings, name, &kind);

	return value != NULL && kind == OPTION_BOOLEAN && value->number != 0;
}

static size_t settings_count(const struct cg_settings *settings, const char *name)
{
	enum option_kind kind;
	const struct value *value = settings_value(settings, name, &kind);

	return value != NULL && kind == OPTION_LIST ? value->list.count : 0;
}

static const char *settings_item(
	const struct cg_settings *settings, const char *name, size_t index)
{
	enum option_kind kind;
	const struct value *value = settings_value(settings, name, &kind);

	if (value == NULL || kind != OPTION_LIST || index >= value->list.count)
		return NULL;
	return value->list.items[index];
}

static const char *settings_secret(
	const struct cg_settings *settings, const char *name, size_t *length)
{
	enum option_kind kind;
	const struct value *value = settings_value(settings, name, &kind);
	const bool set = value != NULL && kind == OPTION_SECRET &&
			 cg_secret_is_set(&value->secret);

	if (length != NULL)
		*length = set ? value->secret.length : 0;
	return set ? value->secret.bytes : NULL;
}

/* ---- reading an entry ---- */

static bool id_is_fit(const struct cg_provider *provider, const char *id)
{
	const size_t kind_length = strlen(provider->kind);
	const size_t length = strlen(id);

	if (length > ID_LENGTH)
		return false;
	/* Anything that fits a path: ids of the demonstration are free. */
	if ((provider->flags & CG_PROVIDER_DEMO) != 0)
		return strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01"
				  "23456789"
				  "._:-") == length &&
		       id[0] != '.';
	if (strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") != length)
		return false;
	if (strncmp(id, provider->kind, kind_length) != 0)
		return false;
	return length == kind_length ||
	       (id[kind_length] == '-' && length > kind_length + 1);
}

static const char *read_text(
	const struct source *source, const struct source_value *found)
{
	static const struct option_rule rule = {.kind = OPTION_STRING, .max = 255};
	struct value value;

	value_read(source, &rule, found, "", &value);
	return value.text;
}

static bool read_enabled(const struct source *source, const struct entry *entry)
{
	static const struct option_rule rule = {
		.kind = OPTION_BOOLEAN, .fallback = "true"};
	struct source_value found;
	struct value value;

	value_read(source, &rule,
		entry_member(source, entry, "enabled", &found) ? &found : NULL,
		entry->where, &value);
	return value.number != 0;
}

/* Who is a member from the start.  The person at this host's own terminal always is. */
static void read_allow_from(const struct source *source, const struct entry *entry,
	struct config_provider *ret)
{
	static const struct option_rule rule = {.kind = OPTION_LIST};
	struct source_value found;
	struct value value;

	if (!entry_allow_from(source, entry, &found)) {
		ret->allow_everyone =
			(ret->descriptor->flags & CG_PROVIDER_LOCAL_ONLY) != 0;
		return;
	}
	value_read(source, &rule, &found, entry->where, &value);
	ret->allow_from = value.list;
	for (size_t i = 0; i < value.list.count; i++) {
		if (strcmp(value.list.items[i], "*") == 0)
			ret->allow_everyone = true;
	}
}

/* Members of one group that no option answers to are mistakes, and would be lost silently. */
static void warn_group(const struct source *source, const struct entry_side *side,
	const char *group, const struct cg_provider *provider)
{
	struct json_object *object = cg_json_object(side->object, group);
	struct members members;

	for (members_begin(&members, object); members_next(&members);) {
		const struct cg_option *option =
			option_find(provider, members.name, NULL);
		const char *near = NULL;

		if (option != NULL && strcmp(option_group(option), group) == 0)
			continue;
		if (option != NULL) {
			config_report_warning(source->report, side->where, NULL,
				"\"%s.%s\" has no effect: it belongs under \"%s\"", group,
				members.name, option_group(option));
			continue;
		}
		near = known_nearest_option(provider, members.name);
		config_report_warning(source->report, side->where, NULL,
			"\"%s.%s\" is not a setting of %s%s%s", group, members.name,
			provider->kind, near != NULL ? "; the nearest is " : "",
			near != NULL ? near : "");
	}
}

/* The place of an absent value: its member, and its variable where there is one. */
static const char *missing_place(const struct source *source, const struct entry *entry,
	const struct cg_option *option)
{
	if (entry->block && option->env != NULL)
		return arena_format(source->kept, CONFIG_PREFIX "%s", option->env);
	return arena_format(source->kept, "%s.%s.%s", entry->where, option_group(option),
		option->name);
}

/* A value that the gateway's own settings stand in for. */
static bool inherit(
	const struct value *core, const struct cg_option *option, struct value *ret)
{
	for (size_t i = 0; i < provider_inherited_count; i++) {
		const struct provider_inherited *row = &provider_inherited[i];
		const enum option_kind kind = option_rows[row->core].rule.kind;

		if (strcmp(row->option, option->name) != 0 ||
			core[row->core].source == NULL)
			continue;
		if (option->kind == CG_OPTION_INTEGER ? kind != OPTION_INTEGER
						      : kind != OPTION_URL)
			continue;
		*ret = core[row->core];
		return true;
	}
	return false;
}

static void read_options(const struct source *source, const struct entry *entry,
	const struct value *core, struct provider_values *values)
{
	const struct cg_provider *provider = values->descriptor;

	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);
		const struct option_rule rule = option_rule_of(option);
		const char *missing = missing_place(source, entry, option);
		struct source_value found;

		if (missing == NULL)
			return;
		if (entry_option(source, entry, option, &found))
			value_read(source, &rule, &found, missing, &values->values[i]);
		else if (!inherit(core, option, &values->values[i]))
			value_read(source, &rule, NULL, missing, &values->values[i]);
	}
}

static struct provider_values *make_values(
	const struct source *source, const struct cg_provider *provider)
{
	struct provider_values *made = arena_alloc(source->kept, sizeof(*made));

	if (made == NULL)
		return NULL;
	made->settings = (struct cg_settings){
		.size = sizeof(made->settings),
		.kind = provider->kind,
		.string = settings_string,
		.integer = settings_integer,
		.boolean = settings_boolean,
		.count = settings_count,
		.item = settings_item,
		.secret = settings_secret,
	};
	made->descriptor = provider;
	made->values = arena_alloc(
		source->kept, (provider->option_count + 1) * sizeof(*made->values));
	return made->values != NULL ? made : NULL;
}

static enum config_busy read_busy_mode(
	const struct source *source, const struct entry *entry)
{
	static const struct option_rule rule = {.kind = OPTION_CHOICE,
		.choices = "queue,steer,interrupt",
		.fallback = "queue"};
	struct source_value found;
	struct value value = {0};

	if (entry_member(source, entry, "busyMode", &found))
		value_read(source, &rule, &found, found.where, &value);
	return (enum config_busy)value.number;
}

bool provider_read(const struct source *source, const struct entry *entry,
	const struct value *core, struct config_provider *ret)
{
	const struct cg_provider *provider = option_kind_load(source->input, entry->kind);
	struct provider_values *made = make_values(source, provider);
	struct source_value found;

	*ret = (struct config_provider){.descriptor = provider, .kind = provider->kind};
	if (made == NULL)
		return false;
	made->settings.instance_id = ret->id = entry->id;
	ret->settings = &made->settings;
	if (!id_is_fit(provider, entry->id))
		config_report_error(source->report, entry->where, NULL,
			"\"%.80s\" cannot be an id: write \"%s\", or \"%s-\" and "
			"letters, digits, "
			"'_' or '-', at most %d in all",
			entry->id, provider->kind, provider->kind, ID_LENGTH);
	if (entry_binding(source, entry, &found))
		ret->channel_binding_id = read_text(source, &found);
	else
		config_report_error(source->report, entry->where,
			"write \"channelBindingId\"",
			"channelBindingId is required, but not set");
	if (entry_workspace(source, entry, &found))
		ret->external_workspace_id = read_text(source, &found);
	if (entry_member(source, entry, "defaultAgent", &found))
		ret->default_agent = read_text(source, &found);
	ret->busy_mode = read_busy_mode(source, entry);
	ret->enabled = read_enabled(source, entry);
	read_allow_from(source, entry, ret);
	read_options(source, entry, core, made);
	warn_group(source, &entry->variable, "credentials", provider);
	warn_group(source, &entry->variable, "settings", provider);
	warn_group(source, &entry->file, "credentials", provider);
	warn_group(source, &entry->file, "settings", provider);
	return true;
}

const struct provider_values *provider_values(const struct config_provider *provider)
{
	return (const struct provider_values *)(const void *)provider->settings;
}

void provider_finish(struct config_provider *provider)
{
	const struct provider_values *self = provider_values(provider);

	for (size_t i = 0; self != NULL && i < self->descriptor->option_count; i++) {
		const struct option_rule rule =
			option_rule_of(option_of_provider(self->descriptor, i));

		value_finish(&rule, &self->values[i]);
	}
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool list_equal(const struct config_list *a, const struct config_list *b)
{
	const struct value left = {.list = *a};
	const struct value right = {.list = *b};

	return value_equal(OPTION_LIST, &left, &right);
}

bool provider_equal(const struct config_provider *a, const struct config_provider *b)
{
	const struct provider_values *left = provider_values(a);
	const struct provider_values *right = provider_values(b);

	if (a->descriptor != b->descriptor || a->enabled != b->enabled ||
		a->allow_everyone != b->allow_everyone || a->busy_mode != b->busy_mode)
		return false;
	if (!text_equal(a->channel_binding_id, b->channel_binding_id) ||
		!text_equal(a->external_workspace_id, b->external_workspace_id) ||
		!text_equal(a->default_agent, b->default_agent) ||
		!list_equal(&a->allow_from, &b->allow_from))
		return false;
	for (size_t i = 0; i < a->descriptor->option_count; i++) {
		const enum option_kind kind =
			option_rule_of(option_of_provider(a->descriptor, i)).kind;

		if (!value_equal(kind, &left->values[i], &right->values[i]))
			return false;
	}
	return true;
}
