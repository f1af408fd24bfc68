/* SPDX-License-Identifier: Apache-2.0 */
#include "control-plane/roster.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_NAME "default"

static enum cg_status add(struct roster *roster, const struct agent_host *host,
	const struct plane_agent *agent, struct cg_error *err)
{
	struct seat *seat = &roster->seats[roster->count];
	enum cg_status status;

	if (roster_find(roster, agent->name) != NULL)
		return cg_error_set(
			err, CG_CONFLICT, "there are two agents called %s", agent->name);
	seat->ops = agent->ops;
	seat->options = agent->options;
	status = agent->ops->create(host, &seat->options, &seat->self, err);
	if (status != CG_OK)
		return status;
	roster->count++;
	seat->name = strdup(agent->name);
	seat->model = agent->options.model == NULL ? NULL : strdup(agent->options.model);
	if (seat->name == NULL || (agent->options.model != NULL && seat->model == NULL))
		return cg_error_nomem(err);
	return CG_OK;
}

enum cg_status roster_init(struct roster *roster, const struct agent_host *host,
	const struct plane_options *options, struct cg_error *err)
{
	const struct plane_agent first = {
		DEFAULT_NAME, options->agent, options->agent_options};
	enum cg_status status;

	memset(roster, 0, sizeof(*roster));
	if (options->agent_count >= ROSTER_MOST)
		return cg_error_set(
			err, CG_LIMIT, "more than %d agents", ROSTER_MOST - 1);
	roster->seats = calloc(options->agent_count + 1, sizeof(*roster->seats));
	if (roster->seats == NULL)
		return cg_error_nomem(err);
	status = add(roster, host, &first, err);
	for (size_t i = 0; status == CG_OK && i < options->agent_count; i++)
		status = add(roster, host, &options->agents[i], err);
	if (status != CG_OK)
		roster_finish(roster);
	return status;
}

void roster_stop(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct seat *seat = &roster->seats[i];

		if (seat->self != NULL)
			seat->ops->destroy(seat->self);
		seat->self = NULL;
	}
}

void roster_finish(struct roster *roster)
{
	roster_stop(roster);
	for (size_t i = 0; i < roster->count; i++) {
		struct seat *seat = &roster->seats[i];

		free((void *)(uintptr_t)seat->name);
		free((void *)(uintptr_t)seat->model);
	}
	free(roster->seats);
	memset(roster, 0, sizeof(*roster));
}

const struct seat *roster_find(const struct roster *roster, const char *name)
{
	for (size_t i = 0; name != NULL && i < roster->count; i++) {
		if (strcmp(roster->seats[i].name, name) == 0)
			return &roster->seats[i];
	}
	return NULL;
}

void roster_names(const struct roster *roster, char *ret, size_t size)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 64 * 1024);
	for (size_t i = 0; i < roster->count; i++)
		cg_buffer_format(&text, "%s%s",
			i == 0                   ? ""
			: i + 1 == roster->count ? " and "
						 : ", ",
			roster->seats[i].name);
	cg_text_copy(ret, size, cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

enum cg_status roster_seat(const struct roster *roster, struct change *change,
	const struct channel_list *channels, int64_t session, const char *wanted,
	const struct seat **ret)
{
	const struct channel *channel = NULL;
	const struct seat *seat = NULL;
	struct statement *row;
	enum cg_status status;

	*ret = &roster->seats[0];
	if (roster->count == 1)
		return CG_OK;
	status = change_first(change,
		"SELECT s.agent, (SELECT channel_binding_id FROM session_binding b"
		" WHERE b.session = s.id ORDER BY b.id DESC LIMIT 1)"
		" FROM session s WHERE s.id = ?",
		BIND(INT(session)), &row);
	if (status != CG_OK || row == NULL)
		return status;
	seat = roster_find(roster, statement_text(row, 0));
	if (!statement_is_null(row, 1))
		channel = channel_find(channels, statement_text(row, 1));
	if (seat == NULL)
		seat = roster_find(roster, wanted);
	if (seat == NULL && channel != NULL)
		seat = roster_find(roster, channel->agent);
	if (seat != NULL)
		*ret = seat;
	statement_finish(row);
	return CG_OK;
}
