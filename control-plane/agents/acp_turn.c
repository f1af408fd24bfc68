/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One prompt.  It waits for the program, opens its session (a new one, or the one that it had,
 * which a program that was started since has to load first), prompts, and shows what comes
 * until the prompt is answered.
 *
 * When the program goes while a turn works, the turn begins again by itself if nothing has
 * been shown or done; else it ends, as unsettled when a tool may have acted.
 */
#include "control-plane/agents/acp.h"
#include "control-plane/agents/prompt_copy.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX 256 /* bytes of a message's or a permission's id */

enum turn_state {
	TURN_WAITING, /* for the program, or for its session to be free */
	TURN_OPENING,
	TURN_PROMPTED,
	TURN_STOPPING, /* told to stop, and given a moment */
	TURN_OVER,
};

struct ask {
	LIST_ENTRY(ask) entry;
	char id[ID_MAX];
	struct json_object *request_id; /* a reference, as the next */
	struct json_object *params;
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct acp *acp; /* borrowed */
	struct agent_sink sink;
	void *arg;
	enum turn_state state;
	char *session_id; /* "" until there is one */
	struct acp_session *session; /* borrowed while it is ours */
	struct acp_request *request; /* the one under way */
	struct prompt_copy prompt;
	bool fresh; /* the session has no past */
	bool begun_again;
	bool acted; /* a tool has done something */
	char calling[ID_MAX]; /* one that may be doing something; "": none */
	size_t shown; /* bytes */
	unsigned message; /* number of the one that is being said, from 1 */
	bool speaking; /* … and it has begun */
	char *foreign; /* the program's own id of it; NULL: it gives none */
	double cost; /* of the session up to now; -1: not told */
	LIST_HEAD(, ask) asks;
	size_t ask_count;
	unsigned asked;
	struct loop_timer deadline;
	struct loop_timer moment; /* to open, or to stop */
	struct loop_task begin;
	struct loop_task reap;
};

static void tell_cancel(struct agent_turn *turn);

/* ---- coming and going ---- */

static void ask_remove(struct agent_turn *turn, struct ask *ask)
{
	LIST_REMOVE(ask, entry);
	turn->ask_count--;
	cg_json_free(ask->request_id);
	cg_json_free(ask->params);
	free(ask);
}

