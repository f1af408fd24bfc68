/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

#include <cowgate/sdk/json.h>

/* How the last reload ended. */
struct ending {
	unsigned count;
	int status;
	struct json_object *body; /* owned */
};

static struct ending ending;
static int64_t leap_ms; /* of the monotonic clock */

static void ended(void *arg, int status, struct json_object *body)
{
	(void)arg;
	ending.count++;
	ending.status = status;
	cg_json_free(ending.body);
	ending.body = body;
}

static void reload(struct house *house, const char *lines)
{
	unsigned before = ending.count;

	house_write(house, lines);
	CU_ASSERT_TRUE_FATAL(reload_begin(house->daemon, ended, NULL));
	CU_ASSERT_EQUAL(ending.count, before); /* never inside */
	HOUSE_UNTIL(house, ending.count > before);
	CU_ASSERT_PTR_NULL(house->daemon->reload);
	CU_ASSERT_EQUAL(cg_json_bool(ending.body, "ok", false), ending.status == 200);
}

static const char *error(void)
{
	return cg_json_string_or(ending.body, "error", "");
}

/* "what:id" of the channels, joined by spaces; or the texts of another list. */
static const char *list(const char *name)
{
	static char text[256];
	struct json_object *array = cg_json_array(ending.body, name);
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < cg_json_count(array); i++) {
		struct json_object *item = cg_json_at(array, i);
		const char *space = i > 0 ? " " : "";

		if (cg_json_is_string(item))
			length += (size_t)snprintf(text + length, sizeof(text) - length,
				"%s%s", space, cg_json_value_string(item, NULL));
		else
			length += (size_t)snprintf(text + length, sizeof(text) - length,
				"%s%s:%s", space, cg_json_string_or(item, "what", ""),
				cg_json_string_or(item, "id", ""));
	}
	return text;
}

static void run(const char *lines, void (*body)(struct house *house))
{
	struct house house;

	memset(&ending, 0, sizeof(ending));
	leap_ms = 0;
	house_begin(&house, lines);
	house_run(&house, body);
	cg_json_free(ending.body);
	ending.body = NULL;
	house_end(&house);
}

/* Only the instance whose settings have changed is made anew. */
static void change_one(struct house *house)
{
	struct actor *one = house_actor(house, ONE), *two = house_actor(house, TWO);

	reload(house,
		K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("merry")) "," HOUSE_ACTOR(
			TWO, "") "]\n" K "LOG_LEVEL=warn\n");
	CU_ASSERT_EQUAL(ending.status, 200);
	CU_ASSERT_STRING_EQUAL(list("channels"), "restarted:" ONE);
	CU_ASSERT_STRING_EQUAL(list("changed"), K "LOG_LEVEL");
	CU_ASSERT_STRING_EQUAL(list("restart"), "");
	CU_ASSERT_EQUAL(house->reloads, 1); /* the log's owner was told */
	CU_ASSERT_EQUAL(house->daemon->config->log_level, CONFIG_LOG_WARN);
	CU_ASSERT_EQUAL(one->stops, 1);
	CU_ASSERT_EQUAL(one->destroyed, 1);
	CU_ASSERT_EQUAL(two->starts, 1);
	CU_ASSERT_EQUAL(two->stops, 0);
	one = house_actor(house, ONE);
	CU_ASSERT_EQUAL(house->stage.count, 3);
	CU_ASSERT_EQUAL(one->starts, 1);
	CU_ASSERT_STRING_EQUAL(one->settings->string(one->settings, "mood"), "merry");
	/* The same once more changes nothing. */
	CU_ASSERT_TRUE(reload_begin(house->daemon, ended, NULL));
	HOUSE_UNTIL(house, ending.count == 2);
	CU_ASSERT_STRING_EQUAL(list("channels"), "");
	CU_ASSERT_STRING_EQUAL(list("changed"), "");
	CU_ASSERT_EQUAL(house->stage.count, 3);
	daemon_stop(house->daemon);
}

