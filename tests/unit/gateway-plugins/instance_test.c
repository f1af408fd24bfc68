/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-plugins/provider_rig.h"

static void instance_is_made_and_taken_down(void)
{
	struct instance *instance;
	struct stage stage;

	stage_init(&stage);
	instance = stage_instance(&stage);
	CU_ASSERT_STRING_EQUAL(instance_id(instance), "one");
	CU_ASSERT_PTR_EQUAL(instance_provider(instance), &actor_provider);
	CU_ASSERT_EQUAL(instance_capabilities(instance)->max_text, 77);
	CU_ASSERT_EQUAL(instance_measure(instance, "abc", 3), 6);
	CU_ASSERT_FALSE(instance_is_started(instance));
	CU_ASSERT_EQUAL(instance_start(instance, NULL), CG_OK);
	CU_ASSERT_EQUAL(instance_start(instance, NULL), CG_OK); /* once */
	CU_ASSERT_EQUAL(stage.actors[0].starts, 1);
	CU_ASSERT(instance_is_started(instance));
	instance_stop(instance);
	instance_stop(instance);
	CU_ASSERT_EQUAL(stage.actors[0].stops, 1);
	CU_ASSERT_EQUAL(instance_start(instance, NULL), CG_OK);
	instance_destroy(instance);
	CU_ASSERT_EQUAL(stage.actors[0].stops, 2);
	CU_ASSERT_EQUAL(stage.actors[0].destroyed, 1);
	instance_destroy(NULL);
	stage_finish(&stage);
}

static void instance_that_cannot_be_made_says_which(void)
{
	struct instance *instance = NULL;
	struct cg_error err;
	struct stage stage;

	stage_init(&stage);
	stage.create_status = CG_INVALID;
	CU_ASSERT_EQUAL(instance_create(&stage.services, &actor_provider,
				&stage.settings[0], &instance, &err),
		CG_INVALID);
	CU_ASSERT_PTR_NULL(instance);
	CU_ASSERT_STRING_EQUAL(err.text, "one: set the token");
	stage_finish(&stage);
}

static void instance_passes_calls_on(void)
{
	struct cg_webhook_request request = {.size = sizeof(request)};
	struct instance *instance;
	struct stage stage;

	stage_init(&stage);
	instance = stage_instance(&stage);
	CU_ASSERT_EQUAL(instance_query(instance, NULL, NULL, NULL), CG_UNSUPPORTED);
	CU_ASSERT_EQUAL(instance_webhook(instance, &request), CG_UNSUPPORTED);
	instance_destroy(instance);
	stage_finish(&stage);
}

static void instance_health_is_what_was_said_last(void)
{
	struct instance *instance;
	struct actor *actor;
	struct stage stage;
	struct cg_error err;

	stage_init(&stage);
	instance = stage_instance(&stage);
	actor = &stage.actors[0];
	CU_ASSERT_EQUAL(instance_health(instance)->inbound, CG_HEALTH_STARTING);
	stage_health(actor, CG_HEALTH_UP, CG_HEALTH_UP); /* before it began */
	CU_ASSERT_EQUAL(stage.healths, 0);
	CU_ASSERT_EQUAL(instance_start(instance, NULL), CG_OK);
	stage_health(actor, CG_HEALTH_DEGRADED, CG_HEALTH_DOWN);
	CU_ASSERT_EQUAL(stage.healths, 1);
	CU_ASSERT_EQUAL(instance_health(instance)->inbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_EQUAL(instance_health(instance)->outbound, CG_HEALTH_DOWN);
	CU_ASSERT_STRING_EQUAL(instance_health(instance)->detail, "so it is");
	stage_health(actor, CG_HEALTH_UP, CG_HEALTH_UP);
	CU_ASSERT_STRING_EQUAL(instance_health(instance)->detail, "");
	instance_stop(instance);
	stage_health(actor, CG_HEALTH_DOWN, CG_HEALTH_UP);
	CU_ASSERT_EQUAL(stage.healths, 2);
	actor->start_status = CG_NETWORK;
	CU_ASSERT_EQUAL(instance_start(instance, &err), CG_NETWORK);
	CU_ASSERT_EQUAL(instance_health(instance)->inbound, CG_HEALTH_DOWN);
	CU_ASSERT_STRING_EQUAL(instance_health(instance)->detail, "it does not start");
	CU_ASSERT_FALSE(instance_is_started(instance));
	actor->start_status = CG_DENIED;
	CU_ASSERT_EQUAL(instance_start(instance, &err), CG_DENIED);
	CU_ASSERT_EQUAL(instance_health(instance)->inbound, CG_HEALTH_REFUSED);
	instance_destroy(instance);
	stage_finish(&stage);
}

struct answers {
	unsigned sent, asked;
	enum cg_outcome_class class;
};

static void on_sent(void *arg, const struct cg_outcome *outcome)
{
	struct answers *answers = arg;

	answers->sent++;
	answers->class = outcome->class;
}

static void sends_are_counted_until_they_are_answered(void)
{
	const struct cg_outcome outcome = {
		.size = sizeof(outcome), .class = CG_OUTCOME_RATE_LIMITED};
	struct answers one = {0}, two = {0};
	struct instance *instance;
	struct actor *actor;
	struct stage stage;

	stage_init(&stage);
	instance = stage_instance(&stage);
	actor = &stage.actors[0];
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &one), CG_OK);
	CU_ASSERT_EQUAL(one.sent, 1); /* at once */
	CU_ASSERT_EQUAL(instance_sending(instance), 0);
	actor->holds = true;
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &one), CG_OK);
	CU_ASSERT_EQUAL(instance_sending(instance), 1);
	actor->done(actor->done_arg, &outcome);
	CU_ASSERT_EQUAL(one.sent, 2);
	CU_ASSERT_EQUAL(one.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &two), CG_OK);
	instance_cancel(instance, &one); /* not under way: nobody is asked */
	CU_ASSERT_EQUAL(actor->cancels, 0);
	instance_cancel(instance, &two);
	CU_ASSERT_EQUAL(actor->cancels, 1);
	CU_ASSERT_EQUAL(two.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(instance_sending(instance), 0);
	instance_destroy(instance);
	stage_finish(&stage);
}

