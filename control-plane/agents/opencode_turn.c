/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One prompt.  A session that rests takes it; then events show what comes of it, until the
 * session rests again.  What has become of the prompt is always read from the session's own
 * messages: at its end, after a break of the stream, and before it is sent once more.
 *
 * A prompt whose answer was cut off, because the server went, is sent again once if no tool
 * can have acted; else the turn ends as unsettled.
 */
#include "control-plane/agents/opencode_turn.h"

#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_BYTES 60 /* of a new session */

/* ---- coming and going ---- */

static void turn_free(struct agent_turn *turn)
{
	struct loop *loop = turn->opencode->host.loop;

	opencode_drop(turn->call);
	opencode_drop(turn->steering);
	loop_timer_finish(&turn->deadline);
	loop_timer_finish(&turn->open);
	loop_timer_finish(&turn->poll);
	loop_undefer(loop, &turn->begin);
	loop_undefer(loop, &turn->reap);
	prompt_copy_finish(&turn->prompt);
	free(turn);
}

void opencode_turn_destroy(struct agent_turn *turn)
{
	LIST_REMOVE(turn, entry);
	turn->opencode->turn_count--;
	turn_free(turn);
}

static void on_reap(void *arg)
{
	opencode_turn_destroy(arg);
}

static void drop_call(struct agent_turn *turn)
{
	opencode_drop(turn->call);
	turn->call = NULL;
}

void opencode_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	turn->state = OPENCODE_OVER;
	drop_call(turn);
	opencode_drop(turn->steering);
	turn->steering = NULL;
	loop_timer_clear(&turn->deadline);
	loop_timer_clear(&turn->open);
	loop_timer_clear(&turn->poll);
	loop_defer(turn->opencode->host.loop, &turn->reap);
	turn->sink.ended(turn->arg, end, message);
}

