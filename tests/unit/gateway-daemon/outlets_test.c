/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "tests/unit/gateway-plugins/provider_rig.h"

#include <cowgate/sdk/retry.h>

static struct cg_capabilities actor_can;
static unsigned actor_sends;
static unsigned actor_queries;

static void can(const void *self, struct cg_capabilities *ret)
{
	(void)self;
	*ret = actor_can;
}

static void take(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	(void)self;
	(void)outbound;
	(void)done;
	(void)arg;
	actor_sends++;
}

static void look_up(
	void *self, const struct cg_outbound *outbound, cg_query_done done, void *arg)
{
	(void)self;
	(void)outbound;
	(void)done;
	(void)arg;
	actor_queries++;
}

static const struct cg_provider_ops sending_ops = {.size = sizeof(sending_ops),
	.create = actor_create,
	.destroy = actor_destroy,
	.start = actor_start,
	.stop = actor_stop,
	.capabilities = can,
	.measure = actor_measure,
	.send = take,
	.cancel = actor_cancel,
	.query = look_up};
static const struct cg_provider sending_provider = {
	.size = sizeof(sending_provider), .kind = "actor", .ops = &sending_ops};

static void no_change(void *arg, struct instance *instance, enum channel_state state,
	const char *detail)
{
	(void)arg;
	(void)instance;
	(void)state;
	(void)detail;
}

static uint64_t no_jitter(void *arg)
{
	(void)arg;
	return 0;
}

struct house {
	struct stage stage;
	struct daemon daemon;
	struct outlet outlet;
};

static void begin_with(
	struct house *house, enum cg_reconcile reconcile, enum cg_retry_plan retry)
{
	const struct supervisor_hooks hooks = {.changed = no_change, .random = no_jitter};
	struct instance *instance = NULL;

	stage_init(&house->stage);
	memset(&house->daemon, 0, sizeof(house->daemon));
	actor_can = (struct cg_capabilities){.size = sizeof(actor_can),
		.max_text = 9,
		.reconcile = reconcile,
		.retry = retry};
	actor_sends = actor_queries = 0;
	CU_ASSERT_EQUAL_FATAL(supervisor_create(house->stage.rig.loop, &hooks,
				      &house->daemon.supervisor, NULL),
		CG_OK);
	CU_ASSERT_EQUAL_FATAL(instance_create(&house->stage.services, &sending_provider,
				      &house->stage.settings[0], &instance, NULL),
		CG_OK);
	CU_ASSERT_EQUAL(
		supervisor_adopt(house->daemon.supervisor, instance, NULL), CG_OK);
	outlets(&house->daemon, &house->outlet);
	house->stage.supervisor = house->daemon.supervisor;
}

static void begin(struct house *house, enum cg_reconcile reconcile)
{
	begin_with(house, reconcile, CG_RETRY_CHAT);
}

static void end(struct house *house)
{
	supervisor_destroy(house->daemon.supervisor);
	stage_finish(&house->stage);
}

/* Whether "one" can send, as every function of the outlet says it. */
static void expect(struct house *house, enum cg_status status)
{
	const struct outlet *outlet = &house->outlet;
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	const struct cg_outbound outbound = {.size = sizeof(outbound)};
	unsigned before = actor_sends;

	CU_ASSERT_EQUAL(outlet->capabilities(outlet->self, "one", &capabilities), status);
	CU_ASSERT_EQUAL(capabilities.max_text, 9); /* known also while it cannot */
	CU_ASSERT_EQUAL(outlet->capabilities(outlet->self, "one", NULL), status);
	CU_ASSERT_EQUAL(outlet->send(outlet->self, "one", &outbound, NULL, NULL), status);
	CU_ASSERT_EQUAL(actor_sends, before + (status == CG_OK));
}

