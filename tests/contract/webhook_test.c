/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks in: who is believed, what is understood, and when the sender is answered. */
#include "tests/contract/request.h"
#include "tests/contract/subject.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD_BODY \
	"{\"id\":\"m1\",\"target\":{\"chatId\":\"c1\"},\"sender\":{\"userId\":\"u1\"}," \
	"\"text\":\"hi\"}"

static struct rig *up(void)
{
	struct rig *rig = module_rig("webhook", subject_webhook.settings);

	rig_up(rig);
	return rig;
}

static void the_sender_is_answered_after_the_commit(void)
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
		struct webhook_request request;

		request_post_signed(rig, &request, WEBHOOK_SECRET, GOOD_BODY);
		CU_ASSERT_EQUAL(request.answers, 0);
		host_fake_verdict(rig->host, rows[i].verdict);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, rows[i].result);
	}
	rig_destroy(rig);
}

static void check_denied(
	struct rig *rig, struct webhook_request *request, const char *body)
{
	request_post(rig, request, body);
	CU_ASSERT_EQUAL(request->answers, 1);
	CU_ASSERT_EQUAL(request->result, CG_WEBHOOK_DENIED);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
}

/* Only one thing is wrong with each of these. */
static void strangers_are_denied(void)
{
	const char timestamp[] = "x-open-cowork-gateway-webhook-timestamp";
	const char signature[] = "x-open-cowork-gateway-webhook-signature";
	struct rig *rig = up();
	struct cg_signature_headers good =
		webhook_request_sign(WEBHOOK_SECRET, "", GOOD_BODY, rig->host->wall_ms);
	struct cg_signature_headers other =
		webhook_request_sign("another secret", "", GOOD_BODY, rig->host->wall_ms);
	struct cg_signature_headers old = webhook_request_sign(
		WEBHOOK_SECRET, "", GOOD_BODY, rig->host->wall_ms - 301000);
	struct cg_signature_headers early = webhook_request_sign(
		WEBHOOK_SECRET, "", GOOD_BODY, rig->host->wall_ms + 301000);
	struct cg_signature_headers empty =
		webhook_request_sign(WEBHOOK_SECRET, "", "", rig->host->wall_ms);
	struct {
		const char *timestamp, *signature, *body;
	} rows[] = {
		{NULL, NULL, GOOD_BODY},
		{good.timestamp, NULL, GOOD_BODY},
		{NULL, good.gateway, GOOD_BODY},
		{good.timestamp, other.gateway, GOOD_BODY},
		{good.timestamp, good.gateway, GOOD_BODY " "},
		{"1700000001", good.gateway, GOOD_BODY},
		{"soon", good.gateway, GOOD_BODY},
		{good.timestamp, good.gateway + 3, GOOD_BODY},
		{old.timestamp, old.gateway, GOOD_BODY},
		{early.timestamp, early.gateway, GOOD_BODY},
		{empty.timestamp, empty.gateway, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct webhook_request request = {.answers = 0};

		if (rows[i].timestamp != NULL)
			webhook_request_set(&request, timestamp, rows[i].timestamp);
		if (rows[i].signature != NULL)
			webhook_request_set(&request, signature, rows[i].signature);
		check_denied(rig, &request, rows[i].body);
	}
	rig_destroy(rig);
}

static void a_signature_lives_for_five_minutes(void)
{
	struct rig *rig = up();
	struct cg_signature_headers old = webhook_request_sign(
		WEBHOOK_SECRET, "", GOOD_BODY, rig->host->wall_ms - 300000);
	struct webhook_request request = {.answers = 0};

	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-timestamp", old.timestamp);
	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-signature", old.gateway);
	request_post(rig, &request, GOOD_BODY);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_ACCEPTED);
	rig_destroy(rig);
}

/* The vector of the gateway's contract. */
static void the_known_signature_is_accepted(void)
{
	static const struct settings_pair pairs[] = {
		{"deliveryUrl", "https://receiver.example.org/"},
		{"sharedSecret", "vector-secret"},
		{NULL, NULL},
	};
	struct rig *rig = module_rig("webhook", pairs);
	struct webhook_request request = {.answers = 0};

	rig_up(rig);
	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-timestamp", "1700000000");
	webhook_request_set(&request, "x-open-cowork-gateway-webhook-signature",
		"v1=810499c113a2cf0e6e220830c09abb3e1d3f04479e8b956250b70297e66b8ee6");
	request_post(rig, &request, GOOD_BODY);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "m1");
	CU_ASSERT_TRUE(host_fake_last(rig->host)->has_raw);
	rig_destroy(rig);
}

