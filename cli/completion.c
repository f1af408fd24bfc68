/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion scripts, made of the same table as the help.  A command's arguments are read for their
 * words: the alternatives that come first ("list|show ID" gives list and show), and switches
 * ("[--json]" gives --json).  What is written in capitals is for the person.
 */
#include "cli/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 32 /* bytes of a word with its NUL */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* The next word of *@at; false: there is none. */
static bool next_word(const char **at, const char *arguments, char ret[WORD_MAX])
{
	while (**at != '\0') {
		const char *begin = *at;
		size_t length = 0;
		bool first = strcspn(arguments, " ") > (size_t)(begin - arguments);

		while (is_word(begin[length]))
			length++;
		*at = begin + (length == 0 ? strcspn(begin, " |[") + 1 : length);
		if (*at > arguments + strlen(arguments))
			*at = arguments + strlen(arguments);
		/* Of a capital's tail nothing is a word, and only the first argument has choices. */
		if (length == 0 || length >= WORD_MAX || (begin[0] != '-' && !first))
			continue;
		memcpy(ret, begin, length);
		ret[length] = '\0';
		return true;
	}
	return false;
}

static void print_commands(void)
{
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++)
		printf("%s%s", command == cli_commands ? "" : " ", command->word);
}

static bool takes_a_file(const struct cli_command *command)
{
	return strncmp(command->arguments, "FILE", 4) == 0 ||
	       strncmp(command->arguments, "DIR", 3) == 0;
}

static void print_bash(void)
{
	char word[WORD_MAX];

	printf("_cowgate() {\n  local words=''\n  case $COMP_CWORD:${COMP_WORDS[1]} in\n"
	       "  1:*) words='");
	print_commands();
	printf("' ;;\n");
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++) {
		const char *at = command->arguments;

		printf("  *:%s) words='", command->word);
		while (next_word(&at, command->arguments, word))
			printf("%s ", word);
		printf("'%s ;;\n", takes_a_file(command)
					   ? "; COMPREPLY=($(compgen -f -- "
					     "\"${COMP_WORDS[COMP_CWORD]}\"))"
					   : "");
	}
	printf("  esac\n  COMPREPLY+=($(compgen -W \"$words\" -- "
	       "\"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
	       "complete -F _cowgate cowgate\n");
}

static void print_zsh(void)
{
	char word[WORD_MAX];

	printf("#compdef cowgate\n_cowgate() {\n  local -a commands\n  commands=(\n");
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++)
		printf("    '%s:%s'\n", command->word, command->help);
	printf("  )\n  if (( CURRENT == 2 )); then _describe command commands; return; "
	       "fi\n"
	       "  case $words[2] in\n");
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++) {
		const char *at = command->arguments;

		printf("  %s) compadd --", command->word);
		while (next_word(&at, command->arguments, word))
			printf(" %s", word);
		printf("%s ;;\n", takes_a_file(command) ? "; _files" : "");
	}
	printf("  esac\n}\n_cowgate \"$@\"\n");
}

static void print_fish(void)
{
	char word[WORD_MAX];

	printf("complete -c cowgate -f\n");
	for (const struct cli_command *command = cli_commands; command->word != NULL;
		command++) {
		const char *at = command->arguments;

		printf("complete -c cowgate -n __fish_use_subcommand -a %s -d '%s'\n",
			command->word, command->help);
		if (takes_a_file(command))
			printf("complete -c cowgate -n '__fish_seen_subcommand_from %s' "
			       "-F\n",
				command->word);
		while (next_word(&at, command->arguments, word))
			printf("complete -c cowgate -n '__fish_seen_subcommand_from %s' "
			       "-a %s\n",
				command->word, word);
	}
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
