/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/channel.h"

#include "control-plane/identity.h"

#include <cowgate/sdk/error.h>
#include <stdlib.h>
#include <string.h>

static bool listed(const struct plane_channel *channel, const char *user)
{
	for (size_t i = 0; i < channel->allow_count; i++) {
		if (strcmp(channel->allow_from[i], user) == 0)
			return true;
	}
	return false;
}

static char *copy(const char *text)
{
	return strdup(text == NULL ? "" : text);
}

static void channel_finish(struct channel *channel)
{
	free((void *)(uintptr_t)channel->binding_id);
	free((void *)(uintptr_t)channel->provider);
	free((void *)(uintptr_t)channel->workspace);
}

void channel_list_finish(struct channel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		channel_finish(&list->channels[i]);
	free(list->channels);
	memset(list, 0, sizeof(*list));
}

enum cg_status channel_list_init(struct channel_list *list,
	const struct plane_channel *channels, size_t count, struct cg_error *err)
{
	memset(list, 0, sizeof(*list));
	list->channels = calloc(count + 1, sizeof(*list->channels));
	if (list->channels == NULL)
		return cg_error_nomem(err);
	for (size_t i = 0; i < count; i++) {
		struct channel *channel = &list->channels[list->count++];

		channel->binding_id = copy(channels[i].binding_id);
		channel->provider = copy(channels[i].provider);
		channel->workspace = copy(channels[i].workspace_id);
		channel->agent_id = CHANNEL_AGENT;
		channel->everyone = listed(&channels[i], "*");
		if (channel->binding_id == NULL || channel->provider == NULL ||
			channel->workspace == NULL) {
			channel_list_finish(list);
			return cg_error_nomem(err);
		}
	}
	return CG_OK;
}

const struct channel *channel_find(
	const struct channel_list *list, const char *binding_id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->channels[i].binding_id, binding_id) == 0)
			return &list->channels[i];
	}
	return NULL;
}

const struct channel *channel_of_provider(const struct channel_list *list,
	const char *provider, const char *workspace, size_t *ret_count)
{
	const struct channel *found = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct channel *channel = &list->channels[i];

		if (strcmp(channel->provider, provider) != 0 ||
			(workspace != NULL && strcmp(channel->workspace, workspace) != 0))
			continue;
		found = channel;
		(*ret_count)++;
	}
	return found;
}

static enum cg_status apply_people(
	struct change *change, const struct plane_channel *channel)
{
	const char *workspace =
		channel->workspace_id == NULL ? "" : channel->workspace_id;
	bool first = true;

	for (size_t i = 0; i < channel->allow_count; i++) {
		enum cg_status status;

		if (strcmp(channel->allow_from[i], "*") == 0)
			continue;
		status = identity_allow(change, channel->provider, workspace,
			channel->allow_from[i], first ? "owner" : "member");
		if (status != CG_OK)
			return status;
		first = false;
	}
	return CG_OK;
}

static enum cg_status apply_one(
	struct change *change, const struct plane_channel *channel)
{
	enum cg_status status = change_run(change,
		"INSERT INTO channel_binding VALUES (?, ?, ?, ?, ?, 'active', ?, ?7, ?7)"
		" ON CONFLICT (binding_id) DO UPDATE SET agent_id = excluded.agent_id,"
		" provider = excluded.provider,"
		" external_workspace_id = excluded.external_workspace_id,"
		" display_name = excluded.display_name, status = 'active', open = "
		"excluded.open,"
		" updated_at = excluded.updated_at",
		BIND(TEXT(channel->binding_id), TEXT(CHANNEL_AGENT),
			TEXT(channel->provider),
			TEXT(channel->workspace_id == NULL ? "" : channel->workspace_id),
			TEXT(channel->display_name == NULL ? channel->provider
							   : channel->display_name),
			INT(listed(channel, "*")), INT(change->now)));

	return status == CG_OK ? apply_people(change, channel) : status;
}

enum cg_status channel_apply(struct change *change, const struct plane_channel *channels,
	size_t count, const char *agent_name)
{
	enum cg_status status = change_run(change,
		"INSERT INTO agent VALUES (?, ?, ?, 'active', ?4, ?4)"
		" ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name,"
		" status = 'active', updated_at = excluded.updated_at",
		BIND(TEXT(CHANNEL_AGENT), TEXT(agent_name), TEXT(PLANE_PROFILE),
			INT(change->now)));

	if (status == CG_OK)
		status = change_run(change,
			"UPDATE channel_binding SET status = 'disabled', open = 0",
			NO_VALUES);
	if (status == CG_OK)
		status = identity_forget_configuration(change);
	for (size_t i = 0; status == CG_OK && i < count; i++)
		status = apply_one(change, &channels[i]);
	return status;
}
