/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for a test of modules, and what was refused from it. */
#ifndef COWGATE_TESTS_PLUGINS_RIG_H
#define COWGATE_TESTS_PLUGINS_RIG_H

#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BENCH_REFUSED 32

struct bench {
	char directory[64];
	unsigned refused;
	struct {
		char path[256], reason[512];
	} list[BENCH_REFUSED];
};

static inline void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	snprintf(bench->directory, sizeof(bench->directory),
		"/tmp/cowgate-plugins-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(bench->directory));
}

/* The path of a name in it, good until the next but three. */
static inline const char *bench_path(const struct bench *bench, const char *name)
{
	static char paths[4][160];
	static unsigned at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", bench->directory, name);
	return path;
}

static inline void bench_finish(struct bench *bench)
{
	DIR *directory = opendir(bench->directory);
	const struct dirent *entry;

	while ((entry = readdir(directory)) != NULL)
		unlink(bench_path(bench, entry->d_name));
	closedir(directory);
	CU_ASSERT_EQUAL(rmdir(bench->directory), 0);
}

static inline const char *bench_write(
	const struct bench *bench, const char *name, const char *text, mode_t mode)
{
	const char *path = bench_path(bench, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

/* One of the test modules, under its own name. */
static inline void bench_add(
	const struct bench *bench, const char *modules, const char *module)
{
	char from[512], name[64];

	snprintf(from, sizeof(from), "%s/%s.so", modules, module);
	snprintf(name, sizeof(name), "%s.so", module);
	CU_ASSERT_EQUAL_FATAL(symlink(from, bench_path(bench, name)), 0);
}

static inline void bench_on_refused(void *arg, const char *path, const char *reason)
{
	struct bench *bench = arg;

	CU_ASSERT_FATAL(bench->refused < BENCH_REFUSED);
	snprintf(bench->list[bench->refused].path, 256, "%s", path);
	snprintf(bench->list[bench->refused].reason, 512, "%s", reason);
	bench->refused++;
}

/* Why a module was refused, "" if it was not. */
static inline const char *bench_reason(const struct bench *bench, const char *module)
{
	for (unsigned i = 0; i < bench->refused; i++) {
		const char *base = strrchr(bench->list[i].path, '/');

		if (base != NULL && strncmp(base + 1, module, strlen(module)) == 0 &&
			strcmp(base + 1 + strlen(module), ".so") == 0)
			return bench->list[i].reason;
	}
	return "";
}

#endif