void opencode_fail(struct agent_turn *turn, const char *format, ...)
{
	char sentence[2 * CG_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	opencode_end(turn, AGENT_FAILED, sentence);
}

/* Nothing can be done now: go on in a moment, or when the server is back. */
void opencode_later(struct agent_turn *turn)
{
	turn->state = OPENCODE_WAITING;
	loop_timer_set(&turn->poll, OPENCODE_POLL_MS);
}

void opencode_runs(struct agent_turn *turn)
{
	turn->state = OPENCODE_RUNNING;
	loop_timer_clear(&turn->open);
	loop_timer_clear(&turn->poll);
}

/* ---- requests ---- */

void opencode_ask_server(struct agent_turn *turn, const char *method, const char *path,
	struct json_object *body, opencode_done done)
{
	enum cg_status status;

	drop_call(turn);
	status = opencode_call(
		turn->opencode, method, path, body, done, turn, &turn->call);
	if (status == CG_OK)
		return;
	turn->call = NULL;
	if (status == CG_NETWORK)
		opencode_later(turn);
	else
		opencode_fail(turn, "the message is too long for the agent");
}

void opencode_path(
	const struct agent_turn *turn, const char *rest, char ret[OPENCODE_PATH])
{
	snprintf(ret, OPENCODE_PATH, "/session/%s%s", turn->session_id, rest);
}

static void on_abort_sent(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	(void)arg;
	(void)status;
	(void)json;
	(void)text;
}

/* Whoever waits for the session to rest will see whether it does. */
static void send_abort(struct agent_turn *turn)
{
	struct opencode_call *call;
	char path[OPENCODE_PATH];

	if (turn->session_id[0] == '\0')
		return;
	opencode_path(turn, "/abort", path);
	(void)opencode_call(turn->opencode, "POST", path, cg_json_new_object(),
		on_abort_sent, NULL, &call);
}

/* ---- its way ---- */

static void on_prompted(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;

	(void)json;
	turn->call = NULL;
	if (status == CG_NETWORK) {
		opencode_later(turn);
	} else if (status == CG_NOT_FOUND) {
		opencode_session_lost(turn);
	} else if (status != CG_OK) {
		opencode_fail(turn, "the agent refused the message: %s", text);
	} else {
		opencode_runs(turn);
		if (turn->idle)
			opencode_look(turn); /* it was quicker than its own answer */
	}
}

void opencode_send(struct agent_turn *turn)
{
	const struct agent_options *options = turn->opencode->options;
	char path[OPENCODE_PATH];

	turn->state = OPENCODE_PROMPTING;
	turn->known = true;
	turn->idle = false;
	turn->error[0] = '\0';
	opencode_path(turn, "/prompt_async", path);
	opencode_ask_server(turn, "POST", path,
		opencode_prompt_body(
			&turn->prompt.view, options->model, options->system_prompt),
		on_prompted);
}

static void on_opened(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;
	const char *id = cg_json_string_or(json, "id", "");

	turn->call = NULL;
	if (status == CG_NETWORK) {
		opencode_later(turn);
	} else if (status != CG_OK || !opencode_id_is_plain(id)) {
		opencode_fail(turn, "the agent cannot begin a session: %s",
			status == CG_OK ? "it gave none" : text);
	} else {
		cg_text_copy(turn->session_id, sizeof(turn->session_id), id);
		turn->sink.bound(turn->arg, id);
		opencode_send(turn);
	}
}

void opencode_open_session(struct agent_turn *turn)
{
	struct json_object *body = cg_json_new_object();
	const char *text = turn->prompt.text;
	size_t line = strcspn(text, "\r\n");

	turn->state = OPENCODE_OPENING;
	cg_json_put(body, "title",
		cg_json_new_string_length(
			text, cg_text_prefix(text, line, CG_UNIT_BYTES, TITLE_BYTES)));
	opencode_ask_server(turn, "POST", "/session", body, on_opened);
}

/* From the beginning, or from where it was when the server went. */
static void turn_go(struct agent_turn *turn)
{
	if (!turn->opencode->ready)
		return;
	if (turn->session_id[0] == '\0')
		opencode_open_session(turn);
	else if (turn->known)
		opencode_look(turn);
	else {
		turn->state = OPENCODE_LOOKING;
		opencode_ask_server(
			turn, "GET", "/session/status", NULL, opencode_rest_or_not);
	}
}

/* ---- events ---- */

static void on_error_event(struct agent_turn *turn, const struct opencode_event *event)
{
	if (strcmp(event->request_id, "MessageAbortedError") != 0)
		cg_text_copy(turn->error, sizeof(turn->error), event->text);
}

/* The server has no end of its retries, so we have: none begins that is beyond our time. */
static bool out_of_patience(struct agent_turn *turn, int64_t attempt)
{
	int64_t now = clock_mono(loop_clock(turn->opencode->host.loop));
	int64_t limit = turn->opencode->options->retry_ms;
	int64_t wait = OPENCODE_BACKOFF_MS << (attempt < 1   ? 1
					       : attempt > 5 ? 5
							     : attempt);

	if (turn->failing_ms == 0 || attempt == 1)
		turn->failing_ms = now;
	return now - turn->failing_ms + wait > (limit > 0 ? limit : OPENCODE_RETRY_MS);
}

static void on_retry(struct agent_turn *turn, const struct opencode_event *event)
{
	struct json_object *payload;
	struct cg_buffer reason;

	if (out_of_patience(turn, event->number)) {
		send_abort(turn);
		opencode_fail(turn, "the model does not answer: %.200s", event->text);
		return;
	}
	payload = cg_json_new_object();
	cg_buffer_init(&reason, 2 * CG_ERROR_TEXT);
	cg_buffer_format(&reason, "the model failed (%.200s); trying again", event->text);
	cg_json_put_string(payload, "statusType", "busy");
	cg_json_put_string(payload, "reason", cg_buffer_string(&reason));
	turn->sink.event(turn->arg, "session.status", payload);
	cg_buffer_finish(&reason);
	cg_json_free(payload);
}

static void on_idle(struct agent_turn *turn)
{
	if (turn->state == OPENCODE_STOPPING) {
		opencode_end(turn, AGENT_CANCELLED, "stopped");
		return;
	}
	/* One of an earlier turn that was stopped: this one has not begun to be answered. */
	if (turn->message_count == 0 && turn->error[0] == '\0')
		return;
	turn->idle = true;
	if (turn->state == OPENCODE_RUNNING && turn->steering == NULL)
		opencode_look(turn);
}

static void on_asked_over(struct agent_turn *turn, const struct opencode_event *event)
{
	bool question = event->kind == OPENCODE_QUESTION_OVER;
	struct json_object *payload;

	if (!opencode_forget_ask(turn, event->request_id))
		return; /* answered here, and told already */
	payload = cg_json_new_object();
	cg_json_put_string(
		payload, question ? "requestId" : "permissionId", event->request_id);
	cg_json_put_string(payload, "id", event->request_id);
	if (!question) {
		cg_json_put_string(payload, "reply", event->reply ? "once" : "reject");
		cg_json_put_bool(payload, "allowed", event->reply);
	}
	turn->sink.event(turn->arg,
		question ? "question.resolved" : "permission.resolved", payload);
	cg_json_free(payload);
}

static void take_todos(struct agent_turn *turn, const struct opencode_event *event)
{
	struct json_object *payload = opencode_todos_payload(event->body);

	turn->sink.event(turn->arg, "todos.updated", payload);
	cg_json_free(payload);
}

/* Of the session itself. */
static void take_own(struct agent_turn *turn, const struct opencode_event *event)
{
	switch (event->kind) {
	case OPENCODE_MESSAGE:
		if (event->assistant && opencode_is_prompt(turn, event->parent_id)) {
			opencode_know_message(turn, event->message_id);
			opencode_heed(turn, event->parent_id);
		}
		break;
	case OPENCODE_PART:
		opencode_show_part(turn, event->body, false);
		break;
	case OPENCODE_DELTA:
		opencode_show_delta(turn, event);
		break;
	case OPENCODE_IDLE:
		on_idle(turn);
		break;
	case OPENCODE_RETRY:
		on_retry(turn, event);
		break;
	case OPENCODE_ERROR:
		on_error_event(turn, event);
		break;
	case OPENCODE_TODOS:
		take_todos(turn, event);
		break;
	default:
		break;
	}
}

/* Of the session, or of one that was made for a helper: whoever asks, a person answers. */
static void take_any(struct agent_turn *turn, const struct opencode_event *event)
{
	switch (event->kind) {
	case OPENCODE_PERMISSION:
	case OPENCODE_QUESTION:
		opencode_show_ask(turn, event->body, event->kind == OPENCODE_QUESTION);
		break;
	case OPENCODE_PERMISSION_OVER:
	case OPENCODE_QUESTION_OVER:
		on_asked_over(turn, event);
		break;
	default:
		break;
	}
}

static void turn_event(struct agent_turn *turn, const struct opencode_event *event)
{
	bool own = strcmp(event->session_id, turn->session_id) == 0;

	if (turn->state == OPENCODE_STOPPING) {
		if (own && event->kind == OPENCODE_IDLE)
			on_idle(turn);
		return;
	}
	if (turn->state != OPENCODE_PROMPTING && turn->state != OPENCODE_RUNNING &&
		turn->state != OPENCODE_LOOKING)
		return;
	if (event->kind == OPENCODE_CHILD) {
		if (strcmp(event->parent_id, turn->session_id) == 0 ||
			opencode_is_child(turn, event->parent_id))
			opencode_know_child(turn, event->session_id);
		return;
	}
	if (own)
		take_own(turn, event);
	if (turn->state != OPENCODE_OVER &&
		(own || opencode_is_child(turn, event->session_id)))
		take_any(turn, event);
	if (turn->said_too_much && turn->state != OPENCODE_OVER) {
		send_abort(turn);
		opencode_fail(turn, "the agent said more than can be shown");
	}
}

void opencode_turns_event(struct opencode *opencode, const struct opencode_event *event)
{
	struct agent_turn *turn;

	/* It may end, but not vanish: that waits for a later turn of the loop. */
	LIST_FOREACH (turn, &opencode->turns, entry) {
		if (turn->session_id[0] != '\0')
			turn_event(turn, event);
	}
}

void opencode_turns_ready(struct opencode *opencode)
{
	struct agent_turn *turn;

	LIST_FOREACH (turn, &opencode->turns, entry) {
		if (turn->state == OPENCODE_WAITING || turn->state == OPENCODE_RUNNING)
			turn_go(turn);
	}
}

void opencode_turns_gone(struct opencode *opencode)
{
	struct agent_turn *turn;

	LIST_FOREACH (turn, &opencode->turns, entry) {
		if (turn->state == OPENCODE_RUNNING || turn->state == OPENCODE_LOOKING)
			loop_timer_set(&turn->open, OPENCODE_OPEN_MS);
	}
}

void opencode_turn_cancel(struct agent_turn *turn)
{
	bool begun = turn->state == OPENCODE_PROMPTING ||
		     turn->state == OPENCODE_RUNNING ||
		     (turn->state == OPENCODE_LOOKING && turn->known);

	if (turn->state == OPENCODE_STOPPING || turn->state == OPENCODE_OVER)
		return;
	turn->state = OPENCODE_STOPPING;
	drop_call(turn);
	if (begun)
		send_abort(turn);
	loop_timer_set(&turn->poll, begun ? OPENCODE_CANCEL_MS : 0);
}

/* ---- time ---- */

static void on_poll(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == OPENCODE_STOPPING)
		opencode_end(turn, AGENT_CANCELLED, "stopped");
	else if (turn->state == OPENCODE_WAITING)
		turn_go(turn);
}

