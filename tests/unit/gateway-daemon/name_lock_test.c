/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether another process gets the name: a process never locks itself out. */
static bool another_gets(const char *url, const char *id)
{
	struct cg_host_lock lock = {.fd = -1};
	int code = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(name_lock_take(&lock, url, id, NULL) == CG_OK ? 0 : 1);
	CU_ASSERT_EQUAL(waitpid(child, &code, 0), child);
	return WIFEXITED(code) && WEXITSTATUS(code) == 0;
}

static void name_lock_is_one_holders(void)
{
	struct cg_host_lock lock = {.fd = -1};
	char url[64];

	snprintf(url, sizeof(url), "https://cloud-%ld.example.org", (long)getpid());
	CU_ASSERT_EQUAL(name_lock_take(&lock, url, "one", NULL), CG_OK);
	CU_ASSERT_TRUE_FATAL(lock.fd >= 0);
	CU_ASSERT_EQUAL(name_lock_take(&lock, url, "one", NULL), CG_OK); /* has it */
	CU_ASSERT_FALSE(another_gets(url, "one"));
	CU_ASSERT_TRUE(another_gets(url, "two"));
	CU_ASSERT_TRUE(another_gets("https://elsewhere.example.org", "one"));
	cg_host_lock_drop(&lock);
	CU_ASSERT_EQUAL(access(lock.path, F_OK), -1);
	CU_ASSERT_TRUE(another_gets(url, "one"));
	cg_host_lock_drop(&lock); /* nothing to do */
	unlink(lock.path); /* a child that exits leaves the file, not the lock */
}

UNIT_SUITE(name_lock, UNIT_TEST(name_lock_is_one_holders));