static void standard_webhooks_are_accepted(void)
{
	static const char body[] =
		"{\"target\":{\"chatId\":\"c1\"},\"sender\":{\"userId\":\"u1\"}}";
	struct rig *rig = up();
	struct cg_signature_headers headers =
		webhook_request_sign(WEBHOOK_SECRET, "msg_1", body, rig->host->wall_ms);
	struct webhook_request request = {.answers = 0};

	webhook_request_set(&request, "Webhook-Id", "msg_1");
	webhook_request_set(&request, "Webhook-Timestamp", headers.timestamp);
	webhook_request_set(&request, "Webhook-Signature", headers.standard);
	request_post(rig, &request, body);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	/* The signed id is the event's own when the body has none. */
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "msg_1");

	request = (struct webhook_request){.answers = 0};
	webhook_request_set(&request, "Webhook-Id", "msg_2");
	webhook_request_set(&request, "Webhook-Timestamp", headers.timestamp);
	webhook_request_set(&request, "Webhook-Signature", headers.standard);
	request_post(rig, &request, body);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_DENIED);
	rig_destroy(rig);
}

/* An unsigned webhook-id beside a gateway signature is anybody's word. */
static void without_an_id_a_repeat_is_told_by_its_signature(void)
{
	static const char body[] =
		"{\"target\":{\"chatId\":\"c1\"},\"sender\":{\"userId\":\"u1\"}}";
	struct rig *rig = up();
	struct cg_signature_headers headers =
		webhook_request_sign(WEBHOOK_SECRET, "", body, rig->host->wall_ms);
	char key[128] = "";

	for (int i = 0; i < 2; i++) {
		struct webhook_request request = {.answers = 0};

		webhook_request_set(&request, "webhook-id", i == 0 ? "a" : "b");
		webhook_request_set(&request, "x-open-cowork-gateway-webhook-timestamp",
			headers.timestamp);
		webhook_request_set(&request, "x-open-cowork-gateway-webhook-signature",
			headers.gateway);
		request_post(rig, &request, body);
		CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "");
		CU_ASSERT_EQUAL(strlen(host_fake_last(rig->host)->fallback_key), 64);
		if (i == 1)
			CU_ASSERT_STRING_EQUAL(
				host_fake_last(rig->host)->fallback_key, key);
		cg_text_copy(key, sizeof(key), host_fake_last(rig->host)->fallback_key);
		host_fake_verdict(rig->host, CG_VERDICT_COMMITTED);
	}
	rig_destroy(rig);
}

static void a_form_may_carry_the_document(void)
{
	static const char body[] =
		"a=1&payload=%7B%22id%22%3A%22f1%22%2C%22target%22%3A%7B%22chatId%22%3A"
		"%22c%22%7D%2C%22sender%22%3A%7B%22userId%22%3A%22u%22%7D%2C%22text%22"
		"%3A%22a+b%22%7D";
	struct rig *rig = up();
	struct cg_signature_headers headers =
		webhook_request_sign(WEBHOOK_SECRET, "", body, rig->host->wall_ms);
	struct webhook_request request = {.answers = 0};

	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-timestamp", headers.timestamp);
	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-signature", headers.gateway);
	webhook_request_set(&request, "Content-Type",
		"application/x-www-form-urlencoded; charset=utf-8");
	request_post(rig, &request, body);
	CU_ASSERT_EQUAL(host_fake_open_submissions(rig->host), 1);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "f1");
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->text, "a b");

	/* What curl calls a form when it is told nothing else. */
	headers = webhook_request_sign(WEBHOOK_SECRET, "", GOOD_BODY, rig->host->wall_ms);
	request = (struct webhook_request){.answers = 0};
	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-timestamp", headers.timestamp);
	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-signature", headers.gateway);
	webhook_request_set(
		&request, "Content-Type", "application/x-www-form-urlencoded");
	request_post(rig, &request, GOOD_BODY);
	CU_ASSERT_STRING_EQUAL(host_fake_last(rig->host)->event_id, "m1");
	rig_destroy(rig);
}

