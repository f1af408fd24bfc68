/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Try a module: open it, check its descriptor, and build an instance of each of its providers
 * that the settings know.  A module that crashes takes this process with it, which is the point.
 */
#include "cli/command.h"
#include "config/config.h"
#include "gateway/plugins/instance.h"
#include "gateway/plugins/loader.h"

#include <cowgate/sdk/error.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

extern char **environ;

static void ignore_health(void *arg, struct instance *instance)
{
	(void)arg;
	(void)instance;
}

static void ignore_verdict(void *arg, struct instance *instance, enum cg_verdict verdict)
{
	(void)arg;
	(void)instance;
	(void)verdict;
}

static void ignore_log(
	void *arg, struct instance *instance, enum cg_log_level level, const char *text)
{
	(void)arg;
	(void)instance;
	(void)level;
	(void)text;
}

static void ignore_quit(void *arg)
{
	(void)arg;
}

static enum cg_status try_instances(const struct config *config, struct loop *loop,
	struct http_client *http, struct offload *offload, struct cg_error *err)
{
	struct instance_services services = {
		.loop = loop,
		.http = http,
		.offload = offload,
		.spool_dir = "/nonexistent",
		.health_changed = ignore_health,
		.submitted = ignore_verdict,
		.log = ignore_log,
		.quit = ignore_quit,
	};
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < config->provider_count; i++) {
		const struct config_provider *provider = &config->providers[i];
		struct instance *instance;

		status = instance_create(&services, provider->descriptor,
			provider->settings, &instance, err);
		if (status == CG_OK)
			instance_destroy(instance);
	}
	return status;
}

/* Settings that do not load are not this module's fault: its descriptor was sound. */
static enum cg_status try_settings(const struct cg_plugin *plugin, struct cg_error *err)
{
	char cwd[PATH_MAX];
	struct config_input input = {
		.environment = environ,
		.cwd = getcwd(cwd, sizeof(cwd)) == NULL ? "/" : cwd,
		.kinds = plugin->providers,
		.kind_count = plugin->provider_count,
		.plugin_dir = "/nonexistent",
	};
	struct config_report report;
	struct http_client *http = NULL;
	struct offload *offload = NULL;
	struct config *config = NULL;
	struct loop *loop = NULL;
	struct clock clock;
	enum cg_status status = CG_OK;

	config_report_init(&report);
	if (config_load(&input, &config, &report) == CG_OK) {
		clock_system(&clock, 0);
		status = loop_create(&clock, &loop, err);
		if (status == CG_OK)
			status = offload_create(loop, &offload, err);
		if (status == CG_OK)
			status = http_client_create(loop, &http, err);
		if (status == CG_OK)
			status = try_instances(config, loop, http, offload, err);
		offload_destroy(offload);
		http_client_destroy(http);
		loop_destroy(loop);
	}
	config_destroy(config);
	config_report_finish(&report);
	return status;
}

int cli_plugin_check(int argc, char **argv)
{
	struct cg_error err = {.text = ""};
	const struct cg_plugin *plugin;
	enum cg_status status;
	void *handle;

	if (argc != 2)
		return cli_usage(argv[0], "it takes one file");
	status = loader_open(argv[1], &handle, &plugin, &err);
	if (status == CG_OK)
		status = try_settings(plugin, &err);
	if (status != CG_OK) {
		printf("%s\n", err.text);
		return CLI_FAILED;
	}
	printf("%s %s is sound:", plugin->name, plugin->version);
	for (uint32_t i = 0; i < plugin->provider_count; i++)
		printf(" %s", plugin->providers[i]->kind);
	printf("\n");
	loader_close(handle);
	return CLI_OK;
}
