/* SPDX-License-Identifier: Apache-2.0 */
/* The channels of the configuration, in memory and as rows. */
#include "control-plane/channel.h"

#include "tests/support/plane_fixture.h"
#include "tests/unit/unit.h"

#include <string.h>

static void lists_are_copies(void)
{
	static const char *const people[] = {"1", "*", "2"};
	char id[] = "a-binding", name[] = "a";
	const struct plane_channel from[] = {{.binding_id = id,
						     .provider = name,
						     .allow_from = people,
						     .allow_count = 3},
		{.binding_id = "b-binding",
			.provider = "b",
			.display_name = "B",
			.workspace_id = "w",
			.agent = "other",
			.mode = PLANE_STEER}};
	struct channel_list list;
	const struct channel *channel;

	CU_ASSERT_EQUAL_FATAL(channel_list_init(&list, from, 2, NULL), CG_OK);
	memset(id, 'x', sizeof(id) - 1);
	memset(name, 'x', sizeof(name) - 1);
	channel = channel_find(&list, "a-binding");
	CU_ASSERT_PTR_NOT_NULL_FATAL(channel);
	CU_ASSERT_STRING_EQUAL(channel->display_name, "a"); /* for want of another */
	CU_ASSERT_STRING_EQUAL(channel->workspace, "");
	CU_ASSERT_STRING_EQUAL(channel->agent, "");
	/* Everyone is no person. */
	CU_ASSERT_TRUE(channel->everyone);
	CU_ASSERT_EQUAL(channel->allow_count, 2);
	CU_ASSERT_STRING_EQUAL(channel->allow_from[1], "2");
	channel = channel_find(&list, "b-binding");
	CU_ASSERT_PTR_NOT_NULL_FATAL(channel);
	CU_ASSERT_STRING_EQUAL(channel->display_name, "B");
	CU_ASSERT_EQUAL(channel->mode, PLANE_STEER);
	CU_ASSERT_FALSE(channel->everyone);
	CU_ASSERT_PTR_NULL(channel_find(&list, "c-binding"));
	channel_list_finish(&list);
	CU_ASSERT_EQUAL(list.count, 0);
	channel_list_finish(&list);
}

static void a_provider_may_have_several(void)
{
	const struct plane_channel from[] = {
		{.binding_id = "1", .provider = "slack", .workspace_id = "T1"},
		{.binding_id = "2", .provider = "slack", .workspace_id = "T2"},
		{.binding_id = "3", .provider = "cli"}};
	struct channel_list list;
	size_t count;

	CU_ASSERT_EQUAL_FATAL(channel_list_init(&list, from, 3, NULL), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(channel_of_provider(&list, "slack", NULL, &count));
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_STRING_EQUAL(
		channel_of_provider(&list, "slack", "T2", &count)->binding_id, "2");
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_PTR_NULL(channel_of_provider(&list, "slack", "T3", &count));
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_STRING_EQUAL(
		channel_of_provider(&list, "cli", "", &count)->binding_id, "3");
	channel_list_finish(&list);
}

static void rows_follow_the_configuration(void)
{
	struct fixture f;

	fixture_start(&f);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM channel_binding WHERE "
					"status = 'active'"),
		3);
	CU_ASSERT_EQUAL(
		fixture_sql(&f, "SELECT count(*) FROM channel_binding WHERE open = 1"),
		1);
	f.channel_count = 1;
	fixture_restart(&f);
	/* What vanished is switched off, not forgotten: its sessions are still there. */
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM channel_binding"), 3);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM channel_binding WHERE "
					"status = 'active' AND provider = 'telegram'"),
		1);
	CU_ASSERT_EQUAL(fixture_sql(&f, "SELECT count(*) FROM channel_binding WHERE "
					"status = 'disabled' AND open = 0"),
		2);
	fixture_finish(&f);
}

UNIT_SUITE(channel, UNIT_TEST(lists_are_copies), UNIT_TEST(a_provider_may_have_several),
	UNIT_TEST(rows_follow_the_configuration));
