/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands.  Each gets its own arguments, argv[0] being its word, and gives the exit code:
 * 0 done, 1 failed, 2 not understood. */
#ifndef COWGATE_CLI_COMMAND_H
#define COWGATE_CLI_COMMAND_H

#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

#define CLI_COMMAND(word, function, arguments, help) int function(int argc, char **argv);
#include "cli/command.def"
#undef CLI_COMMAND

struct cli_command {
	const char *word;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
};

/* Ends with a NULL word. */
extern const struct cli_command cli_commands[];

/* The one of that word, or NULL. */
const struct cli_command *cli_command_find(const char *word);

/* Say on stderr what was not understood, with the usage of the command; gives CLI_USAGE. */
int cli_usage(const char *word, const char *what);

#endif
