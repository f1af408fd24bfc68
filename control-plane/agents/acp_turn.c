/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One prompt.  It waits for the program, opens its session (a new one, or the one that it had,
 * which a program that was started since has to load first), prompts, and shows what comes
 * until the prompt is answered.
 *
 * When the program goes while a turn works, the turn begins again by itself if nothing has
 * been shown or done; else it ends, as unsettled when a tool may have acted.
 */
#include "control-plane/agents/acp_turn.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- coming and going ---- */

static void turn_free(struct agent_turn *turn)
{
	acp_show_drop_asks(turn);
	if (turn->session != NULL)
		turn->session->turn = NULL;
	acp_forget(turn->acp, turn->request);
	loop_timer_finish(&turn->deadline);
	loop_timer_finish(&turn->moment);
	loop_undefer(turn->acp->host.loop, &turn->begin);
	loop_undefer(turn->acp->host.loop, &turn->reap);
	prompt_copy_finish(&turn->prompt);
	free(turn->foreign);
	free(turn->session_id);
	free(turn);
}

void acp_turn_destroy(struct agent_turn *turn)
{
	LIST_REMOVE(turn, entry);
	turn->acp->turn_count--;
	turn_free(turn);
}

static void on_reap(void *arg)
{
	acp_turn_destroy(arg);
}

static void leave_session(struct agent_turn *turn)
{
	if (turn->session == NULL)
		return;
	turn->session->turn = NULL;
	if (turn->request != NULL) {
		acp_session_fence(turn->session, turn->request);
		turn->request = NULL;
	}
	turn->session = NULL;
}

static void turn_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	turn->state = ACP_OVER;
	acp_show_refuse_asks(turn);
	leave_session(turn);
	loop_timer_clear(&turn->deadline);
	loop_timer_clear(&turn->moment);
	loop_defer(turn->acp->host.loop, &turn->reap);
	turn->sink.ended(turn->arg, end, message);
}

