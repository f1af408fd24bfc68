/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/finding.h"

#include "tests/unit/cli/rig.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static int print_two(int argc, char **argv)
{
	struct findings findings = {.items = NULL};
	struct json_object *json;

	(void)argv;
	findings_add(&findings, FINDING_OK, "disk", NULL, "%d MiB", 5);
	findings_add(&findings, FINDING_FAULT, "clock", "set it", "late");
	findings.full = argc > 1;
	findings_print(&findings);
	json = findings_json(&findings);
	printf("%s\n", cg_json_text(json, NULL));
	cg_json_free(json);
	findings_finish(&findings);
	return findings.items == NULL && findings.count == 0 ? 0 : 1;
}

static void each_is_a_line_and_its_mend_below(void)
{
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(rig_run(&rig, print_two, "print", NULL), 0);
	CU_ASSERT_TRUE(rig_same(rig.out,
		"ok       disk                 5 MiB\n"
		"fault    clock                late\n"
		"                              → set it\n"
		"[{\"level\":\"ok\",\"what\":\"disk\",\"text\":\"5 MiB\",\"mend\":null},"
		"{\"level\":\"fault\",\"what\":\"clock\",\"text\":\"late\",\"mend\":"
		"\"set it\"}]\n"));
	CU_ASSERT_EQUAL(rig_run(&rig, print_two, "print", "full", NULL), 0);
	CU_ASSERT_TRUE(
		rig_has(rig.out, "fault    there was more to say than fits here\n"));
	rig_end(&rig);
}

static void only_a_fault_fails(void)
{
	struct findings findings = {.items = NULL};

	CU_ASSERT_FALSE(findings_failed(&findings));
	findings_add(&findings, FINDING_OK, "a", NULL, "x");
	findings_add(&findings, FINDING_WARNING, "b", NULL, "x");
	CU_ASSERT_FALSE(findings_failed(&findings));
	findings_add(&findings, FINDING_FAULT, "c", NULL, "x");
	findings_add(&findings, FINDING_OK, "d", NULL, "x");
	CU_ASSERT_TRUE(findings_failed(&findings));
	findings_finish(&findings);
}

static void long_texts_are_cut(void)
{
	struct findings findings = {.items = NULL};
	char text[2 * FINDING_TEXT];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	findings_add(&findings, FINDING_OK, text, text, "%s", text);
	CU_ASSERT_EQUAL_FATAL(findings.count, 1);
	CU_ASSERT_EQUAL(strlen(findings.items[0].text), FINDING_TEXT - 1);
	CU_ASSERT_EQUAL(strlen(findings.items[0].mend), FINDING_TEXT - 1);
	CU_ASSERT_EQUAL(
		strlen(findings.items[0].what), sizeof(findings.items[0].what) - 1);
	findings_finish(&findings);
}

/* What does not fit is a fault, also when all that fits is well. */
static void there_is_a_cap(void)
{
	struct findings findings = {.items = NULL};

	for (int i = 0; i < FINDINGS_MAX; i++)
		findings_add(&findings, FINDING_OK, "x", NULL, "%d", i);
	CU_ASSERT_EQUAL(findings.count, FINDINGS_MAX);
	CU_ASSERT_FALSE(findings_failed(&findings));
	findings_add(&findings, FINDING_OK, "x", NULL, "more");
	CU_ASSERT_EQUAL(findings.count, FINDINGS_MAX);
	CU_ASSERT_TRUE(findings_failed(&findings));
	findings_finish(&findings);
}

UNIT_SUITE(finding, UNIT_TEST(each_is_a_line_and_its_mend_below),
	UNIT_TEST(only_a_fault_fails), UNIT_TEST(long_texts_are_cut),
	UNIT_TEST(there_is_a_cap));
