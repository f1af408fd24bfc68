/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __linux__
#define _GNU_SOURCE /* struct ucred */
#endif
#include "runtime/peer.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static int is_unix(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       address.ss_family == AF_UNIX;
}

int64_t peer_uid(int fd)
{
	/* Linux would answer for a TCP socket too, with a number that means nothing. */
	if (!is_unix(fd))
		return -1;
#ifdef __linux__
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
		length != sizeof(credentials) || credentials.uid == (uid_t)-1)
		return -1;
	return (int64_t)credentials.uid;
#else
	uid_t uid;
	gid_t gid;

	if (getpeereid(fd, &uid, &gid) != 0)
		return -1;
	return (int64_t)uid;
#endif
}
