/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How it was called: where it is, its modules, its keeper; of its home only the rest. */
static int tell(int argc, char **argv)
{
	const char *home = getenv("HOME"), *path;

	(void)argc;
	program_remember(argv[1]);
	path = program_path();
	for (int i = 0; i < 3; i++) {
		size_t length = path == NULL ? 0 : strlen(home);

		if (path == NULL)
			printf("nowhere\n");
		else if (strncmp(path, home, length) == 0)
			printf("%s\n", path + length);
		else
			printf("elsewhere\n");
		path = i == 0 ? program_plugin_dir() : program_keeper();
	}
	return 0;
}

static void make_directory(const struct rig *rig, const char *name)
{
	CU_ASSERT_EQUAL_FATAL(mkdir(rig_path(rig, name), 0700), 0);
}

static void beside_it_in_the_build_tree(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_write(&rig, "cowgate", "", 0700);
	rig_run(&rig, tell, "tell", "{home}/cowgate", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "/cowgate\nelsewhere\nelsewhere\n"));
	rig_write(&rig, "cowgate-keeper", "", 0700);
	make_directory(&rig, "plugins");
	rig_run(&rig, tell, "tell", "{home}/cowgate", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "/cowgate\n/plugins\n/cowgate-keeper\n"));
	/* What is not of that kind is not it. */
	rmdir(rig_path(&rig, "plugins"));
	unlink(rig_path(&rig, "cowgate-keeper"));
	rig_write(&rig, "plugins", "", 0600);
	make_directory(&rig, "cowgate-keeper");
	rig_run(&rig, tell, "tell", "{home}/cowgate", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "/cowgate\nelsewhere\nelsewhere\n"));
	rig_end(&rig);
}

static void it_is_found_as_the_shell_found_it(void)
{
	static const char *const environment[] = {"PATH=/nonexistent:{home}/bin", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig_write(&rig, "real", "", 0700);
	make_directory(&rig, "plugins");
	make_directory(&rig, "bin");
	CU_ASSERT_EQUAL(symlink("../real", rig_path(&rig, "bin/cowgate")), 0);
	/* A link leads to the program, and to what lies beside that. */
	rig_run(&rig, tell, "tell", "cowgate", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "/real\n/plugins\nelsewhere\n"));
	rig_run(&rig, tell, "tell", "{home}/bin/other", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "nowhere\nelsewhere\nelsewhere\n"));
	rig_run(&rig, tell, "tell", "other", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "nowhere\nelsewhere\nelsewhere\n"));
	rig_end(&rig);
}

UNIT_SUITE(cli_program, UNIT_TEST(beside_it_in_the_build_tree),
	UNIT_TEST(it_is_found_as_the_shell_found_it));
