/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/host_lock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char directory[64];
	struct cg_host_lock lock;
};

static void begin(struct place *place)
{
	snprintf(place->directory, sizeof(place->directory), "/tmp/cowgate-lock-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->directory));
	cg_host_lock_init(&place->lock);
}

static void finish(struct place *place)
{
	cg_host_lock_drop(&place->lock);
	CU_ASSERT_EQUAL(rmdir(place->directory), 0); /* no file is left behind */
}

static bool take(struct place *place, const char *name)
{
	return cg_host_lock_take(&place->lock, place->directory, name, NULL) == CG_OK &&
	       place->lock.fd >= 0;
}

/* What another process is told: a process never locks itself out.  0: it got the lock. */
static long told_elsewhere(const struct place *place, const char *name)
{
	long holder = -1;
	int ends[2];
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct cg_host_lock lock;

		cg_host_lock_init(&lock);
		if (cg_host_lock_take(&lock, place->directory, name, &holder) == CG_OK) {
			holder = 0;
			cg_host_lock_drop(&lock);
		}
		_exit(write(ends[1], &holder, sizeof(holder)) == sizeof(holder) ? 0 : 1);
	}
	CU_ASSERT_EQUAL(read(ends[0], &holder, sizeof(holder)), sizeof(holder));
	CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
	close(ends[0]);
	close(ends[1]);
	return holder;
}

static void host_lock_is_one_processes(void)
{
	struct place place;

	begin(&place);
	CU_ASSERT_TRUE(take(&place, "a"));
	CU_ASSERT_TRUE(take(&place, "a")); /* has it */
	CU_ASSERT_EQUAL(told_elsewhere(&place, "a"), (long)getpid());
	CU_ASSERT_EQUAL(told_elsewhere(&place, "b"), 0);
	cg_host_lock_drop(&place.lock);
	CU_ASSERT_EQUAL(told_elsewhere(&place, "a"), 0);
	cg_host_lock_drop(&place.lock); /* nothing to do */
	CU_ASSERT_TRUE(take(&place, "a"));
	finish(&place);
}

/* Whoever dies holds nothing, and what is left of the file harms nobody. */
static void host_lock_goes_with_its_process(void)
{
	struct place place;
	pid_t child;

	begin(&place);
	child = fork();
	if (child == 0)
		_exit(take(&place, "a") ? 0 : 1);
	CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
	CU_ASSERT_TRUE(take(&place, "a"));
	finish(&place);
}

static void host_lock_where_none_can_be_kept(void)
{
	struct cg_host_lock lock;
	char name[1200];
	struct place place;

	begin(&place);
	cg_host_lock_init(&lock);
	CU_ASSERT_EQUAL(cg_host_lock_take(&lock, "/nowhere/at/all", "a", NULL), CG_OK);
	CU_ASSERT_EQUAL(lock.fd, -1);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CU_ASSERT_EQUAL(cg_host_lock_take(&lock, place.directory, name, NULL), CG_OK);
	CU_ASSERT_EQUAL(lock.fd, -1);
	finish(&place);
}

UNIT_SUITE(host_lock, UNIT_TEST(host_lock_is_one_processes),
	UNIT_TEST(host_lock_goes_with_its_process),
	UNIT_TEST(host_lock_where_none_can_be_kept));
