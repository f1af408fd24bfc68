/* SPDX-License-Identifier: Apache-2.0 */
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool cg_write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = ENOSPC;
		if (written <= 0)
			return false;
		at += written;
		length -= (size_t)written;
	}
	return true;
}

int cg_sync(int fd)
{
#ifdef F_FULLFSYNC
	/* Not every file system has it; then the disk has no cache of its own that counts. */
	if (fcntl(fd, F_FULLFSYNC) == 0)
		return 0;
#endif
	return fsync(fd);
}

int cg_sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result, reason;

	if (fd < 0)
		return -1;
	result = cg_sync(fd);
	reason = errno;
	close(fd);
	errno = reason;
	return result;
}
