/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static void print_words(const char *between)
{
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++)
		printf("%s%s", command == cli_commands ? "" : between, command->word);
}

static void print_bash(void)
{
	printf("_cowgate() {\n"
	       "  local word=${COMP_WORDS[COMP_CWORD]}\n"
	       "  case ${COMP_WORDS[1]} in\n"
	       "  deliveries) COMPREPLY=($(compgen -W 'list show retry dead-letter "
	       "--json --status "
	       "--limit' -- \"$word\")) ;;\n"
	       "  people) COMPREPLY=($(compgen -W 'list approve deny role remove --json' "
	       "-- \"$word\")) "
	       ";;\n"
	       "  plugin-check) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
	       "  *) COMPREPLY=($(compgen -W '");
	print_words(" ");
	printf("' -- \"$word\")) ;;\n  esac\n}\ncomplete -F _cowgate cowgate\n");
}

static void print_zsh(void)
{
	printf("#compdef cowgate\n_cowgate() {\n  local -a commands\n  commands=(\n");
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++)
		printf("    '%s:%s'\n", command->word, command->help);
	printf("  )\n  _arguments '1: :{_describe command commands}' '*: "
	       ":_files'\n}\n_cowgate \"$@\"\n");
}

static void print_fish(void)
{
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++)
		printf("complete -c cowgate -n __fish_use_subcommand -f -a %s -d '%s'\n",
			command->word, command->help);
}

int cli_completion(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "bash") == 0)
		print_bash();
	else if (argc == 2 && strcmp(argv[1], "zsh") == 0)
		print_zsh();
	else if (argc == 2 && strcmp(argv[1], "fish") == 0)
		print_fish();
	else
		return cli_usage(argv[0], "name a shell");
	return CLI_OK;
}
