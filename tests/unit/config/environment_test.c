/* SPDX-License-Identifier: Apache-2.0 */
#include "config/environment.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct arena arena;
	struct config_report report;
	struct environment environment;
};

static void begin(struct fixture *fixture, char *const *variables)
{
	memset(fixture, 0, sizeof(*fixture));
	config_report_init(&fixture->report);
	environment_init(
		&fixture->environment, &fixture->arena, variables, &fixture->report);
}

static void end(struct fixture *fixture)
{
	config_report_finish(&fixture->report);
	arena_finish(&fixture->arena);
}

static void add(struct fixture *fixture, const char *text)
{
	environment_add_file(
		&fixture->environment, "/etc/env", text, strlen(text), &fixture->report);
}

static char *no_variables[] = {NULL};

static void blank_variables_are_unset(void)
{
	char a[] = "A=1", b[] = "B=", c[] = "C= \t", d[] = "D=x=y", e[] = "nonsense";
	char *variables[] = {a, b, c, d, e, NULL};
	struct fixture fixture;

	begin(&fixture, variables);
	CU_ASSERT_STRING_EQUAL(environment_get(&fixture.environment, "A"), "1");
	CU_ASSERT_PTR_NULL(environment_get(&fixture.environment, "B"));
	CU_ASSERT_PTR_NULL(environment_get(&fixture.environment, "C"));
	CU_ASSERT_STRING_EQUAL(environment_get(&fixture.environment, "D"), "x=y");
	CU_ASSERT_EQUAL(fixture.environment.count, 2);
	end(&fixture);
}

static void too_many_variables_are_an_error(void)
{
	char text[] = "A=1";
	char **variables = calloc(ENVIRONMENT_VARIABLES + 2, sizeof(*variables));
	struct fixture fixture;

	for (size_t i = 0; i < ENVIRONMENT_VARIABLES; i++)
		variables[i] = text;
	begin(&fixture, variables);
	CU_ASSERT_EQUAL(fixture.report.errors, 0);
	end(&fixture);
	variables[ENVIRONMENT_VARIABLES] = text;
	begin(&fixture, variables);
	CU_ASSERT_EQUAL(fixture.report.errors, 1);
	CU_ASSERT_EQUAL(fixture.environment.count, 0);
	end(&fixture);
	free(variables);
}

/* What systemd makes of the same lines. */
static void files_read_as_systemd_reads_them(void)
{
	static const struct {
		const char *text, *value; /* of A; NULL: unset */
	} rows[] = {
		{"A=1", "1"},
		{"A=1\n", "1"},
		{"  A = 1  \n", "1"},
		{"A=1\r\n", "1"},
		{"# comment\n; other\n\nA=1\n", "1"},
		{"A=one two  # not a comment\n", "one two  # not a comment"},
		{"A='one two  '\n", "one two  "},
		{"A=\"one \\\"two\\\" \\$X \\n\"\n", "one \"two\" $X \\n"},
		{"A='no \\ escape'\n", "no \\ escape"},
		{"A=$HOME/${X}\n", "$HOME/${X}"},
		{"A=one\\\ntwo\n", "onetwo"},
		{"A=\"one\\\ntwo\"\n", "onetwo"},
		{"A=\"one\ntwo\"\n", "one\ntwo"},
		{"A='one\ntwo'\n", "one\ntwo"},
		{"A=\"one\"'two'\n", "onetwo"},
		{"A=it's\n", "it's"},
		{"A=a\\ \\\\b\n", "a \\b"},
		{"A=1\nA=2\n", "2"},
		{"A=1\nA=\n", NULL},
		{"A=\n", NULL},
		{"A=''\n", NULL},
		{"A=x\\", "x"},
		{"A={\"k\":\"v\"}\n", "{\"k\":\"v\"}"},
		{"A=a=b\n", "a=b"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;
		const char *value;

		begin(&fixture, no_variables);
		add(&fixture, rows[i].text);
		value = environment_get(&fixture.environment, "A");
		CU_ASSERT_EQUAL(fixture.report.errors, 0);
		if (rows[i].value == NULL) {
			CU_ASSERT_PTR_NULL(value);
		} else {
			CU_ASSERT_PTR_NOT_NULL_FATAL(value);
			CU_ASSERT_STRING_EQUAL(value, rows[i].value);
		}
		end(&fixture);
	}
}

static void mistakes_name_their_line(void)
{
	static const struct {
		const char *text, *where;
	} rows[] = {
		{"A=1\nnonsense\nB=2\n", "/etc/env:2"},
		{"export A=1\n", "/etc/env:1"},
		{"\n\n1A=1\n", "/etc/env:3"},
		{"=1\n", "/etc/env:1"},
		{"B=2\nA=\"open\nmore\n", "/etc/env:2"},
		{"A='open", "/etc/env:1"},
		{"A=\xff\n", "/etc/env"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		begin(&fixture, no_variables);
		add(&fixture, rows[i].text);
		CU_ASSERT_EQUAL_FATAL(fixture.report.errors, 1);
		CU_ASSERT_STRING_EQUAL(fixture.report.issues[0].where, rows[i].where);
		end(&fixture);
	}
}

static void the_real_environment_wins(void)
{
	char a[] = "A=real", b[] = "B=";
	char *variables[] = {a, b, NULL};
	struct fixture fixture;
	const struct environment_variable *found;

	begin(&fixture, variables);
	add(&fixture, "A=file\nB=file\n");
	CU_ASSERT_STRING_EQUAL(environment_get(&fixture.environment, "A"), "real");
	CU_ASSERT_STRING_EQUAL(environment_find(&fixture.environment, "A")->where, "A");
	found = environment_find(&fixture.environment, "B");
	CU_ASSERT_STRING_EQUAL(found->value, "file");
	CU_ASSERT_STRING_EQUAL(found->where, "B (/etc/env:2)");
	end(&fixture);
}

static void too_many_lines_are_an_error(void)
{
	struct fixture fixture;
	char *text = malloc(ENVIRONMENT_VARIABLES + 1);

	memset(text, '\n', ENVIRONMENT_VARIABLES);
	text[ENVIRONMENT_VARIABLES - 1] = '\0';
	begin(&fixture, no_variables);
	add(&fixture, text);
	CU_ASSERT_EQUAL(fixture.report.errors, 0);
	text[ENVIRONMENT_VARIABLES - 1] = '\n';
	text[ENVIRONMENT_VARIABLES] = '\0';
	add(&fixture, text);
	CU_ASSERT_EQUAL(fixture.report.errors, 1);
	end(&fixture);
	free(text);
}

UNIT_SUITE(environment, UNIT_TEST(blank_variables_are_unset),
	UNIT_TEST(too_many_variables_are_an_error),
	UNIT_TEST(files_read_as_systemd_reads_them), UNIT_TEST(mistakes_name_their_line),
	UNIT_TEST(the_real_environment_wins), UNIT_TEST(too_many_lines_are_an_error));
