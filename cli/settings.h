/* SPDX-License-Identifier: Apache-2.0 */
/* Modules and settings of this invocation, loaded as the daemon would. */
#ifndef COWGATE_CLI_SETTINGS_H
#define COWGATE_CLI_SETTINGS_H

#include "config/config.h"
#include "gateway/plugins/loader.h"

#include <limits.h>

struct settings {
	struct loader *loader;
	struct config *config; /* NULL when there were errors */
	struct config_input input; /* what a reload reads again */
	char cwd[PATH_MAX];
	struct config_places places;
	struct config_report report;
	size_t refused_modules;
};

/*
 * Load modules and settings; what is wrong is in the report, refused modules are said on
 * stderr.  CG_OK also when the report has errors; anything else was said already.
 */
enum cg_status settings_load(struct settings *settings);
/* The same, but of the modules that come along only those that the settings speak of. */
enum cg_status settings_load_used(struct settings *settings);
/* The same as if the environment were @environment (NAME=value, ended by NULL). */
enum cg_status settings_load_from(struct settings *settings, char *const *environment);
void settings_finish(struct settings *settings);

/* Print the report on stderr; false when it has errors. */
bool settings_report(const struct settings *settings);

/*
 * Where `cowgate init` puts the settings and every command looks for them: /etc/cowgate for root,
 * else the person's own configuration directory.  NOT_FOUND: no home.
 */
enum cg_status settings_file_path(char *ret, size_t size);

/* First thing in main(): read that file unless OPEN_COWORK_GATEWAY_ENV_FILE is there, even empty. */
void settings_adopt_file(void);

/* Only where things are; for commands that speak to a running daemon.  What is wrong is said on
 * stderr. */
enum cg_status settings_places(struct config_places *ret);
/* The same for whoever asks a gateway that runs: it has read its files already, so that where one cannot
 * be read now the environment alone decides, without a word. */
enum cg_status settings_places_running(struct config_places *ret);

#endif
