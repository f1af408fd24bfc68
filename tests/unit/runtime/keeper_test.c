/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's own words, on its line as Cowgate has it; what runs below it process_test.c shows. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUARD_MS 30000 /* a keeper that is silent for so long has failed */
#define ARGUMENTS 48

struct keeper {
	pid_t pid;
	int line; /* ours of descriptor 3 */
	int output; /* of descriptor 1 */
	char said[512];
};

/* In the child.  Nothing of it is given back: another program takes its place. */
static void become(const char *const *arguments)
{
	char *argv[ARGUMENTS] = {strdup("cowgate-keeper")};

	for (size_t i = 1; i < ARGUMENTS - 1 && arguments[i - 1] != NULL; i++)
		argv[i] = strdup(arguments[i - 1]);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2); /* shells tell of signals */
	execv(TEST_KEEPER, argv);
}

static void keeper_start(struct keeper *keeper, const char *const *arguments)
{
	int line[2], output[2];

	memset(keeper, 0, sizeof(*keeper));
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(output), 0);
	fcntl(line[0], F_SETFD, FD_CLOEXEC);
	fcntl(output[0], F_SETFD, FD_CLOEXEC);
	keeper->pid = fork();
	if (keeper->pid == 0) {
		/* Out of the way of where they go. */
		int far_line = fcntl(line[1], F_DUPFD, 20);
		int far_output = fcntl(output[1], F_DUPFD, 20);

		if (dup2(far_line, 3) == 3 && dup2(far_output, 1) == 1)
			become(arguments);
		_exit(126);
	}
	close(line[1]);
	close(output[1]);
	keeper->line = line[0];
	keeper->output = output[0];
}

/* The next bytes from there, "" when it has closed. */
static const char *hear(struct keeper *keeper, int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t got;

	CU_ASSERT_EQUAL_FATAL(poll(&wait, 1, GUARD_MS), 1);
	got = read(fd, keeper->said, sizeof(keeper->said) - 1);
	keeper->said[got > 0 ? got : 0] = '\0';
	return keeper->said;
}

/* It says this in one line, and ends with @code. */
static void keeper_ends(struct keeper *keeper, const char *report, int code)
{
	int status = 0;

	CU_ASSERT_STRING_EQUAL(hear(keeper, keeper->line), report);
	CU_ASSERT_STRING_EQUAL(hear(keeper, keeper->line), "");
	CU_ASSERT_EQUAL(waitpid(keeper->pid, &status, 0), keeper->pid);
	CU_ASSERT_TRUE(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), code);
	close(keeper->line);
	close(keeper->output);
}

