/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __linux__
#define _GNU_SOURCE /* struct ucred */
#endif
#include "runtime/platform.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#define STAT_LINE 512 /* bytes: the parent's id stands before the long rest */

static int is_unix(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       address.ss_family == AF_UNIX;
}

int64_t platform_elapsed_ms(void)
{
#ifdef CLOCK_BOOTTIME
	const clockid_t id = CLOCK_BOOTTIME;
#else
	const clockid_t id = CLOCK_MONOTONIC; /* where that is, it goes on asleep */
#endif
	struct timespec now = {0};

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ssize_t platform_send(int fd, const void *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL);
}

#ifdef __linux__

int64_t platform_peer_uid(int fd)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	/* It would answer for a TCP socket too, with a number that means nothing. */
	if (!is_unix(fd) ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
		length != sizeof(credentials) || credentials.uid == (uid_t)-1)
		return -1;
	return (int64_t)credentials.uid;
}

int64_t platform_modified_ns(const struct stat *file)
{
	return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

void platform_adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void platform_die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		raise(SIGKILL); /* it was gone before */
}

static bool may_inherit(int right)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, right, 0, 0) == 1;
}

bool platform_may_switch_user(void)
{
	return geteuid() == 0 || (may_inherit(CAP_SETUID) && may_inherit(CAP_SETGID));
}

void platform_inherit_no_rights(void)
{
	/* A kernel that does not know them does not hand them on either. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* "pid (name) state ppid …"; the name may hold anything. */
static pid_t parent_of(const char *pid)
{
	char path[64], line[STAT_LINE];
	const char *name_end;
	ssize_t got;
	int fd, parent = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (got <= 0)
		return 0;
	line[got] = '\0';
	name_end = strrchr(line, ')');
	if (name_end == NULL || sscanf(name_end + 1, " %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static void kill_children(void)
{
	const pid_t self = getpid();
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && *end == '\0' && parent_of(entry->d_name) == self)
			kill((pid_t)pid, SIGKILL);
	}
	closedir(directory);
}

#else

int64_t platform_peer_uid(int fd)
{
	uid_t uid;
	gid_t gid;

	return is_unix(fd) && getpeereid(fd, &uid, &gid) == 0 ? (int64_t)uid : -1;
}

int64_t platform_modified_ns(const struct stat *file)
{
#ifdef __APPLE__
	const struct timespec *time = &file->st_mtimespec;
#else
	const struct timespec *time = &file->st_mtim;
#endif

	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

void platform_adopt_orphans(void)
{
}

void platform_die_with(pid_t parent)
{
	if (getppid() != parent)
		raise(SIGKILL);
}

bool platform_may_switch_user(void)
{
	return geteuid() == 0;
}

void platform_inherit_no_rights(void)
{
}

static void kill_children(void)
{
}

#endif

void platform_kill_descendants(pid_t group)
{
	kill(-group, SIGKILL);
	kill_children();
}
