/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent that answers with what it was told: for trying Cowgate without a model.  It
 * can show everything that an agent can do, by its first word:
 *
 *	ask TEXT        asks for leave to run TEXT, and says what it was told
 *	question TEXT   asks TEXT with three choices and room for free text
 *	questions TEXT  asks that, and a second question with several choices
 *	tool TEXT       a tool call: pending, running, complete with TEXT as its output
 *	todo            a list of things to do that changes
 *	cost            tells what it cost
 *	file NAME TEXT  makes a file NAME with the bytes TEXT
 *	stream N TEXT   TEXT in N pieces, one every 50 ms
 *	slow N TEXT     takes N seconds, with a sign of life every 200 ms; something to
 *	                stop, or to steer with another message
 *	fail TEXT       fails with TEXT
 *
 * A prompt with files is answered with their names, types and sizes.  Anything else comes
 * back as it came, in a few pieces and then once more as a whole.
 */
#include "control-plane/agents/echo_script.h"

#include <cowgate/sdk/buffer.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define ECHO_TURNS 1024 /* under way at once */
#define ECHO_HEARD (64 * 1024) /* bytes of messages and answers that a turn heard */

LIST_HEAD(echo_turns, agent_turn);

struct echo {
	struct loop *loop;
	struct echo_turns turns; /* at most ECHO_TURNS */
	size_t turn_count;
};

struct agent_turn {
	LIST_ENTRY(agent_turn) entry;
	struct echo *echo; /* borrowed */
	struct agent_sink sink;
	void *arg;
	struct echo_script script;
	size_t step;
	int64_t done; /* pieces of the step */
	size_t sent; /* bytes of its text */
	char *message_id;
	struct cg_buffer heard; /* while it ran: answers, messages */
	bool waits; /* for the answer to what it asked */
	bool started; /* something was shown */
	bool cancelled;
	bool over;
	struct loop_timer timer;
	struct loop_task reap;
};

static enum cg_status echo_create(const struct agent_host *host,
	const struct agent_options *options, void **ret_self, struct cg_error *err)
{
	struct echo *echo = calloc(1, sizeof(*echo));

	(void)options;
	if (echo == NULL)
		return cg_error_nomem(err);
	echo->loop = host->loop;
	LIST_INIT(&echo->turns);
	*ret_self = echo;
	return CG_OK;
}

static void turn_destroy(struct agent_turn *turn)
{
	if (turn == NULL)
		return;
	loop_timer_finish(&turn->timer);
	loop_undefer(turn->echo->loop, &turn->reap);
	echo_script_finish(&turn->script);
	cg_buffer_finish(&turn->heard);
	free(turn->message_id);
	free(turn);
}

static void turn_remove(struct agent_turn *turn)
{
	LIST_REMOVE(turn, entry);
	turn->echo->turn_count--;
	turn_destroy(turn);
}

static void echo_destroy(void *self)
{
	struct echo *echo = self;
	struct agent_turn *turn;

	if (echo == NULL)
		return;
	while ((turn = LIST_FIRST(&echo->turns)) != NULL)
		turn_remove(turn);
	free(echo);
}

static void on_reap(void *arg)
{
	turn_remove(arg);
}

static void turn_end(struct agent_turn *turn, enum agent_end end, const char *message)
{
	turn->over = true;
	loop_timer_clear(&turn->timer);
	loop_defer(turn->echo->loop, &turn->reap);
	turn->sink.ended(turn->arg, end, message);
}

/* A turn that is run again replaces what an earlier run had shown. */
static void show(struct agent_turn *turn, const char *text, size_t length)
{
	if (turn->started)
		turn->sink.append(turn->arg, turn->message_id, text, length);
	else
		turn->sink.replace(turn->arg, turn->message_id, text, length);
	turn->started = true;
}

