/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/program.h"
#include "cli/settings.h"
#include "gateway/daemon/daemon.h"
#include "runtime/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void set_up_log(void *arg, const struct config *config)
{
	static const enum log_format formats[] = {
		[CONFIG_LOG_TEXT] = LOG_TEXT,
		[CONFIG_LOG_JSON] = LOG_JSON,
		[CONFIG_LOG_JOURNAL] = LOG_JOURNAL,
	};
	struct log_options options = {.level = (int)config->log_level, .fd = -1};

	(void)arg;
	if (config->log_format != CONFIG_LOG_AUTO)
		options.format = formats[config->log_format];
	else
		options.format = log_is_journal(STDERR_FILENO) ? LOG_JOURNAL : LOG_TEXT;
	log_setup(&options);
}

/* The ready line goes to stderr: stdout belongs to the conversation. */
static void say_ready(void *arg, const char *url)
{
	const struct config *config = arg;

	fprintf(stderr, "cowgate %s is ready on %s (%s)\n", COWGATE_VERSION, url,
		config->product_mode == CONFIG_STANDALONE ? "standalone"
							  : "cloud_channel");
}

static int run_daemon(const struct settings *settings)
{
	struct daemon_options options = {
		.config = settings->config,
		.input = &settings->input,
		.loader = settings->loader,
		.version = COWGATE_VERSION,
		.keeper = program_keeper(),
		.built_ms = COWGATE_BUILT_MS,
		.ready = say_ready,
		.reloaded = set_up_log,
		.arg = settings->config,
	};
	struct cg_error err = {.text = ""};
	struct daemon *daemon;
	enum cg_status status;

	status = daemon_create(&options, &daemon, &err);
	if (status != CG_OK) {
		fprintf(stderr, "cowgate: %s\n", err.text);
		return CLI_FAILED;
	}
	status = daemon_run(daemon, &err);
	if (status != CG_OK)
		fprintf(stderr, "cowgate: %s\n", err.text);
	daemon_destroy(daemon);
	return status == CG_OK ? CLI_OK : CLI_FAILED;
}

int cli_run(int argc, char **argv)
{
	struct settings settings;
	int code = CLI_FAILED;

	if (argc > 1)
		return cli_usage(argv[0], "it takes no arguments");
	if (settings_load_used(&settings) == CG_OK && settings_report(&settings)) {
		set_up_log(NULL, settings.config);
		code = run_daemon(&settings);
	}
	settings_finish(&settings);
	return code;
}
