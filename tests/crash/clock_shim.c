/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon by tests: the machine's wall clock is set.  Linux only (the system call
 * of clock_gettime).
 *
 *   COWGATE_SHIM_CLOCK=FILE   a file of 8 bytes: milliseconds by which the clock is ahead
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
static _Atomic int64_t *ahead_ms = &nothing;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("COWGATE_SHIM_CLOCK");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(*ahead_ms), PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		ahead_ms = page;
	close(fd);
	unsetenv("COWGATE_SHIM_CLOCK");
}

__attribute__((visibility("default"))) int clock_gettime(
	clockid_t id, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, id, now);
	int64_t ms = atomic_load_explicit(ahead_ms, memory_order_relaxed);

	if (result == 0 && id == CLOCK_REALTIME)
		now->tv_sec += (time_t)(ms / 1000);
	return result;
}
