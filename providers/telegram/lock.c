/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writable for everyone, where they exist. */
static const char *const directories[] = {"/run/lock", "/var/lock", "/tmp"};

void telegram_lock_init(struct telegram_lock *lock)
{
	lock->fd = -1;
	lock->path[0] = '\0';
}

static int open_in(
	struct telegram_lock *lock, const char *directory, const struct cg_secret *url)
{
	uint8_t hash[CG_SHA256];
	char name[2 * 16 + 1];

	/* Half of the hash is enough for a name, and says nothing about the token. */
	cg_sha256(url->bytes, url->length, hash);
	cg_hex(hash, 16, name);
	snprintf(lock->path, sizeof(lock->path), "%s/cowgate-telegram-%s.lock", directory,
		name);
	return open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int open_file(
	struct telegram_lock *lock, const char *directory, const struct cg_secret *url)
{
	int fd = -1;

	if (directory[0] != '\0')
		return open_in(lock, directory, url);
	for (size_t i = 0; fd < 0 && i < sizeof(directories) / sizeof(*directories); i++)
		fd = open_in(lock, directories[i], url);
	return fd;
}

static enum cg_status name_holder(int fd, struct cg_error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0)
		return cg_error_set(err, CG_BUSY,
			"another process on this host uses the same bot: stop it, or use "
			"a bot of your own");
	return cg_error_set(err, CG_BUSY,
		"process %ld on this host uses the same bot: stop it, or use a bot of "
		"your own",
		(long)lock.l_pid);
}

/* Is what was locked still what has the name?  Its last holder has removed it otherwise. */
static bool is_current(const struct telegram_lock *lock, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(lock->path, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

enum cg_status telegram_lock_take(struct telegram_lock *lock, const char *directory,
	const struct cg_secret *url, struct cg_error *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	enum cg_status status = CG_OK;
	int fd;

	if (lock->fd >= 0)
		return CG_OK;
	for (int i = 0; i < 10; i++) {
		fd = open_file(lock, directory, url);
		if (fd < 0)
			return CG_OK;
		if (fcntl(fd, F_SETLK, &whole) != 0)
			status = name_holder(fd, err);
		else if (is_current(lock, fd))
			lock->fd = fd;
		if (lock->fd < 0)
			close(fd);
		if (lock->fd >= 0 || status != CG_OK)
			return status;
	}
	return CG_OK;
}

void telegram_lock_drop(struct telegram_lock *lock)
{
	if (lock->fd < 0)
		return;
	unlink(lock->path);
	close(lock->fd);
	lock->fd = -1;
}