static void on_open(void *arg)
{
	struct agent_turn *turn = arg;
	const struct opencode *opencode = turn->opencode;

	if (turn->state == OPENCODE_STOPPING || turn->state == OPENCODE_OVER ||
		(turn->state == OPENCODE_RUNNING && opencode->ready))
		return;
	if (opencode_acted(turn))
		opencode_end(turn, AGENT_UNSETTLED, NULL);
	else if (!opencode->ready)
		opencode_fail(turn, "the agent is not there: %s",
			opencode->why[0] != '\0' ? opencode->why : "it is starting");
	else
		opencode_fail(turn,
			"the agent is still busy with something else; try again in a "
			"moment");
}

static void on_deadline(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == OPENCODE_STOPPING || turn->state == OPENCODE_OVER)
		return;
	send_abort(turn);
	opencode_fail(turn, "the agent took too long, so it was stopped");
}

/* ---- beginning ---- */

static void on_begin(void *arg)
{
	turn_go(arg);
}

enum cg_status opencode_turn_create(struct opencode *opencode,
	const struct agent_prompt *prompt, const struct agent_sink *sink, void *arg,
	struct agent_turn **ret)
{
	int64_t timeout_ms = opencode->options->turn_timeout_ms;
	struct agent_turn *turn = calloc(1, sizeof(*turn));
	struct loop *loop = opencode->host.loop;

