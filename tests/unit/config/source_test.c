/* SPDX-License-Identifier: Apache-2.0 */
#include "config/source.h"

#include "config_rig.h"

struct order_row {
	const char *file, *text; /* no file: @text is a variable */
	const char *variable; /* names the file, or the directory when it is about one */
	const char *host;
};

#define SHARED(host) "{\"gateway\":{\"server\":{\"host\":\"" host "\"}}}"

/* Add one source after the other, each above those before it: the host tells which one counts. */
static void check_order(struct rig *rig, const struct order_row *rows, size_t count)
{
	rig_env(rig, K "ADMIN_TOKEN=admin");
	rig_env(rig, K "ENABLE_FAKE_PROVIDER=true");
	rig_env(rig, K "ALLOW_PUBLIC_FAKE_PROVIDER=true");
	for (size_t i = 0; i < count; i++) {
		if (rows[i].file != NULL)
			rig_file(rig, rows[i].file, rows[i].text, 0600);
		else
			rig_env(rig, rows[i].text);
		if (rows[i].variable != NULL)
			rig_env_path(rig, rows[i].variable,
				strstr(rows[i].variable, "_PATH") == NULL &&
						strstr(rows[i].variable, K) == NULL
					? "."
					: rows[i].file);
		RIG_CHECK(rig, rig_load(rig) == CG_OK, rows[i].host);
		if (rig->config != NULL)
			CU_ASSERT_STRING_EQUAL(rig->config->host, rows[i].host);
		rig_drop(rig);
	}
}

static void sources_have_an_order(void)
{
	static const struct order_row rows[] = {
		{"config.jsonc", SHARED("1"), "OPEN_COWORK_CONFIG_DIR", "1"},
		{"config.json", SHARED("2"), NULL, "2"},
		{"open-cowork.config.jsonc", SHARED("3"), NULL, "3"},
		{"open-cowork.config.json", SHARED("4"), NULL, "4"},
		{"named.jsonc", SHARED("5"), "OPEN_COWORK_CONFIG_PATH", "5"},
		{"named.json", SHARED("6"), NULL, "6"},
		{"own.json", "{\"server\":{\"host\":\"7\"}}", K "CONFIG", "7"},
		{NULL, K "CONFIG_JSON={\"server\":{\"host\":\"8\"}}", NULL, "8"},
		{"env", K "HOST=9\n", K "ENV_FILE", "9"},
		{NULL, K "HOST=10", NULL, "10"},
	};
	struct rig rig;

	rig_begin(&rig);
	rig.input.cwd = "/nonexistent";
	check_order(&rig, rows, sizeof(rows) / sizeof(*rows));
	rig_end(&rig);
}

static void the_working_directory_comes_lowest(void)
{
	static const struct order_row rows[] = {
		{"open-cowork.config.jsonc", SHARED("1"), NULL, "1"},
		{"open-cowork.config.json", SHARED("2"), NULL, "2"},
	};
	char directory[128];
	struct rig rig;

	rig_begin(&rig);
	check_order(&rig, rows, 2);
	snprintf(directory, sizeof(directory), "%s/down", rig.directory);
	CU_ASSERT_EQUAL_FATAL(mkdir(directory, 0700), 0);
	rig_file(&rig, "down/config.json", SHARED("3"), 0600);
	rig_env_path(&rig, "OPEN_COWORK_DOWNSTREAM_ROOT", "down");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "downstream");
	CU_ASSERT_STRING_EQUAL(rig.config->host, "3");
	unlink(rig.files[--rig.file_count]);
	rmdir(directory);
	rig_end(&rig);
}

