/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/desk.h"

#include "tests/unit/gateway-operator/operator_rig.h"

static bool admits(struct desk *desk, const char *name, const char *value)
{
	struct http_request request;

	request_fake_init(&request, "GET", "/metrics");
	if (name != NULL)
		request_fake_header(&request, name, value);
	return desk_is_operator(desk->operator, & request);
}

static void desk_admits_by_token(void)
{
	struct desk desk;
	struct http_request request;

	desk_init(&desk);
	CU_ASSERT_FALSE(admits(&desk, NULL, NULL));
	CU_ASSERT(admits(&desk, "authorization", "Bearer " DESK_TOKEN));
	CU_ASSERT(admits(&desk, "authorization", "bEARER   " DESK_TOKEN));
	CU_ASSERT_FALSE(admits(&desk, "authorization", DESK_TOKEN));
	CU_ASSERT_FALSE(admits(&desk, "authorization", "Basic " DESK_TOKEN));
	CU_ASSERT_FALSE(admits(&desk, "authorization", "Bearer " DESK_TOKEN "x"));
	CU_ASSERT_FALSE(admits(&desk, "authorization", "Bearer "));
	CU_ASSERT_FALSE(admits(&desk, "authorization", "Bearer a-token"));
	CU_ASSERT(admits(&desk, "x-open-cowork-gateway-admin-token", DESK_TOKEN));
	CU_ASSERT_FALSE(admits(&desk, "x-open-cowork-gateway-admin-token", ""));
	CU_ASSERT_FALSE(admits(&desk, "x-open-cowork-gateway-admin-token", "wrong"));
	/* A wrong one beside a right one does no harm. */
	request_fake_init(&request, "GET", "/metrics");
	request_fake_header(&request, "authorization", "Bearer wrong");
	request_fake_header(&request, "x-open-cowork-gateway-admin-token", DESK_TOKEN);
	CU_ASSERT(desk_is_operator(desk.operator, & request));
	/* The bypass is for gateways without a token. */
	desk.config.operator_bypass = true;
	CU_ASSERT_FALSE(admits(&desk, "host", "localhost"));
	desk_finish(&desk);
}

/* GET of @path from @peer with a bearer token, NULL: none. */
static int status_of(
	struct desk *desk, const char *path, const char *peer, const char *bearer)
{
	struct http_request request;
	int status;

	request_fake_init(&request, "GET", path);
	request.peer = peer;
	if (bearer != NULL)
		request_fake_header(&request, "authorization", bearer);
	desk_handle(desk, &request);
	status = desk_await(desk, &request);
	CU_ASSERT_EQUAL(request.retry_after_ms, status == 429 ? 60000 : -1);
	request_fake_finish(&request);
	return status;
}

static void desk_shuts_out_who_guesses(void)
{
	static const char wrong[] = "Bearer wrong", right[] = "Bearer " DESK_TOKEN;
	static const char source[] = "192.0.2.1";
	static const char *const branches[] = {"branch", NULL};
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	desk.config.plane_channels = (struct config_list){branches, 1};
	desk.api = true;
	for (int i = 0; i < 50; i++) /* who shows none does not guess */
		CU_ASSERT_EQUAL(status_of(&desk, "/metrics", source, NULL), 401);
	for (int i = 0; i < 19; i++)
		CU_ASSERT_EQUAL(status_of(&desk, "/deliveries", source, wrong), 401);
	CU_ASSERT_EQUAL(status_of(&desk, "/metrics", source, right), 200);
	/* Also where a wrong token only shows less. */
	CU_ASSERT_EQUAL(status_of(&desk, "/ready", source, wrong), 200);
	CU_ASSERT_EQUAL(status_of(&desk, "/metrics", source, right), 429);
	CU_ASSERT_EQUAL(status_of(&desk, "/explain/x", source, right), 429);
	CU_ASSERT_EQUAL(status_of(&desk, "/api/channels/agents", source, right), 429);
	CU_ASSERT_EQUAL(status_of(&desk, "/health", source, right), 200);
	CU_ASSERT_EQUAL(status_of(&desk, "/metrics", "192.0.2.2", right), 200);
	request_fake_init(&request, "GET", "/metrics"); /* nor is the socket's owner */
	request.is_unix = true;
	request.uid = (int64_t)geteuid();
	CU_ASSERT(desk_is_operator(desk.operator, & request));
	desk.rig.now_ms += 60000;
	CU_ASSERT_EQUAL(status_of(&desk, "/metrics", source, right), 200);
	/* What the plane refuses counts as well. */
	request_fake_init(&request, "GET", "/api/channels/agents");
	request.peer = source;
	for (int i = 0; i < 20; i++)
		operator_count_refusal(desk.operator, & request);
	CU_ASSERT_EQUAL(status_of(&desk, "/api/channels/agents", source, right), 429);
	CU_ASSERT_EQUAL(status_of(&desk, "/api/channels/agents", "::1", right), 299);
	desk_finish(&desk);
}

