/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/webhook.h"
#include "tests/support/rig.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SECRET "correct-horse-battery"
#define SECOND "battery-staple-second"

static const struct settings_pair settings[] = {
	{"deliveryUrl", "https://receiver.example.org/hook"},
	{"sharedSecret", SECRET},
	{"sharedSecretSecond", SECOND},
	{NULL, NULL},
};

static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], settings);

	rig_up(rig);
	return rig;
}

static struct cg_http_call *sent_call(struct rig *rig)
{
	struct cg_http_call *call = host_fake_open_call(rig->host);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	return call;
}

/* A text is sent and the receiver does not answer. */
static void fail(struct rig *rig, struct host_fake_sent *sent)
{
	const struct cg_outbound outbound = host_fake_text("hello");

	rig_send(rig, &outbound, sent);
	host_fake_fault(sent_call(rig), CG_HTTP_TIMED_OUT);
}

static void the_shorter_time_counts(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	outbound.timeout_ms = 4321;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_EQUAL(sent_call(rig)->timeout_ms, 4321);
	host_fake_answer(sent_call(rig), 200, "");
	CU_ASSERT_STRING_EQUAL(sent.message_id, ""); /* it named none */
	outbound.timeout_ms = 60000;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_EQUAL(sent_call(rig)->timeout_ms, 15000);
	host_fake_answer(sent_call(rig), 200, "{\"messageId\":\"m1\"}");
	CU_ASSERT_STRING_EQUAL(sent.message_id, "m1");
	outbound.timeout_ms = 0;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_EQUAL(sent_call(rig)->timeout_ms, 15000);
	rig_destroy(rig);
}

static void what_nobody_repeats_has_an_id_too(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("");
	struct host_fake_sent sent;
	char first[128];

	outbound.kind = CG_OUTBOUND_TYPING;
	outbound.delivery_id = NULL;
	rig_send(rig, &outbound, &sent);
	cg_text_copy(
		first, sizeof(first), host_fake_header(sent_call(rig), "webhook-id"));
	CU_ASSERT_TRUE(strlen(first) >= 16);
	CU_ASSERT_STRING_EQUAL(first,
		host_fake_header(sent_call(rig), "x-open-cowork-gateway-delivery-id"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent_call(rig)->body, first));
	host_fake_answer(sent_call(rig), 200, "");
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_STRING_NOT_EQUAL(first, host_fake_header(sent_call(rig), "webhook-id"));
	rig_destroy(rig);
}

static void what_did_not_begin_is_no_silence(void)
{
	const struct cg_outbound outbound = host_fake_text("hello");
	struct rig *rig = up();
	struct host_fake_sent sent;

	rig->host->refuse_http = true;
	for (int i = 0; i < 2 * BREAKER_FAILURES; i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_pass(rig->host, 0);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
		CU_ASSERT_STRING_EQUAL(sent.detail, "too many exchanges are under way");
	}
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	rig->host->refuse_http = false;
	rig_send(rig, &outbound, &sent);
	CU_ASSERT_PTR_NOT_NULL(host_fake_open_call(rig->host));
	rig_destroy(rig);
}

static void a_probe_that_ends_early_makes_way_for_another(void)
{
	const struct cg_outbound outbound = host_fake_text("hello");
	struct rig *rig = up();
	struct host_fake_sent sent;

	for (int i = 0; i < BREAKER_FAILURES; i++)
		fail(rig, &sent);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_DEGRADED);
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	host_fake_pass(rig->host, BREAKER_FIRST_MS - 1);
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_RATE_LIMITED);
	CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_DESTINATION);
	CU_ASSERT_EQUAL(sent.outcome.retry_after_ms, 1);
	host_fake_pass(rig->host, 1);
	rig_send(rig, &outbound, &sent); /* the probe */
	rig_cancel(rig, &sent);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_AMBIGUOUS);
	rig->host->refuse_http = true;
	rig_send(rig, &outbound, &sent);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_NOT_DISPATCHED);
	rig->host->refuse_http = false;
	rig_send(rig, &outbound, &sent);
	host_fake_answer(sent_call(rig), 400, ""); /* whoever answers is alive */
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

static void who_has_stopped_says_nothing_of_health(void)
{
	struct rig *rig = up();
	struct host_fake_sent sent;
	int told;

	rig->provider->ops->stop(rig->self);
	told = rig->host->health_count;
	for (int i = 0; i < BREAKER_FAILURES; i++)
		fail(rig, &sent);
	CU_ASSERT_EQUAL(rig->host->health_count, told);
	rig->provider->ops->start(rig->self, NULL);
	CU_ASSERT_EQUAL(rig->host->health.outbound, CG_HEALTH_DEGRADED);
	rig_destroy(rig);
}

static void an_answer_is_shown_unless_it_knows_a_secret(void)
{
	static const char *const answers[] = {"no: " SECRET, "no: " SECOND, "", "no\xFF"};
	static const char *const details[] = {"", "", "", "no\xEF\xBF\xBD"};
	const struct cg_outbound outbound = host_fake_text("hello");
	struct rig *rig = up();
	struct host_fake_sent sent;

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_answer(sent_call(rig), 410, answers[i]);
		CU_ASSERT_EQUAL(sent.outcome.class, CG_OUTCOME_REFUSED);
		CU_ASSERT_EQUAL(sent.outcome.scope, CG_SCOPE_DESTINATION);
		CU_ASSERT_STRING_EQUAL(sent.detail, details[i]);
	}
	rig_destroy(rig);
}

UNIT_SUITE(webhook_api, UNIT_TEST(the_shorter_time_counts),
	UNIT_TEST(what_nobody_repeats_has_an_id_too),
	UNIT_TEST(what_did_not_begin_is_no_silence),
	UNIT_TEST(a_probe_that_ends_early_makes_way_for_another),
	UNIT_TEST(who_has_stopped_says_nothing_of_health),
	UNIT_TEST(an_answer_is_shown_unless_it_knows_a_secret));