static void outlets_send_through_a_channel_that_can(void)
{
	struct actor *actor;
	struct house house;

	begin(&house, CG_RECONCILE_NONE);
	actor = &house.stage.actors[0];
	expect(&house, CG_BUSY); /* not started */
	supervisor_start(house.daemon.supervisor);
	expect(&house, CG_OK);
	stage_health(actor, CG_HEALTH_DOWN, CG_HEALTH_DOWN); /* rather try than wait */
	expect(&house, CG_OK);
	stage_health(actor, CG_HEALTH_UP, CG_HEALTH_REFUSED);
	expect(&house, CG_BUSY);
	stage_health(actor, CG_HEALTH_UP, CG_HEALTH_UP);
	expect(&house, CG_OK);
	supervisor_stop(house.daemon.supervisor);
	expect(&house, CG_BUSY);
	end(&house);
}

static void outlets_know_who_is_not_there(void)
{
	const struct cg_outbound outbound = {.size = sizeof(outbound)};
	struct cg_capabilities capabilities = {.size = sizeof(capabilities)};
	const struct outlet *outlet;
	struct house house;

	begin(&house, CG_RECONCILE_NONE);
	outlet = &house.outlet;
	CU_ASSERT_EQUAL(outlet->capabilities(outlet->self, "nobody", &capabilities),
		CG_NOT_FOUND);
	CU_ASSERT_EQUAL(outlet->send(outlet->self, "nobody", &outbound, NULL, NULL),
		CG_NOT_FOUND);
	CU_ASSERT_EQUAL(outlet->query(outlet->self, "nobody", &outbound, NULL, NULL),
		CG_NOT_FOUND);
	outlet->cancel(outlet->self, "nobody", NULL);
	CU_ASSERT_EQUAL(outlet->measure(outlet->self, "nobody", "abc", 3), 3);
	end(&house);
}

static void outlets_pass_calls_on(void)
{
	const struct cg_outbound outbound = {.size = sizeof(outbound)};
	const struct outlet *outlet;
	struct house house;

	begin(&house, CG_RECONCILE_QUERY);
	outlet = &house.outlet;
	CU_ASSERT_EQUAL(outlet->measure(outlet->self, "one", "abc", 3), 6);
	CU_ASSERT_EQUAL(
		outlet->query(outlet->self, "one", &outbound, NULL, &house), CG_OK);
	CU_ASSERT_EQUAL(actor_queries, 1);
	outlet->cancel(outlet->self, "one", &house.outlet); /* nobody's */
	CU_ASSERT_EQUAL(house.stage.actors[0].cancels, 0);
	outlet->cancel(outlet->self, "one", &house);
	CU_ASSERT_EQUAL(house.stage.actors[0].cancels, 1);
	end(&house);
}

static void outlets_give_each_its_schedule(void)
{
	struct house house;
	int64_t lifetime = 0;

	begin(&house, CG_RECONCILE_NONE);
	CU_ASSERT_PTR_EQUAL(house.outlet.schedule(house.outlet.self, "one", &lifetime),
		&cg_retry_chat);
	CU_ASSERT_EQUAL(lifetime, INT64_C(24) * 3600 * 1000);
	CU_ASSERT_PTR_EQUAL(house.outlet.schedule(house.outlet.self, "nobody", &lifetime),
		&cg_retry_chat);
	end(&house);
	/* It is the provider's word that counts, not how it settles what is unclear. */
	begin(&house, CG_RECONCILE_IDEMPOTENCY_KEY);
	CU_ASSERT_PTR_EQUAL(house.outlet.schedule(house.outlet.self, "one", &lifetime),
		&cg_retry_chat);
	end(&house);
	begin_with(&house, CG_RECONCILE_IDEMPOTENCY_KEY, CG_RETRY_WEBHOOK);
	CU_ASSERT_PTR_EQUAL(house.outlet.schedule(house.outlet.self, "one", &lifetime),
		&cg_retry_webhook);
	CU_ASSERT_EQUAL(lifetime, INT64_C(28) * 3600 * 1000);
	end(&house);
}

UNIT_SUITE(outlets, UNIT_TEST(outlets_send_through_a_channel_that_can),
	UNIT_TEST(outlets_know_who_is_not_there), UNIT_TEST(outlets_pass_calls_on),
	UNIT_TEST(outlets_give_each_its_schedule));