static void reload_restarts_what_has_changed(void)
{
	run(HOUSE_TWO, change_one);
}

static void come_and_go(struct house *house)
{
	struct actor *one = house_actor(house, ONE);

	reload(house, K "PROVIDERS=[" HOUSE_ACTOR(TWO, "") "]\n");
	CU_ASSERT_STRING_EQUAL(list("channels"), "removed:" ONE " added:" TWO);
	CU_ASSERT_EQUAL(one->destroyed, 1);
	CU_ASSERT_PTR_NULL(supervisor_find(house->daemon->supervisor, ONE));
	CU_ASSERT_EQUAL(house_actor(house, TWO)->starts, 1);
	/* What came in through the one that is gone still has its place. */
	CU_ASSERT_EQUAL(channel_place(house->daemon, ONE), 0);
	CU_ASSERT_EQUAL(house->daemon->claiming_count, 1);
	CU_ASSERT_STRING_EQUAL(house->daemon->claiming[0].instance, TWO);
	/* The plane knows the new one at once: a person there is answered. */
	house_up(house, TWO);
	CU_ASSERT_EQUAL(house_hear(house, TWO, "e1", "there?"), CG_VERDICT_COMMITTED);
	HOUSE_UNTIL(house, strcmp(house_actor(house, TWO)->text, "there?") == 0);
	daemon_stop(house->daemon);
}

static void reload_adds_and_removes(void)
{
	run(HOUSE_ONE, come_and_go);
}

/* A file that is wrong: all stays as it was, and the line is named. */
static void write_nonsense(struct house *house)
{
	const struct config *before = house->daemon->config;
	const struct actor *one = house_actor(house, ONE);

	reload(house, "# what follows is wrong\n" HOUSE_ONE "what is this\n");
	CU_ASSERT_EQUAL(ending.status, 422);
	CU_ASSERT_PTR_NOT_NULL(strstr(error(), "nothing was changed"));
	CU_ASSERT_PTR_NOT_NULL(strstr(error(), "env:3"));
	CU_ASSERT_PTR_EQUAL(house->daemon->config, before);
	CU_ASSERT_EQUAL(house->reloads, 0);
	CU_ASSERT_EQUAL(one->stops, 0);
	CU_ASSERT_TRUE(house_logged(house, "reload.refused"));
	/* And the next one is taken. */
	reload(house, HOUSE_ONE);
	CU_ASSERT_EQUAL(ending.status, 200);
	daemon_stop(house->daemon);
}

static void reload_of_a_bad_file_changes_nothing(void)
{
	run(HOUSE_ONE, write_nonsense);
}

static void ask_for_a_restart(struct house *house)
{
	reload(house, HOUSE_ONE K "INSTANCE_ID=another\n");
	CU_ASSERT_EQUAL(ending.status, 200);
	CU_ASSERT_STRING_EQUAL(list("restart"), K "INSTANCE_ID");
	CU_ASSERT_STRING_EQUAL(list("changed"), "");
	CU_ASSERT_STRING_NOT_EQUAL(house->daemon->config->instance_id, "another");
	CU_ASSERT_TRUE(house_logged(house, "reload.needs_restart"));
	daemon_stop(house->daemon);
}

static void reload_names_what_takes_a_restart(void)
{
	run(HOUSE_ONE, ask_for_a_restart);
}

/* What the plane could not take the next reload tells it, though no setting has changed since. */
static void leave_the_plane_behind(struct house *house)
{
	struct daemon *daemon = house->daemon;

	reload(house, HOUSE_TWO); /* at once: the plane's store may not be prepared yet */
	CU_ASSERT_EQUAL(ending.status, 200);
	CU_ASSERT_FALSE(daemon->plane_behind);
	CU_ASSERT_EQUAL(plane_set_channels(daemon->plane, NULL, 0, NULL), CG_OK);
	daemon->plane_behind = true;
	reload(house, HOUSE_TWO);
	CU_ASSERT_STRING_EQUAL(list("channels"), "");
	CU_ASSERT_FALSE(daemon->plane_behind);
	house_up(house, TWO);
	house_hear(house, TWO, "e1", "heard?");
	HOUSE_UNTIL(house, strcmp(house_actor(house, TWO)->text, "heard?") == 0);
	daemon_stop(daemon);
}