void acp_turn_fail(struct agent_turn *turn, const char *format, ...)
{
	char sentence[2 * CG_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	turn_end(turn, AGENT_FAILED, sentence);
}

/* ---- its way ---- */

/* Programs tell what a session has cost in all; what it had cost before it was loaded is not
 * known. */
static void report_cost(struct agent_turn *turn, struct json_object *result)
{
	struct acp_session *session = turn->session;
	double cost =
		session->cost < 0 || turn->cost < 0 ? 0 : turn->cost - session->cost;
	struct json_object *payload =
		acp_usage_payload(result, cost, turn->prompt.command_id);

	if (turn->cost >= 0)
		session->cost = turn->cost;
	if (payload != NULL)
		turn->sink.event(turn->arg, "cost.updated", payload);
	cg_json_free(payload);
}

static void on_prompted(void *arg, struct json_object *result, struct json_object *error)
{
	struct agent_turn *turn = arg;
	const char *reason = cg_json_string_or(result, "stopReason", "");
	char text[CG_ERROR_TEXT];

	turn->request = NULL;
	if (result != NULL)
		report_cost(turn, result);
	if (turn->state == ACP_STOPPING) {
		turn_end(turn, AGENT_CANCELLED, "stopped");
	} else if (error != NULL) {
		acp_error_text(error, text, sizeof(text));
		acp_turn_fail(turn, "the agent failed: %s", text);
	} else if (strcmp(reason, "cancelled") == 0) {
		acp_turn_fail(turn, "the agent stopped by itself");
	} else if (strcmp(reason, "refusal") == 0) {
		acp_turn_fail(turn, "the agent refused to go on");
	} else {
		if (strcmp(reason, "max_tokens") == 0)
			acp_show_note(turn, "note",
				"(The answer ends here because the model reached its "
				"length limit.)");
		else if (strcmp(reason, "max_turn_requests") == 0)
			acp_show_note(turn, "note",
				"(The agent stopped here because it had asked the model "
				"too often.)");
		else if (turn->shown == 0)
			acp_show_note(
				turn, "note", "(The agent ended without an answer.)");
		turn_end(turn, AGENT_COMPLETED, NULL);
	}
}

static void send_prompt(struct agent_turn *turn)
{
	struct acp *acp = turn->acp;
	const char *system = turn->fresh ? acp->options->system_prompt : NULL;
	enum cg_status status;

	turn->state = ACP_PROMPTED;
	loop_timer_clear(&turn->moment);
	status = acp_call(acp, "session/prompt",
		acp_prompt_params(
			turn->session_id, &turn->prompt.view, system, &acp->abilities),
		on_prompted, turn, &turn->request);
	if (status == CG_LIMIT)
		acp_turn_fail(turn, "the message is too long for the agent");
	else if (status != CG_OK)
		acp_turn_fail(turn, "the agent's program is gone");
}

/* The session is there: take it and prompt. */
static void take_session(struct agent_turn *turn)
{
	struct acp_session *session = acp_session_find(turn->acp, turn->session_id);

	if (session == NULL) {
		session = acp_session_add(turn->acp, turn->session_id);
		if (session != NULL)
			session->cost = turn->fresh ? 0 : -1;
	}
	if (session == NULL) {
		acp_turn_fail(turn, "the agent has too many sessions");
		return;
	}
	turn->session = session;
	session->turn = turn;
	send_prompt(turn);
}

static void on_created(void *arg, struct json_object *result, struct json_object *error)
{
	struct agent_turn *turn = arg;
	const char *id = cg_json_string(result, "sessionId");
	char text[CG_ERROR_TEXT] = "it gave no session";

	turn->request = NULL;
	if (cg_text_blank(id)) {
		if (error != NULL)
			acp_error_text(error, text, sizeof(text));
		acp_turn_fail(turn, "the agent cannot begin a session: %s", text);
		return;
	}
	free(turn->session_id);
	turn->session_id = strdup(id);
	if (turn->session_id == NULL) {
		turn->session_id = strdup("");
		acp_turn_fail(turn, "out of memory");
		return;
	}
	turn->sink.bound(turn->arg, id);
	take_session(turn);
}

static void create_session(struct agent_turn *turn)
{
	struct acp *acp = turn->acp;

	turn->fresh = true;
	turn->state = ACP_OPENING;
	if (acp_call(acp, "session/new", acp_session_params(NULL, acp->directory),
		    on_created, turn, &turn->request) != CG_OK)
		acp_turn_fail(turn, "the agent's program is gone");
}

static void lost_memory(struct agent_turn *turn)
{
	acp_show_note(turn, "forgotten",
		"(The agent was started anew and cannot reopen this conversation, so it "
		"does "
		"not remember what was said before.)");
	create_session(turn);
}

static void on_loaded(void *arg, struct json_object *result, struct json_object *error)
{
	struct agent_turn *turn = arg;

	(void)result;
	turn->request = NULL;
	if (error != NULL)
		lost_memory(turn);
	else
		take_session(turn);
}

static void turn_go_on(struct agent_turn *turn)
{
	struct acp *acp = turn->acp;
	const struct acp_session *session;

	if (turn->state != ACP_WAITING || !acp->ready)
		return;
	if (turn->session_id[0] == '\0') {
		create_session(turn);
		return;
	}
	session = acp_session_find(acp, turn->session_id);
	if (session != NULL && session->fence != NULL)
		return; /* what was stopped has not stopped yet */
	if (session != NULL) {
		take_session(turn);
	} else if (!acp->abilities.load_session) {
		lost_memory(turn);
	} else {
		turn->state = ACP_OPENING;
		if (acp_call(acp, "session/load",
			    acp_session_params(turn->session_id, acp->directory),
			    on_loaded, turn, &turn->request) != CG_OK)
			acp_turn_fail(turn, "the agent's program is gone");
	}
}

void acp_turns_go_on(struct acp *acp)
{
	struct agent_turn *turn;

	/* It may end, but not vanish: that waits for a later turn of the loop. */
	LIST_FOREACH (turn, &acp->turns, entry) {
		turn_go_on(turn);
	}
}

static void turn_lost(struct agent_turn *turn, const char *why)
{
	bool acted = turn->acted || turn->calling[0] != '\0';
	bool again = turn->shown == 0 && !acted && !turn->begun_again;

	turn->request = NULL; /* forgotten, as the session */
	if (turn->session != NULL)
		turn->session->turn = NULL;
	turn->session = NULL;
	acp_show_drop_asks(turn);
	switch (turn->state) {
	case ACP_WAITING:
	case ACP_OVER:
		break;
	case ACP_STOPPING:
		turn_end(turn, AGENT_CANCELLED, "stopped");
		break;
	case ACP_OPENING:
	case ACP_PROMPTED:
		if (acted) {
			turn_end(turn, AGENT_UNSETTLED, NULL);
		} else if (!again) {
			acp_turn_fail(turn, "the agent stopped in the middle: %s", why);
		} else {
			turn->begun_again = true;
			turn->state = ACP_WAITING;
			loop_timer_set(&turn->moment, ACP_OPEN_MS);
		}
		break;
	}
}

void acp_turns_lost(struct acp *acp, const char *why)
{
	struct agent_turn *turn;

	LIST_FOREACH (turn, &acp->turns, entry) {
		turn_lost(turn, why);
	}
}

/* ---- time ---- */

static void on_moment(void *arg)
{
	struct agent_turn *turn = arg;
	const struct acp *acp = turn->acp;

	switch (turn->state) {
	case ACP_WAITING:
		if (acp->ready)
			acp_turn_fail(turn,
				"the agent is still busy with what was stopped before; "
				"try again in a moment");
		else
			acp_turn_fail(turn, "the agent is not there: %s",
				acp->why[0] != '\0' ? acp->why : "it is starting");
		break;
	case ACP_OPENING:
		acp_turn_fail(turn, "the agent did not open a session in time");
		break;
	case ACP_STOPPING:
		turn_end(turn, AGENT_CANCELLED, "stopped");
		break;
	case ACP_PROMPTED:
	case ACP_OVER:
		break;
	}
}

void acp_turn_tell_cancel(struct agent_turn *turn)
{
	struct json_object *params = cg_json_new_object();

	acp_show_refuse_asks(turn);
	cg_json_put_string(params, "sessionId", turn->session_id);
	acp_tell(turn->acp, "session/cancel", params);
}

static void on_deadline(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == ACP_STOPPING || turn->state == ACP_OVER)
		return;
	if (turn->state == ACP_PROMPTED)
		acp_turn_tell_cancel(turn);
	acp_turn_fail(turn, "the agent took too long, so it was stopped");
}

