/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* pseudo terminals */
#include "providers/cli/terminal.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Both ends of a terminal. */
struct pair {
	int master, slave;
};

static struct pair pair_open(void)
{
	struct pair pair = {.master = posix_openpt(O_RDWR | O_NOCTTY)};

	CU_ASSERT_TRUE_FATAL(pair.master >= 0);
	CU_ASSERT_EQUAL_FATAL(grantpt(pair.master), 0);
	CU_ASSERT_EQUAL_FATAL(unlockpt(pair.master), 0);
	pair.slave = open(ptsname(pair.master), O_RDWR | O_NOCTTY);
	CU_ASSERT_TRUE_FATAL(pair.slave >= 0);
	fcntl(pair.master, F_SETFL, O_NONBLOCK);
	return pair;
}

static void pair_close(const struct pair *pair)
{
	close(pair->slave);
	close(pair->master);
}

/* What the screen shows since it was looked at last. */
static const char *shown(const struct pair *pair)
{
	static char text[4096];
	ssize_t count = read(pair->master, text, sizeof(text) - 1);

	text[count > 0 ? count : 0] = '\0';
	return text;
}

static void only_a_clever_terminal_fits(void)
{
	struct pair pair = pair_open();
	const char *name = getenv("TERM");
	char *before = name == NULL ? NULL : strdup(name);
	int pipe_ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(pipe_ends), 0);
	setenv("TERM", "xterm", 1);
	CU_ASSERT_TRUE(terminal_fits(pair.slave, pair.slave));
	CU_ASSERT_FALSE(terminal_fits(pipe_ends[0], pair.slave));
	CU_ASSERT_FALSE(terminal_fits(pair.slave, pipe_ends[1]));
	setenv("TERM", "dumb", 1);
	CU_ASSERT_FALSE(terminal_fits(pair.slave, pair.slave));
	setenv("TERM", "", 1);
	CU_ASSERT_FALSE(terminal_fits(pair.slave, pair.slave));
	unsetenv("TERM");
	CU_ASSERT_FALSE(terminal_fits(pair.slave, pair.slave));
	if (before != NULL)
		setenv("TERM", before, 1);
	free(before);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	pair_close(&pair);
}

static void what_is_taken_is_given_back(void)
{
	struct pair pair = pair_open();
	struct terminal terminal = {.open = false};
	struct termios before, now;

	CU_ASSERT_EQUAL_FATAL(tcgetattr(pair.slave, &before), 0);
	CU_ASSERT_TRUE(terminal_open(&terminal, pair.slave, pair.slave));
	CU_ASSERT_TRUE(terminal.open);
	CU_ASSERT_STRING_EQUAL(shown(&pair), "\033[?2004h");
	tcgetattr(pair.slave, &now);
	CU_ASSERT_EQUAL(now.c_lflag & (ICANON | ECHO | IEXTEN), 0);
	CU_ASSERT_NOT_EQUAL(now.c_lflag & ISIG, 0); /* Ctrl-C still ends us */
	CU_ASSERT_EQUAL(now.c_iflag & (ICRNL | IXON), 0);
	CU_ASSERT_EQUAL(now.c_cc[VMIN], 1);
	CU_ASSERT_EQUAL(now.c_cc[VSUSP], _POSIX_VDISABLE);
	terminal_close(&terminal, pair.slave, pair.slave);
	CU_ASSERT_FALSE(terminal.open);
	CU_ASSERT_STRING_EQUAL(shown(&pair), "\033[?2004l\r\033[K");
	tcgetattr(pair.slave, &now);
	CU_ASSERT_EQUAL(now.c_lflag, before.c_lflag);
	CU_ASSERT_EQUAL(now.c_iflag, before.c_iflag);
	CU_ASSERT_EQUAL(now.c_cc[VSUSP], before.c_cc[VSUSP]);
	terminal_close(&terminal, pair.slave, pair.slave); /* twice is as once */
	CU_ASSERT_STRING_EQUAL(shown(&pair), "");
	pair_close(&pair);
}

