/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/agents/child.h"

#include "runtime/platform.h"

#include <cowgate/host.h>
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/program.h>
#include <cowgate/sdk/retry.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OWN_PREFIX "OPEN_COWORK_" /* variables that hold our own settings and secrets */

/* ---- what it gets ---- */

void child_environment_free(char **environment)
{
	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		free(environment[i]);
	free(environment);
}

static char *variable(const char *name, const char *value)
{
	struct cg_buffer text;
	char *taken;

	cg_buffer_init(&text, 1u << 20);
	cg_buffer_text(&text, name);
	cg_buffer_char(&text, '=');
	cg_buffer_text(&text, value);
	taken = cg_buffer_take(&text, NULL);
	cg_buffer_finish(&text);
	return taken;
}

/* Later ones win: one of the same name is replaced. */
static enum cg_status put(char **environment, char *entry, struct cg_error *err)
{
	size_t name, i = 0;

	if (entry == NULL)
		return cg_error_nomem(err);
	name = strcspn(entry, "=") + 1;
	while (environment[i] != NULL && strncmp(environment[i], entry, name) != 0)
		i++;
	if (i == CHILD_VARIABLES) {
		free(entry);
		return cg_error_set(err, CG_INVALID,
			"the agent's environment has more than %d variables",
			CHILD_VARIABLES);
	}
	free(environment[i]);
	environment[i] = entry;
	return CG_OK;
}

/* One entry of the settings: a name, or a name with its value. */
static enum cg_status put_listed(
	char **environment, const char *entry, struct cg_error *err)
{
	const char *value;

	if (*entry == '\0' || *entry == '=')
		return cg_error_set(err, CG_INVALID,
			"the agent's environment has an entry without a name");
	if (strncmp(entry, OWN_PREFIX, sizeof(OWN_PREFIX) - 1) == 0)
		return cg_error_set(err, CG_INVALID,
			"the agent's environment must not hold %.*s, which is Cowgate's "
			"own",
			(int)strcspn(entry, "="), entry);
	if (strchr(entry, '=') != NULL)
		return put(environment, strdup(entry), err);
	value = getenv(entry);
	return value == NULL ? CG_OK : put(environment, variable(entry, value), err);
}

enum cg_status child_environment(const struct agent_options *settings,
	const char *const *extra, char ***ret, struct cg_error *err)
{
	static const char *const usual[] = {
		"PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ"};
	char **environment = calloc(CHILD_VARIABLES + 1, sizeof(*environment));
	enum cg_status status = CG_OK;

	if (environment == NULL)
		return cg_error_nomem(err);
	for (size_t i = 0; status == CG_OK && i < sizeof(usual) / sizeof(usual[0]); i++) {
		/* Another user has another home, which the keeper knows. */
		if (settings->user == NULL || strcmp(usual[i], "HOME") != 0)
			status = put_listed(environment, usual[i], err);
	}
	for (size_t i = 0; status == CG_OK && settings->environment != NULL &&
			   settings->environment[i] != NULL;
		i++)
		status = put_listed(environment, settings->environment[i], err);
	for (size_t i = 0; status == CG_OK && extra != NULL && extra[i] != NULL; i++)
		status = put(environment, strdup(extra[i]), err);
	if (status != CG_OK) {
		child_environment_free(environment);
		return status;
	}
	*ret = environment;
	return CG_OK;
}

/* ---- its life ---- */

static void tell(const struct child *child, int level, const char *event, const char *key,
	const char *value)
{
	if (child->host->notice != NULL)
		child->host->notice(child->host->arg, level, event, key, value);
}

static void start_later(struct child *child)
{
	uint64_t random;

	cg_random(&random, sizeof(random));
	loop_timer_set(&child->restart,
		cg_retry_reconnect(CHILD_BACKOFF_MS, CHILD_BACKOFF_CAP_MS,
			++child->failures, random));
}

static void on_line(void *arg, const char *line, size_t length, bool whole)
{
	struct child *child = arg;

	child->options.on_line(child->options.arg, line, length, whole);
}

static void on_error(void *arg, const char *line, size_t length)
{
	struct child *child = arg;

	(void)length;
	if (child->error_lines == CHILD_ERROR_LINES)
		tell(child, CG_LOG_WARN, "agent.stderr_cut", "program",
			child->options.argv[0]);
	if (child->error_lines++ < CHILD_ERROR_LINES)
		tell(child, CG_LOG_INFO, "agent.stderr", "line", line);
}

