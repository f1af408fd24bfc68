/* SPDX-License-Identifier: Apache-2.0 */
/* The program around a room's suites: runs all of them, or those whose name is an argument. */
#include "tests/unit/unit.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct unit_suite *suites;

void unit_register(struct unit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	unsigned failures, asserted;

	signal(SIGPIPE, SIG_IGN);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (struct unit_suite *suite = suites; suite != NULL; suite = suite->next) {
		CU_pSuite registered;

		if (!wanted(suite->name, argc, argv))
			continue;
		registered = CU_add_suite(suite->name, NULL, NULL);
		for (const struct unit_test *test = suite->tests; test->name != NULL;
			test++) {
			if (CU_add_test(registered, test->name, test->run) == NULL)
				return 2;
		}
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	asserted = CU_get_number_of_asserts();
	CU_cleanup_registry();
	if (asserted == 0)
		fprintf(stderr, "no assertion ran\n");
	return failures == 0 && asserted > 0 ? 0 : 1;
}
