/* SPDX-License-Identifier: Apache-2.0 */
/* The manual pages, from the tables that the help and the settings come from. */
#include "cli/command.h"
#include "cli/settings.h"
#include "config/describe.h"
#include "config/roff.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MANUAL_MAX (1u << 20) /* bytes of a page */

/* The day is that of the release, so that a page is the same wherever it is made. */
static const char *edition(void)
{
	static char text[64];
	time_t built = (time_t)(COWGATE_BUILT_MS / 1000);
	struct tm day;

	gmtime_r(&built, &day);
	strftime(
		text, sizeof(text), "\"%Y-%m-%d\" \"cowgate " COWGATE_VERSION "\"", &day);
	return text;
}

static void add_commands(struct cg_buffer *buffer)
{
	cg_buffer_format(buffer, ".TH COWGATE 1 %s\n", edition());
	cg_buffer_text(buffer,
		".SH NAME\n"
		"cowgate \\- talk to your AI agents from the channels you already use\n"
		".SH SYNOPSIS\n.B cowgate\n.I command\n.RI [ arguments ]\n"
		".SH COMMANDS\n");
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++) {
		cg_buffer_text(buffer, ".TP\n\\fB");
		roff_text(buffer, command->word);
		cg_buffer_text(buffer, "\\fP ");
		roff_text(buffer, command->arguments);
		cg_buffer_char(buffer, '\n');
		roff_text(buffer, command->help);
		cg_buffer_text(buffer, ".\n");
	}
	cg_buffer_text(buffer,
		".SH EXIT STATUS\n0: done.  1: it failed, and stderr says what to do.  "
		"2: it "
		"was not understood.\n"
		".SH FILES\n.TP\n/etc/cowgate/cowgate.env\nsettings of the service\n"
		".TP\n~/.config/cowgate/cowgate.env\nsettings of a person's own gateway\n"
		".TP\n/var/lib/cowgate\nwhat the service stores\n"
		".SH SEE ALSO\n.BR cowgate.conf (5)\n");
}

static enum cg_status add_settings(struct cg_buffer *buffer)
{
	const struct cg_provider *const *kinds;
	struct settings settings;
	size_t count;
	enum cg_status status = settings_load(&settings);

	if (status == CG_OK) {
		kinds = loader_providers(settings.loader, &count);
		status = config_describe_roff(edition(), kinds, count, buffer);
	}
	settings_finish(&settings);
	return status;
}

int cli_manual(int argc, char **argv)
{
	struct cg_buffer buffer;
	enum cg_status status = CG_OK;

	cg_buffer_init(&buffer, MANUAL_MAX);
	if (argc == 2 && strcmp(argv[1], "cowgate.1") == 0)
		add_commands(&buffer);
	else if (argc == 2 && strcmp(argv[1], "cowgate.conf.5") == 0)
		status = add_settings(&buffer);
	else
		return cli_usage(argv[0], "name a page: cowgate.1 or cowgate.conf.5");
	if (status == CG_OK)
		status = cg_buffer_status(&buffer);
	if (status == CG_OK)
		fputs(cg_buffer_string(&buffer), stdout);
	cg_buffer_finish(&buffer);
	return status == CG_OK ? CLI_OK : CLI_FAILED;
}
