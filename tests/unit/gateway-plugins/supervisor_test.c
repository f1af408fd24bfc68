/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-plugins/provider_rig.h"

#include <event2/event.h>

static void changed(void *arg, struct instance *instance, enum channel_state state,
	const char *detail)
{
	struct stage *stage = arg;
	size_t i = 0;

	while (strcmp(stage->settings[i].instance_id, instance_id(instance)) != 0)
		i++;
	stage->states[i] = state;
	stage->changes[i]++;
	snprintf(stage->detail, sizeof(stage->detail), "%s", detail);
}

static uint64_t no_jitter(void *arg)
{
	(void)arg;
	return 0;
}

/* @count channels, started. */
static void begin(struct stage *stage, size_t count)
{
	const struct supervisor_hooks hooks = {
		.changed = changed, .random = no_jitter, .arg = stage};

	stage_init(stage);
	CU_ASSERT_EQUAL_FATAL(
		supervisor_create(stage->rig.loop, &hooks, &stage->supervisor, NULL),
		CG_OK);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(
			supervisor_adopt(stage->supervisor, stage_instance(stage), NULL),
			CG_OK);
}

static void end(struct stage *stage)
{
	supervisor_destroy(stage->supervisor);
	for (size_t i = 0; i < stage->count; i++)
		CU_ASSERT_EQUAL(stage->actors[i].destroyed, 1);
	stage_finish(stage);
}

static void up(struct stage *stage, size_t i)
{
	stage_health(&stage->actors[i], CG_HEALTH_UP, CG_HEALTH_UP);
}

static void supervisor_starts_and_stops_all(void)
{
	struct stage stage;

	begin(&stage, 3);
	CU_ASSERT_EQUAL(supervisor_count(stage.supervisor), 3);
	CU_ASSERT_EQUAL(stage.states[1], CHANNEL_CONFIGURED);
	CU_ASSERT_EQUAL(stage.changes[1], 1);
	supervisor_start(stage.supervisor);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(stage.states[i], CHANNEL_STARTING);
		up(&stage, i);
		CU_ASSERT_EQUAL(stage.states[i], CHANNEL_HEALTHY);
		CU_ASSERT_EQUAL(supervisor_state(stage.supervisor,
					supervisor_at(stage.supervisor, i)),
			CHANNEL_HEALTHY);
	}
	CU_ASSERT_PTR_EQUAL(supervisor_find(stage.supervisor, "two"),
		supervisor_at(stage.supervisor, 1));
	CU_ASSERT_PTR_NULL(supervisor_find(stage.supervisor, "nobody"));
	up(&stage, 0); /* no news */
	CU_ASSERT_EQUAL(stage.changes[0], 3);
	supervisor_stop(stage.supervisor);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(stage.states[i], CHANNEL_STOPPED);
		CU_ASSERT_EQUAL(stage.actors[i].stops, 1);
	}
	end(&stage);
}

static void supervisor_rests_longer_each_time(void)
{
	int64_t before = 0;

	for (unsigned failures = 1; failures < 40; failures++) {
		int64_t most = 0;

		for (uint64_t random = 0; random < 600000; random += 997) {
			int64_t rest = supervisor_rest_ms(failures, random);

			CU_ASSERT_FATAL(rest >= SUPERVISOR_RESTART_MS);
			CU_ASSERT_FATAL(rest <= SUPERVISOR_RESTART_MAX_MS);
			most = rest > most ? rest : most;
		}
		CU_ASSERT(most >= before || most > SUPERVISOR_RESTART_MAX_MS - 2000);
		before = most;
	}
	CU_ASSERT(before > SUPERVISOR_RESTART_MAX_MS - 2000);
	CU_ASSERT(supervisor_rest_ms(1, 600000) <= 2 * SUPERVISOR_RESTART_MS);
}