static void turn_free(struct agent_turn *turn)
{
	struct ask *ask;

	while ((ask = LIST_FIRST(&turn->asks)) != NULL)
		ask_remove(turn, ask);
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

/* The program waits for nobody who is not there. */
static void refuse_asks(struct agent_turn *turn)
{
	struct ask *ask;

	while ((ask = LIST_FIRST(&turn->asks)) != NULL) {
		acp_answer(turn->acp, ask->request_id, acp_permission_result(NULL));
		ask_remove(turn, ask);
	}
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
	turn->state = TURN_OVER;
	refuse_asks(turn);
	leave_session(turn);
	loop_timer_clear(&turn->deadline);
	loop_timer_clear(&turn->moment);
	loop_defer(turn->acp->host.loop, &turn->reap);
	turn->sink.ended(turn->arg, end, message);
}

static void turn_fail(struct agent_turn *turn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void turn_fail(struct agent_turn *turn, const char *format, ...)
{
	char sentence[2 * CG_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	turn_end(turn, AGENT_FAILED, sentence);
}

/* ---- what it says ---- */

static void message_name(
	const struct agent_turn *turn, const char *what, char ret[ID_MAX])
{
	snprintf(ret, ID_MAX, "%.200s:%s", turn->prompt.command_id, what);
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
	char what[32], id[ID_MAX];
	bool same =
		turn->speaking && (update->message_id == NULL || turn->foreign == NULL ||
					  strcmp(update->message_id, turn->foreign) == 0);

	if (update->length > ACP_TEXT - turn->shown) {
		tell_cancel(turn);
		turn_fail(turn, "the agent said more than can be shown");
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

static void note(struct agent_turn *turn, const char *what, const char *text)
{
	char id[ID_MAX];

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

	if (turn->state != TURN_PROMPTED)
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

bool acp_turn_ask(
	struct agent_turn *turn, struct json_object *id, struct json_object *params)
{
	struct json_object *payload;
	struct ask *ask;
	char what[32];

	if (turn->state != TURN_PROMPTED || turn->ask_count == ACP_ASKS)
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
	struct ask *ask;

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
	if (turn->state == TURN_STOPPING) {
		turn_end(turn, AGENT_CANCELLED, "stopped");
	} else if (error != NULL) {
		acp_error_text(error, text, sizeof(text));
		turn_fail(turn, "the agent failed: %s", text);
	} else if (strcmp(reason, "cancelled") == 0) {
		turn_fail(turn, "the agent stopped by itself");
	} else if (strcmp(reason, "refusal") == 0) {
		turn_fail(turn, "the agent refused to go on");
	} else {
		if (strcmp(reason, "max_tokens") == 0)
			note(turn, "note",
				"(The answer ends here because the model reached its "
				"length limit.)");
		else if (strcmp(reason, "max_turn_requests") == 0)
			note(turn, "note",
				"(The agent stopped here because it had asked the model "
				"too often.)");
		else if (turn->shown == 0)
			note(turn, "note", "(The agent ended without an answer.)");
		turn_end(turn, AGENT_COMPLETED, NULL);
	}
}

static void send_prompt(struct agent_turn *turn)
{
	struct acp *acp = turn->acp;
	const char *system = turn->fresh ? acp->options->system_prompt : NULL;
	enum cg_status status;

	turn->state = TURN_PROMPTED;
	loop_timer_clear(&turn->moment);
	status = acp_call(acp, "session/prompt",
		acp_prompt_params(
			turn->session_id, &turn->prompt.view, system, &acp->abilities),
		on_prompted, turn, &turn->request);
	if (status == CG_LIMIT)
		turn_fail(turn, "the message is too long for the agent");
	else if (status != CG_OK)
		turn_fail(turn, "the agent's program is gone");
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
		turn_fail(turn, "the agent has too many sessions");
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
		turn_fail(turn, "the agent cannot begin a session: %s", text);
		return;
	}
	free(turn->session_id);
	turn->session_id = strdup(id);
	if (turn->session_id == NULL) {
		turn->session_id = strdup("");
		turn_fail(turn, "out of memory");
		return;
	}
	turn->sink.bound(turn->arg, id);
	take_session(turn);
}

static void create_session(struct agent_turn *turn)
{
	struct acp *acp = turn->acp;

	turn->fresh = true;
	turn->state = TURN_OPENING;
	if (acp_call(acp, "session/new", acp_session_params(NULL, acp->directory),
		    on_created, turn, &turn->request) != CG_OK)
		turn_fail(turn, "the agent's program is gone");
}

static void lost_memory(struct agent_turn *turn)
{
	note(turn, "forgotten",
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

	if (turn->state != TURN_WAITING || !acp->ready)
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
		turn->state = TURN_OPENING;
		if (acp_call(acp, "session/load",
			    acp_session_params(turn->session_id, acp->directory),
			    on_loaded, turn, &turn->request) != CG_OK)
			turn_fail(turn, "the agent's program is gone");
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
	struct ask *ask;

	turn->request = NULL; /* forgotten, as the session */
	if (turn->session != NULL)
		turn->session->turn = NULL;
	turn->session = NULL;
	while ((ask = LIST_FIRST(&turn->asks)) != NULL)
		ask_remove(turn, ask);
	switch (turn->state) {
	case TURN_WAITING:
	case TURN_OVER:
		break;
	case TURN_STOPPING:
		turn_end(turn, AGENT_CANCELLED, "stopped");
		break;
	case TURN_OPENING:
	case TURN_PROMPTED:
		if (acted) {
			turn_end(turn, AGENT_UNSETTLED, NULL);
		} else if (!again) {
			turn_fail(turn, "the agent stopped in the middle: %s", why);
		} else {
			turn->begun_again = true;
			turn->state = TURN_WAITING;
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
	case TURN_WAITING:
		if (acp->ready)
			turn_fail(turn,
				"the agent is still busy with what was stopped before; "
				"try again in a moment");
		else
			turn_fail(turn, "the agent is not there: %s",
				acp->why[0] != '\0' ? acp->why : "it is starting");
		break;
	case TURN_OPENING:
		turn_fail(turn, "the agent did not open a session in time");
		break;
	case TURN_STOPPING:
		turn_end(turn, AGENT_CANCELLED, "stopped");
		break;
	case TURN_PROMPTED:
	case TURN_OVER:
		break;
	}
}

static void tell_cancel(struct agent_turn *turn)
{
	struct json_object *params = cg_json_new_object();

	refuse_asks(turn);
	cg_json_put_string(params, "sessionId", turn->session_id);
	acp_tell(turn->acp, "session/cancel", params);
}

static void on_deadline(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == TURN_STOPPING || turn->state == TURN_OVER)
		return;
	if (turn->state == TURN_PROMPTED)
		tell_cancel(turn);
	turn_fail(turn, "the agent took too long, so it was stopped");
}

void acp_turn_cancel(struct agent_turn *turn)
{
	switch (turn->state) {
	case TURN_WAITING:
	case TURN_OPENING:
		/* Nothing has begun.  The answer about the session is of no use any more. */
		acp_forget(turn->acp, turn->request);
		turn->request = NULL;
		turn->state = TURN_STOPPING;
		loop_timer_set(&turn->moment, 0);
		break;
	case TURN_PROMPTED:
		turn->state = TURN_STOPPING;
		tell_cancel(turn);
		loop_timer_set(&turn->moment, ACP_CANCEL_MS);
		break;
	case TURN_STOPPING:
	case TURN_OVER:
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
