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
	free((void *)(uintptr_t)channel->display_name);
	free((void *)(uintptr_t)channel->agent);
	for (size_t i = 0; i < channel->allow_count; i++)
		free(channel->allow_from[i]);
	free(channel->allow_from);
}

void channel_list_finish(struct channel_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		channel_finish(&list->channels[i]);
	free(list->channels);
	memset(list, 0, sizeof(*list));
}

static bool copy_people(struct channel *channel, const struct plane_channel *from)
{
	channel->allow_from = calloc(from->allow_count + 1, sizeof(char *));
	if (channel->allow_from == NULL)
		return false;
	for (size_t i = 0; i < from->allow_count; i++) {
		if (strcmp(from->allow_from[i], "*") == 0)
			continue;
		channel->allow_from[channel->allow_count] = strdup(from->allow_from[i]);
		if (channel->allow_from[channel->allow_count] == NULL)
			return false;
		channel->allow_count++;
	}
	return true;
}

static bool channel_copy(struct channel *channel, const struct plane_channel *from)
{
	channel->binding_id = copy(from->binding_id);
	channel->provider = copy(from->provider);
	channel->workspace = copy(from->workspace_id);
	channel->display_name =
		copy(from->display_name == NULL ? from->provider : from->display_name);
	channel->agent = copy(from->agent);
	channel->agent_id = CHANNEL_AGENT;
	channel->mode = from->mode;
	channel->everyone = listed(from, "*");
	return channel->binding_id != NULL && channel->provider != NULL &&
	       channel->workspace != NULL && channel->display_name != NULL &&
	       channel->agent != NULL && copy_people(channel, from);
}

enum cg_status channel_list_init(struct channel_list *list,
	const struct plane_channel *channels, size_t count, struct cg_error *err)
{
	memset(list, 0, sizeof(*list));
	list->channels = calloc(count + 1, sizeof(*list->channels));
	if (list->channels == NULL)
		return cg_error_nomem(err);
	for (size_t i = 0; i < count; i++) {
		if (!channel_copy(&list->channels[list->count++], &channels[i])) {
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

static enum cg_status apply_people(struct change *change, const struct channel *channel)
{
	enum cg_status status = CG_OK;

	for (size_t i = 0; status == CG_OK && i < channel->allow_count; i++)
		status = identity_allow(change, channel->provider, channel->workspace,
			channel->allow_from[i], i == 0 ? "owner" : "member");
	return status;
}

static enum cg_status apply_row(struct change *change, const struct channel *channel)
{
	return change_run(change,
		"INSERT INTO channel_binding VALUES (?, ?, ?, ?, ?, 'active', ?, ?7, ?7)"
		" ON CONFLICT (binding_id) DO UPDATE SET agent_id = excluded.agent_id,"
		" provider = excluded.provider,"
		" external_workspace_id = excluded.external_workspace_id,"
		" display_name = excluded.display_name, status = 'active', open = "
		"excluded.open,"
		" updated_at = excluded.updated_at",
		BIND(TEXT(channel->binding_id), TEXT(CHANNEL_AGENT),
			TEXT(channel->provider), TEXT(channel->workspace),
			TEXT(channel->display_name), INT(channel->everyone),
			INT(change->now)));
}

enum cg_status channel_apply(
	struct change *change, const struct channel_list *list, const char *agent_name)
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
	for (size_t i = 0; status == CG_OK && i < list->count; i++)
		status = apply_row(change, &list->channels[i]);
	if (status == CG_OK)
		status = identity_forget_configuration(change);
	for (size_t i = 0; status == CG_OK && i < list->count; i++)
		status = apply_people(change, &list->channels[i]);
	return status;
}
