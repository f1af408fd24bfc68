/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a turn shows: the messages, tools and plans that the program tells of, and what it asks
 * people.
 */
#include "control-plane/agents/acp_turn.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what it says ---- */

static void message_name(
	const struct agent_turn *turn, const char *what, char ret[ACP_ID])
{
	snprintf(ret, ACP_ID, "%.200s:%s", turn->prompt.command_id, what);
}

/* What comes next is a message of its own. */
static void message_over(struct agent_turn *turn)
{
	turn->speaking = false;
	free(turn->foreign);
	turn->foreign = NULL;
}

static void say(struct agent_turn *turn, const struct acp_update *update)
{
	char what[32], id[ACP_ID];
	bool same =
		turn->speaking && (update->message_id == NULL || turn->foreign == NULL ||
					  strcmp(update->message_id, turn->foreign) == 0);

	if (update->length > ACP_TEXT - turn->shown) {
		acp_turn_tell_cancel(turn);
		acp_turn_fail(turn, "the agent said more than can be shown");
		return;
	}
	turn->shown += update->length;
	if (!same) {
		message_over(turn);
		turn->message++;
		if (update->message_id != NULL)
			turn->foreign = strdup(update->message_id);
	}
	snprintf(what, sizeof(what), "answer:%u", turn->message);
	message_name(turn, what, id);
	if (same)
		turn->sink.append(turn->arg, id, update->text, update->length);
	else
		turn->sink.replace(turn->arg, id, update->text, update->length);
	turn->speaking = true;
}

void acp_show_note(struct agent_turn *turn, const char *what, const char *text)
{
	char id[ACP_ID];

	message_name(turn, what, id);
	turn->sink.replace(turn->arg, id, text, strlen(text));
}

/* What has been asked for permission has not begun, whatever its state says. */
static void watch_tool(struct agent_turn *turn, struct json_object *payload)
{
	const char *id = cg_json_string_or(payload, "id", "");
	const char *status = cg_json_string(payload, "status");

	if (status == NULL)
		return;
	if (strcmp(status, "running") == 0) {
		cg_text_copy(turn->calling, sizeof(turn->calling), id);
		return;
	}
	turn->acted |= strcmp(status, "complete") == 0;
	if (strcmp(turn->calling, id) == 0)
		turn->calling[0] = '\0';
}

void acp_turn_update(struct agent_turn *turn, struct json_object *json)
{
	struct acp_update update;

	if (turn->state != ACP_PROMPTED)
		return; /* the past of a session that is loaded, or too late */
	acp_update_read(json, &update);
	switch (update.kind) {
	case ACP_UPDATE_TEXT:
		say(turn, &update);
		break;
	case ACP_UPDATE_THOUGHT:
		if (turn->acp->options->show_thoughts)
			say(turn, &update);
		break;
	case ACP_UPDATE_TOOL:
		watch_tool(turn, update.payload);
		message_over(turn);
		turn->sink.event(turn->arg, "tool.call", update.payload);
		break;
	case ACP_UPDATE_TODOS:
		turn->sink.event(turn->arg, "todos.updated", update.payload);
		break;
	case ACP_UPDATE_COST:
		turn->cost = update.cost;
		break;
	case ACP_UPDATE_OTHER:
		break;
	}
	acp_update_finish(&update);
}

/* ---- what it asks ---- */

static void ask_remove(struct agent_turn *turn, struct acp_ask *ask)
{
	LIST_REMOVE(ask, entry);
	turn->ask_count--;
	cg_json_free(ask->request_id);
	cg_json_free(ask->params);
	free(ask);
}

void acp_show_drop_asks(struct agent_turn *turn)
{
	struct acp_ask *ask;

	while ((ask = LIST_FIRST(&turn->asks)) != NULL)
		ask_remove(turn, ask);
}

void acp_show_refuse_asks(struct agent_turn *turn)
{
	struct acp_ask *ask;

	while ((ask = LIST_FIRST(&turn->asks)) != NULL) {
		acp_answer(turn->acp, ask->request_id, acp_permission_result(NULL));
		ask_remove(turn, ask);
	}
}

bool acp_turn_ask(
	struct agent_turn *turn, struct json_object *id, struct json_object *params)
{
	struct json_object *payload;
	struct acp_ask *ask;
	char what[32];

	if (turn->state != ACP_PROMPTED || turn->ask_count == ACP_ASKS)
		return false;
	ask = calloc(1, sizeof(*ask));
	if (ask == NULL)
		return false;
	snprintf(what, sizeof(what), "permission:%u", ++turn->asked);
	message_name(turn, what, ask->id);
	ask->request_id = cg_json_ref(id);
	ask->params = cg_json_ref(params);
	LIST_INSERT_HEAD(&turn->asks, ask, entry);
	turn->ask_count++;
	message_over(turn);
	if (strcmp(turn->calling, cg_json_string_or(cg_json_object(params, "toolCall"),
					  "toolCallId", "")) == 0)
		turn->calling[0] = '\0';
	payload = acp_permission_payload(params, ask->id);
	turn->sink.event(turn->arg, "permission.requested", payload);
	cg_json_free(payload);
	return true;
}

enum cg_status acp_turn_permission(
	struct agent_turn *turn, const char *permission_id, const char *reply)
{
	const char *option;
	struct acp_ask *ask;

	LIST_FOREACH (ask, &turn->asks, entry) {
		if (strcmp(ask->id, permission_id) == 0)
			break;
	}
	if (ask == NULL)
		return CG_NOT_FOUND;
	option = acp_permission_option(ask->params, reply);
	acp_answer(turn->acp, ask->request_id, acp_permission_result(option));
	if (option != NULL && strcmp(reply, "reject") != 0)
		turn->acted = true;
	ask_remove(turn, ask);
	return option != NULL || strcmp(reply, "reject") == 0 ? CG_OK : CG_UNSUPPORTED;
}
