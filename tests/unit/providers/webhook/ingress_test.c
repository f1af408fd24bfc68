/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/webhook.h"
#include "tests/support/rig.h"
#include "tests/support/webhook_request.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/crypto.h>
#include <string.h>

#define SECRET "correct-horse-battery"
#define BY(sender) \
	"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"" sender \
	"},\"text\":\"hi\""
#define MESSAGE BY("")
#define INLINE \
	MESSAGE ",\"attachments\":[{\"filename\":\"a.txt\",\"bufferBase64\":" \
		"\"aGVsbG8=\"}]}"

static const struct settings_pair settings[] = {
	{"deliveryUrl", "https://receiver.example.org/hook"},
	{"sharedSecret", SECRET},
	{NULL, NULL},
};

static struct webhook_request request; /* the last one */
static struct cg_signature_headers headers; /* and its signature */

static struct rig *up(void)
{
	struct rig *rig = rig_new(cg_plugin.providers[0], settings);

	rig_up(rig);
	return rig;
}

/* Signed as the gateway's own senders do, or with @id as Standard Webhooks say. */
static void call(struct rig *rig, const char *id, const char *method, const char *body)
{
	headers = webhook_request_sign(
		SECRET, id == NULL ? "" : id, body, rig->host->wall_ms);
	request = (struct webhook_request){.answers = 0};
	if (id != NULL) {
		webhook_request_set(&request, "webhook-id", id);
		webhook_request_set(&request, "webhook-timestamp", headers.timestamp);
		webhook_request_set(&request, "webhook-signature", headers.standard);
	} else {
		webhook_request_set(&request, "x-open-cowork-gateway-webhook-timestamp",
			headers.timestamp);
		webhook_request_set(&request, "x-open-cowork-gateway-webhook-signature",
			headers.gateway);
	}
	webhook_ingress(rig->self,
		webhook_request_make(&request, method, body, rig->host->wall_ms));
}

static void check(struct rig *rig, const char *id, const char *body,
	enum cg_webhook_result expected)
{
	call(rig, id, "POST", body);
	CU_ASSERT_EQUAL(request.answers, 1);
	CU_ASSERT_EQUAL(request.result, expected);
}

static void a_message_is_answered_by_its_verdict(void)
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

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		call(rig, NULL, "POST", MESSAGE "}");
		CU_ASSERT_EQUAL(request.answers, 0);
		CU_ASSERT_TRUE(host_fake_last(rig->host)->has_raw);
		host_fake_verdict(rig->host, rows[i].verdict);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, rows[i].result);
	}
	rig_destroy(rig);
}

static void a_message_has_an_identity(void)
{
	struct rig *rig = up();
	char long_id[CG_INBOUND_EVENT_ID + 2];

	memset(long_id, 'a', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	check(rig, long_id, MESSAGE "}", CG_WEBHOOK_BAD);
	long_id[CG_INBOUND_EVENT_ID] = '\0';
	call(rig, long_id, "POST", MESSAGE "}");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, long_id);
	call(rig, "w1", "POST", MESSAGE ",\"id\":\"own\"}"); /* it knows best */
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "own");
	call(rig, NULL, "POST", MESSAGE "}");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "");
	CU_ASSERT_EQUAL(strlen(host_fake_last(rig->host)->fallback_key), 2 * CG_SHA256);
	check(rig, "w\n1", MESSAGE "}", CG_WEBHOOK_BAD);
	rig_destroy(rig);
}

static void the_signature_comes_before_the_form(void)
{
	struct rig *rig = up();

	check(rig, NULL, "", CG_WEBHOOK_DENIED); /* nothing to sign */
	call(rig, NULL, "PUT", MESSAGE "}");
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	request.values[1] = "sha256=00";
	webhook_ingress(rig->self, &request.request);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	rig_destroy(rig);
}

static void bots_are_not_answered_and_not_refused(void)
{
	struct rig *rig = up();

	check(rig, NULL, BY(",\"isBot\":true") "}", CG_WEBHOOK_ACCEPTED);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	check(rig, NULL, "{\"text\":", CG_WEBHOOK_BAD);
	check(rig, NULL, "[]", CG_WEBHOOK_BAD);
	check(rig, NULL, "payload", CG_WEBHOOK_BAD);
	rig_destroy(rig);
}

static void a_stop_while_files_are_written_gives_back(void)
{
	struct rig *rig = up();

	call(rig, NULL, "POST", INLINE);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig->provider->ops->stop(rig->self);
	host_fake_pass(rig->host, 0);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	CU_ASSERT_EQUAL(request.answers, 1);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	check(rig, NULL, MESSAGE "}", CG_WEBHOOK_UNAVAILABLE);
	rig->provider->ops->start(rig->self, NULL);
	rig->host->refuse_spool = true;
	check(rig, NULL, INLINE, CG_WEBHOOK_UNAVAILABLE);
	rig_destroy(rig);
}

static void what_still_waits_is_forgotten(void)
{
	struct rig *rig = up();

	call(rig, NULL, "POST", MESSAGE "}");
	call(rig, NULL, "POST", INLINE);
	webhook_ingress_finish(rig->self);
	CU_ASSERT_EQUAL(request.answers, 0); /* the daemon answers */
	rig_destroy(rig);
}

UNIT_SUITE(webhook_ingress, UNIT_TEST(a_message_is_answered_by_its_verdict),
	UNIT_TEST(a_message_has_an_identity),
	UNIT_TEST(the_signature_comes_before_the_form),
	UNIT_TEST(bots_are_not_answered_and_not_refused),
	UNIT_TEST(a_stop_while_files_are_written_gives_back),
	UNIT_TEST(what_still_waits_is_forgotten));
