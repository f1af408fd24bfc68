/* SPDX-License-Identifier: Apache-2.0 */
/* The manual of all settings, and help for one of them: both are the rows, written out. */
#include "config/agent.h"
#include "config/branding.h"
#include "config/describe.h"
#include "config/option.h"
#include "config/provider.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char introduction[] =
	"# Settings\n"
	"\n"
	"This page is made from the rows that the program itself reads.\n"
	"\n"
	"A value comes from the first of these that has it: the environment; the\n"
	"file that `OPEN_COWORK_GATEWAY_ENV_FILE` names;\n"
	"`OPEN_COWORK_GATEWAY_CONFIG_JSON`; the file that\n"
	"`OPEN_COWORK_GATEWAY_CONFIG` names; the `gateway` member of the shared\n"
	"files (`OPEN_COWORK_CONFIG_PATH`, then `OPEN_COWORK_DOWNSTREAM_ROOT`,\n"
	"`OPEN_COWORK_CONFIG_DIR` and the working directory); its default.\n"
	"Objects of several files are laid over each other, arrays are replaced.\n"
	"An empty variable counts as unset. Files are JSON with comments and\n"
	"trailing commas.\n"
	"\n"
	"Numbers outside their range are brought to its nearest end, with a\n"
	"warning. A secret may be written out or named: `env:NAME`, `file:/path`\n"
	"(mode 0600, at most 4096 bytes) or `cred:NAME`, a credential of systemd.\n"
	"`cowgate check` reports everything that is wrong, and starts nothing.\n";

/* A cell of a table: no line break, and no bar that would end it. */
static void add_cell(struct cg_buffer *buffer, const char *text)
{
	cg_buffer_char(buffer, ' ');
	for (; *text != '\0'; text++) {
		if (*text == '|')
			cg_buffer_char(buffer, '\\');
		cg_buffer_char(buffer, *text == '\n' ? ' ' : *text);
	}
	cg_buffer_text(buffer, " |");
}

static void add_code(struct cg_buffer *buffer, const char *text)
{
	if (text == NULL || text[0] == '\0')
		cg_buffer_text(buffer, " – |");
	else
		cg_buffer_format(buffer, " `%s` |", text);
}

/* "integer, 100 to 120000", "choice of a, b". */
static void describe_type(const struct option_rule *rule, char *ret, size_t size)
{
	const char *kind = option_kind_text(rule->kind);

	if (rule->kind == OPTION_CHOICE)
		snprintf(ret, size, "one of %s", rule->choices);
	else if ((rule->kind == OPTION_INTEGER || rule->kind == OPTION_PORT) &&
		 (rule->min != 0 || rule->max != 0))
		snprintf(ret, size, "%s, %" PRId64 " to %" PRId64, kind, rule->min,
			rule->max);
	else
		snprintf(ret, size, "%s", kind);
}

static void add_core_row(struct cg_buffer *buffer, const struct option_row *row)
{
	const bool restart = (row->rule.flags & OPTION_RESTART) != 0;
	char type[256];

	describe_type(&row->rule, type, sizeof(type));
	cg_buffer_char(buffer, '|');
	add_code(buffer, row->variable);
	add_code(buffer, row->path);
	add_cell(buffer, type);
	add_code(buffer, row->rule.fallback);
	add_cell(buffer, restart ? "restart" : "reload");
	add_cell(buffer, row->help);
	cg_buffer_char(buffer, '\n');
}

/* The gateway's setting that stands in for an option's missing value. */
static const char *inherited_from(const struct cg_option *option)
{
	for (size_t i = 0; i < provider_inherited_count; i++) {
		if (strcmp(provider_inherited[i].option, option->name) == 0)
			return option_rows[provider_inherited[i].core].variable;
	}
	return NULL;
}

static void option_variable_of(const struct cg_option *option, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s", option->env != NULL ? CONFIG_PREFIX : "",
		option->env != NULL ? option->env : "");
}

static void add_option_row(struct cg_buffer *buffer, const struct cg_option *option)
{
	const struct option_rule rule = option_rule_of(option);
	const char *inherited = inherited_from(option);
	char variable[OPTION_VARIABLE];
	char path[128];
	char type[256];

	option_variable_of(option, variable, sizeof(variable));
	snprintf(path, sizeof(path), "%s.%s", option_group(option), option->name);
	describe_type(&rule, type, sizeof(type));
	cg_buffer_char(buffer, '|');
	add_code(buffer, variable);
	add_code(buffer, path);
	add_cell(buffer, type);
	add_code(buffer, inherited != NULL ? inherited : rule.fallback);
	add_cell(buffer, (rule.flags & OPTION_REQUIRED) != 0 ? "yes" : "no");
	add_cell(buffer, option->help != NULL ? option->help : "");
	cg_buffer_char(buffer, '\n');
}

