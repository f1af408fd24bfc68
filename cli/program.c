/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[PATH_MAX];
static char plugins[PATH_MAX + 16];
static char keeper[PATH_MAX + 16];

static bool resolve(const char *candidate)
{
	return access(candidate, X_OK) == 0 && realpath(candidate, path) != NULL;
}

/* As the shell found it. */
static void search(const char *name)
{
	const char *directories = getenv("PATH");
	char candidate[PATH_MAX];

	while (directories != NULL && *directories != '\0') {
		int length = (int)strcspn(directories, ":");

		snprintf(candidate, sizeof(candidate), "%.*s/%s", length, directories,
			name);
		if (resolve(candidate))
			return;
		directories += length;
		directories += *directories == ':';
	}
}

void program_remember(const char *argv0)
{
	if (strchr(argv0, '/') == NULL)
		search(argv0);
	else if (!resolve(argv0))
		path[0] = '\0';
}

const char *program_path(void)
{
	return path[0] == '\0' ? NULL : path;
}

const char *program_plugin_dir(void)
{
	const char *slash = strrchr(path, '/');
	struct stat info;

	if (slash == NULL)
		return COWGATE_PLUGIN_DIR;
	snprintf(plugins, sizeof(plugins), "%.*s/plugins", (int)(slash - path), path);
	if (stat(plugins, &info) == 0 && S_ISDIR(info.st_mode))
		return plugins;
	return COWGATE_PLUGIN_DIR;
}

const char *program_keeper(void)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return COWGATE_KEEPER;
	snprintf(
		keeper, sizeof(keeper), "%.*s/cowgate-keeper", (int)(slash - path), path);
	return access(keeper, X_OK) == 0 ? keeper : COWGATE_KEEPER;
}