/* One of a few pieces of equal size, a character at least.  True: it was the last. */
static bool show_piece(struct agent_turn *turn, const struct echo_step *step)
{
	size_t length = strlen(step->text);
	size_t piece = length / (size_t)step->count + 1;

	piece = cg_text_prefix(step->text + turn->sent, length - turn->sent,
		CG_UNIT_BYTES, piece < 4 ? 4 : piece);
	if (piece > 0)
		show(turn, step->text + turn->sent, piece);
	turn->sent += piece;
	return turn->sent == length;
}

static void show_whole(struct agent_turn *turn, const char *text)
{
	struct cg_buffer whole;

	cg_buffer_init(&whole, ECHO_HEARD + strlen(text) + 2);
	cg_buffer_text(&whole, text);
	if (turn->heard.length > 0 && *text != '\0')
		cg_buffer_text(&whole, "\n");
	cg_buffer_add(&whole, cg_buffer_string(&turn->heard), turn->heard.length);
	turn->sink.replace(
		turn->arg, turn->message_id, cg_buffer_string(&whole), whole.length);
	turn->started = true;
	cg_buffer_finish(&whole);
}

static void make_file(struct agent_turn *turn, const struct echo_step *step)
{
	const struct agent_artifact artifact = {
		.id = turn->script.asked,
		.filename = step->type,
		.mime_type = "text/plain",
		.data = step->text,
		.length = strlen(step->text),
	};

	turn->sink.artifact(turn->arg, &artifact);
}

/* Do the step, or a part of it.  True: it is done. */
static bool take_step(struct agent_turn *turn, const struct echo_step *step)
{
	switch (step->kind) {
	case ECHO_PIECES:
		return show_piece(turn, step);
	case ECHO_REPEAT:
		show(turn, step->text, strlen(step->text));
		return ++turn->done == step->count;
	case ECHO_WHOLE:
		show_whole(turn, step->text);
		return true;
	case ECHO_EVENT:
		turn->sink.event(turn->arg, step->type, step->payload);
		return true;
	case ECHO_ASK:
		if (turn->heard.length == 0) {
			turn->waits = true;
			turn->sink.event(turn->arg, step->type, step->payload);
			return false;
		}
		show_whole(turn, "");
		return true;
	case ECHO_FILE:
		make_file(turn, step);
		return true;
	case ECHO_FAIL:
		turn_end(turn, AGENT_FAILED, step->text);
		return true;
	}
	return true;
}

static void next_step(struct agent_turn *turn)
{
	turn->step++;
	turn->done = 0;
	turn->sent = 0;
}

static void on_timer(void *arg)
{
	struct agent_turn *turn = arg;
	int64_t pause = 0;

	/* What takes no time is done at once, so that it is stored at once. */
	while (pause == 0 && !turn->waits && !turn->over) {
		const struct echo_step *step = &turn->script.steps[turn->step];

		if (turn->cancelled) {
			turn_end(turn, AGENT_CANCELLED, "stopped");
		} else if (turn->step == turn->script.count) {
			turn_end(turn, AGENT_COMPLETED, NULL);
		} else {
			pause = step->pause_ms;
			if (take_step(turn, step))
				next_step(turn);
		}
	}
	if (pause > 0 && !turn->over)
		loop_timer_set(&turn->timer, turn->cancelled ? 0 : pause);
}

static enum cg_status echo_start(void *self, const struct agent_prompt *prompt,
	const struct agent_sink *sink, void *arg, struct agent_turn **ret,
	struct cg_error *err)
{
	struct echo *echo = self;
	struct agent_turn *turn;
	struct cg_buffer id;