static void add_variables(struct cg_buffer *buffer)
{
	cg_buffer_text(buffer,
		"\n## Sources and branding\n\n| Variable | Meaning |\n| --- | --- |\n");
	for (size_t i = 0; i < option_variable_count; i++) {
		cg_buffer_format(buffer, "| `%s` |", option_variables[i].name);
		add_cell(buffer, option_variables[i].help);
		cg_buffer_char(buffer, '\n');
	}
	for (size_t i = 0; i < branding_row_count; i++) {
		cg_buffer_format(buffer, "| `%s` |", branding_rows[i].variable);
		add_cell(buffer, branding_rows[i].help);
		cg_buffer_char(buffer, '\n');
	}
}

static void add_agents(struct cg_buffer *buffer)
{
	cg_buffer_text(buffer, "\n## Agents\n\nStandalone: the agent settings above make "
			       "the agent called "
			       "`default`. More\nagents are entries of the `agents` "
			       "array of a file, each with "
			       "a `name` and\nthese members. A provider's `defaultAgent` "
			       "names who answers "
			       "there; a chat can\nchoose another.\n\n| Entry | Type | "
			       "Required | Meaning |\n"
			       "| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < AGENT_MEMBERS; i++) {
		const struct agent_member_row *row = &agent_members[i];
		char type[256];

		describe_type(&row->rule, type, sizeof(type));
		cg_buffer_char(buffer, '|');
		add_code(buffer, row->name);
		add_cell(buffer, type);
		add_cell(buffer, (row->rule.flags & OPTION_REQUIRED) != 0 ? "yes" : "no");
		add_cell(buffer, row->help);
		cg_buffer_char(buffer, '\n');
	}
}

static const char provider_introduction[] =
	"\n"
	"## Providers\n"
	"\n"
	"Either entries of the `providers` array (in a file, or in\n"
	"`OPEN_COWORK_GATEWAY_PROVIDERS`) or the variables below. An entry has\n"
	"`kind`, `channelBindingId`, and, where wanted, `id`, `enabled`,\n"
	"`externalWorkspaceId`, `defaultAgent`, `busyMode`, `allowFrom`,\n"
	"`credentials` and `settings`. `busyMode` says what becomes of a message\n"
	"that comes while the agent works for its chat: `queue` (it waits), `steer`\n"
	"(it is told to the running turn where the agent can) or `interrupt`. An `id` is "
	"the kind, or begins with the kind and a dash; it\n"
	"names the webhook's path. Several entries of one kind are several\n"
	"instances. For every kind there are also:\n"
	"\n"
	"| Variable | Entry | Meaning |\n"
	"| --- | --- | --- |\n"
	"| `OPEN_COWORK_GATEWAY_<KIND>_CHANNEL_BINDING_ID` | `channelBindingId` | "
	"Channel binding; default the kind |\n"
	"| `OPEN_COWORK_GATEWAY_<KIND>_WORKSPACE_ID` | `externalWorkspaceId` | Workspace "
	"that the platform's ids belong to |\n"
	"| `OPEN_COWORK_GATEWAY_<KIND>_ALLOW_FROM` | `allowFrom` | Standalone: platform "
	"user ids that are members from the start, comma separated; `*` is everyone |\n";

/* Which variables switch the provider on. */
static void add_activators(struct cg_buffer *buffer, const struct cg_provider *provider,
	const struct option_kind_facts *facts)
{
	char variable[OPTION_VARIABLE];
	size_t found = 0;

	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);

		if ((option->flags & CG_OPTION_ACTIVATES) == 0 || option->env == NULL)
			continue;
		cg_buffer_format(buffer, "`%s%s%s` switches it on.\n\n", CONFIG_PREFIX,
			option->env, option->kind == CG_OPTION_BOOLEAN ? "=true" : "");
		found++;
	}
	if (found > 0)
		return;
	if (facts != NULL)
		snprintf(variable, sizeof(variable), "%s%s", CONFIG_PREFIX,
			facts->activator);
	else
		option_kind_variable(provider->kind, "_ENABLED", variable);
	cg_buffer_format(buffer, "`%s%s` switches it on.\n\n", variable,
		facts == NULL || facts->is_switch ? "=true" : "");
}

