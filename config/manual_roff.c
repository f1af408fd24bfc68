/* SPDX-License-Identifier: Apache-2.0 */
/* cowgate.conf(5): the rows once more, as a manual page. */
#include "config/branding.h"
#include "config/describe.h"
#include "config/option.h"
#include "config/roff.h"

#include <stdio.h>
#include <string.h>

static void add_setting(struct cg_buffer *buffer, const char *variable,
	const struct option_rule *rule, const char *help)
{
	cg_buffer_text(buffer, ".TP\n.B ");
	roff_text(buffer, variable);
	cg_buffer_char(buffer, '\n');
	roff_text(buffer, help);
	cg_buffer_text(buffer, ".\n");
	if (rule == NULL)
		return;
	roff_text(buffer, "Type: ");
	roff_text(buffer,
		rule->kind == OPTION_CHOICE ? "one of " : option_kind_text(rule->kind));
	if (rule->kind == OPTION_CHOICE)
		roff_text(buffer, rule->choices);
	if (rule->fallback != NULL && rule->fallback[0] != '\0') {
		roff_text(buffer, "; default ");
		roff_text(buffer, rule->fallback);
	}
	if ((rule->flags & OPTION_REQUIRED) != 0)
		roff_text(buffer, "; required");
	cg_buffer_text(buffer, ".\n");
}

static void add_kind(struct cg_buffer *buffer, const struct cg_provider *provider)
{
	cg_buffer_text(buffer, ".SS ");
	roff_text(buffer, provider->title);
	cg_buffer_char(buffer, '\n');
	for (size_t i = 0; i < provider->option_count; i++) {
		const struct cg_option *option = option_of_provider(provider, i);
		const struct option_rule rule = option_rule_of(option);
		char variable[OPTION_VARIABLE];

		if (option->env == NULL)
			continue;
		snprintf(variable, sizeof(variable), CONFIG_PREFIX "%s", option->env);
		add_setting(buffer, variable, &rule,
			option->help != NULL ? option->help : option->name);
	}
}

enum cg_status config_describe_roff(const char *edition,
	const struct cg_provider *const *kinds, size_t kind_count,
	struct cg_buffer *buffer)
{
	cg_buffer_format(buffer, ".TH COWGATE.CONF 5 %s\n", edition);
	cg_buffer_text(buffer,
		".SH NAME\ncowgate.conf \\- the settings of Cowgate\n.SH DESCRIPTION\n"
		"Settings are environment variables, or lines NAME=value of the file "
		"that\n"
		".B OPEN_COWORK_GATEWAY_ENV_FILE\n"
		"names: by default /etc/cowgate/cowgate.env for root, else\n"
		"~/.config/cowgate/cowgate.env.  Real variables win.  An empty one "
		"counts as\n"
		"unset.  A secret may be written out or named: env:NAME, file:/path or\n"
		"cred:NAME, a credential of systemd.  Providers may also be entries of "
		"a\n"
		"JSON file.\n"
		".B cowgate check\nreports everything that is wrong.\n.SH SETTINGS\n");
	for (size_t i = 0; i < CONFIG_OPTIONS; i++)
		add_setting(buffer, option_rows[i].variable, &option_rows[i].rule,
			option_rows[i].help);
	for (size_t i = 0; i < option_variable_count; i++)
		add_setting(
			buffer, option_variables[i].name, NULL, option_variables[i].help);
	for (size_t i = 0; i < branding_row_count; i++)
		add_setting(
			buffer, branding_rows[i].variable, NULL, branding_rows[i].help);
	cg_buffer_text(buffer, ".SH PROVIDERS\n");
	for (size_t i = 0; i < kind_count; i++)
		add_kind(buffer, kinds[i]);
	cg_buffer_text(buffer, ".SH SEE ALSO\n.BR cowgate (1)\n");
	return cg_buffer_status(buffer);
}