static void supervisor_restarts_the_one_that_is_deaf(void)
{
	struct stage stage;

	begin(&stage, 2);
	supervisor_start(stage.supervisor);
	up(&stage, 0);
	up(&stage, 1);
	stage_health(&stage.actors[0], CG_HEALTH_DOWN, CG_HEALTH_UP);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_UNHEALTHY);
	CU_ASSERT_STRING_EQUAL(stage.detail, "so it is");
	stage_health(&stage.actors[0], CG_HEALTH_DOWN, CG_HEALTH_UP); /* said twice */
	STAGE_UNTIL(&stage, stage.actors[0].starts == 2);
	CU_ASSERT_EQUAL(stage.actors[0].stops, 1);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_STARTING);
	up(&stage, 0);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_HEALTHY);
	/* The other was not touched. */
	CU_ASSERT_EQUAL(stage.actors[1].starts, 1);
	CU_ASSERT_EQUAL(stage.actors[1].stops, 0);
	CU_ASSERT_EQUAL(stage.changes[1], 3);
	end(&stage);
}

static void supervisor_starts_again_what_did_not_start(void)
{
	struct stage stage;

	begin(&stage, 1);
	stage.actors[0].start_status = CG_NETWORK;
	supervisor_start(stage.supervisor);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_FAILED);
	CU_ASSERT_STRING_EQUAL(stage.detail, "it does not start");
	stage.actors[0].start_status = CG_OK;
	STAGE_UNTIL(&stage, stage.actors[0].starts == 2);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_STARTING);
	end(&stage);
}

static void refuse(struct actor *actor)
{
	stage_health(actor, CG_HEALTH_REFUSED, CG_HEALTH_REFUSED);
}

/* The loop has timers that are due; none of them is a restart. */
static void expect_no_restart(struct stage *stage)
{
	STAGE_UNTIL(stage, event_base_get_num_events(loop_base(stage->rig.loop),
				   EVENT_BASE_COUNT_ACTIVE) == 0);
	for (size_t i = 0; i < stage->count; i++)
		CU_ASSERT_EQUAL(stage->actors[i].starts, 1);
}

static void supervisor_does_not_restart_a_refused_account(void)
{
	struct stage stage;
	int timers;

	begin(&stage, 1);
	timers = event_base_get_num_events(
		loop_base(stage.rig.loop), EVENT_BASE_COUNT_ADDED);
	supervisor_start(stage.supervisor);
	up(&stage, 0);
	stage_health(&stage.actors[0], CG_HEALTH_DOWN, CG_HEALTH_UP);
	/* A restart is due, and then the platform says that it is no use. */
	refuse(&stage.actors[0]);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_FAILED);
	CU_ASSERT_EQUAL(event_base_get_num_events(
				loop_base(stage.rig.loop), EVENT_BASE_COUNT_ADDED),
		timers);
	expect_no_restart(&stage);
	/* It may be let in again by itself. */
	up(&stage, 0);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_HEALTHY);
	end(&stage);
}

static void supervisor_does_not_restart_what_was_refused_at_its_start(void)
{
	for (int how = 0; how < 3; how++) {
		struct stage stage;
		int timers;

		begin(&stage, 1);
		timers = event_base_get_num_events(
			loop_base(stage.rig.loop), EVENT_BASE_COUNT_ADDED);
		/* By its status, by its health before it fails, by its health alone. */
		stage.actors[0].start_status = how == 0   ? CG_DENIED
					       : how == 1 ? CG_NETWORK
							  : CG_OK;
		stage.actors[0].on_start = how == 0 ? NULL : refuse;
		supervisor_start(stage.supervisor);
		CU_ASSERT_EQUAL(stage.states[0], CHANNEL_FAILED);
		CU_ASSERT_EQUAL(event_base_get_num_events(loop_base(stage.rig.loop),
					EVENT_BASE_COUNT_ADDED),
			timers);
		expect_no_restart(&stage);
		end(&stage);
	}
}

