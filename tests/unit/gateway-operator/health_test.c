/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway-operator/operator_rig.h"

#include <cowgate/sdk/error.h>

static struct json_object *get(
	struct desk *desk, const char *path, bool as_operator, int status)
{
	struct http_request request;

	CU_ASSERT_EQUAL(desk_get(desk, &request, path, as_operator), status);
	return desk_json(&request);
}

static void health_says_that_it_lives(void)
{
	static char url[] = "https://cloud.test";
	struct json_object *json;
	struct desk desk;

	desk_init(&desk);
	desk.ready = false; /* alive all the same */
	desk.config.cloud_base_url = url;
	json = get(&desk, "/health", false, 200);
	CU_ASSERT(cg_json_bool(json, "ok", false));
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "status", ""), "ok");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "mode", ""), "cloud_channel");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(cg_json_object(json, "branding"), "productName", ""),
		"Cowgate");
	CU_ASSERT(cg_json_has(json, "cloudBaseUrl"));
	CU_ASSERT_PTR_NULL(cg_json_string(json, "cloudBaseUrl"));
	cg_json_free(json);
	json = get(&desk, "/health", true, 200);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "cloudBaseUrl", ""), url);
	cg_json_free(json);
	desk.config.product_mode = CONFIG_STANDALONE;
	json = get(&desk, "/health", false, 200);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "mode", ""), "standalone");
	cg_json_free(json);
	desk_finish(&desk);
}

static void health_says_whether_it_is_ready(void)
{
	struct json_object *json, *list, *entry;
	struct desk desk;

	desk_init(&desk);
	json = get(&desk, "/ready", false, 200);
	CU_ASSERT(cg_json_bool(json, "ok", false));
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "status", ""), "ready");
	CU_ASSERT_FALSE(cg_json_has(json, "providers"));
	cg_json_free(json);
	desk.ready = false;
	desk.degraded = 1;
	json = get(&desk, "/ready", false, 503);
	CU_ASSERT_FALSE(cg_json_bool(json, "ok", true));
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "status", ""), "not_ready");
	entry = cg_json_at(cg_json_array(json, "degraded"), 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "what", ""), "agent");
	CU_ASSERT_FALSE(cg_json_has(entry, "detail")); /* the operator's business */
	cg_json_free(json);
	json = get(&desk, "/ready", true, 503);
	entry = cg_json_at(cg_json_array(json, "degraded"), 0);
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(entry, "detail", ""), "it does not answer");
	list = cg_json_array(json, "providers");
	CU_ASSERT_EQUAL(cg_json_count(list), 2);
	entry = cg_json_at(list, 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "id", ""), "telegram");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "provider", ""), "telegram");
	CU_ASSERT(cg_json_bool(entry, "started", false));
	CU_ASSERT(cg_json_has(entry, "error"));
	CU_ASSERT_PTR_NULL(cg_json_string(entry, "error"));
	CU_ASSERT_PTR_NULL(cg_json_string(entry, "lastInboundAt"));
	entry = cg_json_at(list, 1);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "kind", ""), "webhook");
	CU_ASSERT_FALSE(cg_json_bool(entry, "healthy", true));
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "state", ""), "failed");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "error", ""), "it is down");
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(entry, "lastInboundAt", ""),
		"2023-11-14T22:13:20.000Z");
	cg_json_free(json);
	desk_finish(&desk);
}