static void abandoned_sends_are_all_answered(void)
{
	struct answers one = {0}, two = {0};
	struct instance *instance;
	struct actor *actor;
	struct stage stage;

	stage_init(&stage);
	instance = stage_instance(&stage);
	actor = &stage.actors[0];
	actor->holds = true;
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &one), CG_OK);
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &two), CG_OK);
	instance_abandon(instance); /* the actor knows of the last one only */
	CU_ASSERT_EQUAL(one.sent, 1);
	CU_ASSERT_EQUAL(one.class, CG_OUTCOME_AMBIGUOUS);
	CU_ASSERT_EQUAL(two.sent, 1);
	CU_ASSERT_EQUAL(two.class, CG_OUTCOME_NOT_DISPATCHED);
	CU_ASSERT_EQUAL(instance_sending(instance), 0);
	actor->deaf = true;
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &two), CG_OK);
	instance_destroy(instance); /* nobody is told any more */
	CU_ASSERT_EQUAL(two.sent, 1);
	stage_finish(&stage);
}

static void on_buried(void *arg)
{
	(*(unsigned *)arg)++;
}

static void retired_instance_says_so_and_is_buried_once(void)
{
	struct instance *instance;
	struct stage stage;
	unsigned buried = 0;

	stage_init(&stage);
	instance = stage_instance(&stage);
	instance_on_buried(instance, on_buried, &buried);
	CU_ASSERT_FALSE(instance_is_retired(instance));
	instance_retire(instance);
	CU_ASSERT(instance_is_retired(instance));
	CU_ASSERT_EQUAL(buried, 0);
	instance_destroy(instance);
	CU_ASSERT_EQUAL(buried, 1);
	CU_ASSERT_EQUAL(stage.actors[0].destroyed, 1);
	stage_finish(&stage);
}

/* The oldest counts, also when others come and go. */
static void a_send_that_is_never_answered_is_a_stall(void)
{
	struct answers old = {0}, young = {0};
	const struct cg_outcome outcome = {
		.size = sizeof(outcome), .class = CG_OUTCOME_SENT};
	struct instance *instance;
	struct actor *actor;
	struct stage stage;
	void *held;

	stage_init(&stage);
	instance = stage_instance(&stage);
	actor = &stage.actors[0];
	actor->holds = true;
	CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &old), CG_OK);
	held = actor->done_arg;
	stage.rig.now_ms += INSTANCE_STALL_MS - 1;
	CU_ASSERT_EQUAL(instance_send(instance, NULL, on_sent, &young), CG_OK);
	CU_ASSERT_EQUAL(instance_stall_ms(instance), INSTANCE_STALL_MS - 1);
	actor->done(actor->done_arg, &outcome);
	stage.rig.now_ms += 1;
	CU_ASSERT_EQUAL(instance_stall_ms(instance), INSTANCE_STALL_MS);
	actor->done(held, &outcome);
	CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
	instance_destroy(instance);
	stage_finish(&stage);
}

static void nothing(void *arg)
{
	(void)arg;
}

/* Who hears by asking and waits for nothing will never hear again; others are called. */
static void who_polls_and_waits_for_nothing_is_a_stall(void)
{
	for (int polls = 0; polls < 2; polls++) {
		struct instance *instance;
		const struct cg_host *host;
		struct cg_timer *timer;
		struct stage stage;
		int ends[2];

		stage_init(&stage);
		stage.polls = polls == 1;
		instance = stage_instance(&stage);
		host = stage.actors[0].host;
		CU_ASSERT_EQUAL(instance_start(instance, NULL), CG_OK);
		CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
		stage.rig.now_ms += INSTANCE_STALL_MS; /* it has not said that it is up */
		CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
		stage_health(&stage.actors[0], CG_HEALTH_UP, CG_HEALTH_UP);
		CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
		stage.rig.now_ms += INSTANCE_STALL_MS;
		CU_ASSERT_EQUAL(instance_stall_ms(instance), polls * INSTANCE_STALL_MS);
		timer = host->timer_start(host, 3600000, nothing, NULL);
		CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
		host->timer_cancel(host, timer);
		CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
		stage.rig.now_ms += 3;
		CU_ASSERT_EQUAL(instance_stall_ms(instance), polls * 3);
		CU_ASSERT_EQUAL(pipe(ends), 0);
		CU_ASSERT_EQUAL(host->watch(host, ends[0], nothing, NULL), CG_OK);
		CU_ASSERT_EQUAL(instance_stall_ms(instance), 0);
		instance_destroy(instance);
		close(ends[0]);
		close(ends[1]);
		stage_finish(&stage);
	}
}

UNIT_SUITE(instance, UNIT_TEST(a_send_that_is_never_answered_is_a_stall),
	UNIT_TEST(who_polls_and_waits_for_nothing_is_a_stall),
	UNIT_TEST(instance_is_made_and_taken_down),
	UNIT_TEST(instance_that_cannot_be_made_says_which),
	UNIT_TEST(instance_passes_calls_on),
	UNIT_TEST(instance_health_is_what_was_said_last),
	UNIT_TEST(sends_are_counted_until_they_are_answered),
	UNIT_TEST(abandoned_sends_are_all_answered),
	UNIT_TEST(retired_instance_says_so_and_is_buried_once));
