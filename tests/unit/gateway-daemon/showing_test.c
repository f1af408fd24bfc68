/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

static struct operator_host host;

static void run(const char *lines, void (*body)(struct house *house))
{
	struct house house;

	house_begin(&house, lines);
	house_run(&house, body);
	house_end(&house);
}

/* Is the gateway ready?  And what is less than it should be, as "what: detail" lines. */
static bool is_ready(char *ret, size_t size)
{
	struct operator_degraded list[OPERATOR_DEGRADED];
	size_t count = 0, length = 0;
	bool ready = host.ready(host.arg, list, &count);

	ret[0] = '\0';
	for (size_t i = 0; i < count && length < size; i++)
		length += (size_t)snprintf(ret + length, size - length, "%s: %s\n",
			list[i].what, list[i].detail);
	return ready;
}

static void show_channels(struct house *house)
{
	struct operator_channel channel;

	showing(house->daemon, &host);
	CU_ASSERT_EQUAL_FATAL(host.channel_count(host.arg), 2);
	host.channel(host.arg, 0, &channel);
	CU_ASSERT_STRING_EQUAL(channel.id, ONE);
	CU_ASSERT_STRING_EQUAL(channel.kind, "actor");
	CU_ASSERT_STRING_EQUAL(channel.binding_id, ONE);
	CU_ASSERT_STRING_EQUAL(channel.state, "starting");
	CU_ASSERT_TRUE(channel.started);
	CU_ASSERT_FALSE(channel.healthy);
	CU_ASSERT_EQUAL(channel.last_inbound_ms, 0);
	house_up(house, ONE);
	house_hear(house, ONE, "e1", "hello");
	host.channel(host.arg, 0, &channel);
	CU_ASSERT_STRING_EQUAL(channel.state, "healthy");
	CU_ASSERT_STRING_EQUAL(channel.error, "");
	CU_ASSERT_TRUE(channel.healthy);
	CU_ASSERT(channel.last_inbound_ms > 0);
	stage_health(house_actor(house, TWO), CG_HEALTH_REFUSED, CG_HEALTH_UP);
	host.channel(host.arg, 1, &channel);
	CU_ASSERT_STRING_EQUAL(channel.id, TWO);
	CU_ASSERT_STRING_EQUAL(channel.error, "so it is");
	CU_ASSERT_FALSE(channel.healthy);
	daemon_stop(house->daemon);
}

static void showing_tells_of_each_channel(void)
{
	run(HOUSE_TWO, show_channels);
}

static void become_ready(struct house *house)
{
	char list[1024];

	showing(house->daemon, &host);
	CU_ASSERT_FALSE(is_ready(list, sizeof(list))); /* nobody hears anything yet */
	house_up(house, ONE);
	CU_ASSERT_TRUE(is_ready(list, sizeof(list))); /* one is enough */
	CU_ASSERT_EQUAL(strncmp(list, TWO ": ", strlen(TWO ": ")), 0);
	stage_health(house_actor(house, TWO), CG_HEALTH_REFUSED, CG_HEALTH_UP);
	CU_ASSERT_TRUE(is_ready(list, sizeof(list)));
	CU_ASSERT_STRING_EQUAL(list, TWO ": so it is\n");
	house_up(house, TWO);
	CU_ASSERT_TRUE(is_ready(list, sizeof(list)));
	CU_ASSERT_STRING_EQUAL(list, "");
	/* A refused token makes it deaf, and so does a stop. */
	house->daemon->token_refused = true;
	CU_ASSERT_FALSE(is_ready(list, sizeof(list)));
	CU_ASSERT_STRING_EQUAL(list, "cloud: the service token was refused\n");
	house->daemon->token_refused = false;
	house->daemon->name_taken = true;
	CU_ASSERT_TRUE(is_ready(list, sizeof(list))); /* it hears, and does not claim */
	CU_ASSERT_PTR_NOT_NULL(strstr(list, "deliveries: another gateway on this host"));
	house->daemon->name_taken = false;
	house->daemon->stopping = true;
	CU_ASSERT_FALSE(is_ready(list, sizeof(list)));
	house->daemon->stopping = false;
	daemon_stop(house->daemon);
}

static void showing_says_what_readiness_lacks(void)
{
	run(HOUSE_TWO, become_ready);
}

static void list_too_much(struct house *house)
{
	struct operator_degraded list[OPERATOR_DEGRADED + 1] = {{.what = NULL}};
	size_t count = OPERATOR_DEGRADED - 1;

	showing(house->daemon, &host);
	CU_ASSERT_FALSE(host.ready(host.arg, list, &count)); /* two are down */
	CU_ASSERT_EQUAL(count, OPERATOR_DEGRADED);
	CU_ASSERT_STRING_EQUAL(list[OPERATOR_DEGRADED - 1].what, ONE);
	CU_ASSERT_PTR_NULL(list[OPERATOR_DEGRADED].what);
	daemon_stop(house->daemon);
}

static void showing_has_room_for_so_many(void)
{
	run(HOUSE_TWO, list_too_much);
}

