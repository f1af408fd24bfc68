/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-daemon/house_rig.h"

static struct {
	bool done;
	enum cg_status status;
} answer;

static void answered(void *arg, enum cg_status status, const struct cg_error *err)
{
	(void)arg;
	(void)err;
	CU_ASSERT_FALSE(answer.done);
	answer.done = true;
	answer.status = status;
}

static enum cg_status await(struct house *house)
{
	CU_ASSERT_FALSE(answer.done); /* never inside */
	HOUSE_UNTIL(house, answer.done);
	answer.done = false;
	return answer.status;
}

static enum cg_status say_to(
	struct house *house, const char *instance, const char *id, const char *text)
{
	const struct operator_message message = {
		.delivery_id = id, .instance = instance, .chat_id = "chat", .text = text};

	saying_say(house->daemon, &message, answered, NULL);
	return await(house);
}

static enum cg_status pause_it(struct house *house, const char *id, bool pause)
{
	saying_pause(house->daemon, id, pause, answered, NULL);
	return await(house);
}

static enum channel_state state_of(const struct house *house, const char *id)
{
	const struct supervisor *supervisor = house->daemon->supervisor;

	return supervisor_state(supervisor, supervisor_find(supervisor, id));
}

static void run(void (*body)(struct house *house))
{
	struct house house;

	memset(&answer, 0, sizeof(answer));
	house_begin(&house, HOUSE_TWO);
	house_run(&house, body);
	house_end(&house);
}

static void say_something(struct house *house)
{
	struct actor *actor = house_actor(house, ONE);

	house_up(house, ONE);
	CU_ASSERT_EQUAL(say_to(house, ONE, "d-1", "the tests pass"), CG_OK);
	HOUSE_UNTIL(house, strcmp(actor->text, "the tests pass") == 0);
	/* A program that is not sure repeats itself; the chat hears it once. */
	CU_ASSERT_EQUAL(say_to(house, ONE, "d-1", "the tests pass"), CG_EXISTS);
	CU_ASSERT_EQUAL(say_to(house, ONE, "d-1", "the tests fail"), CG_CONFLICT);
	CU_ASSERT_EQUAL(say_to(house, TWO, "d-1", "the tests pass"), CG_CONFLICT);
	CU_ASSERT_EQUAL(say_to(house, "actor-none", "d-2", "x"), CG_NOT_FOUND);
	CU_ASSERT_EQUAL(house_number(house, "SELECT count(*) FROM outbox"), 1);
	CU_ASSERT_EQUAL(actor->sends, 1);
	/* What is longer than a message there comes in parts. */
	CU_ASSERT_EQUAL(
		say_to(house, ONE, "d-3", "1234567890 1234567890 1234567890 1234567890"),
		CG_OK);
	HOUSE_UNTIL(house, actor->sends == 3);
	daemon_stop(house->daemon);
}

static void saying_is_said_once(void)
{
	run(say_something);
}

static void say_too_much(struct house *house)
{
	char text[OUTBOX_PARTS * 80];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_EQUAL(say_to(house, ONE, "d-1", text), CG_INVALID); /* too many parts */
	CU_ASSERT_EQUAL(say_to(house, ONE, "d-1", "\xff"), CG_INVALID);
	CU_ASSERT_EQUAL(house_number(house, "SELECT count(*) FROM outbox"), 0);
	daemon_stop(house->daemon);
}

static void saying_has_limits(void)
{
	run(say_too_much);
}

static void pause_one(struct house *house)
{
	struct actor *one = house_actor(house, ONE), *two = house_actor(house, TWO);

	house_up(house, ONE);
	house_up(house, TWO);
	CU_ASSERT_EQUAL(pause_it(house, "actor-none", true), CG_NOT_FOUND);
	CU_ASSERT_EQUAL(pause_it(house, ONE, true), CG_OK);
	CU_ASSERT_EQUAL(one->stops, 1);
	CU_ASSERT_EQUAL(two->stops, 0);
	CU_ASSERT_EQUAL(state_of(house, ONE), CHANNEL_STOPPED);
	/* What is said meanwhile is kept. */
	CU_ASSERT_EQUAL(say_to(house, ONE, "d-1", "later"), CG_OK);
	CU_ASSERT_EQUAL(say_to(house, TWO, "d-2", "now"), CG_OK);
	HOUSE_UNTIL(house, two->sends == 1);
	CU_ASSERT_EQUAL(one->sends, 0);
	daemon_stop(house->daemon);
}

static void resume_it(struct house *house)
{
	struct actor *one = house_actor(house, ONE), *two = house_actor(house, TWO);
	struct supervisor *supervisor = house->daemon->supervisor;

	/* Paused over a restart; the other one began. */
	CU_ASSERT_TRUE(saying_is_paused(house->daemon, supervisor_find(supervisor, ONE)));
	CU_ASSERT_FALSE(
		saying_is_paused(house->daemon, supervisor_find(supervisor, TWO)));
	CU_ASSERT_EQUAL(one->starts, 0);
	CU_ASSERT_EQUAL(two->starts, 1);
	CU_ASSERT_EQUAL(pause_it(house, ONE, false), CG_OK);
	CU_ASSERT_FALSE(
		saying_is_paused(house->daemon, supervisor_find(supervisor, ONE)));
	CU_ASSERT_EQUAL(one->starts, 1);
	house_up(house, ONE);
	HOUSE_UNTIL(house, strcmp(one->text, "later") == 0);
	daemon_stop(house->daemon);
}

static void pause_outlives_a_restart(void)
{
	struct house house;

	memset(&answer, 0, sizeof(answer));
	house_begin(&house, HOUSE_TWO);
	house_run(&house, pause_one);
	house_run(&house, resume_it);
	house_end(&house);
}

/* The pause is stored when the gateway is about to stop: the channel is not touched any more. */
static void pause_and_stop(struct house *house)
{
	saying_pause(house->daemon, ONE, true, answered, NULL);
	daemon_stop(house->daemon);
	CU_ASSERT_EQUAL(await(house), CG_OK);
	CU_ASSERT_EQUAL(house_actor(house, ONE)->stops, 1); /* by the stop */
}

static void pause_at_the_end(void)
{
	run(pause_and_stop);
}

UNIT_SUITE(saying, UNIT_TEST(saying_is_said_once), UNIT_TEST(saying_has_limits),
	UNIT_TEST(pause_outlives_a_restart), UNIT_TEST(pause_at_the_end));
