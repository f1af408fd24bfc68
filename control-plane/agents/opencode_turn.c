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

#define PATH_BYTES 512 /* of a request */
#define TITLE_BYTES 60 /* of a new session */

static void turn_go(struct agent_turn *turn);
static void look(struct agent_turn *turn);
static void send_prompt(struct agent_turn *turn);
static void open_session(struct agent_turn *turn);

/* ---- coming and going ---- */

static void turn_free(struct agent_turn *turn)
{
	struct loop *loop = turn->opencode->host.loop;

	opencode_drop(turn->call);
	loop_timer_finish(&turn->deadline);
	loop_timer_finish(&turn->open);
	loop_timer_finish(&turn->poll);
	loop_undefer(loop, &turn->begin);
	loop_undefer(loop, &turn->reap);
	for (size_t i = 0; turn->files != NULL && i < turn->view.file_count; i++) {
		free((void *)(uintptr_t)turn->files[i].filename);
		free((void *)(uintptr_t)turn->files[i].mime_type);
		free((void *)(uintptr_t)turn->files[i].path);
	}
	free(turn->files);
	free((void *)(uintptr_t)turn->view.text);
	free((void *)(uintptr_t)turn->view.agent);
	free(turn->command_id);
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

static void turn_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	turn->state = OPENCODE_OVER;
	drop_call(turn);
	loop_timer_clear(&turn->deadline);
	loop_timer_clear(&turn->open);
	loop_timer_clear(&turn->poll);
	loop_defer(turn->opencode->host.loop, &turn->reap);
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

/* Nothing can be done now: go on in a moment, or when the server is back. */
static void turn_later(struct agent_turn *turn)
{
	turn->state = OPENCODE_WAITING;
	loop_timer_set(&turn->poll, OPENCODE_POLL_MS);
}

static void runs(struct agent_turn *turn)
{
	turn->state = OPENCODE_RUNNING;
	loop_timer_clear(&turn->open);
	loop_timer_clear(&turn->poll);
}

/* ---- requests ---- */

static void ask(struct agent_turn *turn, const char *method, const char *path,
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
		turn_later(turn);
	else
		turn_fail(turn, "the message is too long for the agent");
}

static void session_path(
	const struct agent_turn *turn, const char *rest, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "/session/%s%s", turn->session_id, rest);
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
	char path[PATH_BYTES];

	if (turn->session_id[0] == '\0')
		return;
	session_path(turn, "/abort", path);
	(void)opencode_call(turn->opencode, "POST", path, cg_json_new_object(),
		on_abort_sent, NULL, &call);
}

/* ---- what has become of it ---- */

static void finish(struct agent_turn *turn, const struct opencode_message *last)
{
	if (last->error != NULL && strcmp(last->error, "MessageAbortedError") == 0)
		turn_fail(turn, "the agent was stopped");
	else if (last->error != NULL)
		turn_fail(turn, "the agent failed: %s", last->error_text);
	else {
		if (turn->shown == 0)
			opencode_note(
				turn, "note", "(The agent ended without an answer.)");
		turn_end(turn, AGENT_COMPLETED, NULL);
	}
}