static void desk_answers_are_not_kept(void)
{
	static const char *const paths[] = {"/health", "/ready", "/deliveries"};
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CU_ASSERT_EQUAL(desk_get(&desk, &request, paths[i], true), 200);
		CU_ASSERT_STRING_EQUAL(request.cache_control, "no-store");
		request_fake_finish(&request);
	}
	desk_finish(&desk);
}

static void desk_admits_over_loopback_where_that_was_asked_for(void)
{
	static const struct {
		const char *peer, *host, *header;
		bool admitted;
	} cases[] = {
		{"127.0.0.1", "localhost:8790", NULL, true},
		{"127.9.9.9", "127.0.0.1", NULL, true},
		{"::1", "[::1]:8790", NULL, true},
		{"::ffff:127.0.0.1", "localhost", NULL, true},
		{"127.0.0.1", "gateway.example.org", NULL, false}, /* DNS rebinding */
		{"127.0.0.1", "localhost.example.org", NULL, false},
		{"127.0.0.1", "10.0.0.1:8790", NULL, false},
		{"127.0.0.1", "", NULL, false},
		{"127.0.0.1", NULL, NULL, false},
		{"10.0.0.1", "localhost", NULL, false},
		{"", "localhost", NULL, false},
		{"127.0.0.1", "localhost", "Forwarded", false}, /* behind a proxy */
		{"127.0.0.1", "localhost", "X-Forwarded-For", false},
		{"127.0.0.1", "localhost", "X-Forwarded-Host", false},
		{"127.0.0.1", "localhost", "X-Forwarded-Proto", false},
	};
	struct desk desk;

	desk_prepare(&desk);
	desk_open(&desk);
	for (int bypass = 0; bypass < 2; bypass++) {
		desk.config.operator_bypass = bypass;
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct http_request request;

			request_fake_init(&request, "GET", "/metrics");
			request.peer = cases[i].peer;
			if (cases[i].host != NULL)
				request_fake_header(&request, "Host", cases[i].host);
			if (cases[i].header != NULL)
				request_fake_header(&request, cases[i].header, "x");
			CU_ASSERT_EQUAL(desk_is_operator(desk.operator, & request),
				bypass && cases[i].admitted);
		}
	}
	desk_finish(&desk);
}

static void desk_admits_its_own_user_over_the_socket(void)
{
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	request_fake_init(&request, "GET", "/metrics");
	request.is_unix = true;
	CU_ASSERT_FALSE(desk_is_operator(desk.operator, & request)); /* not known */
	request.uid = (int64_t)geteuid();
	CU_ASSERT(desk_is_operator(desk.operator, & request));
	request.uid = 0;
	CU_ASSERT(desk_is_operator(desk.operator, & request));
	request.uid = (int64_t)geteuid() + 12345;
	CU_ASSERT_FALSE(desk_is_operator(desk.operator, & request));
	desk_as_operator(&request); /* on the socket only the user counts */
	CU_ASSERT_FALSE(desk_is_operator(desk.operator, & request));
	desk_finish(&desk);
}

