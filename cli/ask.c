/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ask.h"

#include <cowgate/sdk/secret.h>
#include <cowgate/sdk/text.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

/* Does the line end here?  What is left of it is gone then. */
static bool at_line_end(void)
{
	int c = getchar();
	bool end = c == EOF || c == '\n';

	while (c != EOF && c != '\n')
		c = getchar();
	return end;
}

bool ask_read(char *ret, size_t size)
{
	size_t length;

	ret[0] = '\0';
	if (fgets(ret, (int)size, stdin) == NULL)
		return false;
	length = strlen(ret);
	if (length + 1 == size && ret[length - 1] != '\n' && !at_line_end()) {
		cg_wipe(ret, size);
		return false;
	}
	while (length > 0 && strchr("\r\n \t", ret[length - 1]) != NULL)
		ret[--length] = '\0';
	return true;
}

bool ask_line(const char *question, const char *fallback, char *ret, size_t size)
{
	if (fallback != NULL && fallback[0] != '\0')
		printf("%s [%s]: ", question, fallback);
	else
		printf("%s: ", question);
	fflush(stdout);
	if (!ask_read(ret, size))
		return false;
	if (ret[0] == '\0' && fallback != NULL)
		cg_text_copy(ret, size, fallback);
	return true;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

/* Whoever gives up in the middle gets a terminal that shows again what is typed. */
bool ask_secret(const char *question, char *ret, size_t size)
{
	const struct sigaction end = {.sa_handler = interrupt};
	struct sigaction earlier;
	struct termios before, silent;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	bool answered;

	if (!terminal)
		return ask_line(question, NULL, ret, size);
	interrupted = 0;
	sigaction(SIGINT, &end, &earlier);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	printf("%s (not shown): ", question);
	fflush(stdout);
	answered = ask_read(ret, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	sigaction(SIGINT, &earlier, NULL);
	printf("\n");
	if (interrupted != 0)
		raise(interrupted);
	return answered;
}

bool ask_yes(const char *question)
{
	char answer[16];

	if (!ask_line(question, "Y", answer, sizeof(answer)))
		return false;
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