/* The server has lost the answer. */
static void lost(struct agent_turn *turn)
{
	if (opencode_acted(turn)) {
		turn_end(turn, AGENT_UNSETTLED, NULL);
	} else if (turn->error[0] != '\0') {
		turn_fail(turn, "the agent failed: %s", turn->error);
	} else if (turn->resent) {
		turn_fail(turn, "the agent stopped in the middle of its answer");
	} else {
		turn->resent = true;
		send_prompt(turn);
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
		if (!message.assistant ||
			strcmp(message.parent_id, turn->message_id) != 0)
			continue;
		ret->prompted = ret->answered = true;
		ret->last = message;
		opencode_know_message(turn, message.id);
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
	ask(turn, "GET", "/question", NULL, on_questions);
}

static bool is_busy(const struct agent_turn *turn, struct json_object *statuses)
{
	struct json_object *status = cg_json_object(statuses, turn->session_id);

	return status != NULL &&
	       strcmp(cg_json_string_or(status, "type", "idle"), "idle") != 0;
}

/* The session works on this prompt, or on what somebody else asked before. */
static void on_rest_or_not(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;
	bool busy = is_busy(turn, json);

	turn->call = NULL;
	if (status == CG_NETWORK)
		turn_later(turn);
	else if (status != CG_OK)
		turn_fail(turn, "the server of OpenCode failed: %s", text);
	else if (busy && turn->message_count == 0)
		turn_later(turn);
	else if (busy) {
		runs(turn);
		ask(turn, "GET", "/permission", NULL, on_permissions);
	} else if (turn->message_count == 0 && !turn->idle)
		send_prompt(turn);
	else
		lost(turn);
}

static void on_messages(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;
	struct outlook outlook;

	turn->call = NULL;
	if (status == CG_NOT_FOUND) {
		opencode_note(turn, "forgotten",
			"(The agent has lost this conversation, so it does not remember "
			"what was said before.)");
		open_session(turn);
		return;
	}
	if (status != CG_OK) {
		if (status == CG_NETWORK)
			turn_later(turn);
		else
			turn_fail(turn, "the server of OpenCode failed: %s", text);
		return;
	}
	take_messages(turn, json, &outlook);
	if (outlook.answered && outlook.last.complete &&
		(!outlook.last.more || outlook.last.error != NULL || turn->idle))
		finish(turn, &outlook.last);
	else
		ask(turn, "GET", "/session/status", NULL, on_rest_or_not);
}

static void look(struct agent_turn *turn)
{
	char path[PATH_BYTES], rest[64];

	turn->state = OPENCODE_LOOKING;
	snprintf(rest, sizeof(rest), "/message?limit=%d", OPENCODE_MESSAGES);
	session_path(turn, rest, path);
	ask(turn, "GET", path, NULL, on_messages);
}

/* ---- its way ---- */

static void on_prompted(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;

	(void)json;
	turn->call = NULL;
	if (status == CG_NETWORK) {
		turn_later(turn);
	} else if (status == CG_NOT_FOUND) {
		on_messages(turn, CG_NOT_FOUND, NULL, text);
	} else if (status != CG_OK) {
		turn_fail(turn, "the agent refused the message: %s", text);
	} else {
		runs(turn);
		if (turn->idle)
			look(turn); /* it was quicker than its own answer */
	}
}

static void send_prompt(struct agent_turn *turn)
{
	const struct agent_options *options = turn->opencode->options;
	char path[PATH_BYTES];

	turn->state = OPENCODE_PROMPTING;
	turn->known = true;
	turn->idle = false;
	turn->error[0] = '\0';
	session_path(turn, "/prompt_async", path);
	ask(turn, "POST", path,
		opencode_prompt_body(&turn->view, options->model, options->system_prompt),
		on_prompted);
}

static void on_opened(
	void *arg, enum cg_status status, struct json_object *json, const char *text)
{
	struct agent_turn *turn = arg;
	const char *id = cg_json_string_or(json, "id", "");

	turn->call = NULL;
	if (status == CG_NETWORK) {
		turn_later(turn);
	} else if (status != CG_OK || !opencode_id_is_plain(id)) {
		turn_fail(turn, "the agent cannot begin a session: %s",
			status == CG_OK ? "it gave none" : text);
	} else {
		cg_text_copy(turn->session_id, sizeof(turn->session_id), id);
		turn->sink.bound(turn->arg, id);
		send_prompt(turn);
	}
}

static void open_session(struct agent_turn *turn)
{
	struct json_object *body = cg_json_new_object();
	const char *text = turn->view.text;
	size_t line = strcspn(text, "\r\n");

	turn->state = OPENCODE_OPENING;
	cg_json_put(body, "title",
		cg_json_new_string_length(
			text, cg_text_prefix(text, line, CG_UNIT_BYTES, TITLE_BYTES)));
	ask(turn, "POST", "/session", body, on_opened);
}

/* From the beginning, or from where it was when the server went. */
static void turn_go(struct agent_turn *turn)
{
	if (!turn->opencode->ready)
		return;
	if (turn->session_id[0] == '\0')
		open_session(turn);
	else if (turn->known)
		look(turn);
	else {
		turn->state = OPENCODE_LOOKING;
		ask(turn, "GET", "/session/status", NULL, on_rest_or_not);
	}
}

/* ---- events ---- */

static void on_error_event(struct agent_turn *turn, const struct opencode_event *event)
{
	if (strcmp(event->request_id, "MessageAbortedError") != 0)
		cg_text_copy(turn->error, sizeof(turn->error), event->text);
}

static void on_retry(struct agent_turn *turn, const struct opencode_event *event)
{
	struct json_object *payload;
	struct cg_buffer reason;

	if (event->number >= OPENCODE_RETRIES) {
		send_abort(turn);
		turn_fail(turn, "the model does not answer: %.200s", event->text);
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
		turn_end(turn, AGENT_CANCELLED, "stopped");
		return;
	}
	/* One of an earlier turn that was stopped: this one has not begun to be answered. */
	if (turn->message_count == 0 && turn->error[0] == '\0')
		return;
	turn->idle = true;
	if (turn->state == OPENCODE_RUNNING)
		look(turn);
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
		if (event->assistant && strcmp(event->parent_id, turn->message_id) == 0)
			opencode_know_message(turn, event->message_id);
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
		turn_fail(turn, "the agent said more than can be shown");
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

/* ---- from people ---- */

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
			look(turn);
	}
}

