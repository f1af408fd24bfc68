/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_rig.h"

#include "config/describe.h"

#include <cowgate/sdk/json.h>

/* The member of the dump that belongs to a field. */
static struct json_object *shown(struct json_object *dump, const char *field)
{
	struct json_object *settings = cg_json_array(dump, "settings");

	for (size_t i = 0; i < cg_json_count(settings); i++) {
		struct json_object *row = cg_json_at(settings, i);

		if (strcmp(cg_json_string_or(row, "name", ""), field) == 0)
			return row;
	}
	return NULL;
}

static const char *shown_value(struct json_object *dump, const char *field)
{
	struct json_object *row = shown(dump, field);
	struct json_object *value = cg_json_member(row, "value");

	if (row == NULL)
		return "no such field";
	return value != NULL ? cg_json_text(value, NULL) : "null";
}

/* Every core setting: its default, then what a source makes of it. */
static void every_setting_is_read(void)
{
	static const struct {
		const char *field, *standard; /* NULL: depends on the host */
		const char *variable; /* or inline JSON */
		const char *value;
	} rows[] = {
		{"product_mode", "\"cloud_channel\"", K "PRODUCT_MODE=standalone",
			"\"standalone\""},
		{"mode", "\"self-host\"", K "MODE=managed", "\"managed\""},
		{"mode", NULL, K "MODE=other", "\"self-host\""},
		{"mode", NULL, K "CONFIG_JSON={\"mode\":\"managed\"}", "\"managed\""},
		{"instance_id", "\"local\"", K "INSTANCE_ID=--My Gate!!way.1:x_y--",
			"\"my-gate-way.1:x_y\""},
		{"instance_id", NULL, "HOSTNAME=Box.Example", "\"box.example\""},
		{"instance_id", NULL, K "INSTANCE_ID=???", "\"local\""},
		{"instance_id", NULL,
			K "INSTANCE_ID="
			  "01234567890123456789012345678901234567890123456789012345678901"
			  "23456789"
			  "01234567890123456789012345-x",
			"\"01234567890123456789012345678901234567890123456789012345678901"
			"2345678901234567890"
			"123456789012345\""},
		{"cloud_base_url", "\"https://cloud.test\"", K "INSTANCE_ID=x",
			"\"https://cloud.test\""},
		{"service_token", "\"[redacted]\"", K "INSTANCE_ID=x", "\"[redacted]\""},
		{"allow_insecure_http", "false", K "ALLOW_INSECURE_HTTP=1", "true"},
		{"cloud_request_timeout_ms", "30000", K "CLOUD_REQUEST_TIMEOUT_MS=99",
			"100"},
		{"cloud_request_timeout_ms", NULL, K "CLOUD_REQUEST_TIMEOUT_MS=120001",
			"120000"},
		{"max_session_streams", "150", K "MAX_SESSION_STREAMS=0", "1"},
		{"max_session_streams", NULL, K "MAX_SESSION_STREAMS=801", "800"},
		{"agent_backend", "\"echo\"", K "AGENT_BACKEND=opencode", "\"opencode\""},
		{"agent_url", "null", K "AGENT_URL=https://a.test/v1/",
			"\"https://a.test/v1\""},
		{"agent_api_key", "null", K "AGENT_API_KEY=k", "\"[redacted]\""},
		{"agent_model", "null", K "CONFIG_JSON={\"agent\":{\"model\":\"m\"}}",
			"\"m\""},
		{"agent_system_prompt", "null", K "AGENT_SYSTEM_PROMPT=a\nb",
			"\"a\\nb\""},
		{"agent_command", "null", K "AGENT_COMMAND=[\"p\",\"--key=x\"]",
			"[\"p\",\"[redacted]\"]"},
		{"agent_directory", "null", K "AGENT_DIRECTORY=/w/", "\"/w\""},
		{"host", "\"127.0.0.1\"", K "HOST=::1", "\"::1\""},
		{"port", "8790", K "PORT=0", "0"},
		{"port", NULL, K "PORT=70000", "8790"},
		{"port", NULL, K "PORT=", "8790"},
		{"port", NULL, K "CONFIG_JSON={\"server\":{\"port\":\"81\"}}", "81"},
		{"public_url", "null", K "PUBLIC_URL=https://g.test//",
			"\"https://g.test\""},
		{"admin_token", "\"[redacted]\"", K "INSTANCE_ID=x", "\"[redacted]\""},
		{"allow_loopback_operator_bypass", "false",
			K "ALLOW_LOOPBACK_OPERATOR_BYPASS=true", "true"},
		{"max_request_body_bytes", "1048576", K "MAX_REQUEST_BODY_BYTES=1",
			"1024"},
		{"max_request_body_bytes", NULL, K "MAX_REQUEST_BODY_BYTES=999999999",
			"67108864"},
		{"trust_proxy_headers", "false", K "TRUST_PROXY_HEADERS=yes", "true"},
		{"trusted_proxies", "null", K "TRUSTED_PROXY_CIDRS=10.0.0.0/8,::1,bad",
			"[\"10.0.0.0/8\",\"::1/128\"]"},
		{"trusted_proxies", NULL,
			K "CONFIG_JSON={\"server\":{\"trustedProxyCidrs\":[\"127.0.0.1\"]"
			  "}}",
			"[\"127.0.0.1/32\"]"},
		{"webhook_rate_limit_per_minute", "120",
			K "WEBHOOK_RATE_LIMIT_PER_MINUTE=0", "0"},
		{"webhook_rate_limit_per_minute", NULL,
			K "WEBHOOK_RATE_LIMIT_PER_MINUTE=1000001", "1000000"},
		{"log_level", "\"info\"", K "LOG_LEVEL=silent", "\"silent\""},
		{"log_level", NULL, K "LOG_LEVEL=loud", "\"info\""},
		{"log_format", "\"auto\"", K "LOG_FORMAT=json", "\"json\""},
		{"metrics_enabled", "true", K "METRICS_ENABLED=no", "false"},
		{"diagnostics_enabled", "true", K "DIAGNOSTICS_ENABLED=false", "false"},
		{"diagnostics_enabled", NULL, K "MODE=managed", "false"},
		{"diagnostics_enabled", NULL, K "DIAGNOSTICS_ENABLED=perhaps", "true"},
		{"webhook_delivery_timeout_ms", "15000",
			K "WEBHOOK_DELIVERY_TIMEOUT_MS=1", "100"},
		{"smtp_timeout_ms", "30000", K "SMTP_TIMEOUT_MS=999999", "120000"},
		{"handover_timeout_ms", "86400000", K "HANDOVER_TIMEOUT_MS=1", "60000"},
		{"shutdown_drain_timeout_ms", "10000",
			K "CONFIG_JSON={\"timeouts\":{\"shutdownDrainMs\":500}}", "500"},
		{"max_delivery_concurrency", "8", K "MAX_DELIVERY_CONCURRENCY=257",
			"256"},
		{"max_delivery_queue_depth", "512", K "MAX_DELIVERY_QUEUE_DEPTH=1", "16"},
		{"max_delivery_queue_depth", NULL, K "MAX_DELIVERY_QUEUE_DEPTH=100001",
			"100000"},
		{"data_dir", NULL, K "DATA_DIR=/d", "\"/d\""},
		{"plugin_dir", "\"/usr/lib/cowgate\"", K "PLUGIN_DIR=/p", "\"/p\""},
		{"env_file", "null", K "INSTANCE_ID=x", "null"},
		{"allow_public_fake_provider", "false",
			K "ALLOW_PUBLIC_FAKE_PROVIDER=true", "true"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int set = 0; set < 2; set++) {
			const char *expected = set ? rows[i].value : rows[i].standard;
			struct json_object *dump;
			struct rig rig;

			if (expected == NULL)
				continue;
			rig_begin_cloud(&rig);
			if (set)
				rig_env(&rig, rows[i].variable);
			RIG_CHECK(&rig, rig_load(&rig) == CG_OK, rows[i].variable);
			CU_ASSERT_PTR_NOT_NULL_FATAL(rig.config);
			dump = config_describe_json(rig.config);
			RIG_CHECK(&rig,
				strcmp(shown_value(dump, rows[i].field), expected) == 0,
				shown_value(dump, rows[i].field));
			cg_json_free(dump);
			rig_end(&rig);
		}
	}
}

