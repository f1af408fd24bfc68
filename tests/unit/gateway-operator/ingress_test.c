/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-operator/operator_rig.h"

static void post(struct desk *desk, struct http_request *request, const char *path)
{
	request_fake_init(request, "POST", path);
	request_fake_body(request, "{}");
	desk_handle(desk, request);
}

static void answer(struct desk *desk, enum cg_webhook_result result, const char *body)
{
	struct cg_webhook_answer said = {
		.size = sizeof(said), .result = result, .body = body};

	CU_ASSERT_PTR_NOT_NULL_FATAL(desk->taken);
	desk->taken->answer(desk->taken, &said);
	desk->taken = NULL;
}

static void ingress_answers_as_the_provider_says(void)
{
	static const struct {
		enum cg_webhook_result result;
		const char *body;
		int status;
		const char *reply;
		int64_t retry_after_ms;
	} cases[] = {
		{CG_WEBHOOK_ACCEPTED, NULL, 202, "{\"ok\":true}", -1},
		{CG_WEBHOOK_ACCEPTED, "{\"challenge\":\"x\"}", 200,
			"{\"challenge\":\"x\"}", -1},
		{CG_WEBHOOK_DENIED, NULL, 401,
			"{\"ok\":false,\"error\":\"the signature is missing, stale or "
			"wrong\"}",
			-1},
		{CG_WEBHOOK_BAD, "no chat", 400, "{\"ok\":false,\"error\":\"no chat\"}",
			-1},
		{CG_WEBHOOK_BAD, NULL, 400,
			"{\"ok\":false,\"error\":\"the request is not understood\"}", -1},
		{CG_WEBHOOK_CONFLICT, NULL, 409,
			"{\"ok\":false,\"error\":\"another message came under this "
			"id\"}",
			-1},
		{CG_WEBHOOK_UNAVAILABLE, NULL, 503,
			"{\"ok\":false,\"error\":\"nothing was stored; send it again "
			"later\"}",
			5000},
	};
	struct desk desk;

	desk_init(&desk);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request request;

		post(&desk, &request, "/webhooks/hook");
		CU_ASSERT_EQUAL(operator_open_webhooks(desk.operator), 1);
		CU_ASSERT_EQUAL(request.answers, 0); /* after the commit */
		answer(&desk, cases[i].result, cases[i].body);
		CU_ASSERT_EQUAL(request.status, cases[i].status);
		CU_ASSERT_STRING_EQUAL(request.reply, cases[i].reply);
		CU_ASSERT_EQUAL(request.retry_after_ms, cases[i].retry_after_ms);
		CU_ASSERT_EQUAL(operator_open_webhooks(desk.operator), 0);
		request_fake_finish(&request);
	}
	desk_finish(&desk);
}

static void ingress_hands_over_what_came(void)
{
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	request_fake_init(&request, "POST", "/webhooks/ho%6Fk/sub/path");
	request.query = "a=1";
	request.peer = "198.51.100.7";
	request_fake_header(&request, "X-Signature", "v1=1");
	request_fake_body(&request, "raw \xFF bytes");
	desk_handle(&desk, &request);
	CU_ASSERT_PTR_NOT_NULL_FATAL(desk.taken);
	CU_ASSERT_STRING_EQUAL(desk.path, "/sub/path");
	CU_ASSERT_STRING_EQUAL(desk.query, "a=1");
	CU_ASSERT_STRING_EQUAL(desk.client, "198.51.100.7");
	CU_ASSERT_STRING_EQUAL(desk.taken->method, "POST");
	CU_ASSERT_STRING_EQUAL(desk.taken->header(desk.taken, "x-signature"), "v1=1");
	CU_ASSERT_PTR_NULL(desk.taken->header(desk.taken, "x-nothing"));
	CU_ASSERT_EQUAL(desk.taken->body_length, 11);
	CU_ASSERT_EQUAL(memcmp(desk.taken->body, "raw \xFF bytes", 11), 0);
	CU_ASSERT_EQUAL(desk.taken->received_at_ms, RIG_NOW);
	answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
	request_fake_finish(&request);
	desk_finish(&desk);
}

/* Each check comes before the next: break all, and mend them one by one. */
static void ingress_checks_in_order(void)
{
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	desk.rig.sane = false;
	desk.webhook = CG_UNSUPPORTED;
	for (int i = 0; i < 120; i++) {
		post(&desk, &request, "/webhooks/nobody");
		CU_ASSERT_EQUAL(request.status, 404);
		request_fake_finish(&request);
	}
	post(&desk, &request, "/webhooks/nobody");
	CU_ASSERT_EQUAL(request.status, 429);
	CU_ASSERT_EQUAL(request.retry_after_ms, 60000);
	request_fake_finish(&request);
	desk.rig.now_ms += 60000;
	post(&desk, &request, "/webhooks/nobody");
	CU_ASSERT_EQUAL(request.status, 404);
	request_fake_finish(&request);
	post(&desk, &request, "/webhooks/hook");
	CU_ASSERT_EQUAL(request.status, 503); /* by a wrong clock nothing is judged */
	CU_ASSERT_EQUAL(request.retry_after_ms, 5000);
	request_fake_finish(&request);
	desk.rig.sane = true;
	post(&desk, &request, "/webhooks/hook");
	CU_ASSERT_EQUAL(request.status, 404); /* it has no way in */
	request_fake_finish(&request);
	desk.webhook = CG_OK;
	desk.channels[1].healthy = false; /* how sending does is nobody's business here */
	post(&desk, &request, "/webhooks/hook");
	answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
	CU_ASSERT_EQUAL(request.status, 202);
	request_fake_finish(&request);
	post(&desk, &request, "/webhooks/%zz");
	CU_ASSERT_EQUAL(request.status, 404);
	request_fake_finish(&request);
	post(&desk, &request, "/webhooks/");
	CU_ASSERT_EQUAL(request.status, 404);
	request_fake_finish(&request);
	desk_finish(&desk);
}

