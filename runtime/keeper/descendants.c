/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that asks Linux for more than POSIX has. */
#include "runtime/keeper/descendants.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>

#define STAT_LINE 512 /* bytes: the parent's id stands before the long rest */

void descendants_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void descendants_die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		raise(SIGKILL); /* it was gone before */
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

void descendants_adopt(void)
{
}

void descendants_die_with(pid_t parent)
{
	if (getppid() != parent)
		raise(SIGKILL);
}

static void kill_children(void)
{
}

#endif

void descendants_kill(pid_t group)
{
	kill(-group, SIGKILL);
	kill_children();
}