static void fields_hold_what_was_read(void)
{
	struct rig rig;

	rig_begin_cloud(&rig);
	rig_env(&rig, K "LOG_LEVEL=error");
	rig_env(&rig, K "PORT=99");
	rig_env(&rig, K "TRUSTED_PROXY_CIDRS=10.0.0.0/8");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "fields");
	CU_ASSERT_EQUAL(rig.config->product_mode, CONFIG_CLOUD_CHANNEL);
	CU_ASSERT_EQUAL(rig.config->log_level, CONFIG_LOG_ERROR);
	CU_ASSERT_EQUAL(rig.config->port, 99);
	CU_ASSERT_TRUE(rig.config->metrics_enabled);
	CU_ASSERT_EQUAL(rig.config->trusted_proxies.count, 1);
	CU_ASSERT_STRING_EQUAL(rig.config->cloud_base_url, "https://cloud.test");
	CU_ASSERT_TRUE(cg_secret_equals(&rig.config->service_token, "occ_service", 11));
	CU_ASSERT_FALSE(rig.config->public_exposure);
	CU_ASSERT_FALSE(rig.config->operator_bypass);
	CU_ASSERT_FALSE(rig.config->make_admin_token);
	CU_ASSERT_EQUAL(rig.config->provider_count, 1);
	rig_end(&rig);
}