static void show_a_cloud_that_is_away(struct house *house)
{
	struct http_request *nothing = NULL;
	char list[1024];

	showing(house->daemon, &host);
	house_up(house, ONE);
	CU_ASSERT_TRUE(is_ready(list, sizeof(list))); /* what comes in is kept */
	CU_ASSERT_STRING_EQUAL(list, "deliveries: the Cloud cannot be reached\n");
	CU_ASSERT_FALSE(host.api(host.arg, nothing)); /* there is no plane here */
	daemon_stop(house->daemon);
}

/* Nobody listens on port 1. */
static void showing_of_a_gateway_without_a_plane(void)
{
	run(HOUSE_ONE "OPEN_COWORK_CLOUD_BASE_URL=http://127.0.0.1:1\n" K
		      "SERVICE_TOKEN=occ_service\n" K
		      "ADMIN_TOKEN=admin-secret-of-tests\n" K
		      "ALLOW_INSECURE_HTTP=true\n",
		show_a_cloud_that_is_away);
}

static void ask_the_wrong_one(struct house *house)
{
	struct cg_webhook_request request = {.size = sizeof(request), .path = ""};

	showing(house->daemon, &host);
	CU_ASSERT_EQUAL(host.webhook(host.arg, "actor-none", &request), CG_NOT_FOUND);
	CU_ASSERT_EQUAL(host.webhook(host.arg, ONE, &request), CG_UNSUPPORTED);
	daemon_stop(house->daemon);
}

static void showing_knows_who_has_no_webhook(void)
{
	run(HOUSE_ONE, ask_the_wrong_one);
}

static int64_t ahead_ms;

static int64_t later(const struct clock *clock)
{
	struct clock system;

	(void)clock;
	clock_system(&system, 0);
	return clock_wall(&system) + ahead_ms;
}

static void measure(struct house *house)
{
	showing(house->daemon, &host);
	ahead_ms = 0;
	house->daemon->clock.wall_ms = later;
	house->daemon->started_ms = clock_wall(&house->daemon->clock);
	house_up(house, ONE);
	/* In the journal, and not sent: its channel is away. */
	stage_health(house_actor(house, ONE), CG_HEALTH_UP, CG_HEALTH_REFUSED);
	house_hear(house, ONE, "e1", "hello");
	HOUSE_UNTIL(house,
		house_number(house, "SELECT count(*) FROM outbox WHERE state = 0") == 1);
	host.measure(host.arg);
	/* Ages are those of the page before: nobody waits for the disk. */
	CU_ASSERT_TRUE(house_metered(house, "cowgate_outbox_oldest_age_seconds 0"));
	HOUSE_UNTIL(house, !house->daemon->oldest_asked);
	CU_ASSERT(house->daemon->oldest_outbox_ms > 0);
	ahead_ms = 3600000;
	house->daemon->oldest_outbox_ms = clock_wall(&house->daemon->clock) - 90000;
	host.measure(host.arg);
	CU_ASSERT_TRUE(house_metered(house, "cowgate_outbox_oldest_age_seconds 90"));
	CU_ASSERT_TRUE(house_metered(house, "cowgate_inbox_oldest_age_seconds 0"));
	CU_ASSERT_TRUE(
		house_metered(house, "open_cowork_gateway_delivery_queue_depth_max 1"));
	/* A clock that went back makes nothing younger than new. */
	HOUSE_UNTIL(house, !house->daemon->oldest_asked);
	ahead_ms = -3600000;
	host.measure(host.arg);
	CU_ASSERT_TRUE(house_metered(house, "cowgate_outbox_oldest_age_seconds 0"));
	HOUSE_UNTIL(house, !house->daemon->oldest_asked);
	daemon_stop(house->daemon);
}

static void showing_measures_ages(void)
{
	run(HOUSE_ONE, measure);
}

static void show_one_line(struct house *house)
{
	char line[NOTIFY_STATUS], little[8];

	showing_status(house->daemon, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "0 to answer, 0 to deliver; not up: " ONE ", " TWO);
	house_up(house, ONE);
	showing_status(house->daemon, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "0 to answer, 0 to deliver; not up: " TWO);
	house_up(house, TWO);
	showing_status(house->daemon, line, sizeof(line));
	CU_ASSERT_STRING_EQUAL(line, "0 to answer, 0 to deliver");
	showing_status(house->daemon, little, sizeof(little));
	CU_ASSERT_EQUAL(strlen(little), sizeof(little) - 1);
	daemon_stop(house->daemon);
}

static void showing_is_one_line_for_the_manager(void)
{
	run(HOUSE_TWO, show_one_line);
}

UNIT_SUITE(showing, UNIT_TEST(showing_tells_of_each_channel),
	UNIT_TEST(showing_says_what_readiness_lacks),
	UNIT_TEST(showing_has_room_for_so_many),
	UNIT_TEST(showing_of_a_gateway_without_a_plane),
	UNIT_TEST(showing_knows_who_has_no_webhook), UNIT_TEST(showing_measures_ages),
	UNIT_TEST(showing_is_one_line_for_the_manager));
