/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/fake/fake.h"
#include "tests/support/rig.h"
#include "tests/support/webhook_request.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct settings_pair none[] = {{NULL, NULL}};

static struct webhook_request request; /* the last one */

static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], none);

	rig_up(rig);
	return rig;
}

static void call(struct rig *rig, const char *method, const char *body)
{
	request = (struct webhook_request){.answers = 0};
	fake_webhook(rig->self,
		webhook_request_make(&request, method, body, rig->host->wall_ms));
}

static void each_verdict_has_its_answer(void)
{
	static const struct {
		enum cg_verdict verdict;
		enum cg_webhook_result result;
	} rows[] = {
		{CG_VERDICT_COMMITTED, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_DUPLICATE, CG_WEBHOOK_ACCEPTED},
		{CG_VERDICT_CONFLICT, CG_WEBHOOK_CONFLICT},
		{CG_VERDICT_INVALID, CG_WEBHOOK_BAD},
		{CG_VERDICT_UNAVAILABLE, CG_WEBHOOK_UNAVAILABLE},
	};
	struct rig *rig = up();
	struct fake *fake = rig->self;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		call(rig, "POST", "{\"text\":\"hi\"}");
		CU_ASSERT_EQUAL(request.answers, 0);
		host_fake_verdict(rig->host, rows[i].verdict);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, rows[i].result);
	}
	CU_ASSERT_TRUE(LIST_EMPTY(&fake->arrivals));
	rig_destroy(rig);
}

static void an_id_is_the_senders_or_new(void)
{
	struct rig *rig = up();
	char first[64];

	call(rig, "POST", "{\"text\":\"hi\",\"id\":\"e1\"}");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "e1");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->message_id, "e1");
	CU_ASSERT_TRUE(host_fake_last(rig->host)->has_raw);
	call(rig, "POST", "{\"text\":\"hi\"}");
	cg_text_copy(first, sizeof(first), host_fake_last(rig->host)->event_id);
	CU_ASSERT_EQUAL(strncmp(first, "fake-", 5), 0);
	call(rig, "POST", "{\"text\":\"hi\"}");
	CU_ASSERT_STRING_NOT_EQUAL(host_fake_last(rig->host)->event_id, first);
	rig_destroy(rig);
}

static void what_is_not_understood_is_answered_at_once(void)
{
	struct rig *rig = up();

	call(rig, "POST", "{\"text\":");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	CU_ASSERT_STRING_NOT_EQUAL(request.body, "");
	call(rig, "POST", "{\"text\":5}");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	call(rig, "PUT", "{\"text\":\"hi\"}");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	call(rig, "GET", "");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_STRING_EQUAL(request.body, "[]");
	rig->provider->ops->stop(rig->self);
	call(rig, "GET", "");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

static void what_still_waits_is_forgotten(void)
{
	struct rig *rig = up();
	struct fake *fake = rig->self;

	call(rig, "POST", "{\"text\":\"hi\"}");
	fake_webhook_finish(fake);
	CU_ASSERT_TRUE(LIST_EMPTY(&fake->arrivals));
	CU_ASSERT_EQUAL(request.answers, 0); /* the daemon answers */
	rig_destroy(rig);
}

UNIT_SUITE(fake_ingress, UNIT_TEST(each_verdict_has_its_answer),
	UNIT_TEST(an_id_is_the_senders_or_new),
	UNIT_TEST(what_is_not_understood_is_answered_at_once),
	UNIT_TEST(what_still_waits_is_forgotten));
