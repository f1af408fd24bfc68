/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/plugins/loader.h"

#include "tests/unit/gateway-plugins/plugins_rig.h"

static struct loader *load(struct bench *bench, const char *program, const char *memory)
{
	const struct loader_options options = {.directory = bench->directory,
		.memory = memory,
		.program = program,
		.refused = bench_on_refused,
		.arg = bench};
	struct loader *loader = NULL;

	bench->refused = 0;
	CU_ASSERT_EQUAL_FATAL(loader_create(&options, &loader, NULL), CG_OK);
	return loader;
}

/* What each broken module is told, whether it is tried in a process of its own or not. */
static const struct {
	const char *module, *reason;
} broken[] = {
	{"bad_kind", "its provider kind is not [a-z][a-z0-9]*"},
	{"duplicate", "another module provides kind good already"},
	{"empty", "it exports no provider"},
	{"incomplete", "provider incomplete lacks a required function"},
	{"nameless", "its plugin descriptor is incomplete"},
	{"no_symbol", "it is not a Cowgate plugin (no symbol cg_plugin)"},
	{"too_new",
		"it is too new: it needs plugin ABI 98 and this Cowgate has 1; upgrade "
		"Cowgate"},
	{"too_old",
		"it is too old: it was built for plugin ABI 0 and this Cowgate has 1; "
		"rebuild it"},
	{"twice", "it provides kind twice twice"},
	{"wrong_magic", "it is not a Cowgate plugin (wrong magic)"},
};
#define BROKEN (sizeof(broken) / sizeof(broken[0]))

static void check_broken(struct bench *bench, struct loader *loader)
{
	size_t count;

	for (size_t i = 0; i < BROKEN; i++) {
		if (strcmp(broken[i].module, "duplicate") == 0)
			continue; /* that depends on who comes first */
		CU_ASSERT_STRING_EQUAL(
			bench_reason(bench, broken[i].module), broken[i].reason);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(
		bench_reason(bench, "unresolved"), "cowgate_test_nobody_has_this"));
	/* One of the two that provide "good" came first; the other was told so. */
	CU_ASSERT_STRING_EQUAL(
		bench_reason(bench, "good"), "another module provides kind good already");
	CU_ASSERT_STRING_EQUAL(bench_reason(bench, "duplicate"), "");
	CU_ASSERT_PTR_NOT_NULL(loader_find(loader, "good"));
	loader_providers(loader, &count);
	CU_ASSERT_EQUAL(count, 1);
}

static void add_all(struct bench *bench)
{
	for (size_t i = 0; i < BROKEN; i++)
		bench_add(bench, TEST_MODULES, broken[i].module);
	bench_add(bench, TEST_MODULES, "unresolved");
	bench_add(bench, TEST_MODULES, "good");
	bench_write(bench, "text.so", "not a library", 0600);
	bench_write(bench, "README", "nothing to load", 0600);
	bench_write(bench, ".hidden.so", "nothing to load", 0600);
}

static void loader_refuses_what_is_broken_and_goes_on(void)
{
	struct loader *loader;
	struct bench bench;

	bench_init(&bench);
	add_all(&bench);
	loader = load(&bench, NULL, NULL);
	check_broken(&bench, loader);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(bench_reason(&bench, "text"), "it cannot be loaded"));
	CU_ASSERT_EQUAL(bench.refused, BROKEN - 1 + 3);
	loader_destroy(loader);
	bench_finish(&bench);
}

static void loader_tries_strangers_in_a_process_of_their_own(void)
{
	char memory[160];
	struct loader *loader;
	struct bench bench;

	bench_init(&bench);
	add_all(&bench);
	bench_add(&bench, TEST_MODULES, "crash_loading");
	bench_add(&bench, TEST_MODULES, "crash_creating");
	snprintf(memory, sizeof(memory), "%s", bench_path(&bench, "memory"));
	CU_ASSERT_EQUAL(setenv("OPEN_COWORK_GATEWAY_CRASHER_WORD", "any", 1), 0);
	CU_ASSERT_EQUAL(setenv("STATE_DIRECTORY", bench.directory, 1), 0);
	loader = load(&bench, TEST_PROGRAM, memory);
	check_broken(&bench, loader);
	CU_ASSERT_STRING_EQUAL(bench_reason(&bench, "crash_loading"),
		"it crashes when it is tried (signal 6)");
	CU_ASSERT_STRING_EQUAL(bench_reason(&bench, "crash_creating"),
		"it crashes when it is tried (signal 6)");
	loader_destroy(loader);
	CU_ASSERT_EQUAL(access(memory, R_OK), 0); /* what has passed is remembered */
	unsetenv("OPEN_COWORK_GATEWAY_CRASHER_WORD");
	unsetenv("STATE_DIRECTORY");
	bench_finish(&bench);
}

