/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Cloud knows a gateway by its instance id alone, and lets two of one name acknowledge for each
 * other.  On one host a locked file tells; the kernel drops the lock with the process.
 */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writable for everyone, where they exist. */
static const char *const directories[] = {"/run/lock", "/var/lock", "/tmp"};

static int open_file(struct name_lock *lock, const char *name)
{
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(directories) / sizeof(*directories);
		i++) {
		snprintf(lock->path, sizeof(lock->path), "%s/cowgate-%s.lock",
			directories[i], name);
		fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	return fd;
}

/* Its last holder may have removed the name meanwhile. */
static bool is_current(const struct name_lock *lock, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(lock->path, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

enum cg_status name_lock_take(struct name_lock *lock, const char *cloud_url,
	const char *instance_id, struct cg_error *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	uint8_t hash[CG_SHA256];
	char name[2 * 16 + 1];
	int fd;

	if (lock->held)
		return CG_OK;
	cg_sha256_joined((const char *const[]){cloud_url, instance_id}, 2, hash);
	cg_hex(hash, 16, name);
	fd = open_file(lock, name);
	if (fd < 0)
		return CG_OK; /* no place for it, or another user's: nothing can be told */
	if (fcntl(fd, F_SETLK, &whole) != 0 || !is_current(lock, fd)) {
		close(fd);
		return cg_error_set(err, CG_BUSY,
			"another gateway on this host has the instance id %s: give each "
			"its own OPEN_COWORK_GATEWAY_INSTANCE_ID",
			instance_id);
	}
	lock->fd = fd;
	lock->held = true;
	return CG_OK;
}

void name_lock_drop(struct name_lock *lock)
{
	if (!lock->held)
		return;
	unlink(lock->path);
	close(lock->fd);
	lock->held = false;
}