static void ingress_limits_a_client_and_no_other(void)
{
	struct http_request request;
	struct desk desk;

	desk_prepare(&desk);
	desk.config.webhook_rate_limit_per_minute = 2;
	desk_open(&desk);
	for (int i = 0; i < 3; i++) {
		post(&desk, &request, "/webhooks/hook");
		if (i < 2)
			answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
		CU_ASSERT_EQUAL(request.status, i < 2 ? 202 : 429);
		request_fake_finish(&request);
	}
	post(&desk, &request, "/webhooks/telegram"); /* another provider */
	answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
	request_fake_finish(&request);
	request_fake_init(&request, "POST", "/webhooks/hook"); /* another client */
	request.peer = "198.51.100.7";
	desk_handle(&desk, &request);
	answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
	request_fake_finish(&request);
	desk_finish(&desk);
}

static void ingress_limit_can_be_switched_off(void)
{
	struct http_request request;
	struct desk desk;

	desk_prepare(&desk);
	desk.config.webhook_rate_limit_per_minute = 0;
	desk_open(&desk);
	for (int i = 0; i < 500; i++) {
		post(&desk, &request, "/webhooks/hook");
		answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
		CU_ASSERT_EQUAL(request.status, 202);
		request_fake_finish(&request);
	}
	/* But not for those who fail: the twentieth begins a minute of silence. */
	for (int i = 0; i < 20; i++) {
		post(&desk, &request, "/webhooks/hook");
		answer(&desk, CG_WEBHOOK_DENIED, NULL);
		CU_ASSERT_EQUAL(request.status, 401);
		request_fake_finish(&request);
	}
	post(&desk, &request, "/webhooks/hook");
	CU_ASSERT_EQUAL(request.status, 429);
	CU_ASSERT_EQUAL(request.retry_after_ms, 60000);
	CU_ASSERT_PTR_NULL(desk.taken);
	request_fake_finish(&request);
	desk.rig.now_ms += 60000;
	post(&desk, &request, "/webhooks/hook");
	answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
	CU_ASSERT_EQUAL(request.status, 202);
	request_fake_finish(&request);
	desk_finish(&desk);
}

static void ingress_of_a_bad_mapping_is_no_failure(void)
{
	struct http_request request;
	struct desk desk;

	desk_prepare(&desk);
	desk.config.webhook_rate_limit_per_minute = 0;
	desk_open(&desk);
	for (int i = 0; i < 60; i++) {
		post(&desk, &request, "/webhooks/hook");
		answer(&desk, i % 2 ? CG_WEBHOOK_BAD : CG_WEBHOOK_CONFLICT, NULL);
		CU_ASSERT(request.status != 429);
		request_fake_finish(&request);
	}
	desk_finish(&desk);
}

static void ingress_counts_what_came(void)
{
	struct http_request request;
	struct desk desk;
	struct cg_buffer text;

	desk_init(&desk);
	post(&desk, &request, "/webhooks/hook");
	answer(&desk, CG_WEBHOOK_ACCEPTED, NULL);
	request_fake_finish(&request);
	post(&desk, &request, "/webhooks/nobody");
	request_fake_finish(&request);
	cg_buffer_init(&text, 4u << 20);
	CU_ASSERT_EQUAL(meter_write(desk.meter, &text), CG_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&text),
		"open_cowork_gateway_webhook_requests_total 2\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(cg_buffer_string(&text),
		"open_cowork_gateway_provider_webhook_requests_total{provider_id="
		"\"hook\",provider_kind=\"webhook\"} 1\n"));
	cg_buffer_finish(&text);
	desk_finish(&desk);
}

static void ingress_holds_so_many_at_once(void)
{
	static struct http_request requests[2049];
	struct desk desk;

	desk_prepare(&desk);
	desk.config.webhook_rate_limit_per_minute = 0;
	desk_open(&desk);
	for (size_t i = 0; i < 2048; i++) {
		post(&desk, &requests[i], "/webhooks/hook");
		CU_ASSERT_EQUAL(requests[i].answers, 0);
	}
	post(&desk, &requests[2048], "/webhooks/hook");
	CU_ASSERT_EQUAL(requests[2048].status, 503);
	CU_ASSERT_EQUAL(requests[2048].retry_after_ms, 5000);
	/* Whoever is still waiting when the gateway ends is told to come again. */
	operator_destroy(desk.operator);
	desk.operator= NULL;
	for (size_t i = 0; i < 2049; i++) {
		CU_ASSERT_EQUAL(requests[i].status, 503);
		request_fake_finish(&requests[i]);
	}
	desk_finish(&desk);
}

UNIT_SUITE(ingress, UNIT_TEST(ingress_answers_as_the_provider_says),
	UNIT_TEST(ingress_hands_over_what_came), UNIT_TEST(ingress_checks_in_order),
	UNIT_TEST(ingress_limits_a_client_and_no_other),
	UNIT_TEST(ingress_limit_can_be_switched_off),
	UNIT_TEST(ingress_of_a_bad_mapping_is_no_failure),
	UNIT_TEST(ingress_counts_what_came), UNIT_TEST(ingress_holds_so_many_at_once));
