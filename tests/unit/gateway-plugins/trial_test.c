/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/trial.h"

#include "tests/unit/gateway-plugins/plugins_rig.h"

#include <cowgate/sdk/error.h>
#include <sys/time.h>

#define LONG_MS 60000 /* before a trial that should end is given up */

/* A program that writes a line to the log of the bench and then does what @body says. */
static const char *program(const struct bench *bench, const char *body)
{
	char text[512];

	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$1 $2\" >> %s\n%s\n",
		bench_path(bench, "log"), body);
	return bench_write(bench, "program", text, 0700);
}

/* How often it was run. */
static unsigned runs(const struct bench *bench)
{
	FILE *file = fopen(bench_path(bench, "log"), "r");
	unsigned count = 0;
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		CU_ASSERT_EQUAL(strncmp(line, "plugin-check /tmp/", 18), 0);
		count++;
	}
	if (file != NULL)
		fclose(file);
	return count;
}

static enum cg_status try(const char *path, const char *program_path, const char *module,
	int64_t timeout_ms, struct cg_error *err)
{
	struct trial_memory *memory = NULL;
	enum cg_status status;

	CU_ASSERT_EQUAL_FATAL(trial_memory_open(path, &memory, NULL), CG_OK);
	status = trial_pass(memory, program_path, module, timeout_ms, err);
	trial_memory_close(memory);
	return status;
}

static void trial_says_how_it_failed(void)
{
	static const struct {
		const char *body;
		enum cg_status status;
		const char *reason;
	} cases[] = {
		{"exit 0", CG_OK, NULL},
		{"echo out; echo err >&2; exit 0", CG_OK, NULL},
		{"echo it is odd; echo more; exit 1", CG_INVALID, "it is odd"},
		{"echo on stderr >&2; exit 3", CG_INVALID, "on stderr"},
		{"exit 1", CG_INVALID, "it fails when it is tried"},
		{"kill -SEGV $$", CG_INVALID, "it crashes when it is tried (signal 11)"},
	};
	struct bench bench;

	bench_init(&bench);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cg_error err = {.text = ""};
		const char *module = bench_write(&bench, "m.so", "module", 0600);

		CU_ASSERT_EQUAL(
			try(NULL, program(&bench, cases[i].body), module, LONG_MS, &err),
			cases[i].status);
		if (cases[i].reason != NULL)
			CU_ASSERT_STRING_EQUAL(err.text, cases[i].reason);
	}
	bench_finish(&bench);
}

static void trial_that_hangs_is_ended(void)
{
	static const char *const bodies[] = {
		"exec sleep 100", "exec >/dev/null 2>/dev/null; exec sleep 100"};
	struct bench bench;

	bench_init(&bench);
	for (size_t i = 0; i < 2; i++) {
		const char *module = bench_write(&bench, "m.so", "module", 0600);
		struct cg_error err = {.text = ""};

		CU_ASSERT_EQUAL(try(NULL, program(&bench, bodies[i]), module, 300, &err),
			CG_TIMEOUT);
		CU_ASSERT_STRING_EQUAL(err.text, "it hangs when it is tried");
	}
	bench_finish(&bench);
}

static void trial_of_a_module_that_hangs_is_ended(void)
{
	struct cg_error err = {.text = ""};
	struct bench bench;

	bench_init(&bench);
	bench_add(&bench, TEST_MODULES, "hang");
	CU_ASSERT_EQUAL(try(NULL, TEST_PROGRAM, bench_path(&bench, "hang.so"), 500, &err),
		CG_TIMEOUT);
	CU_ASSERT_STRING_EQUAL(err.text, "it hangs when it is tried");
	bench_finish(&bench);
}

/* Move a file's time without changing it. */
static void touch(const char *path, time_t seconds)
{
	const struct timeval times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	CU_ASSERT_EQUAL(utimes(path, times), 0);
}

