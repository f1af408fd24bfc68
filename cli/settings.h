/* SPDX-License-Identifier: Apache-2.0 */
/* Modules and settings of this invocation, loaded as the daemon would. */
#ifndef COWGATE_CLI_SETTINGS_H
#define COWGATE_CLI_SETTINGS_H

#include "config/config.h"
#include "gateway/plugins/loader.h"

struct settings {
	struct loader *loader;
	struct config *config; /* NULL when there were errors */
	struct config_places places;
	struct config_report report;
	size_t refused_modules;
};

/*
 * Load modules and settings; what is wrong is in the report, refused modules are said on
 * stderr.  CG_OK also when the report has errors; anything else was said already.
 */
enum cg_status settings_load(struct settings *settings);
void settings_finish(struct settings *settings);

/* Print the report on stderr; false when it has errors. */
bool settings_report(const struct settings *settings);

/* Only where things are; for commands that speak to a running daemon. */
enum cg_status settings_places(struct config_places *ret);

#endif
