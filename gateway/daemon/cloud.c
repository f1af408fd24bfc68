/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of the conversation: a real Cloud, or the embedded plane and its agents. */
#include "gateway/daemon/agents.h"
#include "gateway/daemon/house.h"

#include <cowgate/sdk/error.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* An agent that is a program works in a place of its own, never where we happen to be.
 * @name NULL: the default agent. */
static enum cg_status agent_place(struct daemon *daemon,
	enum config_agent_backend backend, const char *name,
	struct agent_options *options, struct cg_error *err)
{
	char path[CONFIG_PATH + 96], *kept;

	if (options->directory != NULL ||
		(backend != CONFIG_AGENT_ACP && backend != CONFIG_AGENT_OPENCODE))
		return CG_OK;
	snprintf(path, sizeof(path), "%s/workspace%s%s", daemon->config->data_dir,
		name == NULL ? "" : "-", name == NULL ? "" : name);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return cg_error_set(
			err, CG_IO, "%s cannot be made: %s", path, strerror(errno));
	kept = strdup(path);
	if (kept == NULL)
		return cg_error_nomem(err);
	daemon->workspaces[daemon->workspace_count++] = kept;
	options->directory = kept;
	return CG_OK;
}

/* The agents of the files, beside the default. */
static enum cg_status plane_agents(
	struct daemon *daemon, struct plane_agent *ret, struct cg_error *err)
{
	const struct config *config = daemon->config;
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < config->agent_count; i++) {
		const struct config_agent *agent = &config->agents[i];

		ret[i] = (struct plane_agent){
			.name = agent->name, .ops = agents_backend(agent->backend)};
		agents_options(config, agent, &ret[i].options);
		if (ret[i].ops == NULL)
			return cg_error_set(err, CG_UNSUPPORTED,
				"this build has no backend for the agent %s",
				agent->name);
		status = agent_place(
			daemon, agent->backend, agent->name, &ret[i].options, err);
	}
	return status;
}

static enum cg_status open_plane(struct daemon *daemon, struct cg_error *err)
{
	const struct config *config = daemon->config;
	struct plane_channel channels[DAEMON_PLANE_CHANNELS];
	struct plane_agent agents[CONFIG_AGENTS];
	char path[CONFIG_PATH + 16], files[CONFIG_PATH + 16];
	struct plane_options options = {
		.path = path,
		.files = files,
		.channels = channels,
		.agent = agents_backend(config->agent_backend),
		.agents = agents,
		.keeper = daemon->options.keeper,
		.on_notice = ledger_plane_notice,
		.arg = daemon,
	};
	enum cg_status status;

	if (options.agent == NULL)
		return cg_error_set(err, CG_UNSUPPORTED,
			"this build has no agent backend of that name");
	if (config->plane_channels.count > DAEMON_FOREIGN_CHANNELS)
		return cg_error_set(err, CG_LIMIT,
			"OPEN_COWORK_GATEWAY_PLANE_CHANNELS names more than %d channels",
			DAEMON_FOREIGN_CHANNELS);
	options.channel_count = channels_of_plane(config, channels);
	agents_options(config, NULL, &options.agent_options);
	status = agent_place(
		daemon, config->agent_backend, NULL, &options.agent_options, err);
	if (status == CG_OK)
		status = plane_agents(daemon, agents, err);
	if (status != CG_OK)
		return status;
	options.agent_count = config->agent_count;
	snprintf(path, sizeof(path), "%s/plane.db", config->data_dir);
	snprintf(files, sizeof(files), "%s/files", config->data_dir);
	status = plane_create(daemon->loop, daemon->offload, daemon->http, &options,
		&daemon->plane, err);
	if (status == CG_OK)
		plane_link(daemon->plane, &daemon->transport);
	return status;
}

static enum cg_status open_link(struct daemon *daemon, struct cg_error *err)
{
	const struct config *config = daemon->config;
	struct cloud_link_options options = {
		.base_url = config->cloud_base_url,
		.token = &config->service_token,
		.ca_file = config->cloud_ca_file,
		.allow_insecure = config->allow_insecure_http,
	};
	enum cg_status status = cloud_link_create(
		daemon->loop, daemon->http, &options, &daemon->link, err);

	if (status == CG_OK)
		cloud_link_transport(daemon->link, &daemon->transport);
	return status;
}

enum cg_status daemon_make_cloud(struct daemon *daemon, struct cg_error *err)
{
	char claimed_by[300];
	struct cloud_client_options options = {
		.transport = &daemon->transport,
		.host = &daemon->cloud_host,
		.claimed_by = claimed_by,
		.call_timeout_ms = daemon->config->cloud_request_timeout_ms,
	};
	enum cg_status status = daemon->config->product_mode == CONFIG_STANDALONE
					? open_plane(daemon, err)
					: open_link(daemon, err);

	if (status != CG_OK)
		return status;
	snprintf(claimed_by, sizeof(claimed_by), "gateway:%s",
		daemon->config->instance_id);
	cloud_clock(daemon->loop, &daemon->cloud_host);
	return cloud_client_create(&options, &daemon->cloud, err);
}
