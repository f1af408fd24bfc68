/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/platform.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void peer_is_ourselves(void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CU_ASSERT_EQUAL(platform_peer_uid(pair[0]), (int64_t)geteuid());
	close(pair[0]);
	close(pair[1]);
}

static void peer_is_unknown_elsewhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(platform_peer_uid(fd), -1);
	close(fd);
	CU_ASSERT_EQUAL(platform_peer_uid(-1), -1);
}

static void a_write_shows_in_the_time(void)
{
	static const struct timespec times[] = {{.tv_sec = 5, .tv_nsec = 0},
		{.tv_sec = 1700000000, .tv_nsec = 123456000}};
	char path[] = "/tmp/cowgate-platform-XXXXXX";
	struct stat file;
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(futimens(fd, times), 0);
	CU_ASSERT_EQUAL(fstat(fd, &file), 0);
	CU_ASSERT_EQUAL(platform_modified_ns(&file), INT64_C(1700000000123456000));
	close(fd);
	unlink(path);
}

/* In a process that a SIGPIPE would end. */
static int send_to_nobody(void)
{
	int pair[2];

	signal(SIGPIPE, SIG_DFL);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 1;
	if (platform_send(pair[0], "t", 1) != 1)
		return 2;
	close(pair[1]);
	return platform_send(pair[0], "t", 1) == -1 && errno == EPIPE ? 0 : 3;
}

static void nobody_is_no_signal(void)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(send_to_nobody());
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
}

/* A child in a group of its own that leaves one behind in a session of its own, and tells its
 * process id on @fd.  Both wait to be killed. */
static void lead_away(int fd)
{
	pid_t away;

	setsid();
	away = fork();
	if (away == 0) {
		pid_t self;

		setsid();
		if (fork() != 0)
			_exit(0); /* its own parent is gone now */
		self = getpid();
		if (write(fd, &self, sizeof(self)) != (ssize_t)sizeof(self))
			_exit(1);
		for (;;)
			pause();
	}
	for (;;)
		pause();
}

/* The work of a keeper, in a process of its own: 0 when nothing has survived. */
static int keep(void)
{
	pid_t child, away = 0, ended;
	int ends[2];

	platform_adopt_orphans();
	if (pipe(ends) != 0)
		return 2;
	child = fork();
	if (child == 0)
		lead_away(ends[1]);
	if (read(ends[0], &away, sizeof(away)) != (ssize_t)sizeof(away))
		return 3;
	do {
		platform_kill_descendants(child);
		ended = waitpid(-1, NULL, 0);
	} while (ended > 0 || errno == EINTR);
	return kill(away, 0) == 0 ? 4 : 0;
}

static int status_of(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void nobody_gets_away(void)
{
	pid_t keeper = fork();

	CU_ASSERT_TRUE_FATAL(keeper >= 0);
	if (keeper == 0)
		_exit(keep());
#ifdef __linux__
	CU_ASSERT_EQUAL(status_of(keeper), 0);
#else
	CU_ASSERT_TRUE(WIFEXITED(status_of(keeper)));
#endif
}

static void whoever_comes_too_late_dies_at_once(void)
{
	pid_t child = fork();
	int status;

	CU_ASSERT_TRUE_FATAL(child >= 0);
	if (child == 0) {
		platform_die_with(getppid() + 1); /* its parent has another id */
		_exit(0);
	}
	status = status_of(child);
	CU_ASSERT_TRUE(WIFSIGNALED(status));
	CU_ASSERT_EQUAL(WTERMSIG(status), SIGKILL);
	child = fork();
	if (child == 0) {
		platform_die_with(getppid());
		_exit(7);
	}
	status = status_of(child);
	CU_ASSERT_TRUE(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 7);
}

UNIT_SUITE(platform, UNIT_TEST(peer_is_ourselves), UNIT_TEST(peer_is_unknown_elsewhere),
	UNIT_TEST(a_write_shows_in_the_time), UNIT_TEST(nobody_is_no_signal),
	UNIT_TEST(nobody_gets_away), UNIT_TEST(whoever_comes_too_late_dies_at_once));
