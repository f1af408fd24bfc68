/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include "cli/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MAX (256u << 10) /* bytes of a printed report */

extern char **environ;

static void module_refused(void *arg, const char *path, const char *reason)
{
	struct settings *settings = arg;

	settings->refused_modules++;
	fprintf(stderr, "cowgate: module %s is left out: %s\n", path, reason);
}

enum cg_status settings_file_path(char *ret, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int length;

	if (geteuid() == 0)
		length = snprintf(ret, size, "/etc/cowgate/cowgate.env");
	else if (config != NULL && config[0] == '/')
		length = snprintf(ret, size, "%s/cowgate/cowgate.env", config);
	else if (home != NULL && home[0] == '/')
		length = snprintf(ret, size, "%s/.config/cowgate/cowgate.env", home);
	else
		return CG_NOT_FOUND;
	return length < (int)size ? CG_OK : CG_LIMIT;
}

void settings_adopt_file(void)
{
	char path[CONFIG_PATH];

	if (getenv(CONFIG_PREFIX "ENV_FILE") == NULL &&
		settings_file_path(path, sizeof(path)) == CG_OK &&
		access(path, R_OK) == 0)
		setenv(CONFIG_PREFIX "ENV_FILE", path, 0);
}

static void fill_input(
	struct config_input *input, char *const *environment, char *cwd, size_t size)
{
	*input = (struct config_input){
		.environment = environment,
		.cwd = getcwd(cwd, size) == NULL ? "/" : cwd,
		.plugin_dir = program_plugin_dir(),
	};
}

static void need_module(void *arg, const char *module)
{
	struct settings *settings = arg;

	loader_load(settings->loader, module);
	settings->input.kinds =
		loader_providers(settings->loader, &settings->input.kind_count);
}

static enum cg_status load_modules(struct settings *settings, bool all)
{
	char memory[CONFIG_PATH + 32];
	struct loader_options options = {
		.directory = settings->places.plugin_dir,
		.bundled = strcmp(settings->places.plugin_dir, program_plugin_dir()) == 0,
		.memory = memory,
		.program = program_path(),
		.waits = all ? NULL : config_asks_for,
		.refused = module_refused,
		.arg = settings,
	};
	struct cg_error err = {.text = ""};
	enum cg_status status;

	snprintf(memory, sizeof(memory), "%s/plugins.passed", settings->places.data_dir);
	status = loader_create(&options, &settings->loader, &err);
	if (status != CG_OK)
		fprintf(stderr, "cowgate: %s\n", err.text);
	return status;
}

static enum cg_status load(struct settings *settings, char *const *environment, bool all)
{
	struct config_input *input = &settings->input;
	enum cg_status status;

	*settings = (struct settings){.config = NULL};
	config_report_init(&settings->report);
	fill_input(input, environment, settings->cwd, sizeof(settings->cwd));
	if (config_places(input, &settings->places, &settings->report) != CG_OK) {
		settings_report(settings);
		return CG_INVALID;
	}
	config_report_finish(&settings->report); /* config_load() says the same again */
	config_report_init(&settings->report);
	status = load_modules(settings, all);
	if (status != CG_OK)
		return status;
	input->kinds = loader_providers(settings->loader, &input->kind_count);
	input->need = need_module;
	input->arg = settings;
	status = config_load(input, &settings->config, &settings->report);
	return status == CG_INVALID ? CG_OK : status;
}

enum cg_status settings_load(struct settings *settings)
{
	return load(settings, environ, true);
}

enum cg_status settings_load_used(struct settings *settings)
{
	return load(settings, environ, false);
}

enum cg_status settings_load_from(struct settings *settings, char *const *environment)
{
	return load(settings, environment, true);
}

void settings_finish(struct settings *settings)
{
	config_destroy(settings->config);
	config_report_finish(&settings->report);
	loader_destroy(settings->loader);
}

static void print_report(const struct config_report *report)
{
	struct cg_buffer text;

	cg_buffer_init(&text, REPORT_MAX);
	if (config_report_write(report, &text) == CG_OK)
		fputs(cg_buffer_string(&text), stderr);
	cg_buffer_finish(&text);
}

bool settings_report(const struct settings *settings)
{
	print_report(&settings->report);
	return !config_report_failed(&settings->report);
}

/* What @environment says; what is wrong with its files is said where @tell. */
static enum cg_status find_places(char *const *environment, const char *directory,
	bool tell, struct config_places *ret)
{
	char cwd[PATH_MAX];
	struct config_input input;
	struct config_report report;
	enum cg_status status;

	config_report_init(&report);
	fill_input(&input, environment, cwd, sizeof(cwd));
	if (directory != NULL)
		input.cwd = directory;
	status = config_places(&input, ret, &report);
	if (status != CG_OK && tell)
		print_report(&report);
	config_report_finish(&report);
	return status;
}

enum cg_status settings_places(struct config_places *ret)
{
	return find_places(environ, NULL, true, ret);
}

enum cg_status settings_places_running(struct config_places *ret)
{
	/* What decides about places without any file. */
	static const char *const names[] = {CONFIG_PREFIX "DATA_DIR=", "STATE_DIRECTORY=",
		"XDG_STATE_HOME=", "HOME="};
	char *environment[sizeof(names) / sizeof(names[0]) + 1];
	size_t count = 0;

	if (find_places(environ, NULL, false, ret) == CG_OK)
		return CG_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char **at = environ;

		while (*at != NULL && strncmp(*at, names[i], strlen(names[i])) != 0)
			at++;
		if (*at != NULL)
			environment[count++] = *at;
	}
	environment[count] = NULL;
	return find_places(environment, "/", false, ret);
}