static void trial_remembers_what_has_passed(void)
{
	char memory[160], module[160], good[160];
	struct stat info;
	struct bench bench;

	bench_init(&bench);
	snprintf(memory, sizeof(memory), "%s", bench_path(&bench, "memory"));
	snprintf(module, sizeof(module), "%s",
		bench_write(&bench, "m 1.so", "module", 0600));
	snprintf(good, sizeof(good), "%s", program(&bench, "exit 0"));
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 1);
	CU_ASSERT_EQUAL(stat(memory, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 1);
	/* Another time but the same bytes: not tried. */
	touch(module, 1000000000);
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 1);
	/* Other bytes of the same length. */
	bench_write(&bench, "m 1.so", "modulo", 0600);
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 2);
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 2);
	/* Another length. */
	bench_write(&bench, "m 1.so", "modulo!", 0600);
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 3);
	/* Another file. */
	bench_write(&bench, "m 2.so", "modulo!", 0600);
	CU_ASSERT_EQUAL(
		try(memory, good, bench_path(&bench, "m 2.so"), LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 4);
	CU_ASSERT_EQUAL(try(memory, good, module, LONG_MS, NULL), CG_OK);
	CU_ASSERT_EQUAL(runs(&bench), 4); /* both are remembered */
	bench_finish(&bench);
}

static void trial_forgets_nothing_by_a_failure(void)
{
	char memory[160], module[160];
	struct bench bench;

	bench_init(&bench);
	snprintf(memory, sizeof(memory), "%s", bench_path(&bench, "memory"));
	snprintf(module, sizeof(module), "%s", bench_write(&bench, "m.so", "bad", 0600));
	for (unsigned i = 1; i < 3; i++) {
		CU_ASSERT_EQUAL(
			try(memory, program(&bench, "exit 1"), module, LONG_MS, NULL),
			CG_INVALID);
		CU_ASSERT_EQUAL(runs(&bench), i); /* tried each time */
	}
	CU_ASSERT_EQUAL(access(memory, F_OK), -1);
	bench_finish(&bench);
}

static void trial_memory_that_cannot_be_read_is_empty(void)
{
	static const char *const texts[] = {"", "\n\n", "nonsense\n", "00 1 2 /x\n",
		"\xFF\xFE\n", "zz 6 1 /tmp/m.so\n"};
	char memory[160], module[160];
	struct bench bench;

	bench_init(&bench);
	snprintf(memory, sizeof(memory), "%s", bench_path(&bench, "memory"));
	snprintf(module, sizeof(module), "%s", bench_write(&bench, "m.so", "good", 0600));
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bench_write(&bench, "memory", texts[i], 0600);
		CU_ASSERT_EQUAL(
			try(memory, program(&bench, "exit 0"), module, LONG_MS, NULL),
			CG_OK);
		CU_ASSERT_EQUAL(runs(&bench), i + 1);
	}
	bench_finish(&bench);
}

static void trial_needs_a_file(void)
{
	struct bench bench;

	bench_init(&bench);
	CU_ASSERT_EQUAL(
		try(NULL, "/bin/true", bench_path(&bench, "none.so"), LONG_MS, NULL),
		CG_NOT_FOUND);
	CU_ASSERT_EQUAL(
		try(NULL, "/bin/true", bench.directory, LONG_MS, NULL), CG_NOT_FOUND);
	CU_ASSERT_EQUAL(try(NULL, "/bin/true", bench_write(&bench, "m.so", "", 0600),
				LONG_MS, NULL),
		CG_LIMIT);
	bench_finish(&bench);
	trial_memory_close(NULL);
}

UNIT_SUITE(trial, UNIT_TEST(trial_says_how_it_failed),
	UNIT_TEST(trial_that_hangs_is_ended),
	UNIT_TEST(trial_of_a_module_that_hangs_is_ended),
	UNIT_TEST(trial_remembers_what_has_passed),
	UNIT_TEST(trial_forgets_nothing_by_a_failure),
	UNIT_TEST(trial_memory_that_cannot_be_read_is_empty),
	UNIT_TEST(trial_needs_a_file));