void acp_turn_cancel(struct agent_turn *turn)
{
	switch (turn->state) {
	case ACP_WAITING:
	case ACP_OPENING:
		/* Nothing has begun.  The answer about the session is of no use any more. */
		acp_forget(turn->acp, turn->request);
		turn->request = NULL;
		turn->state = ACP_STOPPING;
		loop_timer_set(&turn->moment, 0);
		break;
	case ACP_PROMPTED:
		turn->state = ACP_STOPPING;
		acp_turn_tell_cancel(turn);
		loop_timer_set(&turn->moment, ACP_CANCEL_MS);
		break;
	case ACP_STOPPING:
	case ACP_OVER:
		break;
	}
}

/* ---- beginning ---- */

static void on_begin(void *arg)
{
	turn_go_on(arg);
}

enum cg_status acp_turn_create(struct acp *acp, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret)
{
	int64_t timeout_ms = acp->options->turn_timeout_ms;
	struct agent_turn *turn = calloc(1, sizeof(*turn));

	if (turn == NULL)
		return CG_NOMEM;
	turn->acp = acp;
	turn->sink = *sink;
	turn->arg = arg;
	LIST_INIT(&turn->asks);
	turn->cost = -1;
	loop_task_init(&turn->begin, on_begin, turn);
	loop_task_init(&turn->reap, on_reap, turn);
	turn->session_id = strdup(prompt->runtime_session_id);
	if (prompt_copy_init(&turn->prompt, prompt) != CG_OK ||
		turn->session_id == NULL ||
		loop_timer_init(&turn->deadline, acp->host.loop, on_deadline, turn) !=
			CG_OK ||
		loop_timer_init(&turn->moment, acp->host.loop, on_moment, turn) !=
			CG_OK) {
		turn_free(turn);
		return CG_NOMEM;
	}
	loop_timer_set(&turn->deadline, timeout_ms > 0 ? timeout_ms : ACP_TURN_MS);
	loop_timer_set(&turn->moment, ACP_OPEN_MS);
	LIST_INSERT_HEAD(&acp->turns, turn, entry);
	acp->turn_count++;
	loop_defer(acp->host.loop, &turn->begin);
	*ret = turn;
	return CG_OK;
}