static void health_shows_metrics_as_of_now(void)
{
	struct http_request request;
	struct desk desk;

	desk_init(&desk);
	rig_say(&desk.rig, "a", "chat");
	desk.rig.now_ms += 2500;
	CU_ASSERT_EQUAL(desk_get(&desk, &request, "/metrics", true), 200);
	CU_ASSERT_STRING_EQUAL(
		request.content_type, "text/plain; version=0.0.4; charset=utf-8");
	CU_ASSERT_EQUAL(desk.measures, 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(request.reply, "\nopen_cowork_gateway_uptime_seconds 2.5\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(request.reply, "\nopen_cowork_gateway_session_streams 3\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(request.reply, "\ncowgate_outbox_pending 1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(request.reply, "\ncowgate_store_healthy 1\n"));
	request_fake_finish(&request);
	desk_finish(&desk);
}

/* Everything an operator needs to see, and no secret, whatever it was set by. */
static void health_diagnoses_without_secrets(void)
{
	static char service[] = "OPEN_COWORK_GATEWAY_SERVICE_TOKEN=occ_VERYSECRET1",
		    admin[] = "OPEN_COWORK_GATEWAY_ADMIN_TOKEN=VERYSECRET2",
		    url[] = "OPEN_COWORK_CLOUD_BASE_URL=https://cloud.test/",
		    hook[] = "OPEN_COWORK_GATEWAY_WEBHOOK_DELIVERY_URL="
			     "https://u.test/x?token=VERYSECRET3",
		    shared[] = "OPEN_COWORK_GATEWAY_WEBHOOK_SHARED_SECRET=VERYSECRET4",
		    state[] = "STATE_DIRECTORY=/nonexistent/state";
	static char *environment[] = {service, admin, url, hook, shared, state, NULL};
	static const struct cg_option options[] = {
		{.size = sizeof(struct cg_option),
			.kind = CG_OPTION_URL,
			.flags = CG_OPTION_ACTIVATES | CG_OPTION_REQUIRED,
			.name = "deliveryUrl",
			.env = "WEBHOOK_DELIVERY_URL",
			.help = "Where it goes"},
		{.size = sizeof(struct cg_option),
			.kind = CG_OPTION_SECRET,
			.flags = CG_OPTION_CREDENTIAL | CG_OPTION_REQUIRED,
			.name = "sharedSecret",
			.env = "WEBHOOK_SHARED_SECRET",
			.help = "The key"},
	};
	static const struct cg_provider provider = {.size = sizeof(provider),
		.kind = "webhook",
		.title = "Webhook",
		.version = "1",
		.options = options,
		.option_count = 2};
	static const struct cg_provider *const kinds[] = {&provider};
	const struct config_input input = {.environment = environment,
		.cwd = "/",
		.kinds = kinds,
		.kind_count = 1,
		.plugin_dir = "/nonexistent"};
	struct config_report report;
	struct config *config = NULL;
	struct http_request request;
	struct json_object *json, *part;
	struct desk desk;

	config_report_init(&report);
	CU_ASSERT_EQUAL_FATAL(config_load(&input, &config, &report), CG_OK);
	desk_prepare(&desk);
	desk.options.config = config;
	desk.options.admin_token = &config->admin_token;
	desk_open(&desk);
	request_fake_init(&request, "GET", "/diagnostics");
	request_fake_header(&request, "authorization", "Bearer VERYSECRET2");
	desk_handle(&desk, &request);
	/* They are off unless asked for. */
	if (desk_await(&desk, &request) == 404) {
		request_fake_finish(&request);
		config->diagnostics_enabled = true;
		request_fake_init(&request, "GET", "/diagnostics");
		request_fake_header(&request, "authorization", "Bearer VERYSECRET2");
		desk_handle(&desk, &request);
	}
	CU_ASSERT_EQUAL(desk_await(&desk, &request), 200);
	CU_ASSERT_PTR_NULL(strstr(request.reply, "VERYSECRET"));
	json = desk_json(&request);
	CU_ASSERT_STRING_EQUAL(cg_json_string_or(json, "version", ""), "1.2.3");
	CU_ASSERT(cg_json_has(json, "config"));
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(json, "providers")), 2);
	part = cg_json_object(json, "store");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(part, "state", ""), cg_status_name(CG_OK));
	CU_ASSERT_EQUAL(cg_json_int(part, "inboxPending", -1), 0);
	part = cg_json_object(json, "deliveryOperator");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string_or(part, "scope", ""), "configured-channel-bindings");
	CU_ASSERT_EQUAL(cg_json_count(cg_json_array(part, "channelBindingIds")), 2);
	CU_ASSERT(cg_json_bool(part, "listAllowed", false));
	CU_ASSERT(cg_json_has(part, "disabledReason"));
	CU_ASSERT(cg_json_has(cg_json_object(json, "ready"), "degraded"));
	cg_json_free(json);
	desk_finish(&desk);
	config_destroy(config);
	config_report_finish(&report);
}

UNIT_SUITE(health, UNIT_TEST(health_says_that_it_lives),
	UNIT_TEST(health_says_whether_it_is_ready),
	UNIT_TEST(health_shows_metrics_as_of_now),
	UNIT_TEST(health_diagnoses_without_secrets));
