/* SPDX-License-Identifier: Apache-2.0 */
#include "config/describe.h"

#include "config_rig.h"

#include <cowgate/sdk/json.h>

/* Everything that must not be shown is spelled with SECRET. */
static void no_secret_is_shown(void)
{
	struct json_object *dump;
	const char *text;
	struct rig rig;

	rig_begin_cloud(&rig);
	rig_env(&rig, K "AGENT_API_KEY=SECRET");
	rig_env(&rig, K "AGENT_COMMAND=[\"agent\",\"--key\",\"SECRET\"]");
	rig_env(&rig, K "TELEGRAM_WEBHOOK_SECRET=SECRET");
	rig_env(&rig, K
		"WEBHOOK_DELIVERY_URL=https://user:SECRET@h.test/path?key=SECRET#SECRET");
	rig_env(&rig, K "WEBHOOK_SHARED_SECRET=SECRET");
	rig_env(&rig, K "WEBHOOK_LABEL=SECRET"); /* a text, but a credential */
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "secrets");
	dump = config_describe_json(rig.config);
	text = cg_json_text(dump, NULL);
	/* The name of a variable is not its value. */
	for (const char *at = text; (at = strstr(at, "SECRET")) != NULL; at += 6)
		CU_ASSERT_TRUE(at > text && at[-1] == '_');
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "https://[redacted]@h.test/path?[redacted]"));
	CU_ASSERT_PTR_NULL(strstr(text, "occ_service"));
	CU_ASSERT_PTR_NULL(strstr(text, "admin-secret"));
	CU_ASSERT_PTR_NULL(strstr(text, "1:bot"));
	cg_json_free(dump);
	rig_end(&rig);
}

static struct json_object *named(struct json_object *array, const char *name)
{
	for (size_t i = 0; i < cg_json_count(array); i++) {
		struct json_object *row = cg_json_at(array, i);

		if (strcmp(cg_json_string_or(row, "name", ""), name) == 0)
			return row;
	}
	return NULL;
}

static void every_value_names_its_source(void)
{
	static const struct {
		const char *name, *source;
	} rows[] = {
		{"host", "default"},
		{"port", K "PORT"},
		{"log_level", "/env:2)"},
		{"smtp_timeout_ms", K "CONFIG_JSON: timeouts.smtpMs"},
		{"metrics_enabled", "open-cowork.config.json: gateway.metrics.enabled"},
		{"public_url", NULL},
	};
	struct json_object *dump, *settings, *provider;
	struct rig rig;

	rig_begin_cloud(&rig);
	rig_file(&rig, "env", "# levels\n" K "LOG_LEVEL=warn\n", 0600);
	rig_file(&rig, "open-cowork.config.json",
		"{\"gateway\":{\"metrics\":{\"enabled\":false}}}", 0600);
	rig_env_path(&rig, K "ENV_FILE", "env");
	rig_env(&rig, K "PORT=5");
	rig_env(&rig, K "CONFIG_JSON={\"timeouts\":{\"smtpMs\":500}}");
	RIG_CHECK(&rig, rig_load(&rig) == CG_OK, "sources");
	dump = config_describe_json(rig.config);
	settings = cg_json_array(dump, "settings");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *source =
			cg_json_string(named(settings, rows[i].name), "source");

		if (rows[i].source == NULL) {
			CU_ASSERT_PTR_NULL(source);
		} else {
			CU_ASSERT_PTR_NOT_NULL_FATAL(source);
			RIG_CHECK(&rig, strstr(source, rows[i].source) != NULL, source);
		}
	}
	provider = cg_json_at(cg_json_array(dump, "providers"), 0);
	CU_ASSERT_STRING_EQUAL(cg_json_string(provider, "id"), "telegram");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(
			named(cg_json_array(provider, "settings"), "botToken"), "source"),
		K "TELEGRAM_BOT_TOKEN");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(
			named(cg_json_array(provider, "settings"), "mode"), "source"),
		"default");
	CU_ASSERT_STRING_EQUAL(
		cg_json_string(cg_json_object(dump, "branding"), "shortName"), "OC");
	cg_json_free(dump);
	rig_end(&rig);
}

UNIT_SUITE(
	describe, UNIT_TEST(no_secret_is_shown), UNIT_TEST(every_value_names_its_source));
