/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/peer.h"
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void peer_is_ourselves(void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CU_ASSERT_EQUAL(peer_uid(pair[0]), (int64_t)geteuid());
	close(pair[0]);
	close(pair[1]);
}

static void peer_is_unknown_elsewhere(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL(peer_uid(fd), -1);
	close(fd);
	CU_ASSERT_EQUAL(peer_uid(-1), -1);
}

UNIT_SUITE(peer, UNIT_TEST(peer_is_ourselves), UNIT_TEST(peer_is_unknown_elsewhere));
