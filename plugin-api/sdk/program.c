/* SPDX-License-Identifier: Apache-2.0 */
#include <cowgate/sdk/program.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory may be "executed" too, and is no program. */
static bool is_program(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* In PATH: the first that is there and fits. */
static bool search(const char *name, char ret[CG_PROGRAM_PATH])
{
	const char *directories = getenv("PATH");

	while (directories != NULL) {
		int length = (int)strcspn(directories, ":");

		if (snprintf(ret, CG_PROGRAM_PATH, "%.*s/%s", length == 0 ? 1 : length,
			    length == 0 ? "." : directories, name) < CG_PROGRAM_PATH &&
			is_program(ret))
			return true;
		directories =
			directories[length] == ':' ? directories + length + 1 : NULL;
	}
	return false;
}

bool cg_program_find(const char *name, char *ret, size_t size)
{
	char found[CG_PROGRAM_PATH];
	size_t length;

	if (size > 0)
		ret[0] = '\0';
	if (strchr(name, '/') == NULL) {
		if (name[0] == '\0' || !search(name, found))
			return false;
		name = found;
	} else if (!is_program(name)) {
		return false;
	}
	length = strlen(name);
	if (ret == NULL)
		return true;
	if (length >= size)
		return false;
	memcpy(ret, name, length + 1);
	return true;
}