static enum cg_status reply(struct agent_turn *turn, const char *kind, const char *id,
	const char *verb, struct json_object *body)
{
	struct opencode_call *call;
	char path[PATH_BYTES];
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
		turn_end(turn, AGENT_CANCELLED, "stopped");
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
		turn_end(turn, AGENT_UNSETTLED, NULL);
	else if (!opencode->ready)
		turn_fail(turn, "the agent is not there: %s",
			opencode->why[0] != '\0' ? opencode->why : "it is starting");
	else
		turn_fail(turn,
			"the agent is still busy with something else; try again in a "
			"moment");
}

static void on_deadline(void *arg)
{
	struct agent_turn *turn = arg;

	if (turn->state == OPENCODE_STOPPING || turn->state == OPENCODE_OVER)
		return;
	send_abort(turn);
	turn_fail(turn, "the agent took too long, so it was stopped");
}

/* ---- beginning ---- */

static char *copy(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

static bool copy_prompt(struct agent_turn *turn, const struct agent_prompt *prompt)
{
	turn->command_id = strdup(prompt->command_id);
	turn->view.command_id = turn->command_id;
	turn->view.text = strdup(prompt->text);
	turn->view.agent = copy(prompt->agent);
	turn->files = calloc(prompt->file_count + 1, sizeof(*turn->files));
	turn->view.files = turn->files;
	if (turn->command_id == NULL || turn->view.text == NULL || turn->files == NULL)
		return false;
	for (size_t i = 0; i < prompt->file_count; i++) {
		const struct agent_file *file = &prompt->files[i];

		turn->files[i] = (struct agent_file){
			.filename = copy(file->filename),
			.mime_type = copy(file->mime_type),
			.path = copy(file->path),
			.bytes = file->bytes,
		};
		turn->view.file_count = i + 1;
		if (turn->files[i].path == NULL || turn->files[i].filename == NULL)
			return false;
	}
	if (opencode_id_is_plain(prompt->runtime_session_id))
		cg_text_copy(turn->session_id, sizeof(turn->session_id),
			prompt->runtime_session_id);
	turn->known = prompt->attempt > 1;
	opencode_prompt_id(prompt->command_id, 0, turn->message_id);
	return true;
}

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
	if (!copy_prompt(turn, prompt) ||
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
