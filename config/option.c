/* SPDX-License-Identifier: Apache-2.0 */
#include "config/option.h"

#include <stdio.h>
#include <string.h>

#define LIVE OPTION_LIVE
#define RESTART OPTION_RESTART
#define LENIENT OPTION_LENIENT
#define MULTILINE OPTION_MULTILINE
#define BASE OPTION_BASE

const struct option_row option_rows[CONFIG_OPTIONS] = {
#define CONFIG_OPTION( \
	NAME, KIND, field, path_, variable_, fallback_, min_, max_, flags_, help_) \
	[CONFIG_##NAME] = { \
		.rule = {OPTION_##KIND, flags_, fallback_, min_, max_, NULL}, \
		.name = #field, \
		.path = path_, \
		.variable = variable_, \
		.help = help_, \
	},
#define CONFIG_CHOICE( \
	NAME, tag, choices_, field, path_, variable_, fallback_, flags_, help_) \
	[CONFIG_##NAME] = { \
		.rule = {OPTION_CHOICE, flags_, fallback_, 0, 0, choices_}, \
		.name = #field, \
		.path = path_, \
		.variable = variable_, \
		.help = help_, \
	},
#include "config/options.def"
};

const struct option_variable option_variables[] = {
#define CONFIG_VARIABLE(variable, help) {variable, help},
#include "config/options.def"
};
const size_t option_variable_count = sizeof(option_variables) / sizeof(*option_variables);

const char *option_kind_text(enum option_kind kind)
{
	switch (kind) {
	case OPTION_STRING:
		return "text";
	case OPTION_URL:
		return "URL";
	case OPTION_PATH:
		return "path";
	case OPTION_SECRET:
		return "secret";
	case OPTION_INTEGER:
		return "integer";
	case OPTION_PORT:
		return "port";
	case OPTION_BOOLEAN:
		return "boolean";
	case OPTION_LIST:
		return "list";
	case OPTION_CIDRS:
		return "list of addresses";
	case OPTION_ARGV:
		return "command";
	case OPTION_CHOICE:
		return "choice";
	}
	return "";
}

const struct cg_option *option_of_provider(
	const struct cg_provider *provider, size_t index)
{
	const char *first = (const char *)provider->options;

	return (const struct cg_option *)(const void *)(first +
							index * provider->options->size);
}

const struct cg_option *option_find(
	const struct cg_provider *provider, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if (strcmp(option->name, name) == 0) {
			if (ret_index != NULL)
				*ret_index = i;
			return option;
		}
	}
	return NULL;
}

static enum option_kind kind_of(enum cg_option_kind kind)
{
	switch (kind) {
	case CG_OPTION_SECRET:
		return OPTION_SECRET;
	case CG_OPTION_INTEGER:
		return OPTION_INTEGER;
	case CG_OPTION_BOOLEAN:
		return OPTION_BOOLEAN;
	case CG_OPTION_LIST:
		return OPTION_LIST;
	case CG_OPTION_CHOICE:
		return OPTION_CHOICE;
	case CG_OPTION_URL:
		return OPTION_URL;
	case CG_OPTION_STRING:
		break;
	}
	return OPTION_STRING;
}

struct option_rule option_rule_of(const struct cg_option *option)
{
	return (struct option_rule){
		.kind = kind_of(option->kind),
		.flags = OPTION_RESTART |
			 ((option->flags & CG_OPTION_REQUIRED) != 0 ? OPTION_REQUIRED
								    : 0u),
		.fallback = option->fallback,
		.min = option->min,
		.max = option->max,
		.choices = option->choices,
	};
}

const char *option_group(const struct cg_option *option)
{
	return (option->flags & CG_OPTION_CREDENTIAL) != 0 ? "credentials" : "settings";
}

const struct option_kind_facts option_kinds[] = {
#define SWITCH true
#define VALUE false
#define CONFIG_KIND(kind, module, activator, on, workspace, binding) \
	{kind, module, activator, on, workspace, binding},
#include "config/kinds.def"
#undef CONFIG_KIND
};
const size_t option_kind_count = sizeof(option_kinds) / sizeof(*option_kinds);

const struct option_kind_facts *option_kind_find(const char *kind)
{
	for (size_t i = 0; i < option_kind_count; i++) {
		if (strcmp(option_kinds[i].kind, kind) == 0)
			return &option_kinds[i];
	}
	return NULL;
}

static const struct cg_provider *find_loaded(
	const struct config_input *input, const char *kind)
{
	for (size_t i = 0; i < input->kind_count; i++) {
		if (strcmp(input->kinds[i]->kind, kind) == 0)
			return input->kinds[i];
	}
	return NULL;
}

const struct cg_provider *option_kind_load(
	const struct config_input *input, const char *kind)
{
	const struct option_kind_facts *facts = option_kind_find(kind);
	const struct cg_provider *provider = find_loaded(input, kind);

	if (provider != NULL || facts == NULL || input->need == NULL)
		return provider;
	input->need(input->arg, facts->module);
	return find_loaded(input, kind);
}

void option_kind_load_all(const struct config_input *input)
{
	if (input->need != NULL)
		input->need(input->arg, NULL);
}

bool config_asks_for(const char *module)
{
	for (size_t i = 0; i < option_kind_count; i++) {
		if (strcmp(option_kinds[i].module, module) == 0)
			return true;
	}
	return false;
}

void option_kind_variable(const char *kind, const char *suffix, char ret[OPTION_VARIABLE])
{
	const size_t prefix = strlen(CONFIG_PREFIX);

	snprintf(ret, OPTION_VARIABLE, "%s%s%s", CONFIG_PREFIX, kind, suffix);
	for (size_t i = prefix; ret[i] != '\0' && i < prefix + strlen(kind); i++) {
		if (ret[i] >= 'a' && ret[i] <= 'z')
			ret[i] = (char)(ret[i] - 'a' + 'A');
	}
}
