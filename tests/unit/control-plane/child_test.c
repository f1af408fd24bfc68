/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/child.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(char **environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment != NULL; environment++) {
		if (strncmp(*environment, name, length) == 0 &&
			(*environment)[length] == '=')
			return *environment + length + 1;
	}
	return NULL;
}

static void it_gets_what_is_listed_and_no_more(void)
{
	static const char *const listed[] = {
		"CHILD_TEST_PASSED", "CHILD_TEST_ABSENT", "GIVEN=a=b", "LANG=xx", NULL};
	static const char *const extra[] = {"PASSWORD=own", NULL};
	const struct agent_options settings = {.environment = listed};
	char **environment;

	setenv("CHILD_TEST_PASSED", "that", 1);
	setenv("CHILD_TEST_SECRET", "must not arrive", 1);
	setenv("LANG", "C", 1);
	CU_ASSERT_EQUAL_FATAL(
		child_environment(&settings, extra, &environment, NULL), CG_OK);
	CU_ASSERT_STRING_EQUAL(value_of(environment, "CHILD_TEST_PASSED"), "that");
	CU_ASSERT_STRING_EQUAL(value_of(environment, "GIVEN"), "a=b");
	CU_ASSERT_STRING_EQUAL(
		value_of(environment, "LANG"), "xx"); /* the last one wins */
	CU_ASSERT_STRING_EQUAL(value_of(environment, "PASSWORD"), "own");
	CU_ASSERT_PTR_NOT_NULL(value_of(environment, "PATH"));
	CU_ASSERT_PTR_NULL(value_of(environment, "CHILD_TEST_ABSENT"));
	CU_ASSERT_PTR_NULL(value_of(environment, "CHILD_TEST_SECRET"));
	child_environment_free(environment);
	unsetenv("CHILD_TEST_PASSED");
	unsetenv("CHILD_TEST_SECRET");
}

static void another_user_has_another_home(void)
{
	const struct agent_options settings = {.user = "somebody"};
	char **environment;

	setenv("HOME", "/ours", 1);
	CU_ASSERT_EQUAL_FATAL(
		child_environment(&settings, NULL, &environment, NULL), CG_OK);
	CU_ASSERT_PTR_NULL(value_of(environment, "HOME"));
	child_environment_free(environment);
}

static void expect_refusal(const char *const *listed, const char *why)
{
	const struct agent_options settings = {.environment = listed};
	struct cg_error err = {0};
	char **environment;

	CU_ASSERT_EQUAL(
		child_environment(&settings, NULL, &environment, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why));
}

static void our_own_settings_stay_here(void)
{
	static const char *const by_name[] = {"OPEN_COWORK_GATEWAY_ADMIN_TOKEN", NULL};
	static const char *const by_value[] = {"OPEN_COWORK_GATEWAY_PORT=1", NULL};
	static const char *const nameless[] = {"=x", NULL};

	expect_refusal(by_name, "OPEN_COWORK_GATEWAY_ADMIN_TOKEN");
	expect_refusal(by_value, "OPEN_COWORK_GATEWAY_PORT");
	expect_refusal(nameless, "without a name");
}

static void there_is_a_cap(void)
{
	static char texts[CHILD_VARIABLES + 1][16];
	const char *listed[CHILD_VARIABLES + 2] = {NULL};

	for (size_t i = 0; i <= CHILD_VARIABLES; i++) {
		snprintf(texts[i], sizeof(texts[i]), "V%zu=1", i);
		listed[i] = texts[i];
	}
	expect_refusal(listed, "more than 64");
}

/* What is missing is told before anything is started. */
static void what_is_missing_is_told(void)
{
	static const char *const none[] = {"no-such-program", NULL};
	static const char *const shell[] = {"sh", NULL};
	struct agent_host host = {.keeper = "/keeper"};
	struct agent_options settings = {0};
	struct child_options options = {.argv = none};
	struct cg_error err = {0};
	struct clock clock;
	struct child child;

	clock_system(&clock, 0);
	CU_ASSERT_EQUAL_FATAL(loop_create(&clock, &host.loop, NULL), CG_OK);
	CU_ASSERT_EQUAL(
		child_init(&child, &host, &settings, &options, &err), CG_NOT_FOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no-such-program"));
	child_finish(&child);
	options.argv = shell;
	settings.directory = "/no/such/place";
	CU_ASSERT_EQUAL(
		child_init(&child, &host, &settings, &options, &err), CG_NOT_FOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/no/such/place"));
	child_finish(&child);
	settings.directory = NULL;
	CU_ASSERT_EQUAL(child_init(&child, &host, &settings, &options, &err), CG_OK);
	child_finish(&child);
	host.keeper = NULL;
	CU_ASSERT_EQUAL(
		child_init(&child, &host, &settings, &options, &err), CG_NOT_FOUND);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cowgate-keeper"));
	child_finish(&child);
	loop_destroy(host.loop);
}

UNIT_SUITE(child, UNIT_TEST(it_gets_what_is_listed_and_no_more),
	UNIT_TEST(another_user_has_another_home), UNIT_TEST(our_own_settings_stay_here),
	UNIT_TEST(there_is_a_cap), UNIT_TEST(what_is_missing_is_told));