static void what_is_no_terminal_stays_as_it_is(void)
{
	struct pair pair = pair_open();
	struct terminal terminal = {.open = false};
	struct termios before, now;
	int pipe_ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(pipe_ends), 0);
	CU_ASSERT_FALSE(terminal_open(&terminal, pipe_ends[0], pipe_ends[1]));
	CU_ASSERT_FALSE(terminal.open);
	/* Nor does one stay raw whose screen cannot be written to. */
	CU_ASSERT_EQUAL_FATAL(tcgetattr(pair.slave, &before), 0);
	CU_ASSERT_FALSE(terminal_open(&terminal, pair.slave, pipe_ends[0]));
	CU_ASSERT_FALSE(terminal.open);
	tcgetattr(pair.slave, &now);
	CU_ASSERT_EQUAL(now.c_lflag, before.c_lflag);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	pair_close(&pair);
}

static void the_log_of_the_same_screen_goes_round(void)
{
	struct pair pair = pair_open();
	struct terminal terminal = {.open = false};
	int errors = dup(STDERR_FILENO);
	char line[16] = "";

	dup2(pair.slave, STDERR_FILENO);
	CU_ASSERT_TRUE(terminal_open(&terminal, pair.slave, pair.slave));
	shown(&pair);
	CU_ASSERT_TRUE_FATAL(terminal.log >= 0);
	CU_ASSERT_EQUAL(write(STDERR_FILENO, "one", 3), 3);
	CU_ASSERT_STRING_EQUAL(shown(&pair), "");
	CU_ASSERT_EQUAL(read(terminal.log, line, sizeof(line)), 3);
	CU_ASSERT_STRING_EQUAL(line, "one");
	CU_ASSERT_EQUAL(write(STDERR_FILENO, "two", 3), 3); /* nobody reads it */
	terminal_close(&terminal, pair.slave, pair.slave);
	CU_ASSERT_STRING_EQUAL(shown(&pair), "\033[?2004l\r\033[Ktwo");
	CU_ASSERT_EQUAL(write(STDERR_FILENO, "three", 5), 5);
	CU_ASSERT_STRING_EQUAL(shown(&pair), "three");
	CU_ASSERT_EQUAL(terminal.log, -1);
	dup2(errors, STDERR_FILENO);
	close(errors);
	pair_close(&pair);
}

static void a_log_that_goes_elsewhere_stays_there(void)
{
	struct pair pair = pair_open();
	struct terminal terminal = {.open = false};
	int errors = dup(STDERR_FILENO);
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	CU_ASSERT_TRUE(terminal_open(&terminal, pair.slave, pair.slave));
	CU_ASSERT_EQUAL(terminal.log, -1);
	CU_ASSERT_EQUAL(terminal.error, -1);
	terminal_close(&terminal, pair.slave, pair.slave);
	dup2(errors, STDERR_FILENO);
	close(errors);
	close(null);
	pair_close(&pair);
}

static void eighty_columns_where_nobody_knows(void)
{
	struct pair pair = pair_open();
	struct winsize size = {.ws_col = 132, .ws_row = 50};
	int null = open("/dev/null", O_WRONLY);

	CU_ASSERT_EQUAL(terminal_columns(null), 80);
	CU_ASSERT_EQUAL(terminal_columns(-1), 80);
	CU_ASSERT_EQUAL_FATAL(ioctl(pair.slave, TIOCSWINSZ, &size), 0);
	CU_ASSERT_EQUAL(terminal_columns(pair.slave), 132);
	size.ws_col = 0;
	CU_ASSERT_EQUAL_FATAL(ioctl(pair.slave, TIOCSWINSZ, &size), 0);
	CU_ASSERT_EQUAL(terminal_columns(pair.slave), 80);
	close(null);
	pair_close(&pair);
}

UNIT_SUITE(cli_terminal, UNIT_TEST(only_a_clever_terminal_fits),
	UNIT_TEST(what_is_taken_is_given_back),
	UNIT_TEST(what_is_no_terminal_stays_as_it_is),
	UNIT_TEST(the_log_of_the_same_screen_goes_round),
	UNIT_TEST(a_log_that_goes_elsewhere_stays_there),
	UNIT_TEST(eighty_columns_where_nobody_knows));
