/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define K "OPEN_COWORK_GATEWAY_"
#define NOBODY 65534

/* ---- where the file is ---- */

/* As a person, whoever runs the test. */
static int tell_file(int argc, char **argv)
{
	char path[CONFIG_PATH] = "", small[8] = "";
	enum cg_status status;

	(void)argc;
	(void)argv;
	if (geteuid() == 0) {
		status = settings_file_path(path, sizeof(path));
		if (status != CG_OK || strcmp(path, "/etc/cowgate/cowgate.env") != 0)
			printf("root: %s ", path);
		if (setuid(NOBODY) != 0)
			return 1;
	}
	status = settings_file_path(path, sizeof(path));
	printf("%d %s ", status == CG_OK, status == CG_OK ? path : "-");
	printf("%d", settings_file_path(small, sizeof(small)) == CG_LIMIT);
	return 0;
}

static void a_person_has_a_file_of_their_own(void)
{
	static const struct {
		const char *environment[3], *says;
	} rows[] = {
		{{"HOME=/home/ada", NULL}, "1 /home/ada/.config/cowgate/cowgate.env 1"},
		{{"HOME=/home/ada", "XDG_CONFIG_HOME=/cfg", NULL},
			"1 /cfg/cowgate/cowgate.env 1"},
		{{"HOME=/home/ada", "XDG_CONFIG_HOME=cfg", NULL},
			"1 /home/ada/.config/cowgate/cowgate.env 1"},
		{{"HOME=", NULL}, "0 - 0"},
	};
	struct rig rig;

	rig_begin(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig.environment = rows[i].environment;
		CU_ASSERT_EQUAL(rig_run(&rig, tell_file, "tell", NULL), 0);
		CU_ASSERT_TRUE(rig_same(rig.out, rows[i].says));
	}
	rig_end(&rig);
}

static int adopt(int argc, char **argv)
{
	const char *file;

	(void)argc;
	(void)argv;
	if (geteuid() == 0 && setuid(NOBODY) != 0)
		return 1;
	settings_adopt_file();
	file = getenv(K "ENV_FILE");
	printf("%s", file == NULL                 ? "none"
		     : strrchr(file, '/') == NULL ? file
						  : strrchr(file, '/'));
	return 0;
}

static void the_file_is_adopted_where_it_is(void)
{
	static const char *const home[] = {"XDG_CONFIG_HOME={home}", NULL};
	static const char *const own[] = {
		"XDG_CONFIG_HOME={home}", K "ENV_FILE=/else/mine", NULL};
	static const char *const empty[] = {
		"XDG_CONFIG_HOME={home}", K "ENV_FILE=", NULL};
	struct rig rig;

	rig_begin(&rig);
	CU_ASSERT_EQUAL(chmod(rig.directory, 0755), 0);
	rig.environment = home;
	rig_run(&rig, adopt, "adopt", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "none"));
	CU_ASSERT_EQUAL(mkdir(rig_path(&rig, "cowgate"), 0755), 0);
	rig_write(&rig, "cowgate/cowgate.env", "", 0644);
	rig_run(&rig, adopt, "adopt", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "/cowgate.env"));
	rig.environment = own;
	rig_run(&rig, adopt, "adopt", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "/mine"));
	rig.environment = empty; /* said on purpose: none */
	rig_run(&rig, adopt, "adopt", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, ""));
	rig_end(&rig);
}

/* ---- places ---- */

static int tell_places(int argc, char **argv)
{
	struct config_places places;
	bool well = (argc > 1 ? settings_places_running(&places)
			      : settings_places(&places)) == CG_OK;

	(void)argv;
	printf("%d %s", well, well ? places.data_dir : "-");
	return 0;
}

