/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has become of a prompt, as the session's own messages tell it: at its end, after a break
 * of the stream, and before it is sent once more.
 */
#include "control-plane/agents/opencode_turn.h"

#include <cowgate/sdk/json.h>
#include <stdio.h>
#include <string.h>

static void finish(struct agent_turn *turn, const struct opencode_message *last)
{
	if (last->error != NULL && strcmp(last->error, "MessageAbortedError") == 0)
		opencode_fail(turn, "the agent was stopped");
	else if (last->error != NULL)
		opencode_fail(turn, "the agent failed: %s", last->error_text);
	else {
		if (turn->shown == 0)
			opencode_note(
				turn, "note", "(The agent ended without an answer.)");
		opencode_end(turn, AGENT_COMPLETED, NULL);
	}
}

/* The server has lost the answer. */
static void lost(struct agent_turn *turn)
{
	if (opencode_acted(turn)) {
		opencode_end(turn, AGENT_UNSETTLED, NULL);
	} else if (turn->error[0] != '\0') {
		opencode_fail(turn, "the agent failed: %s", turn->error);
	} else if (turn->resent) {
		opencode_fail(turn, "the agent stopped in the middle of its answer");
	} else {
		turn->resent = true;
		opencode_not_heard(turn);
		opencode_send(turn);
	}
}

struct outlook {
	bool prompted; /* the session has the prompt */
	bool answered; /* there is a message of the model */
	struct opencode_message last; /* the newest of them */
};

static void take_messages(
	struct agent_turn *turn, struct json_object *list, struct outlook *ret)
{
	*ret = (struct outlook){.prompted = false};
	for (size_t i = 0; i < cg_json_count(list); i++) {
		struct opencode_message message;

		opencode_message_read(cg_json_at(list, i), &message);
		if (strcmp(message.id, turn->message_id) == 0)
			ret->prompted = true;
		if (!message.assistant || !opencode_is_prompt(turn, message.parent_id))
			continue;
		ret->prompted = ret->answered = true;
		ret->last = message;
		opencode_know_message(turn, message.id);
		opencode_heed(turn, message.parent_id);
		for (size_t part = 0; part < cg_json_count(message.parts); part++)
			opencode_show_part(turn, cg_json_at(message.parts, part), true);
	}
}

static void take_asks(struct agent_turn *turn, struct json_object *list, bool question)
{
	for (size_t i = 0; i < cg_json_count(list); i++) {
		struct json_object *one = cg_json_at(list, i);
		const char *session = cg_json_string_or(one, "sessionID", "");

		if (strcmp(session, turn->session_id) == 0 ||
			opencode_is_child(turn, session))
			opencode_show_ask(turn, one, question);
	}
}

static void on_questions(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;

	(void)text;
	turn->call = NULL;
	if (status == CG_OK)
		take_asks(turn, json, true);
}

static void on_permissions(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;

	(void)text;
	turn->call = NULL;
	if (status == CG_OK)
		take_asks(turn, json, false);
	opencode_ask_server(turn, "GET", "/question", NULL, on_questions);
}

static bool is_busy(const struct agent_turn *turn, struct json_object *statuses)
{
	struct json_object *status = cg_json_object(statuses, turn->session_id);

	return status != NULL &&
	       strcmp(cg_json_string_or(status, "type", "idle"), "idle") != 0;
}

/* The session works on this prompt, or on what somebody else asked before. */
void opencode_rest_or_not(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;
	bool busy = is_busy(turn, json);

	turn->call = NULL;
	if (status == CG_NETWORK)
		opencode_later(turn);
	else if (status != CG_OK)
		opencode_fail(turn, "the server of OpenCode failed: %s", text);
	else if (busy && turn->message_count == 0)
		opencode_later(turn);
	else if (busy) {
		turn->idle = false;
		opencode_runs(turn);
		opencode_ask_server(turn, "GET", "/permission", NULL, on_permissions);
	} else if (turn->message_count == 0 && !turn->idle)
		opencode_send(turn);
	else
		lost(turn);
}

void opencode_session_lost(struct agent_turn *turn)
{
	opencode_note(turn, "forgotten",
		"(The agent has lost this conversation, so it does not remember what was "
		"said before.)");
	opencode_open_session(turn);
}

/* The model has come to rest without a word on what was said meanwhile: the server is about to
 * begin again for it, or never will. */
static void on_unheard(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;

	(void)text;
	turn->call = NULL;
	if (status == CG_OK && is_busy(turn, json)) {
		turn->idle = false;
		opencode_runs(turn);
	} else if (++turn->looks < OPENCODE_LOOKS) {
		opencode_later(turn);
	} else {
		opencode_not_heard(turn);
		opencode_end(turn, AGENT_COMPLETED, NULL);
	}
}

static void on_messages(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;
	struct outlook outlook;

	turn->call = NULL;
	if (status == CG_NOT_FOUND) {
		opencode_session_lost(turn);
		return;
	}
	if (status != CG_OK) {
		if (status == CG_NETWORK)
			opencode_later(turn);
		else
			opencode_fail(turn, "the server of OpenCode failed: %s", text);
		return;
	}
	take_messages(turn, json, &outlook);
	if (outlook.answered && outlook.last.complete && outlook.last.error == NULL &&
		turn->unheard)
		opencode_ask_server(turn, "GET", "/session/status", NULL, on_unheard);
	else if (outlook.answered && outlook.last.complete &&
		 (!outlook.last.more || outlook.last.error != NULL || turn->idle))
		finish(turn, &outlook.last);
	else
		opencode_ask_server(
			turn, "GET", "/session/status", NULL, opencode_rest_or_not);
}

void opencode_look(struct agent_turn *turn)
{
	char path[OPENCODE_PATH], rest[64];

	turn->state = OPENCODE_LOOKING;
	snprintf(rest, sizeof(rest), "/message?limit=%d", OPENCODE_MESSAGES);
	opencode_path(turn, rest, path);
	opencode_ask_server(turn, "GET", path, NULL, on_messages);
}
