/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon by tests: the machine's wall clock is set, or time passes unseen.  Linux
 * only (the system call of clock_gettime).
 *
 *   COWGATE_SHIM_CLOCK=FILE   a file of 8 bytes: milliseconds by which the wall clock is ahead
 *   COWGATE_SHIM_TIME=FILE    the same of all clocks
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t nothing;
static _Atomic int64_t *wall_ahead_ms = &nothing, *ahead_ms = &nothing;

static _Atomic int64_t *map_file(const char *name)
{
	const char *path = getenv(name);
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return &nothing;
	page = mmap(NULL, sizeof(*ahead_ms), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	unsetenv(name);
	return page == MAP_FAILED ? &nothing : page;
}

__attribute__((constructor)) static void map_files(void)
{
	wall_ahead_ms = map_file("COWGATE_SHIM_CLOCK");
	ahead_ms = map_file("COWGATE_SHIM_TIME");
}

__attribute__((visibility("default"))) int clock_gettime(
	clockid_t id, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, id, now);
	int64_t ms = atomic_load_explicit(ahead_ms, memory_order_relaxed);

	if (id == CLOCK_REALTIME)
		ms += atomic_load_explicit(wall_ahead_ms, memory_order_relaxed);
	if (result == 0)
		now->tv_sec += (time_t)(ms / 1000);
	return result;
}