static void what_is_not_understood_is_named(void)
{
	static const struct {
		const char *body, *word;
	} rows[] = {
		{"nonsense", "JSON"},
		{"[1]", "object"},
		{"{\"sender\":{\"userId\":\"u\"}}", "target.chatId"},
		{"{\"target\":{\"chatId\":\"c\"}}", "sender.userId"},
		{"{\"target\":7,\"sender\":{\"userId\":\"u\"}}", "target"},
		{"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"},"
		 "\"attachments\":{}}",
			"attachments"},
		{"{\"target\":{\"chatId\":\"c\"},\"sender\":{\"userId\":\"u\"},"
		 "\"receivedAt\":\"yesterday\"}",
			"receivedAt"},
	};
	struct rig *rig = up();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct webhook_request request;

		request_post_signed(rig, &request, WEBHOOK_SECRET, rows[i].body);
		CU_ASSERT_EQUAL(request.answers, 1);
		CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
		CU_ASSERT_PTR_NOT_NULL(strstr(request.body, rows[i].word));
	}
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

static void a_stopped_instance_takes_nothing(void)
{
	struct rig *rig = up();
	struct webhook_request request;

	rig->provider->ops->stop(rig->self);
	request_post_signed(rig, &request, WEBHOOK_SECRET, GOOD_BODY);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_UNAVAILABLE);
	CU_ASSERT_EQUAL(rig->host->submission_count, 0);
	rig_destroy(rig);
}

static void a_request_may_outlive_its_instance(void)
{
	struct rig *rig = up();
	struct webhook_request request;

	request_post_signed(rig, &request, WEBHOOK_SECRET, GOOD_BODY);
	rig_destroy(rig);
	CU_ASSERT_EQUAL(request.answers, 0);
}

static void only_posts_are_understood(void)
{
	struct rig *rig = up();
	struct cg_signature_headers headers =
		webhook_request_sign(WEBHOOK_SECRET, "", GOOD_BODY, rig->host->wall_ms);
	struct webhook_request request = {.answers = 0};

	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-timestamp", headers.timestamp);
	webhook_request_set(
		&request, "x-open-cowork-gateway-webhook-signature", headers.gateway);
	request_send(rig, &request, "PUT", GOOD_BODY);
	CU_ASSERT_EQUAL(request.result, CG_WEBHOOK_BAD);
	rig_destroy(rig);
}

/* Out. */

static void deliveries_are_signed_anew(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	char first[64];

	rig_send(rig, &outbound, &sent);
	for (int attempt = 0; attempt < 2; attempt++) {
		struct cg_http_call *call = host_fake_open_call(rig->host);
		struct cg_signature_headers expected = webhook_request_sign(
			WEBHOOK_SECRET, "delivery-1", call->body, rig->host->wall_ms);

		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "webhook-id"), "delivery-1");
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "webhook-timestamp"), expected.timestamp);
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "webhook-signature"), expected.standard);
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "x-open-cowork-gateway-delivery-id"),
			"delivery-1");
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "x-open-cowork-gateway-webhook-timestamp"),
			expected.timestamp);
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "x-open-cowork-gateway-webhook-signature"),
			expected.gateway);
		CU_ASSERT_STRING_EQUAL(
			host_fake_header(call, "content-type"), "application/json");
		CU_ASSERT_EQUAL(call->reach, CG_REACH_PUBLIC);
		CU_ASSERT_EQUAL(call->response_limit, 65536);
		if (attempt == 1) {
			CU_ASSERT_STRING_NOT_EQUAL(
				host_fake_header(call, "webhook-timestamp"), first);
			break;
		}
		cg_text_copy(first, sizeof(first),
			host_fake_header(call, "webhook-timestamp"));
		host_fake_answer(call, 503, "");
		host_fake_pass(rig->host, 5000);
		rig_send(rig, &outbound, &sent);
	}
	rig_destroy(rig);
}

static void refusals_leave_the_way_in_alone(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;

	for (int i = 0; i < 10; i++) {
		rig_send(rig, &outbound, &sent);
		host_fake_answer(host_fake_open_call(rig->host), 410, "gone");
		CU_ASSERT_STRING_EQUAL(sent.detail, "gone");
	}
	CU_ASSERT_EQUAL(rig->host->health.inbound, CG_HEALTH_UP);
	rig_destroy(rig);
}

