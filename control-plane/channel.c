/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/channel.h"

#include "control-plane/identity.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <string.h>

#define COLUMNS \
	"SELECT binding_id, agent_id, provider, external_workspace_id, status = " \
	"'active'," \
	" open FROM channel_binding "

static void channel_read(struct statement *row, struct channel *ret)
{
	cg_text_copy(ret->binding_id, sizeof(ret->binding_id), statement_text(row, 0));
	cg_text_copy(ret->agent_id, sizeof(ret->agent_id), statement_text(row, 1));
	cg_text_copy(ret->provider, sizeof(ret->provider), statement_text(row, 2));
	cg_text_copy(ret->workspace, sizeof(ret->workspace), statement_text(row, 3));
	ret->active = statement_int(row, 4) != 0;
	ret->everyone = statement_int(row, 5) != 0;
}

enum cg_status channel_find(struct change *change, const char *binding_id,
	struct channel *ret, bool *ret_found)
{
	struct statement *row;
	enum cg_status status = change_first(
		change, COLUMNS "WHERE binding_id = ?", BIND(TEXT(binding_id)), &row);

	*ret_found = status == CG_OK && row != NULL;
	if (*ret_found)
		channel_read(row, ret);
	statement_finish(row);
	return status;
}

enum cg_status channel_of_provider(struct change *change, const char *provider,
	const char *workspace, struct channel *ret, size_t *ret_count)
{
	struct statement *rows;
	bool row = true;
	enum cg_status status = change_query(change,
		COLUMNS "WHERE provider = ?1 AND status = 'active'"
			" AND (?2 IS NULL OR external_workspace_id = ?2) LIMIT 2",
		BIND(TEXT(provider), TEXT(workspace)), &rows);

	*ret_count = 0;
	while (status == CG_OK) {
		status = statement_step(rows, &row, change->err);
		if (status != CG_OK || !row)
			break;
		channel_read(rows, ret);
		(*ret_count)++;
	}
	statement_finish(rows);
	return status;
}

static bool listed(const struct plane_channel *channel, const char *user)
{
	for (size_t i = 0; i < channel->allow_count; i++) {
		if (strcmp(channel->allow_from[i], user) == 0)
			return true;
	}
	return false;
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
