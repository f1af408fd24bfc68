/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/routes/router.h"

#include <string.h>

#define PREFIX "/api/channels/"

static const struct route routes[] = {
#define ROUTE(method, pattern, function, flags) {method, pattern, flags, function},
#include "control-plane/routes/routes.def"
#undef ROUTE
};

/* Segment by segment.  A literal must match as it is; "*" takes any non-empty segment. */
static bool matches(const char *pattern, const char *path, char ret_id[2][CALL_FIELD + 1])
{
	size_t found = 0;

	for (;;) {
		size_t want = strcspn(pattern, "/");
		size_t have = strcspn(path, "/");

		if (want == 1 && *pattern == '*') {
			if (have == 0 || !call_decode(path, have, false, ret_id[found++]))
				return false;
		} else if (want != have || strncmp(pattern, path, want) != 0) {
			return false;
		}
		pattern += want;
		path += have;
		if (*pattern != *path)
			return false;
		if (*pattern == '\0')
			return true;
		pattern++;
		path++;
	}
}

const struct route *router_find(
	const char *method, const char *path, char ret_id[2][CALL_FIELD + 1])
{
	if (strncmp(path, PREFIX, strlen(PREFIX)) != 0)
		return NULL;
	path += strlen(PREFIX);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].method, method) == 0 &&
			matches(routes[i].pattern, path, ret_id))
			return &routes[i];
	}
	return NULL;
}
