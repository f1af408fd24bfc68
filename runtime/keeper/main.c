/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cowgate-keeper: runs one program and sees to it that nothing of it survives.
 *
 *	cowgate-keeper [-d DIRECTORY] [-u USER] [-l LIMIT=VALUE]... -- PROGRAM [ARGUMENT]...
 *
 * Descriptors 0 to 2 are the program's, 3 is the line to Cowgate; all others are closed.  The
 * environment is the program's as it is.  On the line Cowgate says 't' (end it) or 'k' (kill
 * it); when the line breaks, because Cowgate is gone, that is a 't'.  Once the program and all
 * that came of it is dead, the keeper says how it ended, in one line, and ends too:
 *
 *	e CODE    it exited      s NUMBER    a signal ended it      f SENTENCE    it never ran
 *
 * A program of its own, so that what stays in memory beside every agent is small.
 */
#include "runtime/platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE 3 /* descriptor of the line to Cowgate */
#define GRACE_MS 2000 /* from SIGTERM to SIGKILL */
#define REAP_MS 5000 /* for what cannot be killed */
#define LIMITS 16
#define REPORT 256 /* bytes of a report */

struct limit {
	int resource;
	rlim_t value;
};

struct job {
	const char *directory; /* NULL: stay */
	const char *user; /* NULL: stay */
	struct limit limits[LIMITS];
	size_t limit_count;
	char **argv;
};

static void say(const char *report)
{
	ssize_t sent = platform_send(LINE, report, strlen(report));

	(void)sent; /* nobody is left who could be told */
}

static void say_failed(const char *what, int code)
{
	char report[REPORT];

	snprintf(report, sizeof(report), "f %s: %s\n", what, strerror(code));
	say(report);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- before the program ---- */

static bool read_limit(struct job *job, const char *text)
{
	static const struct {
		const char *name;
		int resource;
	} known[] = {
#define KEEPER_LIMIT(name, resource) {name, (int)resource},
#include "runtime/keeper/limit.def"
#undef KEEPER_LIMIT
	};
	size_t length = strcspn(text, "=");
	unsigned long long value;
	char *end;

	if (text[length] != '=' || job->limit_count == LIMITS)
		return false;
	value = strtoull(text + length + 1, &end, 10);
	if (end == text + length + 1 || *end != '\0')
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(known[i].name, text, length) != 0 ||
			known[i].name[length] != '\0')
			continue;
		job->limits[job->limit_count++] =
			(struct limit){known[i].resource, (rlim_t)value};
		return true;
	}
	return false;
}

static bool read_arguments(struct job *job, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+d:u:l:")) != -1) {
		switch (option) {
		case 'd':
			job->directory = optarg;
			break;
		case 'u':
			job->user = optarg;
			break;
		case 'l':
			if (!read_limit(job, optarg)) {
				say("f one of the agent's limits is not NAME=NUMBER\n");
				return false;
			}
			break;
		default:
			say("f the keeper was called with an unknown option\n");
			return false;
		}
	}
	job->argv = argv + optind;
	if (optind < argc)
		return true;
	say("f there is no program to run\n");
	return false;
}

/* Whatever Cowgate has open is not the program's. */
static void close_others(void)
{
	DIR *directory = opendir("/dev/fd");
	const struct dirent *entry;
	long most = sysconf(_SC_OPEN_MAX);

	if (directory == NULL) {
		for (int fd = LINE + 1; fd < (most > 0 && most < 65536 ? most : 65536);
			fd++)
			close(fd);
		return;
	}
	while ((entry = readdir(directory)) != NULL) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);

		if (*end == '\0' && fd > LINE && fd != dirfd(directory))
			close((int)fd);
	}
	closedir(directory);
}

/* ---- the program ---- */

static const char *become_user(const char *name)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (user == NULL) {
		errno = errno == 0 ? ENOENT : errno;
		return "the agent's user is not known";
	}
	if (user->pw_uid == geteuid())
		return NULL;
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
		setuid(user->pw_uid) != 0)
		return "the agent's user cannot be taken on";
	setenv("HOME", user->pw_dir, 0);
	setenv("USER", name, 1);
	setenv("LOGNAME", name, 1);
	return NULL;
}

