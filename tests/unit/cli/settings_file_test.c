/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings_file.h"

#include "config/environment.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void names_are_completed_and_values_replaced(void)
{
	struct settings_file file = {.count = 0};

	CU_ASSERT_EQUAL(settings_file_set(&file, "PORT", "1", NULL), CG_OK);
	CU_ASSERT_EQUAL(
		settings_file_set(&file, "OPEN_COWORK_GATEWAY_PORT", "2", NULL), CG_OK);
	CU_ASSERT_EQUAL(
		settings_file_set(&file, "OPEN_COWORK_CLOUD_BASE_URL", "x", NULL), CG_OK);
	CU_ASSERT_EQUAL(file.count, 2);
	CU_ASSERT_STRING_EQUAL(settings_file_get(&file, "PORT"), "2");
	CU_ASSERT_STRING_EQUAL(file.entries[1].name, "OPEN_COWORK_CLOUD_BASE_URL");
	CU_ASSERT_PTR_NULL(settings_file_get(&file, "HOST"));
	settings_file_finish(&file);
}

static void what_is_no_line_is_refused(void)
{
	struct settings_file file = {.count = 0};
	char name[32];

	CU_ASSERT_EQUAL(settings_file_set(&file, "port", "1", NULL), CG_INVALID);
	CU_ASSERT_EQUAL(settings_file_set(&file, "", "1", NULL), CG_INVALID);
	CU_ASSERT_EQUAL(settings_file_set(&file, "A B", "1", NULL), CG_INVALID);
	CU_ASSERT_EQUAL(settings_file_set(&file, "PORT", "1\n2", NULL), CG_INVALID);
	CU_ASSERT_EQUAL(file.count, 0);
	for (int i = 0; i < SETTINGS_FILE_NAMES; i++) {
		snprintf(name, sizeof(name), "N%d", i);
		CU_ASSERT_EQUAL(settings_file_set(&file, name, "1", NULL), CG_OK);
	}
	CU_ASSERT_EQUAL(settings_file_set(&file, "N0", "2", NULL), CG_OK);
	CU_ASSERT_EQUAL(settings_file_set(&file, "MORE", "1", NULL), CG_LIMIT);
	settings_file_finish(&file);
}

/* The daemon reads back what was meant, whatever is in it. */
static void it_reads_back_as_it_was(void)
{
	static const char *const values[] = {"plain", "", "a \"b\" \\ c", "$HOME `id`",
		"['x', #y]", " blank at both ends ", "ünï"};
	struct settings_file file = {.count = 0};
	struct config_report report;
	struct environment environment;
	struct arena arena = {0};
	struct cg_buffer text;
	char *none[] = {NULL};
	char name[64];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(name, sizeof(name), "V%zu", i);
		CU_ASSERT_EQUAL(settings_file_set(&file, name, values[i], NULL), CG_OK);
	}
	cg_buffer_init(&text, 1 << 16);
	CU_ASSERT_EQUAL(settings_file_write(&file, &text), CG_OK);
	config_report_init(&report);
	environment_init(&environment, &arena, none, &report);
	environment_add_file(&environment, "f", text.bytes, text.length, &report);
	CU_ASSERT_EQUAL(report.count, 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(name, sizeof(name), "OPEN_COWORK_GATEWAY_V%zu", i);
		if (values[i][0] == '\0')
			CU_ASSERT_PTR_NULL(environment_get(&environment, name))
		else
			CU_ASSERT_STRING_EQUAL(
				environment_get(&environment, name), values[i]);
	}
	config_report_finish(&report);
	arena_finish(&arena);
	cg_buffer_finish(&text);
	settings_file_finish(&file);
}

static void it_never_replaces_unasked(void)
{
	char place[] = "/tmp/cg-settings-XXXXXX", path[64], deep[64];
	struct settings_file file = {.count = 0};
	struct stat info;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place));
	snprintf(path, sizeof(path), "%s/a/b.env", place);
	snprintf(deep, sizeof(deep), "%s/a", place);
	CU_ASSERT_EQUAL(settings_file_set(&file, "PORT", "1", NULL), CG_OK);
	CU_ASSERT_EQUAL(settings_file_save(&file, path, NULL, false, NULL), CG_OK);
	CU_ASSERT_EQUAL(stat(path, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(settings_file_save(&file, path, NULL, false, NULL), CG_EXISTS);
	CU_ASSERT_EQUAL(chmod(path, 0644), 0);
	CU_ASSERT_EQUAL(settings_file_save(&file, path, NULL, true, NULL), CG_OK);
	CU_ASSERT_EQUAL(stat(path, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL_FATAL(rmdir(deep), 0); /* nothing else was left there */
	rmdir(place);
	settings_file_finish(&file);
}

UNIT_SUITE(settings_file, UNIT_TEST(names_are_completed_and_values_replaced),
	UNIT_TEST(what_is_no_line_is_refused), UNIT_TEST(it_reads_back_as_it_was),
	UNIT_TEST(it_never_replaces_unasked));
