/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CUnit suite a file.  A test file lists its tests once:
 *
 *	static void buffer_grows(void) { CU_ASSERT(...); }
 *	UNIT_SUITE(buffer, UNIT_TEST(buffer_grows), UNIT_TEST(...))
 *
 * Suites register themselves before main(), so a room's program is the sum of its files.
 */
#ifndef COWGATE_TESTS_UNIT_H
#define COWGATE_TESTS_UNIT_H

#include <CUnit/CUnit.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

struct unit_suite {
	const char *name;
	const struct unit_test *tests; /* ends with a NULL name */
	struct unit_suite *next;
};

void unit_register(struct unit_suite *suite);

#define UNIT_TEST(function) \
	{ \
#function, function \
	}
#define UNIT_SUITE(suite_name, ...) \
	static const struct unit_test suite_name##_tests[] = { \
		__VA_ARGS__, {NULL, NULL}}; \
	static struct unit_suite suite_name##_suite = { \
		#suite_name, suite_name##_tests, NULL}; \
	__attribute__((constructor)) static void suite_name##_register(void) \
	{ \
		unit_register(&suite_name##_suite); \
	} \
	_Static_assert(1, "a semicolon may follow")

#endif