static void expect(const char *const *arguments, const char *report, int code)
{
	struct keeper keeper;

	keeper_start(&keeper, arguments);
	keeper_ends(&keeper, report, code);
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void keeper_says_how_it_ended(void)
{
	expect(ARGV("--", "sh", "-c", "exit 0"), "e 0\n", 0);
	expect(ARGV("--", "sh", "-c", "exit 77"), "e 77\n", 0);
	expect(ARGV("--", "sh", "-c", "kill -KILL $$"), "s 9\n", 0);
	/* What stands behind the program is the program's. */
	expect(ARGV("sh", "-c", "[ \"$1\" = -d ] && exit 5", "sh", "-d"), "e 5\n", 0);
}

static void keeper_says_what_it_cannot_do(void)
{
	expect(ARGV("-x", "--", "sh"), "f the keeper was called with an unknown option\n",
		1);
	expect(ARGV("--"), "f there is no program to run\n", 1);
	expect(ARGV("-d", "/"), "f there is no program to run\n", 1);
	expect(ARGV("--", "/no/such/program"),
		"f the agent's program cannot be run: No such file or directory\n", 1);
	expect(ARGV("-d", "/no/such/place", "--", "sh"),
		"f the agent's directory cannot be entered: No such file or directory\n",
		1);
}

static void keeper_takes_only_limits_that_it_knows(void)
{
	static const char *const bad[] = {
		"nofile", "nofile=", "nofile=7x", "nofil=7", "=7", "nofiles=7", ""};
	const char *many[] = {"-l", "core=0", "-l", "core=0", "-l", "core=0", "-l",
		"core=0", "-l", "core=0", "-l", "core=0", "-l", "core=0", "-l", "core=0",
		"-l", "core=0", "-l", "core=0", "-l", "core=0", "-l", "core=0", "-l",
		"core=0", "-l", "core=0", "-l", "core=0", "-l", "nofile=55", "--", "sh",
		"-c", "exit $(ulimit -n)", NULL, NULL, NULL};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(ARGV("-l", bad[i], "--", "sh"),
			"f one of the agent's limits is not NAME=NUMBER\n", 1);
	expect(many, "e 55\n", 0); /* sixteen */
	/* And one more. */
	memmove(many + 2, many, 36 * sizeof(many[0]));
	many[0] = "-l";
	many[1] = "core=0";
	expect(many, "f one of the agent's limits is not NAME=NUMBER\n", 1);
}

/* A program that has said "up" before it is told to end. */
static void keeper_up(struct keeper *keeper, const char *script)
{
	keeper_start(keeper, ARGV("--", "sh", "-c", script));
	CU_ASSERT_STRING_EQUAL(hear(keeper, keeper->output), "up\n");
}

static void keeper_ends_what_it_is_told_to(void)
{
	struct keeper keeper;

	keeper_up(&keeper, "trap 'exit 9' TERM; echo up; while :; do sleep 1; done");
	CU_ASSERT_EQUAL(write(keeper.line, "t", 1), 1);
	keeper_ends(&keeper, "e 9\n", 0); /* it was asked, and could tidy up */
	keeper_up(&keeper, "trap '' TERM; echo up; while :; do sleep 1; done");
	CU_ASSERT_EQUAL(write(keeper.line, "k", 1), 1);
	keeper_ends(&keeper, "s 9\n", 0); /* it was not */
}

/* Nobody but Cowgate ends it, and what it keeps; the line that breaks does. */
static void keeper_heeds_only_its_line(void)
{
	struct keeper keeper;
	int status = 0;

	keeper_up(&keeper, "trap 'echo asked; exit 0' TERM; echo up;"
			   "while :; do sleep 1; done");
	CU_ASSERT_EQUAL(kill(keeper.pid, SIGTERM), 0);
	CU_ASSERT_EQUAL(kill(keeper.pid, SIGINT), 0);
	CU_ASSERT_EQUAL(kill(keeper.pid, SIGHUP), 0);
	CU_ASSERT_EQUAL(waitpid(keeper.pid, &status, WNOHANG), 0);
	close(keeper.line);
	CU_ASSERT_STRING_EQUAL(hear(&keeper, keeper.output), "asked\n");
	CU_ASSERT_EQUAL(waitpid(keeper.pid, &status, 0), keeper.pid);
	CU_ASSERT_EQUAL(status, 0);
	close(keeper.output);
}

/* The program's output is its own: it can close it, and whoever reads sees that at once. */
static void keeper_holds_none_of_its_pipes(void)
{
	struct keeper keeper;

	keeper_up(&keeper, "echo up; exec >/dev/null; while :; do sleep 1; done");
	CU_ASSERT_STRING_EQUAL(hear(&keeper, keeper.output), "");
	CU_ASSERT_EQUAL(write(keeper.line, "k", 1), 1);
	keeper_ends(&keeper, "s 9\n", 0);
}

UNIT_SUITE(keeper, UNIT_TEST(keeper_says_how_it_ended),
	UNIT_TEST(keeper_says_what_it_cannot_do),
	UNIT_TEST(keeper_takes_only_limits_that_it_knows),
	UNIT_TEST(keeper_ends_what_it_is_told_to), UNIT_TEST(keeper_heeds_only_its_line),
	UNIT_TEST(keeper_holds_none_of_its_pipes));
