/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/routes/router.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static char id[2][CALL_FIELD + 1];

static const char *route_of(const char *method, const char *path)
{
	const struct route *route;
	char full[512];

	memset(id, 0, sizeof(id));
	snprintf(full, sizeof(full), "/api/channels/%s", path);
	route = router_find(method, full, id);
	return route == NULL ? "" : route->pattern;
}

static void router_matches_segments(void)
{
	CU_ASSERT_STRING_EQUAL(route_of("POST", "cursor"), "cursor");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "cursor"), "");
	CU_ASSERT_STRING_EQUAL(route_of("POST", "cursor/"), "");
	CU_ASSERT_STRING_EQUAL(route_of("POST", "cursors"), "");
	CU_ASSERT_STRING_EQUAL(route_of("POST", ""), "");
	CU_ASSERT_STRING_EQUAL(
		route_of("GET", "sessions/by-thread"), "sessions/by-thread");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions/other"), "sessions/*");
	CU_ASSERT_STRING_EQUAL(id[0], "other");
	CU_ASSERT_STRING_EQUAL(
		route_of("GET", "sessions/b1/artifacts/a2"), "sessions/*/artifacts/*");
	CU_ASSERT_STRING_EQUAL(id[0], "b1");
	CU_ASSERT_STRING_EQUAL(id[1], "a2");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions//artifacts/a2"), "");
	CU_ASSERT_PTR_NULL(router_find("GET", "/api/sessions", id));
	CU_ASSERT_PTR_NULL(router_find("GET", "", id));
}

static void router_decodes_one_segment(void)
{
	char path[600];

	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions/a%2Fb%20c+d"), "sessions/*");
	CU_ASSERT_STRING_EQUAL(id[0], "a/b c+d");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions/a%00b"), "");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions/a%2"), "");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions/a%zz"), "");
	CU_ASSERT_STRING_EQUAL(route_of("GET", "sessions/%ff"), "");
	memset(path, 'x', sizeof(path));
	memcpy(path, "sessions/", 9);
	path[9 + CALL_FIELD] = '\0';
	CU_ASSERT_STRING_EQUAL(route_of("GET", path), "sessions/*");
	path[9 + CALL_FIELD] = 'x';
	path[10 + CALL_FIELD] = '\0';
	CU_ASSERT_STRING_EQUAL(route_of("GET", path), "");
}

UNIT_SUITE(router, UNIT_TEST(router_matches_segments),
	UNIT_TEST(router_decodes_one_segment));
