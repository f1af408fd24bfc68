/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include "config_rig.h"

#include <cowgate/sdk/json.h>

struct fixture {
	struct arena arena;
	struct config_report report;
	struct config_input input;
	struct source source;
	struct value value;
};

static char *no_variables[] = {NULL};

static void begin(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	config_report_init(&fixture->report);
	fixture->input =
		(struct config_input){.environment = no_variables, .cwd = "/base"};
	fixture->source = (struct source){
		.input = &fixture->input,
		.report = &fixture->report,
		.kept = &fixture->arena,
		.scratch = &fixture->arena,
	};
	environment_init(&fixture->source.environment, &fixture->arena, no_variables,
		&fixture->report);
}

static void end(struct fixture *fixture, const struct option_rule *rule)
{
	value_finish(rule, &fixture->value);
	config_report_finish(&fixture->report);
	arena_finish(&fixture->arena);
}

static void read_text(
	struct fixture *fixture, const struct option_rule *rule, const char *text)
{
	const struct source_value found = {.where = "PLACE", .text = text};

	begin(fixture);
	value_read(&fixture->source, rule, &found, "MISSING", &fixture->value);
}

static void read_json(
	struct fixture *fixture, const struct option_rule *rule, const char *text)
{
	struct source_value found = {.where = "PLACE"};

	begin(fixture);
	CU_ASSERT_EQUAL_FATAL(
		cg_json_parse(text, strlen(text), &found.json, NULL), CG_OK);
	value_read(&fixture->source, rule, &found, "MISSING", &fixture->value);
	cg_json_free(found.json);
}

struct number_row {
	const char *text;
	int64_t number;
	size_t warnings;
	bool is_default;
};

static void check_numbers(
	const struct option_rule *rule, const struct number_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fixture fixture;

		read_text(&fixture, rule, rows[i].text);
		CU_ASSERT_EQUAL(fixture.value.number, rows[i].number);
		CU_ASSERT_EQUAL(fixture.report.warnings, rows[i].warnings);
		CU_ASSERT_EQUAL(fixture.report.errors, 0);
		CU_ASSERT_STRING_EQUAL(fixture.value.source,
			rows[i].is_default ? VALUE_DEFAULT : "PLACE");
		end(&fixture, rule);
	}
}

static void integers_are_clamped(void)
{
	static const struct option_rule rule = {
		.kind = OPTION_INTEGER, .fallback = "30", .min = 10, .max = 100};
	static const struct number_row rows[] = {
		{"10", 10, 0, false},
		{" 100\n", 100, 0, false},
		{"9", 10, 1, false},
		{"101", 100, 1, false},
		{"-5", 10, 1, false},
		{"9223372036854775807", 100, 1, false},
		{"9223372036854775808", 30, 1, true},
		{"ten", 30, 1, true},
		{"1.5", 30, 1, true},
		{"0x10", 30, 1, true},
	};

	check_numbers(&rule, rows, sizeof(rows) / sizeof(*rows));
}

static void ports_are_not_clamped(void)
{
	static const struct option_rule rule = {
		.kind = OPTION_PORT, .fallback = "8790", .min = 0, .max = 65535};
	static const struct number_row rows[] = {
		{"0", 0, 0, false},
		{"65535", 65535, 0, false},
		{"65536", 8790, 1, true},
		{"-1", 8790, 1, true},
		{"http", 8790, 1, true},
	};

	check_numbers(&rule, rows, sizeof(rows) / sizeof(*rows));
}

static void booleans_have_six_spellings(void)
{
	static const struct option_rule rule = {
		.kind = OPTION_BOOLEAN, .fallback = "true"};
	static const struct number_row rows[] = {
		{"true", 1, 0, false},
		{"YES", 1, 0, false},
		{"1", 1, 0, false},
		{"False", 0, 0, false},
		{"no ", 0, 0, false},
		{"0", 0, 0, false},
		{"on", 1, 1, true},
		{"truee", 1, 1, true},
		{"tru", 1, 1, true},
		{"no no", 1, 1, true},
	};

	check_numbers(&rule, rows, sizeof(rows) / sizeof(*rows));
}

