/* SPDX-License-Identifier: Apache-2.0 */
#include "config/report.h"

#include "tests/unit/unit.h"

#include <string.h>

static void issues_are_written_with_place_and_mend(void)
{
	static const char expected[] = "error: PORT: \"x\" is not a port\n"
				       "    write a number\n"
				       "warning: HOST: odd\n";
	struct config_report report;
	struct cg_buffer text;

	config_report_init(&report);
	cg_buffer_init(&text, 4096);
	config_report_error(
		&report, "PORT", "write a number", "\"%s\" is not a port", "x");
	config_report_warning(&report, "HOST", NULL, "odd");
	CU_ASSERT_TRUE(config_report_failed(&report));
	CU_ASSERT_EQUAL(config_report_write(&report, &text), CG_OK);
	CU_ASSERT_STRING_EQUAL(cg_buffer_string(&text), expected);
	cg_buffer_finish(&text);
	config_report_finish(&report);
	CU_ASSERT_FALSE(config_report_failed(&report));
}

static void control_characters_are_replaced(void)
{
	struct config_report report;

	config_report_init(&report);
	config_report_error(&report, "a\033[1mb", "c\nd", "e\rf");
	CU_ASSERT_PTR_NULL(strchr(report.issues[0].where, '\033'));
	CU_ASSERT_PTR_NULL(strchr(report.issues[0].what, '\r'));
	CU_ASSERT_PTR_NULL(strchr(report.issues[0].mend, '\n'));
	config_report_finish(&report);
}

static void the_same_issue_is_kept_once(void)
{
	struct config_report report;

	config_report_init(&report);
	config_report_error(&report, "A", NULL, "x");
	config_report_error(&report, "A", NULL, "x");
	config_report_error(&report, "B", NULL, "x");
	config_report_warning(&report, "A", NULL, "x");
	CU_ASSERT_EQUAL(report.count, 3);
	CU_ASSERT_EQUAL(report.errors, 2);
	CU_ASSERT_EQUAL(report.warnings, 1);
	config_report_finish(&report);
}

/* Warnings fill the report; the error that comes last must still stop the start. */
static void an_error_beyond_the_cap_still_counts(void)
{
	struct config_report report;
	struct cg_buffer text;

	config_report_init(&report);
	cg_buffer_init(&text, 65536);
	for (int i = 0; i < CONFIG_ISSUES; i++)
		config_report_warning(&report, "A", NULL, "number %d", i);
	CU_ASSERT_EQUAL(report.count, CONFIG_ISSUES);
	CU_ASSERT_FALSE(config_report_failed(&report));
	config_report_error(&report, "B", NULL, "the one that matters");
	CU_ASSERT_EQUAL(report.count, CONFIG_ISSUES);
	CU_ASSERT_TRUE(config_report_failed(&report));
	config_report_write(&report, &text);
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&text), "and 1 more\n"));
	cg_buffer_finish(&text);
	config_report_finish(&report);
}

UNIT_SUITE(report, UNIT_TEST(issues_are_written_with_place_and_mend),
	UNIT_TEST(control_characters_are_replaced),
	UNIT_TEST(the_same_issue_is_kept_once),
	UNIT_TEST(an_error_beyond_the_cap_still_counts));