/* A file that only the gateway can read does not keep a person from asking it. */
static void a_running_gateway_is_found_without_its_file(void)
{
	static const char *const lost[] = {
		K "DATA_DIR=/data", K "ENV_FILE=/nonexistent/env", NULL};
	static const char *const found[] = {K "DATA_DIR=/data", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = found;
	rig_run(&rig, tell_places, "tell", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 /data"));
	rig.environment = lost;
	rig_run(&rig, tell_places, "tell", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "0 -"));
	CU_ASSERT_TRUE(rig_has(rig.err, "/nonexistent/env"));
	rig_run(&rig, tell_places, "tell", "running", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 /data"));
	CU_ASSERT_TRUE(rig_same(rig.err, ""));
	rig_end(&rig);
}

/* ---- loading ---- */

static int load(int argc, char **argv)
{
	static char port[] = K "PORT=4711", cli[] = K "CLI_ENABLED=true";
	static char data[128], *environment[] = {data, port, cli, NULL};
	struct settings settings;
	enum cg_status status;
	size_t count = 0;

	(void)argc;
	snprintf(data, sizeof(data), K "DATA_DIR=%s", getenv("HOME"));
	if (strcmp(argv[1], "used") == 0)
		status = settings_load_used(&settings);
	else if (strcmp(argv[1], "all") == 0)
		status = settings_load(&settings);
	else
		status = settings_load_from(&settings, environment);
	if (status == CG_OK)
		loader_providers(settings.loader, &count);
	printf("%s, %s kinds, port %lld, %zu refused, %s", status == CG_OK ? "ok" : "no",
		count == 0   ? "no"
		: count == 1 ? "one"
			     : "many",
		settings.config == NULL ? -1LL : (long long)settings.config->port,
		settings.refused_modules, settings_report(&settings) ? "well" : "ill");
	settings_finish(&settings);
	return 0;
}

static void modules_are_loaded_as_they_are_asked_for(void)
{
	static const char *const environment[] = {
		K "CLI_ENABLED=true", K "PORT=123", K "AGENT_BACKEND=echo", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig_run(&rig, load, "load", "used", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "ok, one kinds, port 123, 0 refused, well"));
	rig_run(&rig, load, "load", "all", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "ok, many kinds, port 123, 0 refused, well"));
	rig_run(&rig, load, "load", "from", NULL); /* nothing of our own environment */
	CU_ASSERT_TRUE(rig_same(rig.out, "ok, many kinds, port 4711, 0 refused, well"));
	rig_end(&rig);
}

static void what_is_wrong_is_in_the_report(void)
{
	static const char *const wrong[] = {
		K "CLI_ENABLED=true", K "AGENT_BACKEND=openai", NULL};
	static const char *const lost[] = {K "ENV_FILE=/nonexistent/env", NULL};
	static const char *const none[] = {K "PLUGIN_DIR=/nonexistent", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = wrong; /* loaded, so that more can be said of it */
	rig_run(&rig, load, "load", "used", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "ok, one kinds, port -1, 0 refused, ill"));
	CU_ASSERT_TRUE(rig_has(rig.err, "error: " K "AGENT_URL: "));
	rig.environment = lost;
	rig_run(&rig, load, "load", "used", NULL);
	CU_ASSERT_TRUE(rig_has(rig.out, "no, no kinds, port -1, 0 refused, "));
	CU_ASSERT_TRUE(rig_has(rig.err, "/nonexistent/env"));
	rig.environment = none;
	rig_run(&rig, load, "load", "used", NULL);
	CU_ASSERT_TRUE(rig_has(rig.out, "no, no kinds, port -1, 0 refused, "));
	CU_ASSERT_EQUAL(strstr(rig.err, "cowgate: "), rig.err);
	CU_ASSERT_TRUE(rig_has(rig.err, "/nonexistent"));
	rig_end(&rig);
}

static void a_module_that_is_left_out_is_named(void)
{
	static const char *const environment[] = {K "PLUGIN_DIR={home}", NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.environment = environment;
	rig_write(&rig, "junk.so", "no module", 0600);
	rig_run(&rig, load, "load", "all", NULL);
	CU_ASSERT_TRUE(rig_has(rig.out, "no kinds, "));
	CU_ASSERT_TRUE(rig_has(rig.out, " 1 refused, "));
	CU_ASSERT_EQUAL(strstr(rig.err, "cowgate: module /tmp/cowgate-"), rig.err);
	CU_ASSERT_TRUE(rig_has(rig.err, "/junk.so is left out: "));
	rig_end(&rig);
}

UNIT_SUITE(settings, UNIT_TEST(a_person_has_a_file_of_their_own),
	UNIT_TEST(the_file_is_adopted_where_it_is),
	UNIT_TEST(a_running_gateway_is_found_without_its_file),
	UNIT_TEST(modules_are_loaded_as_they_are_asked_for),
	UNIT_TEST(what_is_wrong_is_in_the_report),
	UNIT_TEST(a_module_that_is_left_out_is_named));
