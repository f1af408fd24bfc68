/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/init_service.h"

#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What systemctl is asked goes into a file; it knows the unit when there is a file "known", and
 * fails where one is called after what it shall do. */
static const char systemctl[] =
	"#!/bin/sh\n"
	"cd \"$HOME\"\n"
	"echo \"$@\" >> asked\n"
	"[ \"$1\" = --user ] && shift\n"
	"[ -e known ] || exit 4\n"
	"echo noise >&2\n"
	"if [ \"$1\" = is-active ]; then echo failed; echo more; exit 3; fi\n"
	"[ ! -e \"not-$1\" ]\n";
static const char *const environment[] = {"PATH={home}", NULL};

static void make_systemctl(struct rig *rig)
{
	rig_begin(rig);
	rig->environment = environment;
	rig_write(rig, "systemctl", systemctl, 0700);
}

/* Of a person's own service manager unless it is root. */
static void check_asked(const struct rig *rig, const char *const *arguments)
{
	struct cg_buffer wanted;
	char got[512] = "";
	FILE *file = fopen(rig_path(rig, "asked"), "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
	fclose(file);
	unlink(rig_path(rig, "asked"));
	cg_buffer_init(&wanted, sizeof(got));
	for (; *arguments != NULL; arguments++)
		cg_buffer_format(
			&wanted, "%s%s\n", geteuid() == 0 ? "" : "--user ", *arguments);
	CU_ASSERT_TRUE(rig_same(got, cg_buffer_string(&wanted)));
	cg_buffer_finish(&wanted);
}

static int start(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return init_service_start();
}

static int tell_state(int argc, char **argv)
{
	char state[64] = "", cut[4] = "";

	(void)argc;
	(void)argv;
	printf("%d ", init_service_known());
	printf("%d <%s> ", init_service_state(state, sizeof(state)), state);
	printf("%d <%s>", init_service_state(cut, sizeof(cut)), cut);
	return 0;
}

static void a_unit_is_enabled_and_started(void)
{
	static const char *const steps[] = {"cat cowgate.service",
		"enable cowgate.service", "restart cowgate.service", NULL};
	struct rig rig;

	make_systemctl(&rig);
	rig_write(&rig, "known", "", 0600);
	CU_ASSERT_EQUAL(rig_run(&rig, start, "start", NULL), CLI_OK);
	check_asked(&rig, steps);
	CU_ASSERT_TRUE(rig_has(
		rig.out, "The service runs; `cowgate status` shows how it is doing.\n"));
	CU_ASSERT_TRUE(rig_same(rig.err, "")); /* its noise is its own */
	rig_end(&rig);
}

static void one_that_does_not_start_is_said(void)
{
	static const char *const steps[] = {
		"cat cowgate.service", "enable cowgate.service", NULL};
	struct rig rig;

	make_systemctl(&rig);
	rig_write(&rig, "known", "", 0600);
	rig_write(&rig, "not-enable", "", 0600);
	CU_ASSERT_EQUAL(rig_run(&rig, start, "start", NULL), CLI_FAILED);
	check_asked(&rig, steps);
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate init: the service does not start; "));
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	unlink(rig_path(&rig, "not-enable"));
	rig_write(&rig, "not-restart", "", 0600);
	CU_ASSERT_EQUAL(rig_run(&rig, start, "start", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(rig.err, "cowgate init: the service does not start; "));
	rig_end(&rig);
}

static void without_a_unit_nothing_is_changed(void)
{
	static const char *const steps[] = {"cat cowgate.service", NULL};
	struct rig rig;

	make_systemctl(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, start, "start", NULL), CLI_FAILED);
	check_asked(&rig, steps);
	CU_ASSERT_TRUE(rig_has(
		rig.err, "cowgate init: no service manager here knows Cowgate; "));
	/* Without a service manager at all it is the same. */
	unlink(rig_path(&rig, "systemctl"));
	CU_ASSERT_EQUAL(rig_run(&rig, start, "start", NULL), CLI_FAILED);
	CU_ASSERT_TRUE(rig_has(
		rig.err, "cowgate init: no service manager here knows Cowgate; "));
	rig_end(&rig);
}

static void its_state_is_the_first_line(void)
{
	struct rig rig;

	make_systemctl(&rig);
	rig_write(&rig, "known", "", 0600);
	rig_run(&rig, tell_state, "state", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 1 <failed> 1 <fai>"));
	unlink(rig_path(&rig, "systemctl"));
	rig_run(&rig, tell_state, "state", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "0 0 <> 0 <>"));
	rig_end(&rig);
}

UNIT_SUITE(init_service, UNIT_TEST(a_unit_is_enabled_and_started),
	UNIT_TEST(one_that_does_not_start_is_said),
	UNIT_TEST(without_a_unit_nothing_is_changed),
	UNIT_TEST(its_state_is_the_first_line));