static void loader_finds_providers(void)
{
	const struct cg_provider *const *providers;
	struct loader *loader;
	struct bench bench;
	size_t count;

	bench_init(&bench);
	bench_add(&bench, TEST_MODULES, "good");
	loader = load(&bench, NULL, NULL);
	CU_ASSERT_EQUAL(bench.refused, 0);
	providers = loader_providers(loader, &count);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_STRING_EQUAL(providers[0]->kind, "good");
	CU_ASSERT_PTR_EQUAL(loader_find(loader, "better"), providers[1]);
	CU_ASSERT_PTR_NULL(loader_find(loader, "best"));
	CU_ASSERT_STRING_EQUAL(
		loader_path(loader, providers[1]), bench_path(&bench, "good.so"));
	CU_ASSERT_PTR_NULL(loader_path(loader, NULL));
	loader_destroy(loader);
	loader_destroy(NULL);
	bench_finish(&bench);
}

static void loader_says_when_there_is_no_directory(void)
{
	const struct loader_options options = {
		.directory = "/nonexistent/plugins", .refused = bench_on_refused};
	struct loader *loader = NULL;
	struct cg_error err;

	CU_ASSERT_EQUAL(loader_create(&options, &loader, &err), CG_NOT_FOUND);
	CU_ASSERT_PTR_NULL(loader);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/plugins"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "OPEN_COWORK_GATEWAY_PLUGIN_DIR"));
}

static bool only_good_waits(const char *module)
{
	return strcmp(module, "good") == 0;
}

static void loader_leaves_what_waits(void)
{
	struct loader_options options = {
		.bundled = true, .waits = only_good_waits, .refused = bench_on_refused};
	struct loader *loader = NULL;
	struct bench bench;
	size_t count;

	bench_init(&bench);
	bench_add(&bench, TEST_MODULES, "good");
	bench_add(&bench, TEST_MODULES, "empty");
	options.directory = bench.directory;
	options.arg = &bench;
	CU_ASSERT_EQUAL_FATAL(loader_create(&options, &loader, NULL), CG_OK);
	CU_ASSERT_PTR_NULL(loader_find(loader, "good"));
	CU_ASSERT_EQUAL(bench.refused, 1);
	loader_load(loader, "goo");
	loader_load(loader, "empty");
	loader_providers(loader, &count);
	CU_ASSERT_EQUAL(count, 0);
	loader_load(loader, "good");
	CU_ASSERT_PTR_NOT_NULL(loader_find(loader, "good"));
	loader_load(loader, NULL);
	loader_providers(loader, &count);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_EQUAL(bench.refused, 1);
	loader_destroy(loader);

	/* One of others is tried at the start, never while the daemon runs. */
	options.bundled = false;
	CU_ASSERT_EQUAL_FATAL(loader_create(&options, &loader, NULL), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(loader_find(loader, "good"));
	loader_destroy(loader);
	bench_finish(&bench);
}

static void loader_does_not_try_what_comes_with_it(void)
{
	struct loader_options options = {.bundled = true,
		.program = "/nonexistent/program",
		.refused = bench_on_refused};
	struct loader *loader = NULL;
	struct bench bench;
	size_t count;

	bench_init(&bench);
	bench_add(&bench, TEST_MODULES, "good");
	options.directory = bench.directory;
	options.arg = &bench;
	CU_ASSERT_EQUAL_FATAL(loader_create(&options, &loader, NULL), CG_OK);
	loader_providers(loader, &count);
	CU_ASSERT_EQUAL(count, 2);
	loader_destroy(loader);
	options.bundled = false;
	CU_ASSERT_EQUAL_FATAL(loader_create(&options, &loader, NULL), CG_OK);
	loader_providers(loader, &count);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(bench_reason(&bench, "good"), "it cannot be tried"));
	loader_destroy(loader);
	bench_finish(&bench);
}

UNIT_SUITE(loader, UNIT_TEST(loader_refuses_what_is_broken_and_goes_on),
	UNIT_TEST(loader_tries_strangers_in_a_process_of_their_own),
	UNIT_TEST(loader_finds_providers), UNIT_TEST(loader_leaves_what_waits),
	UNIT_TEST(loader_says_when_there_is_no_directory),
	UNIT_TEST(loader_does_not_try_what_comes_with_it));