static void json_scalars_are_taken_by_kind(void)
{
	static const struct option_rule integer = {
		.kind = OPTION_INTEGER, .fallback = "30", .min = 10, .max = 100};
	static const struct option_rule boolean = {
		.kind = OPTION_BOOLEAN, .fallback = "true"};
	static const struct option_rule text = {.kind = OPTION_STRING};
	static const struct {
		const struct option_rule *rule;
		const char *json;
		int64_t number;
		const char *text;
		size_t warnings, errors;
	} rows[] = {
		{&integer, "50", 50, NULL, 0, 0},
		{&integer, "\"50\"", 50, NULL, 0, 0},
		{&integer, "5.5", 30, NULL, 1, 0},
		{&integer, "true", 30, NULL, 1, 0},
		{&integer, "\" \"", 30, NULL, 0, 0},
		{&integer, "[50]", 0, NULL, 0, 1},
		{&boolean, "false", 0, NULL, 0, 0},
		{&boolean, "\"no\"", 0, NULL, 0, 0},
		{&boolean, "{}", 0, NULL, 0, 1},
		{&text, "\" a \"", 0, "a", 0, 0},
		{&text, "\"\"", 0, NULL, 0, 0},
		{&text, "5", 0, NULL, 0, 1},
		{&text, "[]", 0, NULL, 0, 1},
		{&text, "\"a\\u0000b\"", 0, NULL, 0, 1},
		{&text, "\"a\\u0007b\"", 0, NULL, 0, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		read_json(&fixture, rows[i].rule, rows[i].json);
		CU_ASSERT_EQUAL(fixture.value.number, rows[i].number);
		CU_ASSERT_EQUAL(fixture.report.warnings, rows[i].warnings);
		CU_ASSERT_EQUAL(fixture.report.errors, rows[i].errors);
		if (rows[i].text != NULL)
			CU_ASSERT_STRING_EQUAL(fixture.value.text, rows[i].text);
		end(&fixture, rows[i].rule);
	}
}

static void texts_have_limits(void)
{
	static const struct option_rule small = {
		.kind = OPTION_STRING, .min = 2, .max = 4};
	static const struct option_rule large = {.kind = OPTION_STRING};
	static const struct option_rule lines = {
		.kind = OPTION_STRING, .flags = OPTION_MULTILINE};
	char text[CONFIG_TEXT + 2];
	const struct {
		const struct option_rule *rule;
		const char *text;
		size_t errors;
	} rows[] = {
		{&small, "a", 1},
		{&small, "ab", 0},
		{&small, "abcd", 0},
		{&small, "abcde", 1},
		{&large, text, 1},
		{&large, text + 1, 0},
		{&large, "a\nb", 1},
		{&large, "a\xff", 1},
		{&lines, "a\n\tb", 0},
		{&lines, "a\033b", 1},
	};

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		read_text(&fixture, rows[i].rule, rows[i].text);
		CU_ASSERT_EQUAL(fixture.report.errors, rows[i].errors);
		end(&fixture, rows[i].rule);
	}
}

