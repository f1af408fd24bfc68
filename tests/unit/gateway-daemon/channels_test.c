/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

/* A daemon that does not run: its channels can be opened and closed by hand. */
static void begin(struct house *house, const char *lines)
{
	house_begin(house, lines);
	CU_ASSERT_EQUAL_FATAL(house_create(house), CG_OK);
}

static void channels_have_places_for_good(void)
{
	struct house house;
	struct daemon *daemon;
	const struct config_provider *two;

	begin(&house, HOUSE_TWO);
	daemon = house.daemon;
	two = config_provider_find(daemon->config, TWO);
	CU_ASSERT_EQUAL(channel_place(daemon, ONE), 0);
	CU_ASSERT_EQUAL(channel_place(daemon, TWO), 1);
	CU_ASSERT_EQUAL(channel_place(daemon, "actor-none"), -1);
	CU_ASSERT_EQUAL(daemon->claiming_count, 2);
	channel_close(daemon, supervisor_find(daemon->supervisor, ONE));
	CU_ASSERT_EQUAL(house.stage.actors[0].destroyed, 1);
	CU_ASSERT_EQUAL(house.stage.actors[1].destroyed, 0);
	CU_ASSERT_PTR_NULL(supervisor_find(daemon->supervisor, ONE));
	/* It claims no more, but what came in through it is still handed over. */
	channels_claim(daemon);
	CU_ASSERT_EQUAL(daemon->claiming_count, 1);
	CU_ASSERT_STRING_EQUAL(daemon->claiming[0].instance, TWO);
	CU_ASSERT_EQUAL(daemon->channel_count, 2);
	CU_ASSERT_EQUAL(channel_place(daemon, ONE), 0);
	/* Another one later gets its own place again. */
	channel_close(daemon, supervisor_find(daemon->supervisor, TWO));
	CU_ASSERT_EQUAL(channel_open(daemon, two, daemon->config, NULL), CG_OK);
	CU_ASSERT_EQUAL(daemon->channel_count, 2);
	CU_ASSERT_EQUAL(channel_place(daemon, TWO), 1);
	CU_ASSERT_STRING_EQUAL(daemon->channels[1].binding_id, TWO);
	house_end(&house);
}

static void channels_say_what_their_settings_say(void)
{
	struct house house;
	const struct conversation_channel *channel;

	begin(&house, K "PROVIDERS=[{\"kind\":\"actor\",\"id\":\"actor-one\","
			"\"channelBindingId\":\"b\",\"externalWorkspaceId\":\"w\","
			"\"defaultAgent\":\"a\"}]\n");
	channel = &house.daemon->channels[0];
	CU_ASSERT_STRING_EQUAL(channel->instance, ONE);
	CU_ASSERT_STRING_EQUAL(channel->kind, "actor");
	CU_ASSERT_STRING_EQUAL(channel->binding_id, "b");
	CU_ASSERT_STRING_EQUAL(channel->workspace_id, "w");
	CU_ASSERT_STRING_EQUAL(channel->default_agent, "a");
	CU_ASSERT_TRUE(house_metered(&house, "open_cowork_gateway_providers 1"));
	house_end(&house);
}

static void channel_that_is_refused_leaves_nothing(void)
{
	struct house house;
	struct daemon *daemon;

	begin(&house, HOUSE_ONE);
	daemon = house.daemon;
	channel_close(daemon, supervisor_find(daemon->supervisor, ONE));
	house.stage.create_status = CG_DENIED;
	CU_ASSERT_EQUAL(channel_open(daemon, &daemon->config->providers[0],
				daemon->config, &house.err),
		CG_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, "set the token"));
	CU_ASSERT_EQUAL(supervisor_count(daemon->supervisor), 0);
	house.stage.create_status = CG_OK;
	CU_ASSERT_EQUAL(channel_open(daemon, &daemon->config->providers[0],
				daemon->config, &house.err),
		CG_OK);
	house_end(&house);
}