static void reload_tells_a_plane_that_is_behind(void)
{
	run(HOUSE_ONE, leave_the_plane_behind);
}

/* Settings that only the provider can judge: it goes on with those of before, and is tried again. */
static void be_in_a_bad_mood(struct house *house)
{
	struct actor *actor;

	reload(house, K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("merry")) "]\n");
	reload(house, K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("bad")) "]\n");
	CU_ASSERT_EQUAL(ending.status, 500);
	CU_ASSERT_PTR_NOT_NULL(strstr(error(), "mood must be good"));
	CU_ASSERT_PTR_NOT_NULL(strstr(error(), "goes on with the settings of before"));
	CU_ASSERT_STRING_EQUAL(list("channels"), "");
	CU_ASSERT_EQUAL(house->stage.count, 3);
	actor = house_actor(house, ONE);
	CU_ASSERT_EQUAL(actor->starts, 1);
	CU_ASSERT_STRING_EQUAL(actor->settings->string(actor->settings, "mood"), "merry");
	/* Still bad: the last good ones are those of two files ago. */
	reload(house, K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("bad")) "]\n");
	CU_ASSERT_EQUAL(ending.status, 500);
	actor = house_actor(house, ONE);
	CU_ASSERT_EQUAL(house->stage.count, 4);
	CU_ASSERT_STRING_EQUAL(actor->settings->string(actor->settings, "mood"), "merry");
	/* One that was not there before has nothing to go on with. */
	reload(house, K "PROVIDERS=[" HOUSE_ACTOR(TWO, HOUSE_MOOD("bad")) "]\n");
	CU_ASSERT_EQUAL(ending.status, 500);
	CU_ASSERT_PTR_NOT_NULL(strstr(error(), "it is not started"));
	CU_ASSERT_STRING_EQUAL(list("channels"), "removed:" ONE);
	daemon_stop(house->daemon);
}

static void reload_goes_back_where_a_provider_refuses(void)
{
	run(HOUSE_ONE, be_in_a_bad_mood);
}

/* What is being sent ends first. */
static void change_while_it_sends(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_up(house, ONE);
	actor->holds = true;
	house_hear(house, ONE, "e1", "held");
	HOUSE_UNTIL(house, actor->sends == 1);
	house_write(house, K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("merry")) "]\n");
	CU_ASSERT_TRUE(reload_begin(house->daemon, ended, NULL));
	CU_ASSERT_FALSE(reload_begin(house->daemon, ended, NULL)); /* one at a time */
	for (int i = 0; i < 20; i++)
		loop_turn(house->daemon->loop);
	CU_ASSERT_EQUAL(ending.count, 0);
	CU_ASSERT_EQUAL(actor->stops, 0);
	actor_cancel(actor, actor->done_arg); /* it is answered */
	HOUSE_UNTIL(house, ending.count == 1);
	CU_ASSERT_STRING_EQUAL(list("channels"), "restarted:" ONE);
	CU_ASSERT_EQUAL(actor->destroyed, 1);
	daemon_stop(house->daemon);
}

static void reload_waits_for_what_is_being_sent(void)
{
	run(HOUSE_ONE, change_while_it_sends);
}

static int64_t leaping(const struct clock *clock)
{
	struct clock system;

	(void)clock;
	clock_system(&system, 0);
	return clock_mono(&system) + leap_ms;
}

