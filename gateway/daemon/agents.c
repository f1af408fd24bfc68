/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/agents.h"

#include <cowgate/sdk/error.h>
#include <string.h>

#define LOOK_MS 50 /* between two looks at one that starts */

const struct agent_ops *agents_backend(enum config_agent_backend backend)
{
	static const char *const names[] = {
		[CONFIG_AGENT_ECHO] = "echo",
		[CONFIG_AGENT_OPENAI] = "openai",
		[CONFIG_AGENT_OPENCODE] = "opencode",
		[CONFIG_AGENT_ACP] = "acp",
	};

	return agent_find(names[backend]);
}

/* What an entry has no member for is the same for all. */
void agents_options(const struct config *config, const struct config_agent *named,
	struct agent_options *ret)
{
	*ret = (struct agent_options){
		.url = config->agent_url,
		.fallback_urls = config->agent_fallback_urls.items,
		.model = config->agent_model,
		.system_prompt = config->agent_system_prompt,
		.api_key = &config->agent_api_key,
		.command = config->agent_command.items,
		.environment = config->agent_environment.items,
		.limits = config->agent_limits.items,
		.user = config->agent_user,
		.directory = config->agent_directory,
		.show_thoughts = config->agent_show_thoughts,
		.turn_timeout_ms = config->agent_turn_minutes * 60000,
		.retry_ms = config->agent_retry_seconds * 1000,
		.daily_tokens_per_chat = config->agent_daily_tokens_per_chat,
		.daily_tokens = config->agent_daily_tokens,
	};
	if (named == NULL)
		return;
	ret->url = named->url;
	ret->fallback_urls = named->fallback_urls.items;
	ret->model = named->model;
	ret->system_prompt = named->system_prompt;
	ret->api_key = &named->api_key;
	ret->command = named->command.items;
	ret->environment = named->environment.items;
	ret->limits = named->limits.items;
	ret->user = named->user;
	ret->directory = named->directory;
	ret->daily_tokens_per_chat = named->daily_tokens_per_chat;
	ret->daily_tokens = named->daily_tokens;
}

/* One that is tried. */
struct trial {
	struct clock clock;
	struct loop *loop;
	struct http_client *http;
	const struct agent_ops *ops;
	void *agent;
	struct loop_timer look;
	int64_t left_ms;
	struct cg_error *err;
	enum cg_status status;
};

static void on_look(void *arg)
{
	struct trial *trial = arg;

	trial->status = trial->ops->health(trial->agent, trial->err);
	trial->left_ms -= LOOK_MS;
	if (trial->status == CG_OK || trial->left_ms <= 0)
		loop_stop(trial->loop);
	else
		loop_timer_set(&trial->look, LOOK_MS);
}

/* A program that ends by itself is not waited for: why is known on the next turn of the loop. */
static void on_notice(
	void *arg, int level, const char *event, const char *key, const char *value)
{
	struct trial *trial = arg;

	(void)level;
	(void)key;
	(void)value;
	if (strcmp(event, "agent.down") != 0)
		return;
	trial->left_ms = 0;
	loop_timer_set(&trial->look, 0);
}

enum cg_status agents_try(const struct config *config, const struct config_agent *named,
	const char *keeper, int64_t patience_ms, struct cg_error *err)
{
	struct trial trial = {.left_ms = patience_ms, .err = err};
	struct agent_options options;
	struct agent_host host;
	enum cg_status status;

	agents_options(config, named, &options);
	trial.ops =
		agents_backend(named == NULL ? config->agent_backend : named->backend);
	if (trial.ops == NULL)
		return cg_error_set(
			err, CG_UNSUPPORTED, "this build has no such backend");
	clock_system(&trial.clock, 0);
	status = loop_create(&trial.clock, &trial.loop, err);
	if (status == CG_OK)
		status = http_client_create(trial.loop, &trial.http, err);
	host = (struct agent_host){.loop = trial.loop,
		.http = trial.http,
		.keeper = keeper,
		.notice = on_notice,
		.arg = &trial};
	if (status == CG_OK)
		status = loop_timer_init(&trial.look, trial.loop, on_look, &trial);
	if (status == CG_OK)
		status = trial.ops->create(&host, &options, &trial.agent, err);
	if (status == CG_OK) {
		loop_timer_set(&trial.look, LOOK_MS);
		status = loop_run(trial.loop);
	}
	if (status == CG_OK)
		status = trial.status;
	trial.ops->destroy(trial.agent);
	loop_timer_finish(&trial.look);
	http_client_destroy(trial.http);
	loop_destroy(trial.loop);
	return status;
}