static void a_long_answer_is_cut_and_repaired(void)
{
	struct rig *rig = up();
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	char body[9000];

	memset(body, '\xFF', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	rig_send(rig, &outbound, &sent);
	host_fake_answer(host_fake_open_call(rig->host), 500, body);
	CU_ASSERT_TRUE(strlen(sent.detail) > 3000 && strlen(sent.detail) <= 4096);
	CU_ASSERT_TRUE(cg_utf8_valid(sent.detail, strlen(sent.detail)));
	rig_destroy(rig);
}

static void check_url(const char *url, const char *allowed, const char *private_too,
	enum cg_status expected, enum cg_http_reach reach)
{
	const struct settings_pair pairs[] = {
		{"deliveryUrl", url},
		{"sharedSecret", WEBHOOK_SECRET},
		{"allowPrivateDelivery", private_too},
		{allowed == NULL ? NULL : "deliveryUrlAllowedHosts", allowed},
		{NULL, NULL},
	};
	struct rig *rig = module_rig("webhook", pairs);
	struct cg_outbound outbound = host_fake_text("hello");
	struct host_fake_sent sent;
	enum cg_status status = rig_create(rig, NULL);

	CU_ASSERT_EQUAL(status, expected);
	if (status == CG_OK) {
		rig_send(rig, &outbound, &sent);
		CU_ASSERT_EQUAL(host_fake_open_call(rig->host)->reach, reach);
	}
	rig_destroy(rig);
}

static void deliveries_go_where_they_may(void)
{
	const enum cg_http_reach none = CG_REACH_ANY;

	check_url("https://a.example.org/", NULL, "false", CG_OK, CG_REACH_PUBLIC);
	check_url("https://a.example.org/", "b.org,*.example.org", "false", CG_OK,
		CG_REACH_PUBLIC);
	check_url("https://example.org/", "*.example.org", "false", CG_INVALID, none);
	check_url("http://a.example.org/", NULL, "false", CG_INVALID, none);
	check_url("http://a.example.org/", NULL, "true", CG_INVALID, none);
	check_url("http://127.0.0.1:9/", NULL, "false", CG_OK, CG_REACH_LOOPBACK);
	check_url("http://localhost:9/", "b.org", "false", CG_OK, CG_REACH_LOOPBACK);
	check_url("http://[::1]:9/", NULL, "false", CG_OK, CG_REACH_LOOPBACK);
	check_url("https://10.0.0.1/", NULL, "false", CG_INVALID, none);
	check_url("https://10.0.0.1/", NULL, "true", CG_OK, CG_REACH_PRIVATE);
	check_url("https://169.254.169.254/", NULL, "true", CG_INVALID, none);
	check_url("https://metadata.google.internal/", NULL, "true", CG_INVALID, none);
	check_url("https://me:pw@a.example.org/", NULL, "false", CG_INVALID, none);
	check_url("ftp://a.example.org/", NULL, "false", CG_INVALID, none);
}

static void a_secret_has_no_control_characters(void)
{
	static const struct settings_pair pairs[] = {
		{"deliveryUrl", "https://a.example.org/"},
		{"sharedSecret", "two\nlines"},
		{NULL, NULL},
	};
	struct cg_error err = {.text = ""};
	struct rig *rig = module_rig("webhook", pairs);

	CU_ASSERT_EQUAL(rig_create(rig, &err), CG_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "sharedSecret"));
	rig_destroy(rig);
}

UNIT_SUITE(webhook, UNIT_TEST(the_sender_is_answered_after_the_commit),
	UNIT_TEST(strangers_are_denied), UNIT_TEST(a_signature_lives_for_five_minutes),
	UNIT_TEST(the_known_signature_is_accepted),
	UNIT_TEST(standard_webhooks_are_accepted),
	UNIT_TEST(without_an_id_a_repeat_is_told_by_its_signature),
	UNIT_TEST(a_form_may_carry_the_document),
	UNIT_TEST(what_is_not_understood_is_named),
	UNIT_TEST(a_stopped_instance_takes_nothing),
	UNIT_TEST(a_request_may_outlive_its_instance),
	UNIT_TEST(only_posts_are_understood), UNIT_TEST(deliveries_are_signed_anew),
	UNIT_TEST(refusals_leave_the_way_in_alone),
	UNIT_TEST(a_long_answer_is_cut_and_repaired),
	UNIT_TEST(deliveries_go_where_they_may),
	UNIT_TEST(a_secret_has_no_control_characters));