static void standalone_needs_nothing(void)
{
	struct rig rig;
	char data[128];

	rig_begin(&rig);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "nothing");
	CU_ASSERT_EQUAL(rig.config->product_mode, CONFIG_STANDALONE);
	CU_ASSERT_TRUE(rig.config->make_admin_token);
	CU_ASSERT_EQUAL_FATAL(rig.config->provider_count, 1);
	CU_ASSERT_STRING_EQUAL(rig.config->providers[0].id, "cli");
	CU_ASSERT_TRUE(rig.config->providers[0].enabled);
	CU_ASSERT_TRUE(rig.config->providers[0].allow_everyone);
	snprintf(data, sizeof(data), "%s/state", rig.directory);
	CU_ASSERT_STRING_EQUAL(rig.config->data_dir, data);
	rig_end(&rig);
}

static void standalone_without_a_terminal_is_refused(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.input.kind_count = 2; /* telegram and webhook only */
	rig_load(&rig);
	CU_ASSERT_TRUE(
		rig_has(&rig, CONFIG_ERROR, "providers", "no provider is enabled"));
	rig_end(&rig);
}

static void the_window_is_never_below_the_concurrency(void)
{
	struct rig rig;

	rig_begin_cloud(&rig);
	rig_env(&rig, K "MAX_DELIVERY_CONCURRENCY=100");
	rig_env(&rig, K "MAX_DELIVERY_QUEUE_DEPTH=50");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "window");
	CU_ASSERT_EQUAL(rig.config->max_delivery_queue_depth, 100);
	rig_end(&rig);
}

static void data_needs_a_place(void)
{
	static char *nothing[] = {NULL};
	struct rig rig;

	rig_begin(&rig);
	rig.input.environment = nothing;
	rig_load(&rig);
	/* As root there is always one. */
	CU_ASSERT_EQUAL(
		rig_has(&rig, CONFIG_ERROR, "DATA_DIR", "no place"), geteuid() != 0);
	rig_end(&rig);
}

static void places_come_before_the_modules(void)
{
	struct config_places places = {{0}, {0}};
	struct rig rig;

	rig_begin(&rig);
	rig.input.kind_count = 0;
	rig_file(&rig, "env", K "PLUGIN_DIR=plugins\n" K "DATA_DIR=/d\n", 0600);
	rig_env_path(&rig, K "ENV_FILE", "env");
	CU_ASSERT_EQUAL(config_places(&rig.input, &places, &rig.report), CG_OK);
	CU_ASSERT_STRING_EQUAL(places.data_dir, "/d");
	CU_ASSERT_STRING_EQUAL(
		places.plugin_dir + strlen(places.plugin_dir) - strlen("/plugins"),
		"/plugins");
	rig_env(&rig, K "CONFIG=/nonexistent/x");
	CU_ASSERT_EQUAL(config_places(&rig.input, &places, &rig.report), CG_INVALID);
	CU_ASSERT_STRING_EQUAL(places.data_dir, "/d");
	rig_end(&rig);
}

static void a_configuration_lives_as_long_as_its_owners(void)
{
	struct config *second;
	struct rig rig;

	rig_begin_cloud(&rig);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "owners");
	second = config_ref(rig.config);
	config_destroy(rig.config);
	CU_ASSERT_STRING_EQUAL(second->providers[0].id, "telegram");
	CU_ASSERT_STRING_EQUAL(second->providers[0].settings->secret(
				       second->providers[0].settings, "botToken", NULL),
		"1:bot");
	rig.config = second;
	config_destroy(NULL);
	rig_end(&rig);
}

/* The environment that came with the load may change or go afterwards. */
static void nothing_is_borrowed_from_the_environment(void)
{
	struct rig rig;

	rig_begin_cloud(&rig);
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "borrowed");
	for (size_t i = 0; i < rig.variable_count; i++)
		memset(rig.variables[i], '?', strlen(rig.variables[i]));
	CU_ASSERT_STRING_EQUAL(rig.config->cloud_base_url, "https://cloud.test");
	CU_ASSERT_STRING_EQUAL(rig.config->providers[0].channel_binding_id, "telegram");
	CU_ASSERT_STRING_EQUAL(rig.config->service_token.bytes, "occ_service");
	rig_end(&rig);
}

UNIT_SUITE(config, UNIT_TEST(every_setting_is_read), UNIT_TEST(fields_hold_what_was_read),
	UNIT_TEST(standalone_needs_nothing),
	UNIT_TEST(standalone_without_a_terminal_is_refused),
	UNIT_TEST(the_window_is_never_below_the_concurrency),
	UNIT_TEST(data_needs_a_place), UNIT_TEST(places_come_before_the_modules),
	UNIT_TEST(a_configuration_lives_as_long_as_its_owners),
	UNIT_TEST(nothing_is_borrowed_from_the_environment));
