/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon by tests: counts the syncs of the process, and makes one of them
 * the last thing that it does, slow, or fail.  Linux with glibc or musl only (RTLD_NEXT).
 *
 *   COWGATE_SHIM_COUNT=FILE       a file of 8 bytes that holds the number of syncs so far
 *   COWGATE_SHIM_KILL_BEFORE=N    SIGKILL instead of the N-th sync, from 1
 *   COWGATE_SHIM_KILL_AFTER=N     SIGKILL as soon as the N-th sync has succeeded
 *   COWGATE_SHIM_KILL_RENAME=N    SIGKILL instead of the N-th rename
 *   COWGATE_SHIM_DELAY_US=N       every sync takes that much longer, as on an SD card
 *   COWGATE_SHIM_FAIL=EIO         what is faulty fails so; or ENOSPC
 *   COWGATE_SHIM_FAIL=HANG        the faulty syncs come back when that is over
 *   COWGATE_SHIM_FAIL_WHILE=FILE  faulty is what happens while this file exists
 *   COWGATE_SHIM_FAIL_IN=write    not the syncs, which is the default, but the writes to databases
 *                                 and to the spool; of a long one the first half still fits
 *
 * The variables are taken out of the environment, so that children live undisturbed.
 */
#undef _FILE_OFFSET_BITS /* which makes pwrite another name of pwrite64 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static int (*real_fdatasync)(int fd);
static int (*real_fsync)(int fd);
static int (*real_rename)(const char *from, const char *to);
static ssize_t (*real_write)(int fd, const void *bytes, size_t length);
static ssize_t (*real_pwrite)(int fd, const void *bytes, size_t length, off_t offset);

static _Atomic uint64_t own_count;
static _Atomic uint64_t *count = &own_count; /* or a shared page of COWGATE_SHIM_COUNT */
static _Atomic uint64_t renames;
static uint64_t kill_rename, kill_before, kill_after, delay_us;
static bool writes_fail; /* else the syncs do */
static char *fail_while; /* owned for good */
static int fail_error;
static bool hangs;

static uint64_t take_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t number = text == NULL ? 0 : strtoull(text, NULL, 10);

	unsetenv(name);
	return number;
}

static char *take_text(const char *name)
{
	const char *text = getenv(name);
	char *copy = text == NULL ? NULL : strdup(text);

	unsetenv(name);
	return copy;
}

static void share_count(const char *path)
{
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *page;

	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*count)) == 0) {
		page = mmap(
			NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (page != MAP_FAILED)
			count = page;
	}
	close(fd);
}

__attribute__((constructor)) static void shim_start(void)
{
	char *path = take_text("COWGATE_SHIM_COUNT");
	char *error = take_text("COWGATE_SHIM_FAIL");
	char *where = take_text("COWGATE_SHIM_FAIL_IN");

	*(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	*(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **)&real_write = dlsym(RTLD_NEXT, "write");
	*(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite");
	*(void **)&real_rename = dlsym(RTLD_NEXT, "rename");
	kill_rename = take_number("COWGATE_SHIM_KILL_RENAME");
	kill_before = take_number("COWGATE_SHIM_KILL_BEFORE");
	kill_after = take_number("COWGATE_SHIM_KILL_AFTER");
	delay_us = take_number("COWGATE_SHIM_DELAY_US");
	fail_while = take_text("COWGATE_SHIM_FAIL_WHILE");
	if (error != NULL)
		fail_error = strcmp(error, "ENOSPC") == 0 ? ENOSPC : EIO;
	writes_fail = where != NULL && strcmp(where, "write") == 0;
	hangs = error != NULL && strcmp(error, "HANG") == 0;
	share_count(path);
	unsetenv("LD_PRELOAD");
	free(path);
	free(error);
	free(where);
}

static bool is_faulty(void)
{
	return fail_error != 0 && fail_while != NULL && access(fail_while, F_OK) == 0;
}

static void wait_us(uint64_t us)
{
	struct timespec left = {
		.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

static int sync_with(int (*real)(int fd), int fd)
{
	uint64_t number = atomic_fetch_add(count, 1) + 1;
	int result;

	if (number == kill_before)
		kill(getpid(), SIGKILL);
	if (delay_us > 0)
		wait_us(delay_us);
	while (hangs && is_faulty())
		wait_us(10000);
	if (!writes_fail && is_faulty()) {
		errno = fail_error;
		return -1;
	}
	result = real(fd);
	if (number == kill_after && result == 0)
		kill(getpid(), SIGKILL);
	return result;
}

EXPORT int fdatasync(int fd)
{
	return sync_with(real_fdatasync, fd);
}

EXPORT int fsync(int fd)
{
	return sync_with(real_fsync, fd);
}

EXPORT int rename(const char *from, const char *to)
{
	if (atomic_fetch_add(&renames, 1) + 1 == kill_rename)
		kill(getpid(), SIGKILL);
	return real_rename(from, to);
}

/* A database, what SQLite keeps beside one, or a file that came with a message. */
static bool is_stored(int fd)
{
	char link[64], path[4096];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return strstr(path, ".db") != NULL || strstr(path, "/spool/") != NULL;
}

/* May anything of @length bytes be written, and how much?  False: errno says why not. */
static bool fits(int fd, size_t *length)
{
	int before = errno;

	if (!writes_fail || !is_faulty() || !is_stored(fd)) {
		errno = before;
		return true;
	}
	errno = fail_error;
	*length /= 2;
	return *length >= 512;
}

EXPORT ssize_t write(int fd, const void *bytes, size_t length)
{
	return fits(fd, &length) ? real_write(fd, bytes, length) : -1;
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset)
{
	return fits(fd, &length) ? real_pwrite(fd, bytes, length, offset) : -1;
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	return write_at(fd, bytes, length, offset);
}

/* What programs built for large files call; off_t is large here too. */
_Static_assert(sizeof(off_t) == sizeof(off64_t), "pwrite and pwrite64 are not the same");

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	return write_at(fd, bytes, length, offset);
}
