/* SPDX-License-Identifier: Apache-2.0 */
#include <cowgate/sdk/host_lock.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_ATTEMPTS 10 /* while its holders come and go */

/* Writable for everyone, where they exist. */
static const char *const directories[] = {"/run/lock", "/var/lock", "/tmp"};

void cg_host_lock_init(struct cg_host_lock *lock)
{
	lock->fd = -1;
	lock->path[0] = '\0';
}

static int open_in(struct cg_host_lock *lock, const char *directory, const char *name)
{
	int length = snprintf(
		lock->path, sizeof(lock->path), "%s/cowgate-%s.lock", directory, name);

	if (length < 0 || (size_t)length >= sizeof(lock->path))
		return -1;
	return open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int open_file(struct cg_host_lock *lock, const char *directory, const char *name)
{
	int fd = -1;

	if (directory[0] != '\0')
		return open_in(lock, directory, name);
	for (size_t i = 0; fd < 0 && i < sizeof(directories) / sizeof(*directories); i++)
		fd = open_in(lock, directories[i], name);
	return fd;
}

static long holder_of(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid < 0)
		return 0;
	return (long)lock.l_pid;
}

/* Is what was locked still what has the name?  Its last holder has removed it otherwise. */
static bool is_current(const struct cg_host_lock *lock, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(lock->path, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

enum cg_status cg_host_lock_take(struct cg_host_lock *lock, const char *directory,
	const char *name, long *ret_holder)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int i = 0; lock->fd < 0 && i < LOCK_ATTEMPTS; i++) {
		int fd = open_file(lock, directory, name);

		if (fd < 0)
			return CG_OK;
		if (fcntl(fd, F_SETLK, &whole) != 0) {
			if (ret_holder != NULL)
				*ret_holder = holder_of(fd);
			close(fd);
			return CG_BUSY;
		}
		if (is_current(lock, fd))
			lock->fd = fd;
		else
			close(fd);
	}
	return CG_OK;
}

void cg_host_lock_drop(struct cg_host_lock *lock)
{
	if (lock->fd < 0)
		return;
	unlink(lock->path);
	close(lock->fd);
	lock->fd = -1;
}
