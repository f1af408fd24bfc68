/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/sync.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void files_and_directories_are_synced(void)
{
	char directory[] = "/tmp/cowgate-sync-XXXXXX", file[64];
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	snprintf(file, sizeof(file), "%s/file", directory);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL(cg_sync(fd), 0);
	close(fd);
	CU_ASSERT_EQUAL(cg_sync_path(file), 0);
	CU_ASSERT_EQUAL(cg_sync_path(directory), 0);
	unlink(file);
	rmdir(directory);
}

static void what_cannot_be_synced_says_why(void)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	errno = 0;
	CU_ASSERT_EQUAL(cg_sync(ends[1]), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	close(ends[0]);
	close(ends[1]);
	CU_ASSERT_EQUAL(cg_sync(-1), -1);
	CU_ASSERT_EQUAL(errno, EBADF);
	CU_ASSERT_EQUAL(cg_sync_path("/nowhere/at/all"), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	/* Not hidden by the close() after it: a device takes no sync. */
	CU_ASSERT_EQUAL(cg_sync_path("/dev/null"), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
}

static void all_of_it_is_written(void)
{
	static char bytes[200 * 1024], back[sizeof(bytes)];
	char path[] = "/tmp/cowgate-write-XXXXXX";
	int fd = mkstemp(path), ends[2];

	memset(bytes, 'x', sizeof(bytes));
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_TRUE(cg_write_all(fd, bytes, sizeof(bytes)));
	CU_ASSERT_TRUE(cg_write_all(fd, NULL, 0));
	CU_ASSERT_EQUAL(pread(fd, back, sizeof(back), 0), (ssize_t)sizeof(back));
	CU_ASSERT_EQUAL(memcmp(bytes, back, sizeof(back)), 0);
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	close(ends[0]);
	CU_ASSERT_FALSE(cg_write_all(ends[1], bytes, sizeof(bytes)));
	CU_ASSERT_EQUAL(errno, EPIPE);
	close(ends[1]);
}

UNIT_SUITE(sync, UNIT_TEST(all_of_it_is_written),
	UNIT_TEST(files_and_directories_are_synced),
	UNIT_TEST(what_cannot_be_synced_says_why));