	if (echo->turn_count >= ECHO_TURNS)
		return cg_error_set(err, CG_LIMIT, "too many turns under way");
	turn = calloc(1, sizeof(*turn));
	if (turn == NULL)
		return cg_error_nomem(err);
	turn->echo = echo;
	turn->sink = *sink;
	turn->arg = arg;
	loop_task_init(&turn->reap, on_reap, turn);
	cg_buffer_init(&turn->heard, ECHO_HEARD);
	cg_buffer_init(&id, 1024);
	cg_buffer_format(&id, "%s:answer", prompt->command_id);
	turn->message_id = cg_buffer_take(&id, NULL);
	cg_buffer_finish(&id);
	if (turn->message_id == NULL ||
		echo_script_init(&turn->script, prompt) != CG_OK ||
		loop_timer_init(&turn->timer, echo->loop, on_timer, turn) != CG_OK) {
		turn_destroy(turn);
		return cg_error_nomem(err);
	}
	LIST_INSERT_HEAD(&echo->turns, turn, entry);
	echo->turn_count++;
	loop_timer_set(&turn->timer, 0);
	*ret = turn;
	return CG_OK;
}

static void echo_cancel(void *self, struct agent_turn *turn)
{
	(void)self;
	if (turn->over)
		return;
	turn->cancelled = true;
	turn->waits = false;
	loop_timer_set(&turn->timer, 0);
}

/* Whether it waits for the answer to @id. */
static bool asks(const struct agent_turn *turn, const char *id)
{
	return turn->waits && !turn->over && strcmp(turn->script.asked, id) == 0;
}

static void hear(struct agent_turn *turn)
{
	turn->waits = false;
	loop_timer_set(&turn->timer, 0);
}

static enum cg_status echo_permission(void *self, struct agent_turn *turn,
	const char *permission_id, const char *reply, const char *message)
{
	(void)self;
	if (!asks(turn, permission_id))
		return CG_NOT_FOUND;
	if (strcmp(reply, "reject") != 0)
		cg_buffer_format(&turn->heard, "allowed %s", reply);
	else if (cg_text_blank(message))
		cg_buffer_text(&turn->heard, "denied");
	else
		cg_buffer_format(&turn->heard, "denied: %s", message);
	hear(turn);
	return CG_OK;
}

/* One line for each question: what was chosen, or said. */
static void hear_answers(struct cg_buffer *heard, struct json_object *answers)
{
	for (size_t i = 0; i < cg_json_count(answers); i++) {
		struct json_object *chosen = cg_json_at(answers, i);

		cg_buffer_format(heard, "%sanswer %zu:", i == 0 ? "" : "\n", i + 1);
		for (size_t j = 0; j < cg_json_count(chosen); j++) {
			const char *text =
				cg_json_value_string(cg_json_at(chosen, j), NULL);

			cg_buffer_format(heard, "%s %s", j == 0 ? "" : ",",
				text == NULL ? "" : text);
		}
	}
}

static enum cg_status echo_question(void *self, struct agent_turn *turn,
	const char *request_id, struct json_object *answers)
{
	(void)self;
	if (!asks(turn, request_id))
		return CG_NOT_FOUND;
	if (cg_json_count(answers) == 0)
		cg_buffer_text(&turn->heard, "not answered");
	else
		hear_answers(&turn->heard, answers);
	hear(turn);
	return CG_OK;
}

/* While it only passes the time. */
static enum cg_status echo_steer(
	void *self, struct agent_turn *turn, const struct agent_prompt *prompt)
{
	(void)self;
	if (turn->over || turn->cancelled || turn->step == turn->script.count ||
		turn->script.steps[turn->step].kind != ECHO_REPEAT)
		return CG_BUSY;
	return cg_buffer_format(&turn->heard, "%sheard: %s",
		turn->heard.length == 0 ? "" : "\n", prompt->text);
}

static bool echo_repeatable(void *self, const struct agent_prompt *prompt)
{
	(void)self;
	(void)prompt;
	return true;
}

static enum cg_status echo_health(void *self, struct cg_error *err)
{
	(void)self;
	(void)err;
	return CG_OK;
}

const struct agent_ops agent_echo = {
	.name = "echo",
	.remembers = true,
	.create = echo_create,
	.destroy = echo_destroy,
	.start = echo_start,
	.cancel = echo_cancel,
	.permission = echo_permission,
	.question = echo_question,
	.steer = echo_steer,
	.repeatable = echo_repeatable,
	.health = echo_health,
};