static void objects_are_laid_over_each_other(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_file(&rig, "low.json",
		"{\"gateway\":{\"server\":{\"port\":1000,\"trustProxyHeaders\":true,"
		"\"trustedProxyCidrs\":[\"10.0.0.0/8\",\"::1\"]},\"mode\":\"managed\"}}",
		0600);
	rig_env_path(&rig, "OPEN_COWORK_CONFIG_PATH", "low.json");
	rig_env(&rig, K "CONFIG_JSON={\"server\":{\"port\":2000,\"trustedProxyCidrs\":["
			"\"127.0.0.1\"]}}");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "objects");
	CU_ASSERT_EQUAL(rig.config->port, 2000);
	CU_ASSERT_TRUE(rig.config->trust_proxy_headers);
	CU_ASSERT_EQUAL(rig.config->mode, CONFIG_MANAGED);
	CU_ASSERT_EQUAL(rig.config->trusted_proxies.count, 1); /* arrays are replaced */
	rig_end(&rig);
}

/* What a higher layer puts where a lower one has an object replaces all of it. */
static void a_value_hides_the_object_beneath(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_file(&rig, "own.json", "{\"server\":{\"port\":1000}}", 0600);
	rig_env_path(&rig, K "CONFIG", "own.json");
	rig_env(&rig, K "CONFIG_JSON={\"server\":null}");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "hidden");
	CU_ASSERT_EQUAL(rig.config->port, 8790);
	rig_end(&rig);
}

static void broken_sources_are_fatal(void)
{
	static const struct {
		const char *file, *text,
			*variable; /* file, what it holds, and what names it */
		const char *what;
	} rows[] = {
		{"own.json", "{", K "CONFIG", "JSON"},
		{"own.json", "[]", K "CONFIG", "not a JSON object"},
		{"own.json", "{\"cloud\":{}}", K "CONFIG", "\"cloud\" is not read"},
		{"own.json", "{\"timeouts\":{\"cloudRequestMs\":1}}", K "CONFIG",
			"cloudRequestMs"},
		{"own.json", "{\"gateway\":{\"cloud\":{}}}", "OPEN_COWORK_CONFIG_PATH",
			"\"gateway.cloud\""},
		{"own.json", "{\"gateway\":[]}", "OPEN_COWORK_CONFIG_PATH",
			"not an object"},
		{"own.json", "not json", "OPEN_COWORK_CONFIG_PATH", "JSON"},
		{"config.json", "{\"gateway\":{\"timeouts\":{\"cloudRequestMs\":1}}}",
			"OPEN_COWORK_DOWNSTREAM_ROOT", "cloudRequestMs"},
		{"open-cowork.config.json", "{\"gateway\":", NULL, "JSON"},
		{NULL, K "CONFIG_JSON={\"server\":{},}", NULL,
			"JSON"}, /* strict: no trailing comma */
		{NULL, K "CONFIG_JSON=/*c*/{}", NULL, "JSON"},
		{NULL, K "CONFIG_JSON={\"cloud\":1}", NULL, "\"cloud\""},
		{NULL, K "CONFIG=/nonexistent/file.json", NULL, "no such file"},
		{NULL, K "CONFIG=/tmp", NULL, "cannot be read"},
		{NULL, K "ENV_FILE=/nonexistent/env", NULL, "no such file"},
		{"env", "broken", K "ENV_FILE", "without '='"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;

		rig_begin(&rig);
		if (rows[i].file != NULL)
			rig_file(&rig, rows[i].file, rows[i].text, 0600);
		else
			rig_env(&rig, rows[i].text);
		if (rows[i].variable != NULL)
			rig_env_path(&rig, rows[i].variable,
				strcmp(rows[i].file, "config.json") == 0 ? ""
									 : rows[i].file);
		rig_load(&rig);
		RIG_CHECK(&rig, rig_has(&rig, CONFIG_ERROR, "", rows[i].what),
			rows[i].what);
		rig_end(&rig);
	}
}

static void files_have_comments_and_trailing_commas(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_file(&rig, "own.json", "// c\n{\"server\":{/* c */\"port\":1,},}", 0600);
	rig_env_path(&rig, K "CONFIG", "own.json");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "comments");
	CU_ASSERT_EQUAL(rig.config->port, 1);
	rig_end(&rig);
}

