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

UNIT_SUITE(platform, UNIT_TEST(peer_is_ourselves), UNIT_TEST(peer_is_unknown_elsewhere),
	UNIT_TEST(a_write_shows_in_the_time), UNIT_TEST(nobody_is_no_signal));