static void channels_have_a_cap_since_the_start(void)
{
	struct house house;
	struct daemon *daemon;

	begin(&house, HOUSE_TWO);
	daemon = house.daemon;
	channel_close(daemon, supervisor_find(daemon->supervisor, TWO));
	/* All places are taken, its own by another one. */
	for (size_t i = 1; i < SUPERVISOR_INSTANCES; i++)
		daemon->channels[i].instance = "actor-gone";
	daemon->channel_count = SUPERVISOR_INSTANCES;
	CU_ASSERT_EQUAL(channel_open(daemon, config_provider_find(daemon->config, TWO),
				daemon->config, &house.err),
		CG_LIMIT);
	CU_ASSERT_PTR_NOT_NULL(strstr(house.err.text, "restart"));
	CU_ASSERT_EQUAL(house.stage.actors[2].destroyed, 1);
	CU_ASSERT_EQUAL(supervisor_count(daemon->supervisor), 1);
	/* One that has its place needs no other. */
	channel_close(daemon, supervisor_find(daemon->supervisor, ONE));
	CU_ASSERT_EQUAL(channel_open(daemon, config_provider_find(daemon->config, ONE),
				daemon->config, &house.err),
		CG_OK);
	house_end(&house);
}

/* Whoever may write stands with the plane, beside the operator's own chat and other gateways. */
static void channels_of_the_plane_are_those_that_are_enabled(void)
{
	struct house house;
	struct plane_channel found[DAEMON_PLANE_CHANNELS];

	begin(&house,
		K "PROVIDERS=[{\"kind\":\"actor\",\"id\":\"actor-one\","
		  "\"channelBindingId\":"
		  "\"b-1\",\"allowFrom\":[\"u1\",\"u2\"],\"busyMode\":\"steer\"},"
		  "{\"kind\":\"actor\",\"id\":\"actor-two\",\"channelBindingId\":\"b-2\","
		  "\"enabled\":false}," HOUSE_ACTOR(
			  "actor-three", "") "]\n" K "PLANE_CHANNELS=far,further\n" K
					     "PLANE_ALLOW_FROM=u3\n");
	CU_ASSERT_EQUAL_FATAL(channels_of_plane(house.daemon->config, found), 5);
	CU_ASSERT_STRING_EQUAL(found[0].binding_id, "b-1");
	CU_ASSERT_STRING_EQUAL(found[0].provider, ONE);
	CU_ASSERT_STRING_EQUAL(found[0].display_name, "Actor");
	CU_ASSERT_EQUAL(found[0].mode, PLANE_STEER);
	CU_ASSERT_EQUAL_FATAL(found[0].allow_count, 2);
	CU_ASSERT_STRING_EQUAL(found[0].allow_from[1], "u2");
	CU_ASSERT_STRING_EQUAL(found[1].provider, "actor-three");
	CU_ASSERT_EQUAL_FATAL(found[1].allow_count, 1);
	CU_ASSERT_STRING_EQUAL(found[1].allow_from[0], "*");
	CU_ASSERT_STRING_EQUAL(found[2].binding_id, DAEMON_CHAT);
	CU_ASSERT_STRING_EQUAL(found[2].allow_from[0], "*");
	CU_ASSERT_STRING_EQUAL(found[3].binding_id, "far");
	CU_ASSERT_STRING_EQUAL(found[4].binding_id, "further");
	CU_ASSERT_EQUAL_FATAL(found[4].allow_count, 1);
	CU_ASSERT_STRING_EQUAL(found[4].allow_from[0], "u3");
	/* The disabled one is not here either. */
	CU_ASSERT_EQUAL(house.stage.count, 2);
	house_end(&house);
}

UNIT_SUITE(channels, UNIT_TEST(channels_have_places_for_good),
	UNIT_TEST(channels_say_what_their_settings_say),
	UNIT_TEST(channel_that_is_refused_leaves_nothing),
	UNIT_TEST(channels_have_a_cap_since_the_start),
	UNIT_TEST(channels_of_the_plane_are_those_that_are_enabled));