static void supervisor_that_stops_restarts_nothing(void)
{
	struct stage stage;
	int timers;

	begin(&stage, 1);
	timers = event_base_get_num_events(
		loop_base(stage.rig.loop), EVENT_BASE_COUNT_ADDED);
	supervisor_start(stage.supervisor);
	up(&stage, 0);
	stage_health(&stage.actors[0], CG_HEALTH_DOWN, CG_HEALTH_UP);
	supervisor_stop(stage.supervisor);
	CU_ASSERT_EQUAL(event_base_get_num_events(
				loop_base(stage.rig.loop), EVENT_BASE_COUNT_ADDED),
		timers);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_STOPPED);
	supervisor_stop(stage.supervisor);
	CU_ASSERT_EQUAL(stage.actors[0].stops, 1);
	end(&stage);
}

static void supervisor_judges_health(void)
{
	static const struct {
		enum cg_health_state inbound, outbound;
		enum channel_state state;
	} cases[] = {
		{CG_HEALTH_STARTING, CG_HEALTH_STARTING, CHANNEL_STARTING},
		{CG_HEALTH_UP, CG_HEALTH_UP, CHANNEL_HEALTHY},
		{CG_HEALTH_DEGRADED, CG_HEALTH_UP, CHANNEL_HEALTHY},
		{CG_HEALTH_UP, CG_HEALTH_DOWN, CHANNEL_HEALTHY}, /* rows wait */
		{CG_HEALTH_DOWN, CG_HEALTH_UP, CHANNEL_UNHEALTHY},
		{CG_HEALTH_REFUSED, CG_HEALTH_UP, CHANNEL_FAILED},
		{CG_HEALTH_UP, CG_HEALTH_REFUSED, CHANNEL_FAILED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage stage;

		begin(&stage, 1);
		supervisor_start(stage.supervisor);
		stage_health(&stage.actors[0], cases[i].inbound, cases[i].outbound);
		CU_ASSERT_EQUAL(stage.states[0], cases[i].state);
		end(&stage);
	}
}

static void supervisor_has_names_for_its_states(void)
{
	CU_ASSERT_STRING_EQUAL(channel_state_name(CHANNEL_CONFIGURED), "configured");
	CU_ASSERT_STRING_EQUAL(channel_state_name(CHANNEL_HEALTHY), "healthy");
	CU_ASSERT_STRING_EQUAL(channel_state_name(CHANNEL_STOPPED), "stopped");
	supervisor_destroy(NULL);
}

/* A provider that says nothing after its start is not waited for for ever. */
static void supervisor_restarts_the_one_that_never_comes_up(void)
{
	const struct supervisor_hooks hooks = {
		.changed = changed, .random = no_jitter, .start_ms = 1};
	struct supervisor_hooks hasty = hooks;
	struct stage stage;

	stage_init(&stage);
	hasty.arg = &stage;
	CU_ASSERT_EQUAL_FATAL(
		supervisor_create(stage.rig.loop, &hasty, &stage.supervisor, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(
		supervisor_adopt(stage.supervisor, stage_instance(&stage), NULL), CG_OK);
	supervisor_start(stage.supervisor);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	STAGE_UNTIL(&stage, stage.states[0] == CHANNEL_UNHEALTHY);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	STAGE_UNTIL(&stage, stage.actors[0].starts == 2);
	up(&stage, 0);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_HEALTHY);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	end(&stage);
}

static void supervisor_tends_what_is_refused_and_what_stands_still(void)
{
	struct stage stage;

	begin(&stage, 2);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	supervisor_start(stage.supervisor);
	up(&stage, 0);
	stage_health(&stage.actors[1], CG_HEALTH_REFUSED, CG_HEALTH_UP);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	supervisor_stop(stage.supervisor);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	end(&stage);
}

static void never(void *arg, const struct cg_outcome *outcome)
{
	CU_ASSERT_EQUAL(outcome->class, CG_OUTCOME_NOT_DISPATCHED);
	++*(unsigned *)arg;
}

/* It says that it is up, and does not come on: told by its name, until it does or is stopped. */
static void supervisor_does_not_tend_what_is_stuck(void)
{
	const char *id = NULL;
	unsigned answers = 0;
	struct stage stage;

	begin(&stage, 2);
	supervisor_start(stage.supervisor);
	up(&stage, 0);
	up(&stage, 1);
	stage.actors[1].holds = true;
	CU_ASSERT_EQUAL(
		instance_send(supervisor_at(stage.supervisor, 1), NULL, never, &answers),
		CG_OK);
	stage.rig.now_ms += INSTANCE_STALL_MS - 1;
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	stage.rig.now_ms += 1;
	CU_ASSERT_FALSE_FATAL(supervisor_is_tended(stage.supervisor, &id));
	CU_ASSERT_STRING_EQUAL(id, "two");
	instance_cancel(supervisor_at(stage.supervisor, 1), &answers);
	CU_ASSERT_EQUAL(answers, 1);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	/* Deaf beside it: a restart is due, and yet it is stuck. */
	CU_ASSERT_EQUAL(
		instance_send(supervisor_at(stage.supervisor, 1), NULL, never, &answers),
		CG_OK);
	stage_health(&stage.actors[1], CG_HEALTH_DOWN, CG_HEALTH_UP);
	stage.rig.now_ms += INSTANCE_STALL_MS;
	CU_ASSERT_FALSE(supervisor_is_tended(stage.supervisor, &id));
	supervisor_pause(stage.supervisor, supervisor_at(stage.supervisor, 1), true);
	CU_ASSERT_TRUE(supervisor_is_tended(stage.supervisor, NULL));
	instance_cancel(supervisor_at(stage.supervisor, 1), &answers);
	end(&stage);
}

static void supervisor_gives_one_back_and_takes_one_in(void)
{
	struct instance *one, *three;
	struct stage stage;

	begin(&stage, 3);
	supervisor_start(stage.supervisor);
	for (size_t i = 0; i < 3; i++)
		up(&stage, i);
	one = supervisor_at(stage.supervisor, 0);
	three = supervisor_at(stage.supervisor, 2);
	supervisor_release(stage.supervisor, one);
	CU_ASSERT_EQUAL(stage.states[0], CHANNEL_STOPPED);
	CU_ASSERT_EQUAL(stage.actors[0].stops, 1);
	CU_ASSERT_EQUAL(supervisor_count(stage.supervisor), 2);
	CU_ASSERT_PTR_NULL(supervisor_find(stage.supervisor, "one"));
	CU_ASSERT_PTR_EQUAL(supervisor_at(stage.supervisor, 1), three);
	CU_ASSERT_EQUAL(supervisor_state(stage.supervisor, three), CHANNEL_HEALTHY);
	CU_ASSERT_EQUAL(stage.actors[1].stops + stage.actors[2].stops, 0);
	supervisor_release(stage.supervisor, one); /* it is not there any more */
	instance_destroy(one);
	/* Where the others run, a new one begins at once. */
	CU_ASSERT_EQUAL(
		supervisor_adopt(stage.supervisor, stage_instance(&stage), NULL), CG_OK);
	CU_ASSERT_EQUAL(stage.states[3], CHANNEL_STARTING);
	CU_ASSERT_EQUAL(stage.actors[3].starts, 1);
	end(&stage);
}

UNIT_SUITE(supervisor, UNIT_TEST(supervisor_gives_one_back_and_takes_one_in),
	UNIT_TEST(supervisor_starts_and_stops_all),
	UNIT_TEST(supervisor_restarts_the_one_that_never_comes_up),
	UNIT_TEST(supervisor_tends_what_is_refused_and_what_stands_still),
	UNIT_TEST(supervisor_does_not_tend_what_is_stuck),
	UNIT_TEST(supervisor_rests_longer_each_time),
	UNIT_TEST(supervisor_restarts_the_one_that_is_deaf),
	UNIT_TEST(supervisor_starts_again_what_did_not_start),
	UNIT_TEST(supervisor_does_not_restart_a_refused_account),
	UNIT_TEST(supervisor_does_not_restart_what_was_refused_at_its_start),
	UNIT_TEST(supervisor_that_stops_restarts_nothing),
	UNIT_TEST(supervisor_judges_health),
	UNIT_TEST(supervisor_has_names_for_its_states));
