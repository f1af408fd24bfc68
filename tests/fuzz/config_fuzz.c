/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings from a stranger: the text of an environment file, a line of "---", and inline JSON.
 * Whatever they hold, a load ends in a whole configuration or in errors that are told.
 */
#include "config/describe.h"
#include "config/diff.h"
#include "config/environment.h"

#include <cowgate/sdk/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cg_option options[] = {
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_URL,
		.flags = CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES,
		.name = "deliveryUrl",
		.env = "WEBHOOK_DELIVERY_URL"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_SECRET,
		.flags = CG_OPTION_REQUIRED | CG_OPTION_CREDENTIAL,
		.name = "sharedSecret",
		.env = "WEBHOOK_SHARED_SECRET"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_LIST,
		.name = "deliveryUrlAllowedHosts",
		.env = "WEBHOOK_DELIVERY_ALLOWED_HOSTS"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_INTEGER,
		.min = 1,
		.max = 67108864,
		.name = "maxAttachmentBytes",
		.env = "WEBHOOK_MAX_ATTACHMENT_BYTES"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_CHOICE,
		.choices = "polling,webhook",
		.fallback = "polling",
		.name = "mode",
		.env = "WEBHOOK_MODE"},
	{.size = sizeof(struct cg_option),
		.kind = CG_OPTION_BOOLEAN,
		.flags = CG_OPTION_JSON_ONLY,
		.fallback = "false",
		.name = "allowPrivateDelivery"},
};

static const struct cg_provider webhook = {
	.size = sizeof(struct cg_provider),
	.kind = "webhook",
	.title = "Webhook",
	.version = "1",
	.options = options,
	.option_count = sizeof(options) / sizeof(*options),
};
static const struct cg_provider cli = {
	.size = sizeof(struct cg_provider),
	.flags = CG_PROVIDER_LOCAL_ONLY,
	.kind = "cli",
	.title = "Terminal",
	.version = "1",
};
static const struct cg_provider *const kinds[] = {&webhook, &cli};

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Variables that name files would make a run depend on the host. */
static bool names_a_file(const char *name, const char *value)
{
	return strstr(name, "CONFIG_PATH") != NULL || strstr(name, "_DIR") != NULL ||
	       strstr(name, "ROOT") != NULL || strstr(name, "ENV_FILE") != NULL ||
	       strcmp(name, CONFIG_PREFIX "CONFIG") == 0 ||
	       strncmp(value, "file:", 5) == 0;
}

/* NAME=value for each variable of the text, and one for the JSON behind it. */
static void make_variables(struct arena *arena, const char *text, size_t length,
	const char *json, char *ret[VARIABLES + 3])
{
	struct config_report report;
	struct environment environment;
	size_t count = 0;

	config_report_init(&report);
	ret[0] = NULL;
	environment_init(&environment, arena, ret, &report);
	environment_add_file(&environment, "fuzz", text, length, &report);
	for (size_t i = 0; i < environment.count && count < VARIABLES; i++) {
		const struct environment_variable *variable = &environment.items[i];

		require(variable->name[0] != '\0' && variable->where != NULL);
		if (!names_a_file(variable->name, variable->value))
			ret[count++] = arena_format(
				arena, "%s=%s", variable->name, variable->value);
	}
	ret[count++] = arena_text(arena, "HOME=/nonexistent");
	ret[count++] = arena_format(arena, CONFIG_PREFIX "CONFIG_JSON=%s", json);
	ret[count] = NULL;
	config_report_finish(&report);
}

static void use(struct config *config)
{
	struct json_object *dump = config_describe_json(config);
	struct config_diff diff;

	require(config->data_dir != NULL && config->instance_id[0] != '\0');
	require(config->port >= 0 && config->port <= 65535);
	require(config->provider_count > 0 && config->provider_count <= CONFIG_PROVIDERS);
	require(cg_json_text(dump, NULL) != NULL);
	config_diff(config, config, &diff);
	require(diff.count == 0);
	cg_json_free(dump);
	config_destroy(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct config_report report;
	struct config *config = NULL;
	char *variables[VARIABLES + 3];
	char *text = arena_copy(&arena, (const char *)data, size);
	char *mark = text != NULL ? strstr(text, "---\n") : NULL;
	const struct config_input input = {
		.environment = variables,
		.cwd = "/nonexistent",
		.kinds = kinds,
		.kind_count = 2,
	};
	enum cg_status status;

	if (text == NULL)
		return 0;
	make_variables(&arena, text, mark != NULL ? (size_t)(mark - text) : size,
		mark != NULL ? mark + 4 : "{}", variables);
	config_report_init(&report);
	status = config_load(&input, &config, &report);
	require((status == CG_OK) == (config != NULL));
	require((status == CG_OK) == (report.errors == 0));
	require(report.count <= CONFIG_ISSUES);
	if (config != NULL)
		use(config);
	config_report_finish(&report);
	arena_finish(&arena);
	return 0;
}