static void reset_signals(void)
{
	const int changed[] = {SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGTERM};
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		sigaction(changed[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What failed, with errno; does not come back when all went well. */
static const char *become(const struct job *job, pid_t keeper)
{
	const char *failed = NULL;

	setsid();
	reset_signals();
	for (size_t i = 0; i < job->limit_count; i++) {
		const struct rlimit limit = {job->limits[i].value, job->limits[i].value};

		if (setrlimit(job->limits[i].resource, &limit) != 0)
			return "a limit of the agent cannot be set";
	}
	if (job->user != NULL)
		failed = become_user(job->user);
	if (failed != NULL)
		return failed;
	if (job->directory != NULL && chdir(job->directory) != 0)
		return "the agent's directory cannot be entered";
	platform_inherit_no_rights();
	platform_die_with(keeper);
	execvp(job->argv[0], job->argv);
	return "the agent's program cannot be run";
}

/* The program's process, or -1 after a report.  A pipe that closes by exec tells which. */
static pid_t start(const struct job *job)
{
	struct {
		char what[REPORT];
		int code;
	} failure;
	pid_t child, self = getpid();
	int ends[2];
	ssize_t got;

	if (pipe(ends) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0) {
		say_failed("the agent's program cannot be run", errno);
		return -1;
	}
	child = fork();
	if (child == 0) {
		const char *what;

		close(ends[0]);
		memset(&failure, 0, sizeof(failure));
		what = become(job, self);
		failure.code = errno;
		snprintf(failure.what, sizeof(failure.what), "%s", what);
		got = write(ends[1], &failure, sizeof(failure));
		_exit(got == (ssize_t)sizeof(failure) ? 127 : 126);
	}
	close(ends[1]);
	if (child < 0) {
		say_failed("the agent's program cannot be run", errno);
		close(ends[0]);
		return -1;
	}
	do
		got = read(ends[0], &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	close(ends[0]);
	if (got != (ssize_t)sizeof(failure))
		return child;
	waitpid(child, NULL, 0);
	say_failed(failure.what, failure.code);
	return -1;
}

/* ---- while it runs ---- */

static void on_child(int number)
{
	(void)number; /* its one purpose is to end pselect() */
}

/* The keeper heeds nobody but Cowgate; SIGCHLD comes only while it waits. */
static void set_signals(sigset_t *ret_waiting)
{
	const int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &action, NULL);
	action.sa_handler = on_child;
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigemptyset(ret_waiting);
}

/* True when the program itself has ended; orphans are buried on the way. */
static bool reap(pid_t child, int *ret_status)
{
	pid_t ended;
	int status;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
		if (ended != child)
			continue;
		*ret_status = status;
		return true;
	}
	return ended < 0 && errno == ECHILD;
}

/* Until the program ends, or cannot be killed.  Its status as waitpid() has it. */
static int watch(pid_t child, const sigset_t *waiting)
{
	int64_t deadline = -1, given_up = -1;
	bool line = true; /* is there */
	int status = 0;

	while (!reap(child, &status)) {
		struct timespec pause = {0};
		char order = 't';
		ssize_t got;
		fd_set set;

		if (deadline >= 0 && now_ms() >= deadline) {
			platform_kill_descendants(child);
			deadline = now_ms() + 100;
			given_up = given_up < 0 ? deadline + REAP_MS : given_up;
			if (deadline > given_up)
				return status;
		}
		if (deadline >= 0) {
			int64_t left = deadline - now_ms();

			left = left < 1 ? 1 : left;
			pause.tv_sec = (time_t)(left / 1000);
			pause.tv_nsec = (long)(left % 1000 * 1000000);
		}
		FD_ZERO(&set);
		if (line)
			FD_SET(LINE, &set);
		if (pselect(LINE + 1, &set, NULL, NULL, deadline < 0 ? NULL : &pause,
			    waiting) <= 0)
			continue;
		got = read(LINE, &order, 1);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		line = got > 0;
		if (order == 'k') {
			deadline = now_ms();
		} else if (deadline < 0) {
			kill(-child, SIGTERM);
			deadline = now_ms() + GRACE_MS;
		}
	}
	return status;
}

/* Whatever the program has left running. */
static void end_rest(pid_t child)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int64_t deadline = now_ms() + REAP_MS;

	for (;;) {
		pid_t ended;

		platform_kill_descendants(child);
		while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (ended < 0 || now_ms() >= deadline)
			return;
		nanosleep(&pause, NULL);
	}
}

/* The program's pipes are its own: here they would hide that it has closed them. */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; null >= 0 && fd < LINE; fd++)
		dup2(null, fd);
	if (null > LINE)
		close(null);
	if (chdir("/") != 0)
		return; /* then a directory stays busy for as long as the program runs */
}

int main(int argc, char **argv)
{
	struct job job = {0};
	char report[REPORT];
	sigset_t waiting;
	pid_t child;
	int status;

	setsid();
	close_others();
	fcntl(LINE, F_SETFD, FD_CLOEXEC);
	set_signals(&waiting);
	platform_adopt_orphans();
	if (!read_arguments(&job, argc, argv))
		return 1;
	child = start(&job);
	if (child < 0)
		return 1;
	let_go();
	status = watch(child, &waiting);
	end_rest(child);
	if (WIFSIGNALED(status))
		snprintf(report, sizeof(report), "s %d\n", WTERMSIG(status));
	else
		snprintf(report, sizeof(report), "e %d\n", WEXITSTATUS(status));
	say(report);
	return 0;
}
