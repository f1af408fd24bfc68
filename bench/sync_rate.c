/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a second this disk makes 4 KiB at the end of a file durable, which bounds every
 * commit: bench-sync-rate FILE SECONDS.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const char page[4096];
	double limit = argc > 2 ? strtod(argv[2], NULL) : 1, started;
	int fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	long count = 0;

	if (fd < 0) {
		fprintf(stderr, "usage: bench-sync-rate FILE SECONDS\n");
		return 2;
	}
	for (started = now(); now() - started < limit; count++) {
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page) ||
			fdatasync(fd) != 0) {
			perror("bench-sync-rate");
			return 1;
		}
	}
	printf("%.0f\n", (double)count / (now() - started));
	close(fd);
	return unlink(argv[1]) == 0 ? 0 : 1;
}
