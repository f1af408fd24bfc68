/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[PATH_MAX];
static char plugins[PATH_MAX + 128];
static char keeper[PATH_MAX + 128];

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
