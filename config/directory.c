/* SPDX-License-Identifier: Apache-2.0 */
#include "config/directory.h"

#include <stdio.h>
#include <string.h>

#ifdef __APPLE__
const enum directory_platform directory_platform = DIRECTORY_MACOS;
#else
const enum directory_platform directory_platform = DIRECTORY_UNIX;
#endif

static bool is_absolute(const char *path)
{
	return path != NULL && path[0] == '/';
}

/* The first @length bytes of @base, then @rest. */
static enum cg_status put_path(
	const char *base, size_t length, const char *rest, char *ret, size_t size)
{
	const size_t least = rest[0] == '/' ? 0 : 1;

	while (length > least && base[length - 1] == '/')
		length--;
	if (length + strlen(rest) >= size)
		return CG_LIMIT;
	snprintf(ret, size, "%.*s%s", (int)length, base, rest);
	return CG_OK;
}

enum cg_status directory_data(const struct directory_facts *facts, char *ret, size_t size)
{
	const bool macos = facts->platform == DIRECTORY_MACOS;
	const char *state = facts->state_directory;

	if (is_absolute(state))
		return put_path(state, strcspn(state, ":"), "", ret, size);
	if (facts->root)
		return put_path("", 0,
			macos ? "/Library/Application Support/cowgate"
			      : "/var/lib/cowgate",
			ret, size);
	if (is_absolute(facts->xdg_state_home))
		return put_path(facts->xdg_state_home, strlen(facts->xdg_state_home),
			"/cowgate", ret, size);
	if (is_absolute(facts->home))
		return put_path(facts->home, strlen(facts->home),
			macos ? "/Library/Application Support/cowgate"
			      : "/.local/state/cowgate",
			ret, size);
	return CG_NOT_FOUND;
}

enum cg_status directory_socket(
	const struct directory_facts *facts, const char *data_dir, char *ret, size_t size)
{
	const char *runtime = facts->runtime_directory;

	if (is_absolute(runtime))
		return put_path(
			runtime, strcspn(runtime, ":"), "/operator.sock", ret, size);
	return put_path(data_dir, strlen(data_dir), "/operator.sock", ret, size);
}

enum cg_status directory_join(const char *base, const char *path, char *ret, size_t size)
{
	if (is_absolute(path) || base == NULL || base[0] == '\0')
		return put_path(path, strlen(path), "", ret, size);
	if (strcmp(base, "/") == 0)
		base = "";
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strlen(base) + 1 + strlen(path) >= size)
		return CG_LIMIT;
	snprintf(ret, size, "%s/%s", base, path);
	return CG_OK;
}
