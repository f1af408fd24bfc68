/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/disk.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define DISK_BLOCK 4096

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static bool time_syncs(int fd, int64_t times[DISK_SYNCS])
{
	static const char block[DISK_BLOCK];

	for (int i = 0; i < DISK_SYNCS; i++) {
		int64_t began = now_us();

		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block) ||
			cg_sync(fd) != 0)
			return false;
		times[i] = now_us() - began;
	}
	return true;
}

enum cg_status disk_measure(
	const char *directory, struct disk_figures *ret, struct cg_error *err)
{
	int64_t times[DISK_SYNCS];
	struct statvfs space;
	char path[PATH_MAX];
	enum cg_status status = CG_OK;
	int fd;

	if (statvfs(directory, &space) != 0)
		return cg_error_set(err, CG_IO, "%s: %s", directory, strerror(errno));
	snprintf(path, sizeof(path), "%s/.doctor-XXXXXX", directory);
	fd = mkstemp(path);
	if (fd < 0)
		return cg_error_set(err, CG_IO, "nothing can be written in %s: %s",
			directory, strerror(errno));
	if (!time_syncs(fd, times))
		status = cg_error_set(err, CG_IO, "a write in %s does not last: %s",
			directory, strerror(errno));
	close(fd);
	unlink(path);
	if (status != CG_OK)
		return status;
	qsort(times, DISK_SYNCS, sizeof(times[0]), compare);
	ret->free_bytes = (int64_t)space.f_bavail * (int64_t)space.f_frsize;
	ret->sync_median_us = times[DISK_SYNCS / 2];
	ret->sync_worst_us = times[DISK_SYNCS - 1];
	return CG_OK;
}
