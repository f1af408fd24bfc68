/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include <cowgate/sdk/program.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char path[PATH_MAX];
static char plugins[PATH_MAX + 128];
static char keeper[PATH_MAX + 128];

void program_remember(const char *argv0)
{
	char found[CG_PROGRAM_PATH];

	if (!cg_program_find(argv0, found, sizeof(found)) ||
		realpath(found, path) == NULL)
		path[0] = '\0';
}

const char *program_path(void)
{
	return path[0] == '\0' ? NULL : path;
}

/* What lies at @relative to the program, if it does and is of that kind. */
static const char *find_beside(
	const char *relative, bool directory, char *room, size_t size)
{
	const char *slash = strrchr(path, '/');
	struct stat info;

	if (slash == NULL ||
		snprintf(room, size, "%.*s/%s", (int)(slash - path), path, relative) >=
			(int)size ||
		stat(room, &info) != 0 || S_ISDIR(info.st_mode) != directory)
		return NULL;
	return room;
}

const char *program_plugin_dir(void)
{
	const char *found = find_beside("plugins", true, plugins, sizeof(plugins));

	if (found == NULL)
		found = find_beside(
			COWGATE_PLUGINS_BESIDE, true, plugins, sizeof(plugins));
	return found == NULL ? COWGATE_PLUGIN_DIR : found;
}

const char *program_keeper(void)
{
	const char *found = find_beside("cowgate-keeper", false, keeper, sizeof(keeper));

	if (found == NULL)
		found = find_beside(COWGATE_KEEPER_BESIDE, false, keeper, sizeof(keeper));
	return found == NULL ? COWGATE_KEEPER : found;
}