static void desk_answers_404_to_the_rest(void)
{
	static const struct {
		const char *method, *path;
	} cases[] = {
		{"GET", "/"},
		{"GET", "/nothing"},
		{"GET", "/health/"},
		{"POST", "/health"},
		{"PUT", "/health"},
		{"DELETE", "/deliveries/x"},
		{"GET", "/webhooks/hook"},
		{"GET", "/api/people"},
		{"POST", "/deliveries/"},
		{"GET", "/explain/"},
		{"GET", "/explain/x/y"},
		{"POST", "/channels/x"},
		{"POST", "/channels/x/burn"},
		{"POST", "/deliveries/x"},
		{"POST", "/deliveries/x/burn"},
		{"POST", "/deliveries/x/retry/"},
		{"OPTIONS", "/metrics"},
	};
	struct desk desk;

	desk_init(&desk);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request request;

		request_fake_init(&request, cases[i].method, cases[i].path);
		desk_as_operator(&request);
		desk_handle(&desk, &request);
		CU_ASSERT_EQUAL(desk_await(&desk, &request), 404);
		CU_ASSERT_STRING_EQUAL(request.reply,
			"{\"ok\":false,\"error\":\"there is nothing here\"}");
		request_fake_finish(&request);
	}
	desk_finish(&desk);
}

static void desk_guards_what_is_the_operator_s(void)
{
	static const char *const guarded[] = {"/metrics", "/diagnostics", "/deliveries"};
	struct http_request request;
	struct desk desk;

	desk_prepare(&desk);
	CU_ASSERT_EQUAL(
		cg_secret_set(&desk.token, DESK_TOKEN, strlen(DESK_TOKEN)), CG_OK);
	desk_open(&desk);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(desk_get(&desk, &request, guarded[i], false), 401);
		request_fake_finish(&request);
	}
	request_fake_init(&request, "POST", "/deliveries/x/retry");
	desk_handle(&desk, &request);
	CU_ASSERT_EQUAL(desk_await(&desk, &request), 401);
	request_fake_finish(&request);
	/* What is switched off is not there, also for strangers. */
	desk.config.metrics_enabled = false;
	desk.config.diagnostics_enabled = false;
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(desk_get(&desk, &request, guarded[i & 1], i & 2), 404);
		request_fake_finish(&request);
	}
	desk_finish(&desk);
}

static void desk_shows_the_plane_over_the_socket_only(void)
{
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	desk.api = true;
	CU_ASSERT_EQUAL(desk_get(&desk, &request, "/api/people", true), 404);
	request_fake_finish(&request);
	request_fake_init(&request, "POST", "/api/people/approve");
	request.is_unix = true;
	request.uid = (int64_t)geteuid();
	desk_handle(&desk, &request);
	CU_ASSERT_EQUAL(request.status, 299);
	request_fake_finish(&request);
	request_fake_init(&request, "GET", "/api/people");
	request.is_unix = true;
	request.uid = (int64_t)geteuid() + 12345;
	desk_handle(&desk, &request);
	CU_ASSERT_EQUAL(request.status, 404);
	request_fake_finish(&request);
	desk.api = false; /* a gateway of a Cloud */
	request_fake_init(&request, "GET", "/api/people");
	request.is_unix = true;
	request.uid = (int64_t)geteuid();
	desk_handle(&desk, &request);
	CU_ASSERT_EQUAL(request.status, 404);
	request_fake_finish(&request);
	desk_finish(&desk);
}

UNIT_SUITE(desk, UNIT_TEST(desk_admits_by_token), UNIT_TEST(desk_shuts_out_who_guesses),
	UNIT_TEST(desk_answers_are_not_kept),
	UNIT_TEST(desk_admits_over_loopback_where_that_was_asked_for),
	UNIT_TEST(desk_admits_its_own_user_over_the_socket),
	UNIT_TEST(desk_answers_404_to_the_rest),
	UNIT_TEST(desk_guards_what_is_the_operator_s),
	UNIT_TEST(desk_shows_the_plane_over_the_socket_only));
