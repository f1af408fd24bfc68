/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/rig.h"

#include <string.h>

static void bash_gets_the_choices_and_the_switches(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_completion, "completion", "bash", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out, "  1:*) words='init run chat status "));
	/* What is in capitals is the person's, and of other arguments only switches count. */
	CU_ASSERT_TRUE(rig_has(rig.out,
		"  *:deliveries) words='list show retry dead-letter recover --status "
		"--limit --since --channel --dry-run --json ' ;;\n"));
	CU_ASSERT_TRUE(rig_has(rig.out,
		"  *:people) words='list approve deny role remove --json ' ;;\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "  *:manual) words='cowgate.1 cowgate.conf.5 '"));
	CU_ASSERT_TRUE(rig_has(rig.out, "  *:run) words='' ;;\n"));
	/* Files where one is named. */
	CU_ASSERT_TRUE(rig_has(rig.out, "  *:backup) words='--json '; "
					"COMPREPLY=($(compgen -f -- "));
	CU_ASSERT_TRUE(rig_has(rig.out, "complete -F _cowgate cowgate\n"));
	rig_end(&rig);
}

static void zsh_and_fish_get_the_same(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, cli_completion, "completion", "zsh", NULL), CLI_OK);
	CU_ASSERT_EQUAL(strstr(rig.out, "#compdef cowgate\n"), rig.out);
	CU_ASSERT_TRUE(rig_has(rig.out, "    'check:check every setting and start "
					"nothing'\n"));
	CU_ASSERT_TRUE(rig_has(rig.out, "  completion) compadd -- bash zsh fish ;;\n"));
	CU_ASSERT_TRUE(
		rig_has(rig.out, "  restore) compadd -- --verify --json; _files ;;\n"));
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_completion, "completion", "fish", NULL), CLI_OK);
	CU_ASSERT_TRUE(rig_has(rig.out,
		"complete -c cowgate -n __fish_use_subcommand -a check -d 'check every "
		"setting and start nothing'\n"));
	CU_ASSERT_TRUE(
		rig_has(rig.out, "complete -c cowgate -n '__fish_seen_subcommand_from "
				 "plugin-check' -F\n"));
	CU_ASSERT_TRUE(rig_has(rig.out,
		"complete -c cowgate -n '__fish_seen_subcommand_from explain' -a "
		"--json\n"));
	rig_end(&rig);
}

static void a_shell_is_named(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(
		rig_run(&rig, cli_completion, "completion", "csh", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.err, "cowgate completion: name a shell\n"
					 "usage: cowgate completion bash|zsh|fish\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, cli_completion, "completion", NULL), CLI_USAGE);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

UNIT_SUITE(completion, UNIT_TEST(bash_gets_the_choices_and_the_switches),
	UNIT_TEST(zsh_and_fish_get_the_same), UNIT_TEST(a_shell_is_named));
