/* SPDX-License-Identifier: Apache-2.0 */
/* A provider that a test holds by its strings, and what an instance of it stands on. */
#ifndef COWGATE_TESTS_PROVIDER_RIG_H
#define COWGATE_TESTS_PROVIDER_RIG_H

#include "gateway/plugins/instance.h"
#include "gateway/plugins/supervisor.h"
#include "tests/unit/gateway-journal/journal_rig.h"

#include <cowgate/sdk/error.h>
#include <sched.h>

struct stage;

/* The provider's own object: one an instance. */
struct actor {
	struct stage *stage;
	const struct cg_host *host;
	const struct cg_settings *settings;
	unsigned starts, stops, destroyed, sends;
	char text[256]; /* of the last send */
	enum cg_status start_status;
	bool holds; /* sends wait for stage_answer() or cancel */
	bool deaf; /* to cancel */
	cg_send_done done; /* of the send that is held */
	void *done_arg;
	unsigned cancels;
	void (*on_start)(struct actor *actor); /* may be NULL */
	void (*on_destroy)(struct actor *actor); /* may be NULL */
};

#define STAGE_ACTORS 4

struct stage {
	struct rig rig; /* first: the journal, the loop and the clock */
	struct http_client *http;
	struct instance_services services;
	struct cg_settings settings[STAGE_ACTORS];
	struct actor actors[STAGE_ACTORS];
	size_t count;
	enum cg_status create_status;
	bool polls; /* instances say that they do */
	/* What the services heard. */
	unsigned healths, logs, quits, submitted[CG_VERDICT_UNAVAILABLE + 1];
	struct supervisor *supervisor; /* NULL: health goes nowhere */
	/* What the supervisor told. */
	enum channel_state states[STAGE_ACTORS];
	unsigned changes[STAGE_ACTORS];
	char detail[128];
	uint64_t random;
};

static struct stage *stage_now; /* create() is told nothing of the test */

static inline enum cg_status actor_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	struct stage *stage = stage_now;
	struct actor *actor;

	if (stage->create_status != CG_OK)
		return cg_error_set(err, stage->create_status, "set the token");
	CU_ASSERT_FATAL(stage->count < STAGE_ACTORS);
	actor = &stage->actors[stage->count++];
	actor->stage = stage;
	actor->host = host;
	actor->settings = settings;
	*ret_self = actor;
	return CG_OK;
}

static inline void actor_destroy(void *self)
{
	struct actor *actor = self;

	if (actor == NULL)
		return;
	actor->destroyed++;
	if (actor->on_destroy != NULL)
		actor->on_destroy(actor);
}

static inline enum cg_status actor_start(void *self, struct cg_error *err)
{
	struct actor *actor = self;

	actor->starts++;
	if (actor->on_start != NULL)
		actor->on_start(actor);
	if (actor->start_status != CG_OK)
		return cg_error_set(err, actor->start_status, "it does not start");
	return CG_OK;
}

static inline void actor_stop(void *self)
{
	((struct actor *)self)->stops++;
}

static inline void actor_capabilities(const void *self, struct cg_capabilities *ret)
{
	ret->max_text = 77;
	ret->polls = ((const struct actor *)self)->stage->polls;
}

static inline uint32_t actor_measure(const void *self, const char *text, size_t length)
{
	(void)self;
	(void)text;
	return (uint32_t)length * 2;
}

static inline void actor_send(
	void *self, const struct cg_outbound *outbound, cg_send_done done, void *arg)
{
	const struct cg_outcome outcome = {
		.size = sizeof(outcome), .class = CG_OUTCOME_SENT};

	struct actor *actor = self;

	actor->sends++;
	snprintf(actor->text, sizeof(actor->text), "%s",
		outbound == NULL || outbound->text == NULL ? "" : outbound->text);
	actor->done = done;
	actor->done_arg = arg;
	if (!actor->holds)
		done(arg, &outcome); /* what it must not do, but a test may */
}

static inline void actor_cancel(void *self, void *arg)
{
	const struct cg_outcome outcome = {
		.size = sizeof(outcome), .class = CG_OUTCOME_NOT_DISPATCHED};
	struct actor *actor = self;

	actor->cancels++;
	if (!actor->deaf && arg == actor->done_arg)
		actor->done(arg, &outcome);
}

static const struct cg_provider_ops actor_ops = {.size = sizeof(actor_ops),
	.create = actor_create,
	.destroy = actor_destroy,
	.start = actor_start,
	.stop = actor_stop,
	.capabilities = actor_capabilities,
	.measure = actor_measure,
	.send = actor_send,
	.cancel = actor_cancel};
static const struct cg_provider actor_provider = {.size = sizeof(actor_provider),
	.kind = "actor",
	.title = "Actor",
	.version = "1",
	.ops = &actor_ops};

static inline void stage_on_health(void *arg, struct instance *instance)
{
	struct stage *stage = arg;

	stage->healths++;
	if (stage->supervisor != NULL)
		supervisor_health(stage->supervisor, instance);
}

static inline void stage_on_submitted(
	void *arg, struct instance *instance, enum cg_verdict verdict)
{
	(void)instance;
	((struct stage *)arg)->submitted[verdict]++;
}

static inline void stage_on_log(
	void *arg, struct instance *instance, enum cg_log_level level, const char *text)
{
	(void)instance;
	(void)level;
	CU_ASSERT_STRING_EQUAL(text, "a word");
	((struct stage *)arg)->logs++;
}

static inline void stage_on_quit(void *arg)
{
	((struct stage *)arg)->quits++;
}

static inline void stage_init(struct stage *stage)
{
	static const char *const names[] = {"one", "two", "three", "four"};

	memset(stage, 0, sizeof(*stage));
	stage_now = stage;
	rig_start(&stage->rig);
	CU_ASSERT_EQUAL_FATAL(
		http_client_create(stage->rig.loop, &stage->http, NULL), CG_OK);
	stage->services = (struct instance_services){.loop = stage->rig.loop,
		.offload = stage->rig.offload,
		.http = stage->http,
		.journal = stage->rig.journal,
		.spool_dir = stage->rig.directory,
		.health_changed = stage_on_health,
		.submitted = stage_on_submitted,
		.log = stage_on_log,
		.quit = stage_on_quit,
		.arg = stage};
	for (size_t i = 0; i < STAGE_ACTORS; i++)
		stage->settings[i] = (struct cg_settings){
			.size = sizeof(struct cg_settings), .instance_id = names[i]};
}

static inline void stage_finish(struct stage *stage)
{
	rig_close(&stage->rig);
	http_client_destroy(stage->http);
	loop_turn(stage->rig.loop);
	rig_finish(&stage->rig);
}

static inline struct instance *stage_instance(struct stage *stage)
{
	struct instance *instance = NULL;

	CU_ASSERT_EQUAL_FATAL(instance_create(&stage->services, &actor_provider,
				      &stage->settings[stage->count], &instance, NULL),
		CG_OK);
	return instance;
}

#define STAGE_UNTIL(stage, condition) \
	do { \
		bool until_met; \
\
		while (!(until_met = (condition)) && !(stage)->rig.expired) { \
			loop_turn((stage)->rig.loop); \
			sched_yield(); \
		} \
		CU_ASSERT_FATAL(until_met); \
	} while (0)

static inline void stage_health(
	struct actor *actor, enum cg_health_state inbound, enum cg_health_state outbound)
{
	const struct cg_health health = {.size = sizeof(health),
		.inbound = inbound,
		.outbound = outbound,
		.detail = inbound == CG_HEALTH_UP ? NULL : "so it is"};

	actor->host->health(actor->host, &health);
}

#endif
