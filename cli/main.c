/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/program.h"
#include "cli/settings.h"

#include <stdio.h>
#include <string.h>

static void print_help(void)
{
	printf("cowgate %s: talk to your AI agents from the channels you already use\n\n"
	       "usage: cowgate COMMAND [ARGUMENTS]\n\n",
		COWGATE_VERSION);
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++)
		printf("  %-13s %s\n", command->word, command->help);
	printf("\ncowgate COMMAND --help tells more.  Settings come from the "
	       "environment; "
	       "`cowgate config` shows them.\n");
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		printf("usage: cowgate %s %s\n\n%s\n", command->word, command->arguments,
			command->help);
		return CLI_OK;
	}
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	const struct cli_command *command;

	program_remember(argv[0]);
	settings_adopt_file();
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_help();
		return argc < 2 ? CLI_USAGE : CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("cowgate %s\n", COWGATE_VERSION);
		return CLI_OK;
	}
	command = cli_command_find(argv[1]);
	if (command == NULL) {
		fprintf(stderr,
			"cowgate: there is no command \"%s\"; `cowgate --help` lists "
			"them\n",
			argv[1]);
		return CLI_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