static void files_at_their_cap(void)
{
	struct rig rig;
	char *text = malloc(CONFIG_FILE + 2);

	memset(text, ' ', CONFIG_FILE + 1);
	memcpy(text, "{}", 2);
	rig_begin(&rig);
	rig_env_path(&rig, K "CONFIG", "own.json");
	text[CONFIG_FILE] = '\0';
	rig_file(&rig, "own.json", text, 0600);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "at the cap");
	rig_drop(&rig);
	text[CONFIG_FILE] = ' ';
	text[CONFIG_FILE + 1] = '\0';
	rig_file(&rig, "own.json", text, 0600);
	rig_load(&rig);
	CU_ASSERT_TRUE(rig_has(&rig, CONFIG_ERROR, "own.json", "cannot be read"));
	rig_end(&rig);
	free(text);
}

static void placeholders_need_permission(void)
{
	static const struct {
		const char *allowed, *text, *product;
	} rows[] = {
		{"[\"NAME\"]", "{env:NAME}", "a\"b"},
		{"[\"NAME\",\"OTHER\"]", "x {env:NAME}{env:OTHER} y", "x a\"b y"},
		{"[\"NAME\"]", "{env:name}", "{env:name}"},
		{"[\"NAME\"]", "{env:NAME", "{env:NAME"},
		{"[]", "{env:NAME}", NULL},
		{"[\"OTHER\"]", "{env:NAME}", NULL},
		{"\"NAME\"", "{env:NAME}", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;
		char text[256];

		rig_begin(&rig);
		rig_env(&rig, "NAME=a\"b");
		snprintf(text, sizeof(text),
			"{\"allowedEnvPlaceholders\":%s,\"gateway\":{\"branding\":{"
			"\"productName\":\"%s\"}}}",
			rows[i].allowed, rows[i].text);
		rig_file(&rig, "open-cowork.config.json", text, 0600);
		rig_load(&rig);
		if (rows[i].product == NULL) {
			CU_ASSERT_TRUE(rig_has(&rig, CONFIG_ERROR, "config.json",
				"not an allowed placeholder"));
		} else {
			RIG_CHECK(&rig, rig.status == CG_OK, rows[i].text);
			CU_ASSERT_STRING_EQUAL(
				rig.config->branding.product_name, rows[i].product);
		}
		rig_end(&rig);
	}
}

/* Only files that are shared with other programs have placeholders. */
static void own_files_have_no_placeholders(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_env(&rig, "NAME=x");
	rig_env(&rig, K "CONFIG_JSON={\"branding\":{\"productName\":\"{env:NAME}\"}}");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "own");
	CU_ASSERT_STRING_EQUAL(rig.config->branding.product_name, "{env:NAME}");
	rig_end(&rig);
}

static void odd_files_are_warned_of(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_env_path(&rig, "OPEN_COWORK_CONFIG_PATH", "missing.json");
	rig_file(&rig, "env", "# empty\n", 0644);
	rig_env_path(&rig, K "ENV_FILE", "env");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "odd");
	CU_ASSERT_TRUE(
		rig_has(&rig, CONFIG_WARNING, "OPEN_COWORK_CONFIG_PATH", "missing.json"));
	CU_ASSERT_TRUE(rig_has(&rig, CONFIG_WARNING, "/env", "can read it"));
	rig_end(&rig);
}

UNIT_SUITE(source, UNIT_TEST(sources_have_an_order),
	UNIT_TEST(the_working_directory_comes_lowest),
	UNIT_TEST(objects_are_laid_over_each_other),
	UNIT_TEST(a_value_hides_the_object_beneath), UNIT_TEST(broken_sources_are_fatal),
	UNIT_TEST(files_have_comments_and_trailing_commas), UNIT_TEST(files_at_their_cap),
	UNIT_TEST(placeholders_need_permission),
	UNIT_TEST(own_files_have_no_placeholders), UNIT_TEST(odd_files_are_warned_of));
