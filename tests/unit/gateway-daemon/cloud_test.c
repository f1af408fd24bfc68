/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

#define CLOUD(url) \
	HOUSE_ONE "OPEN_COWORK_CLOUD_BASE_URL=" url "\n" K \
		  "SERVICE_TOKEN=occ_service\n" K \
		  "ADMIN_TOKEN=admin-secret-of-tests\n" K "ALLOW_INSECURE_HTTP=true\n"

static bool is_directory(const struct house *house, const char *name)
{
	char path[160];
	struct stat info;

	snprintf(path, sizeof(path), "%s/%s", house->data, name);
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
	       (info.st_mode & 07777) == 0700;
}

static void cloud_of_a_standalone_gateway_is_its_plane(void)
{
	struct house house;
	struct stat info;
	char path[160];

	house_begin(&house, HOUSE_ONE);
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(house.daemon->plane);
	CU_ASSERT_PTR_NULL(house.daemon->link);
	CU_ASSERT_PTR_EQUAL(house.daemon->transport.self, house.daemon->plane);
	snprintf(path, sizeof(path), "%s/plane.db", house.data);
	CU_ASSERT_EQUAL(stat(path, &info), 0);
	CU_ASSERT_EQUAL(house.daemon->workspace_count, 0); /* echo works nowhere */
	house_end(&house);
}

static void cloud_elsewhere_is_reached_over_a_link(void)
{
	struct house house;
	struct stat info;
	char path[160];

	house_begin(&house, CLOUD("http://127.0.0.1:1"));
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_PTR_NULL(house.daemon->plane);
	CU_ASSERT_PTR_NOT_NULL(house.daemon->link);
	CU_ASSERT_PTR_EQUAL(house.daemon->transport.self, house.daemon->link);
	snprintf(path, sizeof(path), "%s/plane.db", house.data);
	CU_ASSERT_EQUAL(stat(path, &info), -1); /* no store of another's sessions */
	house_end(&house);
}

#define PROGRAM K "AGENT_BACKEND=acp\n" K "AGENT_COMMAND=[\"/bin/cat\"]\n"

/* Programs work in places of their own, one each, unless they are told where. */
static void cloud_gives_agents_their_places(void)
{
	struct house house;

	house_begin(&house, HOUSE_ONE PROGRAM K
		"CONFIG_JSON={\"agents\":[{\"name\":\"coder\",\"backend\":\"acp\","
		"\"command\":[\"/bin/cat\"]},{\"name\":\"parrot\",\"backend\":\"echo\"},"
		"{\"name\":\"guest\",\"backend\":\"acp\",\"command\":[\"/bin/cat\"],"
		"\"directory\":\"/tmp\"}]}\n");
	house.keeper = TEST_KEEPER;
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_EQUAL(house.daemon->workspace_count, 2);
	CU_ASSERT_TRUE(is_directory(&house, "workspace"));
	CU_ASSERT_TRUE(is_directory(&house, "workspace-coder"));
	CU_ASSERT_FALSE(is_directory(&house, "workspace-parrot"));
	CU_ASSERT_FALSE(is_directory(&house, "workspace-guest"));
	house_close(&house);
	/* The same places the next time. */
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	CU_ASSERT_EQUAL(house.daemon->workspace_count, 2);
	house_end(&house);
}

static void cloud_says_which_place_is_none(void)
{
	struct house house;
	char path[160];

	house_begin(&house, HOUSE_ONE PROGRAM);
	house.keeper = TEST_KEEPER;
	CU_ASSERT_EQUAL_FATAL(mkdir(house.data, 0700), 0);
	snprintf(path, sizeof(path), "%s/workspace", house.data);
	CU_ASSERT_EQUAL(symlink("/dev/null", path), 0);
	CU_ASSERT_NOT_EQUAL(house_create(&house), CG_OK);
	CU_ASSERT_PTR_NULL(house.daemon);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, path));
	CU_ASSERT_EQUAL(unlink(path), 0);
	house_end(&house);
}

static void cloud_serves_so_many_other_gateways(void)
{
	struct house house;
	char lines[2048];
	size_t length = (size_t)snprintf(
		lines, sizeof(lines), "%s", HOUSE_ONE K "PLANE_CHANNELS=far-1");

	for (int i = 2; i <= DAEMON_FOREIGN_CHANNELS; i++)
		length += (size_t)snprintf(
			lines + length, sizeof(lines) - length, ",far-%d", i);
	snprintf(lines + length, sizeof(lines) - length, "\n");
	house_begin(&house, lines);
	CU_ASSERT_EQUAL_FATAL(house_create(&house), CG_OK);
	house_close(&house);
	snprintf(lines + length, sizeof(lines) - length, ",one-more\n");
	house_write(&house, lines);
	CU_ASSERT_EQUAL(house_create(&house), CG_LIMIT);
	CU_ASSERT_PTR_NULL(house.daemon);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, K "PLANE_CHANNELS"));
	house_end(&house);
}

UNIT_SUITE(cloud, UNIT_TEST(cloud_of_a_standalone_gateway_is_its_plane),
	UNIT_TEST(cloud_elsewhere_is_reached_over_a_link),
	UNIT_TEST(cloud_gives_agents_their_places),
	UNIT_TEST(cloud_says_which_place_is_none),
	UNIT_TEST(cloud_serves_so_many_other_gateways));
