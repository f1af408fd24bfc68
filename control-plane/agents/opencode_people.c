/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people say to a turn that runs: answers to what it has asked, and more for it to heed.
 *
 * A session that works takes one more message at any time.  The server hands it to the model with
 * the next step, or begins another one for it when the model would have come to rest, and the
 * model's messages are then answers to that one.
 */
#include "control-plane/agents/opencode_turn.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

/* ---- answers ---- */

static bool has_ask(const struct agent_turn *turn, const char *id, bool question)
{
	for (size_t i = 0; i < turn->ask_count; i++) {
		if (turn->asks[i].question == question &&
			strcmp(turn->asks[i].id, id) == 0)
			return true;
	}
	return false;
}

/* What was not heard is still open at the server: it is asked for again. */
static void on_replied(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct opencode *opencode = arg;
	struct agent_turn *turn;

	(void)json;
	(void)text;
	if (status == CG_OK || status == CG_NOT_FOUND || !opencode->ready)
		return;
	LIST_FOREACH (turn, &opencode->turns, entry) {
		if (turn->state == OPENCODE_RUNNING && turn->call == NULL)
			opencode_look(turn);
	}
}

static enum cg_status reply(struct agent_turn *turn, const char *kind, const char *id,
	const char *verb, struct json_object *body)
{
	struct opencode_call *call;
	char path[OPENCODE_PATH];
	enum cg_status status;

	snprintf(path, sizeof(path), "/%s/%s/%s", kind, id, verb);
	status = opencode_call(
		turn->opencode, "POST", path, body, on_replied, turn->opencode, &call);
	if (status == CG_OK)
		opencode_forget_ask(turn, id);
	return status;
}

enum cg_status opencode_turn_permission(struct agent_turn *turn,
	const char *permission_id, const char *answer, const char *message)
{
	struct json_object *body;
	enum cg_status status;

	if (!has_ask(turn, permission_id, false))
		return CG_NOT_FOUND;
	body = cg_json_new_object();
	cg_json_put_string(body, "reply", answer);
	if (!cg_text_blank(message) && strcmp(answer, "reject") == 0)
		cg_json_put_string(body, "message", message);
	status = reply(turn, "permission", permission_id, "reply", body);
	if (status == CG_OK && strcmp(answer, "reject") != 0)
		turn->acted = true;
	return status;
}

enum cg_status opencode_turn_question(
	struct agent_turn *turn, const char *request_id, struct json_object *answers)
{
	struct json_object *body = cg_json_new_object();

	if (!has_ask(turn, request_id, true)) {
		cg_json_free(body);
		return CG_NOT_FOUND;
	}
	if (answers != NULL)
		cg_json_put(body, "answers", cg_json_copy(answers));
	return reply(
		turn, "question", request_id, answers == NULL ? "reject" : "reply", body);
}

/* ---- more to heed ---- */

bool opencode_is_prompt(const struct agent_turn *turn, const char *message_id)
{
	if (strcmp(turn->message_id, message_id) == 0)
		return true;
	for (size_t i = 0; i < turn->steer_count; i++) {
		if (strcmp(turn->steers[i], message_id) == 0)
			return true;
	}
	return false;
}

void opencode_heed(struct agent_turn *turn, const char *message_id)
{
	if (turn->steer_count > 0 &&
		strcmp(turn->steers[turn->steer_count - 1], message_id) == 0)
		turn->unheard = false;
}

void opencode_not_heard(struct agent_turn *turn)
{
	char what[32];

	if (!turn->unheard)
		return;
	turn->unheard = false;
	snprintf(what, sizeof(what), "unheard:%zu", turn->steer_count);
	opencode_note(turn, what,
		"(What you said meanwhile came too late for the agent. Please say it "
		"again.)");
}

static void on_steered(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;

	(void)json;
	(void)text;
	turn->steering = NULL;
	if (status != CG_OK)
		opencode_not_heard(turn);
	if (turn->idle && turn->state == OPENCODE_RUNNING)
		opencode_look(turn); /* it waited for this */
}

enum cg_status opencode_turn_steer(
	struct agent_turn *turn, const struct agent_prompt *prompt)
{
	const struct agent_options *options = turn->opencode->options;
	char *id = turn->steers[turn->steer_count];
	char path[OPENCODE_PATH];
	struct json_object *body;
	enum cg_status status;

	if (turn->state != OPENCODE_RUNNING || turn->idle || turn->steering != NULL ||
		turn->steer_count == OPENCODE_STEERS || turn->message_count == 0)
		return CG_BUSY;
	if (!opencode_next_id(opencode_newest_message(turn), prompt->command_id, id))
		return CG_BUSY;
	body = opencode_prompt_body(prompt, options->model, options->system_prompt);
	cg_json_put_string(body, "messageID", id);
	opencode_path(turn, "/prompt_async", path);
	status = opencode_call(
		turn->opencode, "POST", path, body, on_steered, turn, &turn->steering);
	if (status != CG_OK) {
		turn->steering = NULL;
		return CG_BUSY;
	}
	turn->steer_count++;
	turn->unheard = true;
	turn->looks = 0;
	return CG_OK;
}
