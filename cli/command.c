/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

const struct cli_command cli_commands[] = {
#define CLI_COMMAND(word, function, arguments, help) {word, function, arguments, help},
#include "cli/command.def"
#undef CLI_COMMAND
	{NULL, NULL, NULL, NULL},
};

const struct cli_command *cli_command_find(const char *word)
{
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++) {
		if (strcmp(command->word, word) == 0)
			return command;
	}
	return NULL;
}

int cli_usage(const char *word, const char *what)
{
	const struct cli_command *command = cli_command_find(word);

	if (what != NULL)
		fprintf(stderr, "cowgate %s: %s\n", word, what);
	fprintf(stderr, "usage: cowgate %s %s\n", word,
		command == NULL ? "" : command->arguments);
	return CLI_USAGE;
}