static void on_exit_of(void *arg, const struct process_exit *ended)
{
	struct child *child = arg;

	snprintf(child->why, sizeof(child->why),
		ended->ran ? "the agent's program is gone: %.200s" : "%.200s",
		ended->text);
	loop_defer(child->host->loop, &child->fallen);
}

static void on_fallen(void *arg)
{
	struct child *child = arg;

	process_destroy(child->process);
	child->process = NULL;
	tell(child, CG_LOG_WARN, "agent.down", "error", child->why);
	start_later(child);
	child->options.on_down(child->options.arg, child->why);
}

static void on_restart(void *arg)
{
	struct child *child = arg;
	struct process_options options = {
		.keeper = child->host->keeper,
		.argv = child->options.argv,
		.directory = child->settings->directory,
		.user = child->settings->user,
		.limits = child->settings->limits,
		.line_limit = child->options.line_limit,
		.on_line = on_line,
		.on_error = on_error,
		.on_exit = on_exit_of,
		.arg = child,
	};
	struct cg_error err = {0};
	char **environment = NULL;
	enum cg_status status;

	child->error_lines = 0;
	status = child_environment(
		child->settings, child->options.extra, &environment, &err);
	options.environment = (const char *const *)environment;
	if (status == CG_OK)
		status = process_create(
			child->host->loop, &options, &child->process, &err);
	child_environment_free(environment);
	if (status == CG_OK) {
		child->options.on_start(child->options.arg);
		return;
	}
	child->process = NULL;
	cg_text_copy(child->why, sizeof(child->why), err.text);
	tell(child, CG_LOG_WARN, "agent.down", "error", child->why);
	start_later(child);
	child->options.on_down(child->options.arg, child->why);
}

static enum cg_status settings_hold(const struct agent_host *host,
	const struct agent_options *settings, const struct child_options *options,
	struct cg_error *err)
{
	char **environment = NULL;
	struct stat info;
	enum cg_status status;

	if (host->keeper == NULL)
		return cg_error_set(
			err, CG_NOT_FOUND, "the program cowgate-keeper is missing");
	/* As the keeper will look for it, but before anything is started. */
	if (settings->user == NULL && !cg_program_find(options->argv[0], NULL, 0))
		return cg_error_set(err, CG_NOT_FOUND,
			"the agent's program \"%s\" cannot be run: install it, or name "
			"it by its path",
			options->argv[0]);
	if (settings->directory != NULL &&
		(stat(settings->directory, &info) != 0 || !S_ISDIR(info.st_mode)))
		return cg_error_set(err, CG_NOT_FOUND,
			"the agent's directory \"%s\" is not there", settings->directory);
	if (settings->user != NULL && !platform_may_switch_user())
		return cg_error_set(err, CG_DENIED,
			"only root, or a service that may switch users, can run the "
			"agent as another user");
	status = child_environment(settings, options->extra, &environment, err);
	if (status == CG_OK)
		child_environment_free(environment);
	return status;
}

enum cg_status child_init(struct child *child, const struct agent_host *host,
	const struct agent_options *settings, const struct child_options *options,
	struct cg_error *err)
{
	enum cg_status status;

	*child = (struct child){.host = host, .settings = settings, .options = *options};
	loop_task_init(&child->fallen, on_fallen, child);
	status = settings_hold(host, settings, options, err);
	if (status != CG_OK)
		return status;
	if (loop_timer_init(&child->restart, host->loop, on_restart, child) != CG_OK)
		return cg_error_nomem(err);
	loop_timer_set(&child->restart, 0);
	return CG_OK;
}

void child_finish(struct child *child)
{
	if (child->host == NULL)
		return;
	loop_undefer(child->host->loop, &child->fallen);
	process_destroy(child->process);
	loop_timer_finish(&child->restart);
	*child = (struct child){0};
}

void child_does_well(struct child *child)
{
	child->failures = 0;
}

void child_restart(struct child *child)
{
	if (child->process != NULL)
		process_kill(child->process);
}

enum cg_status child_write(struct child *child, const char *bytes, size_t length)
{
	return child->process == NULL ? CG_NETWORK
				      : process_write(child->process, bytes, length);
}