/* But not for ever: then it is cut off, and nobody knows whether it arrived. */
static void change_while_it_hangs(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_up(house, ONE);
	actor->holds = true;
	actor->deaf = true;
	house_hear(house, ONE, "e1", "held");
	HOUSE_UNTIL(house, actor->sends == 1);
	house->daemon->clock.mono_ms = leaping;
	house_write(house, K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("merry")) "]\n");
	CU_ASSERT_TRUE(reload_begin(house->daemon, ended, NULL));
	for (int i = 0; i < 20; i++)
		loop_turn(house->daemon->loop);
	CU_ASSERT_EQUAL(ending.count, 0);
	leap_ms = RELOAD_DRAIN_MS;
	HOUSE_UNTIL(house, ending.count == 1);
	CU_ASSERT_EQUAL(ending.status, 200);
	CU_ASSERT_EQUAL(actor->destroyed, 1);
	HOUSE_UNTIL(house,
		house_number(house, "SELECT count(*) FROM outbox WHERE state = 3") == 1);
	daemon_stop(house->daemon);
}

static void reload_cuts_off_what_hangs(void)
{
	run(HOUSE_ONE, change_while_it_hangs);
}

/* SIGHUP while one is under way: the file is read once more, as it is then. */
static void ask_twice(struct house *house)
{
	house_write(house, K "PROVIDERS=[" HOUSE_ACTOR(TWO, "") "]\n");
	CU_ASSERT_TRUE(reload_begin(house->daemon, ended, NULL));
	house_write(house, HOUSE_TWO);
	reload_asked(house->daemon);
	reload_asked(house->daemon);
	HOUSE_UNTIL(house, house->daemon->reload == NULL && ending.count == 1);
	CU_ASSERT_STRING_EQUAL(list("channels"), "removed:" ONE " added:" TWO);
	CU_ASSERT_EQUAL(house->reloads, 2);
	CU_ASSERT_PTR_NOT_NULL(supervisor_find(house->daemon->supervisor, ONE));
	daemon_stop(house->daemon);
}

static void reload_is_done_again_when_asked_meanwhile(void)
{
	run(HOUSE_ONE, ask_twice);
}

static void stop_meanwhile(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_write(house, K "PROVIDERS=[" HOUSE_ACTOR(ONE, HOUSE_MOOD("merry")) "]\n");
	CU_ASSERT_TRUE(reload_begin(house->daemon, ended, NULL));
	reload_asked(house->daemon);
	daemon_stop(house->daemon);
	CU_ASSERT_EQUAL(ending.count, 1);
	CU_ASSERT_EQUAL(ending.status, 503);
	CU_ASSERT_PTR_NOT_NULL(strstr(error(), "the gateway stops"));
	CU_ASSERT_PTR_NULL(house->daemon->reload);
	CU_ASSERT_FALSE(house->daemon->reload_again);
	CU_ASSERT_EQUAL(house->stage.count, 1); /* and nothing was swapped */
	CU_ASSERT_EQUAL(actor->destroyed, 0);
	CU_ASSERT_FALSE(reload_begin(house->daemon, ended, NULL));
	reload_asked(house->daemon);
	CU_ASSERT_PTR_NULL(house->daemon->reload);
	CU_ASSERT_FALSE(house->daemon->reload_again);
}

static void reload_comes_to_nothing_when_the_gateway_stops(void)
{
	run(HOUSE_ONE, stop_meanwhile);
}

UNIT_SUITE(reload, UNIT_TEST(reload_restarts_what_has_changed),
	UNIT_TEST(reload_adds_and_removes),
	UNIT_TEST(reload_of_a_bad_file_changes_nothing),
	UNIT_TEST(reload_names_what_takes_a_restart),
	UNIT_TEST(reload_tells_a_plane_that_is_behind),
	UNIT_TEST(reload_goes_back_where_a_provider_refuses),
	UNIT_TEST(reload_waits_for_what_is_being_sent),
	UNIT_TEST(reload_cuts_off_what_hangs),
	UNIT_TEST(reload_is_done_again_when_asked_meanwhile),
	UNIT_TEST(reload_comes_to_nothing_when_the_gateway_stops));