static void choices_are_exact(void)
{
	static const struct option_rule strict = {
		.kind = OPTION_CHOICE, .fallback = "b", .choices = "a,b,cc"};
	static const struct option_rule lenient = {.kind = OPTION_CHOICE,
		.fallback = "b",
		.choices = "a,b,cc",
		.flags = OPTION_LENIENT};
	static const struct {
		const struct option_rule *rule;
		const char *text;
		int64_t index;
		size_t warnings, errors;
	} rows[] = {
		{&strict, "a", 0, 0, 0},
		{&strict, " cc ", 2, 0, 0},
		{&strict, "c", 1, 0, 1},
		{&strict, "a,b", 1, 0, 1},
		{&strict, "A", 1, 0, 1},
		{&lenient, "c", 1, 1, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		read_text(&fixture, rows[i].rule, rows[i].text);
		CU_ASSERT_EQUAL(fixture.value.number, rows[i].index);
		CU_ASSERT_EQUAL(fixture.report.warnings, rows[i].warnings);
		CU_ASSERT_EQUAL(fixture.report.errors, rows[i].errors);
		end(&fixture, rows[i].rule);
	}
}

static void urls_and_paths_are_brought_into_form(void)
{
	static const struct option_rule url = {.kind = OPTION_URL};
	static const struct option_rule base = {.kind = OPTION_URL, .flags = OPTION_BASE};
	static const struct option_rule path = {.kind = OPTION_PATH};
	static const struct {
		const struct option_rule *rule;
		const char *text, *result;
	} rows[] = {
		{&url, "https://h/p?q=1", "https://h/p?q=1"},
		{&url, "ftp://h", NULL},
		{&url, "nonsense", NULL},
		{&base, "https://h/p//", "https://h/p"},
		{&base, "https://h/?q=1", NULL},
		{&base, "https://u:p@h/", NULL},
		{&path, "/x/", "/x"},
		{&path, "x", "/base/x"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		read_text(&fixture, rows[i].rule, rows[i].text);
		CU_ASSERT_EQUAL(fixture.report.errors, rows[i].result == NULL ? 1 : 0);
		if (rows[i].result != NULL)
			CU_ASSERT_STRING_EQUAL(fixture.value.text, rows[i].result);
		end(&fixture, rows[i].rule);
	}
}

static void lists_come_as_text_or_array(void)
{
	static const struct option_rule rule = {.kind = OPTION_LIST};
	static const char *const texts[] = {" a, ,b ,", "[\"a\",\" \",\" b\"]"};

	for (size_t i = 0; i < 2; i++) {
		struct fixture fixture;

		if (i == 0)
			read_text(&fixture, &rule, texts[i]);
		else
			read_json(&fixture, &rule, texts[i]);
		CU_ASSERT_EQUAL_FATAL(fixture.value.list.count, 2);
		CU_ASSERT_STRING_EQUAL(fixture.value.list.items[0], "a");
		CU_ASSERT_STRING_EQUAL(fixture.value.list.items[1], "b");
		end(&fixture, &rule);
	}
}

static void lists_at_their_cap(void)
{
	static const struct option_rule rule = {.kind = OPTION_LIST};
	char text[2 * CONFIG_LIST_ITEMS + 3];
	struct fixture fixture;

	for (size_t i = 0; i <= CONFIG_LIST_ITEMS; i++)
		memcpy(text + 2 * i, "x,", 3);
	read_text(&fixture, &rule, text);
	CU_ASSERT_EQUAL(fixture.report.errors, 1);
	CU_ASSERT_EQUAL(fixture.value.list.count, 0);
	end(&fixture, &rule);
	text[2 * CONFIG_LIST_ITEMS] = '\0';
	read_text(&fixture, &rule, text);
	CU_ASSERT_EQUAL(fixture.report.errors, 0);
	CU_ASSERT_EQUAL(fixture.value.list.count, CONFIG_LIST_ITEMS);
	end(&fixture, &rule);
}

static void commands_are_arrays_of_strings(void)
{
	static const struct option_rule rule = {.kind = OPTION_ARGV};
	static const struct {
		const char *text;
		size_t count, errors;
	} rows[] = {
		{"[\"agent\",\"--flag\",\"\",\" x \"]", 4, 0},
		{"agent --flag", 0, 1},
		{"[\"agent\",1]", 0, 1},
		{"{}", 0, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		read_text(&fixture, &rule, rows[i].text);
		CU_ASSERT_EQUAL(fixture.value.list.count, rows[i].count);
		CU_ASSERT_EQUAL(fixture.report.errors, rows[i].errors);
		if (rows[i].count == 4) {
			CU_ASSERT_STRING_EQUAL(fixture.value.list.items[2], "");
			CU_ASSERT_STRING_EQUAL(fixture.value.list.items[3], " x ");
		}
		end(&fixture, &rule);
	}
}

static void bad_networks_match_nothing(void)
{
	static const struct option_rule rule = {.kind = OPTION_CIDRS};
	struct fixture fixture;
	struct cg_address address;

	read_text(&fixture, &rule, "10.0.0.0/8, nonsense, ::1, 10.0.0.0/99");
	CU_ASSERT_EQUAL(fixture.report.warnings, 2);
	CU_ASSERT_EQUAL_FATAL(fixture.value.cidrs.count, 2);
	CU_ASSERT_TRUE(cg_address_parse("10.1.2.3", &address));
	CU_ASSERT_TRUE(cg_cidr_contains(&fixture.value.cidrs.items[0], &address));
	CU_ASSERT_FALSE(cg_cidr_contains(&fixture.value.cidrs.items[1], &address));
	end(&fixture, &rule);
}

static void secrets_have_limits_and_stay_unprinted(void)
{
	static const struct option_rule rule = {
		.kind = OPTION_SECRET, .min = 3, .max = 5};
	static const struct {
		const char *text;
		size_t errors;
	} rows[] = {{"ab", 1}, {"abc", 0}, {"abcde", 0}, {"abcdef", 1}, {"a\nbc", 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;

		read_text(&fixture, &rule, rows[i].text);
		CU_ASSERT_EQUAL(fixture.report.errors, rows[i].errors);
		for (size_t j = 0; j < fixture.report.count; j++)
			CU_ASSERT_PTR_NULL(
				strstr(fixture.report.issues[j].what, rows[i].text));
		end(&fixture, &rule);
	}
}

static void absent_values(void)
{
	static const struct option_rule required = {
		.kind = OPTION_STRING, .flags = OPTION_REQUIRED};
	static const struct option_rule optional = {.kind = OPTION_STRING};
	static const struct option_rule standard = {
		.kind = OPTION_STRING, .fallback = "d"};
	struct fixture fixture;

	begin(&fixture);
	value_read(&fixture.source, &required, NULL, "MISSING", &fixture.value);
	CU_ASSERT_EQUAL_FATAL(fixture.report.errors, 1);
	CU_ASSERT_STRING_EQUAL(fixture.report.issues[0].where, "MISSING");
	value_read(&fixture.source, &optional, NULL, "MISSING", &fixture.value);
	CU_ASSERT_PTR_NULL(fixture.value.source);
	value_read(&fixture.source, &standard, NULL, "MISSING", &fixture.value);
	CU_ASSERT_STRING_EQUAL(fixture.value.text, "d");
	CU_ASSERT_STRING_EQUAL(fixture.value.source, VALUE_DEFAULT);
	CU_ASSERT_EQUAL(fixture.report.errors, 1);
	end(&fixture, &standard);
}

static void values_are_compared_by_kind(void)
{
	const char *one[] = {"a", "b"}, *two[] = {"a", "c"};
	const struct value number = {.source = "x", .number = 5};
	const struct value other = {.source = "y", .number = 5};
	const struct value unset = {.source = NULL};
	const struct value left = {.list = {one, 2}};
	const struct value right = {.list = {two, 2}};
	const struct value shorter = {.list = {one, 1}};
	struct value secret = {0}, same = {0};

	CU_ASSERT_TRUE(value_equal(OPTION_INTEGER, &number, &other));
	CU_ASSERT_FALSE(value_equal(OPTION_INTEGER, &number, &unset));
	CU_ASSERT_TRUE(value_equal(OPTION_LIST, &left, &left));
	CU_ASSERT_FALSE(value_equal(OPTION_LIST, &left, &right));
	CU_ASSERT_FALSE(value_equal(OPTION_LIST, &left, &shorter));
	CU_ASSERT_TRUE(value_equal(OPTION_SECRET, &secret, &same));
	cg_secret_set(&secret.secret, "s", 1);
	CU_ASSERT_FALSE(value_equal(OPTION_SECRET, &secret, &same));
	cg_secret_set(&same.secret, "s", 1);
	CU_ASSERT_TRUE(value_equal(OPTION_SECRET, &secret, &same));
	cg_secret_wipe(&secret.secret);
	cg_secret_wipe(&same.secret);
}

UNIT_SUITE(value, UNIT_TEST(integers_are_clamped), UNIT_TEST(ports_are_not_clamped),
	UNIT_TEST(booleans_have_six_spellings), UNIT_TEST(json_scalars_are_taken_by_kind),
	UNIT_TEST(texts_have_limits), UNIT_TEST(choices_are_exact),
	UNIT_TEST(urls_and_paths_are_brought_into_form),
	UNIT_TEST(lists_come_as_text_or_array), UNIT_TEST(lists_at_their_cap),
	UNIT_TEST(commands_are_arrays_of_strings), UNIT_TEST(bad_networks_match_nothing),
	UNIT_TEST(secrets_have_limits_and_stay_unprinted), UNIT_TEST(absent_values),
	UNIT_TEST(values_are_compared_by_kind));