	if (turn == NULL)
		return CG_NOMEM;
	turn->opencode = opencode;
	turn->sink = *sink;
	turn->arg = arg;
	loop_task_init(&turn->begin, on_begin, turn);
	loop_task_init(&turn->reap, on_reap, turn);
	turn->known = prompt->attempt > 1;
	opencode_prompt_id(prompt->command_id, 0, turn->message_id);
	if (opencode_id_is_plain(prompt->runtime_session_id))
		cg_text_copy(turn->session_id, sizeof(turn->session_id),
			prompt->runtime_session_id);
	if (prompt_copy_init(&turn->prompt, prompt) != CG_OK ||
		loop_timer_init(&turn->deadline, loop, on_deadline, turn) != CG_OK ||
		loop_timer_init(&turn->open, loop, on_open, turn) != CG_OK ||
		loop_timer_init(&turn->poll, loop, on_poll, turn) != CG_OK) {
		turn_free(turn);
		return CG_NOMEM;
	}
	loop_timer_set(&turn->deadline, timeout_ms > 0 ? timeout_ms : OPENCODE_TURN_MS);
	loop_timer_set(&turn->open, OPENCODE_OPEN_MS);
	LIST_INSERT_HEAD(&opencode->turns, turn, entry);
	opencode->turn_count++;
	loop_defer(loop, &turn->begin);
	*ret = turn;
	return CG_OK;
}
