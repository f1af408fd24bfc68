/* SPDX-License-Identifier: Apache-2.0 */
#include "config/directory.h"

#include "tests/unit/unit.h"

#include <string.h>

static void data_goes_where_the_platform_keeps_state(void)
{
	static const struct {
		struct directory_facts facts;
		const char *path; /* NULL: not found */
	} rows[] = {
		{{.state_directory = "/var/lib/x", .root = true, .home = "/root"},
			"/var/lib/x"},
		{{.state_directory = "/var/lib/x:/var/lib/y"}, "/var/lib/x"},
		{{.state_directory = "relative", .home = "/h"},
			"/h/.local/state/cowgate"},
		{{.root = true, .xdg_state_home = "/s", .home = "/root"},
			"/var/lib/cowgate"},
		{{.xdg_state_home = "/s/", .home = "/h"}, "/s/cowgate"},
		{{.xdg_state_home = "", .home = "/h"}, "/h/.local/state/cowgate"},
		{{.home = "/"}, "/.local/state/cowgate"},
		{{.home = NULL}, NULL},
		{{.home = "h"}, NULL},
		{{.platform = DIRECTORY_MACOS, .home = "/Users/a"},
			"/Users/a/Library/Application Support/cowgate"},
		{{.platform = DIRECTORY_MACOS, .root = true},
			"/Library/Application Support/cowgate"},
	};
	char path[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum cg_status status =
			directory_data(&rows[i].facts, path, sizeof(path));

		if (rows[i].path == NULL) {
			CU_ASSERT_EQUAL(status, CG_NOT_FOUND);
			continue;
		}
		CU_ASSERT_EQUAL(status, CG_OK);
		CU_ASSERT_STRING_EQUAL(path, rows[i].path);
	}
}

static void the_socket_prefers_the_runtime_directory(void)
{
	const struct directory_facts runtime = {
		.runtime_directory = "/run/cowgate:/run/b"};
	const struct directory_facts none = {.runtime_directory = ""};
	char path[64];

	CU_ASSERT_EQUAL(directory_socket(&runtime, "/data", path, sizeof(path)), CG_OK);
	CU_ASSERT_STRING_EQUAL(path, "/run/cowgate/operator.sock");
	CU_ASSERT_EQUAL(directory_socket(&none, "/data/", path, sizeof(path)), CG_OK);
	CU_ASSERT_STRING_EQUAL(path, "/data/operator.sock");
}

static void paths_are_made_absolute(void)
{
	static const struct {
		const char *base, *path, *joined;
	} rows[] = {
		{"/b", "x", "/b/x"},
		{"/b", "./x", "/b/x"},
		{"/b", "/x/", "/x"},
		{"/b", "/", "/"},
		{"/", "x", "/x"},
	};
	char path[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_EQUAL(
			directory_join(rows[i].base, rows[i].path, path, sizeof(path)),
			CG_OK);
		CU_ASSERT_STRING_EQUAL(path, rows[i].joined);
	}
}

static void what_does_not_fit_is_refused(void)
{
	const struct directory_facts facts = {.state_directory = "/123456"};
	char path[8];

	CU_ASSERT_EQUAL(directory_data(&facts, path, 8), CG_OK);
	CU_ASSERT_EQUAL(directory_data(&facts, path, 7), CG_LIMIT);
	CU_ASSERT_EQUAL(directory_join("/123", "45", path, 8), CG_OK);
	CU_ASSERT_EQUAL(directory_join("/123", "456", path, 8), CG_LIMIT);
	CU_ASSERT_EQUAL(directory_socket(&facts, "/123", path, 8), CG_LIMIT);
}

UNIT_SUITE(directory, UNIT_TEST(data_goes_where_the_platform_keeps_state),
	UNIT_TEST(the_socket_prefers_the_runtime_directory),
	UNIT_TEST(paths_are_made_absolute), UNIT_TEST(what_does_not_fit_is_refused));
