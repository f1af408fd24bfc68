/* SPDX-License-Identifier: Apache-2.0 */
/* The channels of the configuration: made, closed, and told to those who ask for them. */
#include "gateway/daemon/house.h"

#include <cowgate/sdk/error.h>
#include <string.h>

void channel_changed(void *arg, struct instance *instance)
{
	struct daemon *daemon = arg;

	supervisor_health(daemon->supervisor, instance);
}

int channel_place(const struct daemon *daemon, const char *id)
{
	for (size_t i = 0; i < daemon->channel_count; i++) {
		if (strcmp(daemon->channels[i].instance, id) == 0)
			return (int)i;
	}
	return -1;
}

/* The place of the instance, its own or a new one, says what @provider says. */
static enum cg_status take_place(struct daemon *daemon,
	const struct config_provider *provider, struct config *config,
	struct cg_error *err)
{
	int place = channel_place(daemon, provider->id);

	if (place < 0 && daemon->channel_count == SUPERVISOR_INSTANCES)
		return cg_error_set(err, CG_LIMIT,
			"there were more than %d providers since the start; restart",
			SUPERVISOR_INSTANCES);
	if (place < 0)
		place = (int)daemon->channel_count++;
	config_ref(config);
	config_destroy(daemon->channel_configs[place]);
	daemon->channel_configs[place] = config;
	daemon->channels[place] = (struct conversation_channel){
		.instance = provider->id,
		.kind = provider->kind,
		.binding_id = provider->channel_binding_id,
		.workspace_id = provider->external_workspace_id,
		.default_agent = provider->default_agent,
	};
	return CG_OK;
}

/* Settings outlive the instance, whose last work may end after it was destroyed. */
static void release_config(void *arg)
{
	config_destroy(arg);
}

enum cg_status channel_open(struct daemon *daemon, const struct config_provider *provider,
	struct config *config, struct cg_error *err)
{
	struct instance *instance;
	enum cg_status status;

	status = instance_create(&daemon->services, provider->descriptor,
		provider->settings, &instance, err);
	if (status != CG_OK)
		return status;
	instance_on_buried(instance, release_config, config_ref(config));
	status = take_place(daemon, provider, config, err);
	if (status == CG_OK)
		status = meter_add_channel(daemon->meter, provider->id, provider->kind);
	if (status != CG_OK)
		goto fail;
	status = supervisor_adopt(daemon->supervisor, instance, err);
	if (status == CG_OK)
		return CG_OK;
	meter_remove_channel(daemon->meter, provider->id);
fail:
	instance_destroy(instance);
	return status;
}

void channel_close(struct daemon *daemon, struct instance *instance)
{
	supervisor_release(daemon->supervisor, instance);
	meter_remove_channel(daemon->meter, instance_id(instance));
	operator_abandon(daemon->operator, instance_id(instance));
	instance_abandon(instance);
	instance_destroy(instance);
}

void channels_claim(struct daemon *daemon)
{
	daemon->claiming_count = 0;
	for (size_t i = 0; i < daemon->channel_count; i++) {
		if (supervisor_find(daemon->supervisor, daemon->channels[i].instance) !=
			NULL)
			daemon->claiming[daemon->claiming_count++] = daemon->channels[i];
	}
}

/* Behind this gateway's own @count channels: those that gateways elsewhere serve. */
static size_t foreign_channels(
	const struct config *config, struct plane_channel *ret, size_t count)
{
	for (size_t i = 0; i < config->plane_channels.count; i++) {
		const char *id = config->plane_channels.items[i];

		ret[count++] = (struct plane_channel){
			.binding_id = id,
			.provider = id,
			.display_name = id,
			.allow_from = config->plane_allow_from.items,
			.allow_count = config->plane_allow_from.count,
		};
	}
	return count;
}

size_t channels_of_plane(
	const struct config *config, struct plane_channel ret[DAEMON_PLANE_CHANNELS])
{
	static const char *const everyone[] = {"*"};
	size_t count = 0;

	for (size_t i = 0; i < config->provider_count; i++) {
		const struct config_provider *provider = &config->providers[i];

		if (!provider->enabled)
			continue;
		ret[count++] = (struct plane_channel){
			.binding_id = provider->channel_binding_id,
			.provider = provider->id,
			.display_name = provider->descriptor->title,
			.agent = provider->default_agent,
			.mode = (enum plane_mode)provider->busy_mode, /* the same */
			.workspace_id = provider->external_workspace_id,
			.allow_from = provider->allow_everyone
					      ? everyone
					      : provider->allow_from.items,
			.allow_count =
				provider->allow_everyone ? 1 : provider->allow_from.count,
		};
	}
	ret[count++] = (struct plane_channel){
		.binding_id = DAEMON_CHAT,
		.provider = DAEMON_CHAT,
		.display_name = "Terminal",
		.allow_from = everyone,
		.allow_count = 1,
	};
	return foreign_channels(config, ret, count);
}

void channels_finish(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->channel_count; i++)
		config_destroy(daemon->channel_configs[i]);
}
