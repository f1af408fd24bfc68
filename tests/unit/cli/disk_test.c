/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/disk.h"

#include "tests/unit/cli/rig.h"

#include <cowgate/sdk/error.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static void a_disk_is_measured_and_left_as_it_was(void)
{
	struct disk_figures figures = {-1, -1, -1};
	struct cg_error err = {.text = ""};
	struct rig rig;
	DIR *directory;
	size_t entries = 0;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(disk_measure(rig.directory, &figures, &err), CG_OK);
	CU_ASSERT_TRUE(figures.free_bytes >= 0);
	CU_ASSERT_TRUE(figures.sync_median_us >= 0);
	CU_ASSERT_TRUE(figures.sync_worst_us >= figures.sync_median_us);
	directory = opendir(rig.directory);
	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while (readdir(directory) != NULL)
		entries++;
	closedir(directory);
	CU_ASSERT_EQUAL(entries, 2); /* . and .. */
	rig_end(&rig);
}

static void what_cannot_be_done_is_named(void)
{
	struct disk_figures figures = {-1, -1, -1};
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL(disk_measure("/nonexistent", &figures, &err), CG_IO);
	CU_ASSERT_STRING_EQUAL(err.text, "/nonexistent: No such file or directory");
	/* There, but nobody can make a file in it, whoever they are; where a system has such. */
	if (access("/proc/self", F_OK) == 0) {
		CU_ASSERT_EQUAL(disk_measure("/proc/self", &figures, &err), CG_IO);
		CU_ASSERT_TRUE(
			rig_has(err.text, "nothing can be written in /proc/self: "));
	}
	CU_ASSERT_EQUAL(figures.free_bytes, -1); /* outputs come last */
}

UNIT_SUITE(disk, UNIT_TEST(a_disk_is_measured_and_left_as_it_was),
	UNIT_TEST(what_cannot_be_done_is_named));