static void add_kind(struct cg_buffer *buffer, const struct cg_provider *provider)
{
	const struct option_kind_facts *facts = option_kind_find(provider->kind);

	cg_buffer_format(buffer, "\n### %s (`%s`)\n\n", provider->title, provider->kind);
	add_activators(buffer, provider, facts);
	if (facts != NULL && facts->workspace != NULL)
		cg_buffer_format(buffer, "`%s%s` also names its workspace.\n\n",
			CONFIG_PREFIX, facts->workspace);
	if (provider->option_count == 0)
		return;
	cg_buffer_text(buffer,
		"| Variable | Entry | Type | Default | Required | Meaning |\n"
		"| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < provider->option_count; i++)
		add_option_row(buffer, option_of_provider(provider, i));
}

enum cg_status config_describe_markdown(const struct cg_provider *const *kinds,
	size_t kind_count, struct cg_buffer *buffer)
{
	cg_buffer_text(buffer, introduction);
	cg_buffer_text(buffer,
		"\n## Gateway\n\n"
		"| Variable | In files | Type | Default | A change needs | Meaning |\n"
		"| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < CONFIG_OPTIONS; i++)
		add_core_row(buffer, &option_rows[i]);
	add_variables(buffer);
	add_agents(buffer);
	cg_buffer_text(buffer, provider_introduction);
	for (size_t i = 0; i < kind_count; i++)
		add_kind(buffer, kinds[i]);
	return cg_buffer_status(buffer);
}

static void help_line(struct cg_buffer *buffer, const char *label, const char *text)
{
	if (text != NULL && text[0] != '\0')
		cg_buffer_format(buffer, "  %-10s %s\n", label, text);
}

static enum cg_status help_core(const struct option_row *row, struct cg_buffer *buffer)
{
	const bool restart = (row->rule.flags & OPTION_RESTART) != 0;
	char type[256];

	describe_type(&row->rule, type, sizeof(type));
	cg_buffer_format(buffer, "%s\n", row->help);
	help_line(buffer, "variable", row->variable);
	help_line(buffer, "in files", row->path);
	help_line(buffer, "type", type);
	help_line(buffer, "default", row->rule.fallback);
	help_line(buffer, "a change", restart ? "needs a restart" : "needs a reload");
	return cg_buffer_status(buffer);
}

static enum cg_status help_option(const struct cg_provider *provider,
	const struct cg_option *option, struct cg_buffer *buffer)
{
	const struct option_rule rule = option_rule_of(option);
	const char *inherited = inherited_from(option);
	char variable[OPTION_VARIABLE];
	char path[128];
	char type[256];

	option_variable_of(option, variable, sizeof(variable));
	snprintf(path, sizeof(path), "providers[].%s.%s", option_group(option),
		option->name);
	describe_type(&rule, type, sizeof(type));
	cg_buffer_format(buffer, "%s: %s\n", provider->title,
		option->help != NULL ? option->help : option->name);
	help_line(buffer, "variable", variable);
	help_line(buffer, "in files", path);
	help_line(buffer, "type", type);
	help_line(buffer, "default", inherited != NULL ? inherited : rule.fallback);
	if ((rule.flags & OPTION_REQUIRED) != 0)
		help_line(buffer, "required", "yes");
	return cg_buffer_status(buffer);
}

/* @variable is @name, with or without the prefix, in any case. */
static bool is_variable(const char *variable, const char *name)
{
	const size_t prefix = strlen(CONFIG_PREFIX);

	if (strcasecmp(variable, name) == 0)
		return true;
	return strncmp(variable, CONFIG_PREFIX, prefix) == 0 &&
	       strcasecmp(variable + prefix, name) == 0;
}

enum cg_status config_describe_setting(const char *name,
	const struct cg_provider *const *kinds, size_t kind_count,
	struct cg_buffer *buffer)
{
	for (size_t i = 0; i < CONFIG_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		if (is_variable(row->variable, name) || strcmp(row->name, name) == 0 ||
			(row->path != NULL && strcmp(row->path, name) == 0))
			return help_core(row, buffer);
	}
	for (size_t i = 0; i < kind_count; i++) {
		const size_t length = strlen(kinds[i]->kind);

		for (size_t j = 0; j < kinds[i]->option_count; j++) {
			const struct cg_option *option = option_of_provider(kinds[i], j);
			char variable[OPTION_VARIABLE];

			option_variable_of(option, variable, sizeof(variable));
			if ((strncmp(name, kinds[i]->kind, length) == 0 &&
				    name[length] == '.' &&
				    strcmp(name + length + 1, option->name) == 0) ||
				(variable[0] != '\0' && is_variable(variable, name)))
				return help_option(kinds[i], option, buffer);
		}
	}
	return CG_NOT_FOUND;
}
